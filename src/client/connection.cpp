#include "client/connection.h"

#include <termios.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "client/credentials.h"
#include "client/failure.h"
#include "client/known_servers.h"
#include "client/places.h"
#include "client/signals.h"

namespace quire::client {
namespace {

using base::Result;

KnownServers known_servers() { return KnownServers(configuration_folder() / "known-servers"); }

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

}  // namespace

const std::vector<OptionDefinition>& output_options() {
  static const std::vector<OptionDefinition> options = {
      {"json", "", "Print an object a line, the last one of type 'result'"},
      {"quiet", "", "Print no progress and no messages but errors", false, {}, Completes::nothing, 'q'},
  };
  return options;
}

const std::vector<OptionDefinition>& connection_options() {
  static const std::vector<OptionDefinition> options = {
      {"server", "URL", "The server, as https://HOST:PORT; else QUIRE_URL, else that of the last login"},
      {"accept-key", "SHA256:…",
       "Trust the server's key when it is this one; else a person is asked the first time, and the key is kept"},
  };
  return options;
}

std::optional<std::string> ask_at_terminal(const std::string& question, bool secret) {
  std::FILE* terminal = std::fopen("/dev/tty", "r+");
  if (terminal == nullptr) return std::nullopt;
  termios before = {};
  const int file = fileno(terminal);
  const bool hidden = secret && tcgetattr(file, &before) == 0;
  if (hidden) {
    auto silent = before;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    tcsetattr(file, TCSAFLUSH, &silent);
  }
  std::fputs(question.c_str(), terminal);
  std::fflush(terminal);
  std::string answer;
  int c = 0;
  while ((c = std::fgetc(terminal)) != EOF && c != '\n') answer += static_cast<char>(c);
  if (hidden) {
    tcsetattr(file, TCSAFLUSH, &before);
    std::fputc('\n', terminal);
  }
  std::fclose(terminal);
  if (c == EOF && answer.empty()) return std::nullopt;
  return answer;
}

Result<Access> find_access(const Arguments& arguments) {
  QUIRE_ASSIGN_OR_RETURN(const auto credentials, Credentials::read(credentials_file()));
  Access access;
  auto url = arguments.text("server");
  access.server_from = "--server";
  if (url.empty()) {
    url = environment("QUIRE_URL");
    access.server_from = "QUIRE_URL";
  }
  if (url.empty()) {
    url = credentials.default_server;
    access.server_from = credentials_file().string();
  }
  if (url.empty())
    return usage_error("no server is named: give --server URL, set QUIRE_URL, or sign in with 'quire login URL'");
  QUIRE_ASSIGN_OR_RETURN(access.server, parse_server_address(url));
  access.token = environment("QUIRE_TOKEN");
  access.token_from = "QUIRE_TOKEN";
  if (!access.token.empty()) return access;
  const auto kept = credentials.servers.find(access.server.url);
  if (kept == credentials.servers.end()) return access;
  access.token = kept->second.token;
  access.dialect = kept->second.dialect;
  access.token_from = credentials_file().string();
  return access;
}

Result<std::unique_ptr<Connection>> Connection::open(const Arguments& arguments, Output& output, bool signed_in) {
  QUIRE_ASSIGN_OR_RETURN(auto access, find_access(arguments));
  if (signed_in && access.token.empty())
    return not_signed_in("not signed in to " + access.server.url + ": run 'quire login " + access.server.url +
                         "', or set QUIRE_TOKEN");
  std::unique_ptr<Connection> connection(new Connection());
  connection->transport_.stop = &stop_flag();
  connection->api_ = std::make_unique<Api>(connection->transport_, access.server, access.token, access.dialect);
  QUIRE_RETURN_IF_ERROR(connection->check_key(arguments, output));
  return connection;
}

Result<void> Connection::check_key(const Arguments& arguments, Output& output) {
  const auto& server = api_->server();
  if (!server.tls) return {};
  auto known = known_servers();
  QUIRE_ASSIGN_OR_RETURN(const auto kept, known.key_of(server.authority()));
  const auto named = arguments.find("accept-key");
  if (named) {
    transport_.keys.accept_key(server.authority(), *named);
    if (kept != named) QUIRE_RETURN_IF_ERROR(known.accept(server.authority(), *named));
    return {};
  }
  if (kept) {
    transport_.keys.accept_key(server.authority(), *kept);
    return {};
  }
  HttpRequest request;
  request.method = "HEAD";
  request.url = server.url + "/api/session";
  const auto answer = HttpClient(transport_).send(request);
  if (answer || answer.error().kind() != base::ErrorKind::unverified_peer) {
    if (!answer) return answer.error();
    return {};
  }
  const auto shown = transport_.keys.refused_key(server.authority());
  const auto question = "The key of " + server.authority() + " is not known yet, and its certificate " +
                        transport_.keys.objection(server.authority()) + ".\nIts key is " + shown.value_or("") +
                        "\nTrust this key from now on? (yes/no) ";
  const auto decision = shown ? ask_at_terminal(question) : std::nullopt;
  if (!decision)
    return base::Error(
        base::ErrorKind::unverified_peer,
        base::Message{"quire.client.key_unknown",
                      full_text(answer.error()) + "; if it is right, give --accept-key " + shown.value_or("SHA256:…"),
                      {}});
  if (*decision != "yes" && *decision != "y")
    return base::Error(base::ErrorKind::unverified_peer,
                       base::Message{"quire.client.key_declined", "the key of the server was not accepted", {}});
  QUIRE_RETURN_IF_ERROR(known.accept(server.authority(), *shown));
  transport_.keys.accept_key(server.authority(), *shown);
  output.note("the key of " + server.authority() + " is kept in " + known.file().string());
  return {};
}

}  // namespace quire::client
