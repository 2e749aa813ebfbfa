#include "api/library_model.h"

#include <algorithm>

namespace quire::api {
namespace {

PublishInfo publish_info(const content::Library& library, const std::string& base_url) {
  PublishInfo publish;
  publish.authentication_method = library.publish_authentication;
  publish.published = library.published;
  publish.persist_json_enabled = library.persist_json;
  if (!library.published) return publish;
  publish.publish_url = publish_url(base_url, library.id.text());
  publish.user_name = "vcsp";
  return publish;
}

SubscriptionInfo subscription_info(const content::Subscription& subscription) {
  SubscriptionInfo info;
  info.authentication_method = subscription.authentication_method;
  info.automatic_sync_enabled = subscription.automatic_sync_enabled;
  info.on_demand = subscription.on_demand;
  info.ssl_thumbprint = subscription.ssl_thumbprint;  // clients compare it with what they gave (§4.2)
  info.ssl_certificate = subscription.ssl_certificate;
  info.subscription_url = subscription.url.text();
  info.user_name = subscription.user_name;
  if (const auto& source = subscription.source_info)
    info.source_info = SourceInfo{source->source_library, source->subscription};
  return info;
}

LibraryModel to_api(const content::Library& library, const service::Services& services, const CallContext& call) {
  LibraryModel model;
  model.id = library.id.text();
  model.creation_time = library.creation_time;
  model.description = library.description;
  model.last_modified_time = library.last_modified_time;
  model.name = library.name;
  model.storage_backings.emplace().push_back(
      {library.backing.type, library.backing.datastore_id, library.backing.storage_uri});
  model.type = library.type;
  model.optimization_info = OptimizationInfo{library.optimize_remote_publishing};
  model.version = std::to_string(library.version);
  model.server_guid = services.server_guid;
  model.security_policy_id = library.security_policy_id;
  model.configuration_info = LibraryConfigurationInfo{library.usage_protects_items};
  model.state_info = StateInfo{library.state, std::nullopt};
  if (library.type == content::LibraryType::LOCAL)  // also when not published: Ansible reads it (§4.2)
    model.publish_info = publish_info(library, call.base_url);
  if (const auto& subscription = library.subscription) {
    model.last_sync_time = subscription->last_sync_time;
    model.subscription_info = subscription_info(*subscription);
  }
  return model;
}

std::optional<std::string> secret_text(const std::optional<Secret>& secret) {
  return secret ? std::optional(secret->text) : std::nullopt;
}

}  // namespace

std::string publish_url(const std::string& base_url, const std::string& library_id) {
  const auto authority = base_url.find("://");
  const auto host = authority == std::string::npos ? 0 : authority + 3;
  const bool has_port = base_url.find(':', std::max(host, base_url.find(']', host) + 1)) != std::string::npos;
  const std::string_view port = has_port ? "" : base_url.starts_with("https:") ? ":443" : ":80";
  return base_url + std::string(port) + "/cls/vcsp/lib/" + library_id + "/lib.json";
}

content::StorageBacking to_content(const StorageBacking& backing) {
  return {backing.type.value_or(content::StorageBackingType::DATASTORE), backing.datastore_id, backing.storage_uri};
}

std::vector<content::StorageBacking> to_content(const std::vector<StorageBacking>& backings) {
  std::vector<content::StorageBacking> all;
  for (const auto& backing : backings) all.push_back(to_content(backing));
  return all;
}

service::LibrarySpec to_spec(const LibraryModel& model) {
  service::LibrarySpec spec;
  spec.name = model.name;
  spec.description = model.description;
  spec.version = model.version;
  if (model.storage_backings) spec.storage_backings = to_content(*model.storage_backings);
  if (model.optimization_info) spec.optimize_remote_publishing = model.optimization_info->optimize_remote_publishing;
  spec.security_policy_id = model.security_policy_id;
  spec.unset_security_policy = model.unset_security_policy_id.value_or(false);
  if (model.configuration_info) spec.usage_protects_items = model.configuration_info->apply_library_usage_to_items;
  if (const auto& publish = model.publish_info)
    spec.publish = service::PublishSpec{publish->authentication_method,
                                        publish->published,
                                        publish->user_name,
                                        secret_text(publish->password),
                                        secret_text(publish->current_password),
                                        publish->persist_json_enabled};
  return spec;
}

service::SubscriptionSpec to_spec(const SubscriptionInfo& info) {
  service::SubscriptionSpec spec;
  spec.authentication_method = info.authentication_method;
  spec.automatic_sync_enabled = info.automatic_sync_enabled;
  spec.on_demand = info.on_demand;
  spec.subscription_url = info.subscription_url;
  spec.user_name = info.user_name;
  spec.password = secret_text(info.password);
  spec.ssl_thumbprint = info.ssl_thumbprint;
  spec.ssl_certificate = info.ssl_certificate;
  if (const auto& source = info.source_info)
    spec.source_info = content::SourceInfo{source->source_library.value_or(""), source->subscription.value_or("")};
  return spec;
}

std::optional<service::SubscriptionSpec> subscription_spec(const LibraryModel& model) {
  return model.subscription_info ? std::optional(to_spec(*model.subscription_info)) : std::nullopt;
}

base::Result<LibraryModel> model_of(const service::Services& services, const CallContext& call,
                                    const base::Result<content::Library>& library) {
  if (!library) return library.error();
  return to_api(*library, services, call);
}

}  // namespace quire::api
