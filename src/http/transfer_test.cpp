#include <gmock/gmock.h>

#include <numeric>

#include "http/http_fixture.h"

namespace quire::http {
namespace {

using service::BodyEnd;
using std::chrono::milliseconds;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::size_t chunk = 64 * 1024;

std::string put(const std::string& token, std::size_t length, const std::string& fields = {}) {
  return "PUT /cls/data/" + token + "/file HTTP/1.1\r\nHost: h\r\n" + fields +
         "Content-Length: " + std::to_string(length) + "\r\n\r\n";
}

std::string chunked_put(const std::string& token) {
  return "POST /cls/data/" + token + "/file HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
}

std::string get(const std::string& token, const std::string& fields = {}) {
  return "GET /cls/data/" + token + "/file HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n";
}

/// Every transfer test runs on a plain connection and over TLS.
class TransferTest : public HttpTest, public testing::WithParamInterface<bool> {
 protected:
  void start() { HttpTest::start(GetParam()); }
  std::unique_ptr<Client> connect() {
    if (GetParam()) return std::make_unique<Client>(tls_port(), certificate_pem_);
    return std::make_unique<Client>(port());
  }
};

INSTANTIATE_TEST_SUITE_P(, TransferTest, testing::Bool(),
                         [](const auto& mode) { return mode.param ? std::string("Tls") : std::string("Plain"); });

TEST_P(TransferTest, UploadOfKnownLength) {
  auto& upload = transfers_.add_upload("t");
  start();
  auto client = connect();
  const auto bytes = pattern(3 * chunk + 100);
  const auto answer = client->ask(put("t", bytes.size()) + bytes);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "");
  EXPECT_EQ(answer.headers.at("content-length"), "0");
  EXPECT_EQ(answer.headers.at("connection"), "keep-alive");
  upload.over.wait();
  EXPECT_EQ(upload.announced, static_cast<std::int64_t>(bytes.size()));
  EXPECT_TRUE(upload.bytes == bytes);
  EXPECT_THAT(upload.chunks, ElementsAre(chunk, chunk, chunk, 100));
  EXPECT_TRUE(upload.aligned);
  EXPECT_EQ(upload.end, BodyEnd::whole);
  EXPECT_EQ(client->ask("GET /x HTTP/1.1\r\nHost: h\r\n\r\n").status, 200);
}

TEST_P(TransferTest, UploadOfWholeChunks) {
  auto& upload = transfers_.add_upload("t");
  start();
  const auto bytes = pattern(4 * chunk);
  EXPECT_EQ(connect()->ask(put("t", bytes.size()) + bytes).status, 200);
  upload.over.wait();
  EXPECT_TRUE(upload.bytes == bytes);
  EXPECT_THAT(upload.chunks, ElementsAre(chunk, chunk, chunk, chunk));
}

TEST_P(TransferTest, UploadChunked) {
  auto& upload = transfers_.add_upload("t");
  start();
  auto client = connect();
  const auto bytes = pattern(3 * chunk + 17);
  client->send(chunked_put("t"));
  std::size_t at = 0;
  for (const std::size_t size : {std::size_t{1}, std::size_t{5}, std::size_t{20000}, 2 * chunk, bytes.size()}) {
    const auto piece = bytes.substr(at, size);
    at += piece.size();
    client->send((std::ostringstream() << std::hex << piece.size()).str() + "\r\n" + piece + "\r\n");
  }
  EXPECT_EQ(client->ask("0\r\n\r\n").status, 200);
  upload.over.wait();
  EXPECT_EQ(upload.announced, std::nullopt);
  EXPECT_TRUE(upload.bytes == bytes);
  EXPECT_THAT(upload.chunks, ElementsAre(chunk, chunk, chunk, 17));
  EXPECT_EQ(client->ask("GET /x HTTP/1.1\r\nHost: h\r\n\r\n").status, 200);
}

TEST_P(TransferTest, UploadOfNothing) {
  auto& fixed = transfers_.add_upload("fixed");
  auto& chunked = transfers_.add_upload("chunked");
  auto& bare = transfers_.add_upload("bare");
  start();
  auto client = connect();
  EXPECT_EQ(client->ask(put("fixed", 0)).status, 200);
  EXPECT_EQ(client->ask(chunked_put("chunked") + "0\r\n\r\n").status, 200);
  EXPECT_EQ(client->ask("PUT /cls/data/bare/file HTTP/1.1\r\nHost: h\r\n\r\n").status, 200);
  for (auto* upload : {&fixed, &chunked, &bare}) {
    upload->over.wait();
    EXPECT_THAT(upload->chunks, IsEmpty());
    EXPECT_EQ(upload->end, BodyEnd::whole);
  }
  EXPECT_EQ(bare.announced, 0);
}

TEST_P(TransferTest, SlowUploadIsStoredInWholePages) {
  settings_.limits.transfer_buffer_bytes = 4 * 1024 * 1024;
  settings_.limits.transfer_stall_timeout = milliseconds(2400);  // a chunk may take 200 ms
  auto& upload = transfers_.add_upload("t");
  start();
  auto client = connect();
  client->send(chunked_put("t"));
  std::string sent;
  while (!upload.appended.is_set()) {
    client->send("1\r\nx\r\n");
    sent += 'x';
  }
  EXPECT_EQ(client->ask("3\r\nend\r\n0\r\n\r\n").status, 200);
  upload.over.wait();
  EXPECT_TRUE(upload.bytes == sent + "end");
  EXPECT_EQ(upload.chunks.front() % 4096, 0u);
  EXPECT_LT(upload.chunks.front(), settings_.limits.transfer_buffer_bytes);
}

// 1,000 bytes every half second were cut off by a session time-out of four: less than a page counted as nothing.
TEST_P(TransferTest, EveryByteOfASlowUploadIsActivity) {
  settings_.limits.transfer_buffer_bytes = 4 * 1024 * 1024;
  settings_.limits.activity_interval = milliseconds(20);
  auto& upload = transfers_.add_upload("t");
  start();
  auto client = connect();
  client->send(chunked_put("t"));
  while (!upload.touched.is_set() && !upload.appended.is_set()) {
    client->send("1\r\nx\r\n");
    std::this_thread::sleep_for(milliseconds(1));
  }
  EXPECT_TRUE(upload.touched.is_set());
  EXPECT_EQ(client->ask("0\r\n\r\n").status, 200);
}

/// A stream that is fast is read in large pieces, and its socket is looked at in other ways than others. Whatever
/// happens to it then must be noticed all the same.
class FastUploadTest : public TransferTest {
 protected:
  FastUploadTest() {
    settings_.limits.transfer_buffer_bytes = large_chunk;
    settings_.limits.transfer_memory_bytes_max = 4 * large_chunk;
  }
  static constexpr std::size_t large_chunk = 2 * 1024 * 1024;
};
INSTANTIATE_TEST_SUITE_P(, FastUploadTest, testing::Bool(),
                         [](const auto& mode) { return mode.param ? std::string("Tls") : std::string("Plain"); });

TEST_P(FastUploadTest, ItsEndIsReadAndTheConnectionGoesOn) {
  auto& first = transfers_.add_upload("first");
  auto& second = transfers_.add_upload("second");
  start();
  auto client = connect();
  for (auto* upload : {&first, &second}) {
    const auto bytes = pattern(5 * large_chunk + 12345);
    EXPECT_EQ(client->ask(put(upload == &first ? "first" : "second", bytes.size()) + bytes).status, 200);
    upload->over.wait();
    EXPECT_TRUE(upload->bytes == bytes);
    EXPECT_THAT(upload->chunks, ElementsAre(large_chunk, large_chunk, large_chunk, large_chunk, large_chunk, 12345));
    EXPECT_EQ(client->ask("GET /x HTTP/1.1\r\nHost: h\r\n\r\n").status, 200);
  }
}

TEST_P(FastUploadTest, WhatCameBeforeAPauseIsNotLeftInTheSocket) {
  auto& upload = transfers_.add_upload("t");
  start();
  const auto bytes = pattern(3 * large_chunk);
  const auto before = large_chunk + 300 * 4096;
  upload.appended_bytes = before;
  auto client = connect();
  client->send(put("t", bytes.size()) + bytes.substr(0, before));
  upload.appended.wait();
  EXPECT_EQ(client->ask(bytes.substr(before)).status, 200);
  upload.over.wait();
  EXPECT_TRUE(upload.bytes == bytes);
}

TEST_P(FastUploadTest, ItCanBeStopped) {
  auto& upload = transfers_.add_upload("t");
  start();
  auto client = connect();
  client->send(put("t", 9 * large_chunk) + pattern(2 * large_chunk));
  upload.appended.wait();
  upload.on_stop();
  EXPECT_EQ(client->answer().status, 410);
}

TEST_P(FastUploadTest, ItCanBreakOff) {
  auto& upload = transfers_.add_upload("t");
  start();
  auto client = connect();
  client->send(put("t", 9 * large_chunk) + pattern(2 * large_chunk));
  upload.appended.wait();
  client->abort();
  upload.over.wait();
  EXPECT_EQ(upload.end, BodyEnd::broken);
}

TEST_P(FastUploadTest, ItCanStall) {
  settings_.limits.transfer_stall_timeout = milliseconds(300);
  auto& upload = transfers_.add_upload("t");
  start();
  EXPECT_EQ(connect()->ask(put("t", 9 * large_chunk) + pattern(2 * large_chunk)).status, 408);
  upload.over.wait();
  EXPECT_TRUE(upload.bytes == pattern(2 * large_chunk));
}

TEST_P(TransferTest, UploadExpectingContinue) {
  auto& upload = transfers_.add_upload("t");
  start();
  auto client = connect();
  EXPECT_EQ(client->ask(put("t", 3, "Expect: 100-continue\r\n")).status, 100);
  EXPECT_EQ(client->ask("abc").status, 200);
  upload.over.wait();
  EXPECT_EQ(upload.bytes, "abc");
}

TEST_P(TransferTest, WrappedContentIsRefusedBeforeTheUploadBegins) {
  auto& upload = transfers_.add_upload("t");
  start();
  for (const std::string field : {"Content-Encoding: gzip\r\n", "Content-Type: multipart/form-data; boundary=b\r\n"}) {
    const auto answer = connect()->ask(put("t", 3, field) + "abc");
    EXPECT_EQ(answer.status, 415);
    EXPECT_EQ(answer.headers.at("accept-encoding"), "identity");
  }
  EXPECT_FALSE(upload.begun.is_set());
}

TEST_P(TransferTest, BrokenUploadKeepsWhatHasCome) {
  auto& upload = transfers_.add_upload("t");
  start();
  auto client = connect();
  client->send(put("t", 3 * chunk) + pattern(chunk));
  upload.appended.wait();
  client->abort();
  upload.over.wait();
  EXPECT_EQ(upload.end, BodyEnd::broken);
  EXPECT_TRUE(upload.bytes == pattern(chunk));
}

TEST_P(TransferTest, ChunkedUploadWithoutItsEndIsBroken) {
  auto& upload = transfers_.add_upload("t");
  start();
  auto client = connect();
  client->send(chunked_put("t") + "3\r\nabc\r\n");
  upload.begun.wait();
  client->close();
  upload.over.wait();
  EXPECT_EQ(upload.end, BodyEnd::broken);
  EXPECT_EQ(upload.bytes, "abc");
}

TEST_P(TransferTest, MalformedChunksAreRefused) {
  auto& upload = transfers_.add_upload("t");
  start();
  const auto answer = connect()->ask(chunked_put("t") + "3\r\nabcX\r\n");
  EXPECT_EQ(answer.status, 400);
  upload.over.wait();
  EXPECT_EQ(upload.end, BodyEnd::broken);
}

TEST_P(TransferTest, StalledUploadIsBrokenAndTold) {
  settings_.limits.transfer_stall_timeout = milliseconds(30);
  auto& upload = transfers_.add_upload("t");
  start();
  const auto answer = connect()->ask(put("t", 3 * chunk) + "abc");
  EXPECT_EQ(answer.status, 408);
  upload.over.wait();
  EXPECT_EQ(upload.end, BodyEnd::broken);
}

TEST_P(TransferTest, StoppedUploadIsTold) {
  auto& upload = transfers_.add_upload("t");
  start();
  auto client = connect();
  client->send(put("t", 3 * chunk) + pattern(chunk));
  upload.appended.wait();
  upload.on_stop();
  const auto answer = client->answer();
  EXPECT_EQ(answer.status, 410);
  EXPECT_EQ(answer.headers.at("connection"), "close");
  upload.over.wait();
  EXPECT_EQ(upload.end, BodyEnd::broken);
  upload.on_stop();  // too late to matter
}

TEST_P(TransferTest, StoppedUploadSaysTheReasonThatTheServiceGives) {
  auto& upload = transfers_.add_upload("t");
  upload.finish_error = base::Error(base::ErrorKind::concurrent_change, "quire.test", "A later one won.");
  start();
  auto client = connect();
  client->send(put("t", 3 * chunk) + pattern(chunk));
  upload.appended.wait();
  upload.on_stop();
  const auto answer = client->answer();
  EXPECT_EQ(answer.status, 409);
  EXPECT_EQ(answer.body, "error: A later one won.");
}

TEST_P(TransferTest, RefusalIsReadWhileTheClientStillSends) {
  transfers_.add_upload("gone").refusal = {base::Error(base::ErrorKind::not_found, "quire.test", "It has ended."),
                                           true};
  transfers_.add_upload("wrong").refusal = {base::Error(base::ErrorKind::invalid_argument, "quire.test", "Too long."),
                                            false};
  transfers_.add_upload("full").refusal = {
      base::Error(base::ErrorKind::unable_to_allocate_resource, "quire.test", "Full."), false};
  start();
  const auto bytes = pattern(8 * 1024 * 1024);
  const std::pair<std::string, int> cases[] = {{"gone", 410}, {"wrong", 400}, {"full", 507}, {"unknown", 404}};
  for (const auto& [token, status] : cases) {
    auto client = connect();
    client->send(put(token, bytes.size()) + bytes);  // not all of it is read
    const auto answer = client->answer();
    EXPECT_EQ(answer.status, status) << token;
    EXPECT_EQ(answer.headers.at("connection"), "close");
  }
  auto client = connect();
  EXPECT_EQ(client->ask(put("gone", 3) + "abc").headers.at("connection"), "keep-alive");
  EXPECT_EQ(client->ask("GET /x HTTP/1.1\r\nHost: h\r\n\r\n").status, 200);
}

TEST_P(TransferTest, ErrorsOfStorageAreAnsweredWhileTheClientStillSends) {
  const auto bytes = pattern(8 * 1024 * 1024);
  const std::pair<base::ErrorKind, int> cases[] = {{base::ErrorKind::invalid_argument, 400},
                                                   {base::ErrorKind::concurrent_change, 409},
                                                   {base::ErrorKind::not_found, 410},
                                                   {base::ErrorKind::unable_to_allocate_resource, 507},
                                                   {base::ErrorKind::internal_server_error, 500}};
  for (const auto& [kind, status] : cases) {
    transfers_.add_upload("append" + std::to_string(status)).append_error = base::Error(kind, "quire.test", "No.");
    transfers_.add_upload("finish" + std::to_string(status)).finish_error = base::Error(kind, "quire.test", "No.");
  }
  start();
  for (const auto& [kind, status] : cases) {
    for (const std::string when : {"append", "finish"}) {
      auto client = connect();
      client->send(put(when + std::to_string(status), bytes.size()) + bytes);
      EXPECT_EQ(client->answer().status, status) << when;
      auto& upload = transfers_.add_upload(when + std::to_string(status));
      upload.over.wait();
      EXPECT_EQ(upload.end.has_value(), when == "finish");
    }
  }
}

TEST_P(TransferTest, PartsAreAnsweredWithWhatHasArrived) {
  auto& upload = transfers_.add_upload("t");
  upload.state = {2, false, 9, {{0, 2}, {3, 6}}};
  start();
  auto client = connect();
  auto answer = client->ask(put("t", 3, "Content-Range: bytes 3-5/9\r\n") + "def", false);
  EXPECT_EQ(answer.status, 204);
  EXPECT_EQ(answer.headers.at("upload-offset"), "2");
  EXPECT_EQ(answer.headers.at("upload-complete"), "?0");
  EXPECT_EQ(answer.headers.at("upload-length"), "9");
  EXPECT_EQ(answer.headers.at("upload-ranges"), "bytes=0-1,3-5");
  EXPECT_EQ(upload.request->offset, 3);
  EXPECT_EQ(upload.bytes, "def");

  answer = client->ask("HEAD /cls/data/t/file HTTP/1.1\r\nHost: h\r\n\r\n", false);
  EXPECT_EQ(answer.status, 204);
  EXPECT_EQ(answer.headers.at("upload-offset"), "2");
  EXPECT_EQ(answer.headers.at("cache-control"), "no-store");

  answer = client->ask("OPTIONS /cls/data/t/file HTTP/1.1\r\nHost: h\r\n\r\n", false);
  EXPECT_EQ(answer.status, 204);
  EXPECT_EQ(answer.headers.at("accept-patch"), "application/partial-upload");
  EXPECT_EQ(client->ask("DELETE /cls/data/t/file HTTP/1.1\r\nHost: h\r\n\r\n", false).status, 204);
  EXPECT_TRUE(upload.discarded);
  EXPECT_EQ(client->ask("HEAD /cls/data/unknown/file HTTP/1.1\r\nHost: h\r\n\r\n", false).status, 404);
}

TEST_P(TransferTest, ARefusedPartIsToldWhereTheUploadGoesOn) {
  transfers_.add_upload("t").refusal = {base::Error(base::ErrorKind::concurrent_change, "quire.test", "Not there."),
                                        false, service::UploadState{5, false, std::nullopt, {{0, 5}}}};
  start();
  auto client = connect();
  const std::string patch =
      "PATCH /cls/data/t/file HTTP/1.1\r\nHost: h\r\nContent-Type: application/partial-upload\r\nUpload-Offset: 7\r\n"
      "Upload-Complete: ?1\r\nContent-Length: 3\r\n\r\nabc";
  const auto answer = client->ask(patch);
  EXPECT_EQ(answer.status, 409);
  EXPECT_EQ(answer.headers.at("upload-offset"), "5");
}

TEST_P(TransferTest, CreationIsAnnouncedToWhoUnderstandsIt) {
  auto& upload = transfers_.add_upload("t");
  upload.state = {3, false, std::nullopt, {{0, 3}}};
  start();
  auto client = connect();
  const auto interim =
      client->ask(put("t", 3, "Upload-Complete: ?0\r\nUpload-Draft-Interop-Version: 8\r\n") + "abc", false);
  EXPECT_EQ(interim.status, 104);
  const auto location = interim.headers.at("location");
  EXPECT_NE(location.find("/cls/data/t/file"), std::string::npos);
  const auto answer = client->answer(false);
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(answer.headers.at("location"), location);
  EXPECT_FALSE(upload.request->ends_file);
  EXPECT_EQ(client->ask(put("t", 3, "Upload-Complete: ?0\r\n") + "abc", false).status, 201)
      << "no interim answer for clients that may take it for the final one";
}

/// An upload whose client sends nothing must not hold memory that others need.
TEST_P(TransferTest, IdleUploadsHoldNoBuffers) {
  settings_.limits.transfer_memory_bytes_max = chunk;
  const auto bytes = pattern(2 * chunk);
  std::vector<std::unique_ptr<Client>> idle;
  for (int i = 0; i < 5; ++i) transfers_.add_upload("idle" + std::to_string(i));
  transfers_.add_upload("busy");
  start();
  for (int i = 0; i < 5; ++i) {
    idle.push_back(connect());
    idle.back()->send(put("idle" + std::to_string(i), bytes.size()) + bytes.substr(0, 5000));
    transfers_.add_upload("idle" + std::to_string(i)).begun.wait();
  }
  auto busy = connect();
  EXPECT_EQ(busy->ask(put("busy", bytes.size()) + bytes).status, 200);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(idle[static_cast<std::size_t>(i)]->ask(bytes.substr(5000)).status, 200);
    EXPECT_TRUE(transfers_.add_upload("idle" + std::to_string(i)).bytes == bytes);
    EXPECT_TRUE(transfers_.add_upload("idle" + std::to_string(i)).aligned);
  }
}

