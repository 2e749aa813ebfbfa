#include <gmock/gmock.h>

#include <array>
#include <atomic>
#include <mutex>
#include <random>
#include <sstream>
#include <thread>

#include "support/seed.h"
#include "support/service_world.h"

// Random sequences of calls by two clients and an administrator, with time, restarts and uploads that overlap, against
// a reference model that is written from content-library-api.md §14 and §28.1 and shares nothing with the services. A
// sequence that fails is made as short as it gets and printed as a list.
//
//     QUIRE_SEED=…                  the same sequences again
//     QUIRE_PROPERTY_SEQUENCES=…    how many; 10,000 on SQLite, 200 on PostgreSQL

namespace quire {
namespace {

using namespace std::chrono_literals;
using content::Caller;
using content::SessionFile;
using content::SourceType;
using content::TransferStatus;
using content::UpdateSessionId;
using content::UpdateSessionState;
using test_support::bytes_of;
using test_support::Engine;
using test_support::kind;
using test_support::ServiceWorld;

// ---- what is drawn ----

enum class Do {
  create,
  add,
  send,
  begin,
  append,
  finish,
  complete,
  remove_file,
  cancel,
  fail,
  erase,
  keep_alive,
  get,
  list,
  validate,
  update,
  download,
  check_download,
  end_download,
  copy_item,
  erase_item,
  add_pull,
  run_pulls,
  keep_pulling,
  wait,
  set_clock,
  sweep,
  restart,
};

struct Kind {
  Do what;
  const char* name;
  int weight;
};
constexpr std::array kinds = {
    Kind{Do::create, "create", 14},
    Kind{Do::add, "add", 16},
    Kind{Do::send, "send", 20},
    Kind{Do::begin, "begin upload", 8},
    Kind{Do::append, "append", 5},
    Kind{Do::finish, "finish upload", 9},
    Kind{Do::complete, "complete", 16},
    Kind{Do::remove_file, "remove file", 6},
    Kind{Do::cancel, "cancel", 3},
    Kind{Do::fail, "fail", 2},
    Kind{Do::erase, "delete session", 3},
    Kind{Do::keep_alive, "keep alive", 2},
    Kind{Do::get, "get", 2},
    Kind{Do::list, "list", 2},
    Kind{Do::validate, "validate", 2},
    Kind{Do::update, "update", 1},
    Kind{Do::download, "create download session", 6},
    Kind{Do::check_download, "read download session", 6},
    Kind{Do::end_download, "cancel download session", 2},
    Kind{Do::copy_item, "copy item", 1},
    Kind{Do::erase_item, "delete item", 1},
    Kind{Do::add_pull, "add pull", 7},
    Kind{Do::run_pulls, "run pulls", 6},
    Kind{Do::keep_pulling, "keep pulling alive", 2},
    Kind{Do::wait, "wait", 6},
    Kind{Do::set_clock, "set the clock", 2},
    Kind{Do::sweep, "sweep", 3},
    Kind{Do::restart, "restart", 2},
};

std::string name_of(Do what) {
  return std::find_if(kinds.begin(), kinds.end(), [&](const Kind& kind) { return kind.what == what; })->name;
}

Do any(std::mt19937_64& random) {
  static const int weights = [] {
    int sum = 0;
    for (const auto& kind : kinds) sum += kind.weight;
    return sum;
  }();
  int at = static_cast<int>(random() % static_cast<unsigned>(weights));
  for (const auto& kind : kinds) {
    if (at < kind.weight) return kind.what;
    at -= kind.weight;
  }
  return Do::get;
}

/// Numbers that mean the same whatever other steps are left out, as far as that is possible.
struct Step {
  Do what = Do::create;
  std::uint64_t who = 0;
  std::uint64_t which = 0;  ///< session, upload or download
  std::uint64_t name = 0;
  std::uint64_t body = 0;
  std::uint64_t how = 0;

