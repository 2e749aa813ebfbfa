#include <gmock/gmock.h>

#include <array>
#include <functional>

#include "support/service_world.h"

// Every operation in every state of a session, with a file in every status, through the services. The expectation is
// written here by hand from content-library-api.md §14.5 and §28.1, not taken from the code's own table.

namespace quire {
namespace {

using namespace std::chrono_literals;
using content::SessionFile;
using content::SourceType;
using content::TransferStatus;
using content::UpdateSession;
using content::UpdateSessionId;
using content::UpdateSessionState;
using test_support::alice;
using test_support::Engine;
using test_support::file_spec;
using test_support::kind;
using test_support::send;
using test_support::ServiceTest;

enum class State { active, completing, done, error, canceled, expired, deleted };
constexpr std::array states = {State::active,   State::completing, State::done,   State::error,
                               State::canceled, State::expired,    State::deleted};
constexpr std::array state_names = {"ACTIVE", "ACTIVE, completing", "DONE", "ERROR", "CANCELED", "expired", "deleted"};

/// What the session's only file is like.
enum class File { unchanged, waiting, transferring, validating, ready, error, pull_waiting, pulling, pulled };
constexpr std::array files = {File::unchanged, File::waiting,      File::transferring, File::validating, File::ready,
                              File::error,     File::pull_waiting, File::pulling,      File::pulled};
constexpr std::array file_names = {"NONE",  "WAITING_FOR_TRANSFER",       "TRANSFERRING",       "VALIDATING", "READY",
                                   "ERROR", "WAITING_FOR_TRANSFER, PULL", "TRANSFERRING, PULL", "READY, PULL"};

bool is_pull(File file) { return file == File::pull_waiting || file == File::pulling || file == File::pulled; }
/// `complete` is accepted, and the pull ends it.
bool is_on_its_way(File file) { return file == File::pull_waiting || file == File::pulling; }
bool is_complete(File file) { return file == File::unchanged || file == File::ready || file == File::pulled; }

/// Answers: the kind of the error, "" for success. "?" depends on the file: success when every push has arrived, else
/// not_allowed_in_current_state. "gone" is a not_found that was there before.
constexpr auto ok = "";
constexpr auto no = "not_allowed_in_current_state";
constexpr auto none = "not_found";

struct Operation {
  std::string name;
  std::array<std::string, 7> expected;  ///< in the order of `states`
};

// clang-format off
//                    ACTIVE completing DONE   ERROR   CANCELED  expired  deleted
const std::vector<Operation> operations = {
    {"get",           {ok,  ok,         ok,     ok,     ok,       none,    none}},
    {"update",        {ok,  ok,         no,     no,     no,       none,    none}},
    {"complete",      {"?", no,         no,     no,     no,       none,    none}},
    {"keep_alive",    {ok,  ok,         no,     no,     no,       none,    none}},
    {"cancel",        {ok,  ok,         no,     no,     no,       none,    none}},
    {"fail",          {ok,  ok,         no,     no,     no,       none,    none}},
    {"delete",        {no,  no,         ok,     ok,     ok,       none,    none}},
    {"file.list",     {ok,  ok,         ok,     ok,     ok,       none,    none}},
    {"file.get",      {ok,  ok,         ok,     ok,     ok,       none,    none}},
    {"file.add",      {ok,  no,         no,     no,     no,       none,    none}},
    {"file.replace",  {ok,  no,         no,     no,     no,       none,    none}},
    {"file.remove",   {ok,  no,         no,     no,     no,       none,    none}},
    {"file.validate", {"?", no,         no,     no,     no,       none,    none}},
    {"upload",        {ok,  no,         "gone", "gone", "gone",   "gone",  none}},
};
// clang-format on

class SessionTableTest : public ServiceTest {
 protected:
  static constexpr auto source = "https://source.example/f";

  struct Cell {
    UpdateSessionId session;
    SessionFile file;
  };

  void set_row(const UpdateSessionId& id, const std::function<void(UpdateSession&)>& set) {
    world_->change([&](content::CatalogWriter& writer) {
      auto row = writer.find<UpdateSession>(id).value();
      set(row);
      writer.update(row);
    });
  }

