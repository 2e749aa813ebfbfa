#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/digest.h"
#include "base/enumeration.h"
#include "base/time.h"
#include "content/ids.h"
#include "content/library.h"
#include "content/package_facts.h"

namespace quire::content {

/// Spelled as on the wire (content-library-api.md §11.2).
QUIRE_ENUM(CertVerificationStatus, NOT_AVAILABLE, VERIFIED, INTERNAL, VERIFICATION_FAILURE, VERIFICATION_IN_PROGRESS,
           UNTRUSTED)

struct CertificateVerification {
  CertVerificationStatus status = CertVerificationStatus::NOT_AVAILABLE;
  std::vector<std::string> cert_chain;  ///< base64 of DER, leaf first; empty when unsigned
  bool covers_all = false;              ///< what was signed names every file, and each was compared with it
  bool operator==(const CertificateVerification&) const = default;
};

/// A library item (content-library-api.md §11.2). Its files are the content set it points to; only the end of an update
/// session moves that pointer.
struct Item {
  ItemId id;
  LibraryId library_id;
  std::string name;  ///< unique in the library, compared exactly
  std::string description;
  std::string type;  ///< as the client gave it
  base::Time creation_time;
  base::Time last_modified_time;
  std::int64_t version = 1;  ///< §28.4
  std::int64_t metadata_version = 1;
  std::int64_t content_version = 1;
  ContentId content;      ///< the current set of files; empty while there never was one
  std::int64_t size = 0;  ///< bytes of all files, also of those stored once for several items
  std::optional<std::string> source_id;
  bool security_compliance = true;
  std::optional<CertificateVerification> certificate_verification;
  std::string creator;                            ///< user name without regard to case (fold_case); empty: not known
  std::int64_t reserved = 0;                      ///< bytes of a quota that are kept for a copy that runs
  bool cached = true;                             ///< false: of a subscribed library, and its content is not here
  std::optional<base::Time> last_sync_time = {};  ///< of an item of a subscribed library
  bool operator==(const Item&) const = default;
};

struct ItemFilter {
  std::optional<std::string> name;  ///< whole name, without regard to case
  std::optional<LibraryId> library_id;
  std::optional<std::string> source_id;
  std::optional<std::string> type;  ///< without regard to case
  std::optional<bool> cached;
  const LibrarySelection* among = nullptr;  ///< in these libraries only; must outlive the call
};

/// Bytes that a row names.
struct Blob {
  BlobId id;
  StorageId storage;
  std::int64_t size = 0;
  std::string sha256;       ///< lower-case hexadecimal
  bool in_catalog = false;  ///< few bytes, which the catalog holds itself; else they lie in the storage's blob store
  bool operator==(const Blob&) const = default;
};

/// A file of a content set. Never changes.
struct ContentFile {
  std::string name;
  std::int64_t version = 1;  ///< +1 with each new copy of this name
  BlobId blob;
  std::int64_t size = 0;
  base::Checksum checksum;  ///< in the algorithm the uploader promised, SHA-256 otherwise
  /// What the file says as metadata of a package; nullopt while nobody has looked (catalogs of older versions).
  std::optional<PackageFacts> facts = {};
  /// The content version that brought this copy of the file: names its bytes among all that the item ever had under
  /// the name, which `version` does not (it begins anew when a file is removed and comes back).
  std::int64_t since = 1;
  bool operator==(const ContentFile&) const = default;
};

/// An immutable set of files, the content of one item at one content version.
struct Content {
  ContentId id;
  ItemId item_id;
  std::int64_t content_version = 1;
  base::Time created;
  bool operator==(const Content&) const = default;
};

/// One step of an item's history (content-library-api.md §19).
struct Change {
  std::int64_t content_version = 1;
  base::Time time;
  std::string user;
  bool operator==(const Change&) const = default;
};

}  // namespace quire::content
