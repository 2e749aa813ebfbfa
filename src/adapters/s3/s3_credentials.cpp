#include "adapters/s3/s3_credentials.h"

#include <algorithm>
#include <fstream>
#include <string_view>
#include <system_error>

#include "base/hex.h"

namespace quire::adapters::s3 {
namespace {

constexpr std::uintmax_t credentials_file_bytes_max = 1UL << 20U;

std::string_view without_blanks(std::string_view text) {
  constexpr std::string_view blanks = " \t\r";
  const auto first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

/// They go into a header: blanks and control characters are mistakes, and could make another request of it.
bool can_be_sent(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7F; });
}

bool is_whole(const Credentials& read) {
  return !read.access_key_id.empty() && !read.secret_access_key.empty() && can_be_sent(read.access_key_id) &&
         can_be_sent(read.secret_access_key) && can_be_sent(read.session_token);
}

base::Error unreadable_file(const std::filesystem::path& file, std::string cause) {
  return base::Error(base::ErrorKind::service_unavailable, "quire.storage.s3.credentials_unreadable",
                     "The file {file} with the access key of an S3 storage cannot be read. Check its name and rights.",
                     {{"file", file.string()}})
      .with_cause(std::move(cause));
}

}  // namespace

base::Result<Credentials> credentials_from_environment(const curl::Environment& environment) {
  const Credentials read{environment("AWS_ACCESS_KEY_ID").value_or(""),
                         environment("AWS_SECRET_ACCESS_KEY").value_or(""),
                         environment("AWS_SESSION_TOKEN").value_or("")};
  if (is_whole(read)) return read;
  std::string variable = "AWS_SESSION_TOKEN";
  if (read.secret_access_key.empty() || !can_be_sent(read.secret_access_key)) variable = "AWS_SECRET_ACCESS_KEY";
  if (read.access_key_id.empty() || !can_be_sent(read.access_key_id)) variable = "AWS_ACCESS_KEY_ID";
  return base::Error(base::ErrorKind::service_unavailable, "quire.storage.s3.no_credentials",
                     "There is no usable access key for an S3 storage: {variable} is not set in the environment of the "
                     "server, or holds other characters than a key has. Set it and start the server again.",
                     {{"variable", variable}});
}

base::Result<Credentials> credentials_from_file(const std::filesystem::path& file, const std::string& profile) {
  std::error_code problem;
  const auto size = std::filesystem::file_size(file, problem);
  if (problem) return unreadable_file(file, problem.message());
  if (size > credentials_file_bytes_max) return unreadable_file(file, "it is longer than 1 MiB");
  std::ifstream stream(file);
  if (!stream) return unreadable_file(file, "it cannot be opened");

  Credentials read;
  bool in_profile = false;
  for (std::string line; std::getline(stream, line);) {
    const auto text = without_blanks(line);
    if (text.empty() || text.front() == '#' || text.front() == ';') continue;
    if (text.front() == '[') {
      in_profile = text.back() == ']' && without_blanks(text.substr(1, text.size() - 2)) == profile;
      continue;
    }
    const auto equals = text.find('=');
    if (!in_profile || equals == std::string_view::npos) continue;
    const auto name = base::to_lower(without_blanks(text.substr(0, equals)));
    const std::string value(without_blanks(text.substr(equals + 1)));
    if (name == "aws_access_key_id") read.access_key_id = value;
    if (name == "aws_secret_access_key") read.secret_access_key = value;
    if (name == "aws_session_token") read.session_token = value;
  }
  if (stream.bad()) return unreadable_file(file, "reading it failed");
  if (is_whole(read)) return read;
  return base::Error(
      base::ErrorKind::service_unavailable, "quire.storage.s3.no_profile",
      "The file {file} holds no usable access key of the profile {profile}. It needs a line [{profile}] and "
      "then aws_access_key_id and aws_secret_access_key.",
      {{"file", file.string()}, {"profile", profile}});
}

}  // namespace quire::adapters::s3
