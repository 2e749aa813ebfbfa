#include "client/part_download.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <span>

#include "base/base64.h"
#include "base/decimal.h"
#include "base/hex.h"
#include "client/failure.h"
#include "client/part_upload.h"
#include "client/places.h"

namespace quire::client {
namespace {

using base::Error;
using base::Result;
using Clock = std::chrono::steady_clock;

Error other_content(const std::string& name) {
  return content_refused(name + " was replaced on the server meanwhile; run again");
}

Error false_bytes(const Download& download) {
  return content_refused(download.name + " does not have the " + std::string(name_of(download.checksum->algorithm)) +
                         " that the server tells; what had arrived was removed");
}

/// Of answers that another attempt would repeat.
Error refusal_of(const std::string& name, const HttpResponse& answer) {
  if (answer.status == 412) return other_content(name);
  return error_of(answer);
}

Result<void> write_all(int file, std::span<const char> bytes) {
  while (!bytes.empty()) {
    const auto written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return local_error("cannot write: " + system_reason(errno));
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

/// `bytes 5-9/10` begins at the offset that was asked for.
bool begins_at(const HttpHead& head, std::int64_t offset) {
  const auto field = head.find("content-range").value_or("");
  return field.starts_with("bytes " + std::to_string(offset) + "-");
}

}  // namespace

std::optional<base::Checksum> checksum_of_digest_field(std::string_view field) {
  constexpr std::string_view key = "sha-256=:";
  const auto at = base::to_lower(field).find(key);
  if (at == std::string::npos) return std::nullopt;
  field.remove_prefix(at + key.size());
  const auto bytes = base::from_base64(field.substr(0, field.find(':')));
  if (!bytes) return std::nullopt;
  base::Checksum checksum{base::DigestAlgorithm::SHA256, base::to_hex(*bytes)};
  if (checksum.hex.size() != base::hex_length(checksum.algorithm)) return std::nullopt;
  return checksum;
}

Result<DownloadFacts> ask_download(HttpClient& http, const Api& api, const std::string& uri) {
  HttpRequest request;
  request.method = "HEAD";
  request.url = uri;
  request.fields = api.transfer_fields(uri);
  QUIRE_ASSIGN_OR_RETURN(const auto answer, http.send(request));
  DownloadFacts facts;
  if (may_try_again(answer.status)) return error_of(answer);
  if (!answer.is_success()) return facts;  // a server that answers GET alone
  facts.size = base::parse_decimal(answer.find("content-length").value_or(""));
  facts.checksum = checksum_of_digest_field(answer.find("repr-digest").value_or(""));
  const auto version = answer.find("etag").value_or("");
  if (answer.find("accept-ranges") == "bytes" && version.starts_with('"')) facts.version = version;
  return facts;
}

void PartReceiver::fill_queue(std::vector<Download>& downloads) {
  // From a server that is near, one connection takes the processor a fifth less than four, and bytes in order let the
  // digest keep up.
  const auto part_bytes = settings_.part_bytes_at(api_.transport().round_trip_us);
  for (auto& download : downloads) {
    if (download.version.empty() || !download.size) {
      progress_.add(-download.received.bytes());
      download.received = {};
      if (download.size != 0) queue_.push_back({&download, {0, download.size.value_or(0)}});
      continue;
    }
    for (const auto& gap : missing_parts(download.received, {0, *download.size}))
      for (auto first = gap.first; first < gap.end; first += part_bytes)
        queue_.push_back({&download, {first, std::min(gap.end, first + part_bytes)}});
  }
}

Result<void> PartReceiver::store(Download& download, std::int64_t offset, std::span<const char> bytes) {
  const auto whole = bytes;
  for (auto at = offset; !bytes.empty();) {
    const auto written = ::pwrite(download.file, bytes.data(), bytes.size(), at);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return local_error("cannot write " + download.name + ": " + system_reason(errno));
    at += written;
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  progress_.add(static_cast<std::int64_t>(whole.size()));
  patience_.advanced();
  const std::lock_guard lock(mutex_);
  download.received.add({offset, offset + static_cast<std::int64_t>(whole.size())});
  arrived_.notify_all();
  return {};
}

/// One request; moves the start of `wanted` behind what has arrived.
Result<HttpResponse> PartReceiver::get(HttpClient& http, Range& wanted) {
  auto& download = *wanted.download;
  const bool in_parts = !download.version.empty();
  const auto asked = wanted.range.first;
  HttpRequest request;
  request.url = download.uri;
  request.fields = api_.transfer_fields(download.uri);
  if (in_parts) {
    request.fields.emplace_back("Range", fmt::format("bytes={}-{}", asked, wanted.range.end - 1));
    request.fields.emplace_back("If-Match", download.version);
  }
  request.sink = [&](const HttpHead& head, std::span<const char> bytes) -> Result<void> {
    if (over_) return interrupted();
    const auto end = wanted.range.first + static_cast<std::int64_t>(bytes.size());
    if (in_parts && (head.status != 206 || !begins_at(head, asked) || end > wanted.range.end))
      return local_error("the server sent other bytes of " + download.name + " than were asked for");
    const auto stored = store(download, wanted.range.first, bytes);
    if (stored) wanted.range.first = end;
    return stored;
  };
  return http.send(request);
}

Result<void> PartReceiver::receive(HttpClient& http, Range wanted) {
  auto& download = *wanted.download;
  const bool in_parts = !download.version.empty();
  int failures = 0;
  while (true) {
    const auto before = wanted.range.first;
    const auto answer = get(http, wanted);
    const bool whole = wanted.range.end == 0 || wanted.range.first >= wanted.range.end;
    if (answer && answer->is_success() && whole) {
      const std::lock_guard lock(mutex_);
      if (!download.size) download.size = download.received.end();
      arrived_.notify_all();
      return {};
    }
    if (!answer && !may_try_again(answer.error())) return answer.error();
    if (answer && !answer->is_success() && !may_try_again(answer->status)) return refusal_of(download.name, *answer);
    if (wanted.range.first > before && in_parts) failures = 0;
    if (!patience_.wait(++failures, over_)) {
      if (api_.transport().stopped() || over_) return interrupted();
      return answer ? network_error(download.name + " broke off") : answer.error();
    }
    if (in_parts) continue;
    const std::lock_guard lock(mutex_);
    progress_.add(-wanted.range.first);  // from the start again
    wanted.range.first = 0;
  }
}

void PartReceiver::fail(const Error& error) {
  const std::lock_guard lock(mutex_);
  if (!failure_ || is_interrupted(*failure_)) failure_ = error;
  over_ = true;
  arrived_.notify_all();
}

void PartReceiver::work() {
  HttpClient http(api_.transport());
  while (!over_) {
    Range wanted;
    {
      const std::lock_guard lock(mutex_);
      if (queue_.empty()) break;
      wanted = queue_.front();
      queue_.pop_front();
    }
    if (const auto received = receive(http, wanted); !received) fail(received.error());
  }
  const std::lock_guard lock(mutex_);
  --working_;
  ended_.notify_all();
}

/// Follows the bytes that have arrived without a gap, and compares at the end.
Result<void> PartReceiver::hash_one(Download& download) {
  if (!download.checksum) return {};
  base::Hasher hasher(download.checksum->algorithm);
  constexpr std::size_t piece = 1UL << 20U;
  std::vector<char> buffer(piece);
  download.hashed = 0;
  while (true) {
    std::int64_t there = 0;
    {
      std::unique_lock lock(mutex_);
      arrived_.wait(lock, [&] {
        return over_ || download.received.prefix() > download.hashed || download.size == download.hashed;
      });
      if (over_) return {};
      if (download.size == download.hashed) break;
      there = download.received.prefix();
    }
    while (download.hashed < there && !over_) {
      const auto count = std::min<std::int64_t>(there - download.hashed, static_cast<std::int64_t>(buffer.size()));
      const auto got = ::pread(download.file, buffer.data(), static_cast<std::size_t>(count), download.hashed);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return local_error("cannot read " + download.name + ": " + system_reason(errno));
      hasher.update(std::as_bytes(std::span(buffer).first(static_cast<std::size_t>(got))));
      download.hashed += got;
    }
  }
  if (hasher.finish() != *download.checksum) {
    const std::lock_guard lock(mutex_);
    download.received = {};
    return false_bytes(download);
  }
  return {};
}

void PartReceiver::hash(std::vector<Download>& downloads) {
  for (auto& download : downloads)
    if (const auto hashed = hash_one(download); !hashed) fail(hashed.error());
  const std::lock_guard lock(mutex_);
  --working_;
  ended_.notify_all();
}

Result<void> PartReceiver::run(std::vector<Download>& downloads, const std::function<void()>& tick) {
  fill_queue(downloads);
  std::vector<std::thread> threads;
  const int connections = std::max(1, settings_.connections);
  working_ = connections + 1;
  for (int i = 0; i < connections; ++i) threads.emplace_back([this] { work(); });
  threads.emplace_back([this, &downloads] { hash(downloads); });
  while (true) {
    std::unique_lock lock(mutex_);
    tick();
    if (ended_.wait_for(lock, tick_after, [this] { return working_ == 0; })) break;
  }
  for (auto& thread : threads) thread.join();
  if (failure_) return *failure_;
  if (api_.transport().stopped()) return interrupted();
  return {};
}

Result<void> receive_in_order(Api& api, const TransferSettings& settings, Download& download, int destination,
                              Progress& progress) {
  HttpClient http(api.transport());
  Patience patience(api.transport(), settings.give_up_after);
  std::atomic<bool> never = false;
  std::optional<base::Hasher> hasher;
  if (download.checksum) hasher.emplace(download.checksum->algorithm);
  std::int64_t position = 0;
  int failures = 0;
  progress.tick(Clock::now());
  while (true) {
    const auto before = position;
    HttpRequest request;
    request.url = download.uri;
    request.fields = api.transfer_fields(download.uri);
    if (position > 0) {
      request.fields.emplace_back("Range", fmt::format("bytes={}-", position));
      request.fields.emplace_back("If-Match", download.version);
    }
    request.sink = [&](const HttpHead& head, std::span<const char> bytes) -> Result<void> {
      if (before > 0 && (head.status != 206 || !begins_at(head, before)))
        return local_error("the server sent other bytes of " + download.name + " than were asked for");
      QUIRE_RETURN_IF_ERROR(write_all(destination, bytes));
      if (hasher) hasher->update(std::as_bytes(bytes));
      position += static_cast<std::int64_t>(bytes.size());
      progress.add(static_cast<std::int64_t>(bytes.size()));
      progress.tick(Clock::now());
      patience.advanced();
      return {};
    };
    const auto answer = http.send(request);
    if (answer && answer->is_success() && (!download.size || position == *download.size)) break;
    if (!answer && !may_try_again(answer.error())) return answer.error();
    if (answer && !answer->is_success() && !may_try_again(answer->status)) return refusal_of(download.name, *answer);
    if (position > 0 && download.version.empty())
      return network_error(download.name + " broke off, and this server cannot go on in the middle");
    if (position > before) failures = 0;
    if (!patience.wait(++failures, never))
      return api.transport().stopped() ? interrupted() : network_error(download.name + " broke off");
  }
  if (hasher && hasher->finish() != *download.checksum)
    return content_refused(download.name + " does not have the checksum that the server tells");
  return {};
}

}  // namespace quire::client
