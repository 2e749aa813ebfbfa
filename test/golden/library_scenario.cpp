#include "golden/library_scenario.h"

#include <fstream>
#include <sstream>
#include <stdexcept>

#include "support/tar_writer.h"

namespace quire::golden {
namespace {

namespace json = boost::json;
using json::object;

constexpr auto administrator = "administrator@vsphere.local";
constexpr auto somebody = "somebody@vsphere.local";
constexpr auto unknown_id = "nonsense";
constexpr auto client_token = "77777777-0000-4000-8000-000000000001";
constexpr std::string_view iso_bytes = "the bytes of an image";

std::string text(const json::value& value) { return std::string(value.as_string()); }

std::string file_in_package(const std::string& name) {
  std::ifstream in(std::string(QUIRE_GOLDEN_FOLDER) + "/package/" + name, std::ios::binary);
  if (!in) throw std::runtime_error("the golden package has no file " + name);
  std::ostringstream bytes;
  bytes << in.rdbuf();
  return bytes.str();
}

std::string sha256_of(std::string_view bytes) {
  return base::digest_of(base::DigestAlgorithm::SHA256, std::as_bytes(std::span(bytes))).hex;
}

object checksum(std::string_view algorithm, std::string_view hex) {
  return {{"algorithm", algorithm}, {"checksum", hex}};
}

/// The scenario's cast, by the names that it gives them.
struct Walk {
  Client& client;
  std::string admin_token{};
  std::string other_token{};
  std::string images{};   ///< library on the default storage
  std::string archive{};  ///< library on the second storage
  GoldenServer::Subscribed subscribed{};
  std::string ubuntu{};  ///< item of type iso
  std::string tiny{};    ///< item of type ovf

  // --- shorthands ---

  json::value done(std::string_view operation, object input = {}, std::string_view remark = "") const {
    return client.done(operation, std::move(input), remark);
  }
  void refused(std::string_view error_type, std::string_view operation, object input = {},
               std::string_view remark = "") const {
    client.refused(error_type, operation, std::move(input), remark);
  }
  void section(std::string_view title) const { client.transcript().heading(title); }

  std::string new_item(std::string_view name, std::string_view type) const {
    return text(done("content.library.item.create",
                     {{"create_spec", object{{"library_id", images}, {"name", name}, {"type", type}}}}));
  }
  std::string new_session(const std::string& item, std::string_view remark = "") const {
    return text(done("content.library.item.update_session.create", {{"create_spec", object{{"library_item_id", item}}}},
                     remark));
  }
  json::value session(const std::string& id, std::string_view remark = "") const {
    return done("content.library.item.update_session.get", {{"update_session_id", id}}, remark);
  }
  /// Adds a file to be pushed; its endpoint.
  std::string add(const std::string& id, object spec, std::string_view remark = "") const {
    spec.emplace("source_type", "PUSH");
    const auto info = done("content.library.item.updatesession.file.add",
                           {{"update_session_id", id}, {"file_spec", std::move(spec)}}, remark);
    return text(info.at("upload_endpoint").at("uri"));
  }
  void push(const std::string& id, const std::string& name, std::string_view bytes) const {
    client.upload(add(id, {{"name", name}, {"size", bytes.size()}}), bytes);
  }
  void complete(const std::string& id) const {
    done("content.library.item.update_session.complete", {{"update_session_id", id}});
  }
  void remove_session(const std::string& id) const {
    done("content.library.item.update_session.delete", {{"update_session_id", id}});
  }
  json::value file(const std::string& id, std::string_view name, std::string_view remark = "") const {
    return done("content.library.item.updatesession.file.get", {{"update_session_id", id}, {"file_name", name}},
                remark);
  }

  // --- the scenes, in order ---

  void logins() {
    section("Logins");
    client.authenticate_once(administrator, "wrong");
    refused("UNAUTHENTICATED", "cis.session.create", {}, "wrong password");
    refused("UNAUTHENTICATED", "cis.session.create", {}, "no credentials");
    refused("UNAUTHENTICATED", "cis.session.get", {}, "no session");
    client.use("00000000000000000000000000009999");
    refused("UNAUTHENTICATED", "cis.session.get", {}, "unknown session");
    refused("UNAUTHENTICATED", "content.library.list", {}, "unknown session");
    client.use(std::nullopt);

    client.authenticate_once(somebody, "secret");
    client.use(text(done("cis.session.create")));
    done("cis.session.get");
    done("cis.session.delete");
    refused("UNAUTHENTICATED", "cis.session.get", {}, "after its end");
    client.use(std::nullopt);

    client.authenticate_once(somebody, "secret");
    other_token = text(done("cis.session.create"));
    client.server().limits().logins_max = 1;
    client.authenticate_once(administrator, "secret");
    refused("SERVICE_UNAVAILABLE", "cis.session.create", {}, "too many sessions");
    client.server().limits().logins_max = content::Limits().logins_max;
    client.authenticate_once(administrator, "secret");
    admin_token = text(done("cis.session.create"));
    client.use(admin_token);
    done("cis.session.get");
  }

  void configuration() const {
    section("Configuration and item types");
    done("content.configuration.get");
    done("content.configuration.update",
         {{"model", object{{"automatic_sync_enabled", false}, {"automatic_sync_start_hour", 22}}}});
    done("content.configuration.get", {}, "two members changed");
    refused("INVALID_ARGUMENT", "content.configuration.update", {{"model", object{{"automatic_sync_stop_hour", 24}}}});
    for (const auto* member : {"automatic_sync_refresh_interval", "automatic_sync_setting_refresh_interval",
                               "transfer_nfc_max_concurrent_transfers_per_host", "transfer_threads_pool_size"})
      refused("INVALID_ARGUMENT", "content.configuration.update", {{"model", object{{member, 0}}}});
    const auto model = done("content.configuration.get");
    done("content.configuration.update", {{"model", model}}, "the whole model sent back");
    refused("INVALID_ARGUMENT", "content.configuration.update", {}, "without a model");
    done("content.type.list");
  }

  /// Of a library that ends as it began, but for its version.
  void publish() const {
    const auto update = [&](const object& publish_info) {
      return object{{"library_id", archive}, {"update_spec", object{{"publish_info", publish_info}}}};
    };
    done("content.local_library.update",
         update({{"authentication_method", "BASIC"}, {"published", true}, {"password", "for subscribers"}}),
         "published with a password");
    done("content.local_library.get", {{"library_id", archive}}, "published");
    refused("INVALID_ARGUMENT", "content.local_library.update", update({{"published", false}}),
            "no longer published, without the present password");
    refused("INVALID_ARGUMENT", "content.local_library.update",
            update({{"password", "another"}, {"current_password", "a guess"}}),
            "another password, with a wrong present one");
    refused("INVALID_ARGUMENT", "content.local_library.update", update({{"user_name", "somebody"}}),
            "another user name");
    done("content.local_library.update",
         update({{"authentication_method", "NONE"}, {"published", false}, {"current_password", "for subscribers"}}),
         "no longer published");
  }

  void libraries() {
    section("Libraries");
    done("content.library.list", {}, "none");
    const object spec{
        {"name", "images"},
        {"description", "Golden images"},
        {"type", "LOCAL"},
        {"storage_backings", json::array{object{{"type", "DATASTORE"}, {"datastore_id", "datastore-11"}}}}};
    images = text(done("content.local_library.create", {{"client_token", client_token}, {"create_spec", spec}},
                       "on a datastore"));
    done("content.local_library.create", {{"client_token", client_token}, {"create_spec", spec}},
         "the same client_token again");
    refused("INVALID_ARGUMENT", "content.local_library.create",
            {{"client_token", client_token}, {"create_spec", object{{"name", "other"}}}},
            "the same client_token for another spec");
    archive = text(done(
        "content.local_library.create",
        {{"create_spec",
          object{{"name", "Archive"},
                 {"optimization_info", object{{"optimize_remote_publishing", true}}},
                 {"storage_backings",
                  json::array{object{{"type", "OTHER"}, {"storage_uri", "file:///srv/quire/LocalDS_2/archive"}}}}}}},
        "on other storage"));
    const auto scratch =
        text(done("content.local_library.create", {{"create_spec", object{{"name", "scratch"}}}}, "on any storage"));
    refused("INVALID_ARGUMENT", "content.local_library.create", {{"create_spec", object{}}}, "without a name");
    refused("INVALID_ARGUMENT", "content.local_library.create",
            {{"create_spec", object{{"name", std::string(81, 'x')}}}}, "name too long");
    refused("INVALID_ARGUMENT", "content.local_library.create",
            {{"client_token", "no uuid"}, {"create_spec", object{{"name", "x"}}}}, "bad client_token");
    refused("INVALID_ARGUMENT", "content.local_library.create",
            {{"create_spec",
              object{{"name", "x"},
                     {"storage_backings", json::array{object{{"type", "DATASTORE"}, {"datastore_id", "nowhere"}}}}}}},
            "unknown datastore");
    refused("UNSUPPORTED", "content.local_library.create",
            {{"create_spec", object{{"name", "x"},
                                    {"storage_backings",
                                     json::array{object{{"type", "DATASTORE"}, {"datastore_id", "datastore-11"}},
                                                 object{{"type", "DATASTORE"}, {"datastore_id", "datastore-12"}}}}}}},
            "two storage backings");
    refused(
        "INVALID_ARGUMENT", "content.local_library.create",
        {{"create_spec",
          object{{"name", "x"}, {"publish_info", object{{"authentication_method", "BASIC"}, {"published", true}}}}}},
        "published without a password");
    done("content.local_library.update",
         {{"library_id", archive},
          {"update_spec",
           object{{"publish_info",
                   object{{"authentication_method", "NONE"}, {"published", false}, {"persist_json_enabled", true}}}}}},
         "persisted JSON");
    subscribed = client.server().add_subscribed_library();

    done("content.library.list");
    done("content.local_library.list");
    done("content.subscribed_library.list");
    done("content.subscribed_library.get", {{"library_id", subscribed.library}});
    done("content.library.get", {{"library_id", images}});
    done("content.library.get", {{"library_id", subscribed.library}}, "subscribed");
    done("content.local_library.get", {{"library_id", archive}});
    done("content.library.find", {{"spec", object{{"name", "IMAGES"}}}}, "by name");
    done("content.library.find", {{"spec", object{{"name", "mirror"}, {"type", "SUBSCRIBED"}}}}, "by name and type");
    done("content.library.find", {{"spec", object{{"name", "nothing of that name"}}}}, "nothing found");
    refused("INVALID_ARGUMENT", "content.library.find", {{"spec", object{}}}, "nothing asked for");
    refused("INVALID_ARGUMENT", "content.library.find", {{"spec", object{{"type", "REMOTE"}}}}, "no such type");

    done("content.library.update", {{"library_id", images}, {"update_spec", object{{"description", ""}}}});
    done("content.local_library.update",
         {{"library_id", images}, {"update_spec", object{{"description", "Images"}, {"version", "3"}}}},
         "of the current version");
    const auto model = done("content.library.get", {{"library_id", images}}, "changed twice");
    done("content.library.update", {{"library_id", images}, {"update_spec", model}}, "the whole model sent back");
    done("content.local_library.update", {{"library_id", images}, {"update_spec", model}}, "the whole model sent back");
    refused("INVALID_ARGUMENT", "content.library.update",
            {{"library_id", images}, {"update_spec", object{{"name", "x"}, {"version", "2"}}}}, "stale version");
    refused("CONCURRENT_CHANGE", "content.local_library.update",
            {{"library_id", images}, {"update_spec", object{{"name", "x"}, {"version", "2"}}}}, "stale version");
    refused("INVALID_ARGUMENT", "content.library.update",
            {{"library_id", images}, {"update_spec", object{{"name", " "}}}}, "blank name");
    publish();

    const object nowhere{{"library_id", unknown_id}};
    const object nowhere_with_spec{{"library_id", unknown_id}, {"update_spec", object{{"name", "x"}}}};
    refused("NOT_FOUND", "content.library.get", nowhere);
    refused("NOT_FOUND", "content.library.update", nowhere_with_spec);
    refused("NOT_FOUND", "content.local_library.get", nowhere);
    refused("NOT_FOUND", "content.subscribed_library.get", nowhere);
    refused("INVALID_ELEMENT_TYPE", "content.subscribed_library.get", {{"library_id", images}}, "local");
    refused("NOT_FOUND", "content.local_library.update", nowhere_with_spec);
    refused("NOT_FOUND", "content.local_library.delete", nowhere);
    const object mirror{{"library_id", subscribed.library}};
    refused("INVALID_ELEMENT_TYPE", "content.local_library.get", mirror, "subscribed");
    refused("INVALID_ELEMENT_TYPE", "content.local_library.update",
            {{"library_id", subscribed.library}, {"update_spec", object{{"name", "x"}}}}, "subscribed");
    refused("INVALID_ELEMENT_TYPE", "content.local_library.delete", mirror, "subscribed");
    done("content.local_library.delete", {{"library_id", scratch}});
    refused("NOT_FOUND", "content.local_library.get", {{"library_id", scratch}}, "deleted");
  }