  friend std::ostream& operator<<(std::ostream& out, const Step& step) {
    return out << name_of(step.what) << " (who " << step.who << ", which " << step.which << ", name " << step.name
               << ", body " << step.body << ", how " << step.how << ")";
  }
};
using Sequence = std::vector<Step>;

/// Steps that lead somewhere together; between them anything is drawn.
const std::vector<std::vector<Do>> fragments = {
    {Do::create, Do::add, Do::send, Do::complete},
    {Do::create, Do::add, Do::send},
    {Do::add, Do::send, Do::complete},
    {Do::create, Do::add, Do::begin},
    {Do::add, Do::begin, Do::finish},
    {Do::begin, Do::append, Do::finish, Do::complete},
    {Do::begin, Do::begin, Do::append},
    {Do::send, Do::begin, Do::complete},
    {Do::create, Do::remove_file, Do::complete},
    {Do::download, Do::create, Do::add, Do::send, Do::complete, Do::check_download},
    {Do::begin, Do::cancel, Do::append},
    {Do::wait, Do::sweep},
    {Do::create, Do::add_pull, Do::complete, Do::run_pulls},
    {Do::create, Do::add_pull, Do::run_pulls, Do::complete},
    {Do::create, Do::add_pull, Do::run_pulls, Do::wait, Do::sweep, Do::complete},
    {Do::add_pull, Do::send, Do::complete, Do::send},
    {Do::add_pull, Do::complete, Do::restart, Do::run_pulls},
};

Sequence draw(std::mt19937_64& random) {
  std::vector<Do> whats;
  while (whats.size() < 12) {
    if (random() % 3 == 0) {
      const auto& fragment = fragments[random() % fragments.size()];
      whats.insert(whats.end(), fragment.begin(), fragment.end());
    } else {
      whats.push_back(any(random));
    }
  }
  Sequence sequence;
  for (const auto what : whats) {
    Step step;
    step.what = what;
    step.who = random() % 20;
    step.which = random() % 10;
    step.name = std::min(random() % 3, random() % 3);
    step.body = random() % 4;
    step.how = random() % 12;
    sequence.push_back(step);
  }
  return sequence;
}

const std::array<std::string, 3> names = {"a", "b", "c"};
const std::array<std::string, 4> bodies = {"", "one", "two and more", "one"};
const std::array<Caller, 3> callers = {test_support::alice(), test_support::bob(), test_support::administrator()};
constexpr std::array<base::Duration, 8> waits = {1s, 60s, 299s, 300s, 301s, 305s, 306s, 700s};
constexpr base::Duration timeout = 5min;
constexpr base::Duration idle_pulls = 30s;
constexpr std::array<base::Duration, 4> clock_steps = {24h, -24h, 400s, -400s};
constexpr auto nowhere = "https://source.example/nothing";
std::string source_of(std::size_t body) { return "https://source.example/" + std::to_string(body); }

/// Two services and a model do not agree.
struct Disagreement {
  std::string text;
};

// ---- the model ----

enum class Status { unready, ready, error };

struct ModelFile {
  std::string name;
  bool pushed = false;
  std::optional<std::string> pulled;  ///< PULL: what is there, "(nothing)" when there is nothing
  Status status = Status::ready;
  std::string body;  ///< when ready
  std::int64_t declared_size = 0;
  std::optional<base::Checksum> declared;
  content::TransferToken token;
};

struct ModelSession {
  UpdateSessionId id;
  std::string creator;
  UpdateSessionState state = UpdateSessionState::ACTIVE;
  std::vector<ModelFile> files;
  base::Time expires;  ///< as promised by the service; checked against the rule
  bool stored = true;  ///< false once deleted or swept
  bool completing = false;
  bool completed_itself = false;
  base::Time changed;  ///< as the service wrote it

  bool waits_for_pulls() const {
    return std::any_of(files.begin(), files.end(),
                       [](const ModelFile& file) { return file.pulled && file.status == Status::unready; });
  }
  ModelFile* file(const std::string& name) {
    for (auto& entry : files)
      if (entry.name == name) return &entry;
    return nullptr;
  }
  void drop(const std::string& name) {
    std::erase_if(files, [&](const ModelFile& entry) { return entry.name == name; });
  }
};

struct Committed {
  std::string name;
  std::int64_t version = 1;
  std::string body;
  bool operator==(const Committed&) const = default;
  friend std::ostream& operator<<(std::ostream& out, const Committed& file) {
    return out << file.name << " version " << file.version << " \"" << file.body << "\"";
  }
};

struct ModelDownload {
  content::DownloadSessionId id;
  std::string creator;
  std::vector<Committed> files;
  base::Time expires;
  bool stored = true;
  bool active = true;
};

struct ModelUpload {
  std::shared_ptr<service::Upload> upload;
  content::TransferToken token;
  std::string sent;
  bool superseded = false;
};

class Run {
 public:
  explicit Run(ServiceWorld& world) : world_(world) {}

  /// Throws Disagreement, or what the services throw.
  void play(const Sequence& sequence) {
    static const Caller owner = test_support::alice();
    for (std::size_t i = 0; i < bodies.size(); ++i) world_.sources().put(source_of(i), bodies[i]);
    const auto library = world_.libraries().create_local(owner, test_support::library_spec("library"), {});
    library_ = *library;
    keep_use();
    make_item();
    for (const auto& step : sequence) {
      take(step);
      check();
    }
    uploads_.clear();
    expect("", kind(world_.libraries().remove_local(owner, library_)), "remove_local");
    if (world_.files_on_disk() != 0) throw Disagreement{"bytes are left when everything is deleted"};
    if (!world_.blobs_in_catalog().empty() || !world_.blobs_held_by_catalog().empty())
      throw Disagreement{"blob rows are left when everything is deleted"};
  }

  /// Quotas that nobody reaches, so that the catalog keeps what is used.
  void keep_use() {
    quotas_ = {content::QuotaOwner::of_library(library_)};
    for (const auto& caller : callers) quotas_.push_back(content::QuotaOwner::of_user(caller.user));
    world_.change([&](content::CatalogWriter& writer) {
      for (const auto& owner : quotas_) {
        const auto use = writer.use_of(owner);
        writer.put(content::Quota{owner.kind, owner.name, 1 << 20, 1 << 20, use.items, use.bytes, use.reserved});
      }
    });
  }

  /// After a failure: lets go of what depends on the world.
  void abandon() { uploads_.clear(); }
  /// How often which call was answered how.
  const std::map<std::string, int>& tally() const { return tally_; }

 private:
  base::Time now() { return world_.context().leases.now(); }

  void expect(const std::string& expected, const std::string& actual, const std::string& call) {
    ++tally_[call + " " + actual];
    if (expected != actual)
      throw Disagreement{call + " answered \"" + actual + "\", the model says \"" + expected + "\""};
  }
  template <class T>
  static void same(const T& expected, const T& actual, const std::string& what) {
    if (expected == actual) return;
    throw Disagreement{what + " is " + testing::PrintToString(actual) + ", the model says " +
                       testing::PrintToString(expected)};
  }

