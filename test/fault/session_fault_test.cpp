#include <gmock/gmock.h>

#include <barrier>
#include <functional>
#include <thread>

#include "support/crash_checks.h"
#include "support/fault_points.h"
#include "support/tar_writer.h"
#include "work/orphan_sweep.h"

// Update sessions when a call to the catalog or the blob store fails or the process dies at it, for every call in turn;
// and two clients at once with real threads.

namespace quire {
namespace {

using namespace std::chrono_literals;
using base::Result;
using content::ItemId;
using content::UpdateSessionId;
using content::UpdateSessionState;
using test_support::alice;
using test_support::check_bytes;
using test_support::check_use;
using test_support::Crash;
using test_support::Engine;
using test_support::Faults;
using test_support::file_spec;
using test_support::kind;
using test_support::ServiceWorld;
using test_support::transmit;
using test_support::WorldOptions;

using Files = std::map<std::string, std::string>;

const std::string vm_ovf =
    "<Envelope xmlns=\"http://schemas.dmtf.org/ovf/envelope/1\" xmlns:ovf=\"http://schemas.dmtf.org/ovf/envelope/1\">"
    "<References><File ovf:id=\"d\" ovf:href=\"disk.vmdk\"/></References></Envelope>";
const std::string archive = test_support::TarWriter().file("vm.ovf", vm_ovf).file("disk.vmdk", "a disk").whole();

// ---- one client against failing ports ----

/// Runs all tasks to their ends, waiting for claims of workers that a fault has struck. False when one does not end.
bool finish_tasks(ServiceWorld& world) {
  constexpr int rounds = 8;
  for (int round = 0; round < rounds; ++round) {
    // A round that a fault has struck leaves the task to the next, which a worker begins by itself.
    [[maybe_unused]] const auto ran = world.task_runner().run_next();
    if (world.look([](content::CatalogReader& reader) { return reader.active_task_count(); }) == 0) return true;
    if (!ran || !*ran) world.clock().advance(3min);
  }
  return false;
}

/// A client that goes through the life of several items and stops at the first error. What it was told is kept.
class Client {
 public:
  explicit Client(ServiceWorld& world, int number) : world_(world), number_(std::to_string(number)) {}

  Result<void> live() {
    const std::vector<std::function<Result<void>()>> steps = {
        [&] { return make_library(); },
        [&] { return make_item(plain_, ""); },
        [&] { return session(plain_, {{"a", "first a"}, {"b", "first b"}}, {}, {{"a", "first a"}, {"b", "first b"}}); },
        [&] { return session(plain_, {{"a", "second a"}}, {"b"}, {{"a", "second a"}}); },
        [&] { return cancelled(plain_); },
        [&] { return sent_twice(plain_); },
        [&] { return in_parts(plain_); },
        [&] { return small(plain_); },
        [&] { return pulled(plain_); },
        [&] { return make_item(package_, "ovf"); },
        [&] { return session(package_, {{"vm.ova", archive}}, {}, {{"vm.ovf", vm_ovf}, {"disk.vmdk", "a disk"}}); },
        [&] { return copy(copy_, *library_); },
        [&] { return copy(near_copy_, *far_library_); },
        [&] { return copied_by_a_task(); },
        [&] { return copy_that_is_canceled(); },
        [&] { return migrated(); },
        [&] { return erase(plain_); },
    };
    for (const auto& step : steps)
      if (auto done = step(); !done) return done;
    return {};
  }

  struct Item {
    std::optional<ItemId> id;
    Files acknowledged;          ///< what the last answered complete has made of it
    std::optional<Files> asked;  ///< what a complete without an answer would make of it
    bool deleted = false;
    bool delete_asked = false;
  };
  std::vector<const Item*> items() const {
    return {&plain_, &package_, &copy_, &near_copy_, &source_, &far_copy_, &no_copy_};
  }
  const std::optional<content::LibraryId>& library() const { return library_; }
  /// Parts of a file that is not whole, by its endpoint, as far as they were acknowledged.
  const std::map<content::TransferToken, content::ReceivedRanges>& parts() const { return parts_; }

 private:
  auto& sessions() { return world_.sessions(); }

