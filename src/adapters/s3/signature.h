#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adapters/s3/s3_credentials.h"
#include "base/time.h"

namespace quire::adapters::s3 {

/// Names and values, of headers or of a query.
using Fields = std::vector<std::pair<std::string, std::string>>;

/// The digest of no bytes, which requests without a body sign.
inline constexpr std::string_view empty_sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// What a signature covers of a request.
struct RequestToSign {
  std::string method;
  std::string path = "/";                    ///< not encoded; goes out as base::percent_encode_path() has it
  Fields query;                              ///< not encoded; goes out as canonical_query() has it
  Fields headers;                            ///< all that are signed, `host` among them, in any case and order
  std::string payload_sha256{empty_sha256};  ///< of the body, in lower-case hexadecimal digits
};

/// What a signature is good for.
struct SigningScope {
  base::Time time;  ///< services take it for a quarter of an hour
  std::string region;
  std::string service = "s3";
};

/// Sorted, and everything but unreserved characters percent-encoded; a `=` also behind a name without value.
std::string canonical_query(const Fields& query);

/// The value of `Authorization` by AWS Signature Version 4, over exactly the headers of `request`. As S3 wants it:
/// the path is encoded once, and neither dot segments nor double slashes are taken out of it. Pure.
std::string authorization(const RequestToSign& request, const Credentials& credentials, const SigningScope& scope);

/// Adds to `request.headers` what S3 wants to be signed (`x-amz-content-sha256`, `x-amz-date`, `x-amz-security-token`
/// where there is a token), and `Authorization` as the last one. Pure.
void sign(RequestToSign& request, const Credentials& credentials, const SigningScope& scope);

}  // namespace quire::adapters::s3
