#include "http/request_loop.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "http/download_exchange.h"
#include "http/offload.h"
#include "http/stream_exchange.h"
#include "http/transfer_target.h"
#include "http/upload_exchange.h"
#include "http/upload_request.h"
#include "wire/publication/published_libraries.h"

namespace quire::http {
namespace asio = boost::asio;
namespace {

constexpr std::size_t body_piece_bytes = 64 * 1024;

Refusal body_too_long(std::size_t bytes_max) {
  return Refusal(413, base::make_message("quire.http.body_too_long", "The request's body is longer than {max} bytes.",
                                         {{"max", static_cast<std::int64_t>(bytes_max)}}));
}

/// Reads the whole body of an API call into `body`, or says why not. Without a refusal and a whole body, the client is
/// gone.
asio::awaitable<std::optional<Refusal>> collect_body(HttpConnection& connection, const ServerLimits& limits,
                                                     std::string& body) {
  const auto bytes_max = limits.body_bytes_max;
  const auto announced = connection.head().content_length.value_or(0);
  if (announced > bytes_max) co_return body_too_long(bytes_max);
  const auto deadline = after(limits.body_timeout);
  while (connection.body() == HttpConnection::Body::more) {
    const auto held = body.size();
    const auto room = std::min(bytes_max + 1 - held, body_piece_bytes);
    body.resize(held + room);
    const auto space = std::as_writable_bytes(std::span(body)).subspan(held);
    const std::size_t count = co_await connection.read_body(space, deadline);
    body.resize(held + count);
    if (body.size() > bytes_max) co_return body_too_long(bytes_max);
  }
  if (connection.body() == HttpConnection::Body::malformed) {
    co_return Refusal(400, base::make_message("quire.http.chunks", "The body's chunks are not as HTTP has them."));
  }
  if (connection.body() == HttpConnection::Body::broken &&
      connection.transport().socket().end() == DeadlineSocket::End::timed_out) {
    co_return Refusal(408, base::make_message("quire.http.body_timeout", "The request's body did not arrive in time."));
  }
  co_return std::nullopt;
}

asio::awaitable<void> refuse(HttpConnection& connection, const ServerParts& parts, std::string_view target,
                             const Refusal& refusal) {
  const auto response = parts.api.refuse(target, refusal.status(), refusal.message());
  co_await connection.respond(response);
}

asio::awaitable<void> answer_call(std::shared_ptr<HttpConnection> caller, const ServerParts& parts) {
  auto& connection = *caller;
  wire::Request request;
  const auto refusal = co_await collect_body(connection, parts.settings.limits, request.body);
  if (refusal) {
    co_await refuse(connection, parts, connection.head().target, *refusal);
    co_return;
  }
  if (connection.body() != HttpConnection::Body::whole) co_return;
  request.method = connection.head().method;
  request.target = connection.head().target;
  request.headers = connection.head().headers;
  request.base_url = parts.settings.public_url;
  if (request.base_url.empty()) request.base_url = connection.base_url();
  request.client_address = connection.transport().socket().peer_address();
  auto call = [&] { return parts.api.handle(request); };
  // Most GETs are answered in less time than it takes to hand them to another thread and back.
  const bool reads =
      (request.method == "GET" || request.method == "HEAD") && !wire::PublishedLibraries::opens_file(request.target);
  auto response = reads ? parts.inline_calls.try_run(call) : std::nullopt;
  if (!response) {
    auto offloaded = co_await offload(parts.call_pool, call);
    response = std::move(offloaded);
  }
  if (response->file) {
    co_await send_file(caller, parts, *response);
    co_return;
  }
  if (response->stream) {
    co_await send_stream(connection, parts, *response);
    co_return;
  }
  co_await connection.respond(*response);
}

asio::awaitable<void> answer_transfer(std::shared_ptr<HttpConnection> connection, const ServerParts& parts,
                                      const TransferTarget& target) {
  const auto& method = connection->head().method;
  if (method == "PUT" || method == "POST" || method == "PATCH") {
    connection->expect_file();
    co_await receive_upload(connection, parts, target);
    co_return;
  }
  if (method == "HEAD") {
    const bool answered = co_await answer_upload_state(*connection, parts, target);
    if (answered) co_return;
  }
  if (method == "GET" || method == "HEAD") {
    co_await send_download(connection, parts, target);
    co_return;
  }
  auto call = [&] { return parts.transfers.is_upload_endpoint(target.token); };
  const auto found = co_await offload(parts.call_pool, call);
  const bool upload = found && *found;
  if (upload && method == "DELETE") {
    co_await discard_upload(*connection, parts, target);
  } else if (upload && method == "OPTIONS") {
    wire::Response response;
    response.status = 204;
    response.headers.add("Allow", std::string(upload_methods));
    response.headers.add("Accept-Patch", "application/partial-upload");
    co_await connection->respond(response);
  } else {
    const std::string_view allowed = upload ? upload_methods : "GET, HEAD";
    const auto response = method_not_allowed(parts.api, connection->head().target, allowed);
    co_await connection->respond(response);
  }
}

asio::awaitable<void> serve_requests(std::shared_ptr<HttpConnection> connection, const ServerParts& parts) {
  while (true) {
    const auto next = co_await connection->read_head();
    if (next == HttpConnection::Next::none) co_return;
    if (next == HttpConnection::Next::refused) {
      const std::string_view unknown_target = "/";
      co_await refuse(*connection, parts, unknown_target, connection->refusal());
      co_return;
    }
    const auto target = transfer_target(connection->head().target);
    if (target) {
      co_await answer_transfer(connection, parts, *target);
    } else {
      co_await answer_call(connection, parts);
    }
    const bool going_on = co_await connection->ready_for_next();
    if (!going_on) co_return;
  }
}

}  // namespace

asio::awaitable<void> serve(std::shared_ptr<HttpConnection> connection, const ServerParts& parts) {
  try {
    const bool handshake_done = co_await connection->handshake();
    if (handshake_done) co_await serve_requests(connection, parts);
  } catch (const std::exception& failure) {
    spdlog::error("A connection is given up after an unexpected failure: {}", failure.what());
  }
  co_await connection->close();
}

}  // namespace quire::http
