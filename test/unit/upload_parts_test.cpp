#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <random>
#include <thread>

#include "support/seed.h"
#include "support/service_world.h"
#include "support/tar_writer.h"

// Files that arrive in parts, break off and go on: docs/uploads.md, through the services.

namespace quire {
namespace {

using content::ByteRange;
using content::TransferStatus;
using content::UpdateSessionId;
using content::UpdateSessionState;
using service::BodyEnd;
using service::UploadRequest;
using service::UploadState;
using test_support::alice;
using test_support::bytes_of;
using test_support::Engine;
using test_support::file_spec;
using test_support::kind;
using test_support::ServiceTest;
using test_support::why;
using testing::ElementsAre;
using testing::Pair;

class UploadPartsTest : public ServiceTest {
 protected:
  void SetUp() override {
    ServiceTest::SetUp();
    if (IsSkipped()) return;
    session_ = open();
  }
  content::TransferToken token(const std::string& name, std::optional<std::int64_t> size = std::nullopt) {
    return must(sessions().add_file(alice(), session_, file_spec(name, size))).upload_token;
  }
  /// Parts of `file`, as Content-Range has them.
  static UploadRequest part(std::int64_t first, std::int64_t end, std::optional<std::int64_t> length) {
    UploadRequest request;
    request.place = UploadRequest::Place::at_offset;
    request.offset = first;
    request.part_length = end - first;
    request.body_length = end - first;
    request.file_length = length;
    return request;
  }
  static UploadRequest append_at(std::int64_t offset, bool ends_file) {
    UploadRequest request;
    request.place = UploadRequest::Place::append;
    request.offset = offset;
    request.ends_file = ends_file;
    return request;
  }
  base::Result<UploadState> transmit(const content::TransferToken& to, const UploadRequest& request,
                                     std::string_view body, BodyEnd end = BodyEnd::whole) {
    auto begun = world_->uploads().begin(to, request, [] {});
    if (!begun.upload) return begun.refusal->error;
    if (auto taken = begun.upload->append(bytes_of(body)); !taken) return taken.error();
    return begun.upload->finish(end);
  }
  UploadState ask(const content::TransferToken& of) {
    auto asked = world_->uploads().ask(of);
    if (!asked.state) throw std::runtime_error(asked.refusal->error.text());
    return *asked.state;
  }
  /// Whether the server still holds what has arrived for an upload to go on with.
  bool is_going_on(const content::TransferToken& of) { return world_->context().transfers.content(of) != nullptr; }
  TransferStatus status(const std::string& name) { return file(session_, name).status; }

