#include "service/upload/pulls.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/log.h"
#include "content/update_session_rules.h"
#include "service/transaction/quota_check.h"
#include "service/transaction/transaction.h"
#include "service/transfer/fetch_retry.h"
#include "service/update_session/sources.h"

namespace quire::service {
namespace {

using base::Duration;
using base::Error;
using base::ErrorKind;
using base::Message;
using base::Result;
using content::FetchFailure;

constexpr std::size_t candidates_max = 100;

/// The error_message of a file that could not be fetched: the reason, and every attempt in its params.
Message failure_message(const std::string& name, const content::SourceUrl& url,
                        const std::vector<content::FetchOutcome>& attempts) {
  const auto& last = attempts.back();
  std::vector<base::MessageParam> params = {{"name", name},
                                            {"url", url.shown()},
                                            {"attempts", static_cast<std::int64_t>(attempts.size())},
                                            {"reason", last.reason.default_message}};
  for (std::size_t i = 0; i < attempts.size(); ++i)
    params.push_back({"attempt_" + std::to_string(i + 1), attempts[i].reason.default_message});
  if (last.presented) {
    params.push_back({"ssl_certificate_thumbprint", last.presented->thumbprint_sha1});
    params.push_back({"ssl_certificate", last.presented->pem});
  }
  return base::make_message("quire.pull.failed",
                            "File {name} could not be fetched from {url} (attempts: {attempts}): {reason}",
                            std::move(params));
}

}  // namespace

struct Pulls::Job {
  content::UpdateSessionId session;
  content::SessionFile file;
  std::atomic<bool> stop{false};
};

/// The bytes of one pull on their way into an Upload, over several attempts.
class Pulls::Transfer final : public content::FetchSink {
 public:
  Transfer(Context& context, Job& job)
      : context_(context), uploads_(context), job_(job), url_(job.file.source_endpoint->uri) {}

  /// Starts (over) when nothing is open. False when the session takes no more bytes.
  Result<void> open() {
    if (upload_) return {};
    auto begun =
        uploads_.begin(job_.file.upload_token, UploadRequest::whole(std::nullopt), [&job = job_] { job.stop = true; });
    if (begun.refusal) return begun.refusal->error;
    upload_ = std::move(begun.upload);
    received_ = 0;
    validator_.clear();
    return {};
  }

  content::FetchRequest request() const {
    auto request = fetch_request(*job_.file.source_endpoint);
    request.url = url_;
    request.offset = received_;
    request.validator = validator_;
    return request;
  }

  Result<void> begin(const content::FetchResponse& response) override {
    refusal_.reset();
    const bool goes_on = response.offset == received_ && (received_ == 0 || response.length == length_);
    if (!goes_on) {  // another version than the bytes we have: never mix two (§28.3)
      start_over_ = true;
      return Error(ErrorKind::resource_inaccessible, "quire.pull.changed", "The content changed between two attempts.");
    }
    validator_ = response.validator;
    length_ = response.length;
    return remember_base(response.redirected_to.value_or(content::SourceUrl()));
  }

  Result<void> bytes(std::span<const std::byte> bytes) override {
    auto taken = upload_->append(bytes);
    if (taken) {
      received_ += static_cast<std::int64_t>(bytes.size());
      context_.catalog.measurements().pulls.bytes.add(bytes.size());
    } else {
      refusal_ = taken.error();
    }
    return taken;
  }

  Result<void> finish() {
    const auto finished = std::exchange(upload_, nullptr)->finish(BodyEnd::whole);
    return finished ? Result<void>() : finished.error();
  }

  /// The next place that the file may be in, where `outcome` says that it is not in this one (§28.2). False when there
  /// is none.
  bool go_elsewhere(const content::FetchOutcome& outcome) {
    constexpr int forbidden = 403;
    const bool not_here = outcome.failure == FetchFailure::not_there ||
                          (outcome.failure == FetchFailure::unauthorized && outcome.status == forbidden);
    const auto& alternatives = job_.file.source_endpoint->alternatives;
    if (!not_here || elsewhere_ == alternatives.size()) return false;
    url_ = alternatives[elsewhere_++];
    discard();
    return true;
  }
  const content::SourceUrl& url() const { return url_; }

  /// After an attempt that failed: keeps what a strong validator allows to go on from, discards the rest.
  void end_attempt(const content::FetchOutcome& outcome) {
    const bool range_refused = outcome.failure == FetchFailure::broken && outcome.status.has_value();
    const bool changed = std::exchange(start_over_, false);
    if (validator_.empty() || range_refused || changed) discard();
  }
  void discard() {
    if (!upload_) return;
    if (!refusal_)
      if (const auto left = upload_->finish(BodyEnd::broken); !left) spdlog::debug("{}", left.error().text());
    upload_.reset();
  }

  bool must_start_over() const { return start_over_; }
  const std::optional<Error>& refusal() const { return refusal_; }

 private:
  /// What a descriptor references lies beside where it was finally read from. In the row, as the references may be
  /// added after a restart.
  Result<void> remember_base(const content::SourceUrl& base) {
    auto& known = *job_.file.source_endpoint;
    if (base == known.read_from || content::package_file("ovf", job_.file.name) != content::PackageFile::descriptor)
      return {};
    auto remembered = write(context_, system_caller("pulls"), [&](Transaction& t) -> Result<void> {
      auto entry = t->session_file_of(job_.file.upload_token);
      if (!entry) return {};
      entry->second.source_endpoint->read_from = base;
      t->put(entry->first, entry->second);
      return {};
    });
    if (remembered) known.read_from = base;
    return remembered;
  }