  void items() {
    section("Items");
    done("content.library.item.list", {{"library_id", images}}, "none");
    const object spec{{"library_id", images}, {"name", "ubuntu"}, {"description", ""}, {"type", "iso"}};
    ubuntu = text(done("content.library.item.create", {{"client_token", client_token}, {"create_spec", spec}}));
    done("content.library.item.create", {{"client_token", client_token}, {"create_spec", spec}},
         "the same client_token again");
    refused("ALREADY_EXISTS", "content.library.item.create", {{"create_spec", spec}}, "name taken");
    refused("INVALID_ARGUMENT", "content.library.item.create", {{"client_token", "1"}, {"create_spec", spec}},
            "bad client_token");
    refused("INVALID_ARGUMENT", "content.library.item.create", {{"create_spec", object{{"library_id", images}}}},
            "without a name");
    refused("INVALID_ARGUMENT", "content.library.item.create", {{"create_spec", object{{"name", "x"}}}},
            "without a library");
    refused("NOT_FOUND", "content.library.item.create",
            {{"create_spec", object{{"library_id", unknown_id}, {"name", "x"}}}}, "unknown library");
    refused("INVALID_ELEMENT_TYPE", "content.library.item.create",
            {{"create_spec", object{{"library_id", subscribed.library}, {"name", "x"}}}}, "subscribed library");
    tiny = new_item("tiny", "ovf");

    done("content.library.item.list", {{"library_id", images}});
    refused("NOT_FOUND", "content.library.item.list", {{"library_id", unknown_id}});
    done("content.library.item.find", {{"spec", object{{"name", "UBUNTU"}, {"library_id", images}}}}, "by name");
    done("content.library.item.find", {{"spec", object{{"type", "Ovf"}, {"cached", true}}}}, "by type");
    done("content.library.item.find", {{"spec", object{{"source_id", "another server's item"}}}}, "by source");
    refused("INVALID_ARGUMENT", "content.library.item.find", {{"spec", object{}}}, "nothing asked for");
    done("content.library.item.get", {{"library_item_id", ubuntu}}, "without content");
    refused("NOT_FOUND", "content.library.item.get", {{"library_item_id", unknown_id}});

    done("content.library.item.update",
         {{"library_item_id", ubuntu}, {"update_spec", object{{"description", "24.04"}, {"version", "1"}}}});
    done("content.library.item.get", {{"library_item_id", ubuntu}}, "changed");
    refused("INVALID_ARGUMENT", "content.library.item.update",
            {{"library_item_id", ubuntu}, {"update_spec", object{{"description", "x"}, {"version", "1"}}}},
            "stale version");
    refused("ALREADY_EXISTS", "content.library.item.update",
            {{"library_item_id", ubuntu}, {"update_spec", object{{"name", "tiny"}}}}, "name taken");
    refused("INVALID_ARGUMENT", "content.library.item.update",
            {{"library_item_id", ubuntu}, {"update_spec", object{{"name", ""}}}}, "empty name");
    refused("NOT_FOUND", "content.library.item.update",
            {{"library_item_id", unknown_id}, {"update_spec", object{{"name", "x"}}}});
    done("content.library.item.file.list", {{"library_item_id", ubuntu}}, "without content");
    done("content.library.item.storage.list", {{"library_item_id", ubuntu}}, "without content");
  }

  void create_update_session_refused() const {
    const auto* operation = "content.library.item.update_session.create";
    refused("INVALID_ARGUMENT", operation, {{"create_spec", object{}}}, "without an item");
    refused("NOT_FOUND", operation, {{"create_spec", object{{"library_item_id", unknown_id}}}});
    refused("INVALID_ELEMENT_TYPE", operation, {{"create_spec", object{{"library_item_id", subscribed.item}}}},
            "item of a subscribed library");
    refused("INVALID_ARGUMENT", operation,
            {{"client_token", "1"}, {"create_spec", object{{"library_item_id", ubuntu}}}}, "bad client_token");
  }

