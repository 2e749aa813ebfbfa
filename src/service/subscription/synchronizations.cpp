#include "service/subscription/synchronizations.h"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <thread>
#include <unordered_map>
#include <utility>

#include "base/identity.h"
#include "base/utf8.h"
#include "service/library/configuration.h"
#include "service/library/items.h"
#include "service/library/sync_request.h"
#include "service/subscription/item_sync.h"
#include "service/subscription/sync_watch.h"
#include "service/subscription/synced_items.h"
#include "service/transaction/events.h"
#include "service/transaction/find.h"
#include "vcsp/reader.h"

namespace quire::service {
namespace {

using base::Error;
using base::ErrorKind;
using base::Message;
using base::Result;
using content::Item;
using content::ItemId;
using content::Library;
using content::LibraryId;
using content::Task;

constexpr std::size_t told_problems_max = 20;
constexpr std::size_t items_per_change = 200;

/// Items that could not be had; of many, the first are told by name.
class ItemProblems {
 public:
  void add(const std::string& name, const Message& reason) {
    if (++count_ > static_cast<std::int64_t>(told_problems_max)) return;
    told_.push_back(base::make_message(
        "quire.subscription.item_problem", "Item {name}: {reason}",
        {{"name", base::displayable(name)}, {"reason", base::displayable(reason.default_message, 500)}}));
  }
  void add(const ItemProblems& others) {
    count_ += others.count_;
    for (const auto& message : others.told_)
      if (told_.size() < told_problems_max) told_.push_back(message);
  }

  std::int64_t count() const { return count_; }
  const std::vector<Message>& told() const { return told_; }

 private:
  std::int64_t count_ = 0;
  std::vector<Message> told_;
};

struct SyncReport {
  std::string publisher;
  std::optional<std::int64_t> version;  ///< the publisher's; unset: what was read is of two states
  bool has_news = true;
  std::int64_t items = 0;  ///< of the publisher
  std::int64_t removed = 0;
  std::int64_t changed = 0;
  std::int64_t bytes = 0;  ///< that have come
  ItemProblems problems = {};
};

/// Not for the task to end by: what the catalog could not do is tried again, and what is to stop, the runner ends.
bool is_for_the_runner(const TaskRun& run, const Error& error) {
  return error.kind() == ErrorKind::canceled || run.server_stops() || error.kind() == ErrorKind::service_unavailable ||
         error.kind() == ErrorKind::internal_server_error;
}

struct IndexRead {
  std::optional<std::int64_t> version;
  bool lists_nobody_knows_what = false;  ///< an entry has no identifier, so it may be any item that is missing
};
/// Reads the index of `published` item by item, as vcsp::read_items().
Result<IndexRead> read_index_of(SourceLibrary& source, const vcsp::Library& published,
                                const std::function<void(vcsp::Item&&)>& take,
                                const std::function<void(vcsp::UnusableItem&&)>& refuse) {
  QUIRE_ASSIGN_OR_RETURN(const auto text, source.index(published));
  IndexRead index;
  auto version = vcsp::read_items(text, take, [&](vcsp::UnusableItem&& item) {
    if (!base::looks_like_uuid(item.id)) index.lists_nobody_knows_what = true;
    refuse(std::move(item));
  });
  if (!version)
    return Error(ErrorKind::resource_inaccessible, "quire.subscription.unusable_index",
                 "The index of the published library at {url} cannot be used: {reason}",
                 {{"url", source.shown()}, {"reason", base::displayable(version.error().text(), 300)}});
  index.version = *version;
  return index;
}

/// Failures that are not one item's: the rest would fail alike.
bool ends_all(const Error& error) {
  return error.kind() == ErrorKind::canceled || error.kind() == ErrorKind::not_found ||
         error.kind() == ErrorKind::not_allowed_in_current_state || error.kind() == ErrorKind::service_unavailable ||
         error.kind() == ErrorKind::internal_server_error;
}

std::size_t items_fetched_max(const ConfigurationModel& configuration) {
  return static_cast<std::size_t>(configuration.maximum_concurrent_item_syncs.value_or(1));
}

/// Brings content: some threads fetch, and the calling one makes the items of what has come, those that came together
/// in one change, because a change costs more than what one item needs of it. Where one is fetched at a time, the
/// calling thread does all.
class ContentRound {
 public:
  ContentRound(const SyncWork& work, std::atomic<bool>& stop) : work_(work), stop_(stop) {}

