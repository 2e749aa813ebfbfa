#include "adapters/s3/s3_object_store.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <span>

#include "base/digest.h"
#include "support/certificate_maker.h"
#include "support/manual_clock.h"
#include "support/scripted_http_server.h"
#include "support/sequential_identities.h"
#include "support/temporary_folder.h"

namespace quire::adapters::s3 {
namespace {

using base::ErrorKind;
using test_support::CertificateMaker;
using test_support::ScriptedHttpServer;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using Connection = ScriptedHttpServer::Connection;
using Request = ScriptedHttpServer::Request;
using Script = ScriptedHttpServer::Script;

std::string answer(const std::string& status, const std::string& body, const std::string& headers = "") {
  return "HTTP/1.1 " + status + "\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         headers + "\r\n" + body;
}

std::string error_answer(const std::string& status, const std::string& code, const std::string& headers = "",
                         const std::string& message = "Because.") {
  return answer(status,
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>" + code + "</Code><Message>" + message +
                    "</Message></Error>",
                headers);
}

std::string part_answer(const std::string& range, const std::string& bytes) {
  return answer("206 Partial Content", bytes, "Content-Range: bytes " + range + "\r\n");
}

/// Takes the whole request and sends `text`.
Script sending(std::string text) {
  return [text = std::move(text)](const Request& request, Connection& connection) {
    connection.read_body(request);
    connection.send(text);
  };
}

/// Takes the whole request and closes the connection.
const Script losing_the_answer = sending("");

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

std::string sha256(std::string_view text) { return base::digest_of(base::DigestAlgorithm::SHA256, bytes_of(text)).hex; }

/// A store on a server that answers one request after the other as the test says; waiting takes no time.
class S3ObjectStoreTest : public testing::Test {
 protected:
  S3ObjectStoreTest() {
    for (const char* name : {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy",
                             "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"})
      unsetenv(name);
    options_.bucket = "bucket";
    options_.key_prefix = "quire/";
    options_.credentials = [this]() -> base::Result<Credentials> {
      ++credentials_read_;
      return Credentials{"AKID", "se/cret" + std::to_string(credentials_read_), ""};
    };
    options_.wait = [this](base::Duration duration) {
      waits_.push_back(duration);
      clock_.advance(duration);
    };
  }

  void serve(std::vector<Script> scripts, std::optional<CertificateMaker::Identity> identity = std::nullopt) {
    server_ = std::make_unique<ScriptedHttpServer>(
        [scripts = std::move(scripts), next = std::size_t{0}](const Request& request, Connection& connection) mutable {
          if (next < scripts.size()) scripts[next++](request, connection);
        },
        std::move(identity));
    use(server_->url(""));
  }

  void use(const std::string& endpoint) {
    options_.endpoint = endpoint;
    open();
  }

  void open() {
    auto store = make_s3_object_store(options_, clock_, identities_);
    ASSERT_TRUE(store) << store.error().text();
    store_ = *std::move(store);
  }

  base::Result<void> put(std::string_view text) { return store_->put("a/b", bytes_of(text), sha256(text)); }

  /// What get() fills a buffer of `size` with.
  base::Result<std::string> get(std::int64_t offset, std::size_t size) {
    std::string buffer(size, '?');
    const auto got = store_->get("a/b", offset, std::as_writable_bytes(std::span(buffer)));
    if (!got) return got.error();
    buffer.resize(*got);
    return buffer;
  }

  /// ServiceUnavailable whose text holds `reason`, the bucket and the endpoint.
  template <class T>
  void expect_unavailable(const base::Result<T>& result, const std::string& reason) {
    ASSERT_FALSE(result) << "expected " << reason;
    EXPECT_EQ(result.error().kind(), ErrorKind::service_unavailable);
    EXPECT_THAT(result.error().text(), AllOf(HasSubstr(reason), HasSubstr("bucket at " + options_.endpoint)));
  }

  std::vector<std::string> methods() const {
    std::vector<std::string> methods;
    for (const auto& request : server_->requests()) methods.push_back(request.method);
    return methods;
  }

