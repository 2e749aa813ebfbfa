#include "http/upload_exchange.h"

#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "http/byte_range.h"
#include "http/offload.h"

namespace quire::http {
namespace asio = boost::asio;
namespace {

constexpr std::size_t small_upload_bytes_max = 64 * 1024;
constexpr std::size_t alignment = 4096;
/// A chunk that takes longer than this part of the stall time-out is handed over before it is full, so that what
/// arrives counts as activity of the session.
constexpr int slow_part_of_stall = 12;

using Stored = base::Result<void>;

/// Memory that the body is read into: a chunk of the common pool, or a small piece of its own.
class Chunk {
 public:
  Chunk() = default;
  explicit Chunk(TransferBuffer buffer) : pooled_(std::move(buffer)), bytes_(pooled_.bytes()) {}

  static Chunk small(std::size_t size) {
    Chunk chunk;
    const auto whole = (size + alignment - 1) / alignment * alignment;
    chunk.own_.reset(static_cast<std::byte*>(std::aligned_alloc(alignment, whole)));
    QUIRE_CHECK(chunk.own_ != nullptr);
    chunk.bytes_ = std::span(chunk.own_.get(), size);
    return chunk;
  }

  Chunk(Chunk&& other) noexcept { *this = std::move(other); }
  Chunk& operator=(Chunk&& other) noexcept {
    pooled_ = std::move(other.pooled_);
    own_ = std::move(other.own_);
    bytes_ = std::exchange(other.bytes_, {});
    filled_ = std::exchange(other.filled_, 0);
    return *this;
  }
  ~Chunk() = default;

  explicit operator bool() const { return !bytes_.empty(); }
  std::span<const std::byte> filled() const { return bytes_.first(filled_); }
  std::span<std::byte> space() const { return bytes_.subspan(filled_); }
  void add(std::size_t count) { filled_ += count; }
  void clear() { filled_ = 0; }

 private:
  struct Free {
    void operator()(std::byte* memory) const { std::free(memory); }
  };
  TransferBuffer pooled_;
  std::unique_ptr<std::byte, Free> own_;
  std::span<std::byte> bytes_;
  std::size_t filled_ = 0;
};

class UploadExchange {
 public:
  UploadExchange(std::shared_ptr<HttpConnection> connection, const ServerParts& parts)
      : connection_(std::move(connection)), parts_(parts) {}

  asio::awaitable<void> run(const TransferTarget& target);

 private:
  using Call = OffloadedCall<Stored>;

  asio::awaitable<bool> begin(const TransferTarget& target);
  asio::awaitable<void> receive();
  asio::awaitable<bool> take_first_chunk();
  asio::awaitable<void> fill();
  asio::awaitable<Stored> settle();
  asio::awaitable<bool> hand_over();
  asio::awaitable<void> end(service::BodyEnd body_end);
  asio::awaitable<void> answer(const Stored& outcome, service::BodyEnd body_end);
  asio::awaitable<void> answer_error(int status, const base::Error& error);

