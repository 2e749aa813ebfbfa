#pragma once

#include <string>

namespace quire::content {

/// Two facts of the catalog that cannot both be true, or one that nothing needs any more. No version of Quire writes
/// them: they come from a damaged disk, a restored half of a backup, a hand in the database.
struct Contradiction {
  std::string kind;         ///< one of a fixed set: `item_without_library`
  std::string object;       ///< what it was found at: `item 1f0c… (boot)`
  std::string problem;      ///< a sentence about the object
  std::string remedy;       ///< a sentence: what to do
  bool repairable = false;  ///< CatalogWriter::repair_contradictions ends it, and loses nothing
  bool operator==(const Contradiction&) const = default;
};

}  // namespace quire::content
