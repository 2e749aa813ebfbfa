#include <atomic>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/string.hpp>

#include "base/uri.h"
#include "client/catalog_names.h"
#include "client/command_groups.h"
#include "client/event_stream.h"
#include "client/failure.h"
#include "client/json_reading.h"
#include "client/retry.h"

namespace quire::client {
namespace {

namespace json = boost::json;
using base::Result;

json::object object_of(const json::value& value) { return value.is_object() ? value.get_object() : json::object(); }

/// What the server's filters are called, and the options for them.
struct Filter {
  const char* option;
  const char* parameter;
};

Result<void> show_audit(Api& api, const Arguments& arguments, Output& output, json::object& result) {
  output.heading({"NUMBER", "TIME", "USER", "EVENT", "SUBJECT"});
  json::object filter{{"newest_first", !arguments.has("oldest-first")}};
  for (const auto& [option, parameter] :
       {Filter{"user", "user"}, Filter{"event", "event"}, Filter{"address", "address"},
        Filter{"operation", "operation"}, Filter{"since", "since"}, Filter{"before", "before"}})
    if (const auto value = arguments.find(option)) filter[parameter] = *value;
  if (arguments.has("refused")) filter["refused"] = true;
  if (const auto library = arguments.find("library")) {
    QUIRE_ASSIGN_OR_RETURN(const auto id, find_library(api, *library));
    filter["library_id"] = id;
  }
  constexpr std::int64_t usual_limit = 100;
  constexpr std::int64_t page_max = 1000;
  QUIRE_ASSIGN_OR_RETURN(const auto limit, count_option(arguments, "limit"));
  auto left = limit.value_or(usual_limit);
  std::int64_t count = 0;
  while (left > 0) {
    filter["limit"] = std::min(left, page_max);
    QUIRE_ASSIGN_OR_RETURN(const auto page, api.call("audit.list", filter));
    const auto* entries = find_member(page, "entries");
    for (const auto& entry : entries == nullptr ? json::array() : elements_of(*entries)) {
      output.row(
          "audit_entry",
          {std::to_string(number_at(entry, "number").value_or(0)), text_at(entry, "time"), text_at(entry, "user"),
           text_at(entry, "event") + (flag_at(entry, "refused") ? " (refused)" : ""), text_at(entry, "subject")},
          object_of(entry));
      --left;
      ++count;
    }
    const auto next = number_at(page, "next");
    if (!next) break;
    filter["after"] = *next;
  }
  result["count"] = count;
  return {};
}

void show_task(const std::string& id, const json::value& task, Output& output) {
  const auto* progress = find_member(task, "progress");
  const auto total = progress == nullptr ? 0 : number_at(*progress, "total").value_or(0);
  const auto done = progress == nullptr ? 0 : number_at(*progress, "completed").value_or(0);
  constexpr std::int64_t all = 100;
  auto fields = object_of(task);
  fields["task"] = id;
  output.row("task",
             {id, text_at(task, "status"), text_at(task, "operation"),
              total > 0 ? std::to_string(done * all / total) + " %" : "-", text_at(task, "start_time"),
              message_at(task, "description")},
             std::move(fields));
}

Result<void> show_tasks(Api& api, const Arguments& arguments, Output& output, json::object& result) {
  output.heading({"TASK", "STATUS", "OPERATION", "PROGRESS", "STARTED", "DESCRIPTION"});
  if (const auto id = arguments.find("TASK")) {
    QUIRE_ASSIGN_OR_RETURN(const auto task, api.call("task.get", {{"task", *id}}));
    show_task(*id, task, output);
    return {};
  }
  QUIRE_ASSIGN_OR_RETURN(const auto tasks, api.call("task.list"));
  if (tasks.is_object())
    for (const auto& [id, task] : tasks.get_object()) show_task(std::string(id), task, output);
  result["count"] = tasks.is_object() ? tasks.get_object().size() : 0;
  return {};
}

Result<void> cancel_task(Api& api, const Arguments& arguments, Output& output, json::object&) {
  QUIRE_RETURN_IF_ERROR(api.call("task.cancel", {{"task", arguments.text("TASK")}}));
  output.note("task " + arguments.text("TASK") + " is being canceled");
  return {};
}

/// What an event tells of itself, on one line.
std::string event_text(const ServerEvent& event, const json::value& data) {
  const auto or_nothing = [&](const char* name) {
    const auto text = text_at(data, name);
    return text.empty() ? std::string() : "  " + text;
  };
  const auto known = or_nothing("time") + "  " + event.kind + or_nothing("actor") + or_nothing("subject");
  return event.id + known;
}

base::Error no_events(const Api& api) {
  return {base::ErrorKind::unsupported,
          "quire.client.no_events",
          "The server at {server} tells no events.",
          {{"server", api.server().url}}};
}

/// Follows the events that the query selects, over broken connections, until `count` have come or somebody interrupts.
Result<void> follow_events(Api& api, const std::string& query, const Arguments& arguments, Output& output) {
  constexpr base::Duration quiet_for = std::chrono::seconds(90);
  constexpr base::Duration give_up_after = std::chrono::minutes(5);
  QUIRE_ASSIGN_OR_RETURN(const auto count, count_option(arguments, "count"));
  auto last = arguments.text("after");
  std::int64_t seen = 0;
  const auto enough = [&] { return count && seen >= *count; };
  Patience patience(api.transport(), give_up_after);
  const std::atomic<bool> never = false;
  for (int failures = 0; !enough();) {
    EventStream stream([&](const ServerEvent& event) {
      if (enough()) return;
      ++seen;
      failures = 0;
      patience.advanced();
      json::error_code failed;
      auto data = json::parse(event.data, failed);
      if (failed) data = json::string(event.data);
      output.line(event_text(event, data));
      output.object("event", {{"event", json::object{{"id", event.id}, {"kind", event.kind}, {"data", data}}}});
    });
    std::vector<std::pair<std::string, std::string>> fields = {{"Accept", "text/event-stream"}};
    if (!last.empty()) fields.emplace_back("Last-Event-ID", last);
    const auto answer = api.follow("/events" + query, fields, quiet_for,
                                   [&](const HttpHead& head, std::span<const char> bytes) -> Result<void> {
                                     if (!head.find("content-type").value_or("").starts_with("text/event-stream"))
                                       return no_events(api);
                                     stream.feed({bytes.data(), bytes.size()});
                                     if (enough()) return interrupted();
                                     return {};
                                   });
    if (enough()) break;
    if (!stream.last_id().empty()) last = stream.last_id();  // comments move it on over what was not for us
    if (api.transport().stopped()) return interrupted();
    if (!answer && !may_try_again(answer.error())) return answer.error();
    if (answer && (answer->status == 404 || answer->status == 405)) return no_events(api);
    if (answer && !answer->is_success() && !may_try_again(answer->status)) return error_of(*answer);
    if (!patience.wait(++failures, never))
      return api.transport().stopped() ? interrupted() : network_error("no events come from " + api.server().url);
  }
  return {};
}

std::string with_filter(const std::string& query, std::string_view name, const std::string& value) {
  return query + (query.empty() ? '?' : '&') + std::string(name) + '=' + base::percent_encode_path(value);
}

Result<void> show_events(Api& api, const Arguments& arguments, Output& output, json::object&) {
  std::string query;
  if (const auto name = arguments.find("LIBRARY/ITEM")) {
    const bool is_item = name->find('/') != std::string::npos;
    if (is_item) {
      QUIRE_ASSIGN_OR_RETURN(const auto item_name, parse_item_name(*name));
      QUIRE_ASSIGN_OR_RETURN(const auto item, find_item(api, item_name));
      query = with_filter(query, "item", item);
    } else {
      QUIRE_ASSIGN_OR_RETURN(const auto library, find_library(api, *name));
      query = with_filter(query, "library", library);
    }
  }
  for (const std::string filter : {"library", "item", "kind"})
    for (const auto& value : arguments.all(filter)) query = with_filter(query, filter, value);
  return follow_events(api, query, arguments, output);
}

}  // namespace

void add_history_commands(std::vector<CommandDefinition>& commands) {
  const std::vector<OptionDefinition> event_options = {
      {"kind", "KIND", "Of this kind alone, as item.created; may be repeated", true},
      {"after", "ID", "Those behind this one first, as far as the server has them"},
      {"count", "NUMBER", "End after so many; else when it is interrupted"}};
  auto by_id = event_options;
  by_id.push_back({"library", "ID", "Of the library of this id"});
  by_id.push_back({"item", "ID", "Of the item of this id"});
  const std::string description =
      "Prints what happens on the server as it happens. A connection that breaks is made anew behind the last event "
      "that "
      "came.";
  commands.push_back(
      api_command({{"watch"},
                   "Follow what happens in a library or to an item",
                   description,
                   {{"LIBRARY/ITEM", "LIBRARY or LIBRARY/ITEM; else everything", false, false, Completes::item}},
                   event_options},
                  show_events));
  commands.push_back(api_command({{"events"}, "Follow the events of the server", description, {}, by_id}, show_events));
  commands.push_back(api_command({{"audit"},
                                  "Show the audit trail",
                                  "Who changed what, and what was refused; the newest first.",
                                  {},
                                  {{"user", "NAME", "By this user"},
                                   {"event", "EVENT", "Of this kind, as item.deleted"},
                                   {"operation", "NAME", "By this operation"},
                                   {"address", "ADDRESS", "From this address"},
                                   {"library", "LIBRARY", "In this library", false, {}, Completes::library},
                                   {"refused", "", "Refused attempts alone"},
                                   {"since", "TIME", "Not before this time, as 2026-11-01T00:00:00Z"},
                                   {"before", "TIME", "Before this time"},
                                   {"oldest-first", "", "In the order of time"},
                                   {"limit", "NUMBER", "At most so many (100)"}}},
                                 show_audit));
  commands.push_back(
      api_command({{"tasks"}, "List tasks, or show one", "", {{"TASK", "One task", false}}}, show_tasks));
  commands.push_back(api_command({{"tasks", "cancel"}, "Cancel a task", "", {{"TASK", "The task"}}}, cancel_task));
}

}  // namespace quire::client
