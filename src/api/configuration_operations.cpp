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
using content::Privilege;

/// A number of the service's, with where clients find it and its description.
struct NumberMember {
  std::optional<std::int64_t> service::ConfigurationModel::* stored;
  std::optional<std::int64_t> ConfigurationModel::* value;
  std::optional<ConfigurationSetting> ConfigurationModel::* setting;
};
#define QUIRE_NUMBER_MEMBER(name) \
  NumberMember { &service::ConfigurationModel::name, &ConfigurationModel::name, &ConfigurationModel::name##_setting }
constexpr std::array number_members = {
    QUIRE_NUMBER_MEMBER(automatic_sync_start_hour),
    QUIRE_NUMBER_MEMBER(automatic_sync_stop_hour),
    QUIRE_NUMBER_MEMBER(maximum_concurrent_item_syncs),
    QUIRE_NUMBER_MEMBER(automatic_sync_refresh_interval),
    QUIRE_NUMBER_MEMBER(automatic_sync_setting_refresh_interval),
    QUIRE_NUMBER_MEMBER(transfer_throttling_bandwidth_total),
    QUIRE_NUMBER_MEMBER(transfer_nfc_max_concurrent_transfers_per_host),
    QUIRE_NUMBER_MEMBER(priority_transfer_threads_pool_size),
    QUIRE_NUMBER_MEMBER(transfer_threads_pool_size),
};
#undef QUIRE_NUMBER_MEMBER

ConfigurationSetting setting_of(const service::ConfigurationNumber& number) {
  return {std::string(number.name),
          number.restart_needed,
          {{{"MIN_INCLUSIVE", std::to_string(number.least)}}, {{"MAX_INCLUSIVE", std::to_string(number.most)}}}};
}

struct ConfigurationGet {
  using Input = NoInput;
  using Output = ConfigurationModel;
  static OperationFacts facts() {
    return {.service = "com.vmware.content.configuration",
            .name = "get",
            .method = "GET",
            .path = "/content/configuration",
            .privilege = Privilege::ContentLibrary_GetConfiguration,
            .summary = "The service-wide settings."};
  }
  static Result<ConfigurationModel> run(service::Services& services, const CallContext& call, const Input&) {
    QUIRE_ASSIGN_OR_RETURN(const auto values, services.configuration.get(call.caller));
    ConfigurationModel model;
    model.automatic_sync_enabled = values.automatic_sync_enabled;
    model.automatic_sync_enabled_setting =
        ConfigurationSetting{"automatic_sync_enabled", false, {{{"ENUMERATION", "true"}}, {{"ENUMERATION", "false"}}}};
    for (const auto& row : number_members) {
      model.*row.value = values.*row.stored;
      for (const auto& number : service::configuration_numbers())
        if (number.member == row.stored) model.*row.setting = setting_of(number);
    }
    return model;
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
            .privilege = Privilege::ContentLibrary_UpdateConfiguration,
            .errors = {ErrorKind::invalid_argument},
            .summary = "Changes the settings that are given."};
  }
  static Result<void> run(service::Services& services, const CallContext& call, const Input& input) {
    service::ConfigurationModel values;
    values.automatic_sync_enabled = input.model.automatic_sync_enabled;
    for (const auto& row : number_members) values.*row.stored = input.model.*row.value;
    return services.configuration.update(call.caller, values);
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
            .privilege = Privilege::ContentLibrary_TypeIntrospection,
            .summary = "Item types that the server knows; any other type is a generic item."};
  }
  static Result<std::vector<ContentTypeInfo>> run(service::Services& services, const CallContext& call, const Input&) {
    QUIRE_RETURN_IF_ERROR(services.configuration.check_type_introspection(call.caller));
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
