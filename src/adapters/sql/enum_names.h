#pragma once

#include <string>
#include <string_view>

#include "base/enumeration.h"
#include "content/catalog.h"

namespace quire::adapters::sql {

/// What the database holds is not what this version stores there. Throws content::CatalogFailure.
[[noreturn]] inline void fail_corrupt(const std::string& what) {
  throw content::CatalogFailure(base::internal_error("the catalog holds a value that no Quire stores: " + what));
}

template <class Enum>
std::string_view stored_name(Enum value) {
  if (const auto name = base::name_of(value); !name.empty()) return name;
  fail_corrupt("enumerator " + std::to_string(static_cast<int>(value)));
}

template <class Enum>
Enum enumerator_of(std::string_view stored) {
  if (const auto found = base::enumerator_named<Enum>(stored)) return *found;
  fail_corrupt("'" + std::string(stored) + "'");
}

}  // namespace quire::adapters::sql
