#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/result.h"
#include "content/contradiction.h"
#include "content/tables.h"

namespace quire::content {

/// Names the UnableToAllocateResource of a catalog whose disk is full, unlike that of a full storage.
inline constexpr std::string_view catalog_full_id = "quire.catalog.storage_full";

/// Thrown by the operations of a transaction when the engine fails under them; `Catalog::read` and `Catalog::write`
/// turn it into a Result. Code inside a transaction lets it pass and never catches it.
class CatalogFailure : public std::exception {
 public:
  explicit CatalogFailure(base::Error error) : error_(std::move(error)) {}
  const base::Error& error() const { return error_; }
  const char* what() const noexcept override { return error_.cause().c_str(); }

 private:
  base::Error error_;
};

/// What can be read inside one transaction: one consistent state. Used by one thread, only during the transaction.
/// Absent rows are nullopt or empty, never an error. Lists are ordered by creation, then id, unless said otherwise.
///
/// Rows are found by their keys (content/tables.h):
///
///     reader.find<Item>(id)                 reader.find<SessionFile>({session, "disk.vmdk"})
///     reader.list<SessionFile>(session)     // the parts of an owner, in the order in which they were added
class CatalogReader {
 public:
  virtual ~CatalogReader() = default;

  template <class Row>
  std::optional<Row> find(const KeyOf<Row>& key) {
    std::optional<Row> found;
    find_row(FindRow<Row>{key, found});
    return found;
  }
  template <PartRow Row>
  std::vector<Row> list(const OwnerOf<Row>& owner) {
    std::vector<Row> found;
    list_parts(ListParts<Row>{owner, found});
    return found;
  }
  std::optional<std::string> setting(std::string_view name) {
    auto found = find<Setting>(name);
    return found ? std::optional(std::move(found->value)) : std::nullopt;
  }

  virtual std::size_t login_count() = 0;  ///< without API tokens
  /// Of one user (exact name; every user's when empty), by user and creation.
  virtual std::vector<LoginSession> api_tokens(std::string_view user) = 0;
  virtual std::vector<TrustedCertificate> trusted_certificates() = 0;
  virtual std::vector<Webhook> webhooks() = 0;
  virtual std::size_t webhook_delivery_count(DeliveryState state) = 0;  ///< of all webhooks

  // Users, groups and roles by name without regard to case; permissions by object, then principal.
  virtual std::vector<User> users() = 0;
  virtual std::vector<Group> groups() = 0;
  virtual std::vector<std::string> groups_of(std::string_view user) = 0;  ///< names
  virtual std::vector<Role> roles() = 0;                                  ///< without the system's
  virtual std::optional<Role> role_named(std::string_view name) = 0;      ///< likewise; without regard to case
  virtual std::vector<Permission> permissions(const PermissionFilter& filter) = 0;
  /// The permissions of a user: own ones, those of the user's groups, and those of `groups` besides. In one query.
  virtual std::vector<GrantedRole> granted_roles(std::string_view user, std::span<const std::string> groups) = 0;

  virtual std::vector<LibraryId> libraries(const LibraryFilter& filter) = 0;
  virtual std::optional<ItemId> item_named(const LibraryId& library, std::string_view name) = 0;  ///< exact name
  virtual std::vector<ItemId> items(const ItemFilter& filter) = 0;
  virtual SyncedItemCounts synced_item_counts(const LibraryId& library) = 0;  ///< without a look at each item
  /// Up to `limit` items of a library whose SourceItem has a problem, by id.
  virtual std::vector<ItemId> items_with_problem(const LibraryId& library, std::size_t limit) = 0;

  /// Of a blob that the catalog holds itself; nullopt for others.
  virtual std::optional<std::vector<std::byte>> blob_bytes(const BlobId& id) = 0;
  /// A blob of these bytes on this storage, if one is there.
  virtual std::optional<Blob> blob_with(const StorageId& storage, std::string_view sha256, std::int64_t size) = 0;
  /// A file of an item of the library names the blob.
  virtual bool library_has_blob(const LibraryId& library, const BlobId& blob) = 0;
  /// Up to `limit` blobs of a storage with id greater than `after`, ordered by id; to compare with what the store
  /// holds.
  virtual std::vector<Blob> blobs_after(const StorageId& storage, const BlobId& after, std::size_t limit) = 0;