  Context& context_;
  Uploads uploads_;
  Job& job_;
  content::SourceUrl url_;
  std::size_t elsewhere_ = 0;  ///< alternatives that have been taken
  std::shared_ptr<Upload> upload_;
  std::int64_t received_ = 0;
  std::optional<std::int64_t> length_;
  std::string validator_;
  bool start_over_ = false;
  std::optional<Error> refusal_;  ///< of the Upload, which has answered for itself
};

Result<bool> Pulls::run_next() {
  const auto job = take();
  if (!job) return false;
  run(*job);
  give_back(*job);
  UpdateSessions sessions(context_);
  QUIRE_RETURN_IF_ERROR(sessions.finish_completing(job->session));
  return true;
}

std::shared_ptr<Pulls::Job> Pulls::take() {
  const auto waiting =
      context_.catalog.read([&](content::CatalogReader& reader) -> Result<std::vector<std::shared_ptr<Job>>> {
        std::vector<std::shared_ptr<Job>> jobs;
        for (const auto& [session, name] : reader.pending_pulls(candidates_max)) {
          auto file = reader.find<content::SessionFile>({session, name});
          if (!file || !file->source_endpoint) continue;
          auto job = std::make_shared<Job>();
          job->session = session;
          job->file = *std::move(file);
          jobs.push_back(std::move(job));
        }
        return jobs;
      });
  if (!waiting) return nullptr;
  const std::lock_guard lock(mutex_);
  if (stopping_) return nullptr;
  for (const auto& job : *waiting)
    if (running_.emplace(job->file.upload_token, job).second) return job;
  return nullptr;
}

void Pulls::give_back(const Job& job) {
  {
    const std::lock_guard lock(mutex_);
    running_.erase(job.file.upload_token);
    woken_ = true;  // a descriptor may have added its references
  }
  changed_.notify_all();
}

void Pulls::run(Job& job) {
  CountedTransfer counted(context_.catalog.measurements().pulls);
  Transfer transfer(context_, job);
  Uploads uploads(context_);
  std::vector<content::FetchOutcome> attempts;
  auto attempts_max = context_.settings.pull_attempts;
  while (!job.stop) {
    if (const auto opened = transfer.open(); !opened) {
      wait_for_room(job, opened.error());
      return;
    }
    auto outcome = context_.fetcher->fetch(transfer.request(), transfer, job.stop);
    if (outcome.failure == FetchFailure::none) {
      const auto finished = transfer.finish();
      if (finished) counted.is_whole();
      // A broken promise has ended the session.
      if (!finished) wait_for_room(job, finished.error());
      return;
    }
    if (job.stop || outcome.failure == FetchFailure::stopped) break;
    if (outcome.failure == FetchFailure::refused_by_sink && !transfer.must_start_over()) {
      if (transfer.refusal()) wait_for_room(job, *transfer.refusal());
      break;
    }
    const bool changed = transfer.must_start_over();
    transfer.end_attempt(outcome);
    attempts.push_back(std::move(outcome));
    const auto& failed = attempts.back();
    if (transfer.go_elsewhere(failed)) {
      ++attempts_max;
      continue;
    }
    if ((!failed.worth_retrying && !changed) || attempts.size() >= attempts_max) {
      transfer.discard();
      const auto message = failure_message(job.file.name, transfer.url(), attempts);
      if (const auto recorded = uploads.fail(job.file.upload_token, message); !recorded)
        spdlog::debug("The failure of pull {} was not recorded: {}", job.file.name, recorded.error().text());
      return;
    }
    const auto delay = delay_before_next_fetch(failed, attempts.size(), context_.identities.number());
    if (!changed && !pause(job, delay)) break;
  }
  transfer.discard();
}

/// A full storage lets the file wait for the next round. A full quota does not, or what nobody looks at would be
/// fetched again and again: file and session end in ERROR, with the reason.
void Pulls::wait_for_room(const Job& job, const Error& error) {
  if (error.kind() != ErrorKind::unable_to_allocate_resource) return;
  if (!is_quota_full(error)) {
    pause(job, fetch_backoff_max);
    return;
  }
  const auto reason = content::about_source(job.file, error.messages().front());
  if (const auto failed = Uploads(context_).fail(job.file.upload_token, reason); !failed)
    spdlog::debug("The failure of pull {} was not recorded: {}", job.file.name, failed.error().text());
}

bool Pulls::pause(const Job& job, Duration delay) {
  Uploads uploads(context_);
  const auto slice_max =
      std::max<Duration>(std::min<Duration>(std::chrono::seconds(1), context_.settings.update_session_timeout / 4),
                         std::chrono::milliseconds(1));
  const auto until = context_.clock.uptime() + delay;
  for (;;) {
    if (const auto touched = uploads.touch(job.file.upload_token);
        !touched && touched.error().kind() == ErrorKind::not_found)
      return false;
    const auto left = until - context_.clock.uptime();
    if (left <= Duration(0)) return true;
    std::unique_lock lock(mutex_);
    if (changed_.wait_for(lock, std::min(left, slice_max), [&] { return stopping_ || job.stop; })) return false;
  }
}

bool Pulls::wait(Duration at_most) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, at_most, [this] { return woken_ || stopping_; });
  woken_ = false;
  return !stopping_;
}

void Pulls::wake() {
  {
    const std::lock_guard lock(mutex_);
    woken_ = true;
  }
  changed_.notify_all();
}

void Pulls::stop() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  for (const auto& [token, job] : running_) job->stop = true;
  changed_.notify_all();
}

}  // namespace quire::service
