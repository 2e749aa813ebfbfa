#include "http/upload_request.h"

#include <gtest/gtest.h>

namespace quire::http {
namespace {

using Place = service::UploadRequest::Place;

RequestHead head_of(std::string method, std::vector<std::pair<std::string, std::string>> fields,
                    std::optional<std::uint64_t> length = 3) {
  RequestHead head;
  head.method = std::move(method);
  head.content_length = length;
  head.chunked = !length;
  for (auto& [name, value] : fields) head.headers.add(std::move(name), std::move(value));
  return head;
}

UploadHead taken(const RequestHead& head) {
  auto read = read_upload_head(head);
  const auto* refusal = std::get_if<Refusal>(&read);
  EXPECT_EQ(refusal, nullptr) << (refusal != nullptr ? refusal->message().default_message : "");
  return refusal != nullptr ? UploadHead() : std::get<UploadHead>(std::move(read));
}

int refused(const RequestHead& head) {
  const auto read = read_upload_head(head);
  const auto* refusal = std::get_if<Refusal>(&read);
  return refusal != nullptr ? refusal->status() : 0;
}

TEST(UploadRequest, APlainPutIsTheWholeFile) {
  const auto plain = taken(head_of("PUT", {})).request;
  EXPECT_EQ(plain.place, Place::start_over);
  EXPECT_EQ(plain.body_length, 3);
  EXPECT_TRUE(plain.ends_file);
  EXPECT_EQ(taken(head_of("PUT", {}, std::nullopt)).request.body_length, std::nullopt);
  const auto ranged = taken(head_of("PUT", {{"Content-Range", "bytes 0-2/3"}})).request;
  EXPECT_EQ(ranged.place, Place::start_over);
  EXPECT_EQ(ranged.part_length, 3);
  EXPECT_EQ(ranged.file_length, 3);
}

TEST(UploadRequest, ContentRangeIsAPart) {
  const auto part = taken(head_of("POST", {{"Content-Range", "Bytes 6-8/20"}})).request;
  EXPECT_EQ(part.place, Place::at_offset);
  EXPECT_EQ(part.offset, 6);
  EXPECT_EQ(part.part_length, 3);
  EXPECT_EQ(part.file_length, 20);
  EXPECT_EQ(taken(head_of("PUT", {{"Content-Range", "bytes 6-8/*"}})).request.file_length, std::nullopt);
  for (const auto* bad : {"bytes 8-6/20", "bytes 6-8", "bytes 6-8/8", "bytes 6-7/20", "items 6-8/20", "bytes */20",
                          "bytes=6-8/20", "bytes 6-9223372036854775807/*", ""})
    EXPECT_EQ(refused(head_of("PUT", {{"Content-Range", bad}})), 400) << bad;
  EXPECT_EQ(refused(head_of("PUT", {{"Content-Range", "bytes 6-8/20"}, {"Upload-Offset", "6"}})), 400);
}

TEST(UploadRequest, OnlyTheWholeRangeIsTheWholeFile) {
  const auto is_whole = [](const char* range, std::optional<std::uint64_t> length) {
    const auto read = read_upload_head(head_of("PUT", {{"Content-Range", range}}, length));
    const auto* head = std::get_if<UploadHead>(&read);
    return head != nullptr && head->request.place == Place::start_over;
  };
  EXPECT_TRUE(is_whole("bytes 0-9/10", 10));
  EXPECT_TRUE(is_whole("bytes 0-9/10", std::nullopt));
  for (const auto* part : {"bytes 0-4/10", "bytes 5-9/10", "bytes 0-9/*", "bytes */10", "bytes=0-9/10", "0-9/10", "",
                           "bytes 0-/10", "bytes 0-9/0"}) {
    EXPECT_FALSE(is_whole(part, 10)) << part;
  }
  EXPECT_FALSE(is_whole("bytes 0-9/10", 9));
}

TEST(UploadRequest, PatchAppends) {
  const std::pair<std::string, std::string> type{"Content-Type", "application/partial-upload; x=y"};
  const auto more =
      taken(head_of("PATCH", {type, {"Upload-Offset", "7"}, {"Upload-Complete", "?0"}, {"Upload-Length", "20"}}));
  EXPECT_EQ(more.request.place, Place::append);
  EXPECT_EQ(more.request.offset, 7);
  EXPECT_FALSE(more.request.ends_file);
  EXPECT_EQ(more.request.file_length, 20);
  EXPECT_FALSE(more.creates);
  EXPECT_EQ(refused(head_of("PATCH", {{"Upload-Offset", "7"}, {"Upload-Complete", "?0"}})), 415);
  EXPECT_EQ(refused(head_of("PATCH", {type, {"Upload-Complete", "?0"}})), 400);
  EXPECT_EQ(refused(head_of("PATCH", {type, {"Upload-Offset", "7"}})), 400);
  EXPECT_EQ(refused(head_of("PATCH", {type, {"Upload-Offset", "-7"}, {"Upload-Complete", "?0"}})), 400);
}

// A form was stored with its boundaries, a packed body as packed.
TEST(UploadRequest, WrappedContentIsRefused) {
  using Fields = std::vector<std::pair<std::string, std::string>>;
  const Fields refusals[] = {{{"Content-Type", "multipart/form-data; boundary=x"}},
                             {{"content-type", "Multipart/Form-Data"}},
                             {{"Content-Encoding", "gzip"}},
                             {{"Content-Encoding", "identity, br"}},
                             {{"Content-Encoding", "identity"}, {"Content-Encoding", "x-gzip"}},
                             {{"Content-Encoding", "zstd"}, {"Content-Range", "bytes 0-2/3"}}};
  for (const auto* method : {"PUT", "POST", "PATCH"}) {
    for (const auto& fields : refusals) EXPECT_EQ(refused(head_of(method, fields)), 415) << fields.front().second;
  }
  const Fields fine[] = {{{"Content-Type", "application/x-www-form-urlencoded"}},
                         {{"Content-Encoding", "Identity"}},
                         {{"Content-Encoding", ""}, {"Content-Type", ""}},
                         {{"Content-Type", "application/gzip"}}};
  for (const auto& fields : fine) EXPECT_EQ(refused(head_of("PUT", fields)), 0) << fields.front().second;
}

TEST(UploadRequest, CreationMayBeInParts) {
  const auto first = taken(head_of("POST", {{"Upload-Complete", "?0"}, {"Upload-Draft-Interop-Version", "6"}}));
  EXPECT_EQ(first.request.place, Place::start_over);
  EXPECT_FALSE(first.request.ends_file);
  EXPECT_TRUE(first.creates);
  EXPECT_TRUE(first.wants_interim);
  EXPECT_FALSE(
      taken(head_of("POST", {{"Upload-Complete", "?1"}, {"Upload-Draft-Interop-Version", "3"}})).wants_interim);
  EXPECT_FALSE(taken(head_of("POST", {{"Upload-Draft-Interop-Version", "8"}})).wants_interim);
  // What is no such value counts as no field at all (RFC 9651), and must not be taken for a whole file elsewhere.
  EXPECT_EQ(taken(head_of("PUT", {{"Upload-Offset", "5"}})).request.place, Place::append);
}

TEST(UploadRequest, DigestsOfTheBody) {
  const auto request =
      taken(head_of("PUT",
                    {{"Content-Digest", "sha-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=:, unknown=:AAAA:"}}))
          .request;
  EXPECT_EQ(request.body_digests,
            (std::vector<base::Checksum>{
                {base::DigestAlgorithm::SHA256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}}));
  for (const auto* bad : {"sha-256", "sha-256=abc", "sha-256=:====:", "sha-256=:AAAA:", "sha-256=::", ":AAAA:", "",
                          "sha-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=:,"})
    EXPECT_EQ(refused(head_of("PUT", {{"Content-Digest", bad}})), 400) << bad;
}

TEST(UploadRequest, ManyPlacesAreListedInPart) {
  service::UploadState state;
  for (int i = 0; i < 1000; ++i) state.received.push_back({2 * i, 2 * i + 1});
  const auto ranges = std::string(upload_state_fields(state).find("Upload-Ranges").value_or(""));
  EXPECT_TRUE(ranges.starts_with("bytes=0-0,2-2,4-4,"));
  EXPECT_EQ(std::count(ranges.begin(), ranges.end(), ','), 255);
}

}  // namespace
}  // namespace quire::http
