#include "content/update_session_rules.h"

#include <gtest/gtest.h>

#include <map>

namespace quire::content {
namespace {

// The table of content-library-api.md §14.5 and §28.1, written a second time by hand: one letter for each phase in the
// order active, completing, done, error, canceled.
TEST(UpdateSessionRules, EveryPhaseAndOperationIsAsSpecified) {
  const std::map<SessionOperation, std::string> expected = {
      {SessionOperation::get, "yyyyy"},        {SessionOperation::list_files, "yyyyy"},
      {SessionOperation::get_file, "yyyyy"},   {SessionOperation::update, "yynnn"},
      {SessionOperation::keep_alive, "yynnn"}, {SessionOperation::cancel, "yynnn"},
      {SessionOperation::fail, "yynnn"},       {SessionOperation::complete, "ynnnn"},
      {SessionOperation::add_file, "ynnnn"},   {SessionOperation::remove_file, "ynnnn"},
      {SessionOperation::validate, "ynnnn"},   {SessionOperation::upload, "ynnnn"},
      {SessionOperation::remove, "nnyyy"},
  };
  ASSERT_EQ(expected.size(), all_session_operations.size());
  for (const auto operation : all_session_operations)
    for (std::size_t i = 0; i < all_session_phases.size(); ++i)
      EXPECT_EQ(allows(all_session_phases[i], operation), expected.at(operation)[i] == 'y')
          << name_of(operation) << " in phase " << i;
}

TEST(UpdateSessionRules, RefusalNamesOperationStateAndReason) {
  UpdateSession session;
  session.id = UpdateSessionId("s-1");
  session.state = UpdateSessionState::ERROR;
  session.error_message = base::make_message("quire.x", "The disk was too short.");
  const auto refused = check_allowed(session, SessionOperation::complete);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), base::ErrorKind::not_allowed_in_current_state);
  EXPECT_EQ(refused.error().messages().front().args(), (std::vector<std::string>{"complete", "ERROR", "s-1"}));
  EXPECT_EQ(refused.error().messages().back().default_message, "The disk was too short.");
}

SessionFile unchanged(std::string name, std::int64_t size = 1) {
  SessionFile file;
  file.name = std::move(name);
  file.size = size;
  file.blob = BlobId("blob-" + file.name);
  return file;
}

SessionFile received(std::string name, std::int64_t size = 1) {
  SessionFile file = unchanged(std::move(name), size);
  file.source_type = SourceType::PUSH;
  file.blob = BlobId("new-" + file.name);
  file.digests = {{base::DigestAlgorithm::SHA256, "00"}};
  return file;
}

SessionFile member(std::string name, std::string archive) {
  SessionFile file = received(std::move(name));
  file.source_type = SourceType::NONE;
  file.archive = std::move(archive);
  return file;
}

ContentFile stored(std::string name, std::int64_t version) {
  ContentFile file;
  file.blob = BlobId("blob-" + name);
  file.name = std::move(name);
  file.version = version;
  file.size = 1;
  return file;
}

TEST(NextContent, NothingTouchedIsNoChange) {
  const auto next = next_content("iso", {stored("a", 3)}, {unchanged("a")});
  EXPECT_FALSE(next.changed);
  EXPECT_EQ(next.files, (std::vector{stored("a", 3)}));
}

TEST(NextContent, ReplacingRaisesTheFileVersionAddingStartsAtOne) {
  const auto next =
      next_content("iso", {stored("a", 3), stored("b", 2)}, {unchanged("b"), received("a"), received("c")});
  EXPECT_TRUE(next.changed);
  ASSERT_EQ(next.files.size(), 3U);
  EXPECT_EQ(next.files[0], stored("b", 2));
  EXPECT_EQ(next.files[1].version, 4);
  EXPECT_EQ(next.files[1].blob, BlobId("new-a"));
  EXPECT_EQ(next.files[2].version, 1);
}

TEST(NextContent, RemovingAllLeavesAnEmptyItem) {
  const auto next = next_content("iso", {stored("a", 1)}, {});
  EXPECT_TRUE(next.changed);
  EXPECT_TRUE(next.files.empty());
}

