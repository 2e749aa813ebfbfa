#include "load/transfers.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <mutex>
#include <span>
#include <thread>

#include "load/client.h"

namespace quire::bench {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// A file in memory.
class MappedFile {
 public:
  explicit MappedFile(const std::string& path) : file_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    struct stat facts{};
    if (file_ < 0 || ::fstat(file_, &facts) != 0) fail_with_errno(path);
    size_ = static_cast<std::size_t>(facts.st_size);
    memory_ = ::mmap(nullptr, size_, PROT_READ, MAP_SHARED | MAP_POPULATE, file_, 0);
    if (memory_ == MAP_FAILED) fail_with_errno("mmap");
  }
  ~MappedFile() {
    ::munmap(memory_, size_);
    ::close(file_);
  }
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  int file() const { return file_; }
  std::span<const std::byte> bytes() const { return {static_cast<const std::byte*>(memory_), size_}; }

 private:
  int file_;
  std::size_t size_ = 0;
  void* memory_ = nullptr;
};

void sync_path(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0 || ::fsync(file) != 0) fail_with_errno("sync of " + path);
  ::close(file);
}

void send_zeros(Client& client, std::uint64_t count) {
  static const std::vector<std::byte> zeros(1024 * 1024);
  while (count > 0) {
    const auto piece = static_cast<std::size_t>(std::min<std::uint64_t>(count, zeros.size()));
    client.send(std::span(zeros).first(piece));
    count -= piece;
  }
}

void send_body(Client& client, const Uploading& uploading, const MappedFile* file) {
  if (file != nullptr) {
    client.send_file(file->file(), file->bytes());
    return;
  }
  const auto before = std::min(uploading.stall_at.value_or(uploading.zeros), uploading.zeros);
  send_zeros(client, before);
  if (uploading.stall_at) std::this_thread::sleep_for(std::chrono::duration<double>(uploading.stall_seconds));
  send_zeros(client, uploading.zeros - before);
}

/// Runs `work` for each URL on a thread of its own; throws the first failure.
template <class Work>
void for_each_url(const std::vector<std::string>& urls, Work work) {
  std::mutex mutex;
  std::exception_ptr failure;
  {
    std::vector<std::jthread> threads;
    for (const auto& url : urls)
      threads.emplace_back([&] {
        try {
          work(Url(url));
        } catch (...) {
          const std::scoped_lock lock(mutex);
          if (!failure) failure = std::current_exception();
        }
      });
  }
  if (failure) std::rethrow_exception(failure);
}

void expect_success(const Answer& answer) {
  if (answer.status / 100 != 2) throw LoadFailure("the server answered " + answer.head + answer.body);
}

}  // namespace

boost::json::object upload(const Uploading& uploading) {
  std::unique_ptr<MappedFile> file;
  if (!uploading.file.empty()) file = std::make_unique<MappedFile>(uploading.file);
  const auto size = file ? file->bytes().size() : uploading.zeros;
  const auto start = Clock::now();
  for_each_url(uploading.urls, [&](const Url& url) {
    Client client(url, uploading.ca_file);
    client.send("PUT " + url.path + " HTTP/1.1\r\nHost: " + url.host + ":" + std::to_string(url.port) +
                "\r\nContent-Type: application/octet-stream\r\nContent-Length: " + std::to_string(size) +
                "\r\nvmware-api-session-id: " + uploading.token + "\r\n\r\n");
    send_body(client, uploading, file.get());
    expect_success(client.receive(true));
  });
  const auto answered = seconds_since(start);
  if (uploading.sync_after) {
    sync_path(*uploading.sync_after);
    sync_path(std::filesystem::path(*uploading.sync_after).parent_path());
  }
  const auto durable = seconds_since(start);
  return {{"seconds", answered}, {"durable_seconds", durable}, {"bytes", size * uploading.urls.size()}};
}

boost::json::object download(const std::vector<std::string>& urls, const std::string& ca_file) {
  std::atomic<std::uint64_t> bytes = 0;
  const auto start = Clock::now();
  for_each_url(urls, [&](const Url& url) {
    Client client(url, ca_file);
    client.send("GET " + url.path + " HTTP/1.1\r\nHost: " + url.host + ":" + std::to_string(url.port) + "\r\n\r\n");
    const auto answer = client.receive(false);
    expect_success(answer);
    bytes += answer.body_bytes;
  });
  return {{"seconds", seconds_since(start)}, {"bytes", bytes.load()}};
}

}  // namespace quire::bench