  S3Options options_;
  test_support::ManualClock clock_{*base::parse_time("2013-05-24T00:00:00Z")};
  test_support::SequentialIdentities identities_;
  int credentials_read_ = 0;
  std::vector<base::Duration> waits_;
  std::unique_ptr<ScriptedHttpServer> server_;
  std::unique_ptr<content::ObjectStore> store_;
};

// ---- what is sent ----

TEST_F(S3ObjectStoreTest, APutIsConditionalAndCarriesItsDigest) {
  options_.user_agent = "quire-test";
  std::string body;
  serve({[&](const Request& request, Connection& connection) {
    body = connection.read_body(request);
    connection.send(answer("200 OK", ""));
  }});
  const std::string text(3U << 20U, 'x');
  const auto stored = put(text);
  ASSERT_TRUE(stored) << stored.error().text();
  EXPECT_TRUE(body == text);
  const auto request = server_->requests().at(0);
  EXPECT_EQ(request.method, "PUT");
  EXPECT_EQ(request.target, "/bucket/quire/a/b");
  EXPECT_EQ(request.header("Host"), "127.0.0.1:" + std::to_string(server_->port()));
  EXPECT_EQ(request.header("Content-Length"), std::to_string(text.size()));
  EXPECT_EQ(request.header("if-none-match"), "*");
  EXPECT_EQ(request.header("x-amz-checksum-sha256"), "O+qKmgfB6NyqTBuBaBXDWim0+1hbpuzHDqRIQKeUz7M=");
  EXPECT_EQ(request.header("x-amz-content-sha256"), sha256(text));
  EXPECT_EQ(request.header("x-amz-date"), "20130524T000000Z");
  EXPECT_EQ(request.header("User-Agent"), "quire-test");
  EXPECT_THAT(request.header("Authorization").value_or(""),
              HasSubstr("Credential=AKID/20130524/us-east-1/s3/aws4_request,"
                        "SignedHeaders=content-type;host;if-none-match;x-amz-checksum-sha256;x-amz-content-sha256;"
                        "x-amz-date,Signature="));
  EXPECT_FALSE(request.header("Expect"));
  EXPECT_FALSE(request.header("Transfer-Encoding"));
}

TEST_F(S3ObjectStoreTest, AnEmptyObjectHasALength) {
  serve({sending(answer("200 OK", ""))});
  EXPECT_TRUE(put(""));
  EXPECT_EQ(server_->requests().at(0).header("Content-Length"), "0");
}

TEST_F(S3ObjectStoreTest, TheBucketMayStandBeforeTheHost) {
  options_.addressing = Addressing::virtual_host;
  serve({sending(answer("200 OK", ""))});
  use("http://s3.example:8080");
  setenv("http_proxy", server_->url("").c_str(), 1);
  EXPECT_TRUE(put("x"));
  unsetenv("http_proxy");
  EXPECT_EQ(server_->requests().at(0).target, "http://bucket.s3.example:8080/quire/a/b");
  EXPECT_EQ(server_->requests().at(0).header("Host"), "bucket.s3.example:8080");
}

TEST_F(S3ObjectStoreTest, WithoutAnEndpointItIsAwsOwn) {
  options_.region = "eu-central-1";
  options_.tries_max = 1;
  ScriptedHttpServer proxy(sending(answer("502 Bad Gateway", "")));
  open();
  setenv("https_proxy", proxy.url("").c_str(), 1);
  EXPECT_FALSE(put("x"));
  unsetenv("https_proxy");
  EXPECT_EQ(proxy.requests().at(0).method, "CONNECT");
  EXPECT_EQ(proxy.requests().at(0).target, "s3.eu-central-1.amazonaws.com:443");
}

TEST_F(S3ObjectStoreTest, OptionsAreChecked) {
  const auto refused = [&](auto change) {
    auto options = options_;
    options.endpoint = "http://s3.example";
    change(options);
    const auto store = make_s3_object_store(options, clock_, identities_);
    return !store && store.error().kind() == ErrorKind::invalid_argument;
  };
  EXPECT_FALSE(refused([](S3Options& options) { options.endpoint = "http://[::1]:9000/"; }));
  EXPECT_FALSE(refused([](S3Options& options) { options.key_prefix = "Quire-1.0/(all)/"; }));
  EXPECT_TRUE(refused([](S3Options& options) { options.bucket = "a"; }));
  EXPECT_TRUE(refused([](S3Options& options) { options.bucket = "a/b?c"; }));
  EXPECT_TRUE(refused([](S3Options& options) { options.region = ""; }));
  EXPECT_TRUE(refused([](S3Options& options) { options.region = "eu/x"; }));
  EXPECT_TRUE(refused([](S3Options& options) { options.key_prefix = "a b"; }));
  EXPECT_TRUE(refused([](S3Options& options) { options.endpoint = "s3.example"; }));
  EXPECT_TRUE(refused([](S3Options& options) { options.endpoint = "http://s3.example/path"; }));
  EXPECT_TRUE(refused([](S3Options& options) { options.endpoint = "http://s3.example/?query"; }));
  EXPECT_TRUE(refused([](S3Options& options) { options.endpoint = "http://user:password@s3.example"; }));
}

// ---- retries ----

TEST_F(S3ObjectStoreTest, SlowDownIsTriedAgain) {
  serve({sending(error_answer("503 Slow Down", "SlowDown")), sending(error_answer("500 Internal", "InternalError")),
         sending(answer("429 Too Many Requests", "")), sending(answer("200 OK", ""))});
  EXPECT_TRUE(put("x"));
  ASSERT_THAT(waits_, SizeIs(3));
  for (std::size_t i = 0; i < waits_.size(); ++i) {
    const auto whole = options_.first_wait * (1 << i);
    EXPECT_GE(waits_[i], whole / 2);
    EXPECT_LE(waits_[i], whole);
  }
}

TEST_F(S3ObjectStoreTest, RetryAfterIsHonoured) {
  serve({sending(error_answer("503 Slow Down", "SlowDown", "Retry-After: 7\r\n")), sending(answer("200 OK", ""))});
  EXPECT_TRUE(put("x"));
  EXPECT_THAT(waits_, ElementsAre(std::chrono::seconds(7)));
}

TEST_F(S3ObjectStoreTest, TriesAndTimeAreBounded) {
  serve(std::vector<Script>(20, sending(error_answer("503 Slow Down", "SlowDown"))));
  expect_unavailable(put("x"), "tries: 5, the last one: 503 SlowDown");
  EXPECT_THAT(server_->requests(), SizeIs(5));
  serve(std::vector<Script>(20, sending(error_answer("503 Slow Down", "SlowDown", "Retry-After: 3600\r\n"))));
  expect_unavailable(put("x"), "tries: 1, the last one: 503 SlowDown");
}

TEST_F(S3ObjectStoreTest, WritesAtOnceAreTriedAgain) {
  serve({sending(error_answer("409 Conflict", "ConditionalRequestConflict")), sending(answer("200 OK", ""))});
  EXPECT_TRUE(put("x"));
  EXPECT_THAT(methods(), ElementsAre("PUT", "PUT"));
}

/// The one at once was another's, and nothing of ours can be there.
TEST_F(S3ObjectStoreTest, WritesAtOnceThatLose) {
  serve({sending(error_answer("409 Conflict", "ConditionalRequestConflict")),
         sending(error_answer("412 Precondition Failed", "PreconditionFailed"))});
  const auto stored = put("x");
  ASSERT_FALSE(stored);
  EXPECT_EQ(stored.error().kind(), ErrorKind::already_exists);
  EXPECT_THAT(methods(), ElementsAre("PUT", "PUT"));
}

TEST_F(S3ObjectStoreTest, NobodyThere) {
  serve({});
  server_.reset();
  expect_unavailable(put("x"), "no connection");
  EXPECT_THAT(waits_, SizeIs(options_.tries_max - 1));
}

/// The look at what is there after a lost answer has what is left of the time, and no more.
TEST_F(S3ObjectStoreTest, OneDeadlineIsForAllOfACall) {
  const Script late = [this](const Request& request, Connection& connection) {
    connection.read_body(request);
    clock_.advance(std::chrono::seconds(40));
    connection.send(error_answer("412 Precondition Failed", "PreconditionFailed"));
  };
  serve({losing_the_answer, late, sending(error_answer("503 Slow Down", "SlowDown", "Retry-After: 60\r\n"))});
  expect_unavailable(put("mine"), "tries: 1, the last one: 503 SlowDown");
}

TEST_F(S3ObjectStoreTest, ABlackHoleEndsWithTheDeadline) {
  options_.try_timeout = std::chrono::milliseconds(200);
  options_.deadline = std::chrono::milliseconds(500);
  options_.first_wait = std::chrono::milliseconds(10);
  options_.wait = nullptr;
  base::SystemClock clock;
  serve(std::vector<Script>(20, [](const Request&, Connection& connection) { connection.stall(); }));
  const auto store = make_s3_object_store(options_, clock, identities_);
  ASSERT_TRUE(store);
  const auto began_at = clock.uptime();
  expect_unavailable((*store)->put("a", bytes_of("x"), sha256("x")), "no whole answer");
  EXPECT_GE(clock.uptime() - began_at, std::chrono::milliseconds(400));
  EXPECT_LT(clock.uptime() - began_at, std::chrono::seconds(3));
}

// ---- put ----

TEST_F(S3ObjectStoreTest, AKeyThatIsTaken) {
  serve({sending(error_answer("412 Precondition Failed", "PreconditionFailed"))});
  const auto stored = put("mine");
  ASSERT_FALSE(stored);
  EXPECT_EQ(stored.error().kind(), ErrorKind::already_exists);
  EXPECT_THAT(methods(), ElementsAre("PUT"));
}

TEST_F(S3ObjectStoreTest, TheOwnObjectIsFoundAfterALostAnswer) {
  serve({losing_the_answer, sending(error_answer("412 Precondition Failed", "PreconditionFailed")),
         sending(part_answer("0-3/4", "mine"))});
  const auto stored = put("mine");
  EXPECT_TRUE(stored) << stored.error().text();
  EXPECT_THAT(methods(), ElementsAre("PUT", "PUT", "GET"));
  EXPECT_EQ(server_->requests().at(2).header("range"), "bytes=0-4");
}

TEST_F(S3ObjectStoreTest, AnEmptyObjectIsFoundAfterALostAnswer) {
  serve({losing_the_answer, sending(error_answer("412 Precondition Failed", "PreconditionFailed")),
         sending(error_answer("416 Range Not Satisfiable", "InvalidRange"))});
  EXPECT_TRUE(put(""));
}

TEST_F(S3ObjectStoreTest, AnothersObjectIsToldFromTheOwnAfterALostAnswer) {
  const std::vector<std::pair<const char*, const char*>> others = {
      {"0-3/4", "else"}, {"0-4/7", "minem"}, {"0-2/3", "min"}};
  for (const auto& [range, bytes] : others) {
    serve({losing_the_answer, sending(error_answer("412 Precondition Failed", "PreconditionFailed")),
           sending(part_answer(range, bytes))});
    const auto stored = put("mine");
    ASSERT_FALSE(stored);
    EXPECT_EQ(stored.error().kind(), ErrorKind::already_exists);
  }
}

/// It neither succeeds nor is it another's, as nobody knows.
TEST_F(S3ObjectStoreTest, ALostAnswerAndNoLook) {
  serve({losing_the_answer, sending(error_answer("412 Precondition Failed", "PreconditionFailed")),
         sending(error_answer("403 Forbidden", "AccessDenied"))});
  expect_unavailable(put("mine"), "403 AccessDenied");
}

TEST_F(S3ObjectStoreTest, ASuccessMayHoldAnError) {
  serve({sending(error_answer("200 OK", "InternalError")), sending(answer("200 OK", "<html>Log in here.</html>")),
         sending(answer("200 OK", ""))});
  EXPECT_TRUE(put("x"));
  EXPECT_THAT(server_->requests(), SizeIs(3));
}

TEST_F(S3ObjectStoreTest, NoRoom) {
  serve({sending(error_answer("507 Insufficient Storage", "XMinioStorageFull")),
         sending(error_answer("403 Forbidden", "QuotaExceeded"))});
  for (int i = 0; i < 2; ++i) {
    const auto stored = put("x");
    ASSERT_FALSE(stored);
    EXPECT_EQ(stored.error().kind(), ErrorKind::unable_to_allocate_resource);
  }
}

// ---- get ----

TEST_F(S3ObjectStoreTest, GetsExactlyWhatWasAskedFor) {
  serve({sending(part_answer("10-14/100", "abcde")), sending(part_answer("97-99/100", "xyz")),
         sending(error_answer("416 Range Not Satisfiable", "InvalidRange")), sending(answer("200 OK", "all")),
         sending(answer("200 OK", ""))});
  EXPECT_EQ(*get(10, 5), "abcde");
  EXPECT_EQ(server_->requests().at(0).header("range"), "bytes=10-14");
  EXPECT_EQ(*get(97, 5), "xyz");
  EXPECT_EQ(*get(100, 5), "");
  EXPECT_EQ(*get(0, 5), "all");
  EXPECT_EQ(*get(7, 5), "");
  EXPECT_EQ(*get(0, 0), "");
  EXPECT_THAT(server_->requests(), SizeIs(5));
  EXPECT_THAT(waits_, IsEmpty());
}

TEST_F(S3ObjectStoreTest, OddAnswersAreNoSuccess) {
  const std::vector<std::string> odd = {
      part_answer("10-13/100", "abcd"),                                             // shorter than there is
      part_answer("11-15/100", "abcde"),                                            // elsewhere
      part_answer("10-14/*", "abcde"),                                              // of nobody knows how much
      part_answer("10-15/100", "abcde"),                                            // not what the head says
      answer("206 Partial Content", "abcde"),                                       // of nobody knows what
      answer("200 OK", "abcde"),                                                    // another part
      answer("200 OK", std::string(100, 'x')),                                      // all of it
      answer("204 No Content", ""),                                                 //
      error_answer("200 OK", "InternalError"),                                      //
      "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 10-14/100\r\n\r\nabc",  // ends early
      "HTTP/1.1 206 Partial Content\r\nContent-Length: 5\r\nContent-Range: bytes 10-14/100\r\n\r\nabc",
      "this is not HTTP\r\n\r\n",
  };
  options_.tries_max = static_cast<int>(odd.size()) + 1;
  options_.deadline = std::chrono::hours(1);
  std::vector<Script> scripts;
  for (const auto& text : odd) scripts.push_back(sending(text));
  scripts.push_back(sending(part_answer("10-14/100", "right")));
  serve(std::move(scripts));
  const auto got = get(10, 5);
  ASSERT_TRUE(got) << got.error().text();
  EXPECT_EQ(*got, "right");
  EXPECT_THAT(server_->requests(), SizeIs(odd.size() + 1));
}

TEST_F(S3ObjectStoreTest, AResetInTheBodyIsTriedAgain) {
  serve({[](const Request&, Connection& connection) {
           connection.send("HTTP/1.1 206 Partial Content\r\nContent-Length: 5\r\nContent-Range: bytes 0-4/5\r\n\r\nab");
           connection.reset();
         },
         sending(part_answer("0-4/5", "whole"))});
  EXPECT_EQ(*get(0, 5), "whole");
}

TEST_F(S3ObjectStoreTest, EndlessBodiesEnd) {
  const auto endless = [](const std::string& head) {
    return [head](const Request&, Connection& connection) {
      if (!connection.send(head)) return;
      const std::string piece(1U << 16U, 'x');
      while (connection.send(piece)) {
      }
    };
  };
  serve({endless("HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-4/5\r\n\r\n"),
         endless("HTTP/1.1 503 Slow Down\r\n\r\n"), sending(part_answer("0-4/5", "whole"))});
  EXPECT_EQ(*get(0, 5), "whole");
}

/// Only the service's own word for it counts: a proxy's 404, or a bucket that is gone, is no object that is missing.
TEST_F(S3ObjectStoreTest, MissingObjectsAreToldFromMissingBuckets) {
  serve({sending(error_answer("404 Not Found", "NoSuchKey")), sending(error_answer("404 Not Found", "NoSuchBucket")),
         sending(answer("404 Not Found", "<html><body>Not Found</body></html>"))});
  const auto missing = get(0, 5);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind(), ErrorKind::not_found);
  expect_unavailable(get(0, 5), "404 NoSuchBucket. Create the bucket, or correct its name.");
  expect_unavailable(get(0, 5), "cannot be used: 404. ");
  EXPECT_THAT(server_->requests(), SizeIs(3));
}

// ---- refusals ----

TEST_F(S3ObjectStoreTest, RefusalsAreNotTriedAgain) {
  serve({sending(error_answer("403 Forbidden", "AccessDenied")),
         sending(error_answer("403 Forbidden", "RequestTimeTooSkewed")),
         sending(error_answer("400 Bad Request", "InvalidRequest")),
         sending(error_answer("501 No", "NotImplemented"))});
  expect_unavailable(put("x"), "403 AccessDenied. Check the access key and what it may do in this bucket.");
  expect_unavailable(put("x"), "403 RequestTimeTooSkewed. Set the clock of this server.");
  expect_unavailable(put("x"), "400 InvalidRequest");
  expect_unavailable(put("x"), "501 NotImplemented");
  EXPECT_THAT(waits_, IsEmpty());
}

TEST_F(S3ObjectStoreTest, ABucketElsewhereIsNotFollowed) {
  serve({sending(error_answer("301 Moved Permanently", "PermanentRedirect",
                              "x-amz-bucket-region: eu-west-1\r\nLocation: http://127.0.0.1:9/\r\n")),
         sending(error_answer("307 Temporary Redirect", "TemporaryRedirect", "Location: http://127.0.0.1:9/\r\n")),
         sending(answer("400 Bad Request",
                        "<Error><Code>AuthorizationHeaderMalformed</Code><Region>us-west-2</Region></Error>"))});
  expect_unavailable(get(0, 5), "301 PermanentRedirect. The bucket is in the region eu-west-1: set this region");
  expect_unavailable(get(0, 5), "307 TemporaryRedirect. Set the bucket's region");
  expect_unavailable(get(0, 5), "400 AuthorizationHeaderMalformed. The bucket is in the region us-west-2");
  EXPECT_THAT(server_->requests(), SizeIs(3));
}

TEST_F(S3ObjectStoreTest, ExpiredCredentialsAreReadAgain) {
  serve({sending(error_answer("403 Forbidden", "ExpiredToken")), sending(answer("200 OK", "")),
         sending(error_answer("400 Bad Request", "ExpiredToken")), sending(answer("200 OK", "")),
         // A secret that was exchanged under the same name.
         sending(error_answer("403 Forbidden", "SignatureDoesNotMatch")), sending(answer("200 OK", ""))});
  EXPECT_TRUE(put("x"));
  EXPECT_EQ(credentials_read_, 2);
  EXPECT_TRUE(put("x"));
  EXPECT_EQ(credentials_read_, 3);
  EXPECT_TRUE(put("x"));
  EXPECT_EQ(credentials_read_, 4);
  EXPECT_THAT(waits_, IsEmpty());
  EXPECT_NE(server_->requests().at(0).header("Authorization"), server_->requests().at(1).header("Authorization"));
}

TEST_F(S3ObjectStoreTest, ExpiredCredentialsWithoutNewOnes) {
  options_.credentials = [] { return Credentials{"AKID", "always the same", "token"}; };
  serve({sending(error_answer("403 Forbidden", "ExpiredToken"))});
  expect_unavailable(put("x"), "403 ExpiredToken. Check the access key and its secret.");
  EXPECT_EQ(server_->requests().at(0).header("x-amz-security-token"), "token");
}

TEST_F(S3ObjectStoreTest, NothingToSignWith) {
  options_.credentials = []() -> base::Result<Credentials> {
    return base::Error(ErrorKind::service_unavailable, "quire.test", "no key here");
  };
  serve({});
  const auto stored = put("x");
  ASSERT_FALSE(stored);
  EXPECT_EQ(stored.error().text(), "no key here");
  EXPECT_THAT(server_->requests(), IsEmpty());
}

TEST_F(S3ObjectStoreTest, ErrorsHoldNoSecrets) {
  options_.credentials = [] { return Credentials{"AKID", "se/cret1", ""}; };
  std::string signature;
  serve({[&](const Request& request, Connection& connection) {
           connection.read_body(request);
           const auto authorization = request.header("Authorization").value_or("");
           signature = authorization.substr(authorization.find("Signature=") + 10);
           connection.send(error_answer("403 Forbidden", "SignatureDoesNotMatch", "", "You sent " + signature));
         },
         sending(error_answer("403 Forbidden", "A</Code><Code>se/cret1", "", "The secret is se/cret1.")),
         sending(error_answer("403 Forbidden", "AccessDenied", "", "Ask Jane."))});
  for (int i = 0; i < 2; ++i) {
    const auto refused = put("x");
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().text() + refused.error().cause(),
                AllOf(Not(HasSubstr(signature)), Not(HasSubstr("se/cret1"))));
  }
  EXPECT_EQ(signature.size(), 64U);
  EXPECT_EQ(put("x").error().cause(), "Ask Jane.");
}