  /// Brings all of `jobs`. What could not be had is in problems(); an Error ended it before that.
  Result<void> bring_all(std::vector<SourceDocument> jobs) {
    constexpr std::size_t threads_max = 64;
    jobs_ = std::move(jobs);
    const auto count = std::min({work_.items_max, jobs_.size(), threads_max});
    if (count > 1)
      bring_by_threads(count);
    else
      bring_one_by_one();
    if (failure_) return *failure_;
    return {};
  }

  const ItemProblems& problems() const { return problems_; }

 private:
  struct Ready {
    const SourceDocument* job;
    PreparedItem prepared;
    SyncSlots::ItemSlot slot;
  };
  using AllReady = std::vector<Ready>;

  void bring_one_by_one() {
    while (const auto* job = next()) {
      AllReady ready;
      if (auto one = fetch(*job)) ready.push_back(*std::move(one));
      if (!ready.empty()) make_all(std::move(ready));
    }
  }

  void bring_by_threads(std::size_t count) {
    fetching_ = count;
    {
      std::vector<std::jthread> threads;
      for (std::size_t i = 0; i < count; ++i) threads.emplace_back([this] { fetch_some(); });
      try {
        for (auto ready = take_ready(); !ready.empty(); ready = take_ready()) make_all(std::move(ready));
      } catch (...) {
        end_by_exception();
      }
    }
    if (thrown_) std::rethrow_exception(thrown_);
  }

  void fetch_some() {
    try {
      while (const auto* job = next())
        if (auto one = fetch(*job)) put_ready(*std::move(one));
    } catch (...) {
      end_by_exception();
    }
    const std::lock_guard lock(mutex_);
    --fetching_;
    changed_.notify_all();
  }

  std::optional<Ready> fetch(const SourceDocument& job) {
    auto slot = work_.slots.enter(work_.library.text() + " " + job.item.id, stop_);
    auto prepared = slot ? prepare_item(work_, job) : Result<std::optional<PreparedItem>>(work_.run.canceled());
    if (!prepared) failed(job, prepared.error());
    if (!prepared || !*prepared) return std::nullopt;
    return Ready{&job, **std::move(prepared), *std::move(slot)};
  }

  const SourceDocument* next() {
    const std::lock_guard lock(mutex_);
    if (stop_ && !failure_) failure_ = work_.run.canceled();
    if (failure_ || next_ == jobs_.size()) return nullptr;
    return &jobs_[next_++];
  }

  /// For the calling thread to throw again.
  void end_by_exception() {
    const std::lock_guard lock(mutex_);
    if (!thrown_) thrown_ = std::current_exception();
    stop_ = true;
    changed_.notify_all();
  }

