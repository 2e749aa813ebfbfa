#pragma once

#include <string>
#include <vector>

#include "service/transaction/transaction.h"

namespace quire::service {

/// The trust store: whose signatures of packages count (content-library-api.md §10). A change is a change of what is
/// known of the items that are there: those whose signature was seen are judged again in the same transaction, as of
/// the day on which their content came. All threads may call it.
class TrustedCertificates {
 public:
  explicit TrustedCertificates(Context& context) : context_(context) {}

  /// The id of the certificate, which may have been there before. InvalidArgument unless `pem` holds exactly one;
  /// UnableToAllocateResource when there are too many.
  base::Result<std::string> create(const content::Caller& caller, const std::string& pem);
  /// In the order in which they were added.
  base::Result<std::vector<content::TrustedCertificate>> list(const content::Caller& caller);
  base::Result<content::TrustedCertificate> get(const content::Caller& caller, const std::string& id);  ///< NotFound
  base::Result<void> remove(const content::Caller& caller, const std::string& id);                      ///< NotFound

  /// For the start of a server: adds those that are not there.
  base::Result<void> add_all(const std::vector<std::string>& pem);

 private:
  Context& context_;
};

/// Sets the warnings of the signatures among `files` by the trust store and the time.
void judge_signatures(View view, base::Time now, std::vector<content::SessionFile>& files);

}  // namespace quire::service