  UpdateSessionId session_;
};

INSTANTIATE_TEST_SUITE_P(Sqlite, UploadPartsTest, testing::Values(Engine::Sqlite));
INSTANTIATE_TEST_SUITE_P(Postgresql, UploadPartsTest, testing::Values(Engine::Postgresql));

TEST_P(UploadPartsTest, ABrokenUploadGoesOnWhereItBrokeOff) {
  const auto to = token("a.iso");
  must(test_support::send(*world_, to, "first ", BodyEnd::broken));
  auto state = ask(to);
  EXPECT_EQ(state.offset, 6);
  EXPECT_FALSE(state.complete);
  EXPECT_EQ(file(session_, "a.iso").bytes_transferred, 6);
  world_->restart();
  EXPECT_EQ(ask(to).offset, 6) << "a restart loses nothing";
  state = must(transmit(to, append_at(6, true), "second"));
  EXPECT_TRUE(state.complete);
  EXPECT_EQ(state.offset, 12);
  EXPECT_EQ(file(session_, "a.iso").digests,
            std::vector{base::digest_of(base::DigestAlgorithm::SHA256, bytes_of("first second"))});
  must(sessions().complete(alice(), session_));
  EXPECT_THAT(content(), ElementsAre(Pair("a.iso", "first second")));
  EXPECT_EQ(files_on_disk(), 1U);
}

TEST_P(UploadPartsTest, PartsComeInAnyOrder) {
  const auto to = token("a.iso");
  auto state = must(transmit(to, part(6, 9, 9), "ghi"));
  EXPECT_EQ(state.offset, 0);
  EXPECT_EQ(state.length, 9);
  EXPECT_THAT(state.received, ElementsAre(ByteRange{6, 9}));
  must(transmit(to, part(0, 3, 9), "abc"));
  EXPECT_EQ(status("a.iso"), TransferStatus::TRANSFERRING);
  EXPECT_EQ(file(session_, "a.iso").bytes_transferred, 6);
  EXPECT_EQ(kind(sessions().complete(alice(), session_)), "not_allowed_in_current_state");
  EXPECT_TRUE(must(transmit(to, part(3, 6, 9), "def")).complete);
  must(sessions().complete(alice(), session_));
  EXPECT_THAT(content(), ElementsAre(Pair("a.iso", "abcdefghi")));
}

TEST_P(UploadPartsTest, TheDeclaredSizeSaysWhenAllIsThere) {
  const auto to = token("a.iso", 6);
  EXPECT_FALSE(must(transmit(to, part(0, 3, std::nullopt), "abc")).complete);
  EXPECT_TRUE(must(transmit(to, part(3, 6, std::nullopt), "def")).complete);
}

// A client that was killed asks how long the file is that it sent. The answer came only after requests that brought a
// part: one that had announced the whole file left nothing but the bytes that had arrived.
TEST_P(UploadPartsTest, TheLengthThatABrokenUploadAnnouncedIsTold) {
  const auto whole = token("whole.iso");
  must(transmit(whole, UploadRequest::whole(9), "abc", BodyEnd::broken));
  EXPECT_EQ(ask(whole).length, 9);
  EXPECT_EQ(why(transmit(whole, part(3, 6, 10), "def")), "quire.upload.wrong_length");

  const auto last = token("last.iso");
  auto first = UploadRequest::whole(3);
  first.ends_file = false;
  must(transmit(last, first, "abc"));
  EXPECT_EQ(ask(last).length, std::nullopt);
  auto rest = append_at(3, true);
  rest.body_length = 6;
  must(transmit(last, rest, "de", BodyEnd::broken));
  EXPECT_EQ(ask(last).length, 9);
  EXPECT_EQ(ask(last).offset, 5);

  const auto late = token("late.iso");
  must(transmit(late, UploadRequest::whole(9), "", BodyEnd::broken));
  EXPECT_EQ(ask(late).length, 9) << "although no byte has come";
}

// What comes through a pipe has a length only when it ends: of four connections, the one with the end was done before
// the others, and nobody finished the file.
TEST_P(UploadPartsTest, APartThatBeganBeforeTheLengthWasToldMayBeTheLast) {
  const auto to = token("a.iso");
  auto first = world_->uploads().begin(to, part(0, 3, std::nullopt), [] {});
  ASSERT_TRUE(first.upload);
  ASSERT_TRUE(first.upload->append(bytes_of("abc")));
  EXPECT_FALSE(must(transmit(to, part(3, 6, 6), "def")).complete);
  EXPECT_TRUE(must(first.upload->finish(BodyEnd::whole)).complete);
  must(sessions().complete(alice(), session_));
  EXPECT_THAT(content(), ElementsAre(Pair("a.iso", "abcdef")));
}

TEST_P(UploadPartsTest, ADuplicateIsFineAndOtherBytesReplace) {
  const auto to = token("a.iso");
  must(transmit(to, part(0, 3, 9), "abc"));
  EXPECT_EQ(must(transmit(to, part(0, 3, 9), "abc")).offset, 3);
  EXPECT_EQ(must(transmit(to, part(0, 5, 9), "abCDE")).offset, 5);
  EXPECT_TRUE(must(transmit(to, part(5, 9, 9), "fghi")).complete);
  EXPECT_TRUE(must(transmit(to, part(5, 9, 9), "fghi")).complete) << "its first answer may have been lost";
  EXPECT_EQ(why(transmit(to, part(5, 9, 9), "fgh!")), "quire.upload.differs_from_complete");
  must(sessions().complete(alice(), session_));
  EXPECT_THAT(content(), ElementsAre(Pair("a.iso", "abCDEfghi")));
}

TEST_P(UploadPartsTest, APartOfTheWrongLengthIsRefusedAlone) {
  const auto to = token("a.iso");
  must(transmit(to, part(0, 3, 9), "abc"));
  EXPECT_EQ(why(transmit(to, part(3, 6, 9), "defg")), "quire.upload.part_too_long");
  EXPECT_EQ(why(transmit(to, part(3, 6, 9), "de")), "quire.upload.part_too_short");
  EXPECT_EQ(why(transmit(to, part(3, 6, 10), "def")), "quire.upload.wrong_length");
  EXPECT_EQ(why(transmit(to, part(3, 12, std::nullopt), "defghijkl")), "quire.upload.wrong_length");
  EXPECT_EQ(ask(to).offset, 3);
  EXPECT_EQ(session(session_).state, UpdateSessionState::ACTIVE);
}

TEST_P(UploadPartsTest, ADigestIsCheckedForEachPart) {
  const auto to = token("a.iso");
  auto request = part(0, 3, 6);
  request.body_digests = {base::digest_of(base::DigestAlgorithm::SHA256, bytes_of("abc")),
                          base::digest_of(base::DigestAlgorithm::SHA512, bytes_of("abc"))};
  EXPECT_EQ(why(transmit(to, request, "abX")), "quire.upload.content_digest_differs");
  EXPECT_EQ(ask(to).offset, 0);
  EXPECT_EQ(session(session_).state, UpdateSessionState::ACTIVE);
  EXPECT_EQ(must(transmit(to, request, "abc")).offset, 3);
  EXPECT_TRUE(must(transmit(to, part(3, 6, 6), "def")).complete);
  must(sessions().complete(alice(), session_));
  EXPECT_THAT(content(), ElementsAre(Pair("a.iso", "abcdef")));
}

TEST_P(UploadPartsTest, AWholeBodyWithAFalseDigestLeavesTheFileWaiting) {
  const auto to = token("a.iso");
  auto request = UploadRequest::whole(3);
  request.body_digests = {base::digest_of(base::DigestAlgorithm::SHA256, bytes_of("abc"))};
  EXPECT_EQ(why(transmit(to, request, "abX")), "quire.upload.content_digest_differs");
  EXPECT_EQ(status("a.iso"), TransferStatus::WAITING_FOR_TRANSFER);
  EXPECT_EQ(files_on_disk(), 0U);
  EXPECT_TRUE(must(transmit(to, request, "abc")).complete);
}

TEST_P(UploadPartsTest, TheWholeFilesChecksumStillCounts) {
  auto spec = file_spec("a.iso");
  spec.checksum = base::digest_of(base::DigestAlgorithm::MD5, bytes_of("abcdef"));
  const auto to = must(sessions().add_file(alice(), session_, spec)).upload_token;
  must(transmit(to, part(3, 6, 6), "def"));
  EXPECT_EQ(why(transmit(to, part(0, 3, 6), "abX")), "quire.upload.checksum_differs");
  EXPECT_EQ(session(session_).state, UpdateSessionState::ERROR);
  EXPECT_EQ(files_on_disk(), 0U);
}

TEST_P(UploadPartsTest, AppendsMustBeAtTheOffset) {
  const auto to = token("a.iso");
  EXPECT_EQ(must(transmit(to, append_at(0, false), "abc")).offset, 3);
  for (const std::int64_t wrong : {0, 2, 4}) {
    auto begun = world_->uploads().begin(to, append_at(wrong, false), [] {});
    ASSERT_TRUE(begun.refusal);
    EXPECT_EQ(begun.refusal->error.kind(), base::ErrorKind::concurrent_change);
    ASSERT_TRUE(begun.refusal->state);
    EXPECT_EQ(begun.refusal->state->offset, 3);
  }
  EXPECT_EQ(must(transmit(to, append_at(3, false), "def")).offset, 6);
  EXPECT_FALSE(ask(to).complete) << "only the client says that it is";
  EXPECT_TRUE(must(transmit(to, append_at(6, true), "")).complete);
  auto late = world_->uploads().begin(to, append_at(6, true), [] {});
  ASSERT_TRUE(late.refusal);
  EXPECT_TRUE(late.refusal->state->complete);
}

/// Somebody asks while the first connection still stands, as after a network cut that only the client has noticed. The
/// offset that was told must be accepted, whatever the first upload does meanwhile.
TEST_P(UploadPartsTest, WhoAsksMayGoOnFromTheOffsetThatWasTold) {
  const auto to = token("a.iso");
  auto first = world_->uploads().begin(to, UploadRequest::whole(9), [] {});
  must(first.upload->append(bytes_of("abc")));
  EXPECT_EQ(ask(to).offset, 3) << "a running upload records what it has";
  must(first.upload->append(bytes_of("def")));
  EXPECT_EQ(must(first.upload->finish(BodyEnd::broken)).offset, 6);
  first.upload.reset();
  EXPECT_EQ(must(transmit(to, append_at(3, false), "dEf")).offset, 6);
  EXPECT_TRUE(must(transmit(to, append_at(6, true), "ghi")).complete);
  must(sessions().complete(alice(), session_));
  EXPECT_THAT(content(), ElementsAre(Pair("a.iso", "abcdEfghi")));
}

TEST_P(UploadPartsTest, AnUploadOfTheSameBytesStopsTheEarlierOne) {
  const auto to = token("a.iso");
  std::atomic<bool> stopped = false;
  auto first = world_->uploads().begin(to, part(0, 6, 9), [&] { stopped = true; });
  must(first.upload->append(bytes_of("xx")));
  std::thread elsewhere([&] {  // the HTTP layer lets go of a stopped upload
    while (!stopped) std::this_thread::yield();
    EXPECT_EQ(kind(first.upload->append(bytes_of("y"))), "concurrent_change");
    first.upload.reset();
  });
  EXPECT_EQ(must(transmit(to, part(0, 3, 9), "abc")).offset, 3);
  elsewhere.join();
  EXPECT_TRUE(must(transmit(to, part(3, 9, 9), "defghi")).complete);
  must(sessions().complete(alice(), session_));
  EXPECT_THAT(content(), ElementsAre(Pair("a.iso", "abcdefghi")));
}

TEST_P(UploadPartsTest, APlainUploadStartsOver) {
  const auto to = token("a.iso");
  must(transmit(to, part(3, 6, 9), "def"));
  must(test_support::send(*world_, to, "all of it"));
  EXPECT_EQ(status("a.iso"), TransferStatus::READY);
  EXPECT_EQ(files_on_disk(), 1U);
  must(sessions().complete(alice(), session_));
  EXPECT_THAT(content(), ElementsAre(Pair("a.iso", "all of it")));
}

TEST_P(UploadPartsTest, DiscardingLetsTheFileWaitAgain) {
  const auto to = token("a.iso");
  must(transmit(to, part(3, 6, 9), "def"));
  EXPECT_FALSE(world_->uploads().discard(to));
  EXPECT_EQ(status("a.iso"), TransferStatus::WAITING_FOR_TRANSFER);
  EXPECT_EQ(files_on_disk(), 0U);
  EXPECT_TRUE(must(transmit(to, part(0, 4, 4), "full")).complete);
}

TEST_P(UploadPartsTest, WhatHasArrivedGoesWithTheSession) {
  for (const auto* how : {"cancel", "fail", "delete", "expiry"}) {
    const auto to = token("a.iso");
    must(transmit(to, part(3, 6, 9), "def"));
    EXPECT_EQ(files_on_disk(), 1U);
    if (how == std::string("cancel")) must(sessions().cancel(alice(), session_));
    if (how == std::string("fail")) must(sessions().fail(alice(), session_, std::nullopt));
    if (how == std::string("delete")) must(world_->items().remove(alice(), item_));
    if (how == std::string("expiry")) {
      world_->clock().advance(std::chrono::hours(1));
      must(sessions().remove_expired());
    }
    EXPECT_EQ(files_on_disk(), 0U) << how;
    EXPECT_TRUE(world_->uploads().ask(to).refusal) << how;
    if (how == std::string("delete")) item_ = new_item("another item", "");
    session_ = open();
  }
}

TEST_P(UploadPartsTest, AnArchiveInPartsIsUnpackedAtItsEnd) {
  // Not an OVA: what counts here is that it is taken for one only once it is whole.
  const auto item = new_item("package", "ovf");
  session_ = open(item);
  const auto to = token("a.ova");
  must(transmit(to, part(512, 1024, 1024), std::string(512, 'x')));
  EXPECT_EQ(session(session_).state, UpdateSessionState::ACTIVE);
  EXPECT_EQ(kind(transmit(to, part(0, 512, 1024), std::string(512, 'x'))), "invalid_argument");
  EXPECT_EQ(session(session_).state, UpdateSessionState::ERROR);
  EXPECT_EQ(files_on_disk(), 0U);
}

/// The end of an archive's entry came from another path than that of other files, which forgot what had been arriving:
/// it stayed in memory, with its digests, as long as the server ran.
TEST_P(UploadPartsTest, NothingOfARefusedArchiveStaysBehind) {
  const std::string descriptor = R"(<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1"/>)";
  const auto archive = test_support::TarWriter().file("vm.ovf", descriptor).whole();
  const auto false_manifest = test_support::TarWriter()
                                  .file("vm.ovf", descriptor)
                                  .file("vm.mf", "SHA1(vm.ovf)= " + std::string(40, '0'))
                                  .whole();
  auto with_false_checksum = file_spec("a.ova");
  with_false_checksum.checksum = base::digest_of(base::DigestAlgorithm::MD5, bytes_of("another archive"));
  const std::vector<std::tuple<std::string, service::AddFileSpec, std::string>> cases = {
      {"no archive", file_spec("a.ova"), std::string(2048, 'x')},
      {"cut short", file_spec("a.ova"), archive.substr(0, 1020)},
      {"other bytes than promised", with_false_checksum, archive},
      {"other bytes than its manifest says", file_spec("a.ova"), false_manifest}};
  for (const auto& [what, spec, body] : cases) {
    SCOPED_TRACE(what);
    session_ = open(new_item(what, "ovf"));
    const auto to = must(sessions().add_file(alice(), session_, spec)).upload_token;
    const auto size = static_cast<std::int64_t>(body.size());
    must(transmit(to, part(0, 512, size), body.substr(0, 512)));
    auto last = world_->uploads().begin(to, part(512, size, size), [] {});
    must(last.upload->append(bytes_of(body).subspan(512, 500)));
    EXPECT_EQ(ask(to).offset, 1012) << "what the last part has brought so far is recorded";
    EXPECT_TRUE(is_going_on(to));
    must(last.upload->append(bytes_of(body).subspan(1012)));
    EXPECT_EQ(kind(last.upload->finish(BodyEnd::whole)), "invalid_argument");
    last.upload.reset();
    EXPECT_EQ(session(session_).state, UpdateSessionState::ERROR);
    EXPECT_FALSE(is_going_on(to));
    EXPECT_EQ(files_on_disk(), 0U);
  }
}

/// Two uploads fill one file; the one that recorded bytes earlier goes last, when the file is READY already.
TEST_P(UploadPartsTest, NothingStaysBehindWhicheverUploadEndsLast) {
  const auto to = token("a.iso");
  auto first = world_->uploads().begin(to, part(0, 3, 9), [] {});
  must(first.upload->append(bytes_of("abc")));
  EXPECT_EQ(ask(to).offset, 3);
  EXPECT_TRUE(must(transmit(to, part(3, 9, 9), "defghi")).complete);
  EXPECT_TRUE(must(first.upload->finish(BodyEnd::whole)).complete);
  first.upload.reset();
  EXPECT_FALSE(is_going_on(to));
  EXPECT_EQ(files_on_disk(), 1U);
}

TEST_P(UploadPartsTest, TooManyPlacesAreRefused) {
  world_->context().limits.upload_ranges_max = 3;
  const auto to = token("a.iso");
  for (int i = 0; i < 3; ++i) must(transmit(to, part(2 * i, 2 * i + 1, 100), "x"));
  EXPECT_EQ(why(transmit(to, part(6, 7, 100), "x")), "quire.upload.too_scattered");
  EXPECT_EQ(must(transmit(to, part(1, 2, 100), "x")).offset, 3);
}

/// Parts cut, repeated, delayed and in any order, by several clients at once, with restarts: identical bytes every
/// time.
TEST_P(UploadPartsTest, ChaosEndsWithIdenticalBytes) {
  const char* wanted = std::getenv("QUIRE_CHAOS_ROUNDS");
  const int rounds = wanted != nullptr ? std::atoi(wanted) : GetParam() == Engine::Sqlite ? 100 : 10;
  std::mt19937_64 random(test_support::test_seed());
  for (int round = 0; round < rounds; ++round) {
    const auto seed = random();
    SCOPED_TRACE("round " + std::to_string(round) + ", its seed " + std::to_string(seed));
    std::mt19937_64 chance(seed);
    const auto size = static_cast<std::int64_t>(1 + chance() % 300'000);
    std::string bytes(static_cast<std::size_t>(size), '\0');
    for (auto& byte : bytes) byte = static_cast<char>(chance());
    const auto to = token("chaos" + std::to_string(round));
    const auto slice = [&](std::int64_t first, std::int64_t end) {
      return std::string_view(bytes).substr(static_cast<std::size_t>(first), static_cast<std::size_t>(end - first));
    };
    const auto one_step = [&](std::mt19937_64& dice) {
      const auto first = static_cast<std::int64_t>(dice() % static_cast<std::uint64_t>(size));
      const auto end = first + 1 + static_cast<std::int64_t>(dice() % static_cast<std::uint64_t>(size - first));
      auto request = part(first, end, size);
      if (dice() % 4 == 0)
        request.body_digests = {base::digest_of(base::DigestAlgorithm::SHA256, bytes_of(slice(first, end)))};
      if (dice() % 5 == 0) {
        const auto offset = world_->uploads().ask(to).state.value_or(UploadState()).offset;
        if (offset < size) request = append_at(offset, false);
      }
      const auto stop = request.place == UploadRequest::Place::append ? size : end;
      auto begun = world_->uploads().begin(to, request, [] {});
      if (!begun.upload) return;
      auto at = request.offset;
      const bool cut = dice() % 3 == 0;
      const auto last = cut ? at + static_cast<std::int64_t>(dice() % static_cast<std::uint64_t>(stop - at + 1)) : stop;
      while (at < last) {
        const auto next = std::min(last, at + 1 + static_cast<std::int64_t>(dice() % 100'000));
        if (!begun.upload->append(bytes_of(slice(at, next)))) return;
        at = next;
      }
      if (dice() % 8 == 0) return;  // the process that served it died
      [[maybe_unused]] const auto finished = begun.upload->finish(cut ? BodyEnd::broken : BodyEnd::whole);
    };
    for (int phase = 0; phase < 2; ++phase) {
      std::vector<std::thread> clients;
      for (int client = 0; client < 3; ++client)
        clients.emplace_back([&, dice = std::mt19937_64(chance())]() mutable {
          for (int step = 0; step < 4; ++step) one_step(dice);
        });
      for (auto& client : clients) client.join();
      if (chance() % 4 == 0) world_->restart();
    }
    // The last client does what any client does: it asks, and sends what is missing.
    const auto state = ask(to);
    if (!state.complete) {
      std::int64_t at = 0;
      for (const auto& there : state.received) {
        if (there.first > at) must(transmit(to, part(at, there.first, size), slice(at, there.first)));
        at = there.end;
      }
      // The last byte again, when nothing is missing but the end was not reached.
      if (at == size) --at;
      ASSERT_TRUE(must(transmit(to, part(at, size, size), slice(at, size))).complete);
    }
    const auto ready = file(session_, "chaos" + std::to_string(round));
    ASSERT_EQ(ready.status, TransferStatus::READY);
    ASSERT_EQ(ready.digests, std::vector{base::digest_of(base::DigestAlgorithm::SHA256, bytes_of(bytes))});
    ASSERT_TRUE(world_->blob(ready.blob) == bytes) << "what is stored is not what its digest says";
  }
  EXPECT_EQ(world_->files_on_disk(), world_->blobs_in_catalog().size()) << "left behind";
}

}  // namespace
}  // namespace quire
