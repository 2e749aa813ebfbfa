#include "adapters/s3/signature.h"

#include <gmock/gmock.h>

#include <span>

#include "base/digest.h"

namespace quire::adapters::s3 {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

// The key of AWS's documentation, made for examples.
const Credentials documented{"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", ""};

SigningScope documented_scope() { return {*base::parse_time("2013-05-24T00:00:00Z"), "us-east-1"}; }

std::string sha256(std::string_view text) {
  return base::digest_of(base::DigestAlgorithm::SHA256, std::as_bytes(std::span(text))).hex;
}

std::string signed_as_documented(RequestToSign request) {
  request.headers.emplace_back("Host", "examplebucket.s3.amazonaws.com");
  sign(request, documented, documented_scope());
  EXPECT_EQ(request.headers.back().first, "Authorization");
  return request.headers.back().second;
}

/// The four examples of "Signature Calculations for the Authorization Header" in the S3 API reference.
TEST(S3Signature, DocumentedGetOfARange) {
  RequestToSign request;
  request.method = "GET";
  request.path = "/test.txt";
  request.headers = {{"Range", "bytes=0-9"}};
  EXPECT_EQ(signed_as_documented(request),
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
            "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
            "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

TEST(S3Signature, DocumentedPut) {
  RequestToSign request;
  request.method = "PUT";
  request.path = "/test$file.text";
  request.headers = {{"Date", "Fri, 24 May 2013 00:00:00 GMT"}, {"x-amz-storage-class", "REDUCED_REDUNDANCY"}};
  request.payload_sha256 = sha256("Welcome to Amazon S3.");
  EXPECT_EQ(signed_as_documented(request),
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
            "SignedHeaders=date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class,"
            "Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
}

TEST(S3Signature, DocumentedGetOfTheLifecycle) {
  RequestToSign request;
  request.method = "GET";
  request.query = {{"lifecycle", ""}};
  EXPECT_THAT(signed_as_documented(request),
              EndsWith("Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"));
}

TEST(S3Signature, DocumentedList) {
  RequestToSign request;
  request.method = "GET";
  request.query = {{"prefix", "J"}, {"max-keys", "2"}};
  EXPECT_THAT(signed_as_documented(request),
              EndsWith("Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"));
}

/// Of AWS's general test suite for Signature Version 4: what does not depend on paths being normalised, which S3 does
/// not do.
struct SuiteRow {
  const char* name;
  RequestToSign request;
  const char* signature;
};

RequestToSign request_of(std::string method, std::string path, Fields query, Fields headers) {
  headers.emplace_back("Host", "example.amazonaws.com");
  headers.emplace_back("X-Amz-Date", "20150830T123600Z");
  RequestToSign request;
  request.method = std::move(method);
  request.path = std::move(path);
  request.query = std::move(query);
  request.headers = std::move(headers);
  return request;
}

TEST(S3Signature, GeneralSuite) {
  const Credentials credentials{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", ""};
  const SigningScope scope{*base::parse_time("2015-08-30T12:36:00Z"), "us-east-1", "service"};
  const std::string unreserved = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  const std::vector<SuiteRow> rows = {
      {"get-vanilla", request_of("GET", "/", {}, {}),
       "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
      {"get-vanilla-query-order-key-case", request_of("GET", "/", {{"Param2", "value2"}, {"Param1", "value1"}}, {}),
       "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
      {"get-vanilla-empty-query-key", request_of("GET", "/", {{"Param1", "value1"}}, {}),
       "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"},
      {"get-unreserved", request_of("GET", "/" + unreserved, {}, {}),
       "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"},
      {"get-utf8", request_of("GET", "/\u1234", {}, {}),
       "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
      {"get-header-key-duplicate",
       request_of("GET", "/", {}, {{"My-Header1", "value2"}, {"My-Header1", "value2"}, {"My-Header1", "value1"}}),
       "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"},
      {"get-header-value-trim",
       request_of("GET", "/", {}, {{"My-Header1", " value1"}, {"My-Header2", " \"a   b   c\""}}),
       "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
      {"post-vanilla", request_of("POST", "/", {}, {}),
       "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
  };
  for (const auto& row : rows)
    EXPECT_THAT(authorization(row.request, credentials, scope), EndsWith(std::string("Signature=") + row.signature))
        << row.name;
}

TEST(S3Signature, ATokenIsSigned) {
  RequestToSign request;
  request.method = "GET";
  request.headers = {{"host", "h"}};
  sign(request, {"id", "secret", "token"}, documented_scope());
  EXPECT_THAT(request.headers, testing::Contains(Fields::value_type{"x-amz-security-token", "token"}));
  EXPECT_THAT(request.headers.back().second, HasSubstr("x-amz-date;x-amz-security-token,"));
  EXPECT_THAT(request.headers.back().second, Not(HasSubstr("secret")));
}

/// One header's name may be the beginning of another's, and a hyphen comes before what ends there.
TEST(S3Signature, HeadersAreSortedByTheirWholeNames) {
  RequestToSign request;
  request.method = "GET";
  request.headers = {{"x-amz-meta-a-b", "1"}, {"x-amz-meta-a", "2"}, {"host", "h"}};
  EXPECT_THAT(authorization(request, documented, documented_scope()),
              HasSubstr("SignedHeaders=host;x-amz-meta-a;x-amz-meta-a-b,"));
}

TEST(S3Signature, QueriesAreSortedAndEncoded) {
  EXPECT_EQ(canonical_query({{"prefix", "a/b c+d"}, {"delete", ""}, {"list-type", "2"}}),
            "delete=&list-type=2&prefix=a%2Fb%20c%2Bd");
  EXPECT_EQ(canonical_query({}), "");
}

}  // namespace
}  // namespace quire::adapters::s3
