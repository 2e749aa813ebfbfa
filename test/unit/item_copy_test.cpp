#include <gmock/gmock.h>

#include "support/service_world.h"

// Copies of items from one storage to another: those that are made in the call, and those that become tasks.

namespace quire {
namespace {

using namespace std::chrono_literals;
using content::Task;
using content::TaskStatus;
using test_support::alice;
using test_support::bob;
using test_support::Engine;
using test_support::kind;
using test_support::why;
using testing::ElementsAre;
using testing::IsEmpty;

using Files = std::map<std::string, std::string>;

class ItemCopyTest : public test_support::ServiceTest {
 protected:
  void SetUp() override {
    ServiceTest::SetUp();
    if (IsSkipped()) return;
    make_world_with_bound(1000);
  }
  void make_world_with_bound(std::int64_t bytes) {
    service::Settings settings;
    settings.copy_in_call_bytes_max = bytes;
    make_world(settings);
    other_ = must(world_->libraries().create_local(alice(), test_support::other_library_spec("other"), std::nullopt));
  }
  content::ItemId copy() {
    return must(world_->items().copy(alice(), item_, test_support::item_spec(other_, "copy", ""), {}));
  }
  Task only_task() {
    const auto tasks = must(world_->tasks().list(alice(), {}));
    EXPECT_EQ(tasks.size(), 1U);
    return tasks.at(0);
  }
  bool run() { return must(world_->task_runner().run_next()); }
  void expect_bytes_accounted_for() {
    EXPECT_EQ(world_->blobs_on_disk(), world_->blobs_in_catalog());
    EXPECT_EQ(world_->files_on_disk(), world_->blobs_in_catalog().size());
  }

