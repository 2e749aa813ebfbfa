#include "golden/subscribed_library_scenario.h"

#include <string>
#include <tuple>
#include <utility>

namespace quire::golden {
namespace {

namespace json = boost::json;
using json::object;

const std::string libraries = "content.subscribed_library.";
const std::string items = "content.library.subscribed_item.";
const std::string own = "quire.subscribed_library.";
constexpr auto nowhere = "nonsense";
constexpr auto made_once = "77777777-0000-4000-8000-000000000002";
constexpr auto thumbprint = "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33";

object subscription_to(std::string_view url) {
  return {{"authentication_method", "NONE"},
          {"automatic_sync_enabled", false},
          {"on_demand", false},
          {"subscription_url", url}};
}

object with(object subscription, std::string_view member, json::value value) {
  subscription[member] = std::move(value);
  return subscription;
}

object behind_password(const char* password) {
  return with(with(subscription_to(GoldenServer::closed_published_uri), "authentication_method", "BASIC"), "password",
              password);
}

/// The scenario's cast, by the names that it gives them.
struct SubscribedWalk {
  Client& client;
  std::string local{};   ///< local library
  std::string image{};   ///< its item
  std::string mirror{};  ///< subscribed library
  std::string installer{};

  json::value done(const std::string& operation, object input = {}, std::string_view remark = "") const {
    return client.done(operation, std::move(input), remark);
  }
  std::string text(const std::string& operation, object input, std::string_view remark = "") const {
    return std::string(done(operation, std::move(input), remark).as_string());
  }
  void refused(std::string_view error_type, const std::string& operation, object input = {},
               std::string_view remark = "") const {
    client.refused(error_type, operation, std::move(input), remark);
  }
  void log_in(std::string user) const {
    client.authenticate_once(std::move(user), "secret");
    client.use(text("cis.session.create", {}));
  }

  static object spec(std::string_view name, object subscription) {
    return {{"name", name}, {"subscription_info", std::move(subscription)}};
  }
  object create(object spec) const { return {{"create_spec", std::move(spec)}}; }
  object update(object spec) const { return {{"library_id", mirror}, {"update_spec", std::move(spec)}}; }
  object it() const { return {{"library_id", mirror}}; }
  object its_item() const { return {{"library_item_id", installer}}; }

  // --- the scenes, in order ---

  void probe() const {
    client.transcript().heading("Subscribed libraries");
    const auto probe = [&](object subscription, std::string_view remark) {
      done(libraries + "probe", {{"subscription_info", std::move(subscription)}}, remark);
    };
    probe(subscription_to(GoldenServer::published_uri), "for everybody");
    probe(behind_password("letmein"), "behind a password");
    probe(behind_password("a guess"), "with a wrong password");
    probe(subscription_to(GoldenServer::closed_published_uri), "without its password");
    probe(subscription_to(GoldenServer::unknown_published_uri), "with a certificate that is not trusted");
    probe(with(subscription_to(GoldenServer::unknown_published_uri), "ssl_thumbprint", thumbprint),
          "with the certificate that was shown");
    probe(subscription_to("https://publisher.example/lib/other.json"), "where nothing is");
    probe(subscription_to(GoldenServer::pulled_uri), "of something else");
    probe(subscription_to("https://nowhere.example/lib/lib.json"), "at no host");
    probe(subscription_to("tape:lib.json"), "at no usable URL");
    probe({}, "without a URL");
  }

  void create() {
    const auto open = subscription_to(GoldenServer::published_uri);
    const object on_two_storages{
        {"name", "x"},
        {"subscription_info", open},
        {"storage_backings", json::array{object{{"type", "DATASTORE"}, {"datastore_id", "datastore-11"}},
                                         object{{"type", "DATASTORE"}, {"datastore_id", "datastore-12"}}}}};
    refused("INVALID_ARGUMENT", libraries + "create", create({{"subscription_info", open}}), "without a name");
    refused("INVALID_ARGUMENT", libraries + "create", create({{"name", "x"}}), "without a subscription");
    refused("INVALID_ARGUMENT", libraries + "create", create(spec("x", behind_password(""))), "BASIC, no password");
    refused("INVALID_ARGUMENT", libraries + "create", create(spec("x", subscription_to("tape:lib.json"))),
            "no usable URL");
    refused("INVALID_ARGUMENT", libraries + "create", {{"client_token", "no uuid"}, {"create_spec", spec("x", open)}},
            "bad client_token");
    refused("UNSUPPORTED", libraries + "create", create(on_two_storages), "two storage backings");
    refused("RESOURCE_INACCESSIBLE", libraries + "create",
            create(spec("x", subscription_to("https://publisher.example/lib/other.json"))), "no published library");
    refused("RESOURCE_INACCESSIBLE", libraries + "create", create(spec("x", behind_password("a guess"))),
            "wrong password");
    refused("RESOURCE_INACCESSIBLE", libraries + "create",
            create(spec("x", subscription_to(GoldenServer::unknown_published_uri))), "certificate not trusted");

    const object once{{"client_token", made_once}, {"create_spec", spec("follower", open)}};
    mirror = text(libraries + "create", once);
    done(libraries + "create", once, "the same client_token again");
    done(libraries + "get", it(), "not synchronized yet");
    done(own + "status", it(), "a synchronization waits");
    done("content.library.item.list", it(), "none yet");
    client.server().run_tasks();
    done(libraries + "list");
    done(libraries + "get", it(), "synchronized");
    done("content.library.get", it());
    done(own + "status", it(), "synchronized");
    const auto all = done("content.library.item.list", it());
    installer = std::string(all.at(0).as_string());
    done("content.library.item.get", its_item());
    done("content.library.item.file.list", its_item());
    done("content.library.item.find", {{"spec", object{{"library_id", mirror}, {"cached", true}}}}, "cached");
  }

