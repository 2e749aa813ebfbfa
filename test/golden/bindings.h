#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/operation.h"
#include "golden/golden_server.h"
#include "golden/transcript.h"

namespace quire::golden {

enum class Binding { legacy_rest, new_rest, json_rpc };

/// The operation's name without `com.vmware.`, or without `com.` for those of our own.
std::string short_name(const api::Operation& operation);

/// What a call came to, in a form that does not depend on the binding.
struct Outcome {
  std::string operation;      ///< `content.library.get`, `quire.server.workers.list`
  std::string error_type;     ///< `NOT_FOUND`; empty on success
  boost::json::value result;  ///< as new REST writes it; null for void
  boost::json::value error;   ///< likewise; null on success

  /// `quire.access.unauthorized`; empty on success.
  std::string error_id() const;
};

/// A client of one binding: makes requests by its rules, writes them down with their answers, and fails the running
/// test where an answer breaks the general rules of the binding (content-library-api.md §1.2–§1.4, §1.8). Where each
/// operation is found comes from a table of its own, copied from the contract, not from the server's code. Every call
/// takes a second of the server's time.
class Client {
 public:
  Client(Binding binding, GoldenServer& server, Transcript& transcript)
      : binding_(binding), server_(server), transcript_(transcript) {}

  Binding binding() const { return binding_; }
  bool is_rest() const { return binding_ != Binding::json_rpc; }
  GoldenServer& server() { return server_; }
  Transcript& transcript() { return transcript_; }

  /// Calls carry this token from now on; nullopt for none.
  void use(std::optional<std::string> token) { token_ = std::move(token); }
  const std::optional<std::string>& token() const { return token_; }
  /// The next call brings user and password instead of a token.
  void authenticate_once(std::string user, std::string password) {
    credentials_ = api::Credentials{std::move(user), std::move(password)};
  }

  /// `operation` is a short_name(). Fails the test unless it succeeds.
  boost::json::value done(std::string_view operation, boost::json::object input = {}, std::string_view remark = "");
  /// Fails the test unless it is refused with `error_type`.
  void refused(std::string_view error_type, std::string_view operation, boost::json::object input = {},
               std::string_view remark = "");
  /// Whatever comes of it.
  Outcome attempt(std::string_view operation, boost::json::object input);
  /// A call whose request has no body at all (REST only), which must succeed.
  void done_without_body(std::string_view operation, boost::json::object input);

  /// A request that no client should make, or that few do.
  wire::Response raw(std::string_view title, std::string method, std::string target, std::string body = "",
                     std::vector<std::pair<std::string, std::string>> headers = {});

  /// Transfers by the URIs that answers named.
  void upload(std::string_view uri, std::string_view bytes);
  void upload_part(std::string_view uri, std::string_view bytes);
  void download(std::string_view uri);

  const std::vector<Outcome>& outcomes() const { return outcomes_; }

 private:
  Outcome call(std::string_view operation, boost::json::object input, std::string_view title, bool with_body);
  wire::Request rest_request(std::string_view name, boost::json::object input, bool with_body);
  wire::Request rpc_request(const api::Operation& operation, const boost::json::object& input);

  Binding binding_;
  GoldenServer& server_;
  Transcript& transcript_;
  std::optional<std::string> token_;
  std::optional<api::Credentials> credentials_;
  int rpc_id_ = 0;
  std::vector<Outcome> outcomes_;
};

/// What JSON-RPC sends for a value: everything in its wrapper, unset optionals included.
boost::json::value vapi_input(const api::Type& type, const boost::json::value* value);
/// What legacy REST sends for a value: maps are arrays of pairs.
boost::json::value legacy_input(const api::Type& type, const boost::json::value& value);

}  // namespace quire::golden