TEST(NextContent, MembersOfAnArchiveTakeThePlaceOfUnchangedFilesAndTheArchiveGoes) {
  auto manifest = member("p.mf", "p.ova");
  manifest.keep_in_storage = false;
  auto archive = received("p.ova");
  archive.blob = BlobId();
  const auto next =
      next_content("ovf", {stored("p.ovf", 1), stored("d.vmdk", 5)},
                   {unchanged("p.ovf"), unchanged("d.vmdk"), archive, member("p.ovf", "p.ova"), manifest});
  ASSERT_EQ(next.files.size(), 2U);
  EXPECT_EQ(next.files[0], stored("d.vmdk", 5));
  EXPECT_EQ(next.files[1].name, "p.ovf");
  EXPECT_EQ(next.files[1].version, 2);
}

TEST(NextContent, ArchivesOfOtherItemTypesAreOrdinaryFiles) {
  const auto next = next_content("", {}, {received("p.ova")});
  ASSERT_EQ(next.files.size(), 1U);
  EXPECT_EQ(next.files[0].name, "p.ova");
}

TEST(PackageFiles, AreToldByTheirEndingInOvfItemsOnly) {
  EXPECT_EQ(package_file("OVF", "a.OVF"), PackageFile::descriptor);
  EXPECT_EQ(package_file("ovf", "a.mf"), PackageFile::manifest);
  EXPECT_EQ(package_file("ovf", "a.cert"), PackageFile::certificate);
  EXPECT_EQ(package_file("ovf", "a.ova"), PackageFile::archive);
  EXPECT_EQ(package_file("ovf", "a.vmdk"), PackageFile::other);
  EXPECT_EQ(package_file("iso", "a.ovf"), PackageFile::other);
}

SessionFile descriptor(std::vector<ExpectedFile> expected) {
  auto file = received("p.ovf");
  file.facts = DescriptorFacts{std::move(expected)};
  return file;
}

TEST(JudgePackage, NamesPushesThatHaveNotArrivedInItemsOfAnyType) {
  auto waiting = received("a");
  waiting.status = TransferStatus::WAITING_FOR_TRANSFER;
  EXPECT_EQ(judge_package("", {waiting, received("b")}).not_received, (std::vector<std::string>{"a"}));
}

TEST(JudgePackage, ReferencesMustBeThereWithTheirSizes) {
  const auto verdict = judge_package("ovf", {descriptor({{"d1.vmdk", 7}, {"d2.vmdk", std::nullopt}, {"d3.vmdk", 1}}),
                                             received("d1.vmdk", 8), received("d3.vmdk")});
  EXPECT_EQ(verdict.missing, (std::vector<std::string>{"d2.vmdk"}));
  ASSERT_EQ(verdict.invalid.size(), 1U);
  EXPECT_EQ(verdict.invalid[0].file, "d1.vmdk");
  EXPECT_EQ(verdict.invalid[0].message.id, "quire.package.size_differs");
}

TEST(JudgePackage, ManifestDigestsMustFit) {
  auto manifest = received("p.mf");
  manifest.facts = ManifestFacts{{{"p.ovf", {base::DigestAlgorithm::SHA256, "00"}},
                                  {"gone", {base::DigestAlgorithm::SHA256, "00"}},
                                  {"d.vmdk", {base::DigestAlgorithm::SHA256, "11"}},
                                  {"e.vmdk", {base::DigestAlgorithm::SHA1, "00"}}}};
  const auto verdict = judge_package("ovf", {descriptor({}), manifest, received("d.vmdk"), received("e.vmdk")});
  EXPECT_EQ(verdict.missing, (std::vector<std::string>{"gone"}));
  ASSERT_EQ(verdict.invalid.size(), 2U);
  EXPECT_EQ(verdict.invalid[0].message.id, "quire.package.manifest_mismatch");
  EXPECT_EQ(verdict.invalid[1].message.id, "quire.package.digest_not_taken");
}