  void refuse_what_is_local() {
    local = text("content.local_library.create", create({{"name", "no follower"}}));
    image = text("content.library.item.create", create({{"library_id", local}, {"name", "image"}}));
    const object change{{"name", "x"}};
    const object no_limits{{"bytes_per_second_max", 0}};
    for (const auto& [error_type, library, item] : {std::tuple("NOT_FOUND", std::string(nowhere), std::string(nowhere)),
                                                    std::tuple("INVALID_ELEMENT_TYPE", local, image)}) {
      refused(error_type, libraries + "get", {{"library_id", library}});
      refused(error_type, libraries + "update", {{"library_id", library}, {"update_spec", change}});
      for (const auto* operation : {"delete", "force_delete", "sync", "evict"})
        refused(error_type, libraries + operation, {{"library_id", library}});
      refused(error_type, own + "status", {{"library_id", library}});
      refused(error_type, own + "set_limits", {{"library_id", library}, {"limits", no_limits}});
      refused(error_type, items + "sync", {{"library_item_id", item}, {"force_sync_content", false}});
      refused(error_type, items + "evict", {{"library_item_id", item}});
    }
    const auto operation = "content.library.item.";
    refused("INVALID_ELEMENT_TYPE", std::string(operation) + "update",
            {{"library_item_id", installer}, {"update_spec", change}}, "read only");
    refused("INVALID_ELEMENT_TYPE", std::string(operation) + "delete", its_item(), "read only");
  }

  void update() {
    done(libraries + "update", update({{"name", "mirror of installers"}}));
    done(libraries + "update", update({{"description", "Installers"}, {"version", "3"}}), "of the current version");
    refused("CONCURRENT_CHANGE", libraries + "update", update({{"name", "x"}, {"version", "2"}}), "stale version");
    refused("INVALID_ARGUMENT", libraries + "update", update({{"name", " "}}), "blank name");
    refused("INVALID_ARGUMENT", libraries + "update",
            update({{"subscription_info", object{{"password", "x"}, {"authentication_method", "NONE"}}}}),
            "a password for nothing");
    refused("RESOURCE_INACCESSIBLE", libraries + "update",
            update({{"subscription_info", object{{"subscription_url", "https://nowhere.example/lib.json"}}}}),
            "no host");
    refused("NOT_ALLOWED_IN_CURRENT_STATE", libraries + "evict", it(), "not on demand");
    refused("INVALID_ELEMENT_CONFIGURATION", items + "evict", its_item(), "not on demand");
    done(libraries + "update",
         update({{"subscription_info",
                  with(with(with(behind_password("letmein"), "on_demand", true), "ssl_thumbprint", thumbprint),
                       "source_info", object{{"source_library", "a"}, {"subscription", "b"}})}}),
         "on demand, from another address of the same publisher");
    client.server().run_tasks();
    const auto model = done(libraries + "get", it(), "on demand, with a password that nobody sees");
    done(libraries + "update", update(model.as_object()), "the whole model sent back");
    done("content.library.update", update({{"description", "All installers"}}));
  }