  void put_ready(Ready one) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return ready_.size() < made_at_once_max || thrown_; });
    ready_.push_back(std::move(one));
    changed_.notify_all();
  }

  /// Empty when there is nothing to come. What is ready when all is to end is as good as any.
  AllReady take_ready() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !ready_.empty() || fetching_ == 0; });
    changed_.notify_all();
    return std::exchange(ready_, {});
  }

  Result<void> make(std::span<const Ready> ready) {
    return work_.run.change_besides([&](Transaction& t) -> Result<void> {
      for (const auto& one : ready) QUIRE_RETURN_IF_ERROR(make_item(work_, t, one.prepared));
      return {};
    });
  }

  /// Where not all can be made together, each is tried by itself, unless the reason is none of theirs.
  void make_all(AllReady ready) {
    const auto made = make(ready);
    if (made) return;
    const bool by_themselves = ready.size() > 1 && !ends_all(made.error());
    for (auto& one : ready) {
      const auto by_itself = by_themselves ? make(std::span(&one, 1)) : made;
      if (!by_itself) settle_failure(one, by_itself.error());
    }
  }

  void settle_failure(Ready& one, const Error& error) {
    discard(work_, one.prepared, error);
    if (!have_bytes_gone(error)) return failed(*one.job, error);
    if (const auto made = make_again(one); !made) failed(*one.job, made.error());
  }

  Result<void> make_again(Ready& one) {
    QUIRE_ASSIGN_OR_RETURN(auto prepared, prepare_item(work_, *one.job));
    if (!prepared) return {};
    one.prepared = *std::move(prepared);
    auto made = make(std::span(&one, 1));
    if (!made) discard(work_, one.prepared, made.error());
    return made;
  }

  void failed(const SourceDocument& job, const Error& error) {
    if (ends_all(error)) return fail(error);
    const auto stored = remember(job, error);
    if (!stored && ends_all(stored.error())) return fail(stored.error());
    const std::lock_guard lock(mutex_);
    problems_.add(job.item.name, error.messages().front());
  }

  void fail(const Error& error) {
    const std::lock_guard lock(mutex_);
    if (!failure_) failure_ = error;
    stop_ = true;
  }

  /// The item shows why it has not the publisher's content; unless its name is another's, there is one to show it.
  Result<void> remember(const SourceDocument& job, const Error& error) {
    return work_.run.change_besides([&](Transaction& t) -> Result<void> {
      QUIRE_ASSIGN_OR_RETURN(const auto library, find_synced_library(t, work_.library, work_.url));
      if (const auto item = find_by_source(t, work_.library, job.item.id)) {
        store_problem(t, item->id, error.messages().front());
        return {};
      }
      if (t->item_named(library.id, job.item.name)) return {};
      QUIRE_ASSIGN_OR_RETURN(const auto id, create_item(t, library, job));
      store_problem(t, id, error.messages().front());
      return {};
    });
  }

  /// A change of so many takes some twenty milliseconds, for which other writers wait.
  static constexpr std::size_t made_at_once_max = 100;

  const SyncWork& work_;
  std::atomic<bool>& stop_;
  std::vector<SourceDocument> jobs_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t next_ = 0;
  std::size_t fetching_ = 0;  ///< threads
  AllReady ready_;
  ItemProblems problems_;
  std::optional<Error> failure_;
  std::exception_ptr thrown_;
};

std::int64_t bytes_of_jobs(const std::vector<SourceDocument>& jobs) {
  std::int64_t bytes = 0;
  for (const auto& job : jobs)
    for (const auto& file : job.item.files) bytes += file.size;
  return bytes;
}

/// What is here, by the publisher's identifiers.
struct LocalItem {
  ItemId id;
  std::string document = {};  ///< its digest: the texts of a large library are not kept in memory
  bool is_applied = false;    ///< the item is what the document says, but for content that is to come
  bool needs_content = false;
  bool is_listed = false;  ///< by the publisher, now
};
using LocalItems = std::unordered_map<std::string, LocalItem>;

std::string digest_of_document(const std::string& text) {
  return base::digest_of(base::DigestAlgorithm::SHA256, std::as_bytes(std::span(text))).hex;
}

/// One synchronization of a library.
class LibrarySync {
 public:
  LibrarySync(SyncSlots& slots, TaskRun& run, const Library& library, const ConfigurationModel& configuration)
      : run_(run),
        library_(library),
        rate_(library.subscription->bytes_per_second_max),
        flow_{rate_, slots.rate(), stop_},
        source_(run.context(), *library.subscription, stop_, {run.context().settings.pull_attempts}),
        synced_(library.id, library.subscription->url),
        work_{run_,   source_, library.id, library.subscription->url, flow_, slots, items_fetched_max(configuration),
              synced_} {
    constexpr std::int64_t bytes_of_megabit = 1'000'000 / 8;
    slots.rate().change(configuration.transfer_throttling_bandwidth_total.value_or(0) * bytes_of_megabit);
  }

