#pragma once

#include <optional>
#include <string>

#include "api/inputs.h"
#include "api/structures_described.h"
#include "service/services.h"

/// The model of a library, as the operations on all libraries, on local and on subscribed ones share it
/// (content-library-api.md §4.2).
namespace quire::api {

struct LibraryUpdateInput {
  static constexpr std::string_view canonical_name = operation_input;
  static constexpr std::array objects = {NamedObject{ObjectKind::library, "library_id"}};
  std::string library_id;
  LibraryModel update_spec;
};
struct LibraryCreateInput {
  static constexpr std::string_view canonical_name = operation_input;
  std::optional<std::string> client_token;
  LibraryModel create_spec;
};
BOOST_DESCRIBE_STRUCT(LibraryUpdateInput, (), (library_id, update_spec))
BOOST_DESCRIBE_STRUCT(LibraryCreateInput, (), (client_token, create_spec))

/// Where subscribers find the published library, for clients that reach this server at `base_url`. As vCenter has it,
/// the port written out (content-library-api.md §4.2).
std::string publish_url(const std::string& base_url, const std::string& library_id);

/// What a client sees of a library: never a password.
base::Result<LibraryModel> model_of(const service::Services& services, const CallContext& call,
                                    const base::Result<content::Library>& library);

content::StorageBacking to_content(const StorageBacking& backing);
std::vector<content::StorageBacking> to_content(const std::vector<StorageBacking>& backings);

/// What a client says of a library, whatever its type.
service::LibrarySpec to_spec(const LibraryModel& model);
service::SubscriptionSpec to_spec(const SubscriptionInfo& info);
/// nullopt when the model says nothing of it.
std::optional<service::SubscriptionSpec> subscription_spec(const LibraryModel& model);

}  // namespace quire::api
