#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "adapters/curl/proxy_choice.h"
#include "base/result.h"

namespace quire::adapters::s3 {

/// An access key of an S3 service. All but the key's id is secret.
struct Credentials {
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token;  ///< of a key that is good for a while; empty: none
  bool operator==(const Credentials&) const = default;
};

/// Reads the credentials as they are now; called again when the service says that they have expired. Called by one
/// thread at a time.
using CredentialsSource = std::function<base::Result<Credentials>()>;

/// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and, where there is one, `AWS_SESSION_TOKEN`. ServiceUnavailable when
/// one of the first two is missing or empty; the message says which.
base::Result<Credentials> credentials_from_environment(const curl::Environment& environment);

/// The section `profile` of a file in the format of AWS's `~/.aws/credentials`: `[profile]`, then lines of
/// `aws_access_key_id`, `aws_secret_access_key` and `aws_session_token`, each with `=` and its value; lines that begin
/// with `#` or `;` are remarks, other names are ignored. Of 1 MiB at most. ServiceUnavailable when the file cannot be
/// read or has no such key; the message names file and profile, and nothing of what stands in it.
base::Result<Credentials> credentials_from_file(const std::filesystem::path& file, const std::string& profile);

}  // namespace quire::adapters::s3
