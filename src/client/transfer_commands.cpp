#include <boost/json/array.hpp>
#include <charconv>

#include "base/hex.h"
#include "client/command_groups.h"
#include "client/failure.h"
#include "client/json_reading.h"
#include "client/pull.h"
#include "client/push.h"

namespace quire::client {
namespace {

namespace json = boost::json;
using base::Result;

const std::vector<OptionDefinition>& transfer_options() {
  static const std::vector<OptionDefinition> options = {
      {"connections", "NUMBER", "How many connections move bytes at once (4)"},
      {"part-size", "SIZE", "Bytes of a part, as 16MiB; else 64MiB, or a file as a whole to a server that is near"},
      {"give-up-after", "SECONDS", "How long without an acknowledged byte until the network counts as gone (300)"},
      {"stall-timeout", "SECONDS", "How long nothing may move on a connection until it is made anew (30)"},
  };
  return options;
}

/// `64MiB`, `65536`.
Result<std::int64_t> size_of_text(const std::string& text) {
  std::int64_t number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  const auto unit = base::to_lower(std::string_view(end, text.data() + text.size()));
  constexpr std::int64_t largest = 1LL << 20U;
  const int shift = unit.empty() || unit == "b" ? 0 : unit == "kib" ? 10 : unit == "mib" ? 20 : unit == "gib" ? 30 : -1;
  if (failed != std::errc() || shift < 0 || number <= 0 || number > largest << 10U)
    return usage_error("'" + text + "' is no size; give it as 64MiB");
  return number << static_cast<unsigned>(shift);
}

Result<TransferSettings> transfer_settings(Api& api, const Arguments& arguments) {
  TransferSettings settings;
  constexpr std::int64_t connections_max = 64;
  constexpr std::int64_t part_bytes_min = 64L << 10U;
  QUIRE_ASSIGN_OR_RETURN(const auto connections, count_option(arguments, "connections"));
  if (connections.value_or(1) > connections_max) return usage_error("--connections may be 64 at most");
  settings.connections = static_cast<int>(connections.value_or(settings.connections));
  if (const auto size = arguments.find("part-size")) {
    QUIRE_ASSIGN_OR_RETURN(settings.part_bytes, size_of_text(*size));
    if (*settings.part_bytes < part_bytes_min) return usage_error("--part-size must be 64KiB at least");
  }
  QUIRE_ASSIGN_OR_RETURN(const auto give_up, count_option(arguments, "give-up-after"));
  if (give_up) settings.give_up_after = std::chrono::seconds(*give_up);
  api.set_give_up_after(settings.give_up_after);
  QUIRE_ASSIGN_OR_RETURN(const auto stall, count_option(arguments, "stall-timeout"));
  if (stall) {
    api.transport().stall_timeout = std::chrono::seconds(*stall);
    api.transport().connect_timeout =
        std::min<base::Duration>(api.transport().connect_timeout, std::chrono::seconds(*stall));
  }
  return settings;
}

Result<void> run_push(Api& api, const Arguments& arguments, Output& output, json::object& result) {
  PushOrder order;
  auto words = arguments.all("SOURCE…");
  if (words.size() < 2) return usage_error("give what is pushed, and LIBRARY/ITEM behind it");
  QUIRE_ASSIGN_OR_RETURN(order.target, parse_item_name(words.back()));
  words.pop_back();
  order.sources = std::move(words);
  order.name = arguments.find("name");
  order.type = arguments.find("type");
  order.description = arguments.find("description");
  order.create_library = arguments.has("create-library");
  order.force = arguments.has("force");
  order.take_over = arguments.has("take-over");
  QUIRE_ASSIGN_OR_RETURN(order.transfer, transfer_settings(api, arguments));
  QUIRE_ASSIGN_OR_RETURN(const auto outcome, push(api, order, output));
  result["library_item_id"] = outcome.item_id;
  result["created"] = outcome.created;
  result["unchanged"] = outcome.unchanged;
  result["bytes"] = outcome.bytes;
  return {};
}

Result<void> run_pull(Api& api, const Arguments& arguments, Output& output, json::object& result) {
  PullOrder order;
  QUIRE_ASSIGN_OR_RETURN(order.source, parse_item_name(arguments.text("LIBRARY/ITEM")));
  order.file = arguments.find("file");
  order.destination = arguments.text("DESTINATION", ".");
  if (order.destination == "-" && output.json()) return usage_error("--json does not go with bytes on stdout");
  QUIRE_ASSIGN_OR_RETURN(order.transfer, transfer_settings(api, arguments));
  QUIRE_ASSIGN_OR_RETURN(const auto outcome, pull(api, order, output));
  result["library_item_id"] = outcome.item_id;
  result["files"] = outcome.files;
  result["files_there"] = outcome.there;
  result["bytes"] = outcome.bytes;
  result["verified"] = outcome.verified;
  return {};
}

/// `LIBRARY/ITEM` of a session's item, or its id where it cannot be seen.
std::string name_of_item(Api& api, const std::string& id) {
  const auto item = api.call("item.get", {{"library_item_id", id}});
  if (!item) return id;
  const auto library = api.call("library.get", {{"library_id", text_at(*item, "library_id")}});
  return (library ? text_at(*library, "name") + '/' : std::string()) + text_at(*item, "name");
}

Result<void> show_sessions(Api& api, const Arguments&, Output& output, json::object& result) {
  output.heading({"ID", "KIND", "ITEM", "STATE", "PROGRESS", "EXPIRES"});
  std::int64_t count = 0;
  for (const std::string kind : {"update", "download"}) {
    QUIRE_ASSIGN_OR_RETURN(const auto ids, api.call(kind + "_session.list"));
    for (const auto& id : texts_of(ids)) {
      const auto session = api.call(kind + "_session.get", {{kind + "_session_id", id}});
      if (!session && session.error().kind() == base::ErrorKind::not_found) continue;
      if (!session) return session.error();
      auto fields = session->is_object() ? session->get_object() : json::object();
      fields["kind"] = kind;
      const auto name = name_of_item(api, text_at(*session, "library_item_id"));
      fields["item"] = name;
      output.row("session",
                 {id, kind, name, text_at(*session, "state"),
                  std::to_string(number_at(*session, "client_progress").value_or(0)) + " %",
                  text_at(*session, "expiration_time")},
                 std::move(fields));
      ++count;
    }
  }
  result["count"] = count;
  return {};
}

Result<void> cancel_session(Api& api, const Arguments& arguments, Output& output, json::object&) {
  const auto id = arguments.text("ID");
  auto canceled = api.call("update_session.cancel", {{"update_session_id", id}});
  if (!canceled && canceled.error().kind() == base::ErrorKind::not_found)
    canceled = api.call("download_session.cancel", {{"download_session_id", id}});
  if (!canceled) return canceled.error();
  output.note("canceled session " + id);
  return {};
}

}  // namespace

void add_transfer_commands(std::vector<CommandDefinition>& commands) {
  auto push_definition = CommandDefinition{
      {"push"},
      "Create an item from files, or replace its content",
      "The last word names the item, the words before it are what it is to have: files, folders (all files below), "
      "URLs "
      "that the server fetches, or - for what is piped. All of it goes through one update session: nothing is visible "
      "before everything is there. An item that exists keeps its id and gets exactly this content; when it has it "
      "already, nothing happens.\n\nBytes go in parts over several connections. After any break, of the network, the "
      "server or this command, the same command goes on where it was. When the server refuses the content the reason "
      "is printed, the exit code is 7, and the item stays as it was.\n\nAn .ova is unpacked by the server. A server "
      "that "
      "takes no parts (vCenter) gets each file with one request, which begins anew after a break.",
      {{"SOURCE…", "FILE, DIR, URL or -, once or more, and LIBRARY/ITEM behind them", true, true, Completes::file}},
      {{"name", "NAME", "The file's name in the item; needed for what is piped"},
       {"type", "TYPE", "The type of an item that is created: ovf, iso, …; else by the names of the files"},
       {"description", "TEXT", "The description of an item that is created"},
       {"create-library", "", "Create the library when there is none of that name"},
       {"force", "", "Send all of it, also what the item has already"},
       {"take-over", "", "Cancel the update session that holds the item, whoever began it"}}};
  auto pull_definition = CommandDefinition{
      {"pull"},
      "Download the files of an item",
      "Each file is compared with the server's checksum while it arrives, and gets its name only when it fits; until "
      "then it is called NAME.quire-part. Files that are there with the same bytes are left alone. After any break the "
      "same command goes on where it was.",
      {{"LIBRARY/ITEM", "The item", true, false, Completes::item},
       {"DESTINATION", "A folder (the current one), the name of a file for a single one, or - for stdout", false, false,
        Completes::file}},
      {{"file", "NAME", "This file of the item alone"}}};
  for (auto* definition : {&push_definition, &pull_definition})
    definition->options.insert(definition->options.end(), transfer_options().begin(), transfer_options().end());
  commands.push_back(api_command(std::move(push_definition), run_push));
  commands.push_back(api_command(std::move(pull_definition), run_pull));
  commands.push_back(api_command({{"sessions"}, "List the update and download sessions", ""}, show_sessions));
  commands.push_back(api_command(
      {{"sessions", "cancel"}, "Cancel a session", "", {{"ID", "The session, as 'quire sessions' lists it"}}},
      cancel_session));
}

}  // namespace quire::client
