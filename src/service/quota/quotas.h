#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "content/quota.h"
#include "service/transaction/context.h"

namespace quire::service {

using content::QuotaLimits;

/// Where the limits of a quota come from.
QUIRE_ENUM(QuotaSource, NONE, OWN, DEFAULT)

/// The limits that hold for somebody, wherever they come from, and what is used.
struct QuotaInForce : content::Quota {
  QuotaSource source = QuotaSource::NONE;
};

/// Quotas of libraries and users (docs/quotas.md). They are kept by write(), for every change; here they are set and
/// read. All threads may call it. Everything but of_library() and own() needs Authorization.ModifyPermissions on the
/// root (Unauthorized): nobody sets their own quota.
class Quotas {
 public:
  explicit Quotas(Context& context) : context_(context) {}

  /// The limits of a library, its own or the default's, and what it uses. NotFound; needs System.Read on it.
  base::Result<QuotaInForce> of_library(const content::Caller& caller, const content::LibraryId& library);
  /// The same of a user, whom the catalog need not know: of the items that they made.
  base::Result<QuotaInForce> of_user(const content::Caller& caller, const std::string& user);
  base::Result<QuotaInForce> own(const content::Caller& caller);
  /// Those that were set, and those whose use is kept for the default, by owner. Whom the default limits and who has
  /// taken nothing since it was set is not among them.
  base::Result<std::vector<QuotaInForce>> list(const content::Caller& caller, content::QuotaKind kind);

  /// Replaces what was set before. What is used already stays, also above the limits. NotFound: no such library;
  /// InvalidArgument: no limit, one below 0, or what cannot be the name of a user.
  base::Result<void> set_of_library(const content::Caller& caller, const content::LibraryId& library,
                                    const QuotaLimits& limits);
  base::Result<void> set_of_user(const content::Caller& caller, const std::string& user, const QuotaLimits& limits);

  /// The default holds from then on, where there is one. NotFound when there is none of its own.
  base::Result<void> remove(const content::Caller& caller, const content::QuotaOwner& owner);

 private:
  Context& context_;
};

}  // namespace quire::service
