#pragma once

#include <string>
#include <vector>

#include "service/transaction/context.h"

namespace quire::service {

/// What uses libraries from outside, and so keeps them from being deleted (content-library-api.md §20). All threads may
/// call it. Each call needs its privilege on the library.
class Usages {
 public:
  explicit Usages(Context& context) : context_(context) {}

  /// NotFound.
  base::Result<std::vector<content::LibraryUsage>> list(const content::Caller& caller,
                                                        const content::LibraryId& library);
  /// NotFound: library or usage.
  base::Result<content::LibraryUsage> get(const content::Caller& caller, const content::LibraryId& library,
                                          const content::UsageId& id);
  /// NotFound; InvalidArgument: no URN of a resource, or too many usages; AlreadyExists.
  base::Result<content::UsageId> add(const content::Caller& caller, const content::LibraryId& library,
                                     const std::string& resource_urn);
  /// NotFound: library or usage.
  base::Result<void> remove(const content::Caller& caller, const content::LibraryId& library,
                            const content::UsageId& id);

 private:
  Context& context_;
};

}  // namespace quire::service
