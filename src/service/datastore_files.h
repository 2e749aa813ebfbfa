#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "service/download_session/download_sessions.h"

namespace quire::service {

struct DatastoreEntry {
  std::string name;
  bool is_folder = false;
  std::int64_t size = 0;
  base::Time modified;
};

/// Libraries as files of datastores: `contentlib-<library id>/<item id>/<file name>` on the datastore that the library
/// names as its backing (wire-protocols.md §4.8), wherever the bytes are. Read-only. All threads may call it.
class DatastoreFiles {
 public:
  DatastoreFiles(Context& context, DownloadSessions& sessions) : context_(context), sessions_(sessions) {}

  /// What a folder holds that the caller may read. NotFound: no such datastore or folder; Unauthorized: a folder of
  /// files without ReadStorage on the item.
  base::Result<std::vector<DatastoreEntry>> list(const content::Caller& caller, const content::StorageId& datastore,
                                                 std::string_view folder);

  /// Prepares a file in a download session of the caller's. NotFound: no such datastore or file; Unauthorized: without
  /// ReadStorage and DownloadSession on the item.
  base::Result<DownloadFile> prepare(const content::Caller& caller, const content::StorageId& datastore,
                                     std::string_view path);

 private:
  Context& context_;
  DownloadSessions& sessions_;
};

}  // namespace quire::service
