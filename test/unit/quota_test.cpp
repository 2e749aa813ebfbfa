#include <gmock/gmock.h>

#include <atomic>
#include <random>
#include <thread>

#include "content/default_quota.h"
#include "service/quota/quotas.h"
#include "support/seed.h"
#include "support/service_world.h"
#include "support/tar_writer.h"

// Quotas: nobody ever uses more than they may, and what was reserved comes back however it ends.

namespace quire {
namespace {

using namespace std::chrono_literals;
using content::Quota;
using content::QuotaKind;
using content::QuotaOwner;
using content::QuotaUse;
using service::QuotaLimits;
using service::QuotaSource;
using test_support::administrator;
using test_support::alice;
using test_support::bob;
using test_support::Engine;
using test_support::file_spec;
using test_support::item_spec;
using test_support::kind;
using test_support::why;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr auto items_full = "quire.quota.items_full";
constexpr auto bytes_full = "quire.quota.bytes_full";

class QuotaTest : public test_support::ServiceTest {
 protected:
  service::Quotas quotas() { return service::Quotas(world_->context()); }
  void limit_items(std::int64_t items) { must(quotas().set_of_library(administrator(), library_, {items, {}})); }
  void limit_bytes(std::int64_t bytes) { must(quotas().set_of_library(administrator(), library_, {{}, bytes})); }
  /// As a start with these settings does.
  void set_defaults(const content::DefaultQuotas& defaults) {
    world_->change([&](content::CatalogWriter& writer) { content::put_default_quotas(writer, defaults); });
    EXPECT_TRUE(world_->look([&](content::CatalogReader& reader) { return are_default_quotas(reader, defaults); }));
  }
  QuotaUse use() { return must(quotas().of_library(alice(), library_)).use(); }

  /// What the catalog keeps is what one finds by counting.
  void expect_counted() {
    const auto kept = world_->look([](content::CatalogReader& reader) {
      auto all = reader.quotas(QuotaKind::LIBRARY);
      for (auto& quota : reader.quotas(QuotaKind::USER)) all.push_back(quota);
      return all;
    });
    for (const auto& quota : kept) {
      const auto counted = world_->look([&](content::CatalogReader& reader) { return reader.use_of(quota.of()); });
      EXPECT_EQ(quota.items, counted.items) << quota.owner;
      EXPECT_EQ(quota.bytes, counted.bytes) << quota.owner;
      EXPECT_EQ(quota.reserved, counted.reserved) << quota.owner;
    }
  }

