#include "load/machine.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "load/client.h"

namespace quire::bench {
namespace {

constexpr std::size_t hash_piece_bytes = 1024 * 1024;
constexpr std::size_t disk_piece_bytes = 4 * 1024 * 1024;
constexpr std::size_t alignment = 4096;

template <class Work>
double seconds_of(Work work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

struct Free {
  void operator()(void* memory) const { std::free(memory); }
};

}  // namespace

boost::json::object measure_sha256(std::uint64_t bytes) {
  const std::vector<unsigned char> piece(hash_piece_bytes, 0x5a);
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  const auto seconds = seconds_of([&] {
    if (EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) != 1) throw LoadFailure("no SHA-256");
    for (auto left = bytes; left > 0;) {
      const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(left, piece.size()));
      EVP_DigestUpdate(context.get(), piece.data(), count);
      left -= count;
    }
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    EVP_DigestFinal_ex(context.get(), digest.data(), nullptr);
  });
  return {{"seconds", seconds}, {"bytes", bytes}};
}

boost::json::object measure_disk(const std::string& folder, std::uint64_t bytes) {
  const auto path = folder + "/disk-rate";
  const std::unique_ptr<void, Free> piece(std::aligned_alloc(alignment, disk_piece_bytes));
  std::memset(piece.get(), 0x5a, disk_piece_bytes);
  const auto whole = bytes / disk_piece_bytes * disk_piece_bytes;
  const auto seconds = seconds_of([&] {
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_DIRECT | O_CLOEXEC, 0600);
    if (file < 0) fail_with_errno(path);
    if (::fallocate(file, 0, 0, static_cast<off_t>(whole)) != 0) fail_with_errno("fallocate");
    for (std::uint64_t done = 0; done < whole; done += disk_piece_bytes) {
      if (::pwrite(file, piece.get(), disk_piece_bytes, static_cast<off_t>(done)) != disk_piece_bytes)
        fail_with_errno("write");
    }
    if (::fdatasync(file) != 0) fail_with_errno("fdatasync");
    ::close(file);
  });
  ::unlink(path.c_str());
  return {{"seconds", seconds}, {"bytes", whole}};
}

}  // namespace quire::bench
