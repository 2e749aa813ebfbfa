#include "client/resume_record.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cerrno>
#include <utility>

#include "base/digest.h"
#include "client/failure.h"
#include "client/places.h"

namespace quire::client {

namespace json = boost::json;

base::Result<ResumeRecord> ResumeRecord::open(std::string_view kind, const std::string& subject) {
  const auto name = base::digest_of(base::DigestAlgorithm::SHA256, std::as_bytes(std::span(subject))).hex;
  const auto file = state_folder() / std::string(kind) / (name + ".json");
  const auto lock_file = state_folder() / std::string(kind) / (name + ".lock");
  QUIRE_RETURN_IF_ERROR(write_private_file(state_folder() / std::string(kind) / ".keep", ""));
  const int lock = ::open(lock_file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (lock < 0) return local_error("cannot write " + lock_file.string() + ": " + system_reason(errno));
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
    ::close(lock);
    return conflict("another quire " + std::string(kind) + " of " + subject + " is running here");
  }
  return ResumeRecord(file, lock);
}

ResumeRecord::ResumeRecord(ResumeRecord&& other) noexcept
    : file_(std::move(other.file_)), lock_(std::exchange(other.lock_, -1)) {}

ResumeRecord::~ResumeRecord() {
  if (lock_ >= 0) ::close(lock_);
}

std::optional<json::object> ResumeRecord::read() const {
  const auto content = read_file(file_);
  if (!content || !*content) return std::nullopt;
  json::error_code failed;
  auto value = json::parse(**content, failed);
  if (failed || !value.is_object()) return std::nullopt;
  return std::move(value.get_object());
}

base::Result<void> ResumeRecord::write(const json::object& content) const {
  return write_private_file(file_, json::serialize(content) + '\n');
}

void ResumeRecord::remove() const { ::unlink(file_.c_str()); }

}  // namespace quire::client
