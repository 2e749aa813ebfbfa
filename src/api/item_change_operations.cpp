#include "api/inputs.h"
#include "api/operations.h"
#include "api/structures_described.h"
#include "service/services.h"

/// The history of an item's content (content-library-api.md §19). Update sessions take no message, so there is none.
namespace quire::api {

struct ItemChangeListInput {
  static constexpr std::string_view canonical_name = operation_input;
  static constexpr std::array objects = {NamedObject{ObjectKind::library_item, "library_item"}};
  std::string library_item;
};
struct ItemChangeGetInput {
  static constexpr std::string_view canonical_name = operation_input;
  static constexpr std::array objects = {NamedObject{ObjectKind::library_item, "library_item"}};
  std::string library_item;
  std::string version;
};
BOOST_DESCRIBE_STRUCT(ItemChangeListInput, (), (library_item))
BOOST_DESCRIBE_STRUCT(ItemChangeGetInput, (), (library_item, version))

namespace {

using base::ErrorKind;
using base::Result;
using content::Privilege;
constexpr auto changes_service = "com.vmware.content.library.item.changes";

struct ItemChangeList {
  using Input = ItemChangeListInput;
  using Output = std::vector<ItemChangeSummary>;
  static OperationFacts facts() {
    return {.service = changes_service,
            .name = "list",
            .method = "GET",
            .path = "/content/library/item/{library_item}/changes",
            .privilege = Privilege::System_Read,
            .errors = {ErrorKind::not_found},
            .summary = "The history of an item's content, oldest change first.",
            .legacy_at_path = true};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input& input) {
    QUIRE_ASSIGN_OR_RETURN(const auto changes,
                           services.items.changes(call.caller, content::ItemId(input.library_item)));
    Output out;
    for (const auto& change : changes)
      out.push_back({std::to_string(change.content_version), change.time, change.user, std::nullopt});
    return out;
  }
};

struct ItemChangeGet {
  using Input = ItemChangeGetInput;
  using Output = ItemChangeInfo;
  static OperationFacts facts() {
    return {.service = changes_service,
            .name = "get",
            .method = "GET",
            .path = "/content/library/item/{library_item}/changes/{version}",
            .privilege = Privilege::System_Read,
            .errors = {ErrorKind::not_found},
            .summary = "The change that made a content version of an item.",
            .legacy_at_path = true};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input& input) {
    QUIRE_ASSIGN_OR_RETURN(const auto change,
                           services.items.change(call.caller, content::ItemId(input.library_item), input.version));
    return ItemChangeInfo{change.time, change.user, std::nullopt};
  }
};

}  // namespace

void add_item_change_operations(std::vector<Operation>& all) {
  all.push_back(bind<ItemChangeList>());
  all.push_back(bind<ItemChangeGet>());
}

}  // namespace quire::api
