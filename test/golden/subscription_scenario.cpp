#include "golden/subscription_scenario.h"

#include <string>
#include <utility>

namespace quire::golden {
namespace {

namespace json = boost::json;
using json::object;

const std::string service = "content.library.subscriptions.";
constexpr auto publishing = "content.local_library.publish";
constexpr auto publication = "quire.local_library.publication";
constexpr auto publishing_item = "content.library.item.publish";
constexpr auto no_such = "00000000-0000-4000-8000-0000000000ff";
constexpr auto made_at_most_once = "77777777-0000-4000-8000-000000000003";

struct SubscriptionWalk {
  Client& client;
  std::string unpublished{};  ///< library
  std::string published{};    ///< library
  std::string url{};          ///< that it is published at
  std::string follower{};     ///< subscribed library of this server
  std::string here{};         ///< its subscription
  std::string there{};        ///< the subscription of a library of another server

  json::value done(const std::string& operation, object input, std::string_view remark = "") const {
    return client.done(operation, std::move(input), remark);
  }
  std::string text(const std::string& operation, object input, std::string_view remark = "") const {
    return std::string(done(operation, std::move(input), remark).as_string());
  }
  void refused(std::string_view error_type, const std::string& operation, object input,
               std::string_view remark = "") const {
    client.refused(error_type, operation, std::move(input), remark);
  }

  static object create(const std::string& library, object subscribed_library) {
    return {{"library", library}, {"spec", object{{"subscribed_library", std::move(subscribed_library)}}}};
  }
  static object existing(const std::string& library) {
    return {{"target", "USE_EXISTING"}, {"subscribed_library", library}, {"location", "LOCAL"}};
  }
  static object elsewhere(std::string_view hostname) {
    return {{"target", "USE_EXISTING"},
            {"subscribed_library", "their-library"},
            {"location", "REMOTE"},
            {"vcenter", object{{"hostname", hostname}, {"https_port", 8443}}}};
  }
  static object fresh(std::string_view name, std::string_view location) {
    object spec{
        {"target", "CREATE_NEW"},
        {"new_subscribed_library",
         object{{"name", name},
                {"storage_backings", json::array{object{{"type", "DATASTORE"}, {"datastore_id", "datastore-11"}}}},
                {"automatic_sync_enabled", true},
                {"on_demand", true}}},
        {"location", location}};
    if (location == "REMOTE") spec["vcenter"] = object{{"hostname", "other.example"}, {"https_port", 8443}};
    return spec;
  }
  object one(const std::string& subscription) const { return {{"library", published}, {"subscription", subscription}}; }
  object update(const std::string& subscription, object spec) const {
    auto input = one(subscription);
    input["spec"] = std::move(spec);
    return input;
  }
  object publish(json::array subscriptions) const {
    return {{"library_id", published}, {"subscriptions", std::move(subscriptions)}};
  }

  void make() {
    client.transcript().heading("Subscriptions of a published library");
    const auto make_library = [&](std::string_view name) {
      return text("content.local_library.create", {{"create_spec", object{{"name", name}}}});
    };
    unpublished = make_library("unpublished");
    refused("NOT_ALLOWED_IN_CURRENT_STATE", service + "list", {{"library", unpublished}}, "not published");
    refused("NOT_ALLOWED_IN_CURRENT_STATE", service + "create", create(unpublished, existing(no_such)),
            "not published");
    refused("NOT_ALLOWED_IN_CURRENT_STATE", publishing, {{"library_id", unpublished}}, "not published");
    refused("NOT_ALLOWED_IN_CURRENT_STATE", publication, {{"library_id", unpublished}}, "not published");
    published = make_library("told");
    done("content.local_library.update",
         {{"library_id", published}, {"update_spec", object{{"publish_info", object{{"published", true}}}}}});
    url =
        done("content.local_library.get", {{"library_id", published}}).at("publish_info").at("publish_url").as_string();
    done(service + "list", {{"library", published}}, "none");
    done(publishing, {{"library_id", published}}, "nobody is to be told");
  }

  void create_here() {
    auto& server = client.server();
    follower = server.add_subscribed_library(url).library;
    const auto other = server.add_subscribed_library().library;
    here = text(service + "create", create(published, existing(follower)));
    refused("ALREADY_EXISTS", service + "create", create(published, existing(follower)));
    refused("INVALID_ARGUMENT", service + "create", create(published, existing(other)), "follows another publisher");
    refused("INVALID_ARGUMENT", service + "create", create(published, existing(published)), "a local library");
    refused("INVALID_ARGUMENT", service + "create",
            create(published, object{{"target", "CREATE_NEW"}, {"location", "LOCAL"}}), "without the new library");
    refused("RESOURCE_INACCESSIBLE", service + "create", create(published, fresh("made here", "LOCAL")),
            "this server cannot be read at its own address");
    refused("NOT_FOUND", service + "create", create(published, existing(no_such)), "no subscribed library");
    refused("NOT_FOUND", service + "create", create(no_such, existing(follower)), "no published library");
    refused("INVALID_ELEMENT_TYPE", service + "create", create(follower, existing(follower)),
            "of a subscribed library");
    done("content.subscribed_library.get", {{"library_id", follower}}, "the target of a subscription");
  }