  Result<SyncReport> run() {
    const SyncWatch watch(run_, flow_.bytes, total_, stop_);
    QUIRE_ASSIGN_OR_RETURN(auto published, source_.library());
    const auto& known = *library_.subscription;
    SyncReport report{published.id, published.version};
    if (known.version == published.version && known.publisher == published.id) {
      report.has_news = false;
      return report;
    }
    QUIRE_RETURN_IF_ERROR(read_local_items());
    QUIRE_ASSIGN_OR_RETURN(const auto index_version, read_index(published));
    if (index_version && *index_version != published.version) {  // it has changed in between, or one of them is a copy
      QUIRE_ASSIGN_OR_RETURN(published, source_.library());
      QUIRE_ASSIGN_OR_RETURN(const auto again, read_index(published));
      report.version = again == published.version ? std::optional(published.version) : std::nullopt;
    }
    report.items = static_cast<std::int64_t>(names_.size());
    QUIRE_RETURN_IF_ERROR(remove_unlisted(report));
    QUIRE_RETURN_IF_ERROR(change_listed(report));
    if (!known.on_demand) {
      total_ = bytes_of_jobs(jobs_);
      ContentRound round(work_, stop_);
      QUIRE_RETURN_IF_ERROR(round.bring_all(std::move(jobs_)));
      problems_.add(round.problems());
    }
    report.bytes = flow_.bytes;
    report.problems = std::move(problems_);
    return report;
  }

 private:
  Result<void> read_local_items() {
    content::ItemFilter in_library;
    in_library.library_id = library_.id;
    auto& context = run_.context();
    QUIRE_ASSIGN_OR_RETURN(const auto ids, read(context, run_.caller(), [&](View view) -> Result<std::vector<ItemId>> {
                             return view->items(in_library);
                           }));
    for (std::size_t begin = 0; begin < ids.size(); begin += items_per_change) {
      const auto end = std::min(begin + items_per_change, ids.size());
      QUIRE_ASSIGN_OR_RETURN(const auto some, read(context, run_.caller(), [&](View view) -> Result<LocalItems> {
                               LocalItems found;
                               for (auto i = begin; i < end; ++i) QUIRE_RETURN_IF_ERROR(look_at(view, ids[i], found));
                               return found;
                             }));
      for (const auto& [source_id, item] : some) local_.insert_or_assign(source_id, item);
    }
    return {};
  }

  Result<void> look_at(View view, const ItemId& id, LocalItems& found) const {
    const auto item = view->find<Item>(id);
    if (!item || !item->source_id) return {};
    const auto source = view->find<content::SourceItem>(id);
    LocalItem local;
    local.id = id;
    local.needs_content = true;
    if (source) {
      QUIRE_ASSIGN_OR_RETURN(const auto wanted, read_stored(source->document));
      const bool has_content = !source->content_document.empty();
      if (has_content) {
        QUIRE_ASSIGN_OR_RETURN(const auto before, read_stored(source->content_document));
        local.needs_content = !are_same_files(before, wanted);
      }
      local.document = digest_of_document(source->document);
      local.is_applied = !source->problem && !(has_content && local.needs_content) &&
                         has_metadata(*item, wanted, run_.context().limits);
    }
    found.insert_or_assign(*item->source_id, std::move(local));
    return {};
  }

  /// What is to be done, from what the publisher has. The index's own version.
  Result<std::optional<std::int64_t>> read_index(const vcsp::Library& published) {
    changed_.clear();
    added_.clear();
    jobs_.clear();
    problems_ = {};
    refused_.clear();
    names_.clear();
    for (auto& [source_id, local] : local_) local.is_listed = false;
    QUIRE_ASSIGN_OR_RETURN(const auto index, read_index_of(
                                                 source_, published, [&](vcsp::Item&& item) { take(std::move(item)); },
                                                 [&](vcsp::UnusableItem&& item) {
                                                   refuse(item.id, item.name, item.reason.messages().front());
                                                 }));
    lists_nobody_knows_what_ = index.lists_nobody_knows_what;
    return index.version;
  }

  void refuse(const std::string& source_id, const std::string& name, const Message& reason) {
    problems_.add(name.empty() ? source_id : name, reason);
    if (const auto local = local_.find(source_id); local != local_.end()) {
      local->second.is_listed = true;  // what is here stays
      refused_.push_back({local->second.id, reason});
    }
  }