  base::Result<content::ItemId> make(const std::string& name, const content::Caller& caller = alice()) {
    return world_->items().create(caller, item_spec(library_, name, ""), std::nullopt);
  }
};

INSTANTIATE_TEST_SUITE_P(Sqlite, QuotaTest, testing::Values(Engine::Sqlite));
INSTANTIATE_TEST_SUITE_P(Postgresql, QuotaTest, testing::Values(Engine::Postgresql));

TEST_P(QuotaTest, IsSetReadListedAndTakenAway) {
  fill(item_, {{"a", "12345"}});
  Quota quota = must(quotas().of_library(alice(), library_));
  EXPECT_EQ(quota, (Quota{QuotaKind::LIBRARY, library_.text(), {}, {}, 1, 5, 0})) << "use is told without a quota";
  EXPECT_THAT(must(quotas().list(administrator(), QuotaKind::LIBRARY)), IsEmpty());

  must(quotas().set_of_library(administrator(), library_, {10, 1000}));
  quota = {QuotaKind::LIBRARY, library_.text(), 10, 1000, 1, 5, 0};
  EXPECT_EQ(must(quotas().of_library(alice(), library_)), quota);
  EXPECT_THAT(must(quotas().list(administrator(), QuotaKind::LIBRARY)), ElementsAre(quota));
  must(quotas().set_of_library(administrator(), library_, {{}, 2000}));
  quota.items_max.reset();
  quota.bytes_max = 2000;
  EXPECT_EQ(must(quotas().of_library(alice(), library_)), quota) << "limits are replaced as a whole";

  must(quotas().set_of_user(administrator(), "Alice@vsphere.local", {3, {}}));
  const Quota of_alice{QuotaKind::USER, "alice@vsphere.local", 3, {}, 1, 5, 0};
  EXPECT_EQ(must(quotas().own(alice())), of_alice) << "names of users have no case";
  EXPECT_EQ(must(quotas().of_user(administrator(), "ALICE@vsphere.local")), of_alice);
  EXPECT_THAT(must(quotas().list(administrator(), QuotaKind::USER)), ElementsAre(of_alice));

  must(quotas().remove(administrator(), QuotaOwner::of_library(library_)));
  EXPECT_EQ(why(quotas().remove(administrator(), QuotaOwner::of_library(library_))), "quire.quota.not_found");
  must(quotas().remove(administrator(), QuotaOwner::of_user("alice@vsphere.local")));
  EXPECT_THAT(must(quotas().list(administrator(), QuotaKind::USER)), IsEmpty());
}

TEST_P(QuotaTest, WhatIsWrongIsRefusedAndChangesNothing) {
  EXPECT_EQ(kind(quotas().set_of_library(alice(), library_, {1, {}})), "unauthorized");
  EXPECT_EQ(kind(quotas().set_of_user(alice(), alice().user, {1, {}})), "unauthorized");
  EXPECT_EQ(kind(quotas().remove(alice(), QuotaOwner::of_library(library_))), "unauthorized");
  EXPECT_EQ(kind(quotas().list(alice(), QuotaKind::USER)), "unauthorized");
  EXPECT_EQ(kind(quotas().of_user(alice(), bob().user)), "unauthorized");
  const content::LibraryId unknown("nowhere");
  EXPECT_EQ(why(quotas().of_library(alice(), unknown)), "quire.library.not_found");
  EXPECT_EQ(why(quotas().set_of_library(administrator(), unknown, {1, {}})), "quire.library.not_found");
  EXPECT_EQ(why(quotas().remove(administrator(), QuotaOwner::of_library(unknown))), "quire.library.not_found");
  EXPECT_EQ(why(quotas().set_of_library(administrator(), library_, {})), "quire.quota.no_limit");
  EXPECT_EQ(why(quotas().set_of_library(administrator(), library_, {-1, {}})), "quire.quota.negative_limit");
  EXPECT_EQ(why(quotas().set_of_user(administrator(), "x", {1, -1})), "quire.quota.negative_limit");
  EXPECT_EQ(kind(quotas().set_of_user(administrator(), "", {1, {}})), "invalid_argument");
  const auto nobody = test_support::caller_with("nobody", {});
  EXPECT_EQ(kind(quotas().of_library(nobody, library_)), "not_found");
  EXPECT_EQ(must(quotas().own(nobody)).use(), QuotaUse()) << "everybody may read what they use themselves";
  EXPECT_FALSE(world_->look([](content::CatalogReader& reader) { return reader.has_quotas(); }));
}

TEST_P(QuotaTest, TheDefaultLimitsWhoHasNoQuotaOfTheirOwn) {
  must(make("before"));
  set_defaults({.library_items = 3, .user_items = 4, .user_bytes = 10});
  auto quota = must(quotas().of_library(alice(), library_));
  EXPECT_EQ(quota.source, QuotaSource::DEFAULT);
  EXPECT_EQ(quota, (Quota{QuotaKind::LIBRARY, library_.text(), 3, {}, 2, 0, 0})) << "told before anything was taken";
  EXPECT_EQ(must(quotas().own(alice())).limits(), (QuotaLimits{4, 10}));
  EXPECT_THAT(must(quotas().list(administrator(), QuotaKind::LIBRARY)), IsEmpty());

  must(make("third"));
  const auto refused = make("fourth");
  EXPECT_EQ(kind(refused), "unable_to_allocate_resource");
  EXPECT_THAT(refused.error().text(), HasSubstr("The quota of library library is 3 items, and 3 are there."));
  expect_counted();
  ASSERT_EQ(must(quotas().list(administrator(), QuotaKind::LIBRARY)).size(), 1U) << "kept since something was taken";
  EXPECT_EQ(must(quotas().list(administrator(), QuotaKind::LIBRARY))[0].source, QuotaSource::DEFAULT);
  EXPECT_EQ(why(quotas().remove(administrator(), QuotaOwner::of_library(library_))), "quire.quota.not_found");

  // Its own takes the default's place as a whole.
  limit_items(5);
  EXPECT_EQ(must(quotas().of_library(alice(), library_)).source, QuotaSource::OWN);
  must(make("fourth"));
  EXPECT_EQ(why(make("fifth")), items_full) << "of alice, who may make four";
  must(make("fifth", bob()));
  EXPECT_EQ(why(make("sixth", bob())), items_full) << "of the library";
  must(quotas().remove(administrator(), QuotaOwner::of_library(library_)));
  EXPECT_EQ(must(quotas().of_library(alice(), library_)).source, QuotaSource::DEFAULT) << "it holds again";
  EXPECT_EQ(why(make("sixth", bob())), items_full);
  expect_counted();

  // Bytes of a user, wherever they are.
  const auto id = open(item_);
  EXPECT_EQ(why(sessions().add_file(alice(), id, file_spec("a", 11))), bytes_full);
  must(sessions().add_file(alice(), id, file_spec("a", 10)));
  expect_counted();
}

TEST_P(QuotaTest, ADefaultThatIsTakenAwayLimitsNobody) {
  set_defaults({.library_items = 1});
  EXPECT_EQ(why(make("second")), items_full);
  EXPECT_TRUE(world_->look([](content::CatalogReader& reader) { return reader.has_quotas(); }));
  set_defaults({.library_items = 2});
  must(make("second"));
  limit_bytes(7);
  set_defaults({});
  EXPECT_EQ(must(quotas().of_library(alice(), library_)).source, QuotaSource::OWN) << "own quotas stay";
  must(quotas().remove(administrator(), QuotaOwner::of_library(library_)));
  EXPECT_EQ(must(quotas().of_library(alice(), library_)).source, QuotaSource::NONE);
  must(make("third"));
  EXPECT_FALSE(world_->look([](content::CatalogReader& reader) { return reader.has_quotas(); })) << "nothing is kept";
}

TEST_P(QuotaTest, FiftyAtOnceStayWithinTheDefault) {
  set_defaults({.library_items = 10});
  std::atomic<int> made = 0;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 5; ++thread)
    threads.emplace_back([&, thread] {
      for (int i = 0; i < 10; ++i)
        if (make(std::to_string(thread) + "-" + std::to_string(i))) ++made;
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(made, 9) << "one was there";
  EXPECT_EQ(use().items, 10);
  expect_counted();
}

TEST_P(QuotaTest, ItemsAreCountedWhenTheyAreMadeCopiedAndDeleted) {
  limit_items(2);
  const auto second = must(make("second"));
  const auto refused = make("third");
  EXPECT_EQ(kind(refused), "unable_to_allocate_resource");
  EXPECT_EQ(refused.error().messages().front().default_message,
            "The quota of library library is 2 items, and 2 are there. Delete items that are not needed, or ask an "
            "administrator for a larger quota.");
  EXPECT_EQ(why(world_->items().copy(alice(), item_, item_spec(library_, "copy", ""), {})), items_full);
  EXPECT_EQ(use().items, 2);
  must(world_->items().remove(alice(), second));
  must(make("third"));
  EXPECT_EQ(why(make("fourth")), items_full);
  must(quotas().remove(administrator(), QuotaOwner::of_library(library_)));
  must(make("fourth"));
  limit_items(1);
  EXPECT_EQ(use().items, 3) << "what is there stays";
  EXPECT_EQ(why(make("fifth")), items_full);
  fill(item_, {{"a", "bytes are not limited"}});
  expect_counted();
}

TEST_P(QuotaTest, OfAUserCountsWhatTheUserMadeAnywhere) {
  must(quotas().set_of_user(administrator(), bob().user, {2, 10}));
  const auto other = must(world_->libraries().create_local(bob(), test_support::library_spec("other"), {}));
  const auto first = must(make("first", bob()));
  must(world_->items().copy(bob(), item_, item_spec(other, "second", ""), {}));
  const auto refused = make("third", bob());
  EXPECT_EQ(refused.error().messages().front().default_message,
            "The quota of user bob@vsphere.local is 2 items, and 2 are there. Delete items that are not needed, or ask "
            "an administrator for a larger quota.");
  must(make("third"));
  // Whoever fills it, the item is of the user who made it.
  const auto id = open(first);
  EXPECT_EQ(why(sessions().add_file(alice(), id, file_spec("a", 11))), bytes_full);
  push(id, "a", "0123456789");
  must(sessions().complete(alice(), id));
  EXPECT_EQ(must(quotas().own(bob())).use(), (QuotaUse{2, 10, 0}));
  must(world_->libraries().remove_local(alice(), library_));
  EXPECT_EQ(must(quotas().own(bob())).use(), (QuotaUse{1, 0, 0}));
  expect_counted();
}

TEST_P(QuotaTest, ADeclaredSizeIsReservedUntilItsSessionEnds) {
  limit_bytes(100);
  const auto id = open();
  must(sessions().add_file(alice(), id, file_spec("a", 60)));
  EXPECT_EQ(use(), (QuotaUse{1, 0, 60}));
  const auto refused = sessions().add_file(alice(), id, file_spec("b", 41));
  EXPECT_EQ(kind(refused), "unable_to_allocate_resource");
  EXPECT_EQ(
      refused.error().messages().front().default_message,
      "The quota of library library is 100 bytes. 0 are used and 60 reserved by uploads and copies that have not "
      "ended, so 41 more do not fit. Delete items that are not needed, end other uploads, or ask an administrator "
      "for a larger quota.");
  EXPECT_THAT(names(id), ElementsAre("a"));
  must(sessions().add_file(alice(), id, file_spec("b", 40)));
  must(sessions().add_file(alice(), id, file_spec("b", 30)));
  EXPECT_EQ(use().reserved, 90) << "added again, it takes the place of what was there";
  must(sessions().remove_file(alice(), id, "a"));
  EXPECT_EQ(use().reserved, 30);
  expect_counted();

  const std::vector<std::pair<const char*, std::function<void(const content::UpdateSessionId&)>>> ends = {
      {"cancel", [&](const auto& one) { must(sessions().cancel(alice(), one)); }},
      {"fail", [&](const auto& one) { must(sessions().fail(alice(), one, std::nullopt)); }},
      {"expiry",
       [&](const auto&) {
         advance(6min);
         must(sessions().remove_expired());
       }},
      {"a session that takes the place of an expired one",
       [&](const auto&) {
         advance(6min);
         must(sessions().cancel(alice(), open()));
       }},
      {"a broken promise",
       [&](const auto& one) {
         EXPECT_EQ(kind(send(*world_, file(one, "a").upload_token, std::string(61, 'x'))), "invalid_argument");
       }},
  };
  must(sessions().cancel(alice(), id));
  for (const auto& [what, end] : ends) {
    SCOPED_TRACE(what);
    const auto one = open();
    must(sessions().add_file(alice(), one, file_spec("a", 60)));
    push(one, "b", "received");
    EXPECT_EQ(use(), (QuotaUse{1, 0, 68}));
    end(one);
    EXPECT_EQ(use(), (QuotaUse{1, 0, 0}));
    expect_counted();
  }
  const auto last = open();
  must(sessions().add_file(alice(), last, file_spec("a", 100)));
  must(world_->items().remove(alice(), item_));
  EXPECT_EQ(use(), QuotaUse());
}

TEST_P(QuotaTest, ReservedBytesBecomeUsedOnes) {
  limit_bytes(100);
  fill(item_, {{"a", std::string(60, 'a')}, {"b", std::string(40, 'b')}});
  EXPECT_EQ(use(), (QuotaUse{1, 100, 0}));
  const auto id = open();
  const auto added = add(id, "c");
  EXPECT_EQ(why(send(*world_, added.upload_token, "x")), bytes_full);
  EXPECT_EQ(file(id, "c").status, content::TransferStatus::WAITING_FOR_TRANSFER) << "it can be sent again";
  EXPECT_EQ(session(id).state, content::UpdateSessionState::ACTIVE);
  must(sessions().remove_file(alice(), id, "c"));
  must(sessions().remove_file(alice(), id, "a"));
  must(sessions().complete(alice(), id));
  EXPECT_EQ(use(), (QuotaUse{1, 40, 0}));
  fill(item_, {{"c", std::string(60, 'c')}});
  EXPECT_EQ(use(), (QuotaUse{1, 100, 0}));
  must(world_->items().remove(alice(), item_));
  EXPECT_EQ(use(), QuotaUse());
  expect_counted();
}

TEST_P(QuotaTest, OfAnUnknownSizeAreComparedBeforeTheyAreAcknowledged) {
  limit_bytes(100'000);
  const auto id = open();
  for (const std::size_t chunk : {4096U, 1U << 20U}) {
    SCOPED_TRACE(chunk);
    const auto a = add(id, "a");
    EXPECT_EQ(why(send(*world_, a.upload_token, std::string(100'001, 'a'), service::BodyEnd::whole, {}, chunk)),
              bytes_full);
    EXPECT_EQ(why(send(*world_, a.upload_token, std::string(100'001, 'a'), service::BodyEnd::broken, {}, chunk)),
              bytes_full)
        << "what is kept of a body that broke off counts as well";
    EXPECT_EQ(use().reserved, 0);
    must(send(*world_, a.upload_token, std::string(100'000, 'a'), service::BodyEnd::broken, {}, chunk));
    EXPECT_EQ(use().reserved, 100'000);
    expect_counted();
    must(send(*world_, a.upload_token, std::string(100'000, 'a'), service::BodyEnd::whole, {}, chunk));
    EXPECT_EQ(use().reserved, 100'000);
    expect_counted();
  }
  EXPECT_EQ(why(send(*world_, add(id, "b").upload_token, "b")), bytes_full);
  EXPECT_EQ(files_on_disk(), 1U);
  must(sessions().cancel(alice(), id));
  EXPECT_EQ(use().reserved, 0);
}

TEST_P(QuotaTest, ABodyThatCannotFitIsRefusedBeforeItHasCome) {
  limit_bytes(100'000);
  const auto id = open();
  const auto a = add(id, "a");
  const auto announced = world_->uploads().begin(a.upload_token, service::UploadRequest::whole(100'001), [] {});
  ASSERT_TRUE(announced.refusal);
  EXPECT_EQ(announced.refusal->error.messages().front().id, bytes_full);
  EXPECT_EQ(files_on_disk(), 0U);

  // While one comes, its room is its own, also when it breaks off: it can go on, and its length is known.
  auto running = world_->uploads().begin(a.upload_token, service::UploadRequest::whole(90'000), [] {});
  ASSERT_TRUE(running.upload);
  EXPECT_EQ(use().reserved, 90'000);
  EXPECT_EQ(why(sessions().add_file(alice(), id, file_spec("b", 10'001))), bytes_full);
  must(running.upload->append(test_support::bytes_of(std::string(30'000, 'a'))));
  ASSERT_TRUE(running.upload->finish(service::BodyEnd::broken));
  running.upload.reset();
  EXPECT_EQ(use().reserved, 90'000);
  expect_counted();

  // One of unknown length ends soon after it has taken all there is.
  auto endless = world_->uploads().begin(a.upload_token, service::UploadRequest::whole({}), [] {});
  ASSERT_TRUE(endless.upload);
  const std::string megabyte(1 << 20, 'x');
  base::Result<void> taken;
  int megabytes = 0;
  for (; taken && megabytes < 100; ++megabytes) taken = endless.upload->append(test_support::bytes_of(megabyte));
  EXPECT_EQ(why(taken), bytes_full);
  EXPECT_LE(megabytes, 33);
  endless.upload.reset();
  EXPECT_EQ(use().reserved, 0);
  EXPECT_EQ(files_on_disk(), 0U);
  EXPECT_EQ(file(id, "a").status, content::TransferStatus::WAITING_FOR_TRANSFER);
  expect_counted();
}

TEST_P(QuotaTest, PartsAreCountedAsTheyAreRecorded) {
  limit_bytes(100'000);
  const auto id = open();
  const auto a = add(id, "a");
  const auto part = [&](std::int64_t offset, std::int64_t length, std::optional<std::int64_t> whole) {
    service::UploadRequest request;
    request.place = service::UploadRequest::Place::at_offset;
    request.offset = offset;
    request.body_length = length;
    request.part_length = length;
    request.file_length = whole;
    auto begun = world_->uploads().begin(a.upload_token, request, [] {});
    if (!begun.upload) return begun.refusal->error.messages().front().id;
    const std::string bytes(static_cast<std::size_t>(length), 'p');
    if (const auto taken = begun.upload->append(test_support::bytes_of(bytes)); !taken) return why(taken);
    return why(begun.upload->finish(service::BodyEnd::whole));
  };
  EXPECT_EQ(part(0, 50'000, 100'001), bytes_full) << "the file is too long, whatever has come of it";
  EXPECT_EQ(use().reserved, 0);
  EXPECT_EQ(part(0, 50'000, {}), "");
  EXPECT_EQ(use().reserved, 50'000);
  EXPECT_EQ(part(50'000, 50'001, {}), bytes_full);
  EXPECT_EQ(use().reserved, 50'000) << "what was acknowledged stays";
  EXPECT_EQ(part(50'000, 50'000, 100'000), "");
  EXPECT_EQ(file(id, "a").status, content::TransferStatus::READY);
  must(sessions().complete(alice(), id));
  EXPECT_EQ(use(), (QuotaUse{1, 100'000, 0}));
  expect_counted();
}

TEST_P(QuotaTest, OfAnArchiveItsMembersCount) {
  const std::string descriptor = "<Envelope xmlns=\"http://schemas.dmtf.org/ovf/envelope/1\"/>";
  const auto archive =
      test_support::TarWriter().file("vm.ovf", descriptor).file("disk", std::string(5000, 'd')).whole();
  const auto size = static_cast<std::int64_t>(descriptor.size()) + 5000;
  const auto item = new_item("package", "ovf");
  limit_bytes(size - 1);
  const auto id = open(item);
  const auto file = add(id, "vm.ova");
  EXPECT_EQ(why(send(*world_, file.upload_token, archive)), bytes_full);
  EXPECT_EQ(use().reserved, 0);
  EXPECT_EQ(files_on_disk(), 0U);
  limit_bytes(size);
  must(send(*world_, file.upload_token, archive, service::BodyEnd::whole, static_cast<std::int64_t>(archive.size())));
  EXPECT_EQ(use().reserved, size) << "to the byte, although the archive is larger";
  expect_counted();
  must(sessions().complete(alice(), id));
  EXPECT_EQ(use().bytes, size);
  expect_counted();
}

TEST_P(QuotaTest, APullThatDoesNotFitFailsWithTheReason) {
  limit_bytes(100);
  world_->sources().put("https://source.example/large", std::string(101, 'x'));
  world_->sources().put("https://source.example/fits", std::string(100, 'x'));
  const auto id = open();
  must(sessions().add_file(alice(), id, test_support::pull_spec("a", "https://source.example/large")));
  ASSERT_TRUE(must(world_->pulls().run_next()));
  EXPECT_EQ(session(id).state, content::UpdateSessionState::ERROR);
  EXPECT_EQ(file(id, "a").error_message->id, bytes_full);
  EXPECT_THAT(session(id).error_message->default_message,
              testing::AllOf(HasSubstr("The quota of library library is 100 bytes."), HasSubstr("/large")));
  EXPECT_EQ(use().reserved, 0);
  const auto second = open();
  must(sessions().add_file(alice(), second, test_support::pull_spec("a", "https://source.example/fits")));
  must(sessions().complete(alice(), second));
  ASSERT_TRUE(must(world_->pulls().run_next()));
  EXPECT_EQ(use(), (QuotaUse{1, 100, 0}));
  expect_counted();
}

TEST_P(QuotaTest, ACopyThatBecomesATaskHasItsRoomFromTheStart) {
  service::Settings settings;
  settings.copy_in_call_bytes_max = 10;
  make_world(settings);
  fill(item_, {{"a", std::string(60, 'a')}});
  library_ = must(world_->libraries().create_local(alice(), test_support::other_library_spec("other"), {}));
  limit_bytes(100);
  const auto copy = [&](const std::string& name) {
    return world_->items().copy(alice(), item_, item_spec(library_, name, ""), {});
  };
  must(copy("first"));
  EXPECT_EQ(use(), (QuotaUse{1, 0, 60}));
  EXPECT_EQ(why(copy("second")), bytes_full);
  expect_counted();
  ASSERT_TRUE(must(world_->task_runner().run_next()));
  EXPECT_EQ(use(), (QuotaUse{1, 60, 0}));
  limit_bytes(120);
  fill(item_, {{"a", std::string(60, 'b')}});
  must(copy("second"));
  EXPECT_EQ(use(), (QuotaUse{2, 60, 60}));
  for (const auto& task : must(world_->tasks().list(alice(), {})))
    if (!task.ended) must(world_->tasks().cancel(alice(), task.id));
  ASSERT_TRUE(must(world_->task_runner().run_next()));
  EXPECT_EQ(use(), (QuotaUse{1, 60, 0})) << "a copy that was given up gives back what was kept for it";
  expect_counted();
  must(world_->libraries().remove_local(alice(), library_));
  EXPECT_THAT(must(quotas().list(administrator(), QuotaKind::LIBRARY)), IsEmpty()) << "a quota goes with its library";
}

TEST_P(QuotaTest, WhatWasReservedBeforeThereWasAQuotaCounts) {
  const auto id = open();
  must(sessions().add_file(alice(), id, file_spec("a", 60)));
  push(id, "b", "12345");
  limit_bytes(100);
  EXPECT_EQ(use(), (QuotaUse{1, 0, 65}));
  world_->restart();
  EXPECT_EQ(use(), (QuotaUse{1, 0, 65}));
  must(send(*world_, file(id, "a").upload_token, std::string(60, 'a')));
  must(sessions().complete(alice(), id));
  EXPECT_EQ(use(), (QuotaUse{1, 65, 0}));
  expect_counted();
}

/// Many who ask at once for the last room: as many get it as there is, and afterwards all of it is there again.
TEST_P(QuotaTest, NobodyGetsPastALimitWhenManyAskAtOnce) {
  constexpr int clients = 50;
  constexpr int room = 20;
  constexpr std::int64_t file_bytes = 10'000;
  must(quotas().set_of_library(administrator(), library_, {room + 1, room * file_bytes}));  // one item is there
  std::atomic<int> made = 0;
  std::atomic<int> refused = 0;
  std::atomic<int> other = 0;
  std::mutex mutex;
  std::vector<content::ItemId> items;
  const auto at_once = [&](auto call) {
    made = refused = 0;
    std::vector<std::thread> threads;
    threads.reserve(clients);
    for (int i = 0; i < clients; ++i)
      threads.emplace_back([&, i] {
        const std::string answer = call(i);
        ++(answer.empty() ? made : answer == items_full || answer == bytes_full ? refused : other);
      });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(other, 0);
    EXPECT_EQ(made, room);
    EXPECT_EQ(refused, clients - room);
    expect_counted();
  };
  at_once([&](int i) {
    const auto item = make("item " + std::to_string(i));
    const std::scoped_lock lock(mutex);
    if (item) items.push_back(*item);
    return why(item);
  });
  EXPECT_EQ(use().items, room + 1);
  must(quotas().set_of_library(administrator(), library_, {{}, room * file_bytes}));
  for (int i = room; i < clients; ++i) items.push_back(must(make("further " + std::to_string(i))));

  std::vector<content::UpdateSessionId> opened;
  for (const auto& item : items) opened.push_back(open(item));
  const auto all_again = [&] {
    for (const auto& id : opened) must(sessions().cancel(alice(), id));
    EXPECT_EQ(use().all_bytes(), 0);
    for (std::size_t i = 0; i < items.size(); ++i) opened[i] = open(items[i]);
  };
  for (int round = 0; round < 2; ++round) {
    at_once([&](int i) {
      return why(sessions().add_file(alice(), opened[static_cast<std::size_t>(i)], file_spec("a", file_bytes)));
    });
    EXPECT_EQ(use().reserved, room * file_bytes);
    all_again();
  }
  std::vector<content::TransferToken> tokens;
  for (const auto& id : opened) tokens.push_back(add(id, "a").upload_token);
  at_once([&](int i) { return why(send(*world_, tokens[static_cast<std::size_t>(i)], std::string(file_bytes, 'x'))); });
  EXPECT_EQ(use().reserved, room * file_bytes);
  for (std::size_t i = 0; i < items.size(); ++i)
    if (file(opened[i], "a").status == content::TransferStatus::READY) must(sessions().complete(alice(), opened[i]));
  EXPECT_EQ(use().bytes, room * file_bytes);
  EXPECT_EQ(use().reserved, 0);
  expect_counted();
}

TEST_P(QuotaTest, ChangesAreEvents) {
  limit_items(5);
  limit_items(5);
  must(quotas().remove(administrator(), QuotaOwner::of_library(library_)));
  const auto told = world_->look([](content::CatalogReader& reader) {
    std::vector<std::string> kinds;
    for (const auto& event : reader.events_after(0, 1000))
      if (event.kind == content::EventKind::quota_set || event.kind == content::EventKind::quota_deleted)
        kinds.push_back(std::string(base::name_of(event.kind)) + " " + event.details);
    return kinds;
  });
  EXPECT_THAT(told, ElementsAre(R"(quota.set {"items":5,"type":"LIBRARY"})", R"(quota.deleted {"type":"LIBRARY"})"));
}

}  // namespace
}  // namespace quire
