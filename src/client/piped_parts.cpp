#include "client/piped_parts.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "client/failure.h"
#include "client/places.h"
#include "client/signals.h"

namespace quire::client {
namespace {

using base::Result;

constexpr int look_after_ms = 200;

/// Waits until there is something to read, so that a signal ends it.
Result<std::size_t> read_some(int file, std::span<char> into) {
  while (true) {
    pollfd waiting = {file, POLLIN, 0};
    const int ready = ::poll(&waiting, 1, look_after_ms);
    if (stop_flag()) return interrupted();
    if (ready <= 0) continue;
    const auto count = ::read(file, into.data(), into.size());
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno != EINTR && errno != EAGAIN) return local_error("cannot read what is piped: " + system_reason(errno));
  }
}

class MemoryBytes final : public UploadBytes {
 public:
  MemoryBytes(std::int64_t first, std::vector<char> bytes) : first_(first), bytes_(std::move(bytes)) {}

  Result<std::size_t> read_at(std::int64_t offset, std::span<char> into) const override {
    const auto at = static_cast<std::size_t>(offset - first_);
    const auto count = std::min(into.size(), bytes_.size() - at);
    std::memcpy(into.data(), bytes_.data() + at, count);
    return count;
  }

 private:
  const std::int64_t first_;
  const std::vector<char> bytes_;
};

class PipedBytes final : public UploadBytes {
 public:
  explicit PipedBytes(int file) : file_(file) {}
  Result<std::size_t> read_at(std::int64_t, std::span<char> into) const override { return read_some(file_, into); }
  bool is_repeatable() const override { return false; }

 private:
  const int file_;
};

}  // namespace

std::shared_ptr<const UploadBytes> piped_bytes(int file) { return std::make_shared<PipedBytes>(file); }

Result<std::vector<char>> PipedParts::read_part() {
  std::vector<char> bytes(static_cast<std::size_t>(part_bytes_));
  std::size_t filled = 0;
  while (filled < bytes.size()) {
    QUIRE_ASSIGN_OR_RETURN(const auto count, read_some(file_, std::span(bytes).subspan(filled)));
    if (count == 0) break;
    filled += count;
  }
  bytes.resize(filled);
  return bytes;
}

Result<std::optional<UploadPart>> PipedParts::next() {
  if (ended_) return std::optional<UploadPart>();
  std::vector<char> bytes;
  if (ahead_) {
    bytes = *std::exchange(ahead_, std::nullopt);
  } else {
    QUIRE_ASSIGN_OR_RETURN(bytes, read_part());
  }
  if (static_cast<std::int64_t>(bytes.size()) == part_bytes_) {
    QUIRE_ASSIGN_OR_RETURN(ahead_, read_part());
    ended_ = ahead_->empty();
  } else {
    ended_ = true;
  }
  const content::ByteRange range{position_, position_ + static_cast<std::int64_t>(bytes.size())};
  position_ = range.end;
  UploadPart part{name_, uri_, range, std::nullopt, nullptr, true};
  if (ended_) part.file_length = range.end;
  part.bytes = std::make_shared<MemoryBytes>(range.first, std::move(bytes));
  return std::optional(std::move(part));
}

}  // namespace quire::client