  void take(vcsp::Item&& item) {
    if (const auto problem = problem_of(item, run_.context().limits)) return refuse(item.id, item.name, *problem);
    if (!names_.insert(item.name).second)
      return refuse(item.id, item.name,
                    base::make_message("com.vmware.vdcs.cls-main.duplicate_item_name_unsupported_in_library",
                                       "The publisher has two items named {name}, of which a library takes only one.",
                                       {{"name", base::displayable(item.name)}}));
    const bool immediate = !library_.subscription->on_demand;
    auto document = document_of(std::move(item));
    const auto found = local_.find(document.item.id);
    if (found == local_.end()) {
      (immediate ? jobs_ : added_).push_back(std::move(document));
      return;
    }
    auto& local = found->second;
    local.is_listed = true;
    const bool is_news = !local.is_applied || local.document != digest_of_document(document.text);
    if (is_news) changed_.push_back({local.id, document});
    if (immediate && (is_news || local.needs_content)) jobs_.push_back(std::move(document));
  }

  template <class Things, class F>
  Result<void> change_in_batches(const Things& things, F&& change_one) {
    for (std::size_t begin = 0; begin < things.size(); begin += items_per_change)
      QUIRE_RETURN_IF_ERROR(change_some(std::span<const typename Things::value_type>(things).subspan(
                                            begin, std::min(items_per_change, things.size() - begin)),
                                        change_one));
    return {};
  }

  /// In one change.
  template <class Thing, class F>
  Result<void> change_some(std::span<const Thing> things, F&& change_one) {
    return run_.change([&](Transaction& t, Task&) -> Result<void> {
      QUIRE_ASSIGN_OR_RETURN(const auto library, find_synced_library(t, library_.id, work_.url));
      for (const auto& thing : things) QUIRE_RETURN_IF_ERROR(change_one(t, library, thing));
      return {};
    });
  }

  Result<void> remove_unlisted(SyncReport& report) {
    std::vector<ItemId> gone;
    // Any item may be the one behind an entry without an identifier; the next good index tells.
    if (lists_nobody_knows_what_) return {};
    for (const auto& [source_id, local] : local_)
      if (!local.is_listed) gone.push_back(local.id);
    std::ranges::sort(gone);
    report.removed = static_cast<std::int64_t>(gone.size());
    return change_in_batches(gone, [](Transaction& t, const Library&, const ItemId& id) -> Result<void> {
      if (const auto item = t->find<Item>(id)) remove_item_with_sessions(t, *item);
      return {};
    });
  }

  /// All documents first, so that an item whose name another one gets is known to want another.
  Result<void> change_listed(SyncReport& report) {
    report.changed = static_cast<std::int64_t>(changed_.size() + added_.size());
    QUIRE_RETURN_IF_ERROR(change_in_batches(changed_, [](Transaction& t, const Library&, const Changed& one) {
      if (t->find<Item>(one.id)) store_document(t, one.id, one.document);
      return Result<void>();
    }));
    QUIRE_RETURN_IF_ERROR(
        change_in_batches(changed_, [&](Transaction& t, const Library& library, const Changed& one) -> Result<void> {
          if (!library.subscription->on_demand && !has_same_content(t, one)) return {};  // comes with its content
          auto applied = apply_document(t, library, one.id);
          if (applied || applied.error().kind() != ErrorKind::already_exists) return applied;
          store_problem(t, one.id, applied.error().messages().front());
          return {};
        }));
    if (library_.subscription->on_demand) QUIRE_RETURN_IF_ERROR(tell_problems_of_changed());
    QUIRE_RETURN_IF_ERROR(create_added());
    return change_in_batches(refused_, [](Transaction& t, const Library&, const Refused& one) -> Result<void> {
      if (t->find<Item>(one.id)) store_problem(t, one.id, one.reason);
      return {};
    });
  }

  struct Changed {
    ItemId id;
    SourceDocument document;
  };
  struct Refused {
    ItemId id;
    Message reason;
  };

  static bool has_same_content(Transaction& t, const Changed& one) {
    const auto source = t->find<content::SourceItem>(one.id);
    if (!source || source->content_document.empty()) return false;
    const auto before = read_stored(source->content_document);
    return before && are_same_files(*before, one.document.item);
  }