  void make_item() {
    static const Caller owner = test_support::alice();
    const auto made = world_.items().create(owner, test_support::item_spec(library_, "item", ""), {});
    expect("", kind(made), "item create");
    item_ = *made;
    content_.clear();
    content_version_ = 1;
  }

  bool expired(const ModelSession& session) {
    return session.state == UpdateSessionState::ACTIVE && session.expires < now();
  }
  ModelSession* active() {
    for (auto& session : sessions_)
      if (session.stored && session.state == UpdateSessionState::ACTIVE) return &session;
    return nullptr;
  }
  /// Mostly the newest.
  ModelSession* pick(const Step& step) {
    if (sessions_.empty()) return nullptr;
    return step.which < 7 ? &sessions_.back() : &sessions_[step.which % sessions_.size()];
  }
  /// Mostly whoever made it.
  static Caller caller_for(const Step& step, const std::string& creator) {
    if (step.who >= 17) return callers[step.who - 17];
    return creator == callers[0].user ? callers[0] : creator == callers[1].user ? callers[1] : callers[2];
  }
  enum class Needs { existence, active, open };  ///< open: ACTIVE, and `complete` was not accepted
  /// The answer that a call gets before its own rules apply; "" when they do.
  std::string reach(const ModelSession& session, const Caller& caller, Needs needs) {
    const bool visible = test_support::is_administrator(caller) || caller.user == session.creator;
    if (!session.stored || !visible || expired(session)) return "not_found";
    const bool refused = (needs != Needs::existence && session.state != UpdateSessionState::ACTIVE) ||
                         (needs == Needs::open && session.completing);
    return refused ? "not_allowed_in_current_state" : "";
  }
  /// The service must have promised at least a time-out from now on.
  void touched(ModelSession& session) { must_reach_ = {&session - sessions_.data(), now() + timeout}; }

  /// The entry that an endpoint stands for, in a session that takes uploads.
  std::pair<ModelSession*, ModelFile*> endpoint(const content::TransferToken& token) {
    for (auto& session : sessions_)
      if (session.stored && session.state == UpdateSessionState::ACTIVE && !expired(session))
        for (auto& file : session.files)
          if (file.pushed && file.token == token) return {&session, &file};
    return {nullptr, nullptr};
  }
  /// Why an endpoint takes nothing; "" when it does.
  static std::string refusal(const ModelSession* session) {
    return session == nullptr ? "not_found" : session->completing ? "not_allowed_in_current_state" : "";
  }
  void start_over(const content::TransferToken& token, ModelFile& file) {
    for (auto& upload : uploads_)
      if (upload.token == token) upload.superseded = true;
    file.status = Status::unready;
  }
  static void broken_promise(ModelSession& session, ModelFile& file) {
    file.status = Status::error;
    session.state = UpdateSessionState::ERROR;
  }
  static bool keeps_promise(const ModelFile& file, const std::string& body) {
    if (file.declared_size > 0 && file.declared_size != static_cast<std::int64_t>(body.size())) return false;
    return !file.declared || base::digest_of(file.declared->algorithm, bytes_of(body)) == *file.declared;
  }

  void take(const Step& step) {
    switch (step.what) {
      case Do::create:
        return create(step);
      case Do::add:
        return add(step);
      case Do::send:
        return send(step);
      case Do::begin:
        return begin(step);
      case Do::append:
        return append(step);
      case Do::finish:
        return finish(step);
      case Do::complete:
        return complete(step);
      case Do::remove_file:
        return remove_file(step);
      case Do::cancel:
      case Do::fail:
        return end(step);
      case Do::erase:
        return erase(step);
      case Do::keep_alive:
      case Do::update:
      case Do::get:
      case Do::list:
      case Do::validate:
        return look(step);
      case Do::download:
        return download(step);
      case Do::check_download:
        return check_download(step);
      case Do::end_download:
        return end_download(step);
      case Do::copy_item:
        return copy_item();
      case Do::erase_item:
        return erase_item();
      case Do::add_pull:
        return add_pull(step);
      case Do::run_pulls:
        return run_pulls();
      case Do::keep_pulling:
        return keep_pulling();
      case Do::set_clock:
        return set_clock(step);
      case Do::wait:
        return world_.clock().advance(waits[step.how % waits.size()]);
      case Do::sweep:
        return sweep();
      case Do::restart:
        return restart();
    }
  }

  void create(const Step& step) {
    const auto& caller = callers[step.who % 3];
    auto* holder = active();
    const auto made = world_.sessions().create(caller, item_.text(), {}, {});
    if (holder != nullptr && !expired(*holder)) return expect("resource_busy", kind(made), "create");
    expect("", kind(made), "create");
    if (holder != nullptr) holder->stored = false;
    ModelSession session;
    session.id = *made;
    session.creator = caller.user;
    session.expires = now() + timeout;
    for (const auto& file : content_) {
      ModelFile entry;
      entry.name = file.name;
      entry.body = file.body;
      session.files.push_back(entry);
    }
    sessions_.push_back(session);
    touched(sessions_.back());
  }

