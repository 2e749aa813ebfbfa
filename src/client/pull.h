#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "client/api.h"
#include "client/catalog_names.h"
#include "client/output.h"
#include "client/transfer_settings.h"

namespace quire::client {

struct PullOrder {
  ItemName source;
  std::optional<std::string> file;  ///< one file of the item; else all
  std::string destination = ".";    ///< a folder, the name of a file when one file is pulled, or `-` for stdout
  TransferSettings transfer;
};

struct PullOutcome {
  std::string item_id;
  std::int64_t bytes = 0;  ///< of all files
  std::int64_t files = 0;
  std::int64_t there = 0;  ///< files that were there already
  bool verified = true;    ///< false: the server tells no checksum of some file
};

/// Downloads the files of an item. Each is compared with the server's checksum while it arrives, and gets its name only
/// when it fits; files that are there with the same bytes are left alone. After a break the same call goes on. Errors:
/// content_refused() for bytes that are not those of the checksum; network_error(), interrupted(): run again;
/// local_error() for files that cannot be written.
base::Result<PullOutcome> pull(Api& api, const PullOrder& order, Output& output);

}  // namespace quire::client