  /// Of those whose content does not come after this, and tells of it then.
  Result<void> tell_problems_of_changed() {
    return read(run_.context(), run_.caller(), [&](View view) -> Result<void> {
      for (const auto& one : changed_) {
        const auto source = view->find<content::SourceItem>(one.id);
        if (source && source->problem) problems_.add(one.document.item.name, *source->problem);
      }
      return {};
    });
  }

  /// Of a library on demand. Where some of many cannot be made, the others are.
  Result<void> create_added() {
    const auto create = [](Transaction& t, const Library& library, const SourceDocument& one) -> Result<void> {
      if (find_by_source(t, library.id, one.item.id)) return {};
      QUIRE_RETURN_IF_ERROR(create_item(t, library, one));
      return {};
    };
    const auto is_of_one = [](const Error& error) {
      return error.kind() == ErrorKind::already_exists || error.kind() == ErrorKind::unable_to_allocate_resource;
    };
    for (std::size_t begin = 0; begin < added_.size(); begin += items_per_change) {
      const auto some =
          std::span<const SourceDocument>(added_).subspan(begin, std::min(items_per_change, added_.size() - begin));
      auto created = change_some(some, create);
      if (created) continue;
      if (!is_of_one(created.error())) return created;
      for (const auto& one : some) {
        auto alone = change_some(std::span(&one, 1), create);
        if (alone) continue;
        if (!is_of_one(alone.error())) return alone;
        problems_.add(one.item.name, alone.error().messages().front());
      }
    }
    return {};
  }

  TaskRun& run_;
  const Library library_;
  std::atomic<bool> stop_ = false;
  std::atomic<std::int64_t> total_ = 0;  ///< bytes of all that is to come
  TransferRate rate_;
  SyncFlow flow_;
  SourceLibrary source_;
  SyncedLibrary synced_;
  SyncWork work_;

  LocalItems local_;
  std::set<std::string, std::less<>> names_;
  bool lists_nobody_knows_what_ = false;  ///< an entry of the index has no identifier that could be read
  std::vector<Changed> changed_;
  std::vector<Refused> refused_;
  std::vector<SourceDocument> added_;
  std::vector<SourceDocument> jobs_;
  ItemProblems problems_;
};

Error problems_error(const std::string& library, const ItemProblems& problems) {
  Error error(ErrorKind::error, "quire.subscription.items_failed",
              "{count} of the items of library {name} could not be synchronized; the others have been. What is here of "
              "them stays, and the next synchronization tries again.",
              {{"count", problems.count()}, {"name", library}});
  for (const auto& message : problems.told()) error = error.because(message);
  const auto more = problems.count() - static_cast<std::int64_t>(problems.told().size());
  if (more > 0)
    error = error.because(
        base::make_message("quire.subscription.more_items_failed", "And {count} more items.", {{"count", more}}));
  return error;
}

/// How the synchronization of a library ended, in its row, its task and an event.
Result<void> end_library_sync(TaskRun& run, const content::SourceUrl& url, const Result<SyncReport>& outcome) {
  return run.change([&](Transaction& t, Task& task) -> Result<void> {
    auto library = t->find<Library>(LibraryId(task.target));
    std::optional<Error> error;
    if (!outcome) error = outcome.error();
    if (outcome && library && outcome->problems.count() > 0) error = problems_error(library->name, outcome->problems);
    if (library && library->subscription && library->subscription->url == url) {
      auto& state = *library->subscription;
      const auto configuration = configuration_of(t);
      if (outcome) {
        state.publisher = outcome->publisher;
        state.version = error ? std::nullopt : outcome->version;
      }
      state.problem = error ? std::optional(error->messages().front()) : std::nullopt;
      state.failures = error ? state.failures + 1 : 0;
      if (!error) state.last_success_time = t.wall_time();
      state.next_sync_time = next_automatic_sync(
          t.wall_time(), std::chrono::minutes(configuration.automatic_sync_refresh_interval.value_or(1)),
          state.failures, t.context().identities.number());
      t->update(*library);
      EventDetails details{{"name", library->name}};
      if (outcome) {
        details.push_back({"items", outcome->items});
        details.push_back({"changed", outcome->changed});
        details.push_back({"removed", outcome->removed});
        if (outcome->problems.count() > 0) details.push_back({"failed", outcome->problems.count()});
      }
      if (error) details.push_back({"error", base::displayable(error->text(), 500)});
      if (error || outcome->has_news) record(t, content::EventKind::library_synchronized, *library, std::move(details));
    }
    if (outcome) task.completed = task.total = outcome->bytes;
    end_task(t, task, error);
    return {};
  });
}