  void add(const Step& step) {
    auto* session = pick(step);
    if (session == nullptr) return;
    const auto caller = caller_for(step, session->creator);
    ModelFile entry;
    entry.name = names[step.name];
    entry.pushed = true;
    entry.status = Status::unready;
    // Promises that the next body keeps or breaks.
    if (step.how == 1) entry.declared_size = static_cast<std::int64_t>(bodies[step.body].size());
    if (step.how >= 2 && step.how < 6)
      entry.declared = base::digest_of(base::all_digest_algorithms[step.how - 2], bytes_of(bodies[step.body]));
    const auto added = world_.sessions().add_file(
        caller, session->id, test_support::file_spec(entry.name, entry.declared_size, entry.declared));
    const auto expected = reach(*session, caller, Needs::open);
    expect(expected, kind(added), "add");
    if (!expected.empty()) return;
    entry.token = added->upload_token;
    session->drop(entry.name);
    session->files.push_back(entry);
    touched(*session);
  }

  void remove_file(const Step& step) {
    auto* session = pick(step);
    if (session == nullptr) return;
    const auto caller = caller_for(step, session->creator);
    const auto& name = names[step.name];
    auto expected = reach(*session, caller, Needs::existence);
    if (expected.empty() && session->file(name) == nullptr) expected = "invalid_argument";
    if (expected.empty()) expected = reach(*session, caller, Needs::open);
    expect(expected, kind(world_.sessions().remove_file(caller, session->id, name)), "remove file");
    if (!expected.empty()) return;
    session->drop(name);
    touched(*session);
  }

  /// The endpoint to send to: mostly of a file that waits.
  std::optional<content::TransferToken> target(const Step& step) {
    auto* session = pick(step);
    if (session == nullptr) return std::nullopt;
    std::vector<content::TransferToken> all;
    for (const auto& file : session->files)
      if (file.pushed) all.push_back(file.token);
    if (all.empty()) return std::nullopt;
    return all[step.name % all.size()];
  }

  void send(const Step& step) {
    const auto token = target(step);
    if (!token) return;
    const auto& body = bodies[step.body];
    const bool whole = step.how % 4 != 0;
    const bool announced = step.how % 3 == 0;
    const auto sent =
        test_support::send(world_, *token, body, whole ? service::BodyEnd::whole : service::BodyEnd::broken,
                           announced ? std::optional<std::int64_t>(body.size()) : std::nullopt);
    auto [session, file] = endpoint(*token);
    if (const auto refused = refusal(session); !refused.empty()) return expect(refused, kind(sent), "send");
    start_over(*token, *file);
    const auto size = static_cast<std::int64_t>(body.size());
    const bool refused = (announced && file->declared_size > 0 && file->declared_size != size) ||
                         (file->declared_size > 0 && size > file->declared_size);
    if (refused || (whole && !keeps_promise(*file, body))) {
      broken_promise(*session, *file);
      return expect("invalid_argument", kind(sent), "send");
    }
    expect("", kind(sent), "send");
    if (!whole) return;
    file->status = Status::ready;
    file->body = body;
    touched(*session);
  }

  void begin(const Step& step) {
    const auto token = target(step);
    if (!token) return;
    auto begun = world_.uploads().begin(*token, service::UploadRequest::whole(std::nullopt), [] {});
    auto [session, file] = endpoint(*token);
    const auto answer = begun.upload ? "" : std::string(base::name_of(begun.refusal->error.kind()));
    if (const auto refused = refusal(session); !refused.empty()) return expect(refused, answer, "begin upload");
    expect("", answer, "begin upload");
    start_over(*token, *file);
    uploads_.push_back({std::move(begun.upload), *token, "", false});
    append_to(uploads_.back(), bodies[step.body]);
  }

  void append(const Step& step) {
    if (uploads_.empty()) return;
    append_to(uploads_[step.which % uploads_.size()], bodies[step.body]);
  }
  /// An upload that got an error is over.
  void append_to(ModelUpload& upload, const std::string& body) {
    const auto taken = kind(upload.upload->append(bytes_of(body)));
    auto [session, file] = endpoint(upload.token);
    std::string expected;
    upload.sent += body;
    if (const auto refused = refusal(session); !refused.empty())
      expected = refused;
    else if (upload.superseded)
      expected = "concurrent_change";
    else if (file->declared_size > 0 && static_cast<std::int64_t>(upload.sent.size()) > file->declared_size)
      expected = "invalid_argument";
    // An expired session is noticed now and then only; finish notices it for sure.
    if (!refusal(session).empty() && taken.empty()) return;
    expect(expected, taken, "append");
    if (expected == "invalid_argument") broken_promise(*session, *file);
    if (!expected.empty()) end_upload(upload);
  }

  void finish(const Step& step) {
    if (uploads_.empty()) return;
    auto& upload = uploads_[step.which % uploads_.size()];
    const bool whole = step.how % 4 != 0;
    const auto finished = kind(upload.upload->finish(whole ? service::BodyEnd::whole : service::BodyEnd::broken));
    auto [session, file] = endpoint(upload.token);
    std::string expected;
    if (const auto refused = refusal(session); !refused.empty())
      expected = refused;
    else if (upload.superseded)
      expected = "concurrent_change";
    else if (whole && !keeps_promise(*file, upload.sent))
      expected = "invalid_argument";
    expect(expected, finished, "finish upload");
    if (expected == "invalid_argument") broken_promise(*session, *file);
    if (expected.empty() && whole) {
      file->status = Status::ready;
      file->body = upload.sent;
      touched(*session);
    }
    end_upload(upload);
  }
  void end_upload(ModelUpload& upload) { uploads_.erase(uploads_.begin() + (&upload - uploads_.data())); }