  void on_demand() const {
    done(items + "evict", its_item());
    done(items + "evict", its_item(), "again");
    done("content.library.item.get", its_item(), "not here");
    done("content.library.item.file.list", its_item(), "not here");
    done("content.library.item.file.get", {{"library_item_id", installer}, {"name", "installer.iso"}}, "not here");
    done("content.library.item.storage.list", its_item(), "not here");
    done("content.library.item.find", {{"spec", object{{"library_id", mirror}, {"cached", false}}}}, "not cached");
    done(own + "status", it(), "no content");
    done(items + "sync", {{"library_item_id", installer}, {"force_sync_content", false}});
    client.server().run_tasks();
    done("content.library.item.get", its_item(), "still not here");
    done(items + "sync", {{"library_item_id", installer}, {"force_sync_content", true}, {"sync_optional_files", false}},
         "with its content");
    client.server().run_tasks();
    done("content.library.item.get", its_item(), "here again");
    done(libraries + "evict", it());
    done(libraries + "sync", it());
    done(libraries + "sync", it(), "while one waits");
    client.server().run_tasks();
    done(own + "status", it(), "on demand, the content does not come by itself");
  }

  void limits() const {
    const auto limits = [&](object given) { return object{{"library_id", mirror}, {"limits", std::move(given)}}; };
    done(own + "set_limits",
         limits({{"bytes_per_second_max", 1'000'000}, {"window_start_hour", 22}, {"window_stop_hour", 5}}));
    done(own + "status", it(), "with limits");
    refused("INVALID_ARGUMENT", own + "set_limits", limits({{"bytes_per_second_max", -1}}), "no rate");
    refused("INVALID_ARGUMENT", own + "set_limits", limits({{"bytes_per_second_max", 0}, {"window_start_hour", 22}}),
            "half a window");
    refused("INVALID_ARGUMENT", own + "set_limits",
            limits({{"bytes_per_second_max", 0}, {"window_start_hour", 22}, {"window_stop_hour", 24}}), "no hour");
    done(own + "set_limits", limits({{"bytes_per_second_max", 0}}), "none any more");
  }

  void maintenance_and_rights() const {
    done("content.library.enter_maintenance", it());
    for (const auto* operation : {"sync", "evict", "delete", "force_delete"})
      refused("NOT_ALLOWED_IN_CURRENT_STATE", libraries + operation, it(), "in maintenance");
    refused("NOT_ALLOWED_IN_CURRENT_STATE", items + "sync",
            {{"library_item_id", installer}, {"force_sync_content", true}}, "in maintenance");
    refused("NOT_ALLOWED_IN_CURRENT_STATE", items + "evict", its_item(), "in maintenance");
    done("content.library.exit_maintenance", it());

    const auto administrators_token = client.token();
    log_in("somebody@vsphere.local");
    refused("UNAUTHORIZED", libraries + "create", create(spec("x", subscription_to(GoldenServer::published_uri))));
    refused("UNAUTHORIZED", libraries + "update", update({{"name", "x"}}));
    for (const auto* operation : {"delete", "sync", "evict"}) refused("UNAUTHORIZED", libraries + operation, it());
    refused("UNAUTHORIZED", libraries + "probe", {{"subscription_info", subscription_to(GoldenServer::published_uri)}});
    refused("UNAUTHORIZED", items + "evict", its_item());
    client.use(administrators_token);
  }

  void convert_and_delete() const {
    const object conversion{{"library_id", mirror},
                            {"conversion_spec", object{{"conversion_type", "TO_PUBLISHED_LIBRARY"}}}};
    refused("NOT_ALLOWED_IN_CURRENT_STATE", "content.library.convert", conversion, "its content is not here");
    done(items + "sync", {{"library_item_id", installer}, {"force_sync_content", true}});
    client.server().run_tasks();
    done("content.library.convert", conversion);
    done("content.local_library.get", it(), "converted");
    done("content.library.item.get", its_item(), "converted");

    const auto follower = [&] {
      return text(libraries + "create", create(spec("short-lived", subscription_to(GoldenServer::published_uri))));
    };
    const auto unused = follower();
    done(libraries + "delete", {{"library_id", unused}}, "while its first synchronization waits");
    client.server().run_tasks();
    refused("NOT_FOUND", libraries + "get", {{"library_id", unused}}, "deleted");
    const auto used = follower();
    done("content.library.usages.add", {{"library", used}, {"spec", object{{"resource_urn", "urn:vmomi:vm:vm-12"}}}});
    refused("NOT_ALLOWED_IN_CURRENT_STATE", libraries + "delete", {{"library_id", used}}, "in use");
    done(libraries + "force_delete", {{"library_id", used}}, "in use");
  }
};

}  // namespace

void walk_through_subscribed_libraries(Client& client) {
  SubscribedWalk walk{client};
  walk.log_in("administrator@vsphere.local");
  walk.probe();
  walk.create();
  walk.refuse_what_is_local();
  walk.update();
  walk.on_demand();
  walk.limits();
  walk.maintenance_and_rights();
  walk.convert_and_delete();
}

}  // namespace quire::golden
