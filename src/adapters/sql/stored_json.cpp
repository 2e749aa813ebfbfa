#include "adapters/sql/stored_json.h"

#include <algorithm>
#include <boost/json.hpp>
#include <cstdint>
#include <exception>
#include <optional>
#include <type_traits>
#include <variant>

#include "adapters/sql/enum_names.h"

namespace quire::adapters::sql {
namespace {

namespace json = boost::json;

// One pair of overloads for each kind of value; `read` throws what Boost.JSON throws when a member is missing or is
// something else.

json::value write(const std::string& text) { return json::value(text); }
json::value write(const content::SourceUrl& url) { return json::value(url.text()); }
json::value write(std::int64_t number) { return json::value(number); }
template <class Enum>
  requires std::is_enum_v<Enum>
json::value write(Enum value) {
  return json::value(stored_name(value));
}
json::value write(const base::MessageParam& param);
json::value write(const base::Message& message);
json::value write(const base::Checksum& checksum);
json::value write(const content::WarningBehavior& behavior);
json::value write(const content::ExpectedFile& file);
json::value write(const content::ByteRange& range);
json::value write(const content::ManifestFacts::Entry& entry);
json::value write(const content::LibraryId& id);
json::value write(const content::PrivilegeSet& privileges);
json::value write(const base::Time& time);
json::value write(const content::SourceInfo& source);
json::value write(const content::SyncWindow& window);
template <class T>
json::value write(const std::vector<T>& all) {
  json::array array;
  for (const auto& one : all) array.push_back(write(one));
  return array;
}
template <class T>
json::value write(const std::optional<T>& value) {
  return value ? write(*value) : json::value(nullptr);
}

void read(const json::value& from, std::string& text) { text = json::value_to<std::string>(from); }
void read(const json::value& from, content::SourceUrl& url) { url = json::value_to<std::string>(from); }
void read(const json::value& from, bool& flag) { flag = from.as_bool(); }
void read(const json::value& from, std::int64_t& number) { number = json::value_to<std::int64_t>(from); }
template <class Enum>
  requires std::is_enum_v<Enum>
void read(const json::value& from, Enum& value) {
  const auto& text = from.as_string();
  value = enumerator_of<Enum>(std::string_view(text.data(), text.size()));
}
void read(const json::value& from, base::MessageParam& param);
void read(const json::value& from, base::Message& message);
void read(const json::value& from, base::Checksum& checksum);
void read(const json::value& from, content::StorageBacking& backing);
void read(const json::value& from, content::WarningBehavior& behavior);
void read(const json::value& from, content::ExpectedFile& file);
void read(const json::value& from, content::ByteRange& range);
void read(const json::value& from, content::ManifestFacts::Entry& entry);
void read(const json::value& from, content::LibraryId& id);
void read(const json::value& from, content::PrivilegeSet& privileges);
void read(const json::value& from, base::Time& time);
void read(const json::value& from, content::SourceInfo& source);
void read(const json::value& from, content::SyncWindow& window);
template <class T>
void read(const json::value& from, std::vector<T>& all) {
  all.clear();
  for (const auto& one : from.as_array()) read(one, all.emplace_back());
}
template <class T>
void read(const json::value& from, std::optional<T>& value) {
  value.reset();
  if (!from.is_null()) read(from, value.emplace());
}
template <class T>
void read_member(const json::value& from, std::string_view name, T& value) {
  read(from.as_object().at(json::string_view(name.data(), name.size())), value);
}

json::value write(const base::MessageParam& param) {
  json::object object{{"name", param.name}};
  if (const auto* number = std::get_if<std::int64_t>(&param.value)) {
    object["number"] = *number;
  } else if (const auto* time = std::get_if<base::Time>(&param.value)) {
    object["time"] = time->time_since_epoch().count();
  } else {
    object["text"] = std::get<std::string>(param.value);
  }
  return object;
}
void read(const json::value& from, base::MessageParam& param) {
  read_member(from, "name", param.name);
  const auto& object = from.as_object();
  if (object.contains("number")) {
    read_member(from, "number", param.value.emplace<std::int64_t>());
  } else if (object.contains("time")) {
    std::int64_t milliseconds = 0;
    read_member(from, "time", milliseconds);
    param.value = base::Time(base::Duration(milliseconds));
  } else {
    read_member(from, "text", param.value.emplace<std::string>());
  }
}

json::value write(const base::Message& message) {
  return {{"id", message.id}, {"default_message", message.default_message}, {"params", write(message.params)}};
}
void read(const json::value& from, base::Message& message) {
  read_member(from, "id", message.id);
  read_member(from, "default_message", message.default_message);
  read_member(from, "params", message.params);
}

json::value write(const base::Checksum& checksum) {
  return {{"algorithm", write(checksum.algorithm)}, {"hex", checksum.hex}};
}
void read(const json::value& from, base::Checksum& checksum) {
  read_member(from, "algorithm", checksum.algorithm);
  read_member(from, "hex", checksum.hex);
}

json::value write(const content::StorageBacking& backing) {
  return {{"type", write(backing.type)},
          {"datastore_id", write(backing.datastore_id)},
          {"storage_uri", write(backing.storage_uri)}};
}
void read(const json::value& from, content::StorageBacking& backing) {
  read_member(from, "type", backing.type);
  read_member(from, "datastore_id", backing.datastore_id);
  read_member(from, "storage_uri", backing.storage_uri);
}

json::value write(const content::Migration& migration) {
  return {{"backing", write(migration.backing)}, {"storage", migration.storage.text()}};
}
void read(const json::value& from, content::Migration& migration) {
  read_member(from, "backing", migration.backing);
  std::string storage;
  read_member(from, "storage", storage);
  migration.storage = content::StorageId(storage);
}

json::value write(const content::CertificateVerification& verification) {
  return {{"status", write(verification.status)},
          {"cert_chain", write(verification.cert_chain)},
          {"covers_all", verification.covers_all}};
}
void read(const json::value& from, content::CertificateVerification& verification) {
  read_member(from, "status", verification.status);
  read_member(from, "cert_chain", verification.cert_chain);
  if (from.as_object().contains("covers_all"))
    read_member(from, "covers_all", verification.covers_all);
  else  // written by an older version
    verification.covers_all = verification.status == content::CertVerificationStatus::VERIFIED;
}

json::value write(const content::WarningBehavior& behavior) {
  return {{"type", write(behavior.type)}, {"ignored", behavior.ignored}};
}
void read(const json::value& from, content::WarningBehavior& behavior) {
  read_member(from, "type", behavior.type);
  read_member(from, "ignored", behavior.ignored);
}

json::value write(const content::SourceEndpoint& endpoint) {
  return {{"uri", write(endpoint.uri)},
          {"ssl_certificate_thumbprint", write(endpoint.ssl_certificate_thumbprint)},
          {"ssl_certificate", write(endpoint.ssl_certificate)},
          {"read_from", write(endpoint.read_from)},
          {"alternatives", write(endpoint.alternatives)}};
}
void read(const json::value& from, content::SourceEndpoint& endpoint) {
  read_member(from, "uri", endpoint.uri);
  read_member(from, "ssl_certificate_thumbprint", endpoint.ssl_certificate_thumbprint);
  read_member(from, "ssl_certificate", endpoint.ssl_certificate);
  if (!from.as_object().contains("read_from")) return;  // written by an older version
  read_member(from, "read_from", endpoint.read_from);
  read_member(from, "alternatives", endpoint.alternatives);
}

json::value write(const content::ExpectedFile& file) { return {{"name", file.name}, {"size", write(file.size)}}; }
void read(const json::value& from, content::ExpectedFile& file) {
  read_member(from, "name", file.name);
  read_member(from, "size", file.size);
}

json::value write(const content::ManifestFacts::Entry& entry) {
  return {{"name", entry.name}, {"checksum", write(entry.checksum)}};
}
void read(const json::value& from, content::ManifestFacts::Entry& entry) {
  read_member(from, "name", entry.name);
  read_member(from, "checksum", entry.checksum);
}

json::value write(const content::ByteRange& range) { return {{"first", range.first}, {"end", range.end}}; }
void read(const json::value& from, content::ByteRange& range) {
  read_member(from, "first", range.first);
  read_member(from, "end", range.end);
}

json::value write(const content::UnfinishedContent& content) {
  return {{"blob", content.blob.text()},
          {"storage", content.storage.text()},
          {"received", write(content.received.ranges())},
          {"length", write(content.length)}};
}
void read(const json::value& from, content::UnfinishedContent& content) {
  std::string blob;
  std::string storage;
  std::vector<content::ByteRange> received;
  read_member(from, "blob", blob);
  read_member(from, "storage", storage);
  read_member(from, "received", received);
  read_member(from, "length", content.length);
  content.blob = content::BlobId(std::move(blob));
  content.storage = content::StorageId(std::move(storage));
  content.received = {};
  for (const auto& range : received) content.received.add(range);
}

json::value write(const content::TaskError& error) {
  return {{"kind", base::name_of(error.kind)}, {"messages", write(error.messages)}};
}
void read(const json::value& from, content::TaskError& error) {
  std::string kind;
  read_member(from, "kind", kind);
  const auto& kinds = base::all_error_kinds();
  const auto found = std::ranges::find(kinds, kind, [](base::ErrorKind one) { return base::name_of(one); });
  if (found == kinds.end()) fail_corrupt("an error of kind '" + kind + "'");
  error.kind = *found;
  read_member(from, "messages", error.messages);
}

json::value write(const content::LibraryId& id) { return json::value(id.text()); }
void read(const json::value& from, content::LibraryId& id) {
  id = content::LibraryId(json::value_to<std::string>(from));
}
json::value write(const content::PrivilegeSet& privileges) { return write(privileges.list()); }
void read(const json::value& from, content::PrivilegeSet& privileges) {
  std::vector<content::Privilege> listed;
  read(from, listed);
  privileges = {};
  for (const auto privilege : listed) privileges.add(privilege);
}
json::value write(const base::Time& time) { return json::value(time.time_since_epoch().count()); }
void read(const json::value& from, base::Time& time) {
  time = base::Time(base::Duration(json::value_to<std::int64_t>(from)));
}

json::value write(const content::ApiTokenScope& scope) {
  return {{"name", scope.name},
          {"privileges", write(scope.privileges)},
          {"libraries", write(scope.libraries)},
          {"expires", write(scope.expires)}};
}
void read(const json::value& from, content::ApiTokenScope& scope) {
  read_member(from, "name", scope.name);
  read_member(from, "privileges", scope.privileges);
  read_member(from, "libraries", scope.libraries);
  read_member(from, "expires", scope.expires);
}

json::value write(const content::SourceInfo& source) {
  return {{"source_library", source.source_library}, {"subscription", source.subscription}};
}
void read(const json::value& from, content::SourceInfo& source) {
  read_member(from, "source_library", source.source_library);
  read_member(from, "subscription", source.subscription);
}

json::value write(const content::SyncWindow& window) {
  return {{"start_hour", window.start_hour}, {"stop_hour", window.stop_hour}};
}
void read(const json::value& from, content::SyncWindow& window) {
  read_member(from, "start_hour", window.start_hour);
  read_member(from, "stop_hour", window.stop_hour);
}

json::value write(const content::Subscription& subscription) {
  return {{"url", write(subscription.url)},
          {"authentication_method", write(subscription.authentication_method)},
          {"user_name", write(subscription.user_name)},
          {"password", subscription.password},
          {"ssl_thumbprint", write(subscription.ssl_thumbprint)},
          {"ssl_certificate", write(subscription.ssl_certificate)},
          {"automatic_sync_enabled", subscription.automatic_sync_enabled},
          {"on_demand", subscription.on_demand},
          {"source_info", write(subscription.source_info)},
          {"bytes_per_second_max", subscription.bytes_per_second_max},
          {"window", write(subscription.window)},
          {"publisher", subscription.publisher},
          {"version", write(subscription.version)},
          {"last_sync_time", write(subscription.last_sync_time)},
          {"last_success_time", write(subscription.last_success_time)},
          {"next_sync_time", write(subscription.next_sync_time)},
          {"failures", subscription.failures},
          {"problem", write(subscription.problem)}};
}
void read(const json::value& from, content::Subscription& subscription) {
  read_member(from, "url", subscription.url);
  read_member(from, "authentication_method", subscription.authentication_method);
  read_member(from, "user_name", subscription.user_name);
  read_member(from, "password", subscription.password);
  read_member(from, "ssl_thumbprint", subscription.ssl_thumbprint);
  read_member(from, "ssl_certificate", subscription.ssl_certificate);
  read_member(from, "automatic_sync_enabled", subscription.automatic_sync_enabled);
  read_member(from, "on_demand", subscription.on_demand);
  read_member(from, "source_info", subscription.source_info);
  read_member(from, "bytes_per_second_max", subscription.bytes_per_second_max);
  read_member(from, "window", subscription.window);
  read_member(from, "publisher", subscription.publisher);
  read_member(from, "version", subscription.version);
  read_member(from, "last_sync_time", subscription.last_sync_time);
  read_member(from, "last_success_time", subscription.last_success_time);
  read_member(from, "next_sync_time", subscription.next_sync_time);
  read_member(from, "failures", subscription.failures);
  read_member(from, "problem", subscription.problem);
}

json::value write(const content::SubscriberServer& server) {
  return {{"hostname", server.hostname}, {"https_port", write(server.https_port)}, {"server_guid", server.server_guid}};
}
void read(const json::value& from, content::SubscriberServer& server) {
  read_member(from, "hostname", server.hostname);
  read_member(from, "https_port", server.https_port);
  read_member(from, "server_guid", server.server_guid);
}

json::value write(const content::SubscriptionPlacement& placement) {
  return {{"folder", write(placement.folder)},
          {"cluster", write(placement.cluster)},
          {"resource_pool", write(placement.resource_pool)},
          {"host", write(placement.host)},
          {"network", write(placement.network)}};
}
void read(const json::value& from, content::SubscriptionPlacement& placement) {
  read_member(from, "folder", placement.folder);
  read_member(from, "cluster", placement.cluster);
  read_member(from, "resource_pool", placement.resource_pool);
  read_member(from, "host", placement.host);
  read_member(from, "network", placement.network);
}

json::value write(const content::PackageFacts& facts) {
  struct Writer {
    json::value operator()(std::monostate) const { return nullptr; }
    json::value operator()(const content::DescriptorFacts& descriptor) const {
      return {{"kind", "descriptor"}, {"expected_files", write(descriptor.expected_files)}};
    }
    json::value operator()(const content::ManifestFacts& manifest) const {
      return {{"kind", "manifest"}, {"entries", write(manifest.entries)}};
    }
    json::value operator()(const content::SignatureFacts& signature) const {
      return {{"kind", "signature"},
              {"signature_valid", signature.signature_valid},
              {"subject", signature.subject},
              {"issuer", signature.issuer},
              {"self_signed", signature.self_signed},
              {"x509", signature.x509},
              {"cert_chain", write(signature.cert_chain)}};
    }
    json::value operator()(const content::UnreadableFacts& unreadable) const {
      return {{"kind", "unreadable"}, {"reason", write(unreadable.reason)}};
    }
  };
  return std::visit(Writer(), facts);
}
void read(const json::value& from, content::PackageFacts& facts) {
  facts = std::monostate();
  if (from.is_null()) return;
  std::string kind;
  read_member(from, "kind", kind);
  if (kind == "descriptor") {
    read_member(from, "expected_files", facts.emplace<content::DescriptorFacts>().expected_files);
  } else if (kind == "manifest") {
    read_member(from, "entries", facts.emplace<content::ManifestFacts>().entries);
  } else if (kind == "signature") {
    auto& signature = facts.emplace<content::SignatureFacts>();
    read_member(from, "signature_valid", signature.signature_valid);
    read_member(from, "subject", signature.subject);
    read_member(from, "issuer", signature.issuer);
    read_member(from, "self_signed", signature.self_signed);
    read_member(from, "x509", signature.x509);
    read_member(from, "cert_chain", signature.cert_chain);
  } else if (kind == "unreadable") {
    read_member(from, "reason", facts.emplace<content::UnreadableFacts>().reason);
  } else {
    fail_corrupt("package facts of kind '" + kind + "'");
  }
}

template <class T>
std::string text_of(const T& value) {
  return json::serialize(write(value));
}

template <class T>
void parse(std::string_view text, T& value) {
  json::parse_options options;
  options.allow_invalid_utf8 = true;  // texts of strangers (certificates, other servers) come back as they were
  try {
    read(json::parse(json::string_view(text.data(), text.size()), json::storage_ptr(), options), value);
  } catch (const content::CatalogFailure&) {
    throw;
  } catch (const std::exception& error) {
    // Without the text: it goes to the log, and a password may stand in it.
    fail_corrupt(std::string("JSON that is none of these values (") + error.what() + ")");
  }
}

}  // namespace

std::string to_json_text(const std::vector<std::string>& texts) { return text_of(texts); }
std::string to_json_text(const content::PrivilegeSet& privileges) { return text_of(privileges); }
std::string to_json_text(const base::Message& message) { return text_of(message); }
std::string to_json_text(const base::Checksum& checksum) { return text_of(checksum); }
std::string to_json_text(const std::vector<base::Checksum>& checksums) { return text_of(checksums); }
std::string to_json_text(const content::StorageBacking& backing) { return text_of(backing); }
std::string to_json_text(const content::CertificateVerification& verification) { return text_of(verification); }
std::string to_json_text(const std::vector<content::WarningBehavior>& behaviors) { return text_of(behaviors); }
std::string to_json_text(const content::SourceEndpoint& endpoint) { return text_of(endpoint); }
std::string to_json_text(const content::PackageFacts& facts) { return text_of(facts); }
std::string to_json_text(const content::UnfinishedContent& content) { return text_of(content); }
std::string to_json_text(const content::Migration& migration) { return text_of(migration); }
std::string to_json_text(const content::TaskError& error) { return text_of(error); }
std::string to_json_text(const content::ApiTokenScope& scope) { return text_of(scope); }
std::string to_json_text(const std::vector<content::EventKind>& kinds) { return text_of(kinds); }
std::string to_json_text(const content::Subscription& subscription) { return text_of(subscription); }
std::string to_json_text(const content::SubscriberServer& server) { return text_of(server); }
std::string to_json_text(const content::SubscriptionPlacement& placement) { return text_of(placement); }

void from_json_text(std::string_view text, std::vector<std::string>& texts) { parse(text, texts); }
void from_json_text(std::string_view text, content::PrivilegeSet& privileges) { parse(text, privileges); }
void from_json_text(std::string_view text, base::Message& message) { parse(text, message); }
void from_json_text(std::string_view text, base::Checksum& checksum) { parse(text, checksum); }
void from_json_text(std::string_view text, std::vector<base::Checksum>& checksums) { parse(text, checksums); }
void from_json_text(std::string_view text, content::StorageBacking& backing) { parse(text, backing); }
void from_json_text(std::string_view text, content::CertificateVerification& verification) {
  parse(text, verification);
}
void from_json_text(std::string_view text, std::vector<content::WarningBehavior>& behaviors) { parse(text, behaviors); }
void from_json_text(std::string_view text, content::SourceEndpoint& endpoint) { parse(text, endpoint); }
void from_json_text(std::string_view text, content::PackageFacts& facts) { parse(text, facts); }
void from_json_text(std::string_view text, content::UnfinishedContent& content) { parse(text, content); }
void from_json_text(std::string_view text, content::Migration& migration) { parse(text, migration); }
void from_json_text(std::string_view text, content::TaskError& error) { parse(text, error); }
void from_json_text(std::string_view text, content::ApiTokenScope& scope) { parse(text, scope); }
void from_json_text(std::string_view text, std::vector<content::EventKind>& kinds) { parse(text, kinds); }
void from_json_text(std::string_view text, content::Subscription& subscription) { parse(text, subscription); }
void from_json_text(std::string_view text, content::SubscriberServer& server) { parse(text, server); }
void from_json_text(std::string_view text, content::SubscriptionPlacement& placement) { parse(text, placement); }

}  // namespace quire::adapters::sql
