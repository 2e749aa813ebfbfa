#pragma once

#include <memory>
#include <optional>
#include <string>

#include "client/api.h"
#include "client/command.h"
#include "client/output.h"

namespace quire::client {

/// The options that every command that talks to a server has.
const std::vector<OptionDefinition>& connection_options();
/// `--json` and `--quiet`.
const std::vector<OptionDefinition>& output_options();

/// The server that is meant, and how one is signed in there.
struct Access {
  ServerAddress server;
  std::string token;  ///< empty: not signed in
  std::optional<Dialect> dialect;
  std::string server_from;  ///< `--server`, `QUIRE_URL` or the file
  std::string token_from;   ///< `QUIRE_TOKEN` or the file
};

/// `--server`, else QUIRE_URL, else the server of the last `quire login`; QUIRE_TOKEN, else what was kept for that
/// server.
base::Result<Access> find_access(const Arguments& arguments);

/// A server that answers and whose key is trusted, ready for calls.
class Connection {
 public:
  /// Error: no server is named; not signed in, when `signed_in` is wanted.
  static base::Result<std::unique_ptr<Connection>> open(const Arguments& arguments, Output& output,
                                                        bool signed_in = true);

  Api& api() { return *api_; }
  Transport& transport() { return transport_; }

  /// Sees whether the server's key is trusted. One that is not yet known is shown, and kept when the person at the
  /// terminal accepts it or `--accept-key` names it. UnverifiedPeer when it is not trusted in the end.
  base::Result<void> check_key(const Arguments& arguments, Output& output);

 private:
  Connection() = default;

  Transport transport_;
  std::unique_ptr<Api> api_;
};

/// Asks the person at the terminal; nullopt when there is no terminal. Without echo for secrets.
std::optional<std::string> ask_at_terminal(const std::string& question, bool secret = false);

}  // namespace quire::client