  /// Brings a session with its file into a state; by the services where they can, else by hand.
  Cell prepare(State state, File wanted) {
    fill(item_, {{"f", "content"}});
    Cell cell{open(), {}};
    world_->sources().put(source, "new content");
    if (is_pull(wanted))
      cell.file = must(sessions().add_file(alice(), cell.session, test_support::pull_spec("f", source)));
    else if (wanted != File::unchanged)
      cell.file = add(cell.session, "f");
    if (wanted == File::pulled) must(world_->pulls().run_next());
    if (wanted == File::pulling) must(send(*world_, cell.file.upload_token, "new", service::BodyEnd::broken));
    if (wanted == File::ready) must(send(*world_, cell.file.upload_token, "new content"));
    if (wanted == File::transferring) must(send(*world_, cell.file.upload_token, "new", service::BodyEnd::broken));
    if (wanted == File::validating || wanted == File::error)
      world_->change([&](content::CatalogWriter& writer) {
        auto row = cell.file;
        row.status = wanted == File::error ? TransferStatus::ERROR : TransferStatus::VALIDATING;
        if (wanted == File::error) row.error_message = base::make_message("quire.test", "A test's failure.");
        writer.put(cell.session, row);
      });
    switch (state) {
      case State::active:
        break;
      case State::completing:
        set_row(cell.session, [](UpdateSession& row) { row.completing = true; });
        break;
      case State::done:
        if (is_complete(wanted))
          must(sessions().complete(alice(), cell.session));
        else
          set_row(cell.session, [&](UpdateSession& row) {
            row.state = UpdateSessionState::DONE;
            row.ended_at = world_->clock().now();
          });
        break;
      case State::error:
        must(sessions().fail(alice(), cell.session, "no more"));
        break;
      case State::canceled:
        must(sessions().cancel(alice(), cell.session));
        break;
      case State::expired:
        advance(session(cell.session).expires_at - world_->clock().now() + 1ms);
        break;
      case State::deleted:
        must(sessions().cancel(alice(), cell.session));
        must(sessions().remove(alice(), cell.session));
        break;
    }
    return cell;
  }

  std::string upload(const SessionFile& file) {
    auto begun = world_->uploads().begin(file.upload_token, service::UploadRequest::whole(std::nullopt), [] {});
    if (!begun.upload) return begun.refusal->gone ? "gone" : std::string(base::name_of(begun.refusal->error.kind()));
    must(begun.upload->append(test_support::bytes_of("sent")));
    return kind(begun.upload->finish(service::BodyEnd::whole));
  }

  std::string call(const std::string& name, const Cell& cell) {
    const auto& id = cell.session;
    if (name == "get") return kind(sessions().get(alice(), id));
    if (name == "update") return kind(sessions().update(alice(), id, std::vector<content::WarningBehavior>{}));
    if (name == "complete") return kind(sessions().complete(alice(), id));
    if (name == "keep_alive") return kind(sessions().keep_alive(alice(), id, 10));
    if (name == "cancel") return kind(sessions().cancel(alice(), id));
    if (name == "fail") return kind(sessions().fail(alice(), id, "given up"));
    if (name == "delete") return kind(sessions().remove(alice(), id));
    if (name == "file.list") return kind(sessions().files(alice(), id));
    if (name == "file.get") return kind(sessions().file(alice(), id, "f"));
    if (name == "file.add") return kind(sessions().add_file(alice(), id, file_spec("other")));
    if (name == "file.replace") return kind(sessions().add_file(alice(), id, file_spec("f")));
    if (name == "file.remove") return kind(sessions().remove_file(alice(), id, "f"));
    if (name == "file.validate") return kind(sessions().validate(alice(), id));
    return upload(cell.file);
  }

  /// Everything that a refused call must leave alone.
  std::pair<std::optional<UpdateSession>, std::vector<SessionFile>> rows(const UpdateSessionId& id) {
    return world_->look([&](content::CatalogReader& reader) {
      return std::pair(reader.find<UpdateSession>(id), reader.list<SessionFile>(id));
    });
  }