  /// What does not lie on `storage` of the blobs that files of the item name: of its content, of content that one of
  /// its download sessions has, of its update sessions.
  virtual std::vector<Blob> blobs_elsewhere(const ItemId& item, const StorageId& storage) = 0;
  /// An ACTIVE download session has prepared a file of these bytes to be read where they lie.
  virtual bool is_prepared_direct(const BlobId& id) = 0;

  virtual std::optional<UpdateSession> active_update_session(const ItemId& item) = 0;
  /// Of one user (every user's when empty), of one item if given.
  virtual std::vector<UpdateSessionId> update_sessions(std::string_view user, const std::optional<ItemId>& item) = 0;
  virtual std::size_t update_session_count(UpdateSessionState state) = 0;
  /// ACTIVE sessions with `expires_at` before `now`.
  virtual std::vector<UpdateSessionId> expired_update_sessions(base::Time now, std::size_t limit) = 0;
  /// DONE, ERROR and CANCELED sessions that ended before `before`.
  virtual std::vector<UpdateSessionId> ended_update_sessions(base::Time before, std::size_t limit) = 0;
  virtual std::vector<UpdateSessionId> active_update_sessions_after(const UpdateSessionId& after,
                                                                    std::size_t limit) = 0;
  /// ACTIVE sessions that are not completing, have a PULL file and were last changed before `before`.
  virtual std::vector<UpdateSessionId> idle_pull_sessions(base::Time before, std::size_t limit) = 0;
  /// PULL files of ACTIVE sessions whose bytes are not all there yet, by session, as they were added.
  virtual std::vector<std::pair<UpdateSessionId, std::string>> pending_pulls(std::size_t limit) = 0;
  /// The entry whose upload endpoint holds `token`, and its session.
  virtual std::optional<std::pair<UpdateSessionId, SessionFile>> session_file_of(const TransferToken& token) = 0;

  virtual std::optional<DownloadSession> download_session_of(const TransferToken& token) = 0;
  virtual std::vector<DownloadSessionId> download_sessions(std::string_view user,
                                                           const std::optional<ItemId>& item) = 0;
  virtual std::size_t download_session_count() = 0;  ///< without those of publication_user
  virtual std::vector<DownloadSessionId> expired_download_sessions(base::Time now, std::size_t limit) = 0;

  /// Of one user (every user's when empty), the newest first.
  virtual std::vector<TaskId> tasks(std::string_view user, std::size_t limit) = 0;
  /// Tasks that have not ended and that a worker may take at `now`: those to be cancelled first, then the oldest.
  virtual std::vector<TaskId> due_tasks(base::Time now, std::size_t limit) = 0;
  /// Tasks that ended before `before`.
  virtual std::vector<TaskId> ended_tasks(base::Time before, std::size_t limit) = 0;
  virtual std::size_t active_task_count() = 0;  ///< that have not ended
  /// Those that work on `target` and have not ended, the oldest first.
  virtual std::vector<Task> active_tasks_on(std::string_view target) = 0;

  virtual std::vector<TagCategory> tag_categories() = 0;                                           ///< by name
  virtual std::optional<TagCategory> tag_category_named(std::string_view name) = 0;                ///< exact name
  virtual std::vector<Tag> tags(const std::optional<TagCategoryId>& category) = 0;                 ///< by name
  virtual std::optional<Tag> tag_named(const TagCategoryId& category, std::string_view name) = 0;  ///< exact name
  virtual std::vector<TagAttachment> attachments_of_tag(const TagId& tag) = 0;
  virtual std::vector<TagAttachment> attachments_of_object(std::string_view type, std::string_view object) = 0;

  /// Facts that contradict each other, at most `limit_per_kind` of a kind. Looks at every row: for quire doctor.
  virtual std::vector<Contradiction> contradictions(std::size_t limit_per_kind) = 0;

  /// The oldest `limit` events with a greater number, in the order of their numbers.
  virtual std::vector<Event> events_after(std::int64_t number, std::size_t limit) = 0;
  /// The newest `limit` events with a smaller number, from the highest on.
  virtual std::vector<Event> events_before(std::int64_t number, std::size_t limit) = 0;