// ---- remove ----

std::vector<std::string> many_keys(int count) {
  std::vector<std::string> keys;
  for (int i = 0; i < count; ++i) keys.push_back("key/" + std::to_string(i));
  return keys;
}

const std::string removed_all = answer("200 OK", "<DeleteResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"/>");

TEST_F(S3ObjectStoreTest, RemovesInLots) {
  std::vector<std::string> bodies;
  const Script script = [&](const Request& request, Connection& connection) {
    bodies.push_back(connection.read_body(request));
    connection.send(removed_all);
  };
  serve({script, script, script});
  EXPECT_TRUE(store_->remove(many_keys(2001)));
  EXPECT_TRUE(store_->remove({}));
  ASSERT_THAT(bodies, SizeIs(3));
  EXPECT_THAT(bodies[0], AllOf(HasSubstr("<Quiet>true</Quiet><Object><Key>quire/key/0</Key></Object>"),
                               HasSubstr("<Key>quire/key/999</Key>"), Not(HasSubstr("key/1000<"))));
  EXPECT_THAT(bodies[2], AllOf(HasSubstr("<Key>quire/key/2000</Key>"), Not(HasSubstr("key/1999<"))));
  const auto request = server_->requests().at(0);
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.target, "/bucket?delete=");
  EXPECT_TRUE(request.header("content-md5"));
  EXPECT_TRUE(request.header("x-amz-checksum-sha256"));
}

