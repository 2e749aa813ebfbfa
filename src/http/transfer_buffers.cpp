#include "http/transfer_buffers.h"

#include <sys/mman.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdlib>

#include "base/check.h"

namespace quire::http {
namespace asio = boost::asio;
namespace {

constexpr std::size_t huge_page_bytes = 2 * 1024 * 1024;

std::byte* allocate(std::size_t bytes) {
  const auto whole = (bytes + huge_page_bytes - 1) / huge_page_bytes * huge_page_bytes;
  void* memory = std::aligned_alloc(huge_page_bytes, whole);
  QUIRE_CHECK(memory != nullptr);
  madvise(memory, whole, MADV_HUGEPAGE);  // a wish; nothing depends on it
  return static_cast<std::byte*>(memory);
}

}  // namespace

struct TransferBuffers::Waiter {
  std::shared_ptr<asio::steady_timer> alarm;
  TransferBuffer buffer;  ///< guarded by mutex_
};

TransferBuffer::~TransferBuffer() {
  if (home_ != nullptr) home_->give_back(bytes_);
}

void TransferBuffers::Free::operator()(std::byte* memory) const { std::free(memory); }

TransferBuffers::TransferBuffers(std::size_t buffer_bytes, std::size_t bytes_max)
    : buffer_bytes_(buffer_bytes),
      count_(std::max<std::size_t>(1, bytes_max / buffer_bytes)),
      memory_(allocate(buffer_bytes_ * count_)) {
  for (std::size_t i = count_; i > 0; --i) free_.emplace_back(memory_.get() + (i - 1) * buffer_bytes_, buffer_bytes_);
}

TransferBuffer TransferBuffers::try_take() {
  const std::scoped_lock lock(mutex_);
  if (free_.empty() || !waiters_.empty()) return {};
  TransferBuffer buffer(*this, free_.back());
  free_.pop_back();
  return buffer;
}

asio::awaitable<TransferBuffer> TransferBuffers::take(std::shared_ptr<asio::steady_timer> alarm, base::Duration wait) {
  if (auto buffer = try_take()) co_return buffer;
  auto waiter = std::make_shared<Waiter>();
  waiter->alarm = alarm;
  alarm->expires_after(wait);
  {
    const std::scoped_lock lock(mutex_);
    waiters_.push_back(waiter);
    // One may have come back since the look above.
    if (waiters_.size() == 1 && !free_.empty()) {
      waiters_.pop_back();
      TransferBuffer buffer(*this, free_.back());
      free_.pop_back();
      co_return buffer;
    }
  }
  boost::system::error_code ignored;
  co_await alarm->async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  const std::scoped_lock lock(mutex_);
  std::erase(waiters_, waiter);
  co_return std::move(waiter->buffer);
}

void TransferBuffers::give_back(std::span<std::byte> bytes) {
  const std::scoped_lock lock(mutex_);
  if (waiters_.empty()) {
    free_.push_back(bytes);
    return;
  }
  auto waiter = std::move(waiters_.front());
  waiters_.pop_front();
  waiter->buffer = TransferBuffer(*this, bytes);
  asio::post(waiter->alarm->get_executor(), [alarm = waiter->alarm] { alarm->cancel(); });
}

bool TransferBuffers::wanted() const {
  const std::scoped_lock lock(mutex_);
  return !waiters_.empty();
}

std::size_t TransferBuffers::taken() const {
  const std::scoped_lock lock(mutex_);
  return count_ - free_.size();
}

}  // namespace quire::http