  virtual bool has_quotas() = 0;                          ///< of anybody; the default is one too (default_quota.h)
  virtual std::vector<Quota> quotas(QuotaKind kind) = 0;  ///< by owner; with those that only keep a use
  /// Counted anew, by looking at every item of the owner.
  virtual QuotaUse use_of(const QuotaOwner& owner) = 0;

  virtual void find_row(const FindAnyRow& request) = 0;      ///< for find()
  virtual void list_parts(const ListAnyParts& request) = 0;  ///< for list()
};

/// A quota whose owner uses more than they may, and what a transaction has added to it.
struct ExceededQuota {
  Quota quota;  ///< with the use as it is now
  QuotaUse growth;
};

struct TimeBounds {
  base::Time at_least;
  base::Time at_most;
};

/// What can be changed inside one transaction. Rows of every table are written in the same ways:
///
///     writer.insert(item)                   // its key is new
///     writer.update(item)                   // a row of its key is there; a missing one is a broken invariant
///     writer.put(user)                      // either
///     writer.remove<Item>(id)               // with its parts; fine when it is not there
///     writer.insert(content, file), writer.put(session, file), writer.remove<SessionFile>({session, "disk.vmdk"})
///
/// What is still in use cannot be removed, which is a broken invariant as well: a library with items, an item with
/// sessions. Contents and blobs are removed by the queries that look whether something uses them.
class CatalogWriter : public CatalogReader {
 public:
  template <class Row>
  void insert(const Row& row) {
    insert_row(WriteRow<Row>{row});
  }
  template <PartRow Row>
  void insert(const OwnerOf<Row>& owner, const Row& row) {
    insert_row(WriteRow<Row>{owner, row});
  }
  template <class Row>
  void update(const Row& row) {
    update_row(WriteRow<Row>{row});
  }
  template <class Row>
  void put(const Row& row) {
    put_row(WriteRow<Row>{row});
  }
  template <PartRow Row>
  void put(const OwnerOf<Row>& owner, const Row& row) {
    put_row(WriteRow<Row>{owner, row});
  }
  template <class Row>
  void remove(const KeyOf<Row>& key) {
    remove_row(RemoveRow<Row>{key});
  }
  void put_setting(std::string_view name, std::string_view value) {
    put(Setting{std::string(name), std::string(value)});
  }

  /// No effect when it is gone, or was used less than login_access_granularity ago.
  virtual void touch_login(const LoginId& id, base::Time now) = 0;
  virtual void remove_logins(base::Time accessed_before,
                             base::Time created_before) = 0;  ///< those before either moment; no API tokens
  /// Exact name; `but`, if any, stays; no API tokens.
  virtual void remove_logins_of(std::string_view user, const LoginId& but) = 0;
  virtual void remove_api_tokens_of(std::string_view user) = 0;
  virtual void remove_memberships(std::string_view user) = 0;
  virtual void remove_permissions(const PermissionFilter& filter) = 0;
  virtual void remove_client_tokens(base::Time created_before) = 0;

  /// Removes the set unless an item points to it, or an ACTIVE download session or a task pins it; the blobs it named,
  /// else nothing.
  virtual std::vector<BlobId> remove_content_if_unused(const ContentId& id) = 0;
  /// `bytes`: all of them when the blob is `in_catalog`, else none.
  virtual void insert_blob(const Blob& blob, std::span<const std::byte> bytes) = 0;
  /// The library's `generation` moves on, if it is published; no effect otherwise, or when it is gone.
  virtual void advance_generation(const LibraryId& id) = 0;
  /// The bytes of a blob that was `in_catalog` lie in its storage's blob store now.
  virtual void move_blob_to_storage(const BlobId& id) = 0;
  /// Files of the item (as for blobs_elsewhere) that name one blob name another one of the same bytes from now on.
  virtual void replace_blob(const ItemId& item, const BlobId& old, const BlobId& replacement) = 0;
  /// Removes those rows of `candidates` that neither a content file, a session file nor a task names, and returns them:
  /// their bytes are to be removed once the transaction has committed.
  virtual std::vector<Blob> remove_unreferenced_blobs(std::span<const BlobId> candidates) = 0;

