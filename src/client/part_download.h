#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/digest.h"
#include "base/result.h"
#include "client/api.h"
#include "client/progress.h"
#include "client/retry.h"
#include "client/transfer_settings.h"
#include "content/received_ranges.h"

/// Bytes from download endpoints: in ranges, on several connections, again and again until they are there, hashed
/// behind the last byte that has no gap before it.
namespace quire::client {

/// A file on its way.
struct Download {
  std::string name;
  std::string uri;
  std::optional<std::int64_t> size;        ///< nullopt: the server does not tell
  std::optional<base::Checksum> checksum;  ///< what the bytes must have
  int file = -1;                     ///< open for reading and writing, as many bytes long as have arrived, or longer
  std::string version;               ///< entity tag, for ranges; empty: taken with one request, in order
  content::ReceivedRanges received;  ///< what the file has; guarded by the receiver
  std::int64_t hashed = 0;
};

/// What a HEAD on a download endpoint tells.
struct DownloadFacts {
  std::optional<std::int64_t> size;
  std::optional<base::Checksum> checksum;  ///< `Repr-Digest` (RFC 9530)
  std::string version;                     ///< empty: no ranges
};
base::Result<DownloadFacts> ask_download(HttpClient& http, const Api& api, const std::string& uri);

/// Fills files. One call of run().
class PartReceiver {
 public:
  PartReceiver(Api& api, const TransferSettings& settings, Progress& progress)
      : api_(api), settings_(settings), progress_(progress), patience_(api.transport(), settings.give_up_after) {}

  /// Returns when all bytes are there and fit their checksums, or with the first failure that another attempt cannot
  /// mend; then content_refused() when bytes do not fit. `tick` is called several times a second by the calling
  /// thread, with what has arrived in `downloads` standing still. Sets the size of those that had none.
  base::Result<void> run(std::vector<Download>& downloads, const std::function<void()>& tick);

 private:
  struct Range {
    Download* download = nullptr;
    content::ByteRange range;  ///< an end of 0: to the end of a file whose length is not known
  };

  void fill_queue(std::vector<Download>& downloads);
  void work();
  base::Result<void> receive(HttpClient& http, Range wanted);
  base::Result<HttpResponse> get(HttpClient& http, Range& wanted);
  base::Result<void> store(Download& download, std::int64_t offset, std::span<const char> bytes);
  void hash(std::vector<Download>& downloads);
  base::Result<void> hash_one(Download& download);
  void fail(const base::Error& error);

  Api& api_;
  const TransferSettings settings_;
  Progress& progress_;
  Patience patience_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::condition_variable ended_;
  std::deque<Range> queue_;
  std::optional<base::Error> failure_;
  std::atomic<bool> over_ = false;
  int working_ = 0;
};

/// Fits `digest` to a checksum of the API: `Repr-Digest: sha-256=:…:`.
std::optional<base::Checksum> checksum_of_digest_field(std::string_view field);

/// For stdout: takes the bytes of one file in order, again from where it was after a break, and compares them at the
/// end.
base::Result<void> receive_in_order(Api& api, const TransferSettings& settings, Download& download, int destination,
                                    Progress& progress);

}  // namespace quire::client
