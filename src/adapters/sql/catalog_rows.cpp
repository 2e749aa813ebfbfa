#include <algorithm>
#include <concepts>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "adapters/sql/catalog_view.h"
#include "adapters/sql/described_members.h"
#include "adapters/sql/sql_text.h"

/// Plain access to the rows of every table.
namespace quire::adapters::sql {
namespace {

using content::KeyOf;
using content::PartRow;
using content::SessionFile;
using content::UpdateSessionId;

template <class Row>
concept Remembered = std::same_as<Row, content::Library> || std::same_as<Row, content::Item> ||
                     std::same_as<Row, content::UpdateSession>;

template <class Row>
concept OfAccess =
    std::same_as<Row, content::User> || std::same_as<Row, content::Group> || std::same_as<Row, content::GroupMember> ||
    std::same_as<Row, content::Role> || std::same_as<Row, content::Permission>;

/// What counts for quotas.
template <class Row>
concept Counted =
    std::same_as<Row, content::Item> || std::same_as<Row, content::UpdateSession> || std::same_as<Row, SessionFile>;

/// Calls `use` with the values of the columns of a key.
template <class Row, class Use>
auto with_key(const KeyOf<Row>& key, Use use) {
  if constexpr (std::same_as<Row, content::GroupMember>)
    return use(key.owner, content::fold_case(key.name));
  else if constexpr (PartRow<Row>)
    return use(key.owner, key.name);
  else if constexpr (std::same_as<Row, content::ClientToken>)
    return use(key.user, key.operation, key.token);
  else if constexpr (std::same_as<Row, content::TagAttachment>)
    return use(key.tag, key.object_type, key.object);
  else if constexpr (std::same_as<Row, content::User>)
    return use(content::fold_case(key));
  else if constexpr (std::same_as<Row, content::Quota>)
    return use(key.kind, key.name);
  else if constexpr (std::same_as<Row, content::Permission>)
    return use(content::fold_case(key.principal), key.type, key.library.text());
  else
    return use(key);
}

/// Calls `use` with the row that a request writes and, of a part, its owner.
template <class Row, class Use>
void with_row(const content::WriteRow<Row>& request, Use use) {
  if constexpr (PartRow<Row>)
    use(request.row, request.owner);
  else
    use(request.row);
}

template <class Row, class Owner>
concept PartOf = std::same_as<content::OwnerOf<Row>, Owner>;

template <class Owner, class... Tables>
void remove_parts(Connection& connection, const Owner& owner, content::TableList<Tables...>) {
  const auto remove = [&]<class Row>() {
    static const std::string sql = "DELETE FROM " + std::string(table_of<Row>.name) + " " + by_owner<Row>();
    if constexpr (PartOf<Row, Owner>) connection.run(sql, owner);
  };
  (remove.template operator()<typename Tables::Row>(), ...);
}

template <class... Tables>
constexpr bool all_hold_every_member(content::TableList<Tables...>) {
  return (holds_every_member<typename Tables::Row>(table_of<typename Tables::Row>) && ...);
}
static_assert(all_hold_every_member(content::Tables()), "a member of a row has no column in rows.h");

}  // namespace

// ---- reading ----

void CatalogView::find_row(const content::FindAnyRow& request) {
  std::visit([&]<class Row>(const content::FindRow<Row>& find) { find.found = read<Row>(find.key); }, request);
}

void CatalogView::list_parts(const content::ListAnyParts& request) {
  const auto list = [&]<class Row>(const content::ListParts<Row>& parts) {
    static const std::string sql = select_from<Row>(
        by_owner<Row>() + (table_of<Row>.order == Order::as_added ? " ORDER BY position" : " ORDER BY name"));
    if constexpr (std::same_as<Row, SessionFile>) {
      if (!session_files_ || session_files_->session != parts.owner)
        session_files_ = FilesOfSession{parts.owner, connection_.all<Row>(sql, parts.owner)};
      parts.found = session_files_->files;
    } else {
      parts.found = connection_.all<Row>(sql, parts.owner);
    }
  };
  std::visit(list, request);
}

template <class Row>
std::optional<Row> CatalogView::read(const KeyOf<Row>& key) {
  static const std::string sql = select_from<Row>(by_key<Row>());
  const auto select = [&] {
    return with_key<Row>(key, [&](const auto&... parameters) { return connection_.one<Row>(sql, parameters...); });
  };
  if constexpr (Remembered<Row>) {
    return std::get<LastRow<Row>>(last_rows_).get(key, select);
  } else if constexpr (std::same_as<Row, SessionFile>) {
    if (!session_files_ || session_files_->session != key.owner) return select();
    const auto* known = known_file(key.owner, key.name);
    return known == nullptr ? std::nullopt : std::optional(*known);
  } else {
    return select();
  }
}

/// nullptr also when the files of the session have not been read.
SessionFile* CatalogView::known_file(const UpdateSessionId& id, std::string_view name) {
  if (!session_files_ || session_files_->session != id) return nullptr;
  auto& files = session_files_->files;
  const auto found =
      std::find_if(files.begin(), files.end(), [&](const SessionFile& file) { return file.name == name; });
  return found == files.end() ? nullptr : &*found;
}

// ---- writing ----

void CatalogView::insert_row(const content::WriteAnyRow& request) {
  std::visit(
      [&](const auto& write) {
        with_row(write, [&](const auto& row, const auto&... owner) { insert_new(row, owner...); });
      },
      request);
}

void CatalogView::update_row(const content::WriteAnyRow& request) {
  const auto update = [&]<class Row>(const Row& row, const auto&... owner) {
    // A row that is not there is a broken invariant of the caller.
    if (!overwrite(row, owner...))
      throw content::CatalogFailure(
          base::internal_error("a row of " + std::string(table_of<Row>.name) + " was to be updated and is not there"));
    remember(row, owner...);
  };
  std::visit([&](const auto& write) { with_row(write, update); }, request);
}

void CatalogView::put_row(const content::WriteAnyRow& request) {
  const auto put = [&]<class Row>(const Row& row, const auto&... owner) {
    if constexpr (std::same_as<Row, content::Quota>) keeps_use_.reset();
    if constexpr (table_of<Row>.order == Order::as_added || Counted<Row>) {
      // No upsert: on PostgreSQL, looking for the next position makes transactions on other parts collide.
      if (!overwrite(row, owner...)) insert_new(row, owner...);
    } else {
      static const std::string sql = insert_or_replace<Row>();
      connection_.run(sql, owner..., row);
    }
    remember(row, owner...);
  };
  std::visit([&](const auto& write) { with_row(write, put); }, request);
}

void CatalogView::remove_row(const content::RemoveAnyRow& request) {
  std::visit([&]<class Row>(const content::RemoveRow<Row>& remove) { remove_with_parts<Row>(remove.key); }, request);
}

template <class Row, class... Owner>
void CatalogView::insert_new(const Row& row, const Owner&... owner) {
  static const std::string sql = insert_into<Row>();
  if constexpr (OfAccess<Row>) access_changed_ = true;
  if constexpr (std::same_as<Row, content::Library>) libraries_changed_ = true;
  if constexpr (std::same_as<Row, content::Event>) connection_.await_turn_for_events();
  if constexpr (table_of<Row>.order == Order::as_added)
    connection_.run(sql, owner..., owner..., row);
  else
    connection_.run(sql, owner..., row);
  if constexpr (std::same_as<Row, content::Quota>) keeps_use_.reset();
  if constexpr (Counted<Row>)
    if (keeps_use()) count(nullptr, &row, owner...);
}

/// False when there is no row of this key.
template <class Row, class... Owner>
bool CatalogView::overwrite(const Row& row, const Owner&... owner) {
  static const std::string all_columns = update_set<Row>();
  const bool counts = Counted<Row> && keeps_use();
  if (!connection_.updates_every_index() && !counts)
    return connection_.run(all_columns, WithoutKey{row}, owner..., KeyOnly{row}) > 0;
  const auto before = read_stored(row, owner...);
  if (!before) return false;
  // Before the row is written: what a session that ends had reserved is read from it and its files.
  if constexpr (Counted<Row>)
    if (counts) count(&*before, &row, owner...);
  const auto places = changed_columns(*before, row);
  if (std::find(places.begin(), places.end(), true) != places.end())
    connection_.run(update_set_at<Row>(places), ColumnsAt{row, places}, owner..., KeyOnly{row});
  return true;
}

/// What is stored under the key of `row`.
template <class Row, class... Owner>
std::optional<Row> CatalogView::read_stored(const Row& row, const Owner&... owner) {
  if constexpr (Remembered<Row>) {
    return read<Row>(row.id);
  } else if constexpr (std::same_as<Row, SessionFile>) {
    return read<Row>({owner..., row.name});
  } else {
    static const std::string sql = select_from<Row>(by_key<Row>());
    return connection_.one<Row>(sql, owner..., KeyOnly{row});
  }
}

/// Keeps what the transaction has in memory the same as a row that it changed.
template <class Row, class... Owner>
void CatalogView::remember(const Row& row, const Owner&... owner) {
  if constexpr (Remembered<Row>) std::get<LastRow<Row>>(last_rows_).remember(row);
  if constexpr (std::same_as<Row, content::LoginSession>) logins_changed_ = true;
  if constexpr (OfAccess<Row>) access_changed_ = true;
  if constexpr (std::same_as<Row, content::Library>) libraries_changed_ = true;
  if constexpr (std::same_as<Row, SessionFile>) {
    if (!session_files_ || ((session_files_->session != owner) || ...)) return;
    if (auto* known = known_file(owner..., row.name))
      *known = row;
    else
      session_files_->files.push_back(row);
  }
}

template <class Row>
void CatalogView::remove_with_parts(const KeyOf<Row>& key) {
  static const std::string sql = "DELETE FROM " + std::string(table_of<Row>.name) + " " + by_key<Row>();
  if constexpr (std::same_as<Row, content::Quota>) keeps_use_.reset();
  if constexpr (Counted<Row>) {
    const auto before = keeps_use() ? read<Row>(key) : std::nullopt;
    if constexpr (PartRow<Row>) {
      if (before) count(&*before, nullptr, key.owner);
    } else {
      if (before) count(&*before, nullptr);
    }
  }
  if constexpr (Remembered<Row>) std::get<LastRow<Row>>(last_rows_).forget();
  if constexpr (std::same_as<Row, content::LoginSession>) logins_changed_ = true;
  if constexpr (OfAccess<Row>) access_changed_ = true;
  if constexpr (std::same_as<Row, content::Library>) libraries_changed_ = true;
  if constexpr (std::same_as<Row, SessionFile> || std::same_as<Row, content::UpdateSession>) session_files_.reset();
  if constexpr (std::same_as<Row, content::Item>) remove_with_parts<content::SourceItem>(key);
  remove_parts(connection_, key, content::Parts());
  with_key<Row>(key, [&](const auto&... parameters) { connection_.run(sql, parameters...); });
}

}  // namespace quire::adapters::sql