// VMware and VirtualBox write `ovf:href` as a URI reference: `The%20Image-disk1.vmdk` is "The Image-disk1.vmdk".
TEST(JudgePackage, HrefsAreMatchedAsWrittenAndThenDecoded) {
  const auto judged = [](std::vector<SessionFile> files) {
    files.push_back(descriptor({{"The%20Image.vmdk", 7}, {"50%25.vmdk", 1}}));
    return judge_package("ovf", files);
  };
  EXPECT_TRUE(judged({received("The Image.vmdk", 7), received("50%.vmdk")}).missing.empty());
  EXPECT_TRUE(judged({received("The%20Image.vmdk", 7), received("50%25.vmdk")}).missing.empty());
  EXPECT_EQ(judged({received("The%2520Image.vmdk", 7), received("50%25.vmdk")}).missing,
            (std::vector<std::string>{"The%20Image.vmdk"}));
  // sizes are those of the file that is meant
  const auto both = judged({received("The%20Image.vmdk", 7), received("The Image.vmdk", 9), received("50%25.vmdk")});
  EXPECT_TRUE(both.invalid.empty());
  const auto wrong = judged({received("The Image.vmdk", 9), received("50%25.vmdk")});
  ASSERT_EQ(wrong.invalid.size(), 1U);
  EXPECT_EQ(wrong.invalid[0].file, "The Image.vmdk");
}

TEST(JudgePackage, ManifestLinesMeanTheSameFiles) {
  for (const std::string sent : {"The Image.vmdk", "The%20Image.vmdk"}) {
    for (const std::string line : {"The Image.vmdk", "The%20Image.vmdk"}) {
      auto manifest = received("p.mf");
      manifest.keep_in_storage = false;
      const auto promise = [&](const std::string& hex) {
        manifest.facts = ManifestFacts{
            {{"p.ovf", {base::DigestAlgorithm::SHA256, "00"}}, {line, {base::DigestAlgorithm::SHA256, hex}}}};
        return std::vector{descriptor({{"The%20Image.vmdk", 1}}), manifest, received(sent)};
      };
      EXPECT_TRUE(judge_package("ovf", promise("00")).missing.empty()) << sent << line;
      EXPECT_TRUE(judge_package("ovf", promise("00")).invalid.empty()) << sent << line;
      EXPECT_TRUE(manifest_names_all(promise("00"))) << sent << line;
      EXPECT_EQ(judge_package("ovf", promise("11")).invalid.at(0).file, sent);
    }
  }
}

TEST(JudgePackage, EveryLineOfTheManifestMustHold) {
  auto disk = received("d.vmdk");
  disk.digests.push_back({base::DigestAlgorithm::SHA1, "22"});
  auto manifest = received("p.mf");
  const auto judged = [&](const std::string& sha1) {
    manifest.facts = ManifestFacts{{{"d.vmdk", {base::DigestAlgorithm::SHA1, sha1}},
                                    {"d.vmdk", {base::DigestAlgorithm::SHA256, "00"}},
                                    {"d.vmdk", {base::DigestAlgorithm::SHA256, "00"}}}};
    return judge_package("ovf", {descriptor({}), manifest, disk});
  };
  EXPECT_TRUE(judged("22").invalid.empty());
  EXPECT_EQ(judged("33").invalid.size(), 1U);
}

TEST(JudgePackage, AReasonAboutAMemberNamesItsArchive) {
  auto disk = member("d.vmdk", "vm.ova");
  const auto verdict = judge_package("ovf", {descriptor({{"d.vmdk", 8}}), disk});
  ASSERT_EQ(verdict.invalid.size(), 1U);
  EXPECT_EQ(verdict.invalid[0].message.default_message,
            "vm.ova: File d.vmdk has 1 bytes, but the OVF descriptor says 8.");
}

TEST(JudgePackage, ExactlyOneDescriptor) {
  EXPECT_EQ(judge_package("ovf", {received("d.vmdk")}).invalid.at(0).message.id, "quire.package.no_descriptor");
  EXPECT_EQ(judge_package("ovf", {unchanged("a.ovf"), unchanged("b.ovf")}).invalid.at(0).message.id,
            "quire.package.two_descriptors");
  EXPECT_TRUE(judge_package("ovf", {}).invalid.empty());
  EXPECT_TRUE(judge_package("iso", {received("d.vmdk")}).invalid.empty());
}

