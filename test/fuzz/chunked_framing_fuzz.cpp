#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "http/chunked_framing.h"

using quire::http::ChunkedFraming;

namespace {

struct Unframed {
  std::string body;
  ChunkedFraming::State state;
  std::size_t left;  ///< behind the end of the body
  bool operator==(const Unframed&) const = default;
};

Unframed unframe(std::string_view input, std::size_t piece_bytes) {
  ChunkedFraming framing;
  Unframed result;
  auto piece = input.substr(0, 0);
  while (true) {
    if (piece.empty()) {
      piece = input.substr(0, piece_bytes);
      input.remove_prefix(piece.size());
    }
    if (framing.state() == ChunkedFraming::State::data) {
      const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(framing.data_left(), piece.size()));
      if (count == 0) break;
      result.body += piece.substr(0, count);
      framing.took(count);
      piece.remove_prefix(count);
    } else {
      const auto used = framing.consume(piece);
      QUIRE_CHECK(used <= piece.size());
      if (used == 0) break;
      piece.remove_prefix(used);
    }
  }
  result.state = framing.state();
  result.left = piece.size() + input.size();
  return result;
}

}  // namespace

/// The body is the same however its bytes arrive; the first byte says in pieces of how many.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data + 1), size - 1);
  const auto whole = unframe(input, std::max<std::size_t>(1, input.size()));
  QUIRE_CHECK(whole == unframe(input, 1));
  QUIRE_CHECK(whole == unframe(input, 1U + data[0]));
  return 0;
}
