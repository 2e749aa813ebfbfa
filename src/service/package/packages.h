#pragma once

#include "formats/ovf_descriptor.h"
#include "service/transaction/context.h"

namespace quire::service {

/// What the stored packages say of themselves. All threads may call it.
class Packages {
 public:
  explicit Packages(Context& context) : context_(context) {}

  /// What is asked or shown before the package is deployed, out of its descriptor (content-library-api.md §21).
  /// NotFound; InvalidArgument: no item of type `ovf`; NotAllowedInCurrentState: it has no content;
  /// ResourceInaccessible: the descriptor cannot be read.
  base::Result<formats::OvfDeployment> deployment(const content::Caller& caller, const content::ItemId& id);

 private:
  Context& context_;
};

}  // namespace quire::service
