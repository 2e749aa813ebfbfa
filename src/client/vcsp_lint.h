#pragma once

#include <functional>

#include "client/vcsp_source.h"
#include "vcsp/reader.h"

namespace quire::client {

struct LintOrder {
  bool content = false;  ///< read every byte, and compare it with all that is said of it
};

struct LintOutcome {
  std::int64_t items = 0;
  std::int64_t files = 0;
  std::int64_t bytes = 0;  ///< that were read of files
};

/// Reads a published library as subscribers do and tells of all that one of them would stumble over (vcsp.md §2–§8).
/// Error when it cannot be read any further.
base::Result<LintOutcome> lint_vcsp(VcspSource& source, const LintOrder& order,
                                    const std::function<void(const vcsp::Remark&)>& found);

}  // namespace quire::client