TEST_F(S3ObjectStoreTest, EachKeysRemovalMayFail) {
  const auto failing = [](const std::string& code) {
    return sending(answer(
        "200 OK", "<DeleteResult><Error><Key>quire/key/1</Key><Code>" + code + "</Code></Error></DeleteResult>"));
  };
  serve({failing("SlowDown"), failing("NoSuchKey"), failing("AccessDenied"),
         sending(error_answer("200 OK", "InternalError")), sending(answer("200 OK", "<DeleteResult>")),
         sending(removed_all)});
  EXPECT_TRUE(store_->remove(many_keys(2)));
  EXPECT_THAT(server_->requests(), SizeIs(2));
  expect_unavailable(store_->remove(many_keys(2)), "AccessDenied for an object to be removed. Check the access key");
  EXPECT_TRUE(store_->remove(many_keys(2)));
  EXPECT_THAT(server_->requests(), SizeIs(6));
}

// ---- list ----

std::string list_answer(const std::string& inside, const std::string& rest) {
  return answer(
      "200 OK",
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult "
      "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>bucket</Name><EncodingType>url</EncodingType>" +
          inside + rest + "</ListBucketResult>");
}

std::string listed(const std::string& key) {
  return "<Contents><Key>" + key +
         "</Key><LastModified>2013-05-24T00:00:01.000Z</LastModified><ETag>&quot;x&quot;</ETag><Size>5</Size></"
         "Contents>";
}

