#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <vector>

#include "content/fetcher.h"
#include "content/subscription.h"
#include "service/transaction/context.h"
#include "vcsp/documents.h"

namespace quire::service {

/// How long somebody waits for a publisher.
struct SourcePatience {
  std::size_t attempts = 1;                                     ///< at one document, before the failure counts
  base::Duration document_time_max = std::chrono::minutes(10);  ///< for the bytes of one document
};
/// Of a call whose client waits for the answer.
inline constexpr SourcePatience call_patience{1, std::chrono::seconds(30)};

/// The published library of a subscription, read over the network or from a folder (vcsp.md §2, §6), under the rules
/// of pulls (content-library-api.md §28.3). The publisher is a stranger: documents are bounded (Limits), what they
/// refer to must lie on the server that the library was finally read from, and user and password go to no other.
///
/// Outside of transactions; one thread reads library and index; after library(), any thread may call what is
/// const, but for failed_fetch().
/// What cannot be had is ResourceInaccessible and says why, with `ssl_certificate_thumbprint` and `ssl_certificate`
/// where a certificate was not trusted. Canceled once `stop` is set.
class SourceLibrary {
 public:
  /// `stop` ends what is being fetched; it and `context` must outlive this.
  SourceLibrary(Context& context, const content::Subscription& subscription, const std::atomic<bool>& stop,
                SourcePatience patience = {});

  /// The descriptor; first. A publisher in maintenance is ResourceInaccessible with its message.
  base::Result<vcsp::Library> library();
  /// The text of the index that `library` names.
  base::Result<std::string> index(const vcsp::Library& library);
  /// The item as its own document has it now; nullopt when there is no such document, or it is another item's.
  base::Result<std::optional<vcsp::Item>> item(const vcsp::Item& known) const;

  /// Where the file of `item` behind `href` may lie, the likeliest first; none when that is another server.
  std::vector<content::SourceUrl> places(const vcsp::Item& item, const std::string& href) const;
  content::FetchRequest request(const content::SourceUrl& url) const;
  /// For the descriptor.
  content::FetchRequest request() const { return request(base_); }
  /// What came of library() or index(), where the document could not be fetched; none when it cannot be used.
  const std::optional<content::FetchOutcome>& failed_fetch() const { return failed_fetch_; }
  /// For people: the library's URL.
  const std::string& shown() const { return subscription_.url.shown(); }

 private:
  struct Document {
    std::string text;
    content::SourceUrl read_from;  ///< without credentials; empty: where it was asked for
  };
  base::Result<std::optional<Document>> read(const content::SourceUrl& url, std::int64_t bytes_max,
                                             std::optional<content::FetchOutcome>& failed) const;
  base::Result<Document> read_existing(const content::SourceUrl& url, std::int64_t bytes_max);
  std::optional<content::SourceUrl> resolve(const std::string& href) const;
  std::optional<content::SourceUrl> on_same_server(const std::string& url) const;

  Context& context_;
  const content::Subscription subscription_;
  const std::atomic<bool>& stop_;
  const SourcePatience patience_;
  content::SourceUrl base_;  ///< what hrefs are relative to, with credentials
  std::optional<content::FetchOutcome> failed_fetch_;
};

/// What the trouble with a publisher is called to its library's users: ResourceInaccessible with the outcome's reason.
base::Error source_failure(const content::FetchOutcome& outcome, const std::string& shown_url);

/// Canceled: somebody has set `stop`.
base::Error synchronization_stopped();

/// The attempts at one document or file, with the waits of pulls in between (content-library-api.md §28.3). That
/// something is not ready yet (vcsp.md §7) is no failure: it is asked for again, for about an hour.
class SourceAttempts {
 public:
  /// `polls`: whether to wait for what is not ready yet; else that is a failure too. What is given must outlive this.
  SourceAttempts(Context& context, std::size_t attempts_max, bool polls, const std::atomic<bool>& stop)
      : context_(context), attempts_max_(attempts_max), polls_(polls), stop_(stop) {}

  /// After an attempt failed: waits until the next one may begin. ResourceInaccessible when there is none; Canceled
  /// once `stop` is set.
  base::Result<void> wait_after(const content::FetchOutcome& outcome, const std::string& shown_url);

 private:
  Context& context_;
  const std::size_t attempts_max_;
  const bool polls_;
  const std::atomic<bool>& stop_;
  std::size_t failures_ = 0;
  std::size_t polled_ = 0;
};

/// A 503 by which a publisher says that something is not ready yet (vcsp.md §7): nullopt for any other outcome.
struct NotReady {
  std::string message;  ///< not empty: it will never be
};
std::optional<NotReady> not_ready(const content::FetchOutcome& outcome);

/// Waits until `delay` has passed; false when `stop` was set meanwhile.
bool wait_unless_stopped(base::Duration delay, const std::atomic<bool>& stop);

}  // namespace quire::service