  void complete(const Step& step) {
    auto* session = pick(step);
    if (session == nullptr) return;
    const auto caller = caller_for(step, session->creator);
    auto expected = reach(*session, caller, Needs::open);
    for (const auto& file : session->files)
      if (file.pushed && file.status != Status::ready && expected.empty()) expected = "not_allowed_in_current_state";
    const bool is_late = session->completed_itself && reach(*session, caller, Needs::existence).empty();
    if (is_late) expected = "";
    expect(expected, kind(world_.sessions().complete(caller, session->id)),
           is_late                      ? "complete late"
           : session->waits_for_pulls() ? "complete while pulling"
                                        : "complete");
    if (!expected.empty() || is_late) return;
    if (!session->waits_for_pulls()) return commit(*session);
    session->completing = true;
    touched(*session);
  }
  void commit(ModelSession& session) {
    session.state = UpdateSessionState::DONE;
    session.completing = false;
    const auto is_new = [](const ModelFile& file) { return file.pushed || file.pulled; };
    if (session.files.size() == content_.size() && std::none_of(session.files.begin(), session.files.end(), is_new))
      return;
    std::vector<Committed> next;
    for (const auto& file : session.files) {
      Committed committed{file.name, 1, file.body};
      for (const auto& before : content_)
        if (before.name == file.name) committed.version = before.version + (is_new(file) ? 1 : 0);
      next.push_back(committed);
    }
    content_ = next;
    ++content_version_;
  }

  void add_pull(const Step& step) {
    auto* session = pick(step);
    if (session == nullptr) return;
    const auto caller = caller_for(step, session->creator);
    ModelFile entry;
    entry.name = names[step.name];
    entry.status = Status::unready;
    const auto from = step.which % bodies.size();
    entry.pulled = step.how == 0 ? "(nothing)" : bodies[from];
    auto spec = test_support::pull_spec(entry.name, step.how == 0 ? nowhere : source_of(from));
    if (step.how == 1) entry.declared_size = static_cast<std::int64_t>(bodies[step.body].size());
    if (step.how == 2) entry.declared = base::digest_of(base::DigestAlgorithm::SHA256, bytes_of(bodies[step.body]));
    spec.size = entry.declared_size;
    spec.checksum = entry.declared;
    const auto added = world_.sessions().add_file(caller, session->id, spec);
    const auto expected = reach(*session, caller, Needs::open);
    expect(expected, kind(added), "add pull");
    if (!expected.empty()) return;
    session->drop(entry.name);
    session->files.push_back(entry);
    touched(*session);
  }

  /// Each pull that waits has its turn once; one of an expired session stays waiting.
  void run_pulls() {
    auto* session = active();
    if (session == nullptr) return expect("", *world_.pulls().run_next() ? "ran" : "", "run pulls");
    for (auto* file = next_pull(*session); file != nullptr; file = next_pull(*session)) {
      expect("ran", *world_.pulls().run_next() ? "ran" : "", "run pulls");
      if (expired(*session)) return;
      if (*file->pulled == "(nothing)" || !keeps_promise(*file, *file->pulled)) {
        broken_promise(*session, *file);
        session->completing = false;
        ++tally_["pull failed"];
        return;
      }
      file->status = Status::ready;
      file->body = *file->pulled;
      touched(*session);
      if (session->completing && !session->waits_for_pulls()) {
        must_reach_.reset();
        ++tally_["pull completed"];
        return commit(*session);
      }
    }
  }
  /// In the order they were added.
  static ModelFile* next_pull(ModelSession& session) {
    for (auto& file : session.files)
      if (file.pulled && file.status == Status::unready) return &file;
    return nullptr;
  }

  void keep_pulling() {
    expect("", kind(world_.sessions().keep_pulling_alive()), "keep pulling alive");
    auto* session = active();
    if (session != nullptr && !expired(*session) && session->waits_for_pulls()) touched(*session);
  }

  /// Whatever the wall clock says, time goes on as before.
  void set_clock(const Step& step) {
    world_.clock().step(clock_steps[step.how % clock_steps.size()]);
    expect("", kind(service::remember_skew(world_.context())), "remember_skew");
  }

  /// §28.1 "a session that nobody completes".
  void complete_idle_pulls() {
    expect("", kind(world_.sessions().complete_idle_pulls()), "complete_idle_pulls");
    auto* session = active();
    if (session == nullptr || expired(*session) || session->completing || session->waits_for_pulls()) return;
    const auto is_any = [&](auto what) { return std::any_of(session->files.begin(), session->files.end(), what); };
    if (!is_any([](const ModelFile& file) { return file.pulled.has_value(); })) return;
    if (is_any([](const ModelFile& file) { return file.pushed; })) return;
    if (session->changed + idle_pulls >= now()) return;
    ++tally_["completed itself"];
    session->completed_itself = true;
    commit(*session);
  }

  void end(const Step& step) {
    auto* session = pick(step);
    if (session == nullptr) return;
    const auto caller = caller_for(step, session->creator);
    const bool fails = step.what == Do::fail;
    const auto expected = reach(*session, caller, Needs::active);
    expect(expected,
           kind(fails ? world_.sessions().fail(caller, session->id, "given up")
                      : world_.sessions().cancel(caller, session->id)),
           fails ? "fail" : "cancel");
    if (!expected.empty()) return;
    session->state = fails ? UpdateSessionState::ERROR : UpdateSessionState::CANCELED;
    session->completing = false;
  }

