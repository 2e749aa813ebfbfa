#include "adapters/curl/curl_fetcher.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "adapters/curl/certificate_check.h"
#include "adapters/curl/curl_library.h"
#include "adapters/curl/exchange.h"
#include "adapters/curl/http_url.h"
#include "adapters/curl/kept_links.h"

namespace quire::adapters::curl {
namespace {

using content::FetchFailure;
using content::FetchOutcome;

constexpr int most_redirects = 5;

FetchOutcome failed(FetchFailure failure, base::Message reason) {
  FetchOutcome outcome;
  outcome.failure = failure;
  outcome.reason = std::move(reason);
  return outcome;
}

/// The URL is not shown: it may hold credentials that nothing here could find.
base::Message unusable_url() {
  return base::make_message("quire.pull.unusable_url",
                            "The URL is not a usable http or https URL. Check how it is written.");
}

FetchOutcome redirect_refused(std::string_view text, const HttpUrl& from) {
  return failed(FetchFailure::redirect, base::make_message("quire.pull.redirect", text, {{"url", from.shown()}}));
}

/// Follows redirects from hop to hop until an answer decides.
FetchOutcome follow(const Fetch& fetch, HttpUrl url) {
  auto credentials = url.credentials();
  for (int redirects = 0;; ++redirects) {
    Exchange exchange(fetch, url, credentials, redirects > 0);
    auto outcome = exchange.run();
    if (!exchange.location()) return outcome;

    if (redirects == most_redirects)
      return redirect_refused("The server at {url} redirects too often. Use the URL of the content itself.", url);
    const auto target = url.resolve(*exchange.location());
    if (!target)
      return redirect_refused("The server at {url} redirects to something that is no http or https URL.", url);
    if (url.is_https() && !target->is_https()) {
      return redirect_refused(
          "The server at {url} redirects from https to http, which is not followed. Use a URL that stays with https.",
          url);
    }
    if (!target->same_origin(url)) credentials.reset();
    url = *target;
  }
}

class CurlFetcher final : public content::Fetcher {
 public:
  explicit CurlFetcher(Options options) : options_(std::move(options)) { set_up_libcurl(); }

  base::Result<void> check(const content::FetchRequest& request) const override {
    if (!HttpUrl::parse(request.url.text())) return base::Error(base::ErrorKind::invalid_argument, unusable_url());
    QUIRE_RETURN_IF_ERROR(CertificateCheck::make(request.trust, options_.extra_ca_file));
    return {};
  }

  FetchOutcome fetch(const content::FetchRequest& request, content::FetchSink& sink,
                     const std::atomic<bool>& stop) override {
    return ask(request, FetchMode::content, &sink, stop);
  }

  FetchOutcome probe(const content::FetchRequest& request) override {
    static const std::atomic<bool> never{false};
    auto outcome = ask(request, FetchMode::head, nullptr, never);
    // Signed URLs and plain servers often know GET only, and say so with any status.
    const bool may_be_the_method = outcome.status && *outcome.status >= 400 && outcome.failure != FetchFailure::none;
    return may_be_the_method ? ask(request, FetchMode::first_byte, nullptr, never) : outcome;
  }

 private:
  FetchOutcome ask(const content::FetchRequest& request, FetchMode mode, content::FetchSink* sink,
                   const std::atomic<bool>& stop) {
    const auto url = HttpUrl::parse(request.url.text());
    if (!url) return failed(FetchFailure::unusable_url, unusable_url());
    const auto check = CertificateCheck::make(request.trust, options_.extra_ca_file);
    if (!check) return failed(FetchFailure::certificate, check.error().messages().front());
    std::optional<content::PeerCertificate> presented;
    auto outcome = follow(Fetch{options_, request, mode, sink, links_, presented, stop}, *url);
    if (mode != FetchMode::content || outcome.failure == FetchFailure::certificate)
      outcome.presented = std::move(presented);
    return outcome;
  }

  const Options options_;
  KeptLinks links_;
};

}  // namespace

std::unique_ptr<content::Fetcher> make_curl_fetcher(Options options) {
  return std::make_unique<CurlFetcher>(std::move(options));
}

}  // namespace quire::adapters::curl
