#include "service/subscription/source_library.h"

#include <boost/json.hpp>
#include <thread>
#include <utility>

#include "base/utf8.h"
#include "service/transfer/fetch_retry.h"
#include "vcsp/reader.h"

namespace quire::service {
namespace {

using base::Duration;
using base::Error;
using base::ErrorKind;
using base::Result;
using content::FetchFailure;
using content::FetchOutcome;
using content::SourceUrl;

constexpr std::int64_t descriptor_bytes_max = 1LL << 20U;
constexpr std::int64_t item_document_bytes_max = 16LL << 20U;
/// How often what is "not ready yet" is asked for: at the pace of the back-off, about an hour.
constexpr std::size_t polls_max = 120;
constexpr std::size_t shown_message_bytes = 300;

/// Keeps a document in memory, which must not be larger than it may, and not trickle in for ever.
class DocumentSink final : public content::FetchSink {
 public:
  DocumentSink(const base::Clock& clock, std::int64_t bytes_max, Duration time_max)
      : clock_(clock), bytes_max_(bytes_max), ends_at_(clock.uptime() + time_max), time_max_(time_max) {}

  Result<void> begin(const content::FetchResponse& response) override {
    text.clear();
    read_from = response.redirected_to.value_or(SourceUrl());
    if (response.length && *response.length > bytes_max_) return too_large();
    return {};
  }
  Result<void> bytes(std::span<const std::byte> bytes) override {
    if (static_cast<std::int64_t>(text.size() + bytes.size()) > bytes_max_) return too_large();
    if (clock_.uptime() > ends_at_) {
      is_too_slow = true;
      refusal = Error(ErrorKind::resource_inaccessible, "quire.subscription.document_too_slow",
                      "The document did not come within {seconds} s.",
                      {{"seconds", std::chrono::duration_cast<std::chrono::seconds>(time_max_).count()}});
      return *refusal;
    }
    text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return {};
  }

  std::string text;
  SourceUrl read_from;
  std::optional<Error> refusal;
  bool is_too_slow = false;  ///< the refusal came of it

 private:
  Error too_large() {
    refusal = Error(ErrorKind::resource_inaccessible, "quire.subscription.document_too_large",
                    "The document is larger than {limit} bytes, the most that is read.", {{"limit", bytes_max_}});
    return *refusal;
  }