  void erase(const Step& step) {
    auto* session = pick(step);
    if (session == nullptr) return;
    const auto caller = caller_for(step, session->creator);
    auto expected = reach(*session, caller, Needs::existence);
    if (expected.empty() && session->state == UpdateSessionState::ACTIVE) expected = "not_allowed_in_current_state";
    expect(expected, kind(world_.sessions().remove(caller, session->id)), "delete session");
    if (expected.empty()) session->stored = false;
  }

  void look(const Step& step) {
    auto* session = pick(step);
    if (session == nullptr) return;
    const auto caller = caller_for(step, session->creator);
    const auto what = step.what;
    auto& services = world_.sessions();
    auto expected = reach(*session, caller,
                          what == Do::validate                           ? Needs::open
                          : what == Do::keep_alive || what == Do::update ? Needs::active
                                                                         : Needs::existence);
    std::string answer;
    if (what == Do::keep_alive) answer = kind(services.keep_alive(caller, session->id, {}));
    if (what == Do::update) answer = kind(services.update(caller, session->id, {}));
    if (what == Do::get) answer = kind(services.get(caller, session->id));
    if (what == Do::validate) {
      for (const auto& file : session->files)
        if (file.pushed && file.status != Status::ready && expected.empty()) expected = "not_allowed_in_current_state";
      answer = kind(services.validate(caller, session->id));
    }
    if (what == Do::list) {
      const auto files = services.files(caller, session->id);
      answer = kind(files);
      if (files) compare(*session, *files);
    }
    expect(expected, answer, name_of(step.what));
    if (expected.empty() && session->state == UpdateSessionState::ACTIVE) touched(*session);
  }

  void download(const Step& step) {
    const auto& caller = callers[step.who % 3];
    const auto made = world_.downloads().create(caller, item_.text(), {});
    expect("", kind(made), "create download session");
    downloads_.push_back({*made, caller.user, content_, now() + timeout});
  }
  ModelDownload* pick_download(const Step& step) {
    return downloads_.empty() ? nullptr : &downloads_[step.which % downloads_.size()];
  }
  std::string reach(const ModelDownload& download, const Caller& caller) {
    const bool visible = test_support::is_administrator(caller) || caller.user == download.creator;
    return !download.stored || !visible || download.expires < now() ? "not_found"
           : download.active                                        ? ""
                                                                    : "not_allowed_in_current_state";
  }
  void check_download(const Step& step) {
    auto* download = pick_download(step);
    if (download == nullptr) return;
    const auto caller = caller_for(step, download->creator);
    if (download->files.empty()) return;
    const auto& wanted = download->files[step.name % download->files.size()];
    const auto expected = reach(*download, caller);
    const auto prepared = world_.downloads().prepare(caller, download->id, wanted.name, false);
    // The files of an ended session may be gone already.
    if (expected == "not_allowed_in_current_state" && kind(prepared) == "invalid_argument") return;
    expect(expected, kind(prepared), "prepare");
    if (!expected.empty()) return;
    const auto open = world_.download_bytes().open(prepared->token, wanted.name);
    expect("", kind(open), "download");
    same(std::optional(wanted.body), ServiceWorld::read_all(*open->bytes), "a downloaded body");
    same(wanted.version, open->file.version, "a downloaded version");
  }
  void end_download(const Step& step) {
    auto* download = pick_download(step);
    if (download == nullptr) return;
    const auto caller = caller_for(step, download->creator);
    const auto expected = reach(*download, caller);
    expect(expected, kind(world_.downloads().cancel(caller, download->id)), "cancel download session");
    if (expected.empty()) download->active = false;
  }

  void copy_item() {
    const auto name = "copy " + std::to_string(++copies_);
    const auto made = world_.items().copy(callers[0], item_, test_support::item_spec(library_, name, ""), {});
    expect("", kind(made), "copy");
    copies_made_.push_back({*made, content_});
  }

  void erase_item() {
    expect("", kind(world_.items().remove(callers[0], item_)), "delete item");
    for (auto& session : sessions_) session.stored = false;
    for (auto& download : downloads_) download.stored = false;
    make_item();
  }

  void sweep() {
    expect("", kind(world_.sessions().remove_expired()), "remove_expired");
    expect("", kind(world_.downloads().remove_expired()), "remove_expired");
    for (auto& session : sessions_)
      if (expired(session)) session.stored = false;
    for (auto& download : downloads_)
      if (download.expires < now()) download.stored = false;
    complete_idle_pulls();
  }

  /// §28.1: ACTIVE sessions go on, with at least one whole time-out.
  void restart() {
    uploads_.clear();
    world_.restart();
    for (auto& session : sessions_)
      if (session.stored && session.state == UpdateSessionState::ACTIVE)
        session.expires = std::max(session.expires, now() + timeout);
    for (auto& download : downloads_)
      if (download.active) download.expires = std::max(download.expires, now() + timeout);
  }

  // ---- what must hold after every step ----