  Result<void> make_library() {
    auto made = world_.libraries().create_local(alice(), test_support::library_spec("library " + number_), {});
    if (!made) return made.error();
    library_ = *made;
    auto other = world_.libraries().create_local(alice(), test_support::other_library_spec("far " + number_), {});
    if (!other) return other.error();
    far_library_ = *other;
    return {};
  }
  Result<void> make_item(Item& item, const std::string& type) {
    auto made = world_.items().create(alice(), test_support::item_spec(*library_, "item " + type, type), {});
    if (!made) return made.error();
    item.id = *made;
    return {};
  }
  Result<void> session(Item& item, const Files& pushed, const std::vector<std::string>& removed, const Files& result) {
    const auto id = sessions().create(alice(), item.id->text(), {}, {});
    if (!id) return id.error();
    for (const auto& name : removed)
      if (auto done = sessions().remove_file(alice(), *id, name); !done) return done;
    for (const auto& [name, body] : pushed) {
      const auto added = sessions().add_file(alice(), *id, file_spec(name));
      if (!added) return added.error();
      if (auto sent = transmit(world_, added->upload_token, body); !sent) return sent;
    }
    if (auto done = complete(item, *id, result); !done) return done;
    return sessions().remove(alice(), *id);
  }
  /// `result` is what the item then has.
  Result<void> complete(Item& item, const UpdateSessionId& id, const Files& result) {
    item.asked = result;
    if (auto done = sessions().complete(alice(), id); !done) return done;
    item.acknowledged = result;
    item.asked.reset();
    return {};
  }
  Result<void> cancelled(Item& item) {
    const auto id = sessions().create(alice(), item.id->text(), {}, {});
    if (!id) return id.error();
    const auto added = sessions().add_file(alice(), *id, file_spec("c"));
    if (!added) return added.error();
    if (auto sent = transmit(world_, added->upload_token, "c"); !sent) return sent;
    return sessions().cancel(alice(), *id);
  }
  Result<void> sent_twice(Item& item) {
    const auto id = sessions().create(alice(), item.id->text(), {}, {});
    if (!id) return id.error();
    const auto added = sessions().add_file(alice(), *id, file_spec("d"));
    if (!added) return added.error();
    for (const std::string body : {"once", "twice"})
      if (auto sent = transmit(world_, added->upload_token, body); !sent) return sent;
    return sessions().fail(alice(), *id, "enough");
  }
  /// The file comes in parts, not in order; the last one finishes it.
  Result<void> in_parts(Item& item) {
    const auto id = sessions().create(alice(), item.id->text(), {}, {});
    if (!id) return id.error();
    const auto added = sessions().add_file(alice(), *id, file_spec("e"));
    if (!added) return added.error();
    const std::string body = "in parts";
    for (const std::int64_t first : {4, 0, 6, 2}) {
      service::UploadRequest part;
      part.place = service::UploadRequest::Place::at_offset;
      part.offset = first;
      part.part_length = 2;
      part.file_length = static_cast<std::int64_t>(body.size());
      if (auto sent = transmit(world_, added->upload_token, body.substr(static_cast<std::size_t>(first), 2), part);
          !sent)
        return sent;
      parts_.emplace(added->upload_token, content::ReceivedRanges()).first->second.add({first, first + 2});
    }
    parts_.clear();
    auto result = item.acknowledged;
    result["e"] = body;
    if (auto done = complete(item, *id, result); !done) return done;
    return sessions().remove(alice(), *id);
  }
  /// The catalog holds the bytes until somebody asks for their place on the storage.
  Result<void> small(Item& item) {
    const auto id = sessions().create(alice(), item.id->text(), {}, {});
    if (!id) return id.error();
    for (const std::string name : {"f", "g"}) {
      const auto added = sessions().add_file(alice(), *id, file_spec(name));
      if (!added) return added.error();
      const auto body = "small " + name;
      const auto request = service::UploadRequest::whole(static_cast<std::int64_t>(body.size()));
      if (auto sent = transmit(world_, added->upload_token, body, request); !sent) return sent;
    }
    auto result = item.acknowledged;
    result["f"] = "small f";
    result["g"] = "small g";
    if (auto done = complete(item, *id, result); !done) return done;
    EXPECT_EQ(world_.blobs_held_by_catalog().size(), 2U);
    if (const auto placed = world_.items().stored_files(test_support::administrator(), *item.id); !placed)
      return placed.error();
    EXPECT_TRUE(world_.blobs_held_by_catalog().empty());
    return sessions().remove(alice(), *id);
  }
  /// `complete` is accepted before the pull has run; what it promises comes with the pull's end.
  Result<void> pulled(Item& item) {
    world_.sources().put(source, "pulled b");
    const auto id = sessions().create(alice(), item.id->text(), {}, {});
    if (!id) return id.error();
    const auto added = sessions().add_file(alice(), *id, test_support::pull_spec("b", source));
    if (!added) return added.error();
    auto result = item.acknowledged;
    result["b"] = "pulled b";
    item.asked = result;
    if (auto done = sessions().complete(alice(), *id); !done) return done;
    for (int rounds = 0; rounds < pull_rounds; ++rounds) {
      // A round that a fault has struck leaves the pull to the next, which a worker begins by itself.
      [[maybe_unused]] const auto ran = world_.pulls().run_next();
      const auto state = world_.look(
          [&](content::CatalogReader& reader) { return reader.find<content::UpdateSession>(*id).value().state; });
      EXPECT_NE(state, UpdateSessionState::ERROR);
      if (state != UpdateSessionState::DONE) continue;
      item.acknowledged = result;
      item.asked.reset();
      return sessions().remove(alice(), *id);
    }
    return base::internal_error("the pull does not end");
  }
  Result<void> copy(Item& item, const content::LibraryId& library) {
    item.asked = package_.acknowledged;
    auto made =
        world_.items().copy(alice(), *package_.id, test_support::item_spec(library, "copy in the call", ""), {});
    if (!made) return made.error();
    item.id = *made;
    item.acknowledged = package_.acknowledged;
    item.asked.reset();
    return {};
  }
  /// To another storage, with a blob of the catalog's and one that lies in the storage there already.
  Result<void> copied_by_a_task() {
    const Files files = {{"large", std::string(10'000, 'l')}, {"larger", std::string(20'000, 'm')}, {"small", "s"}};
    if (auto done = make_item(source_, "large"); !done) return done;
    if (auto done = session(source_, files, {}, files); !done) return done;
    if (auto begun = begin_copy(far_copy_, "copy"); !begun) return begun;
    far_copy_.asked = files;
    QUIRE_RETURN_IF_ERROR(run_tasks());
    far_copy_.acknowledged = files;
    far_copy_.asked.reset();
    return {};
  }
  Result<void> copy_that_is_canceled() {
    const Files other = {{"large", std::string(15'000, 'n')}, {"larger", std::string(20'000, 'm')}};
    if (auto done = session(source_, other, {"small"}, other); !done) return done;
    if (auto begun = begin_copy(no_copy_, "no copy"); !begun) return begun;
    no_copy_.asked = other;
    const auto tasks =
        world_.tasks().list(alice(), {.targets = {{"com.vmware.content.library.Item", no_copy_.id->text()}}});
    if (!tasks) return tasks.error();
    EXPECT_EQ(tasks->size(), 1U);
    no_copy_.delete_asked = true;
    if (auto done = world_.tasks().cancel(alice(), tasks->front().id); !done) return done;
    QUIRE_RETURN_IF_ERROR(run_tasks());
    no_copy_.deleted = true;
    return {};
  }
  /// The library and back, while a download session has one file and an update session is open.
  Result<void> migrated() {
    const auto download = world_.downloads().create(alice(), package_.id->text(), {});
    if (!download) return download.error();
    if (auto prepared = world_.downloads().prepare(alice(), *download, "disk.vmdk", false); !prepared)
      return prepared.error();
    const auto session = sessions().create(alice(), plain_.id->text(), {}, {});
    if (!session) return session.error();
    const auto added = sessions().add_file(alice(), *session, file_spec("m"));
    if (!added) return added.error();
    if (auto sent = transmit(world_, added->upload_token, "m comes before the library moves"); !sent) return sent;
    for (const auto& storage : {ServiceWorld::other_storage_id(), ServiceWorld::storage_id()}) {
      const std::vector<content::StorageBacking> there = {
          {content::StorageBackingType::DATASTORE, storage.text(), std::nullopt}};
      if (auto begun = world_.libraries().migrate(alice(), *library_, there); !begun) return begun;
      QUIRE_RETURN_IF_ERROR(run_tasks());
      EXPECT_EQ(world_.look([&](content::CatalogReader& in) { return in.find<content::Library>(*library_)->storage; }),
                storage);
    }
    auto result = plain_.acknowledged;
    result["m"] = "m comes before the library moves";
    if (auto done = complete(plain_, *session, result); !done) return done;
    if (auto done = sessions().remove(alice(), *session); !done) return done;
    return world_.downloads().remove(alice(), *download);
  }
  Result<void> begin_copy(Item& item, const std::string& name) {
    auto made = world_.items().copy(alice(), *source_.id, test_support::item_spec(*far_library_, name, ""), {});
    if (!made) return made.error();
    item.id = *made;
    return {};
  }
  Result<void> run_tasks() {
    if (finish_tasks(world_)) return {};
    return base::internal_error("a task does not end");
  }
  Result<void> erase(Item& item) {
    item.delete_asked = true;
    if (auto done = world_.items().remove(alice(), *item.id); !done) return done;
    item.deleted = true;
    return {};
  }

