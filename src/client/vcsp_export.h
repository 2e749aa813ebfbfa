#pragma once

#include <filesystem>

#include "client/output.h"
#include "client/vcsp_source.h"

namespace quire::client {

struct ExportOrder {
  std::filesystem::path folder;
  bool verify_all = false;  ///< read the bytes of files that are there already too
};

struct ExportOutcome {
  std::int64_t version = 0;  ///< the library's
  std::int64_t items = 0;
  std::int64_t files = 0;
  std::int64_t there = 0;    ///< of the files, those that were there
  std::int64_t bytes = 0;    ///< that came over the network
  std::int64_t removed = 0;  ///< files of older exports that nobody can read any more
};

/// Writes a published library into a folder from which any web server serves it, or which is carried to where there is
/// no network (vcsp.md §9.2). Files come first, each under a name that holds its generation, checked while it arrives;
/// then the documents, `lib.json` last: with its rename all of the new state is there at once, and whoever reads by the
/// old one still finds its files until the next export. What is there already is not fetched again. A folder that holds
/// something else than an export of this library is a conflict. Everything is durable when this returns.
base::Result<ExportOutcome> export_vcsp(VcspSource& source, const ExportOrder& order, Output& output);

}  // namespace quire::client