TEST_F(S3ObjectStoreTest, ListsInPages) {
  serve({sending(list_answer(listed("quire/a%2Fb") + listed("quire/a/Not+ours%21") + listed("quire/a/c"),
                             "<IsTruncated>true</IsTruncated><NextContinuationToken>to/ken+=</NextContinuationToken>")),
         sending(list_answer("", "<IsTruncated>false</IsTruncated>"))});
  const auto page = store_->list("a/", "");
  ASSERT_TRUE(page) << page.error().text();
  ASSERT_THAT(page->objects, SizeIs(2));
  EXPECT_EQ(page->objects[0].key, "a/b");
  EXPECT_EQ(page->objects[0].size, 5);
  EXPECT_EQ(page->objects[0].modified, base::parse_time("2013-05-24T00:00:01.000Z"));
  EXPECT_EQ(page->objects[1].key, "a/c");
  EXPECT_EQ(page->next, "to/ken+=");
  const auto last = store_->list("a/", page->next);
  ASSERT_TRUE(last);
  EXPECT_THAT(last->objects, IsEmpty());
  EXPECT_EQ(last->next, "");
  EXPECT_EQ(server_->requests().at(0).target,
            "/bucket?encoding-type=url&list-type=2&max-keys=1000&prefix=quire%2Fa%2F");
  EXPECT_EQ(
      server_->requests().at(1).target,
      "/bucket?continuation-token=to%2Fken%2B%3D&encoding-type=url&list-type=2&max-keys=1000&prefix=quire%2Fa%2F");
}

