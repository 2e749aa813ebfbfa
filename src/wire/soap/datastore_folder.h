#pragma once

#include <string_view>

#include "service/services.h"
#include "wire/request/message.h"

namespace quire::wire {

/// Files of datastores by URL: `GET /folder/<path>?dcPath=DC0&dsName=LocalDS_0` (wire-protocols.md §4.8), with a
/// login's cookie or header. The answer sends the client on to a download endpoint (307). Blocking; all threads may
/// call it.
class DatastoreFolder {
 public:
  explicit DatastoreFolder(service::Services& services) : services_(services) {}
  static bool owns(std::string_view path) { return path.starts_with("/folder/"); }
  Response handle(const Request& request) const;

 private:
  service::Services& services_;
};

}  // namespace quire::wire