  static constexpr auto source = "https://source.example/b";
  static constexpr int pull_rounds = 3;

  ServiceWorld& world_;
  std::string number_;
  std::optional<content::LibraryId> library_;
  std::optional<content::LibraryId> far_library_;  ///< on the other storage
  Item plain_;
  Item package_;
  Item copy_;
  Item near_copy_;  ///< made in the call, on the other storage
  Item source_;     ///< of the copies that are tasks
  Item far_copy_;
  Item no_copy_;  ///< its task is canceled
  std::map<content::TransferToken, content::ReceivedRanges> parts_;
};

/// No acknowledged loss, no partial visibility; every file that a session calls READY can be read.
void check_items(ServiceWorld& world, const Client& client) {
  for (const auto& [token, acknowledged] : client.parts()) {
    const auto asked = world.uploads().ask(token);
    ASSERT_TRUE(asked.state) << asked.refusal->error.text();
    content::ReceivedRanges there;
    for (const auto& range : asked.state->received) there.add(range);
    for (const auto& range : acknowledged.ranges()) EXPECT_TRUE(there.contains(range)) << "part at " << range.first;
    if (asked.state->complete) continue;
    // What is said to be there can be gone on with.
    const std::string body = "in parts";
    service::UploadRequest rest;
    rest.place = service::UploadRequest::Place::at_offset;
    rest.part_length = rest.file_length = static_cast<std::int64_t>(body.size());
    EXPECT_TRUE(transmit(world, token, body, rest)) << "the whole as one part";
    EXPECT_TRUE(world.uploads().ask(token).state->complete);
  }
  for (const auto* item : client.items()) {
    if (!item->id) continue;
    const auto content = world.content_of(*item->id);
    if (item->deleted) {
      EXPECT_FALSE(content);
    }
    if (!content) {
      EXPECT_TRUE(item->delete_asked);
      continue;
    }
    if (*content != item->acknowledged) {
      ASSERT_TRUE(item->asked);
      EXPECT_EQ(*content, *item->asked);
    }
  }
  const auto files = world.look([](content::CatalogReader& reader) {
    std::vector<content::SessionFile> all;
    for (const auto& id : reader.update_sessions("", std::nullopt))
      for (const auto& file : reader.list<content::SessionFile>(id))
        if (!file.blob.empty()) all.push_back(file);
    return all;
  });
  for (const auto& file : files) EXPECT_TRUE(world.blob(file.blob)) << file.name << " of a session cannot be read";
}

/// An event for each change that was committed, none for another: what the events tell is what the catalog holds.
void check_events(ServiceWorld& world, std::int64_t after) {
  using content::EventKind;
  world.look([&](content::CatalogReader& reader) {
    std::map<std::pair<std::string, EventKind>, int> seen;
    std::int64_t last = after;
    for (const auto& event : reader.events_after(after, 100'000)) {
      EXPECT_GT(event.number, last);
      last = event.number;
      ++seen[{event.subject_id, event.kind}];
    }
    const auto count = [&](const std::string& subject, EventKind kind) { return seen[{subject, kind}]; };
    const auto subjects = [&](EventKind kind) {
      std::vector<std::string> all;
      for (const auto& [key, times] : seen)
        if (key.second == kind) all.push_back(key.first);
      return all;
    };
    std::set<std::string> libraries;
    for (const auto& id : reader.libraries({})) libraries.insert(id.text());
    for (const auto& id : libraries) EXPECT_EQ(count(id, EventKind::library_created), 1) << id;
    for (const auto& id : subjects(EventKind::library_created))
      EXPECT_EQ(count(id, EventKind::library_deleted), libraries.contains(id) ? 0 : 1) << id;

    std::set<std::string> items;
    for (const auto& id : reader.items({})) {
      items.insert(id.text());
      EXPECT_EQ(count(id.text(), EventKind::item_created), 1) << id.text();
      const auto item = reader.find<content::Item>(id);
      EXPECT_EQ(count(id.text(), EventKind::item_content_changed), item->content_version - 1) << item->name;
      EXPECT_EQ(reader.list<content::Change>(id).size(), static_cast<std::size_t>(item->content_version - 1));
    }
    for (const auto& id : reader.tasks("", 100'000)) {
      const auto task = reader.find<content::Task>(id).value();
      EXPECT_EQ(count(id.text(), EventKind::task_created), 1) << id.text();
      EXPECT_EQ(count(id.text(), EventKind::task_ended), task.ended ? 1 : 0) << id.text();
    }
    for (const auto& id : subjects(EventKind::item_created))
      EXPECT_EQ(count(id, EventKind::item_deleted), items.contains(id) ? 0 : 1) << id;

    std::set<std::string> sessions;
    for (const auto& id : reader.update_sessions("", std::nullopt)) {
      sessions.insert(id.text());
      const bool active = reader.find<content::UpdateSession>(id)->state == UpdateSessionState::ACTIVE;
      EXPECT_EQ(count(id.text(), EventKind::update_session_created), 1) << id.text();
      EXPECT_EQ(count(id.text(), EventKind::update_session_ended), active ? 0 : 1) << id.text();
      int ready = 0;
      for (const auto& file : reader.list<content::SessionFile>(id))
        if (file.source_type != content::SourceType::NONE && file.status == content::TransferStatus::READY) ++ready;
      EXPECT_GE(count(id.text(), EventKind::update_session_file_ready), ready) << id.text();
      EXPECT_GE(count(id.text(), EventKind::update_session_file_added), ready) << id.text();
    }
    for (const auto& id : subjects(EventKind::update_session_created))
      if (!sessions.contains(id)) {
        EXPECT_EQ(count(id, EventKind::update_session_ended), 1) << id;
      }
    return 0;
  });
}

/// The number of the last event so far.
std::int64_t last_event(ServiceWorld& world) {
  return world.look([](content::CatalogReader& reader) {
    const auto events = reader.events_after(0, 1'000'000);
    return events.empty() ? std::int64_t(0) : events.back().number;
  });
}

/// Whatever a fault has left of tasks ends by itself: what was promised is there, whole, or was taken back.
void check_tasks_end(ServiceWorld& world, const Client& client) {
  ASSERT_TRUE(finish_tasks(world));
  check_items(world, client);
  check_bytes(world);
  for (const auto& id : world.look([](content::CatalogReader& reader) { return reader.items({}); })) {
    const auto item = world.look([&](content::CatalogReader& reader) { return reader.find<content::Item>(id); });
    EXPECT_TRUE(!item->source_id || !item->content.empty()) << "a copy without content: " << item->name;
  }
  for (const auto& id : world.look([](content::CatalogReader& reader) { return reader.libraries({}); })) {
    const auto library = world.look([&](content::CatalogReader& reader) { return reader.find<content::Library>(id); });
    EXPECT_FALSE(library->migration) << library->name;
    for (const auto& item : world.look([&](content::CatalogReader& reader) { return reader.items({}); }))
      if (world.look([&](content::CatalogReader& reader) {
            return reader.find<content::Item>(item)->library_id == id &&
                   !reader.blobs_elsewhere(item, library->storage).empty();
          }))
        ADD_FAILURE() << "bytes of library " << library->name << " were left behind";
  }
}

/// A client that comes back can use the items: their sessions end, new content goes in.
void check_usable(ServiceWorld& world, const Client& client) {
  for (const auto* item : client.items()) {
    if (!item->id || !world.content_of(*item->id)) continue;
    const auto sessions = world.sessions().list(alice(), *item->id);
    ASSERT_TRUE(sessions);
    for (const auto& id : *sessions) {
      const auto view = world.sessions().get(alice(), id);
      ASSERT_TRUE(view);
      if (view->session.state == UpdateSessionState::ACTIVE) {
        EXPECT_TRUE(world.sessions().cancel(alice(), id));
      }
      EXPECT_TRUE(world.sessions().remove(alice(), id));
    }
    const auto id = world.sessions().create(alice(), item->id->text(), {}, {});
    ASSERT_TRUE(id);
    EXPECT_TRUE(world.sessions().complete(alice(), *id));
  }
}

void clear(ServiceWorld& world) {
  world.change([&](content::CatalogWriter& writer) {
    writer.remove_events(base::Time::max(), 100'000);
    for (const auto& id : writer.tasks("", 100'000)) writer.remove<content::Task>(id);
  });
  const auto libraries = world.libraries().list(alice());
  ASSERT_TRUE(libraries);
  for (const auto& library : *libraries) EXPECT_TRUE(world.libraries().remove_local(alice(), library));
  EXPECT_EQ(world.files_on_disk(), 0U);
  EXPECT_TRUE(world.blobs_in_catalog().empty());
  EXPECT_TRUE(world.blobs_held_by_catalog().empty());
}

/// True when the fault cannot have left bytes behind that only the sweep finds.
bool leaves_no_orphans(const std::string& where) {
  return where.find("after") == std::string::npos && where.find("blob remove") == std::string::npos;
}

WorldOptions options() {
  WorldOptions options;
  options.settings.copy_in_call_bytes_max = 1000;
  options.limits.catalog_blob_bytes_max = 100;
  return options;
}

TEST(SessionFaultTest, EveryCallFailsOnceInTurn) {
  ServiceWorld world(options());
  test_support::keep_use(world);
  const test_support::FaultPoints points;
  for (std::size_t k = points.first;; k += points.step) {
    Faults faults(Faults::Kind::error, k);
    Client client(world, static_cast<int>(k));
    const auto before = last_event(world);
    world.wire_faults(&faults);
    const auto lived = client.live();
    world.wire_faults(nullptr);
    SCOPED_TRACE(faults.where());
    if (!faults.struck()) {
      EXPECT_TRUE(lived) << lived.error().text();
      EXPECT_GT(k, 1000U);
      break;
    }
    check_items(world, client);
    check_events(world, before);
    check_use(world);
    if (leaves_no_orphans(faults.where())) check_bytes(world);
    ASSERT_TRUE(work::sweep_orphans(world.context()));
    check_items(world, client);
    check_bytes(world);
    check_tasks_end(world, client);
    check_usable(world, client);
    clear(world);
    if (HasFailure()) break;  // the rest would only say the same
  }
}

TEST(SessionFaultTest, TheProcessDiesAtEveryCallInTurn) {
  ServiceWorld world(options());
  test_support::keep_use(world);
  const test_support::FaultPoints points;
  for (std::size_t k = points.first;; k += points.step) {
    Faults faults(Faults::Kind::crash, k);
    Client client(world, static_cast<int>(k));
    const auto before = last_event(world);
    world.wire_faults(&faults);
    try {
      const auto lived = client.live();
      EXPECT_TRUE(lived);
    } catch (const Crash&) {
    }
    if (!faults.struck()) break;
    SCOPED_TRACE(faults.where());
    world.restart();
    check_items(world, client);
    check_events(world, before);
    check_use(world);
    check_bytes(world);
    check_tasks_end(world, client);
    check_usable(world, client);
    clear(world);
    if (HasFailure()) break;
  }
}

// ---- two clients at once ----

class SessionRaceTest : public test_support::ServiceTest {
 protected:
  static constexpr int rounds_sqlite = 200;
  static constexpr int rounds_postgresql = 40;
  int rounds() const { return GetParam() == Engine::Sqlite ? rounds_sqlite : rounds_postgresql; }

  /// Starts all at the same moment and waits for them.
  static void at_once(const std::vector<std::function<void()>>& all) {
    std::barrier start(static_cast<std::ptrdiff_t>(all.size()));
    std::vector<std::thread> threads;
    for (const auto& one : all)
      threads.emplace_back([&] {
        start.arrive_and_wait();
        one();
      });
    for (auto& thread : threads) thread.join();
  }

  std::optional<UpdateSessionState> stored_state(const UpdateSessionId& id) {
    return world_->look([&](content::CatalogReader& reader) -> std::optional<UpdateSessionState> {
      const auto row = reader.find<content::UpdateSession>(id);
      if (!row) return std::nullopt;
      return row->state;
    });
  }
  void check_disk() {
    EXPECT_EQ(world_->blobs_on_disk(), world_->blobs_in_catalog());
    EXPECT_EQ(files_on_disk(), world_->blobs_in_catalog().size());
  }
};

INSTANTIATE_TEST_SUITE_P(Sqlite, SessionRaceTest, testing::Values(Engine::Sqlite));
INSTANTIATE_TEST_SUITE_P(Postgresql, SessionRaceTest, testing::Values(Engine::Postgresql));

TEST_P(SessionRaceTest, CompleteAgainstCancel) {
  fill(item_, {{"a", "0"}});
  for (int i = 1; i <= rounds(); ++i) {
    const auto before = content();
    const auto id = open();
    const auto next = std::to_string(i);
    push(id, "a", next);
    std::string completed;
    std::string cancelled;
    at_once({[&] { completed = kind(sessions().complete(alice(), id)); },
             [&] { cancelled = kind(sessions().cancel(alice(), id)); }});
    EXPECT_NE(completed.empty(), cancelled.empty()) << completed << " " << cancelled;
    EXPECT_EQ(stored_state(id), completed.empty() ? UpdateSessionState::DONE : UpdateSessionState::CANCELED);
    EXPECT_EQ(content(), completed.empty() ? (Files{{"a", next}}) : before);
    EXPECT_EQ(completed.empty() ? cancelled : completed, "not_allowed_in_current_state");
    check_disk();
    if (HasFailure()) return;
  }
}

TEST_P(SessionRaceTest, CompleteAgainstItself) {
  for (int i = 1; i <= rounds(); ++i) {
    const auto id = open();
    push(id, "a", std::to_string(i));
    std::string first;
    std::string second;
    at_once({[&] { first = kind(sessions().complete(alice(), id)); },
             [&] { second = kind(sessions().complete(alice(), id)); }});
    EXPECT_NE(first.empty(), second.empty());
    EXPECT_EQ(item().content_version, 1 + i);
    check_disk();
    if (HasFailure()) return;
  }
}

TEST_P(SessionRaceTest, CompleteAgainstDeletionOfTheItem) {
  for (int i = 1; i <= rounds(); ++i) {
    item_ = new_item("item " + std::to_string(i), "");
    const auto id = open();
    push(id, "a", "a");
    std::string completed;
    std::string removed;
    at_once({[&] { completed = kind(sessions().complete(alice(), id)); },
             [&] { removed = kind(world_->items().remove(alice(), item_)); }});
    EXPECT_EQ(removed, "");
    EXPECT_TRUE(completed.empty() || completed == "not_found") << completed;
    EXPECT_EQ(stored_state(id), std::nullopt);
    EXPECT_EQ(files_on_disk(), 0U);
    if (HasFailure()) return;
  }
}

TEST_P(SessionRaceTest, CompleteAgainstExpiry) {
  fill(item_, {{"a", "0"}});
  for (int i = 1; i <= rounds(); ++i) {
    const auto before = content();
    const auto id = open();
    const auto next = std::to_string(i);
    push(id, "a", next);
    std::string completed;
    at_once({[&] { completed = kind(sessions().complete(alice(), id)); },
             [&] {
               advance(6min);
               must(sessions().remove_expired());
             }});
    EXPECT_TRUE(completed.empty() || completed == "not_found") << completed;
    EXPECT_EQ(content(), completed.empty() ? (Files{{"a", next}}) : before);
    if (completed.empty()) {
      EXPECT_EQ(stored_state(id), UpdateSessionState::DONE);
    }
    must(sessions().remove_expired());
    check_disk();
    if (HasFailure()) return;
  }
}

TEST_P(SessionRaceTest, UploadAgainstCancel) {
  const std::string body(300'000, 'x');
  for (int i = 1; i <= rounds(); ++i) {
    const auto id = open();
    const auto entry = add(id, "a");
    std::string sent;
    at_once({[&] { sent = kind(test_support::send(*world_, entry.upload_token, body)); },
             [&] { must(sessions().cancel(alice(), id)); }});
    EXPECT_TRUE(sent.empty() || sent == "not_found") << sent;
    EXPECT_EQ(stored_state(id), UpdateSessionState::CANCELED);
    EXPECT_EQ(files_on_disk(), 0U);
    if (HasFailure()) return;
  }
}

TEST_P(SessionRaceTest, UploadAgainstRemoval) {
  const std::string body(300'000, 'x');
  const auto id = open();
  for (int i = 1; i <= rounds(); ++i) {
    const auto entry = add(id, "a");
    std::string sent;
    at_once({[&] { sent = kind(test_support::send(*world_, entry.upload_token, body)); },
             [&] { must(sessions().remove_file(alice(), id, "a")); }});
    EXPECT_TRUE(sent.empty() || sent == "not_found") << sent;
    EXPECT_EQ(files_on_disk(), 0U);
    if (HasFailure()) return;
  }
}

TEST_P(SessionRaceTest, UploadsOfOneFileAtOnceNeverMixAndOneWins) {
  const std::vector<std::string> bodies = {std::string(200'000, 'x'), std::string(150'000, 'y')};
  for (int i = 1; i <= rounds(); ++i) {
    const auto id = open();
    const auto entry = add(id, "a");
    std::array<std::string, 2> sent;
    at_once({[&] { sent[0] = kind(test_support::send(*world_, entry.upload_token, bodies[0])); },
             [&] { sent[1] = kind(test_support::send(*world_, entry.upload_token, bodies[1])); }});
    EXPECT_TRUE(sent[0].empty() || sent[1].empty());
    for (const auto& answer : sent) EXPECT_TRUE(answer.empty() || answer == "concurrent_change") << answer;
    // Whoever was told success last has won; a file that is ready is one of the bodies.
    const auto completed = kind(sessions().complete(alice(), id));
    EXPECT_EQ(completed, "");
    EXPECT_TRUE(content().at("a") == bodies[0] || content().at("a") == bodies[1]);
    if (!sent[0].empty()) {
      EXPECT_EQ(content().at("a"), bodies[1]);
    }
    if (!sent[1].empty()) {
      EXPECT_EQ(content().at("a"), bodies[0]);
    }
    check_disk();
    if (HasFailure()) return;
  }
}

TEST_P(SessionRaceTest, CreateAgainstCreateGivesOneActiveSession) {
  for (int i = 1; i <= rounds(); ++i) {
    std::array<std::string, 3> made;
    const auto create = [&](std::size_t n) {
      return [&, n] { made[n] = kind(sessions().create(alice(), item_.text(), {}, {})); };
    };
    at_once({create(0), create(1), create(2)});
    EXPECT_EQ(std::count(made.begin(), made.end(), ""), 1);
    EXPECT_EQ(std::count(made.begin(), made.end(), "resource_busy"), 2);
    for (const auto& id : must(sessions().list(alice(), item_))) {
      must(sessions().cancel(alice(), id));
      must(sessions().remove(alice(), id));
    }
    if (HasFailure()) return;
  }
}

TEST_P(SessionRaceTest, ReadersSeeExactlyOneCommittedSetOfFilesAndVersionsOnlyRise) {
  std::atomic<bool> ending = false;
  std::atomic<int> reads = 0;
  const auto read = [&] {
    std::int64_t seen = 0;
    while (!ending) {
      const auto files = world_->items().files(alice(), item_);
      if (!files || files->empty()) continue;
      ++reads;
      // Each completion puts files a and b of the same size in, one larger than the last.
      EXPECT_EQ(files->size(), 2U);
      EXPECT_EQ(files->front().size, files->back().size);
      EXPECT_EQ(files->front().version, files->back().version);
      EXPECT_GE(files->front().version, seen);
      seen = files->front().version;
      const auto download = world_->downloads().create(alice(), item_.text(), {});
      if (!download) continue;
      const auto prepared = world_->downloads().prepare(alice(), *download, "a", false);
      EXPECT_TRUE(prepared);
      if (prepared) {
        const auto open = world_->download_bytes().open(prepared->token, "a");
        EXPECT_TRUE(open);
        if (open) {
          EXPECT_EQ(open->bytes->size(), open->file.size);
        }
      }
      EXPECT_TRUE(world_->downloads().remove(alice(), *download));
    }
  };
  const auto write = [&] {
    for (int i = 1; i <= rounds() || reads == 0; ++i)
      fill(item_, {{"a", std::string(static_cast<std::size_t>(i), 'a')},
                   {"b", std::string(static_cast<std::size_t>(i), 'b')}});
    ending = true;
  };
  at_once({read, read, write});
  check_disk();
}

}  // namespace
}  // namespace quire
