#pragma once

#include <string>
#include <vector>

#include "service/upload/session_entry.h"

namespace quire::service {

/// What the bytes of a package's metadata file say. Manifest and certificate are checked against each other, whichever
/// comes later: before the transaction that records it, because that reads bytes and takes a while.
struct MetadataFacts {
  /// The other half of a signature, as it was when it was read.
  struct Counterpart {
    std::string name;
    content::BlobId blob;
    content::PackageFacts facts;  ///< new ones of a certificate; else none
  };

  content::PackageFacts own;
  std::vector<Counterpart> counterparts;

  /// Whether `files` still are what these facts were drawn from. Ask inside the transaction; if not, read again.
  bool still_hold(const UploadTarget& target, const std::vector<content::SessionFile>& files) const;
};

/// Outside of transactions. `metadata`: the bytes of the file of `target`; for a file that is no metadata there are no
/// facts. Internal when a counterpart cannot be read: nothing is judged by what was not seen.
base::Result<MetadataFacts> read_metadata(Context& context, const UploadTarget& target,
                                          const std::vector<std::byte>& metadata);

}  // namespace quire::service
