#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "content/catalog.h"
#include "content/storage.h"

namespace quire::doctor {

/// Something that is wrong, in words for people.
struct Finding {
  std::string kind;     ///< for scripts: `blob_missing`, `item_size`, …
  std::string object;   ///< what it was found at
  std::string problem;  ///< a sentence
  std::string remedy;   ///< a sentence: what to do
  bool repairable = false;
  bool repaired = false;
};

struct Examination {
  bool digests = false;  ///< read all bytes and compare their digests, not only sizes
  bool repair = false;   ///< end what can be ended without losing anything
  /// Bytes that have been read and that there are in all; called now and then while digests are compared.
  std::function<void(std::int64_t read, std::int64_t all)> progress = [](std::int64_t, std::int64_t) {};
};

struct Diagnosis {
  std::vector<Finding> findings;
  std::int64_t blobs = 0;  ///< that were looked at
  std::int64_t bytes = 0;  ///< their size
};

/// Compares the catalog with itself and with the storages, and says what is wrong and what repairs it. Only while no
/// server runs on them: what one is doing at this moment would look like damage. The Error says what kept it from
/// looking.
base::Result<Diagnosis> examine(content::Catalog& catalog, const content::Storages& storages,
                                const Examination& examination);

}  // namespace quire::doctor
