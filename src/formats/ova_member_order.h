#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace quire::formats {

/// The part that a file plays in an OVF package, told by its name's ending in any case.
enum class PackageFileKind { descriptor, manifest, certificate, other };

/// `.ovf` is a descriptor, wherever it stands. `.mf` and `.cert` are manifest and certificate only beside the
/// descriptor, that is in names without `/`.
PackageFileKind package_file_kind(std::string_view name);

/// Follows the members of an OVA in their order (DSP0243; content-library-api.md §28.2): the descriptor is first, at
/// the top of the archive, and the only one; manifest and certificate are called as it is (`<base>.mf`, `<base>.cert`),
/// come at most once, and stand right behind it or at the end, each where it likes. A certificate needs a manifest.
/// Everything else may stand anywhere between. Pure bookkeeping; one thread at a time.
class OvaMemberOrder {
 public:
  /// The next member's name, already checked by check_file_name. Error: invalid_argument, id `quire.ova.order`, params
  /// `reason` and `name`.
  base::Result<PackageFileKind> next(std::string_view name);

  /// No more members will come. Error: as above, `name` being the descriptor's, or empty when there is none.
  base::Result<void> finish() const;

 private:
  base::Result<void> check(PackageFileKind kind, std::string_view name) const;

  std::string descriptor_;
  bool manifest_ = false;
  bool certificate_ = false;
  bool others_ = false;  ///< an ordinary file has passed
  bool ending_ = false;  ///< a manifest or certificate has passed behind ordinary files
};

}  // namespace quire::formats