  virtual void remove_attachments_of_tag(const TagId& tag) = 0;
  virtual void remove_attachments_of_object(std::string_view type, std::string_view object) = 0;

  /// After a start (§28.1): ACTIVE sessions get an `expires_at` that lies within the bounds of their kind, and moments
  /// after `now`, from before the clock was set back while nobody looked, become `now`: those of logins and client
  /// tokens, the changes and ends of update sessions, and the ends of tasks.
  virtual void restart_leases(base::Time now, const TimeBounds& update_sessions,
                              const TimeBounds& download_sessions) = 0;

  /// Quotas that allow less than is used, of what this transaction has added to: it is not to commit. To be asked when
  /// all else has been written; no query unless something has grown. The limits in the answer are the default's where
  /// the owner has none of its own; the use of such an owner is kept from then on.
  virtual std::vector<ExceededQuota> exceeded_quotas() = 0;

  /// The catalog gives the event its number. Last in a transaction: with several servers, those who append an event
  /// wait for each other until they have committed, so that numbers ascend in the order of commits.
  void append_event(const Event& event) { insert(event); }
  /// Removes those of the `limit` oldest events that are from before that moment; how many. The newest event stays, so
  /// that its number is not given again.
  virtual std::size_t remove_events(base::Time created_before, std::size_t limit) = 0;

  /// Ends the contradictions that can be ended without losing anything; how many rows it changed or removed.
  virtual std::size_t repair_contradictions() = 0;

  virtual void insert_row(const WriteAnyRow& request) = 0;   ///< for insert()
  virtual void update_row(const WriteAnyRow& request) = 0;   ///< for update()
  virtual void put_row(const WriteAnyRow& request) = 0;      ///< for put()
  virtual void remove_row(const RemoveAnyRow& request) = 0;  ///< for remove()
};

/// The catalog: every fact that survives a restart, except the bytes. All threads may call it.
///
/// A transaction is a function. It may run more than once (after a serialization failure), so it must have no effect
/// but through the writer and its own captures, which it must set anew on each run. When it returns an Error, nothing
/// of it stays. `write` returns success only when the changes survive a power cut; transactions that wait at the same
/// time share one sync. Transactions must not be nested.
///
/// Besides the function's own Error: UnableToAllocateResource when the storage is full, ServiceUnavailable when the
/// database cannot be reached, InternalServerError for any other failure of the engine. After each, nothing has
/// changed.
class Catalog {
 public:
  virtual ~Catalog() = default;

  template <class F>
  auto read(F&& function) -> std::invoke_result_t<F&, CatalogReader&> {
    return run<std::invoke_result_t<F&, CatalogReader&>, CatalogReader>(
        [this](auto&& f) { return read_transaction(f); }, std::forward<F>(function));
  }
  template <class F>
  auto write(F&& function) -> std::invoke_result_t<F&, CatalogWriter&> {
    return run<std::invoke_result_t<F&, CatalogWriter&>, CatalogWriter>(
        [this](auto&& f) { return write_transaction(f); }, std::forward<F>(function));
  }

  /// Changes when a login has been changed or removed, before that write() returns: a login that was read after this
  /// had been asked is the same while this is. nullopt where other servers may write without this one knowing.
  virtual std::optional<std::uint64_t> logins_version() const { return std::nullopt; }
  /// The same of users, groups, roles and permissions.
  virtual std::optional<std::uint64_t> access_version() const { return std::nullopt; }
  /// The same of rows of libraries, their generations included.
  virtual std::optional<std::uint64_t> libraries_version() const { return std::nullopt; }

  virtual base::Result<void> read_transaction(const std::function<base::Result<void>(CatalogReader&)>& function) = 0;
  virtual base::Result<void> write_transaction(const std::function<base::Result<void>(CatalogWriter&)>& function) = 0;

 private:
  template <class R, class View, class Begin, class F>
  static R run(Begin begin, F&& function) {
    std::optional<R> answer;
    const base::Result<void> ended = begin([&](View& view) -> base::Result<void> {
      answer.emplace(function(view));
      if (!*answer) return answer->error();
      return {};
    });
    if (!ended) return ended.error();
    return std::move(*answer);
  }
};

}  // namespace quire::content