  const base::Clock& clock_;
  const std::int64_t bytes_max_;
  const Duration ends_at_;
  const Duration time_max_;
};

/// An address for people; what a publisher wrote into it may be long and hold anything.
std::string shown_address(const std::string& url) { return base::displayable(url, shown_message_bytes); }

/// A document that cannot be used, at the place where it was read.
Error unusable(const SourceUrl& url, const Error& reason) {
  return Error(
      ErrorKind::resource_inaccessible, "quire.subscription.unusable_document",
      "What the publisher has at {url} cannot be used: {reason}",
      {{"url", shown_address(url.shown())}, {"reason", base::displayable(reason.text(), shown_message_bytes)}});
}

}  // namespace

Error source_failure(const FetchOutcome& outcome, const std::string& shown_url) {
  std::vector<base::MessageParam> params = {
      {"url", shown_address(shown_url)},
      {"reason", base::displayable(outcome.reason.default_message, 2 * shown_message_bytes)}};
  if (outcome.presented) {
    params.push_back({"ssl_certificate_thumbprint", outcome.presented->thumbprint_sha1});
    params.push_back({"ssl_certificate", outcome.presented->pem});
  }
  if (outcome.failure == FetchFailure::unauthorized)
    return {ErrorKind::resource_inaccessible, "quire.subscription.refused",
            "The publisher refuses to give {url}: it needs the right user name and password in subscription_info.",
            std::move(params)};
  return {ErrorKind::resource_inaccessible, "quire.subscription.inaccessible",
          "The publisher's {url} cannot be read: {reason}", std::move(params)};
}

Error synchronization_stopped() {
  return {ErrorKind::canceled, "quire.subscription.stopped", "The synchronization was stopped."};
}

std::optional<NotReady> not_ready(const FetchOutcome& outcome) {
  constexpr int service_unavailable = 503;
  if (outcome.status != service_unavailable) return std::nullopt;
  boost::system::error_code failure;
  const auto body = boost::json::parse(outcome.body, failure);
  if (failure || !body.is_object() || !body.get_object().contains("status")) return std::nullopt;
  const auto* message = body.get_object().if_contains("message");
  if (message == nullptr || !message->is_string()) return NotReady();
  return NotReady{base::displayable(std::string_view(message->get_string()), shown_message_bytes)};
}

bool wait_unless_stopped(Duration delay, const std::atomic<bool>& stop) {
  constexpr Duration slice = std::chrono::milliseconds(100);
  for (auto left = delay; left > Duration(0); left -= slice) {
    if (stop) return false;
    std::this_thread::sleep_for(std::min(left, slice));
  }
  return !stop;
}

Result<void> SourceAttempts::wait_after(const FetchOutcome& outcome, const std::string& shown_url) {
  const auto waits = not_ready(outcome);
  if (waits && !waits->message.empty())
    return Error(ErrorKind::resource_inaccessible, "quire.subscription.never_ready",
                 "The publisher says of {url}: {message}",
                 {{"url", shown_address(shown_url)}, {"message", waits->message}});
  const bool polls_on = waits && polls_ && ++polled_ < polls_max;
  if (!polls_on && (!outcome.worth_retrying || ++failures_ >= attempts_max_)) return source_failure(outcome, shown_url);
  const auto delay = delay_before_next_fetch(outcome, polls_on ? polled_ : failures_, context_.identities.number());
  if (!wait_unless_stopped(delay, stop_)) return synchronization_stopped();
  return {};
}

SourceLibrary::SourceLibrary(Context& context, const content::Subscription& subscription, const std::atomic<bool>& stop,
                             SourcePatience patience)
    : context_(context),
      subscription_(subscription),
      stop_(stop),
      patience_(patience),
      base_(subscription.authentication_method == content::AuthenticationMethod::BASIC
                ? subscription.url.with_credentials(subscription.user_name.value_or(std::string(vcsp::user_name)),
                                                    subscription.password)
                : subscription.url) {}

content::FetchRequest SourceLibrary::request(const SourceUrl& url) const {
  return {url, 0, "", {subscription_.ssl_certificate, subscription_.ssl_thumbprint}};
}

Result<std::optional<SourceLibrary::Document>> SourceLibrary::read(const SourceUrl& url, std::int64_t bytes_max,
                                                                   std::optional<FetchOutcome>& failed) const {
  if (context_.fetcher == nullptr)
    return Error(ErrorKind::unsupported, "quire.subscription.unsupported",
                 "This server does not fetch anything by itself, so it cannot subscribe to libraries.");
  SourceAttempts attempts(context_, patience_.attempts, patience_.attempts > 1, stop_);
  for (;;) {
    DocumentSink sink(context_.clock, bytes_max, patience_.document_time_max);
    auto outcome = context_.fetcher->fetch(request(url), sink, stop_);
    failed.reset();
    if (outcome.failure == FetchFailure::none)
      return std::optional(Document{std::move(sink.text), std::move(sink.read_from)});
    if (stop_) return synchronization_stopped();
    if (sink.refusal && !sink.is_too_slow) return unusable(url, *sink.refusal);
    if (sink.is_too_slow) outcome.failure = FetchFailure::timed_out;
    failed = outcome;
    if (sink.refusal) return unusable(url, *sink.refusal);
    if (outcome.failure == FetchFailure::not_there) return std::optional<Document>();
    QUIRE_RETURN_IF_ERROR(attempts.wait_after(outcome, url.shown()));
  }
}

Result<SourceLibrary::Document> SourceLibrary::read_existing(const SourceUrl& url, std::int64_t bytes_max) {
  QUIRE_ASSIGN_OR_RETURN(auto document, read(url, bytes_max, failed_fetch_));
  if (document) return *std::move(document);
  return Error(ErrorKind::resource_inaccessible, "quire.subscription.not_there",
               "There is no published library at {url}, or it is not published any more: {reason}",
               {{"url", shown_address(url.shown())},
                {"reason", base::displayable(failed_fetch_->reason.default_message, 2 * shown_message_bytes)}});
}

Result<vcsp::Library> SourceLibrary::library() {
  QUIRE_ASSIGN_OR_RETURN(const auto document, read_existing(base_, descriptor_bytes_max));
  auto library = vcsp::read_library(document.text);
  if (!library) return unusable(base_, library.error());
  if (library->maintenance_message)
    return Error(ErrorKind::resource_inaccessible, "quire.subscription.publisher_in_maintenance",
                 "The publisher of {url} is in maintenance: {message}",
                 {{"url", shown_address(shown())},
                  {"message", base::displayable(*library->maintenance_message, shown_message_bytes)}});
  if (!document.read_from.empty()) base_ = document.read_from.with_credentials_of(base_);
  return library;
}

std::optional<SourceUrl> SourceLibrary::resolve(const std::string& href) const {
  return on_same_server(vcsp::resolve_href(base_.text(), "", href).front());
}

std::optional<SourceUrl> SourceLibrary::on_same_server(const std::string& text) const {
  const SourceUrl url(text);
  if (base_.is_file() ? url.scheme() != base_.scheme() : !url.same_origin(base_)) return std::nullopt;
  return url.with_credentials_of(base_);
}

Result<std::string> SourceLibrary::index(const vcsp::Library& library) {
  const auto url = resolve(library.items_href);
  if (!url)
    return Error(ErrorKind::resource_inaccessible, "quire.subscription.index_elsewhere",
                 "The library at {url} says that its index is on another server, which is not followed.",
                 {{"url", shown_address(shown())}});
  QUIRE_ASSIGN_OR_RETURN(auto document, read_existing(*url, context_.limits.source_index_bytes_max));
  return std::move(document.text);
}

Result<std::optional<vcsp::Item>> SourceLibrary::item(const vcsp::Item& known) const {
  const auto url = resolve(known.self_href);
  if (!url) return std::optional<vcsp::Item>();
  std::optional<FetchOutcome> failed;
  QUIRE_ASSIGN_OR_RETURN(const auto document, read(*url, item_document_bytes_max, failed));
  if (!document) return std::optional<vcsp::Item>();
  auto item = vcsp::read_item(document->text);
  if (!item) return unusable(*url, item.error());
  if (item->id != known.id) return std::optional<vcsp::Item>();
  return std::optional(*std::move(item));
}

std::vector<SourceUrl> SourceLibrary::places(const vcsp::Item& item, const std::string& href) const {
  std::vector<SourceUrl> places;
  for (const auto& text : vcsp::resolve_href(base_.text(), item.self_href, href))
    if (auto url = on_same_server(text)) places.push_back(*std::move(url));
  return places;
}

}  // namespace quire::service
