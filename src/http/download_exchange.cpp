#include "http/download_exchange.h"

#include <fcntl.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "base/base64.h"
#include "base/hex.h"
#include "http/byte_range.h"
#include "http/offload.h"
#include "http/upload_request.h"

namespace quire::http {
namespace asio = boost::asio;
namespace {

constexpr std::size_t sendfile_bytes = 4 * 1024 * 1024;
constexpr std::size_t piece_bytes = 128 * 1024;                 ///< read and encrypted at a time
constexpr std::size_t gathered_bytes = 1024 * 1024 + 8 * 1024;  ///< eight pieces and what TLS adds
constexpr off_t read_ahead_bytes = 4 * 1024 * 1024;             ///< asked for when the page cache has too little
constexpr std::size_t small_memory_bytes = 64 * 1024;           ///< when no buffer is free, and for small files
constexpr base::Duration touch_interval = std::chrono::seconds(5);

using Read = base::Result<std::size_t>;
using Touched = base::Result<void>;

/// RFC 9530 §3: of the whole file, whichever part of it the answer holds.
std::string repr_digest(std::string_view sha256_hex) {
  const auto digest = base::from_hex(sha256_hex).value_or(std::vector<std::byte>());
  return "sha-256=:" + base::to_base64(digest) + ":";
}

/// The parts of a multipart/byteranges answer (RFC 9110 §14.6).
class Parts {
 public:
  /// The boundary is the digest of the file: nobody can make a file that holds its own.
  Parts(const DownloadPlan& plan, std::string_view entity_tag, std::uint64_t size)
      : boundary_(entity_tag.substr(1, entity_tag.size() - 2)) {
    for (const auto& range : plan.ranges) {
      auto head = heads_.empty() ? std::string() : std::string("\r\n");
      head.append("--").append(boundary_).append("\r\nContent-Type: application/octet-stream\r\nContent-Range: ");
      head.append(content_range(range, size)).append("\r\n\r\n");
      length_ += head.size() + range.length;
      heads_.push_back(std::move(head));
    }
    end_ = "\r\n--" + boundary_ + "--\r\n";
    length_ += end_.size();
  }

  std::string content_type() const { return "multipart/byteranges; boundary=" + boundary_; }
  std::uint64_t length() const { return length_; }
  /// What stands before the bytes of a range.
  const std::string& head(std::size_t number) const { return heads_[number]; }
  const std::string& end() const { return end_; }

  static std::string content_range(const ByteRange& range, std::uint64_t size) {
    return "bytes " + std::to_string(range.first) + "-" + std::to_string(range.first + range.length - 1) + "/" +
           std::to_string(size);
  }

 private:
  std::string boundary_;
  std::vector<std::string> heads_;
  std::string end_;
  std::uint64_t length_ = 0;
};

/// Opened, or the answer why not.
struct Opening {
  std::optional<service::OpenDownload> download;
  std::optional<wire::Response> answer;
};

Opening open_blocking(const ServerParts& parts, const RequestHead& head, const TransferTarget& target) {
  Opening opening;
  auto opened = parts.transfers.open_download(target.token, target.name);
  if (opened) {
    opening.download = *std::move(opened);
    return opening;
  }
  if (opened.error().kind() == base::ErrorKind::not_found) {
    const auto upload = parts.transfers.is_upload_endpoint(target.token);
    if (upload && *upload) {
      opening.answer = method_not_allowed(parts.api, head.target, upload_methods);
      return opening;
    }
  }
  opening.answer = parts.api.transfer_error(transfer_status(opened.error().kind()), opened.error());
  return opening;
}

/// Memory that a transport has while this lives.
class LentMemory {
 public:
  LentMemory(Transport& transport, std::span<std::byte> memory) : transport_(transport) { transport_.lend(memory); }
  LentMemory(const LentMemory&) = delete;
  LentMemory& operator=(const LentMemory&) = delete;
  ~LentMemory() { transport_.lend({}); }

 private:
  Transport& transport_;
};

class DownloadExchange {
 public:
  DownloadExchange(std::shared_ptr<HttpConnection> connection, const ServerParts& parts, service::OpenDownload download)
      : connection_(std::move(connection)), parts_(parts), download_(std::move(download)) {}

  asio::awaitable<void> run();

 private:
  asio::awaitable<bool> send_parts(const DownloadPlan& plan, const Parts& parts);
  asio::awaitable<bool> send(ByteRange range);
  asio::awaitable<bool> send_file(int file, std::uint64_t first, std::uint64_t length);
  asio::awaitable<bool> send_read(std::uint64_t first, std::uint64_t length);
  asio::awaitable<bool> send_pieces(std::span<std::byte> memory, std::uint64_t first, std::uint64_t length);
  std::size_t read_cached(std::span<std::byte> space, std::uint64_t offset) const;
  OffloadedCall<Read> start_read(std::span<std::byte> space, std::uint64_t offset);
  asio::awaitable<bool> still_wanted();
  asio::awaitable<void> release();

