#include "service/subscription/item_fetch.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "base/hex.h"
#include "base/utf8.h"
#include "service/blob/blob_sink.h"
#include "service/transfer/chunk_gatherer.h"

namespace quire::service {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;
using content::FetchFailure;

constexpr std::string_view moved_on_id = "quire.subscription.file_moved_on";

Error moved_on(const vcsp::File& file, const std::string& reason) {
  return {ErrorKind::resource_inaccessible,
          std::string(moved_on_id),
          "File {file_name} is not what the publisher's documents say: {reason}",
          {{"file_name", base::displayable(file.name)}, {"reason", base::displayable(reason, 600)}}};
}

/// One file on its way into a blob, over several attempts.
class FileArrival final : public content::FetchSink {
 public:
  FileArrival(Context& context, const FileWish& wish, SyncFlow& flow)
      : context_(context),
        wish_(wish),
        flow_(flow),
        in_memory_(wish.file.size <= context.limits.catalog_blob_bytes_max) {}

  /// Goes on with what came before where that is possible.
  void continue_from(content::FetchRequest& request) const {
    request.offset = validator_.empty() ? 0 : received_;
    request.validator = request.offset == 0 ? "" : validator_;
  }

  Result<void> begin(const content::FetchResponse& response) override {
    if (response.length && *response.length != wish_.file.size)
      return refuse(moved_on(wish_.file, "it has " + std::to_string(*response.length) + " bytes instead of " +
                                             std::to_string(wish_.file.size) + "."));
    validator_ = response.validator;
    if (response.offset == received_ && received_ > 0) return {};
    if (response.offset != 0)
      return refuse(moved_on(wish_.file, "the server sends another part of it than was asked for."));
    return start_over();
  }

  Result<void> bytes(std::span<const std::byte> bytes) override {
    if (received_ + static_cast<std::int64_t>(bytes.size()) > wish_.file.size)
      return refuse(moved_on(wish_.file, "more than its " + std::to_string(wish_.file.size) + " bytes come."));
    if (sink_) {
      if (auto taken = gatherer_.add(bytes); !taken) return refuse(taken.error());
    }
    if (in_memory_ || wish_.keep_bytes) kept_.insert(kept_.end(), bytes.begin(), bytes.end());
    received_ += static_cast<std::int64_t>(bytes.size());
    if (!flow_.take(static_cast<std::int64_t>(bytes.size()), context_.clock)) return refuse(synchronization_stopped());
    return {};
  }

  Result<ArrivedFile> finish() {
    if (received_ != wish_.file.size)
      return moved_on(wish_.file, "it ended after " + std::to_string(received_) + " of " +
                                      std::to_string(wish_.file.size) + " bytes.");
    ArrivedFile arrived;
    if (in_memory_) {
      for (const auto algorithm : wish_.algorithms)
        if (algorithm != base::DigestAlgorithm::SHA256) arrived.digests.push_back(base::digest_of(algorithm, kept_));
      arrived.digests.push_back(base::digest_of(base::DigestAlgorithm::SHA256, kept_));
      QUIRE_RETURN_IF_ERROR(check_digest(arrived.digests));
      const content::BlobId id(context_.identities.uuid());
      arrived.blob = {{id, wish_.storage.id, wish_.file.size, sha256_among(arrived.digests), true}, kept_};
    } else {
      QUIRE_RETURN_IF_ERROR(gatherer_.flush());
      QUIRE_ASSIGN_OR_RETURN(arrived.digests, sink_->digests(received_));
      QUIRE_RETURN_IF_ERROR(check_digest(arrived.digests));
      QUIRE_ASSIGN_OR_RETURN(arrived.blob.blob, sink_->commit(received_, arrived.digests));
    }
    if (wish_.keep_bytes) arrived.bytes = std::move(kept_);
    return arrived;
  }