  static void compare(const ModelSession& session, const std::vector<SessionFile>& files) {
    same(session.files.size(), files.size(), "the number of files in a session");
    for (std::size_t i = 0; i < files.size(); ++i) {
      const auto& model = session.files[i];
      const auto& file = files[i];
      same(model.name, file.name, "a session's file");
      same(model.pushed, file.source_type == SourceType::PUSH, "pushed " + file.name);
      same(model.pulled.has_value(), file.source_type == SourceType::PULL, "pulled " + file.name);
      const auto status = file.status == TransferStatus::READY   ? Status::ready
                          : file.status == TransferStatus::ERROR ? Status::error
                                                                 : Status::unready;
      same(static_cast<int>(model.status), static_cast<int>(status), "the status of " + file.name);
      if (status == Status::ready)
        same(static_cast<std::int64_t>(model.body.size()), file.size.value_or(-1), "the size of " + file.name);
    }
  }

  std::vector<Committed> with_bytes(const std::vector<content::ContentFile>& files) {
    std::vector<Committed> all;
    for (const auto& file : files)
      all.push_back({file.name, file.version, world_.blob(file.blob).value_or("(the bytes are gone)")});
    return all;
  }

  struct Seen {
    std::optional<content::Item> item;
    std::vector<content::ContentFile> files;
    std::vector<std::vector<content::ContentFile>> copies;
    std::vector<std::pair<content::UpdateSession, std::vector<SessionFile>>> sessions;
    std::vector<std::optional<content::DownloadSession>> downloads;
    std::set<std::string> named;  ///< blobs that a file names
  };
  Seen read() {
    return world_.look([&](content::CatalogReader& reader) {
      Seen seen;
      const auto name = [&](const content::BlobId& id) {
        if (!id.empty()) seen.named.insert(id.text());
      };
      seen.item = reader.find<content::Item>(item_);
      if (seen.item) seen.files = reader.list<content::ContentFile>(seen.item->content);
      for (const auto& file : seen.files) name(file.blob);
      for (const auto& [id, expected] : copies_made_)
        seen.copies.push_back(reader.list<content::ContentFile>(reader.find<content::Item>(id).value().content));
      for (const auto& files : seen.copies)
        for (const auto& file : files) name(file.blob);
      for (const auto& id : reader.update_sessions("", item_)) {
        seen.sessions.emplace_back(reader.find<content::UpdateSession>(id).value(), reader.list<SessionFile>(id));
        for (const auto& file : seen.sessions.back().second) name(file.blob);
      }
      for (const auto& download : downloads_) {
        seen.downloads.push_back(reader.find<content::DownloadSession>(download.id));
        if (seen.downloads.back() && download.active)
          for (const auto& file : reader.list<content::ContentFile>(seen.downloads.back()->content)) name(file.blob);
      }
      return seen;
    });
  }

  void check_use() {
    const auto [kept, counted] = world_.look([&](content::CatalogReader& reader) {
      std::pair<content::QuotaUse, content::QuotaUse> use;
      for (const auto& owner : quotas_) {
        use = {reader.find<content::Quota>(owner).value().use(), reader.use_of(owner)};
        if (use.first != use.second) break;
      }
      return use;
    });
    same(counted.items, kept.items, "the number of items that a quota counts");
    same(counted.bytes, kept.bytes, "what a quota's items use");
    same(counted.reserved, kept.reserved, "what a quota's sessions have reserved");
  }

  void check() {
    check_use();
    const auto seen = read();
    if (!seen.item) throw Disagreement{"the item is gone"};
    same(content_version_, seen.item->content_version, "content_version");
    same(content_, with_bytes(seen.files), "the item's files");
    for (std::size_t i = 0; i < seen.copies.size(); ++i) {
      auto expected = copies_made_[i].second;
      for (auto& file : expected) file.version = 1;
      same(expected, with_bytes(seen.copies[i]), "the files of a copied item");
    }

    std::size_t at = 0;
    for (auto& session : sessions_) {
      if (!session.stored) continue;
      if (at == seen.sessions.size()) throw Disagreement{"a session is missing"};
      const auto& [row, files] = seen.sessions[at++];
      same(session.id.text(), row.id.text(), "a session");
      same(static_cast<int>(session.state), static_cast<int>(row.state), "a session's state");
      same(row.state == UpdateSessionState::ERROR, row.error_message.has_value(), "having an error message");
      same(session.completing, row.completing, "completing");
      same(session.completed_itself, row.completed_itself, "having completed itself");
      session.changed = row.changed;
      if (row.expires_at < session.expires) throw Disagreement{"an expiration has moved back"};
      session.expires = row.expires_at;
      compare(session, files);
    }
    same(seen.sessions.size(), at, "the number of sessions");
    if (must_reach_) {
      if (sessions_[static_cast<std::size_t>(must_reach_->first)].expires < must_reach_->second)
        throw Disagreement{"a session would expire early"};
      must_reach_.reset();
    }
    for (std::size_t i = 0; i < downloads_.size(); ++i) {
      same(downloads_[i].stored, seen.downloads[i].has_value(), "the presence of a download session");
      if (downloads_[i].stored) downloads_[i].expires = seen.downloads[i]->expires_at;
    }

    const auto on_storage = world_.blobs_in_catalog();
    auto rows = world_.blobs_held_by_catalog();
    rows.insert(on_storage.begin(), on_storage.end());
    same(seen.named, rows, "the set of blob rows");
    same(on_storage, world_.blobs_on_disk(), "the set of blobs on disk");
  }