  std::shared_ptr<HttpConnection> connection_;
  const ServerParts& parts_;
  std::shared_ptr<service::Upload> upload_;  ///< shared with the call that runs on the pool, never used by two at once
  Chunk filling_;
  Chunk storing_;  ///< being stored while storing_call_ is set; else empty, or spare
  std::optional<Call> storing_call_;
  const std::shared_ptr<bool> live_ =
      std::make_shared<bool>(true);  ///< of the strand; a stop that comes later is ignored
};

base::Error no_memory_in_time() {
  return base::Error(base::ErrorKind::service_unavailable, "quire.http.transfers_busy",
                     "Too many transfers are running. Send the file again later.");
}

base::Error stopped() {
  return base::Error(base::ErrorKind::not_found, "quire.http.upload_stopped",
                     "The update session of this upload has ended, so the file is no longer taken.");
}

asio::awaitable<void> UploadExchange::run(const TransferTarget& target) {
  const bool begun = co_await begin(target);
  if (!begun) co_return;
  connection_->transport().set_bulk(true);
  std::exception_ptr failure;
  try {
    co_await receive();
  } catch (...) {
    failure = std::current_exception();
  }
  connection_->transport().set_bulk(false);
  if (!failure) co_return;
  // A broken service: nothing may still use the chunks when they go.
  if (storing_call_) [[maybe_unused]]
    const auto unused = co_await storing_call_->wait();
  std::rethrow_exception(failure);
}

asio::awaitable<bool> UploadExchange::begin(const TransferTarget& target) {
  const auto& head = connection_->head();
  const auto content_range = head.headers.find("Content-Range");
  if (content_range && !is_whole_content_range(*content_range, head.content_length)) {
    const auto message = base::make_message(
        "quire.http.content_range", "Only whole files are taken here: send the file again without Content-Range.");
    const auto response = parts_.api.refuse(head.target, 416, message);
    co_await connection_->respond(response);
    co_return false;
  }
  std::optional<std::int64_t> length;
  if (head.content_length) length = static_cast<std::int64_t>(*head.content_length);
  if (!head.chunked && !length) length = 0;
  std::function<void()> on_stop = [weak = std::weak_ptr(connection_), live = live_] {
    if (const auto connection = weak.lock()) connection->interrupt_while(live);
  };
  auto call = [this, &target, length, on_stop] { return parts_.transfers.begin_upload(target.token, length, on_stop); };
  auto begun = co_await offload(parts_.call_pool, call);
  if (begun.refusal) {
    const auto status = begun.refusal->gone ? 410 : transfer_status(begun.refusal->error.kind());
    co_await answer_error(status, begun.refusal->error);
    co_return false;
  }
  upload_ = std::move(begun.upload);
  co_return true;
}

/// False when there is none in time, or somebody stopped the transfer.
asio::awaitable<bool> UploadExchange::take_first_chunk() {
  const auto length = connection_->head().content_length;
  if (length && *length <= small_upload_bytes_max) {
    filling_ = Chunk::small(std::max<std::size_t>(*length, 1));
    co_return true;
  }
  if (connection_->transport().interrupted()) co_return false;
  auto alarm = connection_->alarm();
  auto buffer = co_await parts_.buffers.take(std::move(alarm), parts_.settings.limits.transfer_stall_timeout);
  if (!buffer) co_return false;
  filling_ = Chunk(std::move(buffer));
  co_return true;
}

asio::awaitable<void> UploadExchange::receive() {
  if (connection_->body() == HttpConnection::Body::more) {
    const bool taken = co_await take_first_chunk();
    if (!taken) {
      co_await end(service::BodyEnd::broken);
      co_return;
    }
  }
  while (connection_->body() == HttpConnection::Body::more) {
    co_await fill();
    if (connection_->body() != HttpConnection::Body::more) break;
    const bool going_on = co_await hand_over();
    if (!going_on) co_return;
  }
  const bool whole = connection_->body() == HttpConnection::Body::whole && !connection_->transport().interrupted();
  co_await end(whole ? service::BodyEnd::whole : service::BodyEnd::broken);
}

/// Reads until the chunk is full, the body has ended or the chunk takes too long.
asio::awaitable<void> UploadExchange::fill() {
  const auto stall = parts_.settings.limits.transfer_stall_timeout;
  const auto slow = after(stall / slow_part_of_stall);
  while (!filling_.space().empty()) {
    const auto now = std::chrono::steady_clock::now();
    const auto space = filling_.space();
    const auto deadline = now + stall;
    const std::size_t count = co_await connection_->read_body(space, deadline);
    if (count == 0) co_return;
    filling_.add(count);
    if (now > slow && filling_.filled().size() >= alignment) co_return;
  }
}

/// Waits for the chunk that is being stored, if any; its memory is free then.
asio::awaitable<Stored> UploadExchange::settle() {
  if (!storing_call_) co_return Stored();
  auto call = std::move(*storing_call_);
  storing_call_.reset();
  auto stored = co_await call.wait();
  storing_.clear();
  co_return stored;
}

/// Gives the filled chunk to the pool and gets an empty one. False after an error, which has been answered.
asio::awaitable<bool> UploadExchange::hand_over() {
  auto stored = co_await settle();
  if (!stored) {
    co_await answer(stored, service::BodyEnd::broken);
    co_return false;
  }
  if (parts_.buffers.wanted()) storing_ = Chunk();
  std::swap(filling_, storing_);
  // All of a slowly filled chunk but its last part of a page, which moves on: what is stored stays aligned.
  const auto filled = storing_.filled();
  const bool full = storing_.space().empty();
  const auto part = full ? filled : filled.first(filled.size() / alignment * alignment);
  const auto rest = filled.subspan(part.size());
  auto call = [upload = upload_, part] { return upload->append(part); };
  storing_call_.emplace(connection_->transport().executor(), parts_.transfer_pool, call);
  if (!filling_ && rest.empty()) {
    auto another = parts_.buffers.try_take();
    if (another) filling_ = Chunk(std::move(another));
  }
  if (filling_) {
    std::memcpy(filling_.space().data(), rest.data(), rest.size());
    filling_.add(rest.size());
    co_return true;
  }
  // One chunk has to do: it is free as soon as it is stored.
  stored = co_await storing_call_->wait();
  storing_call_.reset();
  if (!stored) {
    co_await answer(stored, service::BodyEnd::broken);
    co_return false;
  }
  std::swap(filling_, storing_);
  filling_.clear();
  std::memmove(filling_.space().data(), rest.data(), rest.size());
  filling_.add(rest.size());
  co_return true;
}

/// Stores what is left, ends the upload and answers.
asio::awaitable<void> UploadExchange::end(service::BodyEnd body_end) {
  auto outcome = co_await settle();
  if (outcome) {
    const bool stopped_by_others = connection_->transport().interrupted();
    const auto rest = stopped_by_others ? std::span<const std::byte>() : filling_.filled();
    auto call = [upload = std::move(upload_), rest, body_end]() mutable -> Stored {
      Stored stored;
      if (!rest.empty()) stored = upload->append(rest);
      if (stored) stored = upload->finish(body_end);
      upload.reset();  // here, because it may have bytes to remove
      return stored;
    };
    outcome = co_await offload(parts_.transfer_pool, std::move(call));
  }
  co_await answer(outcome, body_end);
}

asio::awaitable<void> UploadExchange::answer(const Stored& outcome, service::BodyEnd body_end) {
  filling_ = Chunk();
  storing_ = Chunk();
  if (upload_) {
    auto release = [upload = std::move(upload_)]() mutable {
      upload.reset();
      return true;
    };
    co_await offload(parts_.transfer_pool, std::move(release));
  }
  auto& transport = connection_->transport();
  const bool interrupted = transport.interrupted();
  *live_ = false;
  transport.resume();
  if (!outcome) {
    const auto kind = outcome.error().kind();
    const auto status = kind == base::ErrorKind::not_found ? 410 : transfer_status(kind);
    co_await answer_error(status, outcome.error());
  } else if (body_end == service::BodyEnd::whole) {
    const wire::Response done;
    co_await connection_->respond(done);
  } else if (interrupted) {
    const auto error = stopped();
    co_await answer_error(410, error);
  } else if (connection_->body() == HttpConnection::Body::malformed) {
    const auto message = base::make_message("quire.http.chunks", "The body's chunks are not as HTTP has them.");
    const auto response = parts_.api.refuse(connection_->head().target, 400, message);
    co_await connection_->respond(response);
  } else if (connection_->body() == HttpConnection::Body::more) {
    const auto error = no_memory_in_time();
    co_await answer_error(503, error);
  } else if (transport.end() == Transport::End::timed_out) {
    const auto message = base::make_message("quire.http.transfer_stalled", "No byte of the file arrived for too long.");
    const auto response = parts_.api.refuse(connection_->head().target, 408, message);
    co_await connection_->respond(response);
  }
}

asio::awaitable<void> UploadExchange::answer_error(int status, const base::Error& error) {
  const auto response = parts_.api.transfer_error(status, error);
  co_await connection_->respond(response);
}

}  // namespace

asio::awaitable<void> receive_upload(std::shared_ptr<HttpConnection> connection, const ServerParts& parts,
                                     const TransferTarget& target) {
  UploadExchange exchange(std::move(connection), parts);
  co_await exchange.run(target);
}

}  // namespace quire::http