struct LibraryToSync {
  Library library;
  ConfigurationModel configuration;
};
Result<LibraryToSync> library_to_sync(TaskRun& run, const LibraryId& id) {
  return read(run.context(), run.caller(), [&](View view) -> Result<LibraryToSync> {
    QUIRE_ASSIGN_OR_RETURN(auto library, find_library(view, id, content::Privilege::System_Read));
    if (!library.subscription)
      return Error(ErrorKind::not_found, "quire.library.not_subscribed", "Library {name} is no subscribed library.",
                   {{"name", library.name}});
    return LibraryToSync{std::move(library), configuration_of(view)};
  });
}

Result<TaskOutcome> run_library_sync(SyncSlots& slots, TaskRun& run) {
  QUIRE_ASSIGN_OR_RETURN(const auto begun, library_to_sync(run, LibraryId(run.task().target)));
  Result<SyncReport> outcome = run.canceled();
  {
    LibrarySync sync(slots, run, begun.library, begun.configuration);
    outcome = sync.run();
  }
  if (!outcome && is_for_the_runner(run, outcome.error())) return outcome.error();
  QUIRE_RETURN_IF_ERROR(end_library_sync(run, begun.library.subscription->url, outcome));
  return TaskOutcome::ended;
}

/// The item's document as the publisher has it now; nullopt when the publisher has no such item any more.
Result<std::optional<SourceDocument>> current_document(SourceLibrary& source, const vcsp::Item& known) {
  QUIRE_ASSIGN_OR_RETURN(const auto published, source.library());
  auto item = source.item(known);
  if (item && *item) return std::optional(document_of(**std::move(item)));
  // Without a document of its own, or with one that cannot be used, the index decides.
  std::optional<SourceDocument> found;
  std::optional<Error> refused;
  QUIRE_ASSIGN_OR_RETURN(const auto index, read_index_of(
                                               source, published,
                                               [&](vcsp::Item&& one) {
                                                 if (one.id == known.id) found = document_of(std::move(one));
                                               },
                                               [&](vcsp::UnusableItem&& one) {
                                                 if (one.id == known.id) refused = one.reason;
                                               }));
  if (refused) return Error(ErrorKind::resource_inaccessible, refused->messages().front());
  if (!found && index.lists_nobody_knows_what)
    return Error(ErrorKind::resource_inaccessible, "quire.subscription.entry_without_identifier",
                 "The index of the published library at {url} has an entry without an identifier, which may be this "
                 "item's; it stays as it is.",
                 {{"url", source.shown()}});
  return found;
}

struct ItemToSync {
  Item item;
  vcsp::Item known;
  LibraryToSync of;
};
Result<ItemToSync> item_to_sync(TaskRun& run) {
  const ItemId id(run.task().target);
  QUIRE_ASSIGN_OR_RETURN(auto found,
                         read(run.context(), run.caller(), [&](View view) -> Result<std::pair<Item, std::string>> {
                           QUIRE_ASSIGN_OR_RETURN(auto item, find_item(view, id, content::Privilege::System_Read));
                           auto source = view->find<content::SourceItem>(id);
                           return std::pair(std::move(item), source ? std::move(source->document) : std::string());
                         }));
  QUIRE_ASSIGN_OR_RETURN(auto library, library_to_sync(run, found.first.library_id));
  QUIRE_ASSIGN_OR_RETURN(auto known, read_stored(found.second));
  return ItemToSync{std::move(found.first), std::move(known), std::move(library)};
}

