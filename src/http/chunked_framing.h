#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace quire::http {

/// Follows the framing of a chunked body (RFC 9112 §7.1) without holding its data: the caller alternates consume() for
/// the bytes between the data and took() for the data.
class ChunkedFraming {
 public:
  enum class State {
    framing,    ///< consume() needs (more) bytes
    data,       ///< the next data_left() bytes are the body's
    done,       ///< the last chunk and its trailer have been consumed
    malformed,  ///< for good
  };

  State state() const { return state_; }
  std::uint64_t data_left() const { return data_left_; }

  /// Takes framing from the start of `input` until data begins, the body ends or `input` is used up; returns how many
  /// bytes.
  std::size_t consume(std::string_view input);

  /// The caller has taken `count` of the data_left() bytes.
  void took(std::uint64_t count);

 private:
  enum class Expects {
    size,
    blanks,  ///< before an extension
    extension,
    size_line_feed,
    data_return,
    data_line_feed,
    trailer_name,
    trailer_value,
    trailer_line_feed
  };
  void next(char c);

  State state_ = State::framing;
  Expects expects_ = Expects::size;
  std::uint64_t data_left_ = 0;
  std::size_t size_digits_ = 0;
  std::size_t line_bytes_ = 0;     ///< of the present trailer line
  std::size_t ignored_bytes_ = 0;  ///< extensions and trailers so far, bounded
};

}  // namespace quire::http
