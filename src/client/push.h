#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "client/api.h"
#include "client/catalog_names.h"
#include "client/output.h"
#include "client/transfer_settings.h"

namespace quire::client {

struct PushOrder {
  std::vector<std::string> sources;
  ItemName target;
  std::optional<std::string> name;         ///< of a single source
  std::optional<std::string> type;         ///< of an item that is created; else by the names of the files
  std::optional<std::string> description;  ///< of an item that is created
  bool create_library = false;
  bool force = false;      ///< send all of it, also what is there already
  bool take_over = false;  ///< cancel the session that holds the item
  TransferSettings transfer;
};

struct PushOutcome {
  std::string item_id;
  bool created = false;
  bool unchanged = false;  ///< everything was there already
  std::int64_t bytes = 0;  ///< of the files that were sent
};

/// Creates the item or replaces its content under the same id, in one update session, and waits for the result. What
/// is there already is not sent. After any end but success and refusal the same call goes on where this one was.
/// Errors: content_refused() with the server's reason; network_error(), interrupted(): run again; conflict() when
/// another holds the item.
base::Result<PushOutcome> push(Api& api, const PushOrder& order, Output& output);

}  // namespace quire::client