TEST(JudgePackage, ASignatureBringsItsWarningsAndMustFit) {
  auto certificate = received("p.cert");
  SignatureFacts facts;
  facts.warnings = {WarningType::SELF_SIGNED_CERTIFICATE};
  certificate.facts = facts;
  const std::vector<SessionFile> files = {descriptor({}), certificate};
  const auto verdict = judge_package("ovf", files);
  EXPECT_EQ(verdict.warnings, (std::vector{WarningType::SELF_SIGNED_CERTIFICATE}));
  EXPECT_NE(verdict.signature, nullptr);
  ASSERT_EQ(verdict.invalid.size(), 1U);
  EXPECT_EQ(verdict.invalid[0].message.id, "quire.package.signature_invalid");
}

// A session that failed over one of several archives said "The OVA cannot be used" and not which.
TEST(AboutFile, NamesTheFileUnlessTheTextDoes) {
  const auto bare = base::make_message("quire.x", "It is too {what}.", {{"what", "long"}});
  const auto named = about_file("d/100%.ova", bare);
  EXPECT_EQ(named.id, "quire.x");
  EXPECT_EQ(named.default_message.find("d/100"), 0U) << named.default_message;
  EXPECT_EQ(named.default_message.find('%'), std::string::npos) << named.default_message;
  EXPECT_NE(named.default_message.find(": It is too long."), std::string::npos) << named.default_message;
  EXPECT_EQ(named.params, (std::vector<base::MessageParam>{{"what", "long"}, {"file_name", "d/100%.ova"}}));
  EXPECT_EQ(about_file("d/100%.ova", named), named);
}

TEST(AboutFile, AnotherFilesNameIsNotTheFiles) {
  const auto about = [](std::string_view text) { return about_file("vm.ova", base::make_message("quire.x", text)); };
  for (const auto* other : {"Its member ._vm.ova is bad.", "vm.ova.txt is bad.", "The member d/vm.ova is bad.", "No."})
    EXPECT_EQ(about(other).default_message, "vm.ova: " + std::string(other));
  for (const auto* named : {"vm.ova: bad", "File vm.ova is bad.", "The archive 'vm.ova' is bad.", "There is vm.ova."})
    EXPECT_EQ(about(named).default_message, named);
}

TEST(Warnings, AreIgnoredOnlyWhenTheListSaysSo) {
  EXPECT_FALSE(is_ignored(std::nullopt, WarningType::EXPIRED_CERTIFICATE));
  const std::vector<WarningBehavior> list = {{WarningType::EXPIRED_CERTIFICATE, true},
                                             {WarningType::UNTRUSTED_CERTIFICATE, false}};
  EXPECT_TRUE(is_ignored(list, WarningType::EXPIRED_CERTIFICATE));
  EXPECT_FALSE(is_ignored(list, WarningType::UNTRUSTED_CERTIFICATE));
  EXPECT_FALSE(is_ignored(list, WarningType::SELF_SIGNED_CERTIFICATE));
}

TEST(PackageFile, ManifestAndCertificateLieBesideTheDescriptor) {
  EXPECT_EQ(package_file("ovf", "vm.mf"), PackageFile::manifest);
  EXPECT_EQ(package_file("OVF", "VM.CERT"), PackageFile::certificate);
  EXPECT_EQ(package_file("ovf", "sub/vm.mf"), PackageFile::other);
  EXPECT_EQ(package_file("ovf", "sub/vm.cert"), PackageFile::other);
  EXPECT_EQ(package_file("ovf", "sub/vm.ovf"), PackageFile::descriptor);
  EXPECT_EQ(package_file("iso", "vm.mf"), PackageFile::other);
}

TEST(PackageFile, WhatMacOsKeepsBesideAFileIsNone) {
  for (const auto* name : {"._vm.ovf", "._vm.mf", "._vm.cert", "._vm.ova", "d/._vm.ovf"})
    EXPECT_EQ(package_file("ovf", name), PackageFile::other) << name;
}

}  // namespace
}  // namespace quire::content
