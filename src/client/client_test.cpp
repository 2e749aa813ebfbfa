#include <gmock/gmock.h>

#include "client/command.h"
#include "client/event_stream.h"
#include "client/failure.h"
#include "client/part_download.h"
#include "client/part_upload.h"
#include "client/progress.h"
#include "client/retry.h"
#include "client/same_content.h"
#include "client/server_address.h"

namespace quire::client {
namespace {

using content::ByteRange;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(ServerAddress, IsReadAsPeopleWriteIt) {
  const auto url = [](std::string_view text) {
    const auto address = parse_server_address(text);
    return address ? address->url : "exit " + std::to_string(static_cast<int>(exit_code(address.error())));
  };
  EXPECT_EQ(url("https://quire.example:8443"), "https://quire.example:8443");
  EXPECT_EQ(url("Quire.Example"), "https://quire.example:443");
  EXPECT_EQ(url("quire.example:8443/some/path?x"), "https://quire.example:8443");
  EXPECT_EQ(url("http://[::1]"), "http://[::1]:80");
  EXPECT_EQ(url("ftp://quire.example"), "exit 2");
  EXPECT_EQ(url("https://user:secret@quire.example"), "exit 2");
  EXPECT_EQ(url(""), "exit 2");
}

HttpHead head_of(int status, std::map<std::string, std::string, std::less<>> fields) {
  HttpHead head;
  head.status = status;
  head.fields = std::move(fields);
  return head;
}

TEST(EndpointState, IsReadFromItsFields) {
  const auto state = endpoint_state(head_of(204, {{"upload-offset", "10"}, {"upload-ranges", "bytes=0-9,20-29"}}));
  EXPECT_TRUE(state.takes_parts);
  EXPECT_FALSE(state.complete);
  EXPECT_THAT(state.received.ranges(), ElementsAre(ByteRange{0, 10}, ByteRange{20, 30}));
  EXPECT_TRUE(endpoint_state(head_of(204, {{"upload-offset", "5"}, {"upload-complete", "?1"}})).complete);
  EXPECT_FALSE(endpoint_state(head_of(200, {})).takes_parts) << "a server that knows of no parts";
  EXPECT_FALSE(endpoint_state(head_of(405, {{"upload-offset", "5"}})).takes_parts);
  for (const auto* bad : {"bytes=", "bytes=a-b", "bytes=5", "bytes=-5", "bytes=9-3", "bytes=,,", "bytes"}) {
    const auto read = endpoint_state(head_of(204, {{"upload-offset", "0"}, {"upload-ranges", bad}}));
    EXPECT_EQ(read.received.bytes(), 0) << bad;
  }
}

TEST(MissingParts, AreTheGaps) {
  content::ReceivedRanges received;
  received.add({0, 10});
  received.add({20, 30});
  EXPECT_THAT(missing_parts(received, {0, 40}), ElementsAre(ByteRange{10, 20}, ByteRange{30, 40}));
  EXPECT_THAT(missing_parts(received, {5, 25}), ElementsAre(ByteRange{10, 20}));
  EXPECT_THAT(missing_parts(received, {22, 28}), ElementsAre());
  EXPECT_THAT(missing_parts({}, {3, 4}), ElementsAre(ByteRange{3, 4}));
}

TEST(ReprDigest, IsReadAsAChecksum) {
  const auto checksum = checksum_of_digest_field("sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:");
  ASSERT_TRUE(checksum);
  EXPECT_EQ(*checksum, base::digest_of(base::DigestAlgorithm::SHA256, {}));
  for (const auto* bad : {"", "sha-256=:AAAA:", "sha-512=:AAAA:", "sha-256=:!:", "sha-256=x"})
    EXPECT_FALSE(checksum_of_digest_field(bad)) << bad;
}

TEST(RateMeter, IsTheMeanOfTheLastSeconds) {
  RateMeter meter;
  const RateMeter::Moment start{};
  EXPECT_EQ(meter.rate(), 0);
  meter.note(start, 0);
  meter.note(start + std::chrono::seconds(1), 100);
  EXPECT_EQ(meter.rate(), 100);
  for (int second = 2; second <= 30; ++second)
    meter.note(start + std::chrono::seconds(second), 100 + (second - 1) * 1000);
  EXPECT_EQ(meter.rate(), 1000) << "what was slow long ago does not count";
}

TEST(ProgressLine, TellsPartRateAndTimeLeft) {
  constexpr std::int64_t mib = 1 << 20;
  EXPECT_EQ(progress_line("x", 50 * mib, 200 * mib, 10.0 * mib, 0),
            "x   25 %  50.0 MiB of 200.0 MiB  10.0 MiB/s  0:15 left");
  EXPECT_THAT(progress_line("x", 50 * mib, 200 * mib, 10.0 * mib, 120),
              HasSubstr("[##########..............................]"));
  EXPECT_LT(progress_line("x", 50 * mib, 200 * mib, 10.0 * mib, 30).size(), 30U);
  EXPECT_EQ(progress_line("x", 5, std::nullopt, 0, 0), "x  5 B  -");
  EXPECT_EQ(time_for_people(3723), "1:02:03");
}

TEST(EventStream, IsTakenApartWhereverItIsCut) {
  const std::string text =
      ": hello\n\nid: 7\r\nevent: item.created\rdata: a\ndata:b\n\n\ndata\n\nevent: none\n\nid: 8\ndata: c\n\n";
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    std::string seen;
    EventStream stream([&](const ServerEvent& event) { seen += event.id + '|' + event.kind + '|' + event.data + ';'; });
    for (std::size_t at = 0; at < text.size(); at += piece) stream.feed(std::string_view(text).substr(at, piece));
    EXPECT_EQ(seen, "7|item.created|a\nb;7||;8||c;") << "in pieces of " << piece;
    EXPECT_EQ(stream.last_id(), "8");
    stream.feed(":\nid: 12\n\n");
    EXPECT_EQ(stream.last_id(), "12") << "of a comment";
    stream.feed("id: 13\ndata: cut off\n");
    EXPECT_EQ(stream.last_id(), "12") << "what did not come whole is to come again";
  }
}

TEST(PauseAfter, GrowsUpToALimit) {
  EXPECT_EQ(pause_after(1), std::chrono::milliseconds(500));
  EXPECT_EQ(pause_after(3), std::chrono::seconds(2));
  EXPECT_EQ(pause_after(1000), std::chrono::seconds(10));
}

TEST(ExitCodes, FollowTheKindOfTheError) {
  EXPECT_EQ(exit_code(usage_error("x")), ExitCode::usage);
  EXPECT_EQ(exit_code(network_error("x")), ExitCode::network);
  EXPECT_EQ(exit_code(content_refused("x")), ExitCode::refused);
  EXPECT_EQ(exit_code(base::Error(base::ErrorKind::resource_busy, "a.b", "x")), ExitCode::conflict);
  EXPECT_EQ(exit_code(base::Error(base::ErrorKind::unauthorized, "a.b", "x")), ExitCode::not_allowed);
  EXPECT_EQ(exit_code(base::Error(base::ErrorKind::invalid_argument, "a.b", "x")), ExitCode::failed);
}

TEST(ManifestsOfPackages, SayNothingOfWhatAnItemHas) {
  const std::vector<StoredFile> package = {{"vm.ovf", 1, std::nullopt}};
  EXPECT_TRUE(is_checked_and_not_kept("vm.mf", package));
  EXPECT_TRUE(is_checked_and_not_kept("vm.cert", package));
  EXPECT_FALSE(is_checked_and_not_kept("vm.vmdk", package));
  EXPECT_FALSE(is_checked_and_not_kept("notes.mf", {{"notes.txt", 1, std::nullopt}}));
  EXPECT_FALSE(is_checked_and_not_kept("vm.mf", {{"vm.ovf", 1, std::nullopt}, {"vm.mf", 1, std::nullopt}}));
}

}  // namespace
}  // namespace quire::client