  /// After an attempt that failed: what came without a strong validator cannot be gone on from.
  void end_attempt() {
    if (validator_.empty()) forget();
  }
  void forget() {
    gatherer_.clear();
    sink_.reset();
    kept_.clear();
    flow_.bytes -= received_;
    received_ = 0;
    validator_.clear();
  }
  /// Why this itself ended the attempt, if it did.
  std::optional<Error> take_refusal() { return std::exchange(refusal_, std::nullopt); }

 private:
  Error refuse(Error error) {
    refusal_ = error;
    return error;
  }

  Result<void> start_over() {
    const auto validator = std::move(validator_);
    forget();
    validator_ = validator;
    if (in_memory_) return {};
    auto begun =
        BlobSink::begin(content::BlobId(context_.identities.uuid()), wish_.storage, wish_.file.size, wish_.algorithms);
    if (!begun) return refuse(begun.error());
    sink_ = *std::move(begun);
    return {};
  }

  Result<void> check_digest(const std::vector<base::Checksum>& digests) const {
    if (!wish_.file.sha256 || base::to_lower(*wish_.file.sha256) == sha256_among(digests)) return {};
    return moved_on(wish_.file, "its SHA-256 is another one than the publisher says.");
  }

  Context& context_;
  const FileWish& wish_;
  SyncFlow& flow_;
  const bool in_memory_;
  std::unique_ptr<BlobSink> sink_;
  ChunkGatherer gatherer_{
      [this](std::span<const std::byte> chunk, const auto& owner) { return sink_->append(chunk, owner); }};
  std::vector<std::byte> kept_;
  std::int64_t received_ = 0;
  std::string validator_;
  std::optional<Error> refusal_;
};

/// All attempts at one place.
Result<ArrivedFile> fetch_from(Context& context, const content::FetchRequest& place, FileArrival& arrival,
                               const vcsp::File& file, SyncFlow& flow) {
  SourceAttempts attempts(context, context.settings.pull_attempts, true, flow.stop);
  for (;;) {
    auto request = place;
    arrival.continue_from(request);
    const auto outcome = context.fetcher->fetch(request, arrival, flow.stop);
    if (outcome.failure == FetchFailure::none) return arrival.finish();
    if (flow.stop) return synchronization_stopped();
    if (const auto refusal = arrival.take_refusal()) return *refusal;
    arrival.end_attempt();
    if (outcome.failure == FetchFailure::not_there) return moved_on(file, outcome.reason.default_message);
    QUIRE_RETURN_IF_ERROR(attempts.wait_after(outcome, place.url.shown()));
  }
}

}  // namespace

bool SyncFlow::take(std::int64_t count, const base::Clock& clock) {
  bytes += count;
  const auto uptime = clock.uptime();
  const auto delay = std::max(of_subscription.after(count, uptime), of_server.after(count, uptime));
  return delay == base::Duration(0) ? !stop : wait_unless_stopped(delay, stop);
}

bool is_moved_on(const Error& error) { return error.messages().front().id == moved_on_id; }

Result<ArrivedFile> fetch_file(Context& context, const SourceLibrary& source, const FileWish& wish, SyncFlow& flow) {
  FileArrival arrival(context, wish, flow);
  std::optional<Error> failure;
  for (const auto& href : wish.file.hrefs)
    for (const auto& url : source.places(wish.item, href)) {
      auto arrived = fetch_from(context, source.request(url), arrival, wish.file, flow);
      if (arrived) return arrived;
      arrival.forget();
      const bool elsewhere_perhaps = arrived.error().kind() == ErrorKind::resource_inaccessible;
      failure = arrived.error();
      if (!elsewhere_perhaps) return *failure;
    }
  if (failure) return *failure;
  return Error(ErrorKind::resource_inaccessible, "quire.subscription.file_elsewhere",
               "The publisher says that file {file_name} is on another server, which is not followed.",
               {{"file_name", base::displayable(wish.file.name)}});
}

}  // namespace quire::service
