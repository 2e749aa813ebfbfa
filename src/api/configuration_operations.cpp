#include "api/inputs.h"
#include "api/operations.h"
#include "api/structures_described.h"
#include "service/services.h"

namespace quire::api {

struct ConfigurationUpdateInput {
  static constexpr std::string_view canonical_name = operation_input;
  ConfigurationModel model;
};
BOOST_DESCRIBE_STRUCT(ConfigurationUpdateInput, (), (model))

namespace {

using base::ErrorKind;
using base::Result;

struct ConfigurationGet {
  using Input = NoInput;
  using Output = ConfigurationModel;
  static OperationFacts facts() {
    return {.service = "com.vmware.content.configuration",
            .name = "get",
            .method = "GET",
            .path = "/content/configuration",
            .privilege = "ContentLibrary.GetConfiguration",
            .summary = "The service-wide settings."};
  }
  static Result<ConfigurationModel> run(service::Services& services, const CallContext& call, const Input&) {
    const auto model = services.configuration.get(call.caller);
    if (!model) return model.error();
    return ConfigurationModel{model->automatic_sync_enabled, model->automatic_sync_start_hour,
                              model->automatic_sync_stop_hour, model->maximum_concurrent_item_syncs};
  }
};

struct ConfigurationUpdate {
  using Input = ConfigurationUpdateInput;
  using Output = void;
  static OperationFacts facts() {
    return {.service = "com.vmware.content.configuration",
            .name = "update",
            .method = "PATCH",
            .path = "/content/configuration",
            .status = 204,
            .privilege = "ContentLibrary.UpdateConfiguration",
            .errors = {ErrorKind::invalid_argument},
            .summary = "Changes the settings that are given."};
  }
  static Result<void> run(service::Services& services, const CallContext& call, const Input& input) {
    const auto& model = input.model;
    return services.configuration.update(
        call.caller, {model.automatic_sync_enabled, model.automatic_sync_start_hour, model.automatic_sync_stop_hour,
                      model.maximum_concurrent_item_syncs});
  }
};

struct ContentTypeList {
  using Input = NoInput;
  using Output = std::vector<ContentTypeInfo>;
  static OperationFacts facts() {
    return {.service = "com.vmware.content.type",
            .name = "list",
            .method = "GET",
            .path = "/content/type",
            .privilege = "ContentLibrary.TypeIntrospection",
            .summary = "Item types that the server knows; any other type is a generic item."};
  }
  static Result<std::vector<ContentTypeInfo>> run(service::Services&, const CallContext&, const Input&) {
    return std::vector<ContentTypeInfo>{
        {"Open Virtualization Format package: a descriptor with its disks", "OVF package", "ovf", "Quire", "1"},
        {"Image of an optical disc", "ISO image", "iso", "Quire", "1"}};
  }
};

}  // namespace

void add_configuration_operations(std::vector<Operation>& all) {
  all.push_back(bind<ConfigurationGet>());
  all.push_back(bind<ConfigurationUpdate>());
  all.push_back(bind<ContentTypeList>());
}

}  // namespace quire::api
