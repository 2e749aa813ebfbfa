#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/digest.h"
#include "base/enumeration.h"
#include "base/error.h"

/// What a package's metadata files say, remembered where the files are named, so that nothing reads them again.
namespace quire::content {

/// Spelled as on the wire (content-library-api.md §14.2).
QUIRE_ENUM(WarningType, SELF_SIGNED_CERTIFICATE, EXPIRED_CERTIFICATE, NOT_YET_VALID_CERTIFICATE, UNTRUSTED_CERTIFICATE)

/// A file that an OVF descriptor references.
struct ExpectedFile {
  std::string name;
  std::optional<std::int64_t> size;
  bool operator==(const ExpectedFile&) const = default;
};
struct DescriptorFacts {
  std::vector<ExpectedFile> expected_files;
  bool operator==(const DescriptorFacts&) const = default;
};
struct ManifestFacts {
  struct Entry {
    std::string name;
    base::Checksum checksum;
    bool operator==(const Entry&) const = default;
  };
  std::vector<Entry> entries;
  bool operator==(const ManifestFacts&) const = default;
};
struct SignatureFacts {
  bool signature_valid = false;
  std::string subject;
  std::string issuer;
  bool self_signed = false;
  std::string x509;                     ///< PEM of the signing certificate
  std::vector<std::string> cert_chain;  ///< base64 of DER, leaf first
  std::vector<WarningType> warnings;    ///< as trust and dates are when one looks; not stored
  bool operator==(const SignatureFacts&) const = default;
};
/// The file came whole but is not what its name says; validate and complete tell why.
struct UnreadableFacts {
  base::Message reason;
  bool operator==(const UnreadableFacts&) const = default;
};

/// std::monostate: not a metadata file.
using PackageFacts = std::variant<std::monostate, DescriptorFacts, ManifestFacts, SignatureFacts, UnreadableFacts>;

}  // namespace quire::content
