#pragma once

#include <optional>
#include <vector>

#include "formats/certificate.h"
#include "formats/ovf_descriptor.h"
#include "service/transaction/context.h"

namespace quire::service {

/// Who vouches for a package, as its item remembers it.
struct PackageSigner {
  content::CertVerificationStatus status = content::CertVerificationStatus::NOT_AVAILABLE;
  bool covers_all = false;                             ///< what was signed names every file
  std::vector<formats::CertificateDescription> chain;  ///< the signer's certificate first; without what cannot be read
};

struct PackageDescription {
  formats::OvfDeployment deployment;
  std::optional<PackageSigner> signer;  ///< unset: not signed
};

/// What the stored packages say of themselves. All threads may call it.
class Packages {
 public:
  explicit Packages(Context& context) : context_(context) {}

  /// What is asked or shown before the package is deployed, out of its descriptor (content-library-api.md §21).
  /// NotFound; InvalidArgument: no item of type `ovf`; NotAllowedInCurrentState: it has no content;
  /// ResourceInaccessible: the descriptor cannot be read.
  base::Result<formats::OvfDeployment> deployment(const content::Caller& caller, const content::ItemId& id);

  /// The same, and who signed the package. Errors as deployment().
  base::Result<PackageDescription> description(const content::Caller& caller, const content::ItemId& id);

 private:
  Context& context_;
};

}  // namespace quire::service
