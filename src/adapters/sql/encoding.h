#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "adapters/sql/enum_names.h"
#include "adapters/sql/statement.h"
#include "adapters/sql/stored_json.h"
#include "base/base64.h"
#include "base/id.h"
#include "base/time.h"

namespace quire::adapters::sql {

/// How a value of type T lies in one cell: `kind`, `put` and `get`. `get` throws content::CatalogFailure when the cell
/// holds no T.
template <class T>
struct Encoding;

inline void check_not_null(const Cell& cell) {
  if (cell.indicator == soci::i_null) fail_corrupt("NULL");
}

/// PostgreSQL's text cannot hold U+0000.
inline void check_no_nul(std::string_view text) {
  if (text.find('\0') != std::string_view::npos)
    throw content::CatalogFailure(base::Error(base::ErrorKind::invalid_argument, "quire.catalog.nul",
                                              "A text holds the character U+0000, which cannot be stored."));
}

template <>
struct Encoding<std::string_view> {
  static constexpr CellKind kind = CellKind::text;
  static void put(Cell& cell, std::string_view value) {
    check_no_nul(value);
    cell.indicator = soci::i_ok;
    cell.text = value;
  }
};

template <>
struct Encoding<std::string> : Encoding<std::string_view> {
  static void get(const Cell& cell, std::string& value) {
    check_not_null(cell);
    value = cell.text;
  }
};

template <class T>
  requires(std::integral<T> && !std::same_as<T, bool>)
struct Encoding<T> {
  static constexpr CellKind kind = CellKind::number;
  static void put(Cell& cell, T value) {
    cell.indicator = soci::i_ok;
    cell.number = static_cast<long long>(value);
  }
  static void get(const Cell& cell, T& value) {
    check_not_null(cell);
    value = static_cast<T>(cell.number);
  }
};

template <>
struct Encoding<bool> {
  static constexpr CellKind kind = CellKind::number;
  static void put(Cell& cell, bool value) { Encoding<int>::put(cell, value ? 1 : 0); }
  static void get(const Cell& cell, bool& value) {
    check_not_null(cell);
    value = cell.number != 0;
  }
};

template <>
struct Encoding<base::Time> {
  static constexpr CellKind kind = CellKind::number;
  static void put(Cell& cell, base::Time value) { Encoding<std::int64_t>::put(cell, value.time_since_epoch().count()); }
  static void get(const Cell& cell, base::Time& value) {
    check_not_null(cell);
    value = base::Time(base::Duration(cell.number));
  }
};

/// An empty id is NULL, so that it can be absent from unique indexes and foreign keys.
template <class Tag>
struct Encoding<base::Id<Tag>> {
  static constexpr CellKind kind = CellKind::text;
  static void put(Cell& cell, const base::Id<Tag>& value) {
    check_no_nul(value.text());
    cell.indicator = value.empty() ? soci::i_null : soci::i_ok;
    cell.text = value.text();
  }
  static void get(const Cell& cell, base::Id<Tag>& value) {
    value = cell.indicator == soci::i_null ? base::Id<Tag>() : base::Id<Tag>(cell.text);
  }
};

template <class T>
struct Encoding<std::optional<T>> {
  static constexpr CellKind kind = Encoding<T>::kind;
  static void put(Cell& cell, const std::optional<T>& value) {
    if (value)
      Encoding<T>::put(cell, *value);
    else
      cell.indicator = soci::i_null;
  }
  static void get(const Cell& cell, std::optional<T>& value) {
    value.reset();
    if (cell.indicator != soci::i_null) Encoding<T>::get(cell, value.emplace());
  }
};

template <class Enum>
  requires std::is_enum_v<Enum>
struct Encoding<Enum> {
  static constexpr CellKind kind = CellKind::text;
  static void put(Cell& cell, Enum value) { Encoding<std::string_view>::put(cell, stored_name(value)); }
  static void get(const Cell& cell, Enum& value) {
    check_not_null(cell);
    value = enumerator_of<Enum>(cell.text);
  }
};

/// Whether the bytes are read where they lie.
template <>
struct Encoding<content::DownloadAccess> {
  static constexpr CellKind kind = CellKind::number;
  static void put(Cell& cell, content::DownloadAccess value) {
    Encoding<bool>::put(cell, value == content::DownloadAccess::DIRECT);
  }
  static void get(const Cell& cell, content::DownloadAccess& value) {
    check_not_null(cell);
    value = cell.number == 0 ? content::DownloadAccess::HTTPS : content::DownloadAccess::DIRECT;
  }
};

/// In base64: PostgreSQL's text cannot hold U+0000, and SOCI has no other short form that both engines know.
template <>
struct Encoding<std::vector<std::byte>> {
  static constexpr CellKind kind = CellKind::text;
  static void put(Cell& cell, const std::vector<std::byte>& value) {
    cell.indicator = soci::i_ok;
    cell.text = base::to_base64(value);
  }
  static void get(const Cell& cell, std::vector<std::byte>& value) {
    check_not_null(cell);
    auto bytes = base::from_base64(cell.text);
    if (!bytes) fail_corrupt("bytes that are no base64");
    value = *std::move(bytes);
  }
};

template <class T>
concept StoredAsJson = requires(const T& value, T& target, std::string_view text) {
  { to_json_text(value) } -> std::same_as<std::string>;
  from_json_text(text, target);
};

template <StoredAsJson T>
struct Encoding<T> {
  static constexpr CellKind kind = CellKind::text;
  static void put(Cell& cell, const T& value) {
    cell.indicator = soci::i_ok;
    cell.text = to_json_text(value);
  }
  static void get(const Cell& cell, T& value) {
    check_not_null(cell);
    from_json_text(cell.text, value);
  }
};

}  // namespace quire::adapters::sql
