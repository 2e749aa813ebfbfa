#pragma once

#include <boost/pfr/tuple_size.hpp>
#include <cstddef>
#include <tuple>

#include "adapters/sql/rows.h"

namespace quire::adapters::sql {

/// Whether every member of Row lies in a column: one that does not would be lost without a word.
template <class Row, class... Columns>
constexpr bool holds_every_member(const TableColumns<Columns...>&) {
  return (std::size_t{0} + ... + (Columns::use.read ? 1U : 0U)) == boost::pfr::tuple_size_v<Row>;
}

}  // namespace quire::adapters::sql