TEST_P(TransferTest, TwoUploadsShareOneBuffer) {
  settings_.limits.transfer_memory_bytes_max = chunk;
  auto& first = transfers_.add_upload("first");
  auto& second = transfers_.add_upload("second");
  start();
  const auto bytes = pattern(5 * chunk);
  auto one = connect();
  one->send(put("first", bytes.size()) + bytes.substr(0, 2 * chunk));
  first.appended.wait();
  auto two = connect();
  two->send(put("second", bytes.size()) + bytes.substr(0, 10));
  second.begun.wait();
  EXPECT_EQ(one->ask(bytes.substr(2 * chunk)).status, 200);
  EXPECT_EQ(two->ask(bytes.substr(10)).status, 200);
  EXPECT_TRUE(first.bytes == bytes);
  EXPECT_TRUE(second.bytes == bytes);
}

TEST_P(TransferTest, UploadThatFindsNoBufferInTimeIsTold) {
  settings_.limits.transfer_memory_bytes_max = chunk;
  settings_.limits.transfer_stall_timeout = milliseconds(200);
  Signal gate;
  auto& first = transfers_.add_upload("first");
  first.append_gate = &gate;
  auto& second = transfers_.add_upload("second");
  start();
  auto one = connect();
  one->send(put("first", 2 * chunk) + pattern(2 * chunk));
  // From here on the first one waits for its next chunk, which the second one, who comes later, cannot outlast.
  first.appending.wait();
  EXPECT_EQ(connect()->ask(put("second", 2 * chunk)).status, 503);
  gate.set();
  EXPECT_EQ(one->answer().status, 503);
  second.over.wait();
}