  void add_file_refused(const std::string& id) const {
    const auto refuse = [&](std::string_view error_type, object spec, std::string_view remark) {
      refused(error_type, "content.library.item.updatesession.file.add",
              {{"update_session_id", id}, {"file_spec", std::move(spec)}}, remark);
    };
    refuse("INVALID_ARGUMENT", {{"name", "../x"}, {"source_type", "PUSH"}}, "bad name");
    refuse("INVALID_ARGUMENT", {{"name", "x"}, {"source_type", "NONE"}}, "source type NONE");
    refuse("INVALID_ARGUMENT", {{"name", "x"}, {"source_type", "PULL"}}, "PULL without source");
    refuse("INVALID_ARGUMENT",
           {{"name", "x"}, {"source_type", "PULL"}, {"source_endpoint", object{{"uri", "ftp://mirror.example/x"}}}},
           "PULL by another scheme");
    refuse("INVALID_ARGUMENT", {{"name", "x"}, {"source_type", "PUSH"}, {"checksum_info", checksum("SHA256", "12345")}},
           "bad checksum");
    refuse("INVALID_ARGUMENT",
           {{"name", "x"}, {"source_type", "PUSH"}, {"checksum_info", object{{"algorithm", "SHA1"}}}},
           "checksum missing");
    refuse("INVALID_ARGUMENT", {{"source_type", "PUSH"}}, "name missing");
    refuse("UNABLE_TO_ALLOCATE_RESOURCE", {{"name", "x"}, {"source_type", "PUSH"}, {"size", 500'000'000'000}},
           "no room");
    refused("NOT_FOUND", "content.library.item.updatesession.file.add",
            {{"update_session_id", unknown_id}, {"file_spec", object{{"name", "x"}, {"source_type", "PUSH"}}}});
  }

  void update_session() const {
    section("An update session on an image");
    create_update_session_refused();
    const object spec{{"client_token", "88888888-0000-4000-8000-000000000001"},
                      {"create_spec", object{{"library_item_id", ubuntu}, {"library_item_content_version", "1"}}}};
    const auto id = text(done("content.library.item.update_session.create", spec));
    const object with_id{{"update_session_id", id}};
    done("content.library.item.update_session.create", spec, "the same client_token again");
    refused("RESOURCE_BUSY", "content.library.item.update_session.create",
            {{"create_spec", object{{"library_item_id", ubuntu}}}}, "a second one");
    session(id, "no file yet");
    done("content.library.item.update_session.list", {{"library_item_id", ubuntu}}, "of one item");
    done("content.library.item.update_session.list");
    refused("NOT_FOUND", "content.library.item.update_session.list", {{"library_item_id", unknown_id}});

    client.use(other_token);
    done("content.library.item.update_session.list", {}, "of another user");
    refused("NOT_FOUND", "content.library.item.update_session.get", with_id, "of another user");
    client.use(admin_token);

    done("content.library.item.update_session.update",
         {{"update_session_id", id},
          {"update_spec",
           object{{"warning_behavior", json::array{object{{"type", "SELF_SIGNED_CERTIFICATE"}, {"ignored", true}}}}}}});
    refused("INVALID_ARGUMENT", "content.library.item.update_session.update",
            {{"update_session_id", id},
             {"update_spec",
              object{{"warning_behavior", json::array{object{{"type", "EXPIRED_CERTIFICATE"}, {"ignored", true}},
                                                      object{{"type", "EXPIRED_CERTIFICATE"}, {"ignored", true}}}}}}},
            "one type twice");
    done("content.library.item.update_session.keep_alive", with_id, "without progress");
    done("content.library.item.update_session.keep_alive", {{"update_session_id", id}, {"client_progress", 40}});
    refused("INVALID_ARGUMENT", "content.library.item.update_session.keep_alive",
            {{"update_session_id", id}, {"client_progress", 101}});

    add_file_refused(id);
    const auto iso = add(id, {{"name", "ubuntu.iso"},
                              {"size", iso_bytes.size()},
                              {"checksum_info", checksum("SHA256", sha256_of(iso_bytes))}});
    session(id, "warnings, progress and preview");
    refused("NOT_ALLOWED_IN_CURRENT_STATE", "content.library.item.updatesession.file.validate", with_id,
            "not received");
    refused("NOT_ALLOWED_IN_CURRENT_STATE", "content.library.item.update_session.complete", with_id, "not received");
    file(id, "ubuntu.iso", "waiting");
    client.upload_part(iso, iso_bytes.substr(0, 5));
    file(id, "ubuntu.iso", "five bytes have come");
    client.upload(iso, iso_bytes);
    file(id, "ubuntu.iso", "received");
    const auto notes = add(id, {{"name", "docs/read me.txt"}}, "a name that needs escapes");
    client.upload(notes, "notes");
    file(id, "docs/read me.txt");
    push(id, "unwanted", "bytes");
    done("content.library.item.updatesession.file.remove", {{"update_session_id", id}, {"file_name", "unwanted"}});
    refused("INVALID_ARGUMENT", "content.library.item.updatesession.file.remove",
            {{"update_session_id", id}, {"file_name", "unwanted"}}, "no such file any more");
    refused("INVALID_ARGUMENT", "content.library.item.updatesession.file.get",
            {{"update_session_id", id}, {"file_name", "unwanted"}}, "no such file any more");
    done("content.library.item.updatesession.file.list", with_id);
    refused("NOT_ALLOWED_IN_CURRENT_STATE", "content.library.item.update_session.delete", with_id, "while ACTIVE");
    done("content.library.item.updatesession.file.validate", with_id);
    done("content.library.item.file.list", {{"library_item_id", ubuntu}}, "nothing shows before complete");
    complete(id);
    session(id, "DONE");
    done("content.library.item.update_session.list", {{"library_item_id", ubuntu}}, "an ended one is still there");
    ended_session_refuses(id);
    client.upload(iso, iso_bytes);
    remove_session(id);
    unknown_session_refuses();
  }

  void ended_session_refuses(const std::string& id) const {
    const object with_id{{"update_session_id", id}};
    const std::string service = "content.library.item.update_session.";
    const std::string files = "content.library.item.updatesession.file.";
    done(files + "list", with_id, "of an ended session");
    done(files + "get", {{"update_session_id", id}, {"file_name", "ubuntu.iso"}}, "of an ended session");
    constexpr auto error = "NOT_ALLOWED_IN_CURRENT_STATE";
    refused(error, service + "update", {{"update_session_id", id}, {"update_spec", object{}}}, "DONE");
    refused(error, service + "complete", with_id, "DONE");
    refused(error, service + "keep_alive", with_id, "DONE");
    refused(error, service + "cancel", with_id, "DONE");
    refused(error, service + "fail", {{"update_session_id", id}, {"client_error_message", "x"}}, "DONE");
    refused(error, files + "add",
            {{"update_session_id", id}, {"file_spec", object{{"name", "x"}, {"source_type", "PUSH"}}}}, "DONE");
    refused(error, files + "remove", {{"update_session_id", id}, {"file_name", "ubuntu.iso"}}, "DONE");
    refused(error, files + "validate", with_id, "DONE");
  }

  void unknown_session_refuses() const {
    const object with_id{{"update_session_id", unknown_id}};
    const object with_name{{"update_session_id", unknown_id}, {"file_name", "x"}};
    const std::string service = "content.library.item.update_session.";
    const std::string files = "content.library.item.updatesession.file.";
    refused("NOT_FOUND", service + "get", with_id);
    refused("NOT_FOUND", service + "update", {{"update_session_id", unknown_id}, {"update_spec", object{}}});
    refused("NOT_FOUND", service + "complete", with_id);
    refused("NOT_FOUND", service + "keep_alive", with_id);
    refused("NOT_FOUND", service + "cancel", with_id);
    refused("NOT_FOUND", service + "fail", {{"update_session_id", unknown_id}, {"client_error_message", "x"}});
    refused("NOT_FOUND", service + "delete", with_id);
    refused("NOT_FOUND", files + "list", with_id);
    refused("NOT_FOUND", files + "get", with_name);
    refused("NOT_FOUND", files + "remove", with_name);
    refused("NOT_FOUND", files + "validate", with_id);
  }

  void content() const {
    section("An item's content");
    const object with_id{{"library_item_id", ubuntu}};
    done("content.library.item.get", with_id);
    done("content.library.item.file.list", with_id);
    done("content.library.item.file.get", {{"library_item_id", ubuntu}, {"name", "docs/read me.txt"}});
    refused("NOT_FOUND", "content.library.item.file.get", {{"library_item_id", ubuntu}, {"name", "x"}}, "unknown file");
    refused("NOT_FOUND", "content.library.item.file.get", {{"library_item_id", unknown_id}, {"name", "x"}});
    refused("NOT_FOUND", "content.library.item.file.list", {{"library_item_id", unknown_id}});
    done("content.library.item.storage.list", with_id);
    done("content.library.item.storage.get", {{"library_item_id", ubuntu}, {"file_name", "docs/read me.txt"}});
    refused("NOT_FOUND", "content.library.item.storage.get", {{"library_item_id", ubuntu}, {"file_name", "x"}},
            "unknown file");
    refused("NOT_FOUND", "content.library.item.storage.get", {{"library_item_id", unknown_id}, {"file_name", "x"}});
    refused("NOT_FOUND", "content.library.item.storage.list", {{"library_item_id", unknown_id}});

    section("A second update session: replace one file, remove the other");
    const auto id = new_session(ubuntu);
    done("content.library.item.updatesession.file.list", {{"update_session_id", id}}, "the snapshot");
    done("content.library.item.updatesession.file.remove",
         {{"update_session_id", id}, {"file_name", "docs/read me.txt"}});
    const auto endpoint = add(
        id,
        {{"name", "ubuntu.iso"}, {"size", 4}, {"checksum_info", checksum("MD5", "D41D8CD98F00B204E9800998ECF8427E")}},
        "with a digest in capitals");
    client.upload(add(id, {{"name", "ubuntu.iso"}}, "again: a new endpoint"), "newer image");
    client.upload(endpoint, "late");
    complete(id);
    done("content.library.item.get", with_id);
    done("content.library.item.file.list", with_id, "version 2");
    remove_session(id);

    section("A session without changes");
    const auto idle = new_session(ubuntu);
    complete(idle);
    done("content.library.item.get", with_id, "content_version as before");
    remove_session(idle);
  }

  void history() const {
    section("The history of an item");
    const std::string service = "content.library.item.changes.";
    done(service + "list", {{"library_item", ubuntu}});
    done(service + "get", {{"library_item", ubuntu}, {"version", "2"}});
    done(service + "list", {{"library_item", tiny}}, "none yet");
    refused("NOT_FOUND", service + "get", {{"library_item", ubuntu}, {"version", "1"}}, "it was made without content");
    refused("NOT_FOUND", service + "get", {{"library_item", ubuntu}, {"version", "two"}});
    refused("NOT_FOUND", service + "get", {{"library_item", unknown_id}, {"version", "2"}});
    refused("NOT_FOUND", service + "list", {{"library_item", unknown_id}});
  }

  void unhappy_endings() const {
    section("Update sessions that end otherwise");
    const auto canceled = new_session(ubuntu, "to be cancelled");
    push(canceled, "x.iso", "bytes");
    done("content.library.item.update_session.cancel", {{"update_session_id", canceled}});
    session(canceled, "CANCELED");
    done("content.library.item.updatesession.file.list", {{"update_session_id", canceled}}, "as it was at the end");
    remove_session(canceled);

    client.use(other_token);
    const auto foreign = new_session(ubuntu, "by another user");
    client.use(admin_token);
    refused("RESOURCE_BUSY", "content.library.item.update_session.create",
            {{"create_spec", object{{"library_item_id", ubuntu}}}}, "held by another user");
    session(foreign, "an administrator sees it");
    done("content.library.item.update_session.cancel", {{"update_session_id", foreign}}, "by an administrator");
    remove_session(foreign);

    const auto failed = new_session(ubuntu, "to be failed");
    done("content.library.item.update_session.fail",
         {{"update_session_id", failed}, {"client_error_message", "The disk was 100% wrong"}});
    session(failed, "ERROR by its client");
    remove_session(failed);

    const auto silent = new_session(ubuntu, "to be failed without a reason");
    if (client.is_rest())
      client.done_without_body("content.library.item.update_session.fail", {{"update_session_id", silent}});
    else
      done("content.library.item.update_session.fail", {{"update_session_id", silent}, {"client_error_message", ""}},
           "empty message");
    session(silent, "ERROR without a reason");
    remove_session(silent);

    const auto broken = new_session(ubuntu, "whose upload breaks a promise");
    client.upload(add(broken, {{"name", "x.iso"}, {"checksum_info", checksum("SHA256", std::string(64, '0'))}}),
                  "bytes");
    file(broken, "x.iso", "ERROR");
    session(broken, "ERROR");
    refused("NOT_ALLOWED_IN_CURRENT_STATE", "content.library.item.update_session.complete",
            {{"update_session_id", broken}}, "in ERROR");
    remove_session(broken);

    const auto expired = new_session(ubuntu, "to expire");
    client.server().clock().advance(std::chrono::minutes(7));
    refused("NOT_FOUND", "content.library.item.update_session.get", {{"update_session_id", expired}}, "expired");
    const auto next = new_session(ubuntu, "the item is free again");
    done("content.library.item.update_session.cancel", {{"update_session_id", next}});
    remove_session(next);
  }

  void pulls() const {
    section("Files that the server fetches");
    const std::string service = "content.library.item.update_session.";
    const std::string files = "content.library.item.updatesession.file.";
    const auto pull = [&](const std::string& id, std::string_view name, std::string_view uri) {
      return object{{"update_session_id", id},
                    {"file_spec", object{{"name", name},
                                         {"source_type", "PULL"},
                                         {"source_endpoint",
                                          object{{"uri", uri},
                                                 {"ssl_certificate_thumbprint",
                                                  "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33"}}}}}};
    };
    const auto id = new_session(ubuntu);
    const object with_id{{"update_session_id", id}};
    done(files + "add", pull(id, "pulled.iso", GoldenServer::pulled_uri));
    complete(id);
    session(id, "completing");
    refused("NOT_ALLOWED_IN_CURRENT_STATE", service + "complete", with_id, "completing");
    refused("NOT_ALLOWED_IN_CURRENT_STATE", files + "add", pull(id, "x", GoldenServer::pulled_uri), "completing");
    refused("NOT_ALLOWED_IN_CURRENT_STATE", files + "validate", with_id, "completing");
    done(service + "keep_alive", with_id, "completing");
    client.server().run_pulls();
    client.transcript().transfer("The server fetches what waits", "done");
    session(id, "DONE");
    file(id, "pulled.iso", "fetched");
    done("content.library.item.file.list", {{"library_item_id", ubuntu}});
    remove_session(id);

    const auto failed = new_session(ubuntu, "whose pull fails");
    done(files + "add", pull(failed, "x.iso", "https://user:secret@mirror.example/x.iso"), "with a password");
    client.server().run_pulls();
    client.transcript().transfer("The server fetches what waits", "nothing is there");
    file(failed, "x.iso", "ERROR");
    session(failed, "ERROR");
    refused("NOT_ALLOWED_IN_CURRENT_STATE", service + "complete", {{"update_session_id", failed}}, "in ERROR");
    remove_session(failed);
  }

  void packages() const {
    section("A signed OVF package");
    const auto id = new_session(tiny);
    const object with_id{{"update_session_id", id}};
    push(id, "tiny.mf", file_in_package("tiny.mf"));
    session(id, "preview PREPARING");
    push(id, "tiny.cert", file_in_package("tiny.cert"));
    push(id, "tiny.ovf", file_in_package("tiny.ovf"));
    session(id, "preview AVAILABLE with a warning");
    refused("NOT_ALLOWED_IN_CURRENT_STATE", "content.library.item.updatesession.file.add",
            {{"update_session_id", id}, {"file_spec", object{{"name", "late.mf"}, {"source_type", "PUSH"}}}},
            "manifest after descriptor");
    done("content.library.item.updatesession.file.validate", with_id, "the disk is missing");
    push(id, "tiny-disk1.vmdk", file_in_package("tiny-disk1.vmdk"));
    done("content.library.item.updatesession.file.validate", with_id, "all there");
    done("content.library.item.update_session.update",
         {{"update_session_id", id},
          {"update_spec",
           object{{"warning_behavior", json::array{object{{"type", "SELF_SIGNED_CERTIFICATE"}, {"ignored", true}}}}}}});
    const auto model_before = session(id, "the warning is ignored now");
    done("content.library.item.update_session.update", {{"update_session_id", id}, {"update_spec", model_before}},
         "the whole model sent back");
    done("content.library.item.updatesession.file.list", with_id);
    complete(id);
    remove_session(id);
    const auto model = done("content.library.item.get", {{"library_item_id", tiny}}, "signed, but by nobody known");
    done("content.library.item.update", {{"library_item_id", tiny}, {"update_spec", model}},
         "the whole model sent back");
    done("content.library.item.file.list", {{"library_item_id", tiny}}, "no manifest, no certificate");

    section("A warning that is not ignored");
    const auto warned_item = new_item("warned", "OVF");
    const auto warned = new_session(warned_item);
    for (const auto* name : {"tiny.mf", "tiny.cert", "tiny.ovf", "tiny-disk1.vmdk"})
      push(warned, name, file_in_package(name));
    refused("NOT_ALLOWED_IN_CURRENT_STATE", "content.library.item.update_session.complete",
            {{"update_session_id", warned}}, "warning not ignored");
    session(warned, "ERROR");
    remove_session(warned);

    section("An unsigned OVF package");
    const auto unsigned_item = new_item("unsigned", "ovf");
    const auto plain = new_session(unsigned_item);
    push(plain, "tiny.ovf", file_in_package("tiny.ovf"));
    session(plain, "preview AVAILABLE without warnings");
    refused("NOT_ALLOWED_IN_CURRENT_STATE", "content.library.item.update_session.complete",
            {{"update_session_id", plain}}, "the disk is missing");
    push(plain, "tiny-disk1.vmdk", "shorter than announced");
    done("content.library.item.updatesession.file.validate", {{"update_session_id", plain}}, "a disk of a wrong size");
    refused("NOT_ALLOWED_IN_CURRENT_STATE", "content.library.item.update_session.complete",
            {{"update_session_id", plain}}, "a disk of a wrong size");
    remove_session(plain);

    section("An OVA");
    const auto archived = new_session(unsigned_item);
    push(archived, "tiny.ova",
         test_support::TarWriter()
             .file("tiny.ovf", file_in_package("tiny.ovf"))
             .file("tiny-disk1.vmdk", file_in_package("tiny-disk1.vmdk"))
             .whole());
    session(archived, "preview AVAILABLE");
    done("content.library.item.updatesession.file.list", {{"update_session_id", archived}});
    complete(archived);
    done("content.library.item.file.list", {{"library_item_id", unsigned_item}}, "unpacked");
    remove_session(archived);
    const auto unreadable = new_session(unsigned_item);
    push(unreadable, "tiny.ova", std::string(2048, 'x'));
    session(unreadable, "ERROR");
    remove_session(unreadable);
  }

  void secure_library() const {
    section("Trusted certificates and a security policy");
    const auto signed_by = file_in_package("tiny.cert");
    const auto pem = signed_by.substr(signed_by.find("-----BEGIN"));
    const std::string trust = "content.trusted_certificates.";
    done(trust + "list", {}, "none");
    const auto policy = text(done("content.security_policies.list").as_array().at(0).at("policy"));
    const auto status = [&](std::string_view remark) {
      done("content.library.item.get", {{"library_item_id", tiny}}, remark);
    };
    const auto certificate = text(done(trust + "create", {{"spec", object{{"cert_text", pem}}}}));
    done(trust + "create", {{"spec", object{{"cert_text", pem}}}}, "is there already");
    refused("INVALID_ARGUMENT", trust + "create", {{"spec", object{{"cert_text", "no certificate"}}}});
    refused("INVALID_ARGUMENT", trust + "create", {{"spec", object{{"cert_text", pem + pem}}}}, "two");
    done(trust + "list");
    done(trust + "get", {{"certificate", certificate}});
    refused("NOT_FOUND", trust + "get", {{"certificate", unknown_id}});
    refused("NOT_FOUND", trust + "delete", {{"certificate", unknown_id}});
    status("its signature is trusted now");

    const object secure{{"security_policy_id", policy}};
    refused("INVALID_ARGUMENT", "content.local_library.create",
            {{"create_spec", object{{"name", "x"}, {"security_policy_id", "foo"}}}}, "unknown policy");
    refused("INVALID_ARGUMENT", "content.library.update",
            {{"library_id", images}, {"update_spec", object{{"security_policy_id", "foo"}}}}, "unknown policy");
    done("content.library.update", {{"library_id", images}, {"update_spec", secure}});
    done("content.library.get", {{"library_id", images}}, "with a policy");
    status("it came before the policy");
    done("content.library.item.get", {{"library_item_id", ubuntu}}, "no package");
    const auto unsigned_item = new_item("unsigned in a secure library", "ovf");
    const auto plain = new_session(unsigned_item);
    for (const auto* name : {"tiny.ovf", "tiny-disk1.vmdk"}) push(plain, name, file_in_package(name));
    done("content.library.item.updatesession.file.validate", {{"update_session_id", plain}}, "not signed");
    refused("NOT_ALLOWED_IN_CURRENT_STATE", "content.library.item.update_session.complete",
            {{"update_session_id", plain}}, "not signed");
    session(plain, "ERROR");
    remove_session(plain);

    done(trust + "delete", {{"certificate", certificate}});
    status("nobody is trusted");
    const auto untrusted = new_session(tiny);
    for (const auto* name : {"tiny.mf", "tiny.cert", "tiny.ovf", "tiny-disk1.vmdk"})
      push(untrusted, name, file_in_package(name));
    done("content.library.item.update_session.update",
         {{"update_session_id", untrusted},
          {"update_spec",
           object{{"warning_behavior", json::array{object{{"type", "SELF_SIGNED_CERTIFICATE"}, {"ignored", true}}}}}}});
    session(untrusted, "the policy lets no warning be ignored");
    refused("NOT_ALLOWED_IN_CURRENT_STATE", "content.library.item.update_session.complete",
            {{"update_session_id", untrusted}}, "not trusted");
    remove_session(untrusted);
    refused("NOT_ALLOWED_IN_CURRENT_STATE", "content.library.item.copy",
            {{"source_library_item_id", tiny},
             {"destination_create_spec", object{{"library_id", images}, {"name", "against the policy"}}}},
            "against the policy");
    done("content.local_library.update",
         {{"library_id", images}, {"update_spec", object{{"unset_security_policy_id", true}}}});
    done("content.library.get", {{"library_id", images}}, "without a policy");
    status("without a policy");
  }

  void hypervisor() const {
    section("What needs a hypervisor");
    const std::string ovf = "vcenter.ovf.library_item.";
    const auto machine = new_item("machine", "ovf");
    refused("NOT_ALLOWED_IN_CURRENT_STATE", ovf + "filter", {{"ovf_library_item_id", machine}}, "without content");
    const auto id = new_session(machine);
    push(id, "machine.ovf", file_in_package("machine.ovf"));
    done("quire.update_sessions.list", {{"library_item_id", machine}}, "somebody's on the item");
    refused("NOT_FOUND", "quire.update_sessions.list", {{"library_item_id", unknown_id}});
    done("quire.items.list", {{"library_id", images}}, "with who changes them");
    refused("NOT_FOUND", "quire.items.list", {{"library_id", unknown_id}});
    complete(id);
    remove_session(id);
    done("quire.update_sessions.list", {{"library_item_id", machine}}, "none any more");
    done("quire.libraries.list", {{"library_id", images}}, "one, with what is in it");
    refused("NOT_FOUND", "quire.libraries.list", {{"library_id", unknown_id}});
    done("quire.items.package", {{"library_item_id", machine}}, "what a package says");
    done("quire.items.package", {{"library_item_id", tiny}}, "and who signed it");
    refused("INVALID_ARGUMENT", "quire.items.package", {{"library_item_id", ubuntu}}, "no package");
    refused("NOT_FOUND", "quire.items.package", {{"library_item_id", unknown_id}});
    done(ovf + "filter", {{"ovf_library_item_id", machine}}, "without a target");
    done(ovf + "filter", {{"ovf_library_item_id", tiny}, {"target", object{{"resource_pool_id", "resgroup-9"}}}});
    refused("INVALID_ARGUMENT", ovf + "filter", {{"ovf_library_item_id", ubuntu}}, "no package");
    refused("NOT_FOUND", ovf + "filter", {{"ovf_library_item_id", unknown_id}});
    const auto needs_one = [&](const std::string& operation, object input) {
      refused("UNSUPPORTED", "vcenter." + operation, std::move(input));
    };
    needs_one("ovf.library_item.create", {{"target", object{{"library_id", images}}}});
    refused("NOT_FOUND", ovf + "create", {{"target", object{{"library_id", unknown_id}}}});
    refused("NOT_FOUND", ovf + "create", {{"target", object{{"library_item_id", unknown_id}}}});
    needs_one("ovf.library_item.deploy", {{"ovf_library_item_id", tiny}});
    refused("NOT_FOUND", ovf + "deploy", {{"ovf_library_item_id", unknown_id}});
    needs_one("ovf.export_flag.list", {});
    needs_one("ovf.import_flag.list", {{"rp", "resgroup-9"}});
    const std::string templates = "vm_template.library_items.";
    needs_one(templates + "create", {{"spec", object{{"library", images}}}});
    refused("NOT_FOUND", "vcenter." + templates + "create", {{"spec", object{{"library", unknown_id}}}});
    for (const auto* name : {"get", "deploy", "check_outs.list", "check_outs.check_out", "versions.list"}) {
      needs_one(templates + name, {{"template_library_item", tiny}});
      refused("NOT_FOUND", "vcenter." + templates + name, {{"template_library_item", unknown_id}});
    }
    for (const auto* name : {"check_outs.get", "check_outs.delete", "check_outs.check_in"})
      needs_one(templates + name, {{"template_library_item", tiny}, {"vm", "vm-1"}});
    for (const auto* name : {"versions.get", "versions.delete", "versions.rollback"})
      needs_one(templates + name, {{"template_library_item", tiny}, {"version", "1"}});
    needs_one("iso.image.mount", {{"library_item", ubuntu}, {"vm", "vm-1"}});
    refused("NOT_FOUND", "vcenter.iso.image.mount", {{"library_item", unknown_id}, {"vm", "vm-1"}});
    needs_one("iso.image.unmount", {{"vm", "vm-1"}, {"cdrom", "16000"}});
  }

  void copies() const {
    section("Copies");
    const auto copy_of = [](const std::string& source, object spec) {
      return object{{"source_library_item_id", source}, {"destination_create_spec", std::move(spec)}};
    };
    auto with_token = copy_of(tiny, {{"library_id", images}, {"name", "tiny copy"}});
    with_token.emplace("client_token", "66666666-0000-4000-8000-000000000001");
    const auto copy = text(done("content.library.item.copy", with_token, "within a library"));
    done("content.library.item.copy", with_token, "the same client_token again");
    done("content.library.item.get", {{"library_item_id", copy}});
    const auto moved = text(done("content.library.item.copy",
                                 copy_of(tiny, {{"library_id", archive}, {"name", "tiny"}, {"description", "kept"}}),
                                 "to another storage"));
    done("content.library.item.storage.list", {{"library_item_id", moved}}, "on other storage");
    refused("ALREADY_EXISTS", "content.library.item.copy", copy_of(tiny, {{"library_id", images}, {"name", "tiny"}}),
            "name taken");
    refused("NOT_FOUND", "content.library.item.copy", copy_of(unknown_id, {{"library_id", images}, {"name", "x"}}),
            "unknown source");
    refused("NOT_FOUND", "content.library.item.copy", copy_of(tiny, {{"library_id", unknown_id}, {"name", "x"}}),
            "unknown library");
    refused("INVALID_ARGUMENT", "content.library.item.copy", copy_of(tiny, {{"name", "x"}}), "without a library");
    refused("INVALID_ELEMENT_TYPE", "content.library.item.copy",
            copy_of(tiny, {{"library_id", subscribed.library}, {"name", "x"}}), "subscribed library");
  }

  void tasks() const {
    section("Tasks");
    client.server().settings().copy_in_call_bytes_max = 0;
    const auto copy = [&](std::string_view name) {
      return text(done("content.library.item.copy",
                       {{"source_library_item_id", tiny},
                        {"destination_create_spec", object{{"library_id", archive}, {"name", name}}}},
                       "more bytes than the call itself copies"));
    };
    const auto there = done("content.library.item.list", {{"library_id", archive}});
    for (const auto& item : there.as_array())
      done("content.library.item.delete", {{"library_item_id", item}}, "the other storage has no such bytes any more");
    done("cis.tasks.list", {}, "none");
    const auto copied = copy("big");
    const auto waiting = done("cis.tasks.list", {}, "one that waits");
    const std::string task(waiting.as_object().begin()->key());
    done("content.library.item.get", {{"library_item_id", copied}}, "empty until the task has ended");
    refused("RESOURCE_BUSY", "content.library.item.update_session.create",
            {{"create_spec", object{{"library_item_id", copied}}}}, "still being copied");
    client.use(other_token);
    refused("NOT_FOUND", "cis.tasks.get", {{"task", task}}, "somebody else's");
    refused("NOT_FOUND", "cis.tasks.cancel", {{"task", task}}, "somebody else's");
    done("cis.tasks.list", {}, "of somebody else");
    client.use(admin_token);
    client.server().run_tasks();
    done("cis.tasks.get", {{"task", task}}, "succeeded");
    done("content.library.item.get", {{"library_item_id", copied}}, "with its content");
    refused("NOT_ALLOWED_IN_CURRENT_STATE", "cis.tasks.cancel", {{"task", task}}, "has ended");

    done("content.library.item.delete", {{"library_item_id", copied}});
    const auto given_up = copy("given up");
    const auto tasks = done("cis.tasks.list", {}, "two");
    std::string canceled;
    for (const auto& entry : tasks.as_object())
      if (entry.key() != task) canceled = std::string(entry.key());
    done("cis.tasks.cancel", {{"task", canceled}});
    client.server().run_tasks();
    done("cis.tasks.get", {{"task", canceled}}, "canceled");
    refused("NOT_FOUND", "content.library.item.get", {{"library_item_id", given_up}}, "the half copy is gone");
    refused("NOT_FOUND", "cis.tasks.get", {{"task", unknown_id}});
    refused("NOT_FOUND", "cis.tasks.cancel", {{"task", unknown_id}});
    client.server().settings().copy_in_call_bytes_max = service::Settings().copy_in_call_bytes_max;
  }

  void downloads() const {
    section("Downloads");
    const std::string service = "content.library.item.download_session.";
    const std::string files = "content.library.item.downloadsession.file.";
    constexpr auto wrong_state = "NOT_ALLOWED_IN_CURRENT_STATE";
    refused("INVALID_ARGUMENT", service + "create", {{"create_spec", object{}}}, "without an item");
    refused("NOT_FOUND", service + "create", {{"create_spec", object{{"library_item_id", unknown_id}}}});
    refused("INVALID_ARGUMENT", service + "create",
            {{"client_token", "1"}, {"create_spec", object{{"library_item_id", tiny}}}}, "bad client_token");
    const object spec{{"client_token", "55555555-0000-4000-8000-000000000001"},
                      {"create_spec", object{{"library_item_id", tiny}}}};
    const auto id = text(done(service + "create", spec));
    const object with_id{{"download_session_id", id}};
    done(service + "create", spec, "the same client_token again");
    done(service + "get", with_id);
    done(service + "list", {{"library_item_id", tiny}}, "of one item");
    done(service + "list");
    refused("NOT_FOUND", service + "list", {{"library_item_id", unknown_id}});
    client.use(other_token);
    refused("NOT_FOUND", service + "get", with_id, "of another user");
    client.use(admin_token);
    done(service + "keep_alive", with_id, "without progress");
    done(service + "keep_alive", {{"download_session_id", id}, {"progress", 50}});
    refused("INVALID_ARGUMENT", service + "keep_alive", {{"download_session_id", id}, {"progress", -1}});

    done(files + "list", with_id);
    const object with_name{{"download_session_id", id}, {"file_name", "tiny.ovf"}};
    done(files + "get", with_name, "not prepared");
    const auto prepared = done(files + "prepare", with_name);
    const auto uri = text(prepared.at("download_endpoint").at("uri"));
    done(files + "get", with_name, "prepared");
    client.download(uri);
    done(files + "prepare",
         {{"download_session_id", id}, {"file_name", "tiny-disk1.vmdk"}, {"endpoint_type", "DIRECT"}}, "DIRECT");
    done(files + "prepare", {{"download_session_id", id}, {"file_name", "tiny-disk1.vmdk"}, {"endpoint_type", "HTTPS"}},
         "HTTPS");
    refused("INVALID_ARGUMENT", files + "prepare", {{"download_session_id", id}, {"file_name", "x"}}, "unknown file");
    refused("INVALID_ARGUMENT", files + "get", {{"download_session_id", id}, {"file_name", "x"}}, "unknown file");
    done(service + "cancel", with_id);
    client.download(uri);
    done(service + "get", with_id, "CANCELED");
    refused(wrong_state, files + "prepare", with_name, "CANCELED");
    refused(wrong_state, service + "keep_alive", with_id, "CANCELED");
    refused(wrong_state, service + "cancel", with_id, "CANCELED");
    refused(wrong_state, service + "fail", {{"download_session_id", id}, {"client_error_message", "x"}}, "CANCELED");
    done(service + "delete", with_id);

    const auto failed = text(done(service + "create", {{"create_spec", object{{"library_item_id", tiny}}}}));
    done(service + "fail", {{"download_session_id", failed}, {"client_error_message", "No room here"}});
    done(service + "get", {{"download_session_id", failed}}, "ERROR");
    done(service + "delete", {{"download_session_id", failed}});
    const auto active = text(done(service + "create", {{"create_spec", object{{"library_item_id", tiny}}}}));
    done(service + "delete", {{"download_session_id", active}}, "while ACTIVE");
    const auto expired = text(done(service + "create", {{"create_spec", object{{"library_item_id", tiny}}}}));
    client.server().clock().advance(std::chrono::minutes(7));
    refused("NOT_FOUND", service + "get", {{"download_session_id", expired}}, "expired");

    const object nowhere{{"download_session_id", unknown_id}};
    const object nowhere_with_name{{"download_session_id", unknown_id}, {"file_name", "x"}};
    refused("NOT_FOUND", service + "get", nowhere);
    refused("NOT_FOUND", service + "keep_alive", nowhere);
    refused("NOT_FOUND", service + "cancel", nowhere);
    refused("NOT_FOUND", service + "fail", {{"download_session_id", unknown_id}, {"client_error_message", "x"}});
    refused("NOT_FOUND", service + "delete", nowhere);
    refused("NOT_FOUND", files + "list", nowhere);
    refused("NOT_FOUND", files + "prepare", nowhere_with_name);
    refused("NOT_FOUND", files + "get", nowhere_with_name);
  }

  static object backings(std::initializer_list<std::string_view> datastores) {
    json::array all;
    for (const auto datastore : datastores) all.push_back(object{{"type", "DATASTORE"}, {"datastore_id", datastore}});
    return object{{"storage_backings", all}};
  }

  void migrations() const {
    section("Migration, maintenance, conversion and deletion of any library");
    const auto make = [&](std::string_view name) {
      return text(done("content.local_library.create", {{"create_spec", object{{"name", name}}}}));
    };
    const auto moving = make("moving");
    const auto item = text(done("content.library.item.copy",
                                {{"source_library_item_id", tiny},
                                 {"destination_create_spec", object{{"library_id", moving}, {"name", "moved"}}}}));
    const auto migrate = [&](const std::string& library, std::initializer_list<std::string_view> datastores) {
      return object{{"library_id", library}, {"migrate_spec", backings(datastores)}};
    };
    refused("NOT_FOUND", "content.library.migrate", migrate(unknown_id, {"datastore-12"}));
    refused("INVALID_ARGUMENT", "content.library.migrate", migrate(moving, {}), "to nowhere");
    refused("INVALID_ARGUMENT", "content.library.migrate", migrate(moving, {"datastore-99"}), "unknown datastore");
    refused("UNSUPPORTED", "content.library.migrate", migrate(moving, {"datastore-11", "datastore-12"}),
            "two storage backings");
    refused("ALREADY_IN_DESIRED_STATE", "content.library.migrate", migrate(moving, {"datastore-11"}));
    done("content.library.migrate", migrate(moving, {"datastore-12"}));
    done("content.library.get", {{"library_id", moving}}, "until the task has ended");
    refused("NOT_ALLOWED_IN_CURRENT_STATE", "content.library.migrate", migrate(moving, {"datastore-12"}),
            "being migrated");
    refused("NOT_ALLOWED_IN_CURRENT_STATE", "content.library.enter_maintenance", {{"library_id", moving}},
            "being migrated");
    client.server().run_tasks();
    done("content.library.get", {{"library_id", moving}}, "migrated");
    done("content.library.item.storage.list", {{"library_item_id", item}}, "migrated");
    const auto by_backing = [&](object backing, std::string_view remark) {
      done("content.library.find", {{"spec", object{{"name", "moving"}, {"storage_backing", std::move(backing)}}}},
           remark);
    };
    by_backing({{"type", "DATASTORE"}, {"datastore_id", "datastore-12"}}, "by storage");
    by_backing({{"type", "DATASTORE"}, {"datastore_id", "datastore-11"}}, "no longer there");
    refused("INVALID_ARGUMENT", "content.library.find",
            {{"spec", object{{"storage_backing", object{{"type", "OTHER"}}}}}}, "incomplete storage backing");

    const object it{{"library_id", moving}};
    const object nowhere{{"library_id", unknown_id}};
    refused("NOT_ALLOWED_IN_CURRENT_STATE", "content.library.exit_maintenance", it, "not in maintenance");
    done("content.library.enter_maintenance", it);
    done("content.library.get", it, "in maintenance");
    done("content.library.item.get", {{"library_item_id", item}}, "in maintenance");
    refused("NOT_ALLOWED_IN_CURRENT_STATE", "content.library.enter_maintenance", it, "in maintenance");
    refused("NOT_ALLOWED_IN_CURRENT_STATE", "content.library.item.create",
            {{"create_spec", object{{"library_id", moving}, {"name", "new"}}}}, "in maintenance");
    refused("NOT_ALLOWED_IN_CURRENT_STATE", "content.library.item.delete", {{"library_item_id", item}},
            "in maintenance");
    refused("RESOURCE_BUSY", "content.library.item.update_session.create",
            {{"create_spec", object{{"library_item_id", item}}}}, "in maintenance");
    refused("NOT_ALLOWED_IN_CURRENT_STATE", "content.library.delete", it, "in maintenance");
    refused("NOT_FOUND", "content.library.enter_maintenance", nowhere);
    refused("NOT_FOUND", "content.library.exit_maintenance", nowhere);
    done("content.library.exit_maintenance", it);

    const auto convert = [&](const std::string& library) {
      return object{{"library_id", library}, {"conversion_spec", object{{"conversion_type", "TO_PUBLISHED_LIBRARY"}}}};
    };
    refused("NOT_FOUND", "content.library.convert", convert(unknown_id));
    refused("INVALID_ELEMENT_TYPE", "content.library.convert", convert(moving), "local");
    refused("NOT_ALLOWED_IN_CURRENT_STATE", "content.library.convert", convert(subscribed.library), "subscribed");
    refused("INVALID_ARGUMENT", "content.library.convert",
            {{"library_id", moving}, {"conversion_spec", object{{"conversion_type", "TO_LOCAL_LIBRARY"}}}},
            "no such conversion");

    const auto usage_of = [&](const std::string& library, std::string_view urn) {
      return object{{"library", library}, {"spec", object{{"resource_urn", urn}}}};
    };
    const object used{{"library", moving}};
    done("content.library.usages.list", used, "none");
    const auto usage = text(done("content.library.usages.add", usage_of(moving, "urn:vmomi:vm:vm-12")));
    refused("ALREADY_EXISTS", "content.library.usages.add", usage_of(moving, "urn:vmomi:vm:vm-12"));
    refused("INVALID_ARGUMENT", "content.library.usages.add", usage_of(moving, "vm-12"), "no URN of a resource");
    refused("NOT_FOUND", "content.library.usages.add", usage_of(unknown_id, "urn:vmomi:vm:vm-12"));
    done("content.library.usages.list", used);
    done("content.library.usages.get", {{"library", moving}, {"usage", usage}});
    refused("NOT_FOUND", "content.library.usages.get", {{"library", moving}, {"usage", unknown_id}});
    refused("NOT_FOUND", "content.library.usages.remove", {{"library", moving}, {"usage", unknown_id}});
    refused("NOT_FOUND", "content.library.usages.list", {{"library", unknown_id}});
    refused("NOT_ALLOWED_IN_CURRENT_STATE", "content.library.delete", it, "in use");
    refused("NOT_ALLOWED_IN_CURRENT_STATE", "content.local_library.delete", it, "in use");
    done("content.library.update",
         {{"library_id", moving},
          {"update_spec", object{{"configuration_info", object{{"apply_library_usage_to_items", true}}}}}});
    refused("NOT_ALLOWED_IN_CURRENT_STATE", "content.library.item.delete", {{"library_item_id", item}},
            "the usage protects the items too");
    done("content.library.usages.remove", {{"library", moving}, {"usage", usage}});
    done("content.library.item.delete", {{"library_item_id", item}}, "not in use any more");

    refused("NOT_FOUND", "content.library.delete", nowhere);
    refused("NOT_FOUND", "content.library.force_delete", nowhere);
    refused("NOT_FOUND", "content.local_library.force_delete", nowhere);
    refused("INVALID_ELEMENT_TYPE", "content.local_library.force_delete", {{"library_id", subscribed.library}},
            "subscribed");
    done("content.library.delete", it);
    refused("NOT_FOUND", "content.library.item.get", {{"library_item_id", item}}, "library deleted");
    for (const auto* operation : {"content.library.force_delete", "content.local_library.force_delete"}) {
      const auto library = make("used");
      done("content.library.usages.add", usage_of(library, "urn:vmomi:vm:vm-12"));
      done(operation, {{"library_id", library}}, "in use");
    }
  }

  void tagging() const {
    section("Tagging");
    const std::string category_service = "cis.tagging.category.";
    const std::string tag_service = "cis.tagging.tag.";
    const std::string association = "cis.tagging.tag_association.";
    const object library{{"type", "com.vmware.content.Library"}, {"id", images}};
    const object item{{"type", "com.vmware.content.library.Item"}, {"id", tiny}};
    const object nothing{{"type", "com.vmware.content.Library"}, {"id", unknown_id}};
    const auto category_spec = [](std::string_view name, std::string_view cardinality, json::array types) {
      return object{{"create_spec", object{{"name", name},
                                           {"description", "made here"},
                                           {"cardinality", cardinality},
                                           {"associable_types", std::move(types)}}}};
    };
    const auto tag_spec = [](const std::string& category, std::string_view name) {
      return object{{"create_spec", object{{"name", name}, {"description", ""}, {"category_id", category}}}};
    };
    const auto on = [](const std::string& tag, const object& what) {
      return object{{"tag_id", tag}, {"object_id", what}};
    };
    done(category_service + "list", {}, "none");
    const auto stage =
        text(done(category_service + "create", category_spec("stage", "SINGLE", {"com.vmware.content.library.Item"})));
    const auto owner = text(done(category_service + "create", category_spec("owner", "MULTIPLE", {})));
    refused("ALREADY_EXISTS", category_service + "create", category_spec("stage", "SINGLE", {}));
    refused("INVALID_ARGUMENT", category_service + "create", category_spec("", "SINGLE", {}), "without a name");
    refused("INVALID_ARGUMENT", category_service + "create", category_spec("x", "TWICE", {}), "no such cardinality");
    done(category_service + "list");
    done(category_service + "get", {{"category_id", stage}});
    done(category_service + "update", {{"category_id", stage}, {"update_spec", object{{"description", "of testing"}}}});
    refused("NOT_FOUND", category_service + "get", {{"category_id", unknown_id}});
    refused("NOT_FOUND", category_service + "update",
            {{"category_id", unknown_id}, {"update_spec", object{{"name", "x"}}}});
    refused("NOT_FOUND", category_service + "delete", {{"category_id", unknown_id}});
    done(category_service + "list_used_categories", {{"used_by_entity", "somebody"}});

    const auto tested = text(done(tag_service + "create", tag_spec(stage, "tested")));
    const auto released = text(done(tag_service + "create", tag_spec(stage, "released")));
    const auto team = text(done(tag_service + "create", tag_spec(owner, "team")));
    refused("ALREADY_EXISTS", tag_service + "create", tag_spec(stage, "tested"));
    refused("NOT_FOUND", tag_service + "create", tag_spec(unknown_id, "x"));
    done(tag_service + "list");
    done(tag_service + "list_tags_for_category", {{"category_id", stage}});
    refused("NOT_FOUND", tag_service + "list_tags_for_category", {{"category_id", unknown_id}});
    done(tag_service + "list_used_tags", {{"used_by_entity", "somebody"}});
    done(tag_service + "get", {{"tag_id", tested}});
    done(tag_service + "update", {{"tag_id", tested}, {"update_spec", object{{"name", "tested well"}}}});
    refused("ALREADY_EXISTS", tag_service + "update",
            {{"tag_id", tested}, {"update_spec", object{{"name", "released"}}}});
    refused("NOT_FOUND", tag_service + "get", {{"tag_id", unknown_id}});
    refused("NOT_FOUND", tag_service + "update", {{"tag_id", unknown_id}, {"update_spec", object{{"name", "x"}}}});
    refused("NOT_FOUND", tag_service + "delete", {{"tag_id", unknown_id}});

    done(association + "list_attachable_tags", {{"object_id", library}});
    done(association + "attach", on(tested, item));
    done(association + "attach", on(tested, item), "again");
    refused("INVALID_ARGUMENT", association + "attach", on(released, item), "another of a category that allows one");
    refused("INVALID_ARGUMENT", association + "attach", on(tested, library), "not for libraries");
    refused("NOT_FOUND", association + "attach", on(unknown_id, item));
    refused("NOT_FOUND", association + "attach", on(team, nothing), "no such library");
    done(association + "attach_tag_to_multiple_objects",
         {{"tag_id", team}, {"object_ids", json::array{library, item, nothing}}});
    refused("NOT_FOUND", association + "attach_tag_to_multiple_objects",
            {{"tag_id", unknown_id}, {"object_ids", json::array{library}}});
    done(association + "list_attached_tags", {{"object_id", item}});
    done(association + "list_attached_tags", {{"object_id", nothing}}, "of what is not there");
    done(association + "list_attached_tags_on_objects", {{"object_ids", json::array{library, item}}});
    done(association + "list_attached_objects", {{"tag_id", team}});
    refused("NOT_FOUND", association + "list_attached_objects", {{"tag_id", unknown_id}});
    done(association + "list_attached_objects_on_tags", {{"tag_ids", json::array{team, tested, unknown_id}}});
    client.use(other_token);
    refused("UNAUTHORIZED", association + "attach", on(team, library), "without the privilege");
    refused("UNAUTHORIZED", tag_service + "create", tag_spec(owner, "mine"), "without the privilege");
    client.use(admin_token);
    done(association + "detach", on(tested, item));
    done(association + "detach", on(tested, item), "again");
    refused("NOT_FOUND", association + "detach", on(unknown_id, item));
    done(association + "attach_multiple_tags_to_object",
         {{"object_id", item}, {"tag_ids", json::array{released, tested}}}, "the second cannot be");
    done(association + "detach_multiple_tags_from_object",
         {{"object_id", item}, {"tag_ids", json::array{released, unknown_id}}});
    done(association + "detach_tag_from_multiple_objects",
         {{"tag_id", team}, {"object_ids", json::array{library, item}}});
    refused("NOT_FOUND", association + "detach_tag_from_multiple_objects",
            {{"tag_id", unknown_id}, {"object_ids", json::array{library}}});
    done(tag_service + "delete", {{"tag_id", tested}});
    done(category_service + "delete", {{"category_id", stage}}, "with its tags");
    refused("NOT_FOUND", tag_service + "get", {{"tag_id", released}}, "deleted with its category");
  }

  void inventory() const {
    section("The inventory that storages are looked up in");
    const auto filter = [](object members) { return object{{"filter", std::move(members)}}; };
    const auto list = [](std::initializer_list<std::string_view> all) { return json::array(all.begin(), all.end()); };
    done("appliance.system.version.get");
    done("vcenter.datastore.list", {}, "all");
    done("vcenter.datastore.list", filter({{"names", list({"LocalDS_2", "nowhere"})}}), "by name");
    done("vcenter.datastore.list",
         filter({{"datastores", list({"datastore-11"})},
                 {"types", list({"VMFS"})},
                 {"folders", list({"group-s5"})},
                 {"datacenters", list({"datacenter-2"})}}),
         "by everything else");
    done("vcenter.datastore.list", filter({{"types", list({"NFS"})}}), "none");
    done("vcenter.datastore.list", filter({{"folders", list({"group-v3"})}}), "none");
    refused("INVALID_ARGUMENT", "vcenter.datastore.list", filter({{"types", list({"TAPE"})}}), "no such type");
    done("vcenter.datastore.get", {{"datastore", "datastore-11"}});
    refused("NOT_FOUND", "vcenter.datastore.get", {{"datastore", "datastore-99"}});
    done("vcenter.datacenter.list");
    done("vcenter.datacenter.list", filter({{"names", list({"DC0"})}, {"folders", list({"group-d1"})}}));
    done("vcenter.datacenter.list", filter({{"names", list({"DC1"})}}), "none");
    done("vcenter.folder.list");
    done("vcenter.folder.list",
         filter(
             {{"names", list({"DC0", "datastore"})}, {"type", "DATASTORE"}, {"datacenters", list({"datacenter-2"})}}));
    done("vcenter.folder.list", filter({{"parent_folders", list({"group-d1"})}}), "none: the datacenter is between");
  }

  void deletions() const {
    section("Deletions take the sessions with them");
    const auto update = new_session(ubuntu);
    const auto download = text(
        done("content.library.item.download_session.create", {{"create_spec", object{{"library_item_id", ubuntu}}}}));
    done("content.library.item.delete", {{"library_item_id", ubuntu}});
    refused("NOT_FOUND", "content.library.item.get", {{"library_item_id", ubuntu}}, "deleted");
    refused("NOT_FOUND", "content.library.item.delete", {{"library_item_id", ubuntu}}, "deleted");
    refused("NOT_FOUND", "content.library.item.update_session.get", {{"update_session_id", update}}, "item deleted");
    refused("NOT_FOUND", "content.library.item.download_session.get", {{"download_session_id", download}},
            "item deleted");
    const auto last = new_session(tiny);
    done("content.local_library.delete", {{"library_id", images}});
    refused("NOT_FOUND", "content.library.item.get", {{"library_item_id", tiny}}, "library deleted");
    refused("NOT_FOUND", "content.library.item.update_session.get", {{"update_session_id", last}}, "library deleted");
    done("content.library.list");
    client.server().clock().advance(std::chrono::hours(3));
    refused("UNAUTHENTICATED", "cis.session.get", {}, "idle for too long");
  }
};

}  // namespace

void walk_through_the_api(Client& client) {
  Walk walk{client};
  walk.logins();
  walk.configuration();
  walk.libraries();
  walk.items();
  walk.update_session();
  walk.content();
  walk.history();
  walk.unhappy_endings();
  walk.pulls();
  walk.packages();
  walk.hypervisor();
  walk.secure_library();
  walk.copies();
  walk.tasks();
  walk.downloads();
  walk.migrations();
  walk.inventory();
  walk.tagging();
  walk.deletions();
}

void walk_through_the_older_bindings(Client& client) {
  const std::string probe = "content.library.item.updatesession.file.probe";
  const auto source = [](std::string_view uri) { return object{{"source_endpoint", object{{"uri", uri}}}}; };
  client.transcript().heading("Sources are probed");
  client.use(std::nullopt);
  client.refused("UNAUTHENTICATED", probe, source(GoldenServer::pulled_uri), "without a login");
  client.authenticate_once(administrator, "secret");
  client.use(text(client.done("cis.session.create")));
  client.done(probe, source(GoldenServer::pulled_uri));
  client.done(probe, source(GoldenServer::unknown_uri), "a certificate that is not trusted");
  client.done(probe,
              {{"source_endpoint",
                object{{"uri", GoldenServer::unknown_uri},
                       {"ssl_certificate", ""},
                       {"ssl_certificate_thumbprint", "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33"}}}},
              "by its thumbprint");
  client.done(probe, source("https://mirror.example/nothing.iso"), "nothing is there");
  client.done(probe, source("ftp://user:secret@mirror.example/x.iso"), "another scheme");
  client.refused("INVALID_ARGUMENT", probe, {{"source_endpoint", object{}}}, "without a URI");
}

namespace {

void log_in(Client& client, const char* user, const char* password) {
  client.authenticate_once(user, password);
  client.use(text(client.done("cis.session.create")));
}

void walk_through_access(Client& client) {
  constexpr auto carol = "carol@vsphere.local";
  const std::string users = "quire.access.users.";
  const std::string groups = "quire.access.groups.";
  const std::string roles = "quire.access.roles.";
  const std::string permissions = "quire.access.permissions.";
  const auto set = [](object spec) { return object{{"set_spec", std::move(spec)}}; };

  client.transcript().heading("Users and groups");
  client.done("quire.access.privileges.list");
  client.done(users + "create",
              {{"create_spec", object{{"name", carol}, {"password", "long enough"}, {"description", "Release team"}}}});
  client.refused("ALREADY_EXISTS", users + "create",
                 {{"create_spec", object{{"name", "CAROL@vsphere.local"}, {"password", "long enough"}}}}, "name taken");
  client.refused("INVALID_ARGUMENT", users + "create", {{"create_spec", object{{"name", "d"}, {"password", "short"}}}},
                 "password too short");
  client.refused("INVALID_ARGUMENT", users + "create",
                 {{"create_spec", object{{"name", "a:b"}, {"password", "long enough"}}}}, "a colon");
  client.done(users + "list");
  client.done(users + "get", {{"user", carol}});
  client.refused("NOT_FOUND", users + "get", {{"user", "nobody"}});
  client.done(users + "update", {{"user", carol}, {"update_spec", object{{"description", "Releases"}}}});
  client.refused("NOT_FOUND", users + "update", {{"user", "nobody"}, {"update_spec", object{{"description", ""}}}});
  client.done(users + "set_password", {{"user", carol}, {"password", "longer still"}});
  client.refused("INVALID_ARGUMENT", users + "set_password", {{"user", carol}, {"password", "short"}});
  client.refused("NOT_FOUND", users + "set_password", {{"user", "nobody"}, {"password", "long enough"}});
  client.done(users + "update", {{"user", carol}, {"update_spec", object{{"enabled", false}}}}, "disabled");
  client.done(users + "get", {{"user", carol}}, "disabled");
  client.authenticate_once(carol, "longer still");
  client.refused("UNAUTHENTICATED", "cis.session.create", {}, "disabled");
  client.done(users + "update", {{"user", carol}, {"update_spec", object{{"enabled", true}}}}, "enabled again");
  client.done(groups + "create", {{"create_spec", object{{"name", "Releases"}, {"members", json::array{carol}}}}});
  client.refused("ALREADY_EXISTS", groups + "create", {{"create_spec", object{{"name", "releases"}}}}, "name taken");
  client.refused("NOT_FOUND", groups + "create",
                 {{"create_spec", object{{"name", "x"}, {"members", json::array{"nobody"}}}}}, "no such user");
  client.done(groups + "list");
  client.done(groups + "get", {{"group", "Releases"}});
  client.refused("NOT_FOUND", groups + "get", {{"group", "nobody"}});
  client.done(groups + "update",
              {{"group", "Releases"},
               {"update_spec", object{{"description", "Who releases"}, {"members", json::array{carol, somebody}}}}});
  client.done(groups + "get", {{"group", "releases"}}, "changed");
  client.refused("NOT_FOUND", groups + "update", {{"group", "nobody"}, {"update_spec", object{{"description", ""}}}});

  client.transcript().heading("Roles");
  client.done(roles + "list");
  client.done(roles + "get", {{"role", "-1"}}, "the administrator's");
  const auto role = text(client.done(
      roles + "create", {{"create_spec", object{{"name", "Downloader"},
                                                {"privileges", json::array{"ContentLibrary.DownloadSession"}}}}}));
  client.done(roles + "get", {{"role", role}});
  client.refused("ALREADY_EXISTS", roles + "create",
                 {{"create_spec", object{{"name", "read-only"}, {"privileges", json::array()}}}}, "of the system");
  client.refused("INVALID_ARGUMENT", roles + "create",
                 {{"create_spec", object{{"name", "x"}, {"privileges", json::array{"Everything"}}}}}, "no privilege");
  client.done(roles + "update", {{"role", role}, {"update_spec", object{{"name", "Download"}}}});
  client.refused("INVALID_ARGUMENT", roles + "update", {{"role", "-1"}, {"update_spec", object{{"name", "x"}}}},
                 "of the system");
  client.refused("NOT_FOUND", roles + "update", {{"role", "x"}, {"update_spec", object{{"name", "x"}}}});
  client.refused("NOT_FOUND", roles + "get", {{"role", "12345"}});

  client.transcript().heading("Permissions");
  const auto library =
      text(client.done("content.local_library.create", {{"create_spec", object{{"name", "releases"}}}}));
  const auto other = text(client.done("content.local_library.create", {{"create_spec", object{{"name", "others"}}}}));
  client.done(permissions + "set", set({{"principal", "Releases"},
                                        {"type", "GROUP"},
                                        {"library_id", library},
                                        {"role", role},
                                        {"propagate", true}}));
  client.refused("NOT_FOUND", permissions + "set",
                 set({{"principal", carol}, {"type", "USER"}, {"library_id", unknown_id}, {"role", role}}), "library");
  client.refused("NOT_FOUND", permissions + "set", set({{"principal", "nobody"}, {"type", "USER"}, {"role", role}}),
                 "principal");
  client.refused("NOT_FOUND", permissions + "set", set({{"principal", carol}, {"type", "USER"}, {"role", "0"}}),
                 "role");
  client.done(permissions + "list");
  client.done(permissions + "list", {{"library_id", library}}, "of a library");
  client.done(permissions + "effective", {{"user", carol}, {"library_id", library}}, "of somebody else");
  client.refused("RESOURCE_IN_USE", roles + "delete", {{"role", role}});

  const auto administrators_token = client.token();
  log_in(client, carol, "longer still");
  client.done("content.library.list", {}, "what Carol can read");
  client.done("content.library.get", {{"library_id", library}});
  client.refused("NOT_FOUND", "content.library.get", {{"library_id", other}}, "not Carol's");
  client.refused("UNAUTHORIZED", "content.library.item.create",
                 {{"create_spec", object{{"library_id", library}, {"name", "x"}}}}, "downloads only");
  client.refused("UNAUTHORIZED", "content.local_library.create", {{"create_spec", object{{"name", "x"}}}});
  client.done(permissions + "effective", {{"library_id", library}}, "of oneself");
  client.refused("NOT_FOUND", permissions + "effective", {{"library_id", other}}, "what one cannot read");
  client.refused("UNAUTHORIZED", permissions + "effective", {{"user", administrator}});
  client.refused("UNAUTHORIZED", permissions + "list", {{"library_id", library}});
  client.refused("UNAUTHORIZED", users + "list");
  const auto change = [](const char* from, const char* to) {
    return object{{"change_spec", object{{"old_password", from}, {"new_password", to}}}};
  };
  client.refused("INVALID_ARGUMENT", users + "change_password", change("wrong", "very long indeed"),
                 "the old is wrong");
  client.refused("INVALID_ARGUMENT", users + "change_password", change("longer still", "short"), "the new is short");
  client.done(users + "change_password", change("longer still", "very long indeed"));
  client.done("content.library.list", {}, "one's own login goes on");

  client.transcript().heading("API tokens");
  const std::string tokens = "quire.access.tokens.";
  const auto made = client.done(tokens + "create",
                                {{"create_spec", object{{"name", "nightly build"},
                                                        {"privileges", json::array{"ContentLibrary.DownloadSession"}},
                                                        {"library_ids", json::array{library}},
                                                        {"expires", "2099-01-01T00:00:00.000Z"}}}});
  const auto token_id = text(made.at("token"));
  client.refused("ALREADY_EXISTS", tokens + "create", {{"create_spec", object{{"name", "nightly build"}}}});
  client.refused("INVALID_ARGUMENT", tokens + "create",
                 {{"create_spec", object{{"name", "x"}, {"expires", "2001-01-01T00:00:00.000Z"}}}}, "has passed");
  client.refused("NOT_FOUND", tokens + "create",
                 {{"create_spec", object{{"name", "x"}, {"library_ids", json::array{other}}}}}, "not Carol's");
  client.done(tokens + "list");
  client.refused("UNAUTHORIZED", tokens + "list", {{"user", administrator}});
  const auto carols_token = client.token();
  client.use(text(made.at("secret")));
  client.done("content.library.list", {}, "with the token");
  client.refused("NOT_ALLOWED_IN_CURRENT_STATE", tokens + "create", {{"create_spec", object{{"name", "x"}}}});
  client.use(carols_token);
  client.done(tokens + "get", {{"token", token_id}});
  client.done(tokens + "delete", {{"token", token_id}});
  client.refused("NOT_FOUND", tokens + "get", {{"token", token_id}});
  client.refused("NOT_FOUND", tokens + "delete", {{"token", token_id}});

  client.use(administrators_token);
  client.done(permissions + "delete", {{"type", "GROUP"}, {"principal", "Releases"}, {"library_id", library}});
  client.refused("NOT_FOUND", permissions + "delete",
                 {{"type", "GROUP"}, {"principal", "Releases"}, {"library_id", library}}, "once more");
  client.done(roles + "delete", {{"role", role}});
  client.refused("INVALID_ARGUMENT", roles + "delete", {{"role", "-2"}}, "of the system");
  client.refused("NOT_FOUND", roles + "delete", {{"role", role}});
  client.done(groups + "delete", {{"group", "Releases"}});
  client.refused("NOT_FOUND", groups + "delete", {{"group", "Releases"}});
  client.done(users + "delete", {{"user", carol}});
  client.refused("NOT_FOUND", users + "delete", {{"user", carol}});
  client.refused("NOT_ALLOWED_IN_CURRENT_STATE", users + "delete", {{"user", administrator}}, "the last administrator");
  client.refused("NOT_ALLOWED_IN_CURRENT_STATE", users + "update",
                 {{"user", administrator}, {"update_spec", object{{"enabled", false}}}}, "the last administrator");
  client.refused("NOT_ALLOWED_IN_CURRENT_STATE", permissions + "delete",
                 {{"type", "USER"}, {"principal", administrator}}, "the last administrator");
  client.refused("NOT_ALLOWED_IN_CURRENT_STATE", permissions + "set",
                 set({{"principal", administrator}, {"type", "USER"}, {"role", "-2"}}), "the last administrator");
}

void walk_through_audit(Client& client) {
  const std::string list = "quire.audit.list";
  client.transcript().heading("The audit trail");
  client.done(list, {{"event", "user.created"}, {"newest_first", true}}, "who made users");
  client.done(list, {{"refused", true}, {"limit", 3}}, "the first three that were refused");
  client.done(list, {{"library_id", unknown_id}}, "nothing");
  client.refused("INVALID_ARGUMENT", list, {{"event", "user.dismissed"}}, "no such event");
  client.refused("INVALID_ARGUMENT", list, {{"limit", 0}}, "no entries at all");
}

void walk_through_quotas(Client& client) {
  client.transcript().heading("Quotas");
  const std::string libraries = "quire.quota.libraries.";
  const std::string users = "quire.quota.users.";
  const auto library = text(client.done("content.local_library.create", {{"create_spec", object{{"name", "small"}}}}));
  const auto set = [&](object spec) { return object{{"library", library}, {"set_spec", std::move(spec)}}; };
  client.done(libraries + "list", {}, "none");
  client.done(libraries + "get", {{"library", library}}, "what is used is told without a quota as well");
  client.refused("INVALID_ARGUMENT", libraries + "set", set({}), "no limit");
  client.refused("INVALID_ARGUMENT", libraries + "set", set({{"bytes", -1}}));
  client.refused("NOT_FOUND", libraries + "set", {{"library", unknown_id}, {"set_spec", object{{"bytes", 1}}}});
  client.refused("NOT_FOUND", libraries + "get", {{"library", unknown_id}});
  client.refused("NOT_FOUND", libraries + "delete", {{"library", library}}, "there is none");
  client.done(libraries + "set", set({{"bytes", 10}, {"items", 1}}));
  const auto create = [&](const char* name) {
    return object{{"create_spec", object{{"library_id", library}, {"name", name}}}};
  };
  const auto item = text(client.done("content.library.item.create", create("first")));
  client.refused("UNABLE_TO_ALLOCATE_RESOURCE", "content.library.item.create", create("second"), "no room for it");
  const auto session = text(
      client.done("content.library.item.update_session.create", {{"create_spec", object{{"library_item_id", item}}}}));
  const auto add = [&](object spec) {
    spec.emplace("source_type", "PUSH");
    return object{{"update_session_id", session}, {"file_spec", std::move(spec)}};
  };
  client.done("content.library.item.updatesession.file.add", add({{"name", "a"}, {"size", 6}}), "reserves its size");
  client.refused("UNABLE_TO_ALLOCATE_RESOURCE", "content.library.item.updatesession.file.add",
                 add({{"name", "b"}, {"size", 5}}), "more than there is");
  const auto added =
      client.done("content.library.item.updatesession.file.add", add({{"name", "b"}}), "of unknown size");
  client.upload(text(added.at("upload_endpoint").at("uri")), "12345");
  client.done(libraries + "list");
  client.done("content.library.item.update_session.cancel", {{"update_session_id", session}});
  client.done(libraries + "get", {{"library", library}}, "all is there again");
  client.done(libraries + "delete", {{"library", library}});

  client.done(users + "list", {}, "none");
  client.done(users + "set", {{"user", "Somebody@vsphere.local"}, {"set_spec", object{{"items", 3}}}});
  client.refused("INVALID_ARGUMENT", users + "set", {{"user", "x"}, {"set_spec", object{}}}, "no limit");
  client.done(users + "get", {{"user", somebody}});
  client.done(users + "list");
  client.done("quire.quota.own.get");
  client.done(users + "delete", {{"user", somebody}});
  client.refused("NOT_FOUND", users + "delete", {{"user", somebody}});

  const auto administrators_token = client.token();
  log_in(client, somebody, "secret");
  client.done("quire.quota.own.get", {}, "of anybody");
  client.refused("UNAUTHORIZED", users + "get", {{"user", administrator}});
  client.refused("UNAUTHORIZED", users + "set", {{"user", somebody}, {"set_spec", object{{"items", 3}}}});
  client.refused("UNAUTHORIZED", libraries + "list");
  client.use(administrators_token);
}

void walk_through_webhooks(Client& client) {
  const std::string webhooks = "quire.webhooks.";
  client.transcript().heading("Webhooks");
  const auto spec = [](object given) { return object{{"create_spec", std::move(given)}}; };
  const auto secret = "a secret of both sides";
  const auto made =
      text(client.done(webhooks + "create", spec({{"url", "https://ci.example/hook"},
                                                  {"secret", secret},
                                                  {"description", "builds what was pushed"},
                                                  {"kinds", json::array{"item.content_changed", "item.deleted"}}})));
  client.refused("INVALID_ARGUMENT", webhooks + "create", spec({{"url", "ftp://ci.example/"}, {"secret", secret}}));
  client.refused("INVALID_ARGUMENT", webhooks + "create",
                 spec({{"url", "https://ci.example/"}, {"secret", "too short"}}));
  client.refused("NOT_FOUND", webhooks + "create",
                 spec({{"url", "https://ci.example/"}, {"secret", secret}, {"library", unknown_id}}));
  client.done(webhooks + "list");
  client.done(webhooks + "update",
              {{"webhook", made}, {"update_spec", object{{"enabled", false}, {"kinds", json::array{}}}}});
  client.done(webhooks + "get", {{"webhook", made}});
  client.refused("NOT_FOUND", webhooks + "get", {{"webhook", unknown_id}});
  client.refused("NOT_FOUND", webhooks + "update", {{"webhook", unknown_id}, {"update_spec", object{}}});
  client.server().add_delivery(made, {7, content::DeliveryState::DEAD, 12, client.server().clock().now(),
                                      "The server at https://ci.example/hook answered with status 500."});
  client.done(webhooks + "deliveries.list", {{"webhook", made}});
  client.refused("NOT_FOUND", webhooks + "deliveries.list", {{"webhook", unknown_id}});
  client.done(webhooks + "deliveries.redeliver", {{"webhook", made}, {"event", 7}});
  client.refused("NOT_FOUND", webhooks + "deliveries.redeliver", {{"webhook", made}, {"event", 8}});
  client.done(webhooks + "deliveries.list", {{"webhook", made}}, "it waits again");
  client.done(webhooks + "delete", {{"webhook", made}});
  client.refused("NOT_FOUND", webhooks + "delete", {{"webhook", made}});
}

}  // namespace

void walk_through_our_own(Client& client) {
  const std::string workers = "quire.server.workers.list";
  client.transcript().heading("Background workers");
  client.use(std::nullopt);
  client.refused("UNAUTHENTICATED", workers, {}, "without a login");
  client.authenticate_once(somebody, "secret");
  client.use(text(client.done("cis.session.create")));
  client.refused("UNAUTHORIZED", workers, {}, "not an administrator");
  client.refused("UNAUTHORIZED", "quire.server.state.get", {}, "not an administrator");
  client.authenticate_once(administrator, "secret");
  client.use(text(client.done("cis.session.create")));
  client.done(workers);
  client.done("quire.server.state.get");
  walk_through_access(client);
  walk_through_audit(client);
  walk_through_quotas(client);
  walk_through_webhooks(client);
}

}  // namespace quire::golden
