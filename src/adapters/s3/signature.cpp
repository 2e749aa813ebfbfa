#include "adapters/s3/signature.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <span>

#include "base/check.h"
#include "base/digest.h"
#include "base/hex.h"
#include "base/hmac.h"
#include "base/uri.h"

namespace quire::adapters::s3 {
namespace {

constexpr std::string_view algorithm_name = "AWS4-HMAC-SHA256";

std::string sha256_hex(std::string_view text) {
  return base::digest_of(base::DigestAlgorithm::SHA256, std::as_bytes(std::span(text))).hex;
}

/// HMAC as bytes, to be the key of the next one.
std::string hmac_bytes(std::string_view key, std::string_view text) {
  const auto bytes = base::from_hex(base::hmac_sha256(key, text));
  QUIRE_CHECK(bytes);
  return {reinterpret_cast<const char*>(bytes->data()), bytes->size()};
}

std::string encoded_query_part(std::string_view text) {
  std::string encoded;
  for (const char c : base::percent_encode_path(text)) {
    if (c == '/') {
      encoded += "%2F";
    } else {
      encoded += c;
    }
  }
  return encoded;
}

/// Without blanks at both ends, and with one in the place of several.
std::string canonical_value(std::string_view value) {
  std::string canonical;
  bool gap = false;
  for (const char c : value) {
    if (c == ' ' || c == '\t') {
      gap = true;
      continue;
    }
    if (gap && !canonical.empty()) canonical += ' ';
    gap = false;
    canonical += c;
  }
  return canonical;
}

/// `20130524T000000Z`.
std::string compact(base::Time time) {
  const auto text = base::to_text(time);  // 2013-05-24T00:00:00.000Z
  std::string digits;
  std::copy_if(text.begin(), text.begin() + 19, std::back_inserter(digits),
               [](char c) { return c != '-' && c != ':'; });
  return digits + "Z";
}

/// Names in lower case, sorted; several values of one name joined in their order.
std::map<std::string, std::string> canonical_headers(const Fields& headers) {
  std::map<std::string, std::string> canonical;
  for (const auto& [name, value] : headers) {
    const auto [field, is_first] = canonical.try_emplace(base::to_lower(name), canonical_value(value));
    if (!is_first) field->second += "," + canonical_value(value);
  }
  return canonical;
}

}  // namespace

std::string canonical_query(const Fields& query) {
  Fields sorted;
  for (const auto& [name, value] : query) sorted.emplace_back(encoded_query_part(name), encoded_query_part(value));
  std::sort(sorted.begin(), sorted.end());
  std::string text;
  for (const auto& [name, value] : sorted) text += (text.empty() ? "" : "&") + name + "=" + value;
  return text;
}

std::string authorization(const RequestToSign& request, const Credentials& credentials, const SigningScope& scope) {
  std::string header_lines;
  std::string header_names;
  for (const auto& [name, value] : canonical_headers(request.headers)) {
    header_lines += name + ":" + value + "\n";
    header_names += (header_names.empty() ? "" : ";") + name;
  }
  const auto canonical = request.method + "\n" + base::percent_encode_path(request.path) + "\n" +
                         canonical_query(request.query) + "\n" + header_lines + "\n" + header_names + "\n" +
                         request.payload_sha256;

  const auto time = compact(scope.time);
  const auto day = time.substr(0, time.find('T'));
  const auto scope_text = day + "/" + scope.region + "/" + scope.service + "/aws4_request";
  const auto to_sign = std::string(algorithm_name) + "\n" + time + "\n" + scope_text + "\n" + sha256_hex(canonical);

  auto key = hmac_bytes("AWS4" + credentials.secret_access_key, day);
  for (const std::string_view part :
       {std::string_view(scope.region), std::string_view(scope.service), std::string_view("aws4_request")})
    key = hmac_bytes(key, part);
  return std::string(algorithm_name) + " Credential=" + credentials.access_key_id + "/" + scope_text +
         ",SignedHeaders=" + header_names + ",Signature=" + base::hmac_sha256(key, to_sign);
}

void sign(RequestToSign& request, const Credentials& credentials, const SigningScope& scope) {
  request.headers.emplace_back("x-amz-content-sha256", request.payload_sha256);
  request.headers.emplace_back("x-amz-date", compact(scope.time));
  if (!credentials.session_token.empty())
    request.headers.emplace_back("x-amz-security-token", credentials.session_token);
  request.headers.emplace_back("Authorization", authorization(request, credentials, scope));
}

}  // namespace quire::adapters::s3
