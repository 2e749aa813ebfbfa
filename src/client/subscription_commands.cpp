#include <algorithm>
#include <boost/json/array.hpp>
#include <chrono>
#include <thread>

#include "client/catalog_names.h"
#include "client/command_groups.h"
#include "client/failure.h"
#include "client/json_reading.h"
#include "client/progress.h"
#include "client/retry.h"

namespace quire::client {
namespace {

namespace json = boost::json;
using base::Error;
using base::ErrorKind;
using base::Result;

constexpr auto publisher_user = "vcsp";

/// `--NAME-stdin` and `--NAME-file`.
void add_secret_options(std::vector<OptionDefinition>& options, const std::string& name, const std::string& what) {
  options.push_back({name + "-stdin", "", "Read " + what + " from a line of stdin"});
  options.push_back(
      {name + "-file", "FILE", "Read " + what + " from the first line of a file", false, {}, Completes::file});
}

bool is_given(const Arguments& arguments, const std::string& secret) {
  return arguments.has(secret + "-stdin") || arguments.has(secret + "-file");
}

// ---- subscribe ----

ErrorKind kind_of_probe(const std::string& status) {
  if (status == "TIMED_OUT" || status == "HOST_NOT_FOUND") return ErrorKind::timed_out;
  if (status == "RESOURCE_NOT_FOUND") return ErrorKind::not_found;
  if (status == "INVALID_CREDENTIALS") return ErrorKind::unauthorized;
  if (status == "CERTIFICATE_ERROR") return ErrorKind::unverified_peer;
  return status == "INVALID_URL" ? ErrorKind::invalid_argument : ErrorKind::error;
}

/// What the publisher's answer is as an error of the command.
Error refusal(const json::value& probe, const std::string& url, bool pinned) {
  const auto status = text_at(probe, "status");
  const json::object told{{"messages", find_member(probe, "error_messages") == nullptr
                                           ? json::array()
                                           : *find_member(probe, "error_messages")}};
  auto error = error_of(told, kind_of_probe(status), url + " answers as no publisher: " + status);
  const auto seen = text_at(probe, "ssl_thumbprint");
  if (status != "CERTIFICATE_ERROR" || seen.empty() || pinned) return error;
  return error.because(base::Message{
      "quire.client.certificate",
      "The certificate seen there has the thumbprint " + seen +
          ". Compare it with what the publisher's owner tells you; if it is the same, give --thumbprint " + seen +
          ", or take whatever is seen with --accept-certificate.",
      {}});
}

/// Asks the publisher, and pins the certificate that is seen there if that is wanted.
Result<void> probe(Api& api, json::object& subscription, bool accept, Output& output) {
  const auto url = std::string(subscription.at("subscription_url").as_string());
  QUIRE_ASSIGN_OR_RETURN(auto answer, api.call("subscribed_library.probe", {{"subscription_info", subscription}}));
  const auto seen = text_at(answer, "ssl_thumbprint");
  const bool pinned = subscription.contains("ssl_thumbprint");
  if (text_at(answer, "status") == "CERTIFICATE_ERROR" && accept && !pinned && !seen.empty()) {
    subscription["ssl_thumbprint"] = seen;
    output.note("pinned the certificate with the thumbprint " + seen);
    QUIRE_ASSIGN_OR_RETURN(answer, api.call("subscribed_library.probe", {{"subscription_info", subscription}}));
  }
  if (text_at(answer, "status") != "SUCCESS") return refusal(answer, url, pinned);
  return {};
}

Result<void> run_subscribe(Api& api, const Arguments& arguments, Output& output, json::object& result) {
  json::object subscription{{"subscription_url", arguments.text("URL")},
                            {"authentication_method", "NONE"},
                            {"automatic_sync_enabled", arguments.has("automatic")},
                            {"on_demand", arguments.has("on-demand")}};
  if (arguments.has("user") || is_given(arguments, "password")) {
    QUIRE_ASSIGN_OR_RETURN(const auto password,
                           read_secret(arguments, "password", "Password of " + arguments.text("URL") + ": "));
    subscription["authentication_method"] = "BASIC";
    subscription["user_name"] = arguments.text("user", publisher_user);
    subscription["password"] = password;
  }
  if (const auto thumbprint = arguments.find("thumbprint")) subscription["ssl_thumbprint"] = *thumbprint;
  QUIRE_RETURN_IF_ERROR(probe(api, subscription, arguments.has("accept-certificate"), output));
  QUIRE_ASSIGN_OR_RETURN(const auto storage, find_storage(api, arguments.find("storage")));
  json::object spec{{"name", arguments.text("NAME")}, {"type", "SUBSCRIBED"}};
  spec["storage_backings"] = json::array{json::object{{"type", "DATASTORE"}, {"datastore_id", storage}}};
  if (const auto* thumbprint = subscription.if_contains("ssl_thumbprint")) result["ssl_thumbprint"] = *thumbprint;
  spec["subscription_info"] = std::move(subscription);
  QUIRE_ASSIGN_OR_RETURN(const auto id, api.call("subscribed_library.create", {{"create_spec", spec}}));
  result["library_id"] = id;
  output.note("subscribed; " + arguments.text("NAME") + " is being synchronized for the first time");
  return {};
}

// ---- sync ----

/// The task that synchronizes `target`: the one that has not ended, else the last one. Null: none is known.
Result<json::object> find_sync(Api& api, const std::string& service, const std::string& target) {
  const json::object filter{{"services", json::array{service}}, {"operations", json::array{"sync"}}};
  QUIRE_ASSIGN_OR_RETURN(const auto tasks, api.call("task.list", {{"filter_spec", filter}}));
  json::object found;
  const auto rank = [](const json::value& task) {
    return std::pair(!text_at(task, "end_time").empty() ? 0 : 1, text_at(task, "end_time"));
  };
  for (auto& [id, task] : object_of(tasks)) {
    const auto* subject = find_member(task, "target");
    if (subject == nullptr || text_at(*subject, "id") != target) continue;
    if (!found.empty() && rank(found) > rank(task)) continue;
    found = object_of(task);
    found["task"] = id;
  }
  return found;
}

/// A failed task's reasons: the first is what it failed with, the others are of single items.
Error reasons_of(const json::value& task, Output& output) {
  const auto* told = find_member(task, "error");
  const auto error = error_of(told == nullptr ? json::value() : *told, ErrorKind::error,
                              "the synchronization failed and told no reason");
  const auto& messages = error.messages();
  for (std::size_t i = 1; i < messages.size(); ++i) {
    output.line(messages[i].default_message);
    output.object("problem", {{"message", messages[i].default_message}, {"id", messages[i].id}});
  }
  return {error.kind(), messages.front()};
}

/// Follows the synchronization of `target` to its end.
Result<void> await_sync(Api& api, const std::string& service, const std::string& target, const std::string& name,
                        Output& output, json::object& result) {
  using Clock = std::chrono::steady_clock;
  constexpr std::chrono::milliseconds first_look(100);
  constexpr std::chrono::milliseconds longest_look(2000);
  constexpr base::Duration give_up_after = std::chrono::minutes(5);
  QUIRE_ASSIGN_OR_RETURN(json::value task, find_sync(api, service, target));
  const auto id = text_at(task, "task");
  if (id.empty()) return not_found("no task for the synchronization of " + name + " is known");
  result["task"] = id;
  Patience patience(api.transport(), give_up_after);
  const std::atomic<bool> never = false;
  Progress progress(output, name);
  int failures = 0;
  for (auto look = first_look;; look = std::min(look * 2, longest_look)) {
    if (const auto* how_far = find_member(task, "progress")) {
      const auto total = number_at(*how_far, "total").value_or(0);
      progress.set_total(total > 0 ? std::optional(total) : std::nullopt);
      progress.add(number_at(*how_far, "completed").value_or(0) - progress.done());
    }
    progress.tick(Clock::now());
    const auto status = text_at(task, "status");
    if (status == "SUCCEEDED" || status == "FAILED") {
      result["bytes"] = progress.done();
      progress.clear();
      if (status == "FAILED") return reasons_of(task, output);
      progress.finish(Clock::now(), "synchronized");
      return {};
    }
    if (api.transport().stopped()) return interrupted();
    std::this_thread::sleep_for(look);
    auto asked = api.call("task.get", {{"task", id}});
    while (!asked) {
      if (!is_network_error(asked.error())) return asked.error();
      if (!patience.wait(++failures, never)) return api.transport().stopped() ? interrupted() : asked.error();
      asked = api.call("task.get", {{"task", id}});
    }
    failures = 0;
    patience.advanced();
    task = *std::move(asked);
  }
}

constexpr auto library_service = "com.vmware.content.subscribed_library";
constexpr auto item_service = "com.vmware.content.library.subscribed_item";

Result<void> ask_for_item(Api& api, const std::string& item, bool content) {
  QUIRE_RETURN_IF_ERROR(api.call("subscribed_item.sync", {{"library_item_id", item}, {"force_sync_content", content}}));
  return {};
}

/// Brings the content of every item that is not here, once the library knows its items.
Result<void> bring_contents(Api& api, const std::string& library, const std::string& name, bool wait, Output& output,
                            json::object& result) {
  QUIRE_ASSIGN_OR_RETURN(const auto ids, api.call("item.list", {{"library_id", library}}));
  std::vector<std::pair<std::string, std::string>> asked;
  for (const auto& id : texts_of(ids)) {
    const auto item = api.call("item.get", {{"library_item_id", id}});
    if (!item && item.error().kind() == ErrorKind::not_found) continue;  // removed meanwhile
    if (!item) return item.error();
    if (flag_at(*item, "cached")) continue;
    QUIRE_RETURN_IF_ERROR(ask_for_item(api, id, true));
    asked.emplace_back(id, name + '/' + text_at(*item, "name"));
  }
  result["items_asked"] = asked.size();
  output.note("content is being brought for " + std::to_string(asked.size()) + " items");
  if (!wait) return {};
  std::optional<Error> first;
  for (const auto& [id, item_name] : asked) {
    json::object outcome;
    const auto synchronized = await_sync(api, item_service, id, item_name, output, outcome);
    if (synchronized) continue;
    if (is_interrupted(synchronized.error()) || is_network_error(synchronized.error())) return synchronized.error();
    output.line(item_name + ": " + full_text(synchronized.error()));
    output.object("problem", {{"item", item_name}, {"message", full_text(synchronized.error())}});
    if (!first) first = synchronized.error();
  }
  if (first) return *first;
  return {};
}

Result<void> run_sync(Api& api, const Arguments& arguments, Output& output, json::object& result) {
  const auto name = arguments.text("LIBRARY/ITEM");
  const bool wait = arguments.has("wait");
  const bool content = arguments.has("content");
  if (name.find('/') != std::string::npos) {
    QUIRE_ASSIGN_OR_RETURN(const auto item_name, parse_item_name(name));
    QUIRE_ASSIGN_OR_RETURN(const auto item, find_item(api, item_name));
    QUIRE_RETURN_IF_ERROR(ask_for_item(api, item, content));
    result["library_item_id"] = item;
    if (wait) return await_sync(api, item_service, item, name, output, result);
    output.note(name + " is being synchronized");
    return {};
  }
  QUIRE_ASSIGN_OR_RETURN(const auto library, find_library(api, name));
  QUIRE_RETURN_IF_ERROR(api.call("subscribed_library.sync", {{"library_id", library}}));
  result["library_id"] = library;
  if (!wait && !content) {
    output.note(name + " is being synchronized");
    return {};
  }
  QUIRE_RETURN_IF_ERROR(await_sync(api, library_service, library, name, output, result));
  return content ? bring_contents(api, library, name, wait, output, result) : Result<void>();
}

Result<void> run_evict(Api& api, const Arguments& arguments, Output& output, json::object& result) {
  const auto name = arguments.text("LIBRARY/ITEM");
  if (name.find('/') == std::string::npos) {
    QUIRE_ASSIGN_OR_RETURN(const auto library, find_library(api, name));
    QUIRE_RETURN_IF_ERROR(api.call("subscribed_library.evict", {{"library_id", library}}));
    result["library_id"] = library;
  } else {
    QUIRE_ASSIGN_OR_RETURN(const auto item_name, parse_item_name(name));
    QUIRE_ASSIGN_OR_RETURN(const auto item, find_item(api, item_name));
    QUIRE_RETURN_IF_ERROR(api.call("subscribed_item.evict", {{"library_item_id", item}}));
    result["library_item_id"] = item;
  }
  output.note("the content of " + name + " was dropped");
  return {};
}

// ---- status ----

void show(Output& output, const std::string& what, const std::string& text) {
  constexpr std::size_t column = 18;
  if (!text.empty()) output.line(what + std::string(column - std::min(column - 1, what.size()), ' ') + text);
}

std::string hours(const json::value& status) {
  const auto start = number_at(status, "window_start_hour");
  const auto stop = number_at(status, "window_stop_hour");
  if (!start || !stop) return "those of the configuration";
  return std::to_string(*start) + " to " + std::to_string(*stop) + " UTC";
}

std::string how_far(const json::value& run) {
  const auto total = number_at(run, "total").value_or(0);
  return size_for_people(number_at(run, "completed").value_or(0)) + " of " +
         (total > 0 ? size_for_people(total) : "what is not yet known");
}

Result<void> run_subscription(Api& api, const Arguments& arguments, Output& output, json::object& result) {
  QUIRE_ASSIGN_OR_RETURN(const auto library, find_library(api, arguments.text("LIBRARY")));
  QUIRE_ASSIGN_OR_RETURN(const auto status, api.call("subscribed_library.status", {{"library_id", library}}));
  QUIRE_ASSIGN_OR_RETURN(const auto model, api.call("library.get", {{"library_id", library}}));
  const auto* info = find_member(model, "subscription_info");
  const auto subscription = info == nullptr ? json::value(json::object()) : *info;
  result["library_id"] = library;
  result["subscription_info"] = subscription;
  result["synchronization"] = status;
  const auto failures = number_at(status, "failures").value_or(0);
  const auto problems = number_at(status, "problem_count").value_or(0);
  const auto rate = number_at(status, "bytes_per_second_max").value_or(0);
  show(output, "publisher", text_at(subscription, "subscription_url"));
  show(output, "certificate", text_at(subscription, "ssl_thumbprint"));
  show(output, "content", flag_at(subscription, "on_demand") ? "on demand" : "at once");
  show(output, "synchronized", flag_at(subscription, "automatic_sync_enabled") ? "automatically" : "when asked");
  show(output, "items",
       std::to_string(number_at(status, "items").value_or(0)) + ", " +
           std::to_string(number_at(status, "cached_items").value_or(0)) + " with their content here");
  if (const auto* run = find_member(status, "running")) show(output, "running", how_far(*run));
  show(output, "last asked", text_at(status, "last_sync_time"));
  show(output, "last success", text_at(status, "last_success_time"));
  if (flag_at(subscription, "automatic_sync_enabled")) {
    show(output, "next, not before", text_at(status, "next_sync_time"));
    show(output, "hours", hours(status));
  }
  if (rate > 0) show(output, "bandwidth", size_for_people(rate) + "/s");
  if (failures > 0) show(output, "failures", std::to_string(failures) + " since the last success");
  show(output, "last problem", message_at(status, "problem"));
  if (problems > 0) show(output, "items that fail", std::to_string(problems));
  if (const auto* items = find_member(status, "problems"))
    for (const auto& item : elements_of(*items))
      output.row("problem", {"  " + text_at(item, "name"), message_at(item, "message")}, object_of(item));
  return {};
}

// ---- publish ----

std::string what_was_told(const json::value& subscription) {
  const auto told = text_at(subscription, "last_notified_time");
  const auto waiting = text_at(subscription, "waiting_since");
  const auto problem = message_at(subscription, "problem");
  auto text = told.empty() ? std::string("never told") : "told " + told;
  if (!waiting.empty()) text += ", to be told what was published " + waiting;
  return problem.empty() ? text : text + ": " + problem;
}

Result<void> run_publication(Api& api, const Arguments& arguments, Output& output, json::object& result) {
  QUIRE_ASSIGN_OR_RETURN(const auto library, find_library(api, arguments.text("LIBRARY")));
  QUIRE_ASSIGN_OR_RETURN(const auto publication, api.call("local_library.publication", {{"library_id", library}}));
  QUIRE_ASSIGN_OR_RETURN(const auto model, api.call("library.get", {{"library_id", library}}));
  const auto* info = find_member(model, "publish_info");
  const auto published = info == nullptr ? json::value(json::object()) : *info;
  result["library_id"] = library;
  result["publish_info"] = published;
  result["publication"] = publication;
  show(output, "URL", text_at(published, "publish_url"));
  show(output, "password", text_at(published, "authentication_method") == "BASIC" ? "set" : "none");
  show(output, "version", std::to_string(number_at(publication, "version").value_or(0)));
  const auto* readers = find_member(publication, "readers");
  if (readers == nullptr || elements_of(*readers).empty())
    show(output, "read", "by nobody since " + text_at(publication, "readers_since"));
  else
    for (const auto& reader : elements_of(*readers)) {
      auto who = text_at(reader, "address");
      if (const auto name = text_at(reader, "user_agent"); !name.empty()) who += " (" + name + ")";
      auto what = text_at(reader, "last_read_time");
      if (const auto version = number_at(reader, "version")) what += ", version " + std::to_string(*version);
      output.row("reader", {"  read by", who, what}, object_of(reader));
    }
  if (const auto* subscriptions = find_member(publication, "subscriptions"))
    for (const auto& one : elements_of(*subscriptions)) {
      auto name = text_at(one, "subscribed_library_name");
      if (const auto host = text_at(one, "subscribed_library_vcenter_hostname"); !host.empty()) name += " on " + host;
      output.row("subscription", {"  subscription", name, what_was_told(one)}, object_of(one));
    }
  return {};
}

/// The `publish_info` that is wanted, out of the present one; nothing: it is so already.
Result<std::optional<json::object>> wanted_publication(const Arguments& arguments, const json::value& present) {
  const bool published = flag_at(present, "published");
  const bool protected_now = text_at(present, "authentication_method") == "BASIC";
  const bool off = arguments.has("off");
  const bool has_password = is_given(arguments, "password");
  const bool open = arguments.has("no-password");
  if ((off ? 1 : 0) + (has_password ? 1 : 0) + (open ? 1 : 0) > 1)
    return usage_error("only one of --off, --no-password and a password makes sense at a time");
  const bool files = arguments.has("files");
  const bool no_files = arguments.has("no-files");
  if ((off ? 1 : 0) + (files ? 1 : 0) + (no_files ? 1 : 0) > 1)
    return usage_error("only one of --off, --files and --no-files makes sense at a time");
  json::object wanted{{"published", !off}};
  const bool changes_access = has_password || (open && protected_now);
  const bool changes_files = (files || no_files) && files != flag_at(present, "persist_json_enabled");
  if (published != off && !changes_access && !changes_files) return std::optional<json::object>();
  if (changes_files) wanted["persist_json_enabled"] = files;
  // The same password again needs no proof, so that scripts can be repeated; for another one the server wants it.
  if (is_given(arguments, "current-password") || (protected_now && !has_password && (off || changes_access))) {
    QUIRE_ASSIGN_OR_RETURN(const auto current,
                           read_secret(arguments, "current-password", "Current password of the library: "));
    wanted["current_password"] = current;
  }
  if (has_password) {
    QUIRE_ASSIGN_OR_RETURN(const auto password, read_secret(arguments, "password", ""));
    wanted["authentication_method"] = "BASIC";
    wanted["password"] = password;
  } else if (open || (!off && !protected_now)) {
    wanted["authentication_method"] = "NONE";
  }
  return std::optional(std::move(wanted));
}

Result<void> run_publish(Api& api, const Arguments& arguments, Output& output, json::object& result) {
  const auto name = arguments.text("LIBRARY");
  QUIRE_ASSIGN_OR_RETURN(const auto library, find_library(api, name));
  result["library_id"] = library;
  QUIRE_ASSIGN_OR_RETURN(auto model, api.call("library.get", {{"library_id", library}}));
  if (text_at(model, "type") == "SUBSCRIBED")
    return conflict(name + " is a subscribed library; only local ones are published");
  const auto* present = find_member(model, "publish_info");
  QUIRE_ASSIGN_OR_RETURN(const auto wanted,
                         wanted_publication(arguments, present == nullptr ? json::value() : *present));
  if (wanted) {
    const json::object spec{{"publish_info", *wanted}};
    QUIRE_RETURN_IF_ERROR(api.call("local_library.update", {{"library_id", library}, {"update_spec", spec}}));
    QUIRE_ASSIGN_OR_RETURN(model, api.call("library.get", {{"library_id", library}}));
  }
  if (arguments.has("off")) {
    output.note(name + " is not published");
    return {};
  }
  if (const auto* info = find_member(model, "publish_info")) {
    result["publish_url"] = text_at(*info, "publish_url");
    result["authentication_method"] = text_at(*info, "authentication_method");
    output.line(text_at(*info, "publish_url"));
  }
  if (!arguments.has("now")) return {};
  QUIRE_RETURN_IF_ERROR(api.call("local_library.publish", {{"library_id", library}}));
  output.note("the subscriptions of " + name + " are being told");
  return {};
}

CommandDefinition subscribe_command() {
  CommandDefinition command{
      {"subscribe"},
      "Subscribe to a published library",
      "Makes a library that follows one that somebody else publishes: Quire, vCenter, or files on a web server. The "
      "publisher is asked first: nothing is made when it cannot be reached, is not trusted or refuses the password.\n\n"
      "A certificate that nobody vouches for is refused and its thumbprint shown. --thumbprint accepts exactly that "
      "one; --accept-certificate pins the one that is seen now, and from then on no other is taken.",
      {{"URL", "The subscription URL, as https://HOST/…/lib.json"}, {"NAME", "The name of the new library"}},
      {{"on-demand", "", "Names first; the content of an item comes when somebody asks for it"},
       {"automatic", "", "Synchronize it without being asked"},
       {"user", "USER", "Who signs in there (vcsp)"}}};
  add_secret_options(command.options, "password", "the publisher's password");
  command.options.push_back({"thumbprint", "HEX", "Accept the certificate of this thumbprint, SHA-1 or SHA-256"});
  command.options.push_back({"accept-certificate", "", "Pin the certificate that is seen, if nobody vouches for it"});
  command.options.push_back(
      {"storage", "NAME", "The storage (datastore) that it lies on, by name or id; else the first one"});
  return command;
}

CommandDefinition publish_command() {
  CommandDefinition command{
      {"publish"},
      "Publish a library to subscribers",
      "Prints the URL that subscribers are given. Without a password everybody who reaches the server reads the "
      "library. A library that is published stays as it is unless an option says otherwise.\n\nA password that is set "
      "must be told to change it, to take it away or to stop publishing; when both come from stdin, the current one is "
      "the first line.",
      {{"LIBRARY", "The library", true, false, Completes::library}},
      {}};
  add_secret_options(command.options, "password", "the password for subscribers");
  add_secret_options(command.options, "current-password", "the password that is set now");
  command.options.push_back({"no-password", "", "Let everybody read it"});
  command.options.push_back({"files", "", "Keep it as files on its storage too"});
  command.options.push_back({"no-files", "", "Keep it as files no longer"});
  command.options.push_back({"off", "", "Stop publishing"});
  command.options.push_back({"now", "", "Tell its subscriptions to synchronize now"});
  return command;
}

}  // namespace

void add_subscription_commands(std::vector<CommandDefinition>& commands) {
  const PositionalDefinition library_or_item{"LIBRARY/ITEM", "LIBRARY or LIBRARY/ITEM", true, false, Completes::item};
  commands.push_back(api_command(subscribe_command(), run_subscribe));
  commands.push_back(api_command(
      {{"sync"},
       "Synchronize a subscribed library or item",
       "Does what an automatic synchronization would do. With --wait it follows the task to its end and tells why "
       "items failed; interrupted, the task goes on.",
       {library_or_item},
       {{"content", "", "Bring the content too where it comes on demand"},
        {"wait", "", "End when the synchronization has"}}},
      run_sync));
  commands.push_back(api_command({{"evict"},
                                  "Drop the content of a subscribed library or item",
                                  "Its names stay, and the content comes again when somebody asks for it. Only for "
                                  "libraries on demand.",
                                  {library_or_item}},
                                 run_evict));
  commands.push_back(api_command({{"subscription"},
                                  "Show how a subscribed library follows its publisher",
                                  "When it was synchronized and will be, what runs, and the items that failed.",
                                  {{"LIBRARY", "The library", true, false, Completes::library}}},
                                 run_subscription));
  commands.push_back(api_command(publish_command(), run_publish));
  commands.push_back(api_command({{"publication"},
                                  "Show how a published library fares",
                                  "Its URL, who read it since the server was started, the last one first, and whether "
                                  "its subscriptions were told.",
                                  {{"LIBRARY", "The library", true, false, Completes::library}}},
                                 run_publication));
}

}  // namespace quire::client
