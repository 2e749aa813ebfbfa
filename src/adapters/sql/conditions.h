#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "adapters/sql/connection.h"
#include "content/permission.h"
#include "content/text.h"

namespace quire::adapters::sql {

/// Builds ` WHERE … AND …` from the conditions that are asked for.
class Conditions {
 public:
  void add(bool asked, std::string_view condition) {
    if (!asked) return;
    text_ += text_.empty() ? " WHERE " : " AND ";
    text_ += condition;
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

inline std::optional<std::string> folded(const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  return content::fold_case(*text);
}

/// Which permissions a filter means.
class PermissionConditions {
 public:
  explicit PermissionConditions(const content::PermissionFilter& filter)
      : filter_(filter), principal_(folded(filter.principal)) {
    if (filter.library && !filter.library->empty()) library_ = filter.library;
    conditions_.add(filter.library && filter.library->empty(), "library_id IS NULL");
    conditions_.add(library_.has_value(), "library_id = :library_id");
    conditions_.add(principal_.has_value(), "folded_principal = :folded_principal");
    conditions_.add(filter.type.has_value(), "type = :type");
    conditions_.add(filter.role.has_value(), "role = :role");
  }

  /// Calls `use` with the WHERE and its parameters.
  template <class Use>
  auto apply(Use use) const {
    return use(conditions_.text(), IfGiven{library_}, IfGiven{principal_}, IfGiven{filter_.type},
               IfGiven{filter_.role});
  }

 private:
  const content::PermissionFilter& filter_;
  std::optional<std::string> principal_;
  std::optional<content::LibraryId> library_;
  Conditions conditions_;
};

}  // namespace quire::adapters::sql
