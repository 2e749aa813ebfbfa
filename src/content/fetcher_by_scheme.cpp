#include "content/fetcher_by_scheme.h"

namespace quire::content {

base::Result<void> FetcherByScheme::check(const FetchRequest& request) const {
  if (const auto* fetcher = find(request)) return fetcher->check(request);
  return base::Error(base::ErrorKind::invalid_argument, unusable(request));
}

FetchOutcome FetcherByScheme::fetch(const FetchRequest& request, FetchSink& sink, const std::atomic<bool>& stop) {
  if (auto* fetcher = find(request)) return fetcher->fetch(request, sink, stop);
  FetchOutcome outcome;
  outcome.failure = FetchFailure::unusable_url;
  outcome.reason = unusable(request);
  return outcome;
}

FetchOutcome FetcherByScheme::probe(const FetchRequest& request) {
  if (auto* fetcher = find(request)) return fetcher->probe(request);
  FetchOutcome outcome;
  outcome.failure = FetchFailure::unusable_url;
  outcome.reason = unusable(request);
  return outcome;
}

Fetcher* FetcherByScheme::find(const FetchRequest& request) const {
  const auto found = fetchers_.find(request.url.scheme());
  return found == fetchers_.end() ? nullptr : found->second;
}

base::Message FetcherByScheme::unusable(const FetchRequest& request) const {
  std::string schemes;
  for (const auto& [scheme, fetcher] : fetchers_) schemes += (schemes.empty() ? "" : ", ") + scheme;
  return base::make_message("quire.pull.unusable_scheme",
                            "{url} cannot be fetched; the URL of a source begins with one of these: {schemes}.",
                            {{"url", request.url.shown()}, {"schemes", schemes}});
}

}  // namespace quire::content