/// The bytes that have come.
Result<std::int64_t> sync_item(SyncSlots& slots, TaskRun& run, const ItemToSync& begun) {
  const auto& library = begun.of.library;
  std::atomic<bool> stop = false;
  TransferRate rate(library.subscription->bytes_per_second_max);
  SyncFlow flow{rate, slots.rate(), stop};
  SourceLibrary source(run.context(), *library.subscription, stop, {run.context().settings.pull_attempts});
  SyncedLibrary synced(library.id, library.subscription->url);
  SyncWork work{
      run,   source, library.id, library.subscription->url, flow, slots, items_fetched_max(begun.of.configuration),
      synced};
  std::atomic<std::int64_t> total = 0;
  const SyncWatch watch(run, flow.bytes, total, stop);
  QUIRE_ASSIGN_OR_RETURN(auto document, current_document(source, begun.known));
  if (!document) {
    QUIRE_RETURN_IF_ERROR(run.change([&](Transaction& t, Task&) -> Result<void> {
      QUIRE_RETURN_IF_ERROR(find_synced_library(t, library.id, work.url));
      if (const auto item = t->find<Item>(begun.item.id)) remove_item_with_sessions(t, *item);
      return {};
    }));
    return std::int64_t{0};
  }
  if (const auto problem = problem_of(document->item, run.context().limits))
    return Error(ErrorKind::resource_inaccessible, *problem);
  const bool content = !library.subscription->on_demand || !run.task().source.empty();
  QUIRE_RETURN_IF_ERROR(run.change([&](Transaction& t, Task&) -> Result<void> {
    QUIRE_ASSIGN_OR_RETURN(const auto current, find_synced_library(t, library.id, work.url));
    const auto item = t->find<Item>(begun.item.id);
    if (!item) return {};
    store_document(t, item->id, *document);
    const auto stored = t->find<content::SourceItem>(item->id);
    if (!content || (stored && stored->content_document == document->text)) return apply_document(t, current, item->id);
    return {};
  }));
  if (!content) return std::int64_t{0};
  ContentRound round(work, stop);
  std::vector<SourceDocument> jobs;
  jobs.push_back(*std::move(document));
  total = bytes_of_jobs(jobs);
  QUIRE_RETURN_IF_ERROR(round.bring_all(std::move(jobs)));
  if (round.problems().count() > 0) return Error(ErrorKind::resource_inaccessible, round.problems().told().front());
  return flow.bytes.load();
}

Result<TaskOutcome> run_item_sync(SyncSlots& slots, TaskRun& run) {
  for (;;) {
    QUIRE_ASSIGN_OR_RETURN(const auto begun, item_to_sync(run));
    const bool with_content = !run.task().source.empty();
    const auto synced = sync_item(slots, run, begun);
    if (!synced && is_for_the_runner(run, synced.error())) return synced.error();
    bool once_more = false;
    QUIRE_RETURN_IF_ERROR(run.change([&](Transaction& t, Task& task) -> Result<void> {
      once_more = !with_content && !task.source.empty();  // somebody has asked for the content meanwhile
      if (once_more) return {};
      const auto item = t->find<Item>(begun.item.id);
      if (!synced && item && !item->cached) store_problem(t, item->id, synced.error().messages().front());
      if (synced) task.completed = task.total = *synced;
      end_task(t, task, synced ? std::nullopt : std::optional(synced.error()));
      return {};
    }));
    if (!once_more) return TaskOutcome::ended;
  }
}

}  // namespace

base::Time next_automatic_sync(base::Time now, base::Duration interval, std::int64_t failures, std::uint64_t random) {
  constexpr base::Duration first_retry = std::chrono::minutes(5);
  auto delay = interval;
  if (failures > 0) {
    const auto doublings = std::min<std::int64_t>(failures - 1, 20);
    delay = std::min<base::Duration>(interval, first_retry * (std::int64_t{1} << doublings));
  }
  const auto jitter = static_cast<std::uint64_t>(delay.count() / 10 + 1);
  return now + delay + base::Duration(static_cast<base::Duration::rep>(random % jitter));
}

std::vector<TaskKind> synchronization_tasks(SyncSlots& slots, std::size_t libraries_max) {
  TaskKind of_libraries{subscribed_library_service, sync_operation,
                        [&slots](TaskRun& run) { return run_library_sync(slots, run); }};
  of_libraries.at_once_max = libraries_max;
  TaskKind of_items{subscribed_item_service, sync_operation,
                    [&slots](TaskRun& run) { return run_item_sync(slots, run); }};
  return {std::move(of_libraries), std::move(of_items)};
}

}  // namespace quire::service
