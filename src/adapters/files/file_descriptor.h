#pragma once

#include <sys/types.h>

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"

namespace quire::adapters::files {

/// Owns an open file; closes it on destruction. Move-only.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int number) : number_(number) {}
  FileDescriptor(FileDescriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    FileDescriptor taken(std::move(other));
    std::swap(number_, taken.number_);
    return *this;
  }
  ~FileDescriptor();

  explicit operator bool() const { return number_ >= 0; }
  int get() const { return number_; }

 private:
  int number_ = -1;
};

/// `openat` that does not give up on a signal; empty with errno set when it fails. Always close-on-exec.
FileDescriptor open_at(int folder, const std::string& name, int flags, mode_t mode = 0);

/// How many of `bytes` were written at `offset`: fewer than all of them only with errno set.
std::size_t write_at(int file, std::span<const std::byte> bytes, off_t offset);

/// Whether this errno says that storage (or its owner's share of it) is used up.
bool is_out_of_space(int error_number);

/// The system's words for an errno.
std::string reason_of(int error_number);

/// The internal error of a call that set errno; `what` says which ("fdatasync").
base::Error failed_call(std::string_view what, const std::filesystem::path& path, int error_number);

}  // namespace quire::adapters::files
