#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/digest.h"
#include "base/enumeration.h"
#include "base/error.h"
#include "base/time.h"
#include "content/ids.h"
#include "content/package_facts.h"
#include "content/received_ranges.h"
#include "content/source_url.h"

namespace quire::content {

/// Spelled as on the wire (content-library-api.md §14.2, §14.3, §15.2).
QUIRE_ENUM(UpdateSessionState, ACTIVE, DONE, ERROR, CANCELED)
QUIRE_ENUM(SourceType, NONE, PUSH, PULL)
QUIRE_ENUM(TransferStatus, WAITING_FOR_TRANSFER, TRANSFERRING, READY, VALIDATING, ERROR)

struct WarningBehavior {
  WarningType type = WarningType::SELF_SIGNED_CERTIFICATE;
  bool ignored = false;
  bool operator==(const WarningBehavior&) const = default;
};

/// A transaction on one item (content-library-api.md §14). At most one per item is ACTIVE.
struct UpdateSession {
  UpdateSessionId id;
  ItemId item_id;
  std::int64_t item_content_version = 1;  ///< of the item when the session was created
  std::string creator;                    ///< user name
  LoginId login;                          ///< kept alive by the session's transfers (§1.7)
  UpdateSessionState state = UpdateSessionState::ACTIVE;
  bool completing = false;                     ///< `complete` was accepted, pulls still run (§28.1)
  bool completed_itself = false;               ///< DONE without a `complete`; one that comes later succeeds (§28.1)
  std::optional<base::Message> error_message;  ///< set exactly in ERROR
  std::int64_t client_progress = 0;            ///< 0–100
  base::Time created;
  base::Time changed;     ///< last call that was no read, or end of a transfer; §28.1 "a session that nobody completes"
  base::Time expires_at;  ///< never expires earlier; of an ended session: the last value
  std::optional<base::Time> ended_at;
  std::optional<std::vector<WarningBehavior>> warning_behavior;
  bool operator==(const UpdateSession&) const = default;
};

/// Where a PULL reads from (content-library-api.md §15.2).
struct SourceEndpoint {
  SourceUrl uri;
  std::optional<std::string> ssl_certificate_thumbprint;
  std::optional<std::string> ssl_certificate;
  /// Of a descriptor: where redirects led to, without credentials. Empty: nowhere else.
  SourceUrl read_from = {};
  /// Of a file that a descriptor references: asked in turn where the one before answers 403 or 404 (§28.2).
  std::vector<SourceUrl> alternatives = {};
  bool operator==(const SourceEndpoint&) const = default;
};

/// What has arrived of a file that is not whole: durable, so an upload can go on from it after anything
/// (docs/uploads.md).
struct UnfinishedContent {
  BlobId blob;  ///< unfinished in the blob store
  StorageId storage;
  ReceivedRanges received;
  std::optional<std::int64_t> length;  ///< of the whole file, once a request told it
  bool operator==(const UnfinishedContent&) const = default;
};

/// An entry of an update session (content-library-api.md §15). NONE entries are the snapshot of the item's files.
struct SessionFile {
  std::string name;
  SourceType source_type = SourceType::NONE;
  std::optional<SourceEndpoint> source_endpoint;  ///< exactly for PULL
  TransferToken upload_token;  ///< PUSH: the secret in its endpoint; PULL: names its transfer, never shown; else empty
  std::optional<std::int64_t> declared_size;
  std::optional<base::Checksum> declared_checksum;
  TransferStatus status = TransferStatus::READY;
  std::int64_t bytes_transferred = 0;
  std::optional<std::int64_t> size;     ///< from READY on
  std::vector<base::Checksum> digests;  ///< all that were taken of the received bytes
  BlobId blob;  ///< non-empty from READY on, except for an unpacked archive; cleared at the session's end
  std::optional<UnfinishedContent> unfinished;  ///< of a pushed file that is TRANSFERRING
  std::optional<base::Message> error_message;   ///< exactly in ERROR
  bool keep_in_storage = true;                  ///< false for manifest and certificate of a package
  std::int64_t reserved = 0;  ///< bytes of a quota that a transfer has asked for beyond what the rest of the row tells
  std::int64_t attempt = 0;   ///< +1 with each transfer that starts; a transfer of an older attempt has lost
  std::string archive;        ///< name of the `.ova` entry that this file came out of; such entries are not listed
  PackageFacts facts;
  bool operator==(const SessionFile&) const = default;
};

}  // namespace quire::content
