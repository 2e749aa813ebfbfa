#include "http/tls_engine.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace quire::http {
namespace {

constexpr std::size_t record_plain_bytes_max = 16 * 1024;
constexpr std::size_t record_frame_bytes_max = 64;  // header, nonce, type and tag of the ciphers there are

}  // namespace

/// The BIO through which OpenSSL sees the engine's buffers.
struct TlsMemory {
  static int read(BIO* bio, char* data, int size) {
    auto* engine = static_cast<TlsEngine*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    const auto count = engine->take_input(std::as_writable_bytes(std::span(data, static_cast<std::size_t>(size))));
    if (count > 0) return static_cast<int>(count);
    BIO_set_retry_read(bio);
    return -1;
  }

  static int write(BIO* bio, const char* data, int size) {
    auto* engine = static_cast<TlsEngine*>(BIO_get_data(bio));
    engine->add_output(std::as_bytes(std::span(data, static_cast<std::size_t>(size))));
    return size;
  }

  static long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

  static BIO_METHOD* method() {
    static BIO_METHOD* const method = [] {
      BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "quire memory");
      QUIRE_CHECK(made != nullptr);
      BIO_meth_set_read(made, read);
      BIO_meth_set_write(made, write);
      BIO_meth_set_ctrl(made, control);
      return made;
    }();
    return method;
  }
};

TlsEngine::TlsEngine(std::shared_ptr<SSL_CTX> context)
    : context_(std::move(context)),
      ssl_(SSL_new(context_.get())),
      input_(std::make_unique_for_overwrite<std::byte[]>(record_bytes_max)) {
  QUIRE_CHECK(ssl_ != nullptr);
  BIO* bio = BIO_new(TlsMemory::method());
  QUIRE_CHECK(bio != nullptr);
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_, bio, bio);
  SSL_set_accept_state(ssl_);
}

TlsEngine::~TlsEngine() { SSL_free(ssl_); }

TlsEngine::Step TlsEngine::outcome(int result) {
  const int reason = SSL_get_error(ssl_, result);
  if (reason == SSL_ERROR_NONE) return Step::done;
  if (reason == SSL_ERROR_WANT_READ) return Step::wants_input;
  if (reason == SSL_ERROR_ZERO_RETURN) return Step::closed;
  ERR_clear_error();
  return Step::failed;
}

TlsEngine::Step TlsEngine::handshake() {
  ERR_clear_error();
  return outcome(SSL_do_handshake(ssl_));
}

TlsEngine::Step TlsEngine::read(std::span<std::byte> out, std::size_t& count) {
  ERR_clear_error();
  count = 0;
  while (count < out.size()) {
    std::size_t got = 0;
    const int result = SSL_read_ex(ssl_, out.data() + count, out.size() - count, &got);
    count += got;
    if (result != 1) return count > 0 ? Step::done : outcome(result);
  }
  return Step::done;
}

TlsEngine::Step TlsEngine::read(std::span<std::byte> out, std::size_t& count, std::span<const std::byte> more) {
  QUIRE_CHECK(out.size() >= more.size() + record_bytes_max);
  more_ = more;
  const auto step = read(out, count);
  more_ = {};
  return step;
}

TlsEngine::Step TlsEngine::write(std::span<const std::byte> plain) {
  if (plain.empty()) return Step::done;
  ERR_clear_error();
  std::size_t written = 0;
  const auto step = outcome(SSL_write_ex(ssl_, plain.data(), plain.size(), &written));
  return step == Step::done ? step : Step::failed;
}

void TlsEngine::close() {
  ERR_clear_error();
  SSL_shutdown(ssl_);
  ERR_clear_error();
}

bool TlsEngine::has_input() const { return input_end_ > input_begin_ || SSL_pending(ssl_) > 0; }

std::span<std::byte> TlsEngine::input_space() {
  const auto held = input_end_ - input_begin_;
  if (input_begin_ > 0) {
    std::memmove(input_.get(), input_.get() + input_begin_, held);
    input_begin_ = 0;
    input_end_ = held;
  }
  return {input_.get() + input_end_, record_bytes_max - input_end_};
}

std::size_t TlsEngine::take_input(std::span<std::byte> out) {
  const auto held = std::min(out.size(), input_end_ - input_begin_);
  if (held > 0) {
    std::memcpy(out.data(), input_.get() + input_begin_, held);
    input_begin_ += held;
    return held;
  }
  const auto count = std::min(out.size(), more_.size());
  if (count > 0) std::memcpy(out.data(), more_.data(), count);
  more_ = more_.subspan(count);
  return count;
}

void TlsEngine::add_output(std::span<const std::byte> bytes) {
  if (output_.empty() && bytes.size() <= lent_.size() - lent_end_) {
    std::memcpy(lent_.data() + lent_end_, bytes.data(), bytes.size());
    lent_end_ += bytes.size();
  } else {
    output_.insert(output_.end(), bytes.begin(), bytes.end());
  }
}

std::span<const std::byte> TlsEngine::output() const {
  const auto lent = lent_.subspan(lent_begin_, lent_end_ - lent_begin_);
  return lent.empty() ? std::span(output_).subspan(output_begin_) : lent;
}

void TlsEngine::sent(std::size_t count) {
  if (lent_begin_ < lent_end_) {
    lent_begin_ += count;
    if (lent_begin_ == lent_end_) lent_begin_ = lent_end_ = 0;
    return;
  }
  output_begin_ += count;
  if (output_begin_ < output_.size()) return;
  output_.clear();
  output_begin_ = 0;
}

void TlsEngine::lend(std::span<std::byte> space) {
  const auto unsent = lent_.subspan(lent_begin_, lent_end_ - lent_begin_);
  output_.insert(output_.begin() + static_cast<std::ptrdiff_t>(output_begin_), unsent.begin(), unsent.end());
  lent_ = space;
  lent_begin_ = lent_end_ = 0;
}

bool TlsEngine::has_room_for(std::size_t plain_bytes) const {
  const auto frames = (plain_bytes / record_plain_bytes_max + 1) * record_frame_bytes_max;
  return output_.empty() && plain_bytes + frames <= lent_.size() - lent_end_;
}

void TlsEngine::trim() {
  if (output().empty()) output_.shrink_to_fit();
}

}  // namespace quire::http