  std::shared_ptr<HttpConnection> connection_;
  const ServerParts& parts_;
  service::OpenDownload download_;
  std::optional<OffloadedCall<Touched>> touching_;
  Deadline next_touch_ = after(touch_interval);
};

asio::awaitable<void> DownloadExchange::run() {
  const auto& head = connection_->head();
  const auto size = static_cast<std::uint64_t>(download_.bytes->size());
  const auto entity_tag = '"' + download_.sha256 + '"';
  const bool head_only = head.method == "HEAD";
  DownloadConditions conditions;
  if (!head_only) conditions.range = head.headers.find("Range");
  conditions.if_range = head.headers.find("If-Range");
  conditions.if_none_match = head.headers.find("If-None-Match");
  const auto plan = plan_download(size, entity_tag, conditions);

  if (plan.status == 416) {
    const auto message = base::make_message("quire.http.range", "The file has no byte in the range asked for.");
    auto response = parts_.api.refuse(head.target, 416, message);
    response.headers.add("Content-Range", "bytes */" + std::to_string(size));
    co_await connection_->respond(response);
    co_await release();
    co_return;
  }
  wire::Headers headers;
  headers.add("ETag", entity_tag);
  headers.add("Accept-Ranges", "bytes");
  std::optional<Parts> parts;
  std::uint64_t length = plan.ranges.empty() ? 0 : plan.ranges.front().length;
  if (plan.ranges.size() > 1) {
    parts.emplace(plan, entity_tag, size);
    length = parts->length();
    headers.add("Content-Type", parts->content_type());
  } else if (plan.status != 304) {
    headers.add("Content-Type", "application/octet-stream");
  }
  if (plan.status == 206 && !parts) headers.add("Content-Range", Parts::content_range(plan.ranges.front(), size));
  if (plan.status != 304) headers.add("Repr-Digest", repr_digest(download_.sha256));
  const bool with_body = !head_only && length > 0;
  auto& transport = connection_->transport();
  transport.set_cork(with_body && !transport.secure());
  const bool headed = co_await connection_->respond_head(plan.status, headers, length);
  if (headed && with_body) {
    bool sent = false;
    if (parts) {
      sent = co_await send_parts(plan, *parts);
    } else {
      sent = co_await send(plan.ranges.front());
    }
    if (!sent) connection_->abandon_answer();
  }
  transport.set_cork(false);
  co_await release();
}

asio::awaitable<bool> DownloadExchange::send_parts(const DownloadPlan& plan, const Parts& parts) {
  const auto stall = parts_.settings.limits.transfer_stall_timeout;
  const std::string_view nothing;
  for (std::size_t i = 0; i < plan.ranges.size(); ++i) {
    const bool headed = co_await connection_->transport().write(parts.head(i), nothing, stall);
    if (!headed) co_return false;
    const bool sent = co_await send(plan.ranges[i]);
    if (!sent) co_return false;
  }
  const bool ended = co_await connection_->transport().write(parts.end(), nothing, stall);
  co_return ended;
}

asio::awaitable<bool> DownloadExchange::send(ByteRange range) {
  const auto file = download_.bytes->file_descriptor();
  bool sent = false;
  if (!connection_->transport().secure() && file) {
    sent = co_await send_file(*file, range.first, range.length);
  } else {
    sent = co_await send_read(range.first, range.length);
  }
  co_return sent;
}

asio::awaitable<bool> DownloadExchange::send_file(int file, std::uint64_t first, std::uint64_t length) {
  const auto stall = parts_.settings.limits.transfer_stall_timeout;
  while (length > 0) {
    const auto slice = static_cast<std::size_t>(std::min<std::uint64_t>(length, sendfile_bytes));
    const auto offset = static_cast<std::int64_t>(first);
    const std::size_t count =
        co_await connection_->transport().send_file_some(file, offset, slice, parts_.transfer_pool, stall);
    if (count == 0) co_return false;
    first += count;
    length -= count;
    const bool wanted = co_await still_wanted();
    if (!wanted) co_return false;
    co_await connection_->transport().let_others_run();
  }
  co_return true;
}

asio::awaitable<bool> DownloadExchange::send_read(std::uint64_t first, std::uint64_t length) {
  if (length > small_memory_bytes) {
    const auto buffer = parts_.buffers.try_take();
    if (buffer) {
      const auto memory = buffer.bytes();
      const bool sent = co_await send_pieces(memory, first, length);
      co_return sent;
    }
  }
  const auto own = std::make_unique_for_overwrite<std::byte[]>(small_memory_bytes);
  const std::span<std::byte> memory(own.get(), small_memory_bytes);
  const bool sent = co_await send_pieces(memory, first, length);
  co_return sent;
}

/// Small pieces are read at once from the page cache, so that they are encrypted while the processor has them near, and
/// go out together. What is not there is read on the pool, while what was gathered goes out.
asio::awaitable<bool> DownloadExchange::send_pieces(std::span<std::byte> memory, std::uint64_t first,
                                                    std::uint64_t length) {
  const auto stall = parts_.settings.limits.transfer_stall_timeout;
  auto& transport = connection_->transport();
  const auto space = memory.first(std::min(piece_bytes, memory.size() / 4));
  const auto gathered = memory.subspan(space.size());
  const LentMemory lent(transport, gathered.first(std::min(gathered.size(), gathered_bytes)));
  while (length > 0) {
    const auto piece = space.first(static_cast<std::size_t>(std::min<std::uint64_t>(space.size(), length)));
    auto count = read_cached(piece, first);
    if (count == 0) {
      auto read_call = start_read(piece, first);
      const bool flushed = co_await transport.flush(stall);
      const auto read = co_await read_call.wait();
      if (!flushed || !read || *read == 0) co_return false;  // the length is promised: only a broken connection tells
      count = *read;
    }
    first += count;
    length -= count;
    const bool written = co_await transport.write_gathering(piece.first(count), stall);
    if (!written) co_return false;
    const bool wanted = co_await still_wanted();
    if (!wanted) co_return false;
  }
  const bool flushed = co_await transport.flush(stall);
  co_return flushed;
}

/// What the page cache has of `space` from `offset` on; 0 when nothing, or when that cannot be told.
std::size_t DownloadExchange::read_cached(std::span<std::byte> space, std::uint64_t offset) const {
  const auto file = download_.bytes->file_descriptor();
  if (!file) return 0;
  const iovec piece{space.data(), space.size()};
  const ssize_t count = ::preadv2(*file, &piece, 1, static_cast<off_t>(offset), RWF_NOWAIT);
  return count > 0 ? static_cast<std::size_t>(count) : 0;
}

OffloadedCall<Read> DownloadExchange::start_read(std::span<std::byte> space, std::uint64_t offset) {
  auto call = [bytes = download_.bytes, space, offset] {
    if (const auto file = bytes->file_descriptor())
      ::posix_fadvise(*file, static_cast<off_t>(offset), read_ahead_bytes, POSIX_FADV_WILLNEED);
    return bytes->read(static_cast<std::int64_t>(offset), space);
  };
  return OffloadedCall<Read>(connection_->transport().executor(), parts_.transfer_pool, call);
}

/// Tells the session now and then that bytes flow, without waiting for the answer; false when the session is gone.
asio::awaitable<bool> DownloadExchange::still_wanted() {
  if (touching_ && touching_->done()) {
    auto call = std::move(*touching_);
    touching_.reset();
    const auto touched = co_await call.wait();
    if (!touched && touched.error().kind() == base::ErrorKind::not_found) co_return false;
  }
  if (!touching_ && std::chrono::steady_clock::now() >= next_touch_) {
    next_touch_ = after(touch_interval);
    auto call = [&transfers = parts_.transfers, session = download_.session] {
      return transfers.touch_download(session);
    };
    touching_.emplace(connection_->transport().executor(), parts_.call_pool, call);
  }
  co_return true;
}

/// Closes the file on the pool: it may be the last thing that keeps the bytes of a removed blob.
asio::awaitable<void> DownloadExchange::release() {
  if (touching_) {
    auto call = std::move(*touching_);
    touching_.reset();
    [[maybe_unused]] const auto touched = co_await call.wait();
  }
  auto call = [bytes = std::move(download_.bytes)]() mutable {
    bytes.reset();
    return true;
  };
  co_await offload(parts_.transfer_pool, std::move(call));
}

}  // namespace

wire::Response method_not_allowed(const ApiHandler& api, std::string_view target, std::string_view allowed) {
  const auto message = base::make_message("quire.http.method_not_allowed", "Only {allowed} can be used here.",
                                          {{"allowed", std::string(allowed)}});
  auto response = api.refuse(target, 405, message);
  response.headers.add("Allow", std::string(allowed));
  return response;
}

asio::awaitable<void> send_download(std::shared_ptr<HttpConnection> connection, const ServerParts& parts,
                                    const TransferTarget& target) {
  auto call = [&] { return open_blocking(parts, connection->head(), target); };
  auto opening = co_await offload(parts.call_pool, call);
  if (!opening.download) {
    co_await connection->respond(*opening.answer);
    co_return;
  }
  auto download = std::move(*opening.download);
  DownloadExchange exchange(connection, parts, std::move(download));
  co_await exchange.run();
}

}  // namespace quire::http