  void check_effect(const std::string& name, const UpdateSessionId& id, UpdateSessionState before, File wanted) {
    const auto [row, left] = rows(id);
    if (name == "delete") {
      EXPECT_FALSE(row);
      return;
    }
    const bool accepted = name == "complete" && is_on_its_way(wanted);
    if (accepted) {
      EXPECT_TRUE(row->completing);
    }
    const auto after = accepted             ? before
                       : name == "complete" ? UpdateSessionState::DONE
                       : name == "cancel"   ? UpdateSessionState::CANCELED
                       : name == "fail"     ? UpdateSessionState::ERROR
                                            : before;
    EXPECT_EQ(row->state, after);
    EXPECT_EQ(row->error_message.has_value(), after == UpdateSessionState::ERROR);
    EXPECT_EQ(left.size(), name == "file.add" ? 2U : name == "file.remove" ? 0U : 1U);
    if (name == "upload") {
      EXPECT_EQ(left.front().status, TransferStatus::READY);
    }
    if (name == "file.replace") {
      EXPECT_EQ(left.front().status, TransferStatus::WAITING_FOR_TRANSFER);
    }
    if (after == UpdateSessionState::ACTIVE) return;
    for (const auto& file : left) EXPECT_TRUE(file.blob.empty() || file.status != TransferStatus::READY);
  }
};

INSTANTIATE_TEST_SUITE_P(Sqlite, SessionTableTest, testing::Values(Engine::Sqlite));
INSTANTIATE_TEST_SUITE_P(Postgresql, SessionTableTest, testing::Values(Engine::Postgresql));

TEST_P(SessionTableTest, EveryOperationInEveryStateWithEveryFileStatus) {
  int number = 0;
  for (std::size_t s = 0; s < states.size(); ++s)
    for (std::size_t f = 0; f < files.size(); ++f)
      for (const auto& operation : operations) {
        if (operation.name == "upload" && files[f] == File::unchanged) continue;  // has no endpoint
        SCOPED_TRACE(operation.name + " in " + state_names[s] + " with a file " + file_names[f]);
        item_ = new_item("item " + std::to_string(++number), "");
        const auto cell = prepare(states[s], files[f]);
        auto expected = operation.expected[s];
        if (expected == "?") expected = is_complete(files[f]) || is_on_its_way(files[f]) ? ok : no;
        // What a pull brings is taken after `complete` was accepted as well.
        if (operation.name == "upload" && states[s] == State::completing && is_pull(files[f])) expected = ok;
        const auto before = rows(cell.session);
        EXPECT_EQ(call(operation.name, cell), expected);
        if (expected == ok) {
          check_effect(operation.name, cell.session, before.first->state, files[f]);
        } else {
          EXPECT_TRUE(rows(cell.session) == before);
        }
        must(world_->items().remove(alice(), item_));
        EXPECT_EQ(files_on_disk(), 0U);
      }
}

TEST_P(SessionTableTest, CompleteSucceedsOnASessionThatCompletedItself) {
  const auto id = open();
  must(sessions().complete(alice(), id));
  EXPECT_EQ(kind(sessions().complete(alice(), id)), no);
  set_row(id, [](UpdateSession& row) { row.completed_itself = true; });
  EXPECT_EQ(kind(sessions().complete(alice(), id)), ok);
}

TEST_P(SessionTableTest, ARefusalNamesTheOperationTheStateAndTheReasonOfAnError) {
  const auto id = open();
  must(sessions().fail(alice(), id, "the disk broke"));
  const auto refused = sessions().complete(alice(), id);
  ASSERT_EQ(kind(refused), no);
  EXPECT_THAT(refused.error().text(), testing::HasSubstr("complete"));
  EXPECT_THAT(refused.error().text(), testing::HasSubstr("ERROR"));
  EXPECT_THAT(refused.error().messages().back().default_message, testing::HasSubstr("the disk broke"));
}

}  // namespace
}  // namespace quire
