#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "base/digest.h"
#include "support/service_world.h"

// Files of few bytes, which the catalog holds until somebody asks for their place on the storage.

namespace quire {
namespace {

using content::TransferStatus;
using content::UpdateSessionState;
using service::UploadRequest;
using test_support::administrator;
using test_support::alice;
using test_support::bytes_of;
using test_support::file_spec;
using test_support::kind;
using test_support::ServiceWorld;
using test_support::why;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class SmallUploadTest : public test_support::ServiceTest {
 protected:
  /// As clients send it that announce the length.
  base::Result<void> send_whole(const content::TransferToken& token, std::string_view body,
                                service::BodyEnd end = service::BodyEnd::whole) {
    return send(*world_, token, body, end, static_cast<std::int64_t>(body.size()));
  }
  content::UpdateSessionId fill_small(const std::map<std::string, std::string>& files) {
    const auto id = open();
    for (const auto& [name, body] : files) must(send_whole(add(id, name).upload_token, body));
    must(sessions().complete(alice(), id));
    return id;
  }
  std::string download(const std::string& name) {
    const auto session = must(world_->downloads().create(alice(), item_.text(), std::nullopt));
    const auto file = must(world_->downloads().prepare(alice(), session, name, false));
    const auto opened = must(world_->download_bytes().open(file.token, name));
    must(world_->downloads().remove(alice(), session));
    return ServiceWorld::read_all(*opened.bytes).value();
  }
  std::size_t held() { return world_->blobs_held_by_catalog().size(); }
};

INSTANTIATE_TEST_SUITE_P(Sqlite, SmallUploadTest, testing::Values(test_support::Engine::Sqlite));
INSTANTIATE_TEST_SUITE_P(Postgresql, SmallUploadTest, testing::Values(test_support::Engine::Postgresql));

TEST_P(SmallUploadTest, TheCatalogHoldsTheBytes) {
  std::string body(4096, '\0');
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>(i * 7);
  const auto id = open();
  const auto token = add(id, "a").upload_token;
  must(send_whole(token, body));
  EXPECT_EQ(file(id, "a").status, TransferStatus::READY);
  EXPECT_EQ(file(id, "a").size, 4096);
  EXPECT_EQ(held(), 1U);
  EXPECT_EQ(files_on_disk(), 0U);
  EXPECT_TRUE(must(world_->items().files(alice(), item_)).empty()) << "nothing is visible before the session ends";

  must(sessions().complete(alice(), id));
  EXPECT_EQ(download("a"), body);
  world_->restart();
  EXPECT_EQ(download("a"), body);
  EXPECT_EQ(content(), (std::map<std::string, std::string>{{"a", body}}));
  EXPECT_EQ(must(world_->items().file(alice(), item_, "a")).checksum,
            base::digest_of(base::DigestAlgorithm::SHA256, bytes_of(body)));
}

TEST_P(SmallUploadTest, OneByteMoreLiesOnTheStorage) {
  fill_small({{"a", std::string(4097, 'a')}, {"empty", ""}});
  EXPECT_EQ(held(), 1U);
  EXPECT_EQ(files_on_disk(), 1U);
  EXPECT_EQ(download("empty"), "");
}

TEST_P(SmallUploadTest, TheLimitMayBeNothing) {
  make_world({}, {.catalog_blob_bytes_max = 0});
  fill_small({{"a", "a"}, {"empty", ""}});
  EXPECT_EQ(held(), 1U);
  EXPECT_EQ(files_on_disk(), 1U);
}

/// A storage listing is told to clients that read the files where they lie.
TEST_P(SmallUploadTest, WhoAsksForThePlaceFindsAFile) {
  fill_small({{"a", "first"}, {"b", "second"}});
  EXPECT_EQ(held(), 2U);
  const auto files = must(world_->items().stored_files(administrator(), item_));
  EXPECT_THAT(files, SizeIs(2));
  EXPECT_EQ(held(), 0U);
  EXPECT_EQ(files_on_disk(), 2U);
  EXPECT_EQ(world_->blobs_on_disk(), world_->blobs_in_catalog());
  EXPECT_EQ(download("a"), "first");
  EXPECT_EQ(content(), (std::map<std::string, std::string>{{"a", "first"}, {"b", "second"}}));
  must(world_->items().stored_files(administrator(), item_));
  must(world_->items().remove(alice(), item_));
  EXPECT_EQ(files_on_disk(), 0U);
}

TEST_P(SmallUploadTest, DirectAccessFindsAFile) {
  fill_small({{"a", "first"}, {"b", "second"}});
  const auto session = must(world_->downloads().create(alice(), item_.text(), std::nullopt));
  must(world_->downloads().prepare(alice(), session, "a", false));
  EXPECT_EQ(held(), 2U);
  EXPECT_TRUE(must(world_->downloads().prepare(administrator(), session, "a", true)).direct_uri);
  EXPECT_EQ(held(), 1U);
  EXPECT_EQ(files_on_disk(), 1U);
  EXPECT_NE(kind(world_->downloads().prepare(administrator(), session, "none", true)), "");
}

/// A start finds what a move had written when the process died before its row was.
TEST_P(SmallUploadTest, AFileThatWasNotRecordedIsRemovedAndWrittenAgain) {
  fill_small({{"a", "first"}});
  const auto id = *world_->blobs_held_by_catalog().begin();
  const auto leave_file = [&] {
    const auto writer = must(world_->context().storages.default_storage().blobs->create(content::BlobId(id), 5));
    must(writer->append(bytes_of("FIRST")));
    must(writer->commit());
  };
  leave_file();
  world_->restart();
  EXPECT_EQ(files_on_disk(), 0U);
  EXPECT_EQ(download("a"), "first");

  leave_file();
  must(world_->items().stored_files(administrator(), item_));
  EXPECT_EQ(world_->blob(content::BlobId(id)), "first");
}

/// As with larger ones: what has come stays, and can be gone on with.
TEST_P(SmallUploadTest, WhatHasComeOfABrokenBodyIsStored) {
  const auto id = open();
  const auto token = add(id, "a").upload_token;
  EXPECT_EQ(why(send(*world_, token, "half", service::BodyEnd::broken, 8)), "");
  EXPECT_EQ(file(id, "a").status, TransferStatus::TRANSFERRING);
  EXPECT_EQ(world_->uploads().ask(token).state->offset, 4);
  EXPECT_EQ(held(), 0U);
  EXPECT_EQ(files_on_disk(), 1U);
  must(send_whole(token, "all of it"));
  EXPECT_EQ(files_on_disk(), 0U);
  must(sessions().complete(alice(), id));
  EXPECT_EQ(content(), (std::map<std::string, std::string>{{"a", "all of it"}}));
}

/// Who is pulled from may announce a length and not keep to it.
TEST_P(SmallUploadTest, MoreThanIsHeldIsStored) {
  const auto id = open();
  const auto token = add(id, "a").upload_token;
  const std::string body(9000, 'b');
  must(send(*world_, token, body, service::BodyEnd::whole, 10, 3000));
  EXPECT_EQ(held(), 0U);
  EXPECT_EQ(files_on_disk(), 1U);
  must(sessions().complete(alice(), id));
  EXPECT_EQ(content(), (std::map<std::string, std::string>{{"a", body}}));
}

TEST_P(SmallUploadTest, TheDeclaredSizeCounts) {
  const auto id = open();
  const auto token = must(sessions().add_file(alice(), id, file_spec("a", 5))).upload_token;
  EXPECT_EQ(why(send(*world_, token, "four", service::BodyEnd::whole, 5)), "quire.upload.size_differs");
  EXPECT_EQ(session(id).state, UpdateSessionState::ERROR);
  EXPECT_EQ(held(), 0U);
}

TEST_P(SmallUploadTest, AWrongChecksumEndsTheSession) {
  const auto id = open();
  const auto wrong = base::digest_of(base::DigestAlgorithm::SHA512, bytes_of("other"));
  const auto added = must(sessions().add_file(alice(), id, file_spec("a", 5, wrong)));
  EXPECT_EQ(why(send_whole(added.upload_token, "bytes")), "quire.upload.checksum_differs");
  EXPECT_EQ(session(id).state, UpdateSessionState::ERROR);
  EXPECT_EQ(held(), 0U);
}

TEST_P(SmallUploadTest, TheLastOneSentIsTheOneThatCounts) {
  const auto id = open();
  const auto token = add(id, "a").upload_token;
  for (const std::string body : {"once", "twice", "once"}) must(send_whole(token, body));
  EXPECT_EQ(held(), 1U);
  must(send(*world_, token, std::string(5000, 'x')));
  EXPECT_EQ(held(), 0U);
  EXPECT_EQ(files_on_disk(), 1U);
  must(send_whole(token, "last"));
  EXPECT_EQ(held(), 1U);
  EXPECT_EQ(files_on_disk(), 0U);
  must(sessions().complete(alice(), id));
  EXPECT_EQ(content(), (std::map<std::string, std::string>{{"a", "last"}}));
}

/// A part of a file that is READY is compared with what is there.
TEST_P(SmallUploadTest, APartOfAWholeFileIsCompared) {
  const auto id = open();
  const auto token = add(id, "a").upload_token;
  must(send_whole(token, "0123456789"));
  const auto part = [&](std::string_view body) {
    UploadRequest request;
    request.place = UploadRequest::Place::at_offset;
    request.offset = 4;
    request.part_length = static_cast<std::int64_t>(body.size());
    request.file_length = 10;
    const auto begun = world_->uploads().begin(token, request, [] {});
    return begun.upload->append(bytes_of(body));
  };
  EXPECT_EQ(why(part("456")), "");
  EXPECT_EQ(why(part("4x6")), "quire.upload.differs_from_complete");
}

TEST_P(SmallUploadTest, EqualFilesAreHeldOnce) {
  fill_small({{"a", "same"}, {"b", "same"}});
  EXPECT_EQ(held(), 1U);
  fill(item_, {{"c", "same"}});  // of unknown length
  EXPECT_EQ(held(), 1U);
  EXPECT_EQ(files_on_disk(), 0U);
  EXPECT_EQ(download("c"), "same");
}

TEST_P(SmallUploadTest, WhatEndsWithoutCompletingLeavesNothing) {
  const auto cancelled = open();
  must(send_whole(add(cancelled, "a").upload_token, "a"));
  must(sessions().cancel(alice(), cancelled));
  EXPECT_EQ(held(), 0U);

  const auto removed = open();
  must(send_whole(add(removed, "a").upload_token, "a"));
  must(sessions().remove_file(alice(), removed, "a"));
  EXPECT_EQ(held(), 0U);
  must(sessions().cancel(alice(), removed));

  fill_small({{"a", "old"}});
  fill_small({{"a", "new"}});
  EXPECT_EQ(held(), 1U);
  must(world_->items().remove(alice(), item_));
  EXPECT_EQ(held(), 0U);
}

TEST_P(SmallUploadTest, ACopySharesTheBytes) {
  fill_small({{"a", "bytes"}});
  auto spec = test_support::item_spec(library_, "copy", "");
  const auto copy = must(world_->items().copy(alice(), item_, spec, std::nullopt));
  EXPECT_EQ(held(), 1U);
  must(world_->items().remove(alice(), item_));
  EXPECT_EQ(world_->content_of(copy), (std::map<std::string, std::string>{{"a", "bytes"}}));
}

/// A damaged row is not served, as a damaged file is not.
TEST_P(SmallUploadTest, BytesThatHaveChangedAreNotServed) {
  fill_small({{"a", "bytes"}});
  world_->change([&](content::CatalogWriter& writer) {
    auto blob = writer.blobs_after(ServiceWorld::storage_id(), content::BlobId(), 1).at(0);
    blob.id = content::BlobId("0badf00d");
    blob.sha256 = std::string(64, '0');
    writer.insert_blob(blob, bytes_of("BYTES"));
    const auto content = writer.find<content::Item>(item_)->content;
    auto file = writer.find<content::ContentFile>({content, "a"}).value();
    file.name = "damaged";
    file.blob = blob.id;
    writer.insert(content, file);
  });
  EXPECT_EQ(download("a"), "bytes");
  EXPECT_ANY_THROW(download("damaged"));
}

/// Descriptor and manifest of a package are read from where they lie.
TEST_P(SmallUploadTest, PackagesAreCheckedAsEver) {
  const std::string descriptor =
      "<Envelope xmlns=\"http://schemas.dmtf.org/ovf/envelope/1\" xmlns:ovf=\"http://schemas.dmtf.org/ovf/envelope/1\">"
      "<References><File ovf:id=\"d\" ovf:href=\"disk.vmdk\"/></References></Envelope>";
  const auto sha256 = [](std::string_view text) {
    return base::digest_of(base::DigestAlgorithm::SHA256, bytes_of(text)).hex;
  };
  const auto package = new_item("package", "ovf");
  for (const bool right : {false, true}) {
    const auto id = open(package);
    const auto manifest =
        "SHA256(vm.ovf)= " + sha256(descriptor) + "\nSHA256(disk.vmdk)= " + sha256(right ? "disk" : "other") + "\n";
    must(send_whole(add(id, "vm.mf").upload_token, manifest));
    must(send_whole(add(id, "vm.ovf").upload_token, descriptor));
    EXPECT_EQ(why(send_whole(add(id, "disk.vmdk").upload_token, "disk")),
              right ? "" : "quire.package.manifest_mismatch");
    EXPECT_EQ(session(id).state, right ? UpdateSessionState::ACTIVE : UpdateSessionState::ERROR);
    if (right) must(sessions().complete(alice(), id));
    must(sessions().remove(alice(), id));
  }
  // The next session reads the descriptor again, from the catalog.
  const auto next = open(package);
  must(send_whole(add(next, "disk.vmdk").upload_token, "another disk"));
  must(sessions().complete(alice(), next));
  EXPECT_EQ(world_->content_of(package).value().at("disk.vmdk"), "another disk");
}

}  // namespace
}  // namespace quire
