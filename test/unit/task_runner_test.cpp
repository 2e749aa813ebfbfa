#include <gmock/gmock.h>

#include <functional>

#include "support/service_world.h"

// The runner of tasks with kinds of a test's own: how many run at once, and what helpers of a worker may do.

namespace quire {
namespace {

using base::Result;
using content::Task;
using content::TaskId;
using content::TaskStatus;
using service::TaskKind;
using service::TaskOutcome;
using service::TaskRun;
using service::TaskRunner;
using service::Transaction;
using test_support::alice;
using test_support::Engine;
using test_support::kind;

class TaskRunnerTest : public test_support::ServiceTest {
 protected:
  TaskId begin(const std::string& operation) {
    return must(service::write(world_->context(), alice(), [&](Transaction& t) {
      return service::add_task(t, {"test", operation, "thing", "1", base::make_message("quire.test.task", "A task")});
    }));
  }
  static TaskKind make_kind(const std::string& operation, std::function<Result<void>(TaskRun&)> act) {
    return {"test", operation, [act = std::move(act)](TaskRun& run) -> Result<TaskOutcome> {
              QUIRE_RETURN_IF_ERROR(act(run));
              QUIRE_RETURN_IF_ERROR(run.change([](Transaction& t, Task& task) -> Result<void> {
                service::end_task(t, task, std::nullopt);
                return {};
              }));
              return TaskOutcome::ended;
            }};
  }
  Task task(const TaskId& id) { return must(world_->tasks().get(alice(), id)); }
};

INSTANTIATE_TEST_SUITE_P(Sqlite, TaskRunnerTest, testing::Values(Engine::Sqlite));
INSTANTIATE_TEST_SUITE_P(Postgresql, TaskRunnerTest, testing::Values(Engine::Postgresql));

TEST_P(TaskRunnerTest, OfAKindNoMoreRunThanMayAtOnce) {
  TaskRunner* runner = nullptr;
  std::vector<std::string> ran;
  auto bounded = make_kind("bounded", [&](TaskRun&) -> Result<void> {
    ran.emplace_back("bounded");
    while (must(runner->run_next())) {
    }  // another worker, meanwhile
    ran.emplace_back("bounded ends");
    return {};
  });
  bounded.at_once_max = 1;
  auto free = make_kind("free", [&](TaskRun&) -> Result<void> {
    ran.emplace_back("free");
    return {};
  });
  TaskRunner two(world_->context(), {bounded, free});
  runner = &two;
  const auto first = begin("bounded");
  const auto second = begin("bounded");
  const auto third = begin("free");
  EXPECT_TRUE(must(two.run_next()));
  EXPECT_THAT(ran, testing::ElementsAre("bounded", "free", "bounded ends"));
  EXPECT_EQ(task(second).status == TaskStatus::PENDING, task(first).status == TaskStatus::SUCCEEDED);
  EXPECT_EQ(task(third).status, TaskStatus::SUCCEEDED);
  EXPECT_TRUE(must(two.run_next()));
  EXPECT_FALSE(must(two.run_next()));
  EXPECT_EQ(task(first).status, TaskStatus::SUCCEEDED);
  EXPECT_EQ(task(second).status, TaskStatus::SUCCEEDED);
}

TEST_P(TaskRunnerTest, AFailureLeavesRoomForTheNext) {
  auto failing = make_kind("failing", [](TaskRun&) -> Result<void> {
    return base::Error(base::ErrorKind::unsupported, "quire.test.no", "No.");
  });
  failing.at_once_max = 1;
  TaskRunner runner(world_->context(), {failing});
  const auto first = begin("failing");
  const auto second = begin("failing");
  while (must(runner.run_next())) {
  }
  EXPECT_EQ(task(first).status, TaskStatus::FAILED);
  EXPECT_EQ(task(second).status, TaskStatus::FAILED);
}

TEST_P(TaskRunnerTest, HelpersChangeThingsAndTellProgressWhileTheTaskIsTheirs) {
  TaskId id;
  TaskRunner runner(world_->context(), {make_kind("helped", [&](TaskRun& run) -> Result<void> {
                      EXPECT_EQ(run.id(), id);
                      must(run.record_progress(3, 10));
                      EXPECT_EQ(task(id).completed, 3);
                      EXPECT_EQ(task(id).total, 10);
                      bool ran = false;
                      must(run.change_besides([&](Transaction&) -> Result<void> {
                        ran = true;
                        return {};
                      }));
                      EXPECT_TRUE(ran);
                      must(world_->tasks().cancel(alice(), id));
                      EXPECT_EQ(kind(run.record_progress(4, 10)), "canceled");
                      EXPECT_EQ(kind(run.change_besides([](Transaction&) -> Result<void> {
                                  ADD_FAILURE() << "the task is to stop";
                                  return {};
                                })),
                                "canceled");
                      EXPECT_EQ(task(id).completed, 3);
                      return {};
                    })});
  id = begin("helped");
  EXPECT_TRUE(must(runner.run_next()));
  EXPECT_EQ(task(id).status, TaskStatus::FAILED);
  EXPECT_EQ(task(id).error->kind, base::ErrorKind::canceled);
}

TEST_P(TaskRunnerTest, NothingIsChangedForAServerThatStopsAndTheTaskGoesOnLater) {
  int runs = 0;
  TaskRunner* runner = nullptr;
  const auto stopping = make_kind("stopping", [&](TaskRun& run) -> Result<void> {
    if (++runs > 1) return {};
    runner->stop();
    EXPECT_TRUE(run.server_stops());
    EXPECT_EQ(kind(run.record_progress(1, 2)), "canceled");
    return run.change_besides([](Transaction&) -> Result<void> { return {}; });
  });
  const auto id = begin("stopping");
  TaskRunner first(world_->context(), {stopping});
  runner = &first;
  EXPECT_TRUE(must(first.run_next()));
  EXPECT_FALSE(task(id).ended);
  EXPECT_FALSE(must(first.run_next())) << "a runner that stops begins nothing";
  TaskRunner second(world_->context(), {stopping});
  must(second.release_claims());
  EXPECT_TRUE(must(second.run_next()));
  EXPECT_EQ(task(id).status, TaskStatus::SUCCEEDED);
}

}  // namespace
}  // namespace quire
