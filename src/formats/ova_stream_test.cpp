#include "formats/ova_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "support/mutation.h"
#include "support/seed.h"
#include "support/tar_writer.h"

namespace quire::formats {
namespace {

using test_support::Mutator;
using test_support::TarForm;
using test_support::TarWriter;
using testing::ElementsAre;
using testing::HasSubstr;
using std::string_literals::operator""s;

/// What the visitor saw; checks the promises of the visitor's contract as it goes.
class Recorder final : public OvaVisitor {
 public:
  struct Member {
    std::string name;
    std::uint64_t size = 0;
    std::string content;
    bool ended = false;
    bool operator==(const Member&) const = default;
  };

  base::Result<void> begin_member(std::string_view name, std::uint64_t size) override {
    EXPECT_TRUE(members.empty() || members.back().ended);
    members.push_back({std::string(name), size, {}, false});
    return {};
  }
  base::Result<void> member_bytes(std::span<const std::byte> bytes) override {
    EXPECT_FALSE(members.back().ended);
    EXPECT_FALSE(bytes.empty());
    members.back().content.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return {};
  }
  base::Result<void> end_member() override {
    EXPECT_EQ(members.back().content.size(), members.back().size);
    members.back().ended = true;
    return {};
  }

  std::vector<Member> members;
};

std::ostream& operator<<(std::ostream& out, const Recorder::Member& member) {
  return out << member.name << " (" << member.size << (member.ended ? ")" : "), not ended");
}

Recorder::Member whole(std::string name, std::string content) {
  const auto size = content.size();
  return {std::move(name), size, std::move(content), true};
}

struct Outcome {
  std::vector<Recorder::Member> members;
  std::string error;  ///< empty: none
};

Outcome stream_in_pieces(std::string_view archive, std::size_t piece) {
  Recorder recorder;
  OvaStream stream(recorder);
  base::Result<void> result;
  while (result && !archive.empty()) {
    result = stream.feed(std::as_bytes(std::span(archive.substr(0, piece))));
    archive.remove_prefix(std::min(piece, archive.size()));
  }
  const auto finished = stream.finish();
  EXPECT_TRUE(result || !finished) << "an error is final";
  return {std::move(recorder.members), finished ? std::string{} : finished.error().text()};
}

Outcome stream_at_once(const std::string& archive) { return stream_in_pieces(archive, archive.size() + 1); }

std::string long_name() { return std::string(90, 'd') + "/" + std::string(120, 'e') + "/" + std::string(200, 'f'); }
std::string bytes_of_length(std::size_t length) { return std::string(length, 'x'); }

class OvaStreamForm : public testing::TestWithParam<TarForm> {};
INSTANTIATE_TEST_SUITE_P(All, OvaStreamForm, testing::Values(TarForm::ustar, TarForm::pax, TarForm::gnu));

TEST_P(OvaStreamForm, HandsOutTheMembersHoweverTheBytesAreCut) {
  const auto prefixed = std::string(140, 'p') + "/" + std::string(99, 'n');
  const auto archive = TarWriter(GetParam())
                           .file("vm.ovf", "<Envelope/>")
                           .file("empty", "")
                           .file(std::string(100, 'h'), bytes_of_length(512))
                           .file(prefixed, bytes_of_length(513))
                           .file("d/\xC3\xA9 (1).vmdk", bytes_of_length(1500))
                           .whole();
  for (const std::size_t piece :
       {std::size_t{1}, std::size_t{7}, std::size_t{511}, std::size_t{512}, std::size_t{513}, archive.size()}) {
    const auto outcome = stream_in_pieces(archive, piece);
    EXPECT_EQ(outcome.error, "") << piece;
    EXPECT_THAT(outcome.members,
                ElementsAre(whole("vm.ovf", "<Envelope/>"), whole("empty", ""),
                            whole(std::string(100, 'h'), bytes_of_length(512)), whole(prefixed, bytes_of_length(513)),
                            whole("d/\xC3\xA9 (1).vmdk", bytes_of_length(1500))))
        << piece;
  }
}

TEST_P(OvaStreamForm, RefusesAnArchiveThatIsCutAnywhere) {
  TarWriter writer(GetParam());
  writer.file("vm.ovf", "<Envelope/>").file(std::string(70, 'p') + "/" + std::string(99, 'n'), bytes_of_length(700));
  const auto archive = writer.whole();
  const auto enough = writer.bytes().size() + TarWriter::block_bytes;  // the first end block is in
  for (std::size_t length = 0; length < archive.size(); ++length) {
    const auto outcome = stream_at_once(archive.substr(0, length));
    if (length < enough) {
      ASSERT_NE(outcome.error, "") << length;
    } else {
      ASSERT_EQ(outcome.error, "") << length;
    }
  }
}

TEST_P(OvaStreamForm, SurvivesDamage) {
  Mutator mutator(test_support::test_seed());
  const auto original = TarWriter(GetParam())
                            .file("vm.ovf", "<Envelope/>")
                            .file(std::string(70, 'p') + "/" + std::string(99, 'n'), bytes_of_length(700))
                            .file("last", "content")
                            .whole();
  for (int i = 0; i < 3000; ++i) {
    const auto damaged = mutator.damaged(original);
    const auto once = stream_at_once(damaged);
    const auto cut = stream_in_pieces(damaged, 1 + mutator.below(600));
    ASSERT_EQ(once.error, cut.error);
    ASSERT_EQ(once.members, cut.members);
  }
}

TEST(OvaStream, ReadsLongNames) {
  for (const auto form : {TarForm::pax, TarForm::gnu}) {
    const auto outcome = stream_at_once(TarWriter(form).file(long_name(), "1").file("short", "2").whole());
    EXPECT_EQ(outcome.error, "");
    EXPECT_THAT(outcome.members, ElementsAre(whole(long_name(), "1"), whole("short", "2")));
  }
}

// `tar cf x.ova ./vm.ovf` and `tar cf x.ova .` are how people pack by hand.
TEST(OvaStream, PassesOverDirectoriesAndLeadingDots) {
  for (const auto form : {TarForm::ustar, TarForm::pax, TarForm::gnu}) {
    const auto directory = [&](const std::string& name) {
      return TarWriter::Header{.name = name, .type = '5', .form = form};
    };
    TarWriter tar(form);
    if (form == TarForm::pax) tar.pax_header(TarWriter::pax_record("comment", "packed"), 'g');
    tar.header(directory("./")).file("./vm.ovf", "<Envelope/>").header(directory("./msg/")).header(directory("msg"));
    if (form == TarForm::pax) tar.pax_header(TarWriter::pax_record("path", long_name() + "/")).header(directory("d"));
    if (form == TarForm::gnu) tar.gnu_long_name(long_name() + "/").header(directory("d"));
    tar.file("./msg/en.msg", "1").header({.name = "old/", .type = '\0', .form = form}).header(directory("."));
    tar.header({.name = "old/", .form = form}).file("././disk.vmdk", "22");
    const auto archive = tar.whole();
    for (const auto piece : {std::size_t{1}, std::size_t{513}, archive.size()}) {
      const auto outcome = stream_in_pieces(archive, piece);
      EXPECT_EQ(outcome.error, "");
      EXPECT_THAT(outcome.members,
                  ElementsAre(whole("vm.ovf", "<Envelope/>"), whole("msg/en.msg", "1"), whole("disk.vmdk", "22")));
    }
  }
}

TEST(OvaStream, TakesAnyAmountOfPadding) {
  for (const auto& padding : {""s, "\0"s, std::string(511, '\0'), std::string(512, '\0'), std::string(20 * 512, '\0'),
                              std::string(512, '\0') + "anything at all", std::string(100'000, '\0')}) {
    const auto outcome = stream_at_once(TarWriter().file("a", "1").zero_blocks(1).bytes() + padding);
    EXPECT_EQ(outcome.error, "") << padding.size();
    EXPECT_THAT(outcome.members, ElementsAre(whole("a", "1")));
  }
  const auto archive = TarWriter().file("a", "1").zero_blocks(1).file("b", "2").whole();
  EXPECT_THAT(stream_at_once(archive).error, HasSubstr("second end block"));
}

TEST(OvaStream, AnEmptyArchiveHasNoMembers) {
  EXPECT_EQ(stream_at_once(TarWriter().whole()).error, "");
  EXPECT_THAT(stream_at_once("").error, HasSubstr("too early"));
}

TEST(OvaStream, PaxSizeCountsNotTheHeaders) {
  const auto archive = TarWriter(TarForm::pax)
                           .pax_header(TarWriter::pax_record("mtime", "1.5") + TarWriter::pax_record("size", "600"))
                           .header({.name = "a", .size = 3, .form = TarForm::pax})
                           .padded(bytes_of_length(600))
                           .file("b", "next")
                           .whole();
  const auto outcome = stream_at_once(archive);
  EXPECT_EQ(outcome.error, "");
  EXPECT_THAT(outcome.members, ElementsAre(whole("a", bytes_of_length(600)), whole("b", "next")));
}

TEST(OvaStream, GlobalPaxHeadersMayCommentOnly) {
  const auto global = [](std::string_view key) {
    return stream_at_once(
        TarWriter(TarForm::pax).pax_header(TarWriter::pax_record(key, "1"), 'g').file("a", "1").whole());
  };
  EXPECT_THAT(global("comment").members, ElementsAre(whole("a", "1")));
  EXPECT_EQ(global("comment").error, "");
  EXPECT_THAT(global("path").error, HasSubstr("global"));
  EXPECT_THAT(global("size").error, HasSubstr("global"));
}

TEST(OvaStream, ReadsBase256Sizes) {
  const auto outcome =
      stream_at_once(TarWriter(TarForm::gnu)
                         .header({.name = "a", .form = TarForm::gnu, .size_field = TarWriter::base256(5)})
                         .padded("12345")
                         .whole());
  EXPECT_EQ(outcome.error, "");
  EXPECT_THAT(outcome.members, ElementsAre(whole("a", "12345")));
}

/// Counts, so that a member larger than memory can pass.
class Counter final : public OvaVisitor {
 public:
  base::Result<void> begin_member(std::string_view, std::uint64_t size) override {
    sizes.push_back(size);
    return {};
  }
  base::Result<void> member_bytes(std::span<const std::byte> bytes) override {
    count += bytes.size();
    return {};
  }
  base::Result<void> end_member() override {
    ++ended;
    return {};
  }

  std::vector<std::uint64_t> sizes;
  std::uint64_t count = 0;
  int ended = 0;
};

TEST(OvaStream, MembersMayBeLargerThanEightGiB) {
  constexpr std::uint64_t size = (std::uint64_t{9} << 30U) + 5;
  for (const auto form : {TarForm::pax, TarForm::gnu}) {
    Counter counter;
    OvaStream stream(counter);
    const auto feed = [&](const std::string& bytes) { return stream.feed(std::as_bytes(std::span(bytes))); };
    ASSERT_TRUE(feed(TarWriter(form).announce("big", size).bytes()));
    const std::vector<std::byte> piece(std::size_t{64} << 20U);
    for (std::uint64_t left = size; left > 0;) {
      const auto count = std::min<std::uint64_t>(left, piece.size());
      ASSERT_TRUE(stream.feed(std::span(piece).first(static_cast<std::size_t>(count))));
      left -= count;
    }
    EXPECT_EQ(counter.ended, 1);
    ASSERT_TRUE(feed(std::string(507, '\0') + TarWriter().file("small", "1").whole()));
    ASSERT_TRUE(stream.finish());
    EXPECT_THAT(counter.sizes, ElementsAre(size, 1U));
    EXPECT_EQ(counter.count, size + 1);
  }
}

struct Refusal {
  std::string what;
  std::string archive;
  std::string reason;
};

std::vector<Refusal> refusals() {
  const auto header = [](const TarWriter::Header& fields) { return TarWriter().header(fields).whole(); };
  const auto sized = [&](const std::string& field) { return header({.name = "a", .size_field = field}); };
  const auto pax = [](std::string_view records) {
    return TarWriter(TarForm::pax).pax_header(records).file("a", "1").whole();
  };
  const auto record = [](std::string_view key, std::string_view value) { return TarWriter::pax_record(key, value); };
  std::vector<Refusal> all = {
      {"text", std::string(2000, 'x'), "not a tar archive"},
      {"gzip", "\x1F\x8B"s + std::string(2000, '\0'), "and it looks like gzip-compressed data"},
      {"short gzip", "\x1F\x8B"s + std::string(200, '\0'), "and it looks like gzip-compressed data"},
      {"page", "<!DOCTYPE html><title>Log in</title>" + std::string(900, ' '), "and it looks like an HTML page"},
      {"short page", "<!DOCTYPE html><title>Log in</title>", "and it looks like an HTML page"},
      {"nothing", "", "and it is empty"},
      {"few bytes", "ustar", "too early"},
      {"wrong sum", header({.name = "a", .sum_field = "000001\0 "s}), "not a tar archive"},
      {"no sum", header({.name = "a", .sum_field = std::string(8, ' ')}), "not a tar archive"},
      {"wrong second sum", TarWriter().file("a", "1").header({.name = "b", .sum_field = "000001\0 "s}).whole(),
       "damaged"},
      {"negative base-256", sized(std::string(12, '\xFF')), "cannot be read"},
      {"huge base-256", sized("\x80\0\0\0\x80\0\0\0\0\0\0\0"s), "cannot be read"},
      {"huger base-256", sized("\x80\x01\0\0\0\0\0\0\0\0\0\0"s), "cannot be read"},
      {"no octal size", sized("0000000009 "), "cannot be read"},
      {"minus", sized("-0000000001"), "cannot be read"},
      {"blank size", sized(std::string(12, ' ')), "cannot be read"},
      {"size with tail", sized("00000000 1 "), "cannot be read"},
      {"pax without length", pax("path=a\n"), "pax header cannot be read"},
      {"pax length 0", pax("0 path=a\n"), "pax header cannot be read"},
      {"pax length short", pax("3 path=a\n"), "pax header cannot be read"},
      {"pax length long", pax("99 path=a\n"), "pax header cannot be read"},
      {"pax length huge", pax("99999999999999999999999 path=a\n"), "pax header cannot be read"},
      {"pax length negative", pax("-1 path=a\n"), "pax header cannot be read"},
      {"pax without newline", pax("10 path=a "), "pax header cannot be read"},
      {"pax without =", pax("9 path a\n"), "pax header cannot be read"},
      {"pax only digits", pax("12"), "pax header cannot be read"},
      {"pax size negative", pax(record("size", "-1")), "size in a pax header cannot be read"},
      {"pax size text", pax(record("size", "1x")), "size in a pax header cannot be read"},
      {"pax size empty", pax(record("size", "")), "size in a pax header cannot be read"},
      {"pax size huge", pax(record("size", "9223372036854775808")), "size in a pax header cannot be read"},
      {"pax size huger", pax(record("size", "99999999999999999999")), "size in a pax header cannot be read"},
      {"pax two sizes", pax(record("size", "1") + record("size", "1")), "two sizes"},
      {"pax two paths", pax(record("path", "a") + record("path", "b")), "two names"},
      {"pax empty path", pax(record("path", "")), "it is empty"},
      {"pax path with NUL", pax(record("path", "a\0b"s)), "control character"},
      {"pax path up", pax(record("path", "../a")), "a part is"},
      {"pax sparse", pax(record("GNU.sparse.major", "1")), "sparse"},
      {"star sparse", pax(record("SCHILY.realsize", "1")), "sparse"},
      {"GNU name and pax name",
       TarWriter(TarForm::gnu).gnu_long_name("b").pax_header(record("path", "c")).file("a", "1").whole(), "two names"},
      {"two GNU names", TarWriter(TarForm::gnu).gnu_long_name("b").gnu_long_name("c").file("a", "1").whole(),
       "two names"},
      {"empty GNU name", TarWriter(TarForm::gnu).gnu_long_name("").file("a", "1").whole(), "it is empty"},
      {"GNU name without member", TarWriter(TarForm::gnu).gnu_long_name("b").whole(), "announced"},
      {"pax header without member", TarWriter(TarForm::pax).pax_header("").whole(), "announced"},
      {"huge pax header", header({.name = "a", .size = max_ova_extension_bytes + 1, .type = 'x'}),
       "extension header is larger"},
      {"huge GNU name", header({.name = "a", .size = max_ova_extension_bytes + 1, .type = 'L'}),
       "extension header is larger"},
      {"same name twice", TarWriter().file("a", "1").file("b", "1").file("a", "1").whole(), "twice"},
      {"same name by pax", TarWriter().file("b", "1").raw(pax(record("path", "b"))).whole(), "twice"},
      {"garbage between", TarWriter().file("a", "1").raw(std::string(512, 'g')).whole(), "damaged or missing"},
  };
  for (const auto& [type, reason] : std::vector<std::pair<char, std::string>>{{'1', "a link"},
                                                                              {'2', "a link"},
                                                                              {'K', "a link"},
                                                                              {'3', "a device"},
                                                                              {'4', "a device"},
                                                                              {'6', "a device"},
                                                                              {'S', "a sparse file"},
                                                                              {'M', "of a kind"},
                                                                              {'V', "of a kind"},
                                                                              {'D', "of a kind"},
                                                                              {'Z', "of a kind"},
                                                                              {'\xFF', "of a kind"}}) {
    all.push_back({"type "s + type, header({.name = "a", .type = type, .link_name = "/etc/passwd"}), reason});
  }
  for (const auto& name :
       {""s, "/etc/passwd"s, "../a"s, "a/../../b"s, "a/./b"s, ".//a"s, "./../a"s, "a//b"s, "a\\b"s, "a\nb"s, "a\x7F"s,
        "\xFF"s, "\xC2\x85"s, "."s, "./."s, "%2e%2e/x"s, "%2Fetc"s, "a%00b"s, "%252e%252e/x"s}) {
    all.push_back({"name " + name, header({.name = name}), "cannot be used"});
    all.push_back({"pax name " + name, pax(record("path", name)), name.empty() ? "it is empty" : "cannot be used"});
  }
  all.push_back({"file with a slash behind", header({.name = "dir/", .size = 1}), "cannot be used"});
  for (const auto& name : {"/"s, "/etc/"s, "../"s, ".."s, "a/../b/"s, "a//b/"s, "a\\b/"s, "a\nb/"s, "%2e%2e/"s, "a//"s,
                           "./../"s, ".//"s}) {
    all.push_back({"directory " + name, header({.name = name, .type = '5'}), "of a directory cannot be used"});
  }
  all.push_back({"directory with content", header({.name = "d/", .size = 512, .type = '5'}), "has content"});
  all.push_back({"link with ./", header({.name = "./a", .type = '2', .link_name = "b"}), "a link"});
  all.push_back({"same name with ./", TarWriter().file("a", "1").file("./a", "1").whole(), "twice"});
  return all;
}

TEST(OvaStream, RefusesEverythingElse) {
  for (const auto& [what, archive, reason] : refusals()) {
    const auto once = stream_at_once(archive);
    EXPECT_THAT(once.error, HasSubstr(reason)) << what;
    EXPECT_EQ(stream_in_pieces(archive, 1).error, once.error) << what;
  }
}

TEST(OvaStream, HasLimits) {
  TarWriter many;
  for (std::size_t i = 0; i < max_ova_members; ++i) many.file(std::to_string(i), "");
  EXPECT_EQ(stream_at_once(many.whole()).error, "");
  EXPECT_THAT(stream_at_once(many.file("one more", "").whole()).error, HasSubstr("more than 10000 members"));

  TarWriter wordy(TarForm::pax);
  const auto long_part = std::string(250, 'x') + "/" + std::string(250, 'y') + "/" + std::string(250, 'z') + "/";
  for (std::size_t length = 0, i = 0; length <= max_ova_name_bytes; ++i) {
    const auto name = long_part + std::to_string(100'000 + i);
    wordy.file(name, "");
    length += name.size();
  }
  EXPECT_THAT(stream_at_once(wordy.whole()).error, HasSubstr("names of its members"));

  const auto comment = TarWriter::pax_record("comment", std::string(max_ova_extension_bytes - 20, 'c'));
  EXPECT_EQ(stream_at_once(TarWriter(TarForm::pax).pax_header(comment).file("a", "1").whole()).error, "");
}

TEST(OvaStream, SaysWhereAndStaysFailed) {
  Recorder recorder;
  OvaStream stream(recorder);
  const auto archive = TarWriter().file("a", "1").header({.name = "b", .type = '2'}).whole();
  const auto bytes = std::as_bytes(std::span(archive));
  const auto failed = stream.feed(bytes);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind(), base::ErrorKind::invalid_argument);
  EXPECT_EQ(failed.error().messages().front().id, "quire.ova.invalid");
  EXPECT_THAT(failed.error().text(), HasSubstr("at byte 1536"));
  EXPECT_EQ(stream.feed(bytes).error().text(), failed.error().text());
  EXPECT_EQ(stream.finish().error().text(), failed.error().text());
  EXPECT_EQ(recorder.members.size(), 1U);
}

/// Fails on its call number `at`.
class Refuser final : public OvaVisitor {
 public:
  explicit Refuser(int at) : left_(at) {}
  base::Result<void> begin_member(std::string_view, std::uint64_t) override { return answer(); }
  base::Result<void> member_bytes(std::span<const std::byte>) override { return answer(); }
  base::Result<void> end_member() override { return answer(); }

 private:
  base::Result<void> answer() {
    if (left_-- > 0) return {};
    return base::Error(base::ErrorKind::unable_to_allocate_resource, "quire.test", "no room");
  }

  int left_;
};

TEST(OvaStream, PassesOnTheVisitorsError) {
  const auto archive = TarWriter().file("a", "1").whole();
  for (int at = 0; at < 3; ++at) {
    Refuser refuser(at);
    OvaStream stream(refuser);
    const auto fed = stream.feed(std::as_bytes(std::span(archive)));
    ASSERT_FALSE(fed) << at;
    EXPECT_EQ(fed.error().kind(), base::ErrorKind::unable_to_allocate_resource);
    EXPECT_EQ(stream.finish().error().kind(), base::ErrorKind::unable_to_allocate_resource);
  }
}

}  // namespace
}  // namespace quire::formats
