#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/result.h"

namespace quire::formats {

/// The part that a file plays in an OVF package, told by its name's ending in any case.
enum class PackageFileKind { descriptor, manifest, certificate, other };

/// `.ovf` is a descriptor, wherever it stands. `.mf` and `.cert` are manifest and certificate only beside the
/// descriptor, that is in names without `/`. What macOS keeps beside a file (below) is none of these.
PackageFileKind package_file_kind(std::string_view name);

/// Follows the members of an OVA in their order (DSP0243; content-library-api.md §28.2): the descriptor is first, at
/// the top of the archive, and the only one; manifest and certificate are called as it is (`<base>.mf`, `<base>.cert`),
/// come at most once, and stand right behind it or at the end, each where it likes. A certificate needs a manifest.
/// Everything else may stand anywhere between, and behind a manifest at the end when that does not name it (`.nvram`).
///
/// `._NAME` of macOS counts not at all when NAME is a member or a directory, before or after it; without NAME it is a
/// member like others. Pure bookkeeping; one thread at a time.
class OvaMemberOrder {
 public:
  /// The next member's name, already checked by check_file_name. Error: invalid_argument, id `quire.ova.order`, params
  /// `reason` and `name`.
  base::Result<PackageFileKind> next(std::string_view name);

  /// A directory, which is no member.
  void directory(std::string_view name) { note(name); }

  /// Whether a member or directory has come with this name.
  bool has_passed(std::string_view name) const { return names_.contains(name); }

  /// The manifest, a member that has passed, names these files.
  void manifest_names(std::set<std::string, std::less<>> names) { named_ = std::move(names); }

  /// No more members will come. Error: as above, `name` being the descriptor's, or empty when there is none.
  base::Result<void> finish() const;

 private:
  void note(std::string_view name);
  base::Result<void> check(PackageFileKind kind, std::string_view name) const;

  std::string descriptor_;
  std::set<std::string, std::less<>> names_;
  std::map<std::string, base::Error, std::less<>> misplaced_doubles_;  ///< by their NAME, which may still come
  std::optional<std::set<std::string, std::less<>>> named_;            ///< by the manifest
  bool manifest_ = false;
  bool certificate_ = false;
  bool others_ = false;  ///< an ordinary file has passed
  bool ending_ = false;  ///< a manifest or certificate has passed behind ordinary files
};

}  // namespace quire::formats