  ServiceWorld& world_;
  content::LibraryId library_;
  std::vector<content::QuotaOwner> quotas_;
  content::ItemId item_;
  std::vector<Committed> content_;
  std::int64_t content_version_ = 1;
  std::vector<ModelSession> sessions_;
  std::vector<ModelDownload> downloads_;
  std::vector<ModelUpload> uploads_;
  std::vector<std::pair<content::ItemId, std::vector<Committed>>> copies_made_;
  int copies_ = 0;
  std::map<std::string, int> tally_;
  std::optional<std::pair<std::ptrdiff_t, base::Time>> must_reach_;
};

/// What went wrong; "" when nothing did.
std::string failure_of(ServiceWorld& world, const Sequence& sequence, std::map<std::string, int>* tally = nullptr) {
  Run run(world);
  std::string text;
  try {
    run.play(sequence);
  } catch (const Disagreement& disagreement) {
    text = disagreement.text;
  } catch (const std::exception& e) {
    text = e.what();
  }
  run.abandon();
  if (tally != nullptr)
    for (const auto& [answer, count] : run.tally()) (*tally)[answer] += count;
  return text;
}

std::string failure_in_fresh_world(Engine engine, const Sequence& sequence) {
  ServiceWorld world({.engine = engine});
  return failure_of(world, sequence);
}

/// Leaves out steps for as long as the rest still fails, however it does.
Sequence shrunk(Engine engine, Sequence sequence) {
  for (bool smaller = true; smaller;) {
    smaller = false;
    for (std::size_t i = 0; i < sequence.size() && !smaller; ++i) {
      auto shorter = sequence;
      shorter.erase(shorter.begin() + static_cast<std::ptrdiff_t>(i));
      if (failure_in_fresh_world(engine, shorter).empty()) continue;
      sequence = shorter;
      smaller = true;
    }
  }
  return sequence;
}

std::string report(Engine engine, int number, const std::string& failure, const Sequence& sequence) {
  const auto shortest = shrunk(engine, sequence);
  std::ostringstream text;
  text << "sequence " << number << ": " << failure << "\nShrunk to:";
  for (std::size_t at = 0; at < shortest.size(); ++at) text << "\n  " << at + 1 << ". " << shortest[at];
  const auto alone = failure_in_fresh_world(engine, shortest);
  text << "\nwhich ends so: " << (alone.empty() ? "it fails only after the sequences before it" : alone);
  return text.str();
}

class SessionPropertyTest : public testing::TestWithParam<Engine> {};
INSTANTIATE_TEST_SUITE_P(Sqlite, SessionPropertyTest, testing::Values(Engine::Sqlite));
INSTANTIATE_TEST_SUITE_P(Postgresql, SessionPropertyTest, testing::Values(Engine::Postgresql));

TEST_P(SessionPropertyTest, RandomSequencesAgreeWithTheModel) {
  const auto engine = GetParam();
  if (!test_support::has_engine(engine)) GTEST_SKIP() << "QUIRE_TEST_POSTGRESQL is not set";
  const auto seed = test_support::test_seed();
  const char* given = std::getenv("QUIRE_PROPERTY_SEQUENCES");
  const int usual = engine == Engine::Sqlite ? 10'000 : 200;
  const int count = given != nullptr ? std::atoi(given) : usual;

  std::atomic<int> next = 0;
  std::mutex mutex;
  std::string failed;
  std::map<std::string, int> tally;
  // Each thread has a world of its own; a sequence depends on the seed and its number only.
  const auto play = [&] {
    ServiceWorld world({.engine = engine});
    std::map<std::string, int> own;
    for (int i = next++; i < count; i = next++) {
      std::mt19937_64 random(seed + static_cast<std::uint64_t>(i));
      const auto sequence = draw(random);
      const auto failure = failure_of(world, sequence, &own);
      if (failure.empty()) continue;
      next = count;
      const auto text = report(engine, i, failure, sequence);
      const std::scoped_lock lock(mutex);
      failed = text;
      break;
    }
    const std::scoped_lock lock(mutex);
    for (const auto& [answer, times] : own) tally[answer] += times;
  };
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < std::clamp(std::thread::hardware_concurrency(), 1U, 4U); ++i) threads.emplace_back(play);
  for (auto& thread : threads) thread.join();
  ASSERT_EQ(failed, "");

  if (count < 5000) return;  // rare answers need not come in fewer
  std::ostringstream seen;
  for (const auto& [answer, times] : tally) seen << "\n  " << times << " x " << answer;
  SCOPED_TRACE("what happened:" + seen.str());
  // A model that agrees about nothing but refusals would prove nothing.
  for (const std::string answer : {"complete ",
                                   "complete not_allowed_in_current_state",
                                   "complete not_found",
                                   "create ",
                                   "create resource_busy",
                                   "send ",
                                   "send invalid_argument",
                                   "send not_found",
                                   "append concurrent_change",
                                   "append not_found",
                                   "append invalid_argument",
                                   "finish upload ",
                                   "finish upload concurrent_change",
                                   "finish upload not_found",
                                   "finish upload invalid_argument",
                                   "add not_allowed_in_current_state",
                                   "download ",
                                   "delete session ",
                                   "delete session not_allowed_in_current_state",
                                   "cancel ",
                                   "fail ",
                                   "add pull ",
                                   "complete while pulling ",
                                   "complete late ",
                                   "complete while pulling not_allowed_in_current_state",
                                   "pull completed",
                                   "pull failed",
                                   "completed itself",
                                   "send not_allowed_in_current_state",
                                   "prepare not_found"})
    EXPECT_GT(tally[answer], 0) << "never happened: " << answer;
}

}  // namespace
}  // namespace quire
