#include "bundle/tar_archive.h"

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <numeric>

#include "base/check.h"

namespace quire::bundle {
namespace {

constexpr std::size_t block_bytes = 512;
constexpr std::size_t name_bytes = 100;

/// A header of POSIX ustar: fields at fixed places, numbers in octal digits.
class Header {
 public:
  void text(std::size_t at, std::string_view value) { std::memcpy(&bytes_[at], value.data(), value.size()); }
  /// `digits` of them and a NUL.
  void number(std::size_t at, int digits, std::uint64_t value) {
    std::array<char, 24> shown{};
    std::snprintf(shown.data(), shown.size(), "%0*llo", digits, static_cast<unsigned long long>(value));
    std::memcpy(&bytes_[at], shown.data(), static_cast<std::size_t>(digits));
  }
  std::string_view with_sum() {
    constexpr std::size_t sum_at = 148;
    text(sum_at, "        ");
    const auto sum = std::accumulate(bytes_.begin(), bytes_.end(), 0U,
                                     [](unsigned all, char c) { return all + static_cast<unsigned char>(c); });
    number(sum_at, 6, sum);
    bytes_[sum_at + 6] = '\0';
    return {bytes_.data(), bytes_.size()};
  }

 private:
  std::array<char, block_bytes> bytes_{};
};

}  // namespace

std::string tar_archive(const std::vector<TarMember>& members, base::Time modified) {
  std::string archive;
  for (const auto& member : members) {
    QUIRE_CHECK(member.name.size() <= name_bytes);
    Header header;
    header.text(0, member.name);
    header.number(100, 7, 0600);
    header.number(108, 7, 0);
    header.number(116, 7, 0);
    header.number(124, 11, member.content.size());
    header.number(
        136, 11,
        static_cast<std::uint64_t>(std::chrono::floor<std::chrono::seconds>(modified).time_since_epoch().count()));
    header.text(156, "0");
    header.text(257, std::string_view("ustar\00000", 8));
    archive += header.with_sum();
    archive += member.content;
    archive.resize((archive.size() + block_bytes - 1) / block_bytes * block_bytes);
  }
  archive.resize(archive.size() + 2 * block_bytes);
  return archive;
}

}  // namespace quire::bundle
