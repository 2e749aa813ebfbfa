#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "client/api.h"
#include "client/progress.h"
#include "client/retry.h"
#include "client/transfer_settings.h"
#include "content/received_ranges.h"

/// Bytes to upload endpoints: in parts, on several connections, again and again until they are there
/// (docs/uploads.md). A server that knows of no parts gets each file with one request.
namespace quire::client {

/// What an upload endpoint tells of its file.
struct EndpointState {
  bool takes_parts = false;
  bool complete = false;
  content::ReceivedRanges received;
};
/// Asks with HEAD. A server that does not know such a question takes no parts.
base::Result<EndpointState> ask_endpoint(HttpClient& http, const Api& api, const std::string& uri);
/// Reads `Upload-Offset`, `Upload-Complete` and `Upload-Ranges` of an answer.
EndpointState endpoint_state(const HttpHead& head);

/// What of `range` is not in `received`, in order.
std::vector<content::ByteRange> missing_parts(const content::ReceivedRanges& received, content::ByteRange range);

/// Where bytes that are sent are read.
class UploadBytes {
 public:
  virtual ~UploadBytes() = default;
  /// The bytes of the file from `offset` on, as many as there are in `into`; any thread.
  virtual base::Result<std::size_t> read_at(std::int64_t offset, std::span<char> into) const = 0;
  /// Whether the same bytes can be read again.
  virtual bool is_repeatable() const { return true; }
};

/// A part that is to be sent.
struct UploadPart {
  std::string name;  ///< of the file, for messages
  std::string uri;
  content::ByteRange range;
  std::optional<std::int64_t> file_length;  ///< nullopt: not known yet
  std::shared_ptr<const UploadBytes> bytes;
  bool in_parts = true;  ///< false: with one request for the whole file, again from its start after a break
};

/// Gives the next part; nullopt when there is none any more. Called under a lock, by any thread.
using PartQueue = std::function<base::Result<std::optional<UploadPart>>()>;

/// Sends all parts of the queue and returns when the last one is acknowledged, or with the first failure that another
/// attempt cannot mend. `tick` is called several times a second by the calling thread. Errors: content_refused() with
/// the server's reason, network_error() when the patience is at its end, interrupted(), those of the queue and of
/// bytes.
class PartSender {
 public:
  PartSender(Api& api, const TransferSettings& settings, Progress& progress)
      : api_(api), settings_(settings), progress_(progress), patience_(api.transport(), settings.give_up_after) {}

  base::Result<void> run(const PartQueue& queue, const std::function<void()>& tick);

 private:
  void work(const PartQueue& queue);
  base::Result<void> send(HttpClient& http, const UploadPart& part);
  base::Result<HttpResponse> put(HttpClient& http, const UploadPart& part, content::ByteRange range, bool whole);
  base::Result<std::optional<UploadPart>> take(const PartQueue& queue);
  base::Result<void> ask_what_is_left(HttpClient& http, const UploadPart& part, std::vector<content::ByteRange>& left);
  void fail(const base::Error& error);

  Api& api_;
  const TransferSettings settings_;
  Progress& progress_;
  Patience patience_;
  std::mutex mutex_;
  std::optional<base::Error> failure_;
  std::atomic<bool> over_ = false;  ///< failed: others stop too
  int working_ = 0;
  std::condition_variable ended_;
};

}  // namespace quire::client