TEST_F(S3ObjectStoreTest, OddListsAreNoLists) {
  const std::vector<std::string> odd = {
      error_answer("200 OK", "InternalError"),
      answer("200 OK", ""),
      answer("200 OK", "<html/>"),
      list_answer(listed("quire/a"), ""),                                  // is there more?
      list_answer(listed("quire/a"), "<IsTruncated>true</IsTruncated>"),   // and where?
      list_answer(listed("other/a"), "<IsTruncated>false</IsTruncated>"),  // not asked for
      list_answer(listed("quire/%zz"), "<IsTruncated>false</IsTruncated>"),
      list_answer("<Contents><Key>quire/a</Key></Contents>", "<IsTruncated>false</IsTruncated>"),
      answer("200 OK",
             "<!DOCTYPE x [<!ENTITY e \"quire/a\">]><ListBucketResult><IsTruncated>false</IsTruncated>"
             "</ListBucketResult>"),
      answer("200 OK", "<ListBucketResult><IsTruncated>false</IsTruncated>"),
  };
  options_.tries_max = static_cast<int>(odd.size()) + 1;
  options_.deadline = std::chrono::hours(1);
  std::vector<Script> scripts;
  for (const auto& text : odd) scripts.push_back(sending(text));
  scripts.push_back(sending(list_answer(listed("quire/a"), "<IsTruncated>false</IsTruncated>")));
  serve(std::move(scripts));
  const auto page = store_->list("", "");
  ASSERT_TRUE(page) << page.error().text();
  EXPECT_THAT(page->objects, SizeIs(1));
  EXPECT_THAT(server_->requests(), SizeIs(odd.size() + 1));
}

