#include <boost/json/object.hpp>
#include <string>

#include "client/catalog_names.h"
#include "client/command_groups.h"
#include "client/failure.h"
#include "client/json_reading.h"
#include "client/vcsp_export.h"
#include "client/vcsp_lint.h"

namespace quire::client {
namespace {

namespace json = boost::json;
using base::Result;
using vcsp::Stumbling;

std::string_view name_of_reader(Stumbling who) {
  switch (who) {
    case Stumbling::everybody:
      return "everybody";
    case Stumbling::vcenter:
      return "vcenter";
    case Stumbling::cloud_director:
      return "cloud-director";
    case Stumbling::nobody:
      break;
  }
  return "nobody";
}

const std::vector<OptionDefinition>& password_options() {
  static const std::vector<OptionDefinition> options = {
      {"password-stdin", "", "Read the library's password from the first line of stdin"},
      {"password-file",
       "FILE",
       "Read the library's password from the first line of a file",
       false,
       {},
       Completes::file}};
  return options;
}

Result<std::string> password_of(const Arguments& arguments) {
  if (!arguments.has("password-stdin") && !arguments.has("password-file")) return std::string();
  return read_secret(arguments, "password", "");
}

/// Whoever is asked for in `--for` stumbles over it.
bool matters(Stumbling who, const std::string& reader) {
  if (who == Stumbling::nobody) return false;
  return reader == "all" || who == Stumbling::everybody || name_of_reader(who) == reader;
}

Result<void> run_lint(const Arguments& arguments, Output& output, json::object& result) {
  const auto url = arguments.text("URL");
  Arguments access = arguments;
  access.set("server", {url});
  QUIRE_ASSIGN_OR_RETURN(auto password, password_of(arguments));
  QUIRE_ASSIGN_OR_RETURN(const auto connection, Connection::open(access, output, false));
  VcspSource source(connection->transport(), url, std::move(password));
  const auto reader = arguments.text("for", "all");
  std::int64_t problems = 0;
  std::int64_t notes = 0;
  output.heading({"WHO STUMBLES", "WHERE", "WHAT"});
  const auto lint = lint_vcsp(source, {arguments.has("content")}, [&](const vcsp::Remark& remark) {
    const bool counts = matters(remark.who, reader);
    ++(counts ? problems : notes);
    const std::string who(name_of_reader(remark.who));
    output.row("finding", {who, remark.where, remark.problem},
               {{"who", who}, {"where", remark.where}, {"problem", remark.problem}});
  });
  result["problems"] = problems;
  result["notes"] = notes;
  if (!lint) return lint.error();
  result["items"] = lint->items;
  result["files"] = lint->files;
  result["bytes"] = lint->bytes;
  output.note(std::to_string(lint->items) + " items, " + std::to_string(lint->files) +
              " files: " + std::to_string(problems) + " problems, " + std::to_string(notes) + " notes");
  if (problems > 0) return content_refused(std::to_string(problems) + " problems were found");
  return {};
}

bool is_url(const std::string& text) { return text.starts_with("https://") || text.starts_with("http://"); }

/// Where the library of that name is published.
Result<std::string> publish_url(Api& api, const std::string& library) {
  QUIRE_ASSIGN_OR_RETURN(const auto id, find_library(api, library));
  QUIRE_ASSIGN_OR_RETURN(const auto model, api.call("library.get", {{"library_id", id}}));
  const auto* info = find_member(model, "publish_info");
  auto url = info == nullptr ? std::string() : text_at(*info, "publish_url");
  if (url.empty()) return conflict("library " + library + " is not published; publish it first");
  return url;
}

Result<void> run_export(const Arguments& arguments, Output& output, json::object& result) {
  const auto library = arguments.text("LIBRARY");
  Arguments access = arguments;
  if (is_url(library)) access.set("server", {library});
  QUIRE_ASSIGN_OR_RETURN(auto password, password_of(arguments));
  QUIRE_ASSIGN_OR_RETURN(const auto connection, Connection::open(access, output, !is_url(library)));
  auto url = library;
  if (!is_url(library)) {
    QUIRE_ASSIGN_OR_RETURN(url, publish_url(connection->api(), library));
  }
  VcspSource source(connection->transport(), url, std::move(password));
  QUIRE_ASSIGN_OR_RETURN(const auto outcome,
                         export_vcsp(source, {arguments.text("DIR"), arguments.has("verify-all")}, output));
  result["version"] = outcome.version;
  result["items"] = outcome.items;
  result["files"] = outcome.files;
  result["files_there"] = outcome.there;
  result["bytes"] = outcome.bytes;
  result["removed"] = outcome.removed;
  output.note("version " + std::to_string(outcome.version) + ": " + std::to_string(outcome.items) + " items, " +
              std::to_string(outcome.files) + " files, " + size_for_people(outcome.bytes) + " fetched");
  return {};
}

/// As api_command(), for a server that need not be Quire and where nobody is signed in.
CommandDefinition plain_command(CommandDefinition definition, bool takes_server, OutputCommand run) {
  auto command = output_command(std::move(definition), std::move(run));
  for (const auto& option : connection_options())
    if (takes_server || option.name != "server") command.options.push_back(option);
  return command;
}

}  // namespace

void add_publication_commands(std::vector<CommandDefinition>& commands) {
  auto lint = CommandDefinition{
      {"lint-vcsp"},
      "Check a published library as subscribers read it",
      "Reads the descriptor, the index, every item and the address of every file of a published library, whoever "
      "publishes it: Quire, vCenter, Cloud Director, a script on a web server. Says what a vCenter or a Cloud Director "
      "would stumble over; 'nobody' is a deviation that all known readers take.\n\nThe exit code is 7 when there are "
      "problems, 0 when there are only notes.",
      {{"URL", "The subscription URL, as https://HOST/…/lib.json"}},
      {{"for", "WHO", "Whose problems count", false, {"all", "vcenter", "cloud-director"}, Completes::choice},
       {"content", "", "Read every byte too, and compare it with size, digest and manifest"}}};
  lint.options.insert(lint.options.end(), password_options().begin(), password_options().end());
  commands.push_back(plain_command(std::move(lint), false, run_lint));
  auto to_folder = CommandDefinition{
      {"export-vcsp"},
      "Write a published library as files for a web server",
      "Reads a published library and writes it into a folder that any web server can serve to subscribers, or that is "
      "carried to where there is no network. Repeated, it fetches only what is new. Subscribers see the old state or "
      "the new one, never something in between: lib.json changes last, and files that only the old state had stay "
      "until "
      "the next export. Every file is checked while it arrives.\n\nLIBRARY is the name of a published library of the "
      "server, or the subscription URL of any publisher.",
      {{"LIBRARY", "The library's name, or https://HOST/…/lib.json", true, false, Completes::library},
       {"DIR", "The folder; it is made when it is not there", true, false, Completes::file}},
      {{"verify-all", "", "Read the files that are there already too, and compare them with their digests"}}};
  to_folder.options.insert(to_folder.options.end(), password_options().begin(), password_options().end());
  commands.push_back(plain_command(std::move(to_folder), true, run_export));
}

}  // namespace quire::client
