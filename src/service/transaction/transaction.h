#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "service/transaction/context.h"

namespace quire::service {

/// What one caller sees of the catalog, in one consistent state: what is looked up by its identifier goes through this,
/// so that one place can say who may see what. Passed by value; valid inside its transaction only.
class View {
 public:
  View(content::CatalogReader& reader, const content::Caller& caller) : reader_(&reader), caller_(&caller) {}

  const content::Caller& caller() const { return *caller_; }
  content::CatalogReader& catalog() const { return *reader_; }
  content::CatalogReader* operator->() const { return reader_; }

 private:
  content::CatalogReader* reader_;
  const content::Caller* caller_;
};

/// What an event says beyond its kind and subject; by name, as a JSON object.
using EventDetails = std::vector<base::MessageParam>;

/// What happened to what. Time and actor are those of the change.
struct EventRecord {
  content::EventKind kind;
  content::LibraryId library;
  content::ItemId item;
  std::string subject;  ///< of what the kind speaks of; empty for the configuration
  EventDetails details = {};
};

/// Effects of a change outside the catalog. They happen once it is durable.
struct AfterCommit {
  std::vector<content::Blob> bytes = {};               ///< to remove from the blob stores
  std::vector<content::TransferToken> transfers = {};  ///< to stop
  bool wake_pulls = false;
  bool wake_tasks = false;
  bool has_events = false;  ///< stored with the change

  void run(Context& context) const;
};

/// One change of the catalog, and all that belongs to it. Made by write() alone; used by one thread, during the change.
///
/// The function that write() is given may run more than once. What it puts on the Transaction starts anew on each run,
/// and nothing of it happens unless the change commits; the function itself touches no memory that outlives it.
class Transaction {
 public:
  Transaction(Context& context, const content::Caller& caller, content::CatalogWriter& writer, AfterCommit& effects)
      : context_(context),
        caller_(caller),
        writer_(writer),
        effects_(effects),
        now_(context.leases.now()),
        wall_time_(context.clock.now()) {
    effects_ = {};
  }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  content::CatalogWriter& catalog() { return writer_; }
  content::CatalogWriter* operator->() { return &writer_; }
  operator View() { return {writer_, caller_}; }  // NOLINT(google-explicit-constructor): whoever may write may look

  Context& context() const { return context_; }
  const content::Caller& caller() const { return caller_; }
  base::Time now() const { return now_; }              ///< of context().leases; the same during one run
  base::Time wall_time() const { return wall_time_; }  ///< for what people are shown

  /// The row of `blob` goes with this change, or never was.
  void remove_bytes_after_commit(content::Blob blob) { effects_.bytes.push_back(std::move(blob)); }
  /// The transfers under `token` have lost what they fill or read.
  void stop_transfers_after_commit(content::TransferToken token) { effects_.transfers.push_back(std::move(token)); }
  /// The transfer that makes this change itself is not stopped by it.
  void spare_transfers(const content::TransferToken& token) { std::erase(effects_.transfers, token); }
  /// An event of this change, stored with it.
  void record(EventRecord event) { events_.push_back(std::move(event)); }

  /// A file to pull was added.
  void wake_pulls_after_commit() { effects_.wake_pulls = true; }
  /// There is something to do for those who run tasks.
  void wake_tasks_after_commit() { effects_.wake_tasks = true; }

  /// Removes the rows of those blobs that nothing names any more, and their bytes after the commit.
  void release(const std::vector<content::BlobId>& blobs);
  /// The same of a set of files, unless it is still in use. An empty id is no set.
  void release(const content::ContentId& content);
  /// What has arrived of a file that is not whole goes. The caller writes the row.
  void discard_partial(content::SessionFile& file);

  /// For write().
  template <class F>
  static auto run(Context& context, const content::Caller& caller, F&& function) {
    AfterCommit effects;
    auto answer = [&] {
      const base::Stopwatch stopwatch(context.catalog.measurements().catalog_writes);
      return context.catalog.catalog_.write([&](content::CatalogWriter& writer) {
        Transaction transaction(context, caller, writer, effects);
        auto result = function(transaction);
        if (!result) return result;
        if (const auto kept = transaction.check_quotas(); !kept) return decltype(result)(kept.error());
        transaction.advance_generations();
        transaction.append_events();
        return result;
      });
    }();
    if (answer) effects.run(context);
    return answer;
  }

 private:
  base::Result<void> check_quotas();
  void advance_generations();
  void append_events();

  Context& context_;
  const content::Caller& caller_;
  content::CatalogWriter& writer_;
  AfterCommit& effects_;
  std::vector<EventRecord> events_;
  const base::Time now_;
  const base::Time wall_time_;
};

/// The server itself as the one who asks, for background work; `worker` says which.
content::Caller system_caller(std::string_view worker);

/// Runs `function(View)`, which returns a Result, on one state of the catalog. Errors as Catalog::read.
template <class F>
auto read(Context& context, const content::Caller& caller, F&& function) {
  return context.catalog.read([&](content::CatalogReader& reader) { return function(View(reader, caller)); });
}

/// The one way to change the catalog: runs `function(Transaction&)`, which returns a Result. When that is a value and
/// the change has become durable, the effects that were put on the Transaction happen, before this returns. Errors as
/// Catalog::write; then nothing has changed or happened, though a failure of the engine can hide a commit. A change by
/// which somebody would use more than a quota allows is UnableToAllocateResource, whoever makes it (quota_check.h).
template <class F>
auto write(Context& context, const content::Caller& caller, F&& function) {
  return Transaction::run(context, caller, std::forward<F>(function));
}

/// Removes what has had its time: runs `remove(Transaction&, batch)`, which removes at most `batch` rows and returns
/// how many it did, in transactions of their own until it finds fewer.
template <class F>
base::Result<void> write_in_batches(Context& context, const content::Caller& caller, std::size_t batch, F&& remove) {
  for (std::size_t count = batch; count == batch;) {
    QUIRE_ASSIGN_OR_RETURN(
        count, write(context, caller, [&](Transaction& t) -> base::Result<std::size_t> { return remove(t, batch); }));
  }
  return {};
}

}  // namespace quire::service
