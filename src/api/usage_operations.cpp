#include "api/identifiers.h"
#include "api/inputs.h"
#include "api/operations.h"
#include "api/structures_described.h"
#include "service/services.h"

/// Usages of libraries (content-library-api.md §20).
namespace quire::api {

struct UsageAddSpec {
  static constexpr std::string_view canonical_name = "com.vmware.content.library.usages.add_spec";
  std::string resource_urn;
};
struct UsageInfo {
  static constexpr std::string_view canonical_name = "com.vmware.content.library.usages.info";
  std::string usage;
  std::string resource_urn;
  base::Time addition_time;
};
struct UsageSummary {
  static constexpr std::string_view canonical_name = "com.vmware.content.library.usages.summary";
  std::string usage;
  std::string resource_urn;
};
struct UsageListResult {
  static constexpr std::string_view canonical_name = "com.vmware.content.library.usages.list_result";
  std::vector<UsageSummary> library_usage_list;
};
struct UsageListInput {
  static constexpr std::string_view canonical_name = operation_input;
  static constexpr std::array objects = {NamedObject{ObjectKind::library, "library"}};
  std::string library;
};
struct UsageAddInput {
  static constexpr std::string_view canonical_name = operation_input;
  static constexpr std::array objects = {NamedObject{ObjectKind::library, "library"}};
  std::string library;
  UsageAddSpec spec;
};
struct UsageIdInput {
  static constexpr std::string_view canonical_name = operation_input;
  static constexpr std::array objects = {NamedObject{ObjectKind::library, "library"}};
  std::string library;
  std::string usage;
};
BOOST_DESCRIBE_STRUCT(UsageAddSpec, (), (resource_urn))
BOOST_DESCRIBE_STRUCT(UsageInfo, (), (usage, resource_urn, addition_time))
BOOST_DESCRIBE_STRUCT(UsageSummary, (), (usage, resource_urn))
BOOST_DESCRIBE_STRUCT(UsageListResult, (), (library_usage_list))
BOOST_DESCRIBE_STRUCT(UsageListInput, (), (library))
BOOST_DESCRIBE_STRUCT(UsageAddInput, (), (library, spec))
BOOST_DESCRIBE_STRUCT(UsageIdInput, (), (library, usage))

namespace {

using base::ErrorKind;
using base::Result;
using content::LibraryId;
using content::Privilege;
using content::UsageId;
constexpr auto usages_service = "com.vmware.content.library.usages";

struct UsageList {
  using Input = UsageListInput;
  using Output = UsageListResult;
  static OperationFacts facts() {
    return {.service = usages_service,
            .name = "list",
            .method = "GET",
            .path = "/content/library/{library}/usages",
            .privilege = Privilege::System_Read,
            .errors = {ErrorKind::not_found},
            .summary = "What uses a library, in the order in which it was added.",
            .legacy_at_path = true};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input& input) {
    QUIRE_ASSIGN_OR_RETURN(const auto usages, services.usages.list(call.caller, LibraryId(input.library)));
    Output out;
    for (const auto& usage : usages) out.library_usage_list.push_back({usage.id.text(), usage.resource_urn});
    return out;
  }
};

struct UsageAdd {
  using Input = UsageAddInput;
  using Output = std::string;
  static OperationFacts facts() {
    return {.service = usages_service,
            .name = "add",
            .method = "POST",
            .path = "/content/library/{library}/usages",
            .privilege = Privilege::ContentLibrary_AddLibraryUsage,
            .errors = {ErrorKind::not_found, ErrorKind::invalid_argument, ErrorKind::already_exists},
            .summary = "Says that a resource uses a library, which then is deleted by force only.",
            .creates = resource::usage,
            .legacy_at_path = true};
  }
  static Result<std::string> run(service::Services& services, const CallContext& call, const Input& input) {
    return text_of(services.usages.add(call.caller, LibraryId(input.library), input.spec.resource_urn));
  }
};

struct UsageGet {
  using Input = UsageIdInput;
  using Output = UsageInfo;
  static OperationFacts facts() {
    return {.service = usages_service,
            .name = "get",
            .method = "GET",
            .path = "/content/library/{library}/usages/{usage}",
            .privilege = Privilege::System_Read,
            .errors = {ErrorKind::not_found},
            .summary = "A usage of a library.",
            .legacy_at_path = true};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input& input) {
    QUIRE_ASSIGN_OR_RETURN(const auto usage,
                           services.usages.get(call.caller, LibraryId(input.library), UsageId(input.usage)));
    return UsageInfo{usage.id.text(), usage.resource_urn, usage.added};
  }
};

struct UsageRemove {
  using Input = UsageIdInput;
  using Output = void;
  static OperationFacts facts() {
    return {.service = usages_service,
            .name = "remove",
            .method = "DELETE",
            .path = "/content/library/{library}/usages/{usage}",
            .status = 204,
            .privilege = Privilege::ContentLibrary_RemoveLibraryUsage,
            .errors = {ErrorKind::not_found},
            .summary = "Says that a resource no longer uses a library.",
            .legacy_at_path = true};
  }
  static Result<void> run(service::Services& services, const CallContext& call, const Input& input) {
    return services.usages.remove(call.caller, LibraryId(input.library), UsageId(input.usage));
  }
};

}  // namespace

void add_usage_operations(std::vector<Operation>& all) {
  all.push_back(bind<UsageList>());
  all.push_back(bind<UsageAdd>());
  all.push_back(bind<UsageGet>());
  all.push_back(bind<UsageRemove>());
}

}  // namespace quire::api
