#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "content/storage.h"
#include "service/blob/blob_bytes.h"
#include "service/subscription/source_library.h"
#include "service/subscription/transfer_rate.h"

namespace quire::service {

/// The bytes of one synchronization on their way: counted, and kept to the rates. Shared by the threads that fetch.
struct SyncFlow {
  TransferRate& of_subscription;
  TransferRate& of_server;
  const std::atomic<bool>& stop;
  std::atomic<std::int64_t> bytes = 0;  ///< that have come

  /// Counts, and waits for as long as the rates want; false when `stop` was set meanwhile.
  bool take(std::int64_t count, const base::Clock& clock);
};

/// A file of a publisher's item that has come whole and is what the publisher said.
struct ArrivedFile {
  ArrivedBlob blob;
  std::vector<base::Checksum> digests;  ///< SHA-256 and those that were asked for
  std::vector<std::byte> bytes;         ///< all of them, where they were asked for
};

/// How a file is fetched.
struct FileWish {
  const vcsp::Item& item;
  const vcsp::File& file;
  const content::Storage& storage;
  std::vector<base::DigestAlgorithm> algorithms;
  bool keep_bytes = false;  ///< of a metadata file, which must not be larger than Limits::metadata_file_bytes_max
};

/// Outside of transactions: fetches a file from the places that its hrefs mean, one after the other, with the attempts
/// of pulls (Settings::pull_attempts), and goes on where an attempt broke off. Durable when it returns; nothing stays
/// after an Error. ResourceInaccessible with the reason; is_moved_on() where the item is another one by now;
/// UnableToAllocateResource when the storage is full; Canceled when the flow is to stop.
base::Result<ArrivedFile> fetch_file(Context& context, const SourceLibrary& source, const FileWish& wish,
                                     SyncFlow& flow);

/// The publisher's file is not there, or not the one that its document told of: the document is old (vcsp.md §6.4).
bool is_moved_on(const base::Error& error);

}  // namespace quire::service
