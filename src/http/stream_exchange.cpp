#include "http/stream_exchange.h"

#include <string_view>

#include "http/offload.h"

namespace quire::http {
namespace asio = boost::asio;

asio::awaitable<void> send_stream(HttpConnection& connection, const ServerParts& parts,
                                  const wire::Response& response) {
  const bool headed = co_await connection.respond_endless_head(response.status, response.headers);
  if (!headed) co_return;
  const auto stream = response.stream;
  const auto weak = connection.weak_from_this();
  stream->set_wake([weak] {
    if (const auto listening = weak.lock()) listening->wake();
  });
  // By reference: the pool must not be the last that has the stream, which would then outlive the connection.
  auto next = [&stream] { return stream->next(); };
  const std::string_view nothing;
  while (true) {
    const auto piece = co_await offload(parts.call_pool, next);
    if (!piece.text.empty()) {
      const bool written =
          co_await connection.transport().write(piece.text, nothing, parts.settings.limits.write_timeout);
      if (!written) co_return;
    }
    if (piece.state == wire::ResponseStream::State::ended) co_return;
    if (piece.state == wire::ResponseStream::State::more) continue;
    const auto deadline = after(stream->patience());
    const bool listening = co_await connection.wait_for_wake(deadline);
    if (!listening) co_return;
  }
}

}  // namespace quire::http