  void create_there() {
    client.server().remotes().put("other.example:8443/their-library",
                                  {"mirror of theirs", url, "99999999-0000-4000-8000-000000000009"});
    client.server().remotes().break_down(
        "down.example:8443",
        base::Error(base::ErrorKind::resource_inaccessible, "quire.subscriber.inaccessible",
                    "The server {server} could not be asked: {reason}",
                    {{"server", std::string("down.example:8443")}, {"reason", std::string("No answer.")}}));
    auto spec = elsewhere("other.example");
    spec["placement"] = object{{"folder", "group-v3"}};
    there = text(service + "create", create(published, std::move(spec)), "on another server");
    refused("RESOURCE_INACCESSIBLE", service + "create", create(published, elsewhere("down.example")));
    auto once = create(published, fresh("made there", "REMOTE"));
    once["client_token"] = made_at_most_once;
    const auto made = text(service + "create", once, "a new library there");
    done(service + "create", once, "the same client_token again");
    done(service + "delete", one(made));
  }

  void read_and_change() {
    done(service + "list", {{"library", published}});
    done(service + "get", one(here));
    done(service + "get", one(there));
    refused("INVALID_ARGUMENT", service + "get", one(no_such));
    refused("NOT_FOUND", service + "list", {{"library", no_such}});
    refused("INVALID_ELEMENT_TYPE", service + "list", {{"library", follower}});
    refused("NOT_FOUND", publication, {{"library_id", no_such}});
    refused("INVALID_ELEMENT_TYPE", publication, {{"library_id", follower}});
    done(service + "update", update(here, {{"subscribed_library_placement", object{{"host", "host-9"}}}}));
    done(service + "get", one(here), "placed");
    const object same_port{{"subscribed_library_vcenter", object{{"https_port", 8443}}}};
    done(service + "update", update(there, same_port));
    refused("INVALID_ARGUMENT", service + "update", update(here, same_port), "it is on this server");
    refused("RESOURCE_INACCESSIBLE", service + "update",
            update(there, {{"subscribed_library_vcenter", object{{"hostname", "down.example"}}}}));
    refused("NOT_FOUND", service + "update", update(no_such, {}));
  }

  void tell() {
    refused("INVALID_ARGUMENT", publishing, publish({object{{"subscription", no_such}}}), "no such subscription");
    refused("NOT_FOUND", publishing, {{"library_id", no_such}});
    refused("INVALID_ELEMENT_TYPE", publishing, {{"library_id", follower}}, "a subscribed library");
    done(publishing, publish({object{{"subscription", here}}}), "one of them");
    done("quire.subscribed_library.status", {{"library_id", follower}}, "a synchronization waits");
    done(publishing, publish({object{{"subscription", there}}}), "the other");
    done(publication, {{"library_id", published}}, "one is told, the other is to be told");
    client.server().run_tasks();
    done(publication, {{"library_id", published}}, "both are told");
    done(publishing, publish({}), "all of them");
    const auto item = text("content.library.item.create",
                           {{"create_spec", object{{"library_id", published}, {"name", "tiny"}, {"type", "iso"}}}});
    const auto of_item = [](const std::string& id) {
      return object{{"library_item_id", id}, {"force_sync_content", true}};
    };
    done(publishing_item, of_item(item));
    refused("NOT_FOUND", publishing_item, of_item(no_such));
    auto to_nobody = of_item(item);
    to_nobody["subscriptions"] = json::array{object{{"subscription", no_such}}};
    refused("INVALID_ARGUMENT", publishing_item, to_nobody, "no such subscription");
    const auto elsewhere_item =
        text("content.library.item.create", {{"create_spec", object{{"library_id", unpublished}, {"name", "tiny"}}}});
    refused("NOT_ALLOWED_IN_CURRENT_STATE", publishing_item, of_item(elsewhere_item), "not published");
    refused("NOT_FOUND", service + "delete", one("the name of a library"), "as govc does");
    refused("NOT_FOUND", service + "delete", {{"library", no_such}, {"subscription", here}});
    done(service + "delete", one(here));
    done(service + "list", {{"library", published}});
  }
};

}  // namespace

void walk_through_subscriptions(Client& client) {
  client.authenticate_once("administrator@vsphere.local", "secret");
  client.use(std::string(client.done("cis.session.create").as_string()));
  SubscriptionWalk walk{client};
  walk.make();
  walk.create_here();
  walk.create_there();
  walk.read_and_change();
  walk.tell();
}

}  // namespace quire::golden