// ---- connections ----

const std::string stored_and_staying = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

TEST_F(S3ObjectStoreTest, ConnectionsAreKept) {
  int on_this_connection = 0;
  serve({[&](const Request& request, Connection& connection) {
    for (std::optional<Request> next = request; next; next = connection.read_request()) {
      ++on_this_connection;
      connection.read_body(*next);
      connection.send(stored_and_staying);
    }
  }});
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(put("x"));
  store_.reset();
  server_.reset();
  EXPECT_EQ(on_this_connection, 3);
}

/// A server may close a connection at the moment when the next request begins. libcurl would send that again by itself,
/// and the 412 would look like another's object.
TEST_F(S3ObjectStoreTest, ARequestIsNotSentTwiceUnnoticed) {
  serve({[](const Request& request, Connection& connection) {
           connection.read_body(request);
           connection.send(stored_and_staying);
           connection.read_body(connection.read_request().value());
         },
         sending(error_answer("412 Precondition Failed", "PreconditionFailed")),
         sending(part_answer("0-3/4", "mine"))});
  EXPECT_TRUE(put("first"));
  const auto stored = put("mine");
  EXPECT_TRUE(stored) << stored.error().text();
  EXPECT_THAT(waits_, IsEmpty());
}

TEST_F(S3ObjectStoreTest, CertificatesAreChecked) {
  CertificateMaker maker;
  CertificateMaker::Spec spec;
  spec.not_before = base::SystemClock().now() - std::chrono::hours(1);
  spec.not_after = base::SystemClock().now() + std::chrono::hours(1);
  spec.is_authority = true;
  spec.common_name = "test authority";
  const auto authority = maker.self_signed(spec);
  spec.is_authority = false;
  spec.common_name = "localhost";
  serve({sending(answer("200 OK", ""))}, maker.issued_by(authority, spec));
  use(server_->url("", "localhost"));
  expect_unavailable(put("x"), "it presented a certificate that ");
  EXPECT_THAT(waits_, IsEmpty());

  const test_support::TemporaryFolder folder;
  options_.extra_ca_file = (folder.path() / "roots.pem").string();
  open();
  expect_unavailable(put("x"), "the file of additional root certificates cannot be read");
  std::ofstream(options_.extra_ca_file) << authority.pem();
  const auto stored = put("x");
  EXPECT_TRUE(stored) << stored.error().text();
}

}  // namespace
}  // namespace quire::adapters::s3
