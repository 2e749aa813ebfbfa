#pragma once

#include <boost/json/object.hpp>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace quire::client {

/// What a transfer must remember to go on after this program was killed: a small JSON file (0600) in the state folder,
/// named after what is transferred. While one is open no other process has it.
class ResumeRecord {
 public:
  /// `kind` is `push` or `pull`, `subject` what is transferred, in full. Conflict when another process is at it.
  static base::Result<ResumeRecord> open(std::string_view kind, const std::string& subject);
  ~ResumeRecord();
  ResumeRecord(ResumeRecord&& other) noexcept;
  ResumeRecord& operator=(ResumeRecord&&) = delete;

  /// What was stored; nullopt when nothing was, or nothing that can be read.
  std::optional<boost::json::object> read() const;
  base::Result<void> write(const boost::json::object& content) const;
  void remove() const;

 private:
  ResumeRecord(std::filesystem::path file, int lock) : file_(std::move(file)), lock_(lock) {}

  std::filesystem::path file_;
  int lock_;  ///< descriptor of the lock file beside it
};

}  // namespace quire::client
