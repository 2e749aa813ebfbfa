#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "client/failure.h"
#include "main/command_line.h"

namespace quire::main {
namespace {

using client::CommandDefinition;

/// Text as troff shows it: no line of it is a request, no character an escape.
std::string troff(std::string_view text) {
  std::string out;
  bool line_begins = true;
  for (const char c : text) {
    if (line_begins && (c == '.' || c == '\'')) out += "\\&";
    line_begins = c == '\n';
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else
      out += c;
  }
  return out;
}

std::string paragraphs(const std::string& text) {
  std::string out;
  std::size_t start = 0;
  while (start < text.size()) {
    const auto end = std::min(text.find("\n\n", start), text.size());
    out += (start == 0 ? "" : ".PP\n") + troff(text.substr(start, end - start)) + '\n';
    start = end + 2;
  }
  return out;
}

std::string page_name(const CommandDefinition& command) {
  std::string name = "quire";
  for (const auto& word : command.path) name += '-' + word;
  return name;
}

std::string upper(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

std::string heading(const std::string& name, const std::string& version) {
  return fmt::format(".TH \"{}\" 1 \"\" \"quire {}\" \"Quire\"\n", troff(upper(name)), troff(version));
}

std::string option_text(const client::OptionDefinition& option) {
  auto text = option.letter != 0 ? fmt::format("\\fB\\-{}\\fR, ", option.letter) : std::string();
  text += "\\fB" + troff("--" + option.name) + "\\fR";
  if (!option.placeholder.empty()) text += " \\fI" + troff(option.placeholder) + "\\fR";
  return text;
}

std::string exit_status() {
  std::string text = ".SH EXIT STATUS\n";
  for (const auto& row : client::exit_codes())
    text += fmt::format(".TP\n.B {}\n{}\n", static_cast<int>(row.code), troff(row.meaning));
  return text + "More may come; a script that knows a number only as another than 0 is right.\n";
}

constexpr std::string_view environment = R"(.SH ENVIRONMENT
.TP
.B QUIRE_URL
The server, when \-\-server is not given.
.TP
.B QUIRE_TOKEN
The token of a session or an API token; wins over what \fBquire login\fR has kept.
.TP
.B XDG_CONFIG_HOME, XDG_STATE_HOME
Where the folders of this program lie; else ~/.config and ~/.local/state.
.TP
.B SSL_CERT_FILE, SSL_CERT_DIR
The roots that certificates are checked with.
.TP
.B https_proxy, http_proxy, no_proxy
Proxies, by curl's rules.
.SH FILES
.TP
.I ~/.config/quire/credentials.json
Tokens, for their owner's eyes only.
.TP
.I ~/.config/quire/known\-servers
The keys of servers that were accepted.
.TP
.I ~/.local/state/quire
What a push or a pull needs to go on after a break.
)";

std::string page_of_program(const Commands& commands, const std::string& version) {
  auto page = heading("quire", version);
  page += ".SH NAME\nquire \\- content library: server and command line\n";
  page += ".SH SYNOPSIS\n.B quire\n.I COMMAND\n.RI [ WORD ...]\n.SH DESCRIPTION\n";
  page += troff(
              "The server keeps VM images, ISOs and any other files in libraries and speaks the vSphere Content "
              "Library API. The other commands speak that API to this or to another server of it.") +
          "\n.SH COMMANDS\n";
  for (const auto& command : commands)
    if (!command.hidden)
      page += fmt::format(".TP\n.B {}\n{}; see \\fB{}\\fR(1)\n", troff("quire " + command.words()),
                          troff(command.summary), troff(page_name(command)));
  return page + exit_status() + std::string(environment);
}

std::string page_of_command(const CommandDefinition& command, const std::string& version) {
  const auto name = page_name(command);
  auto page = heading(name, version);
  page += fmt::format(".SH NAME\n{} \\- {}\n.SH SYNOPSIS\n.B {}\n", troff(name), troff(command.summary),
                      troff("quire " + command.words()));
  if (!command.options.empty()) page += ".RI [ OPTION ...]\n";
  for (const auto& positional : command.positionals)
    page += fmt::format(".RI {}\"{}\"{}{}\n", positional.required ? "" : "[ ", troff(positional.name),
                        positional.repeated ? " ..." : "", positional.required ? "" : " ]");
  page += ".SH DESCRIPTION\n" + paragraphs(command.description.empty() ? command.summary + "." : command.description);
  if (!command.positionals.empty()) {
    page += ".SH ARGUMENTS\n";
    for (const auto& positional : command.positionals)
      page += fmt::format(".TP\n.I {}\n{}\n", troff(positional.name), troff(positional.description));
  }
  if (!command.options.empty()) {
    page += ".SH OPTIONS\n";
    for (const auto& option : command.options)
      page += fmt::format(".TP\n{}\n{}\n", option_text(option), troff(option.description));
  }
  return page + exit_status() + ".SH SEE ALSO\n.BR quire (1)\n";
}

/// A text in a cell of a Markdown table.
std::string cell(std::string text) {
  for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) text.insert(at, "\\");
  return text;
}

}  // namespace

std::vector<std::string> manual_page_names(const Commands& commands) {
  std::vector<std::string> names = {"quire"};
  for (const auto& command : commands)
    if (!command.hidden) names.push_back(page_name(command));
  return names;
}

std::string manual_page(const Commands& commands, const std::string& path, const std::string& version) {
  if (path.empty()) return page_of_program(commands, version);
  for (const auto& command : commands)
    if (!command.hidden && command.words() == path) return page_of_command(command, version);
  return {};
}

std::string command_document(const Commands& commands) {
  std::string text = "| command | what it does | its options |\n|---|---|---|\n";
  // What most of them have is told once, in front of the table.
  static const std::set<std::string> common = {"json", "quiet", "server", "accept-key"};
  for (const auto& command : commands) {
    if (command.hidden || command.path.front() == "serve") continue;
    std::string options;
    for (const auto& option : command.options) {
      if (common.contains(option.name)) continue;
      options += (options.empty() ? "`--" : ", `--") + option.name +
                 (option.placeholder.empty() ? "" : ' ' + option.placeholder) + '`';
    }
    std::string words = "quire " + command.words();
    for (const auto& positional : command.positionals)
      words += ' ' + (positional.required ? positional.name : '[' + positional.name + ']');
    text += fmt::format("| `{}` | {} | {} |\n", cell(words), cell(command.summary), cell(options));
  }
  text += "\n| exit code | meaning |\n|---|---|\n";
  for (const auto& row : client::exit_codes())
    text += fmt::format("| {} | {} |\n", static_cast<int>(row.code), row.meaning);
  return text;
}

}  // namespace quire::main
