#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "client/http_client.h"
#include "client/server_address.h"

namespace quire::client {

/// The two REST forms of the API.
enum class Dialect { current, legacy };

/// Calls of a server's public API, on one connection. One thread.
class Api {
 public:
  /// `dialect`: what the server is known to speak; else the first call finds out.
  Api(Transport& transport, ServerAddress server, std::string token, std::optional<Dialect> dialect = std::nullopt)
      : transport_(transport),
        server_(std::move(server)),
        token_(std::move(token)),
        dialect_(dialect),
        http_(transport) {}

  /// Calls the operation of that name (operations.h) with the arguments of the API; those that are null are left out.
  /// Gives the result, null when there is none. Errors: those of the API by their kind, with the server's messages;
  /// those of HttpClient::send().
  base::Result<boost::json::value> call(std::string_view name, boost::json::object arguments = {});

  /// A GET below `/api` whose answer goes to `sink` as it comes, until it ends or nothing came for `quiet_for`.
  base::Result<HttpResponse> follow(const std::string& path,
                                    const std::vector<std::pair<std::string, std::string>>& fields,
                                    base::Duration quiet_for, BodySink sink);

  /// Signs in with a password and keeps the token. Unauthenticated when they do not fit.
  base::Result<std::string> log_in(const std::string& user, const std::string& password);

  /// Every answer must be there within this time, and no call is made again; for completion and last words.
  void set_patience(base::Duration patience) { patience_ = patience; }
  /// Calls that may be repeated (operations.h) are, while the network fails, for so long.
  void set_give_up_after(base::Duration give_up_after) { give_up_after_ = give_up_after; }

  const ServerAddress& server() const { return server_; }
  const std::string& token() const { return token_; }
  Transport& transport() const { return transport_; }
  std::optional<Dialect> dialect() const { return dialect_; }

  /// The fields that a request to a transfer endpoint carries. The endpoint's secret is its credential; a server that
  /// wants the session too gets it, at its own address only.
  std::vector<std::pair<std::string, std::string>> transfer_fields(const std::string& uri) const;

 private:
  base::Result<void> find_dialect();
  base::Result<HttpResponse> send(std::string_view method, const std::string& path, const std::string& body);
  base::Result<HttpResponse> send_again(bool repeatable, std::string_view method, const std::string& path,
                                        const std::string& body);

  Transport& transport_;
  const ServerAddress server_;
  std::string token_;
  std::optional<Dialect> dialect_;
  std::optional<base::Duration> patience_;
  base::Duration give_up_after_ = base::Duration(0);
  HttpClient http_;
};

/// The error that an answer of the API or of a transfer endpoint tells.
base::Error error_of(const HttpResponse& response);
/// The error that a structure tells, as the `error` of a task; of kind `otherwise` when it names none that is known.
/// `text` is its message when it has none.
base::Error error_of(const boost::json::value& told, base::ErrorKind otherwise, const std::string& text);

}  // namespace quire::client
