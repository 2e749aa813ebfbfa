#pragma once

#include "service/configuration.h"
#include "service/download_sessions.h"
#include "service/items.h"
#include "service/libraries.h"
#include "service/logins.h"
#include "service/sources.h"
#include "service/update_sessions.h"
#include "service/uploads.h"

namespace quire::service {

/// All services of one server, for the layers above. Thread-safe like its members.
struct Services {
  Context& context;
  Logins& logins;
  Libraries libraries{context};
  Items items{context};
  UpdateSessions update_sessions{context};
  Sources sources{context};
  DownloadSessions download_sessions{context};
  Configuration configuration{context};
  Uploads uploads{context};
  Downloads downloads{context};
  std::string server_guid;  ///< stable per installation
};

}  // namespace quire::service
