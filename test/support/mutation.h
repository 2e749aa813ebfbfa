#pragma once

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>

namespace quire::test_support {

/// Makes damaged copies of valid input for tests that look for crashes.
class Mutator {
 public:
  explicit Mutator(std::uint64_t seed) : random_(seed) {}

  /// `original` with one to eight small damages.
  std::string damaged(std::string original) {
    for (auto left = 1 + below(8); left > 0; --left) damage(original);
    return original;
  }

  /// Uniform below `limit`, which is not 0.
  std::size_t below(std::size_t limit) { return static_cast<std::size_t>(random_() % limit); }

 private:
  void damage(std::string& text) {
    if (text.empty()) return text.push_back(any());
    const auto at = below(text.size());
    const auto count = 1 + below(std::min<std::size_t>(text.size() - at, 600));
    switch (below(7)) {
      case 0:
        text[at] = static_cast<char>(static_cast<unsigned char>(text[at]) ^ (1U << below(8)));
        return;
      case 1:
        text[at] = any();
        return;
      case 2:
        text.erase(at, count);
        return;
      case 3:
        text.insert(at, text.substr(below(text.size()), count));
        return;
      case 4:
        text.insert(at, 1, any());
        return;
      case 5:
        text.resize(at);
        return;
      default:
        text.replace(at, count, count, telling());
        return;
    }
  }

  char any() { return static_cast<char>(below(256)); }

  /// A byte that means something to one of the formats.
  char telling() {
    static constexpr std::string_view bytes{"\0\xFF\x80 0179/.=()<>&;\"\n\r-", 22};
    return bytes[below(bytes.size())];
  }

  std::mt19937_64 random_;
};

}  // namespace quire::test_support