  content::LibraryId other_;
  const Files files_ = {{"a.iso", std::string(200'000, 'a')}, {"b.iso", std::string(100'000, 'b')}, {"c", "small"}};
};

INSTANTIATE_TEST_SUITE_P(Sqlite, ItemCopyTest, testing::Values(Engine::Sqlite));
INSTANTIATE_TEST_SUITE_P(Postgresql, ItemCopyTest, testing::Values(Engine::Postgresql));

TEST_P(ItemCopyTest, FewBytesAreThereWhenTheCallReturns) {
  make_world_with_bound(1 << 20);
  fill(item_, files_);
  EXPECT_EQ(world_->content_of(copy()), files_);
  EXPECT_THAT(must(world_->tasks().list(alice(), {})), IsEmpty());
  EXPECT_EQ(world_->files_in("other store"), 2U);
  expect_bytes_accounted_for();
}

TEST_P(ItemCopyTest, ManyBytesComeByATask) {
  fill(item_, files_);
  const auto id = copy();
  const auto begun = must(world_->items().get(alice(), id));
  EXPECT_EQ(begun.content_version, 1);
  EXPECT_EQ(begun.size, 0);
  EXPECT_THAT(*world_->content_of(id), IsEmpty());
  auto task = only_task();
  EXPECT_EQ(task.status, TaskStatus::PENDING);
  EXPECT_EQ(task.service + "." + task.operation, "com.vmware.content.library.item.copy");
  EXPECT_EQ(task.target, id.text());
  EXPECT_EQ(task.user, alice().user);

  ASSERT_TRUE(run());
  EXPECT_FALSE(run());
  EXPECT_EQ(world_->content_of(id), files_);
  const auto done = must(world_->items().get(alice(), id));
  EXPECT_EQ(done.content_version, 2);
  EXPECT_EQ(done.size, 300'005);
  task = only_task();
  EXPECT_EQ(task.status, TaskStatus::SUCCEEDED);
  EXPECT_EQ(task.completed, 300'005);
  EXPECT_EQ(task.total, 300'005);
  EXPECT_TRUE(task.started && task.ended);
  EXPECT_EQ(world_->files_in("other store"), 2U);
  expect_bytes_accounted_for();
}

TEST_P(ItemCopyTest, ATaskCopiesWhatTheItemHadWhenItWasAskedFor) {
  fill(item_, files_);
  const auto id = copy();
  fill(item_, {{"a.iso", "other bytes"}, {"d", "new"}});
  must(world_->items().remove(alice(), item_));
  ASSERT_TRUE(run());
  EXPECT_EQ(world_->content_of(id), files_);
  EXPECT_EQ(world_->files_in("store"), 0U) << "what the task had pinned goes with its end";
  expect_bytes_accounted_for();
}

TEST_P(ItemCopyTest, OnlyItsUserAndAdministratorsSeeATask) {
  fill(item_, files_);
  copy();
  const auto id = only_task().id;
  EXPECT_EQ(kind(world_->tasks().get(bob(), id)), "not_found");
  EXPECT_EQ(kind(world_->tasks().cancel(bob(), id)), "not_found");
  EXPECT_THAT(must(world_->tasks().list(bob(), {})), IsEmpty());
  EXPECT_THAT(must(world_->tasks().list(bob(), {{id}})), IsEmpty());
  EXPECT_EQ(must(world_->tasks().list(test_support::administrator(), {})).size(), 1U);
  EXPECT_FALSE(must(world_->tasks().get(test_support::administrator(), id)).cancel_requested);
}

TEST_P(ItemCopyTest, TasksAreFoundByTheirProperties) {
  fill(item_, files_);
  copy();
  const auto task = only_task();
  const auto found = [&](const service::TaskFilter& filter) {
    return must(world_->tasks().list(alice(), filter)).size();
  };
  service::TaskFilter all{{task.id, task.id}, {task.service}, {"copy"}, {TaskStatus::PENDING}, {}, {alice().user}};
  all.targets = {{task.target_type, task.target}};
  EXPECT_EQ(found(all), 1U);
  for (const auto& [member, filter] :
       std::vector<std::pair<std::string, service::TaskFilter>>{{"tasks", {.tasks = {content::TaskId("nonsense")}}},
                                                                {"services", {.services = {"x"}}},
                                                                {"operations", {.operations = {"x"}}},
                                                                {"status", {.status = {TaskStatus::FAILED}}},
                                                                {"targets", {.targets = {{task.target_type, "x"}}}},
                                                                {"users", {.users = {"x"}}}})
    EXPECT_EQ(found(filter), 0U) << member;
}

TEST_P(ItemCopyTest, ACanceledCopyLeavesNothing) {
  fill(item_, files_);
  const auto id = copy();
  must(world_->tasks().cancel(alice(), only_task().id));
  ASSERT_TRUE(run());
  const auto task = only_task();
  EXPECT_EQ(task.status, TaskStatus::FAILED);
  EXPECT_EQ(task.error->kind, base::ErrorKind::canceled);
  EXPECT_EQ(kind(world_->items().get(alice(), id)), "not_found");
  EXPECT_EQ(kind(world_->tasks().cancel(alice(), task.id)), "not_allowed_in_current_state");
  EXPECT_EQ(world_->files_in("other store"), 0U);
  expect_bytes_accounted_for();
  copy();  // its name is free again
}

/// Its cancellation was forgotten as long as it failed, found by the page's test of tasks.
TEST_P(ItemCopyTest, ACopyThatFailsAndWouldBeTriedAgainIsCanceled) {
  fill(item_, files_);
  const auto id = copy();
  const auto file = world_->blob_file(must(world_->items().file(alice(), item_, "b.iso")).blob);
  std::filesystem::rename(file, file.string() + ".away");
  std::filesystem::create_symlink(file.string() + ".away", file);  // which the store does not follow
  ASSERT_TRUE(run());
  EXPECT_EQ(only_task().status, TaskStatus::RUNNING) << "it will be tried again";
  EXPECT_FALSE(run());
  must(world_->tasks().cancel(alice(), only_task().id));
  ASSERT_TRUE(run());
  EXPECT_EQ(only_task().status, TaskStatus::FAILED);
  EXPECT_EQ(only_task().error->kind, base::ErrorKind::canceled);
  EXPECT_EQ(kind(world_->items().get(alice(), id)), "not_found");
  EXPECT_EQ(world_->files_in("other store"), 0U);
}

TEST_P(ItemCopyTest, ADamagedSourceFailsTheCopy) {
  fill(item_, files_);
  const auto id = copy();
  const auto blob = must(world_->items().file(alice(), item_, "b.iso")).blob;
  std::filesystem::permissions(world_->blob_file(blob), std::filesystem::perms::owner_all);
  std::filesystem::resize_file(world_->blob_file(blob), 99'999);
  ASSERT_TRUE(run());
  const auto task = only_task();
  EXPECT_EQ(task.status, TaskStatus::FAILED);
  EXPECT_EQ(task.error->messages.at(0).id, "quire.blob.damaged");
  EXPECT_EQ(kind(world_->items().get(alice(), id)), "not_found");
  EXPECT_EQ(world_->files_in("other store"), 0U);
}

TEST_P(ItemCopyTest, TheItemTakesNoSessionAndGivesNoCopyUntilItIsThere) {
  fill(item_, files_);
  const auto id = copy();
  EXPECT_EQ(kind(sessions().create(alice(), id.text(), {}, {})), "resource_busy");
  EXPECT_EQ(why(world_->items().copy(alice(), id, test_support::item_spec(other_, "copy of the copy", ""), {})),
            "quire.item.being_copied");
  ASSERT_TRUE(run());
  must(sessions().cancel(alice(), open(id)));
  must(world_->items().copy(alice(), id, test_support::item_spec(other_, "copy of the copy", ""), {}));
}

TEST_P(ItemCopyTest, AnItemThatIsDeletedMeanwhileEndsItsTask) {
  fill(item_, files_);
  must(world_->items().remove(alice(), copy()));
  ASSERT_TRUE(run());
  EXPECT_EQ(only_task().error->kind, base::ErrorKind::not_found);
  EXPECT_EQ(world_->files_in("other store"), 0U);
}

TEST_P(ItemCopyTest, ATaskSurvivesARestartAndItsEndIsKeptForAWhile) {
  fill(item_, files_);
  const auto id = copy();
  world_->restart();
  ASSERT_TRUE(run());
  EXPECT_EQ(world_->content_of(id), files_);
  advance(23h);
  must(world_->tasks().remove_old());
  EXPECT_EQ(only_task().status, TaskStatus::SUCCEEDED);
  advance(2h);
  must(world_->tasks().remove_old());
  EXPECT_THAT(must(world_->tasks().list(alice(), {})), IsEmpty());
}

TEST_P(ItemCopyTest, ATokenThatIsRepeatedNamesTheSameTasksItem) {
  fill(item_, files_);
  const std::string token = "b8a2a2e3-2314-43cd-a871-6ede0f429751";
  const auto spec = test_support::item_spec(other_, "copy", "");
  const auto id = must(world_->items().copy(alice(), item_, spec, token));
  EXPECT_EQ(must(world_->items().copy(alice(), item_, spec, token)), id);
  only_task();
}

TEST_P(ItemCopyTest, TooManyTasksAreRefusedAndChangeNothing) {
  content::Limits limits;
  limits.tasks_active_max = 1;
  service::Settings settings;
  settings.copy_in_call_bytes_max = 1000;
  make_world(settings, limits);
  other_ = must(world_->libraries().create_local(alice(), test_support::other_library_spec("other"), std::nullopt));
  fill(item_, files_);
  copy();
  EXPECT_EQ(kind(world_->items().copy(alice(), item_, test_support::item_spec(other_, "second", ""), {})),
            "service_unavailable");
  EXPECT_EQ(must(world_->items().list(alice(), other_)).size(), 1U);
}

}  // namespace
}  // namespace quire
