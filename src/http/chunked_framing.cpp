#include "http/chunked_framing.h"

#include "base/check.h"
#include "base/hex.h"
#include "http/request_head.h"

namespace quire::http {
namespace {

constexpr std::size_t ignored_bytes_max = 16 * 1024;
constexpr std::size_t size_digits_max = 64;                   // leading zeros included
constexpr std::uint64_t size_shiftable_max = INT64_MAX >> 4;  // the size with one digit more fits 63 bits

bool is_blank(char c) { return c == ' ' || c == '\t'; }

unsigned digit_value(char c) {
  if (c <= '9') return static_cast<unsigned>(c - '0');
  return static_cast<unsigned>((c | 0x20) - 'a') + 10;
}

}  // namespace

std::size_t ChunkedFraming::consume(std::string_view input) {
  std::size_t used = 0;
  while (used < input.size() && state_ == State::framing) next(input[used++]);
  return used;
}

void ChunkedFraming::took(std::uint64_t count) {
  QUIRE_CHECK(state_ == State::data && count <= data_left_);
  data_left_ -= count;
  if (data_left_ == 0) {
    state_ = State::framing;
    expects_ = Expects::data_return;
  }
}

void ChunkedFraming::next(char c) {
  switch (expects_) {
    case Expects::size:
      if (base::is_hex_digit(c) && size_digits_ < size_digits_max && data_left_ <= size_shiftable_max) {
        data_left_ = data_left_ * 16 + digit_value(c);
        ++size_digits_;
      } else if (size_digits_ > 0 && c == '\r') {
        expects_ = Expects::size_line_feed;
      } else if (size_digits_ > 0 && (c == ';' || is_blank(c))) {
        expects_ = c == ';' ? Expects::extension : Expects::blanks;
      } else {
        state_ = State::malformed;
      }
      return;
    case Expects::blanks:
      if (c == ';') {
        expects_ = Expects::extension;
      } else if (!is_blank(c) || ++ignored_bytes_ > ignored_bytes_max) {
        state_ = State::malformed;
      }
      return;
    case Expects::extension:
      if (c == '\r') {
        expects_ = Expects::size_line_feed;
      } else if (!is_value_char(c) || ++ignored_bytes_ > ignored_bytes_max) {
        state_ = State::malformed;
      }
      return;
    case Expects::size_line_feed:
      size_digits_ = 0;
      line_bytes_ = 0;
      if (c != '\n') {
        state_ = State::malformed;
      } else if (data_left_ > 0) {
        state_ = State::data;
      } else {
        expects_ = Expects::trailer_name;
      }
      return;
    case Expects::data_return:
      expects_ = Expects::data_line_feed;
      if (c != '\r') state_ = State::malformed;
      return;
    case Expects::data_line_feed:
      expects_ = Expects::size;
      if (c != '\n') state_ = State::malformed;
      return;
    case Expects::trailer_name:
      if (c == '\r' && line_bytes_ == 0) {
        expects_ = Expects::trailer_line_feed;
      } else if (c == ':' && line_bytes_ > 0) {
        expects_ = Expects::trailer_value;
      } else if (!is_token_char(c) || ++ignored_bytes_ > ignored_bytes_max) {
        state_ = State::malformed;
      } else {
        ++line_bytes_;
      }
      return;
    case Expects::trailer_value:
      if (c == '\r') {
        expects_ = Expects::trailer_line_feed;
      } else if (!is_value_char(c) || ++ignored_bytes_ > ignored_bytes_max) {
        state_ = State::malformed;
      }
      return;
    case Expects::trailer_line_feed:
      if (c != '\n') {
        state_ = State::malformed;
      } else if (line_bytes_ == 0) {
        state_ = State::done;
      } else {
        line_bytes_ = 0;
        expects_ = Expects::trailer_name;
      }
      return;
  }
}

}  // namespace quire::http