TEST_P(TransferTest, SmallUploadsNeedNoSharedBuffer) {
  settings_.limits.transfer_memory_bytes_max = chunk;
  auto& big = transfers_.add_upload("big");
  transfers_.add_upload("small");
  start();
  auto one = connect();
  one->send(put("big", 2 * chunk) + pattern(chunk));
  big.appended.wait();
  EXPECT_EQ(connect()->ask(put("small", 3) + "abc").status, 200);
}

TEST_P(TransferTest, OtherMethods) {
  transfers_.add_upload("up");
  transfers_.add_download("down", "abc", false);
  start();
  auto client = connect();
  const auto get_on_upload = client->ask(get("up"));
  EXPECT_EQ(get_on_upload.status, 405);
  EXPECT_EQ(get_on_upload.headers.at("allow"), "PUT, POST, PATCH, HEAD, DELETE, OPTIONS");
  const auto del_on_download = client->ask("DELETE /cls/data/down/file HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(del_on_download.status, 405);
  EXPECT_EQ(del_on_download.headers.at("allow"), "GET, HEAD");
  EXPECT_EQ(client->ask(get("unknown")).status, 404);
}

TEST_P(TransferTest, Downloads) {
  const auto bytes = pattern(5 * 1024 * 1024 + 3);
  for (const bool as_file : {false, true}) {
    transfers_.add_download(as_file ? "file" : "memory", bytes, as_file).sha256 = "abcd";
  }
  start();
  for (const std::string token : {"memory", "file"}) {
    auto client = connect();
    const auto whole = client->ask(get(token));
    EXPECT_EQ(whole.status, 200);
    EXPECT_EQ(whole.headers.at("content-type"), "application/octet-stream");
    EXPECT_EQ(whole.headers.at("accept-ranges"), "bytes");
    EXPECT_EQ(whole.headers.at("etag"), "\"abcd\"");
    EXPECT_EQ(whole.headers.at("repr-digest"), "sha-256=:q80=:");
    EXPECT_TRUE(whole.body == bytes);

    const auto part = client->ask(get(token, "Range: bytes=3000000-4999999\r\nIf-Range: \"abcd\"\r\n"));
    EXPECT_EQ(part.status, 206);
    EXPECT_EQ(part.headers.at("content-range"), "bytes 3000000-4999999/" + std::to_string(bytes.size()));
    EXPECT_EQ(part.headers.at("repr-digest"), "sha-256=:q80=:");
    EXPECT_TRUE(part.body == bytes.substr(3000000, 2000000));

    const auto parts = client->ask(get(token, "Range: bytes=4000000-4999999, 7-8, -2\r\n"));
    EXPECT_EQ(parts.status, 206);
    EXPECT_EQ(parts.headers.at("content-type"), "multipart/byteranges; boundary=abcd");
    EXPECT_FALSE(parts.headers.contains("content-range"));
    const auto head_of = [&](const std::string& range) {
      return "--abcd\r\nContent-Type: application/octet-stream\r\nContent-Range: bytes " + range + "/" +
             std::to_string(bytes.size()) + "\r\n\r\n";
    };
    EXPECT_TRUE(parts.body == head_of("4000000-4999999") + bytes.substr(4000000, 1000000) + "\r\n" + head_of("7-8") +
                                  bytes.substr(7, 2) + "\r\n" + head_of("5242881-5242882") +
                                  bytes.substr(bytes.size() - 2) + "\r\n--abcd--\r\n");

    const auto last = client->ask(get(token, "Range: bytes=-1\r\n"));
    EXPECT_EQ(last.status, 206);
    EXPECT_EQ(last.body, bytes.substr(bytes.size() - 1));

    const auto beyond = client->ask(get(token, "Range: bytes=9000000-\r\n"));
    EXPECT_EQ(beyond.status, 416);
    EXPECT_EQ(beyond.headers.at("content-range"), "bytes */" + std::to_string(bytes.size()));

    const auto same = client->ask(get(token, "If-None-Match: \"abcd\"\r\n"));
    EXPECT_EQ(same.status, 304);
    EXPECT_EQ(same.headers.at("etag"), "\"abcd\"");
    EXPECT_FALSE(same.headers.contains("repr-digest"));

    const auto head = client->ask("HEAD /cls/data/" + token + "/file HTTP/1.1\r\nHost: h\r\n\r\n", false);
    EXPECT_EQ(head.status, 200);
    EXPECT_EQ(head.headers.at("content-length"), std::to_string(bytes.size()));
    EXPECT_EQ(head.headers.at("repr-digest"), "sha-256=:q80=:");
  }
}

TEST_P(TransferTest, DownloadsThroughALargeBuffer) {
  settings_.limits.transfer_buffer_bytes = 2 * 1024 * 1024;
  settings_.limits.transfer_memory_bytes_max = 2 * 1024 * 1024;
  const auto bytes = pattern(5 * 1024 * 1024 + 3);
  transfers_.add_download("memory", bytes, false);
  transfers_.add_download("file", bytes, true);
  start();
  for (const std::string token : {"memory", "file"}) {
    auto client = connect();
    EXPECT_TRUE(client->ask(get(token)).body == bytes);
    EXPECT_TRUE(client->ask(get(token, "Range: bytes=1000-3000000\r\n")).body == bytes.substr(1000, 2999001));
    EXPECT_EQ(client->ask("GET /x HTTP/1.1\r\nHost: h\r\n\r\n").status, 200);
  }
}

TEST_P(TransferTest, DownloadsOfNothingAndOfLittle) {
  transfers_.add_download("nothing", "", true);
  transfers_.add_download("little", "abc", false);
  start();
  auto client = connect();
  const auto nothing = client->ask(get("nothing"));
  EXPECT_EQ(nothing.status, 200);
  EXPECT_EQ(nothing.headers.at("content-length"), "0");
  EXPECT_EQ(nothing.headers.at("repr-digest"), "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:");
  EXPECT_EQ(client->ask(get("little")).body, "abc");
}

TEST_P(TransferTest, DownloadWithoutASharedBuffer) {
  settings_.limits.transfer_memory_bytes_max = chunk;
  auto& big = transfers_.add_upload("big");
  const auto bytes = pattern(10 * chunk);
  transfers_.add_download("down", bytes, false);
  start();
  auto one = connect();
  one->send(put("big", 2 * chunk) + pattern(chunk));
  big.appended.wait();
  EXPECT_TRUE(connect()->ask(get("down")).body == bytes);
}

TEST_P(TransferTest, StalledDownloadIsGivenUp) {
  settings_.limits.transfer_stall_timeout = milliseconds(50);
  transfers_.add_download("down", pattern(64 * 1024 * 1024), true);
  start();
  auto client = connect();
  client->send(get("down"));
  stop(std::chrono::hours(1));  // returns only because the download, which nobody reads, is given up
}

TEST_P(TransferTest, StopBreaksRunningTransfersAfterTheGrace) {
  auto& upload = transfers_.add_upload("t");
  transfers_.add_download("down", pattern(64 * 1024 * 1024), true);
  start();
  auto sender = connect();
  sender->send(put("t", 3 * chunk) + pattern(chunk));
  upload.appended.wait();
  auto receiver = connect();
  receiver->send(get("down"));
  EXPECT_EQ(receiver->answer(false).status, 200);
  stop(milliseconds(20));
  upload.over.wait();
  EXPECT_EQ(upload.end, BodyEnd::broken);
}

TEST_P(TransferTest, StopLetsAnUploadFinishWithinTheGrace) {
  auto& upload = transfers_.add_upload("t");
  start();
  auto client = connect();
  const auto bytes = pattern(3 * chunk);
  client->send(put("t", bytes.size()) + bytes.substr(0, chunk));
  upload.appended.wait();
  server_->stop(std::chrono::hours(1));
  const auto answer = client->ask(bytes.substr(chunk));
  EXPECT_EQ(answer.status, 200);
  thread_.join();
  EXPECT_TRUE(upload.bytes == bytes);
}

}  // namespace
}  // namespace quire::http
