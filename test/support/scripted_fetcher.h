#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "content/fetcher.h"

namespace quire::test_support {

/// The places that a test's server pulls from: contents by URL; everywhere else is nothing. All threads may call it.
class ScriptedFetcher final : public content::Fetcher {
 public:
  /// `halfway` runs in the middle of each fetch of it.
  void put(const std::string& url, std::string content, std::function<void()> halfway = {}) {
    const std::scoped_lock lock(mutex_);
    sources_[url] = {std::move(content), std::move(halfway)};
  }

  /// There is nothing any more.
  void remove(const std::string& url) {
    const std::scoped_lock lock(mutex_);
    sources_.erase(url);
  }

  /// `url` leads to what is at `target`.
  void redirect(const std::string& url, const std::string& target) {
    const std::scoped_lock lock(mutex_);
    redirects_[url] = target;
  }
  void forbid(const std::string& url) {
    const std::scoped_lock lock(mutex_);
    forbidden_.insert(url);
  }
  void allow(const std::string& url) {
    const std::scoped_lock lock(mutex_);
    forbidden_.erase(url);
  }
  /// Every URL that was fetched, in order.
  std::vector<std::string> asked() const {
    const std::scoped_lock lock(mutex_);
    return asked_;
  }

  base::Result<void> check(const content::FetchRequest& request) const override {
    if (request.url.text().find("://") != std::string::npos) return {};
    return base::Error(base::ErrorKind::invalid_argument, "quire.test.unusable_url", "This is no URL.");
  }

  content::FetchOutcome fetch(const content::FetchRequest& request, content::FetchSink& sink,
                              const std::atomic<bool>& stop) override {
    if (!check(request)) return failed(content::FetchFailure::unusable_url);
    const auto [url, source] = open(request.url.text());
    if (is_forbidden(url)) return failed(content::FetchFailure::unauthorized, 403);
    if (!source) return failed(content::FetchFailure::not_there);
    content::FetchResponse response{200, 0, static_cast<std::int64_t>(source->content.size()), ""};
    if (url != request.url.text()) response.redirected_to = url;
    const auto bytes = std::as_bytes(std::span(source->content));
    const auto half = bytes.size() / 2;
    if (!sink.begin(response) || !sink.bytes(bytes.first(half))) return failed(content::FetchFailure::refused_by_sink);
    if (source->halfway) source->halfway();
    if (stop) return failed(content::FetchFailure::stopped);
    if (!sink.bytes(bytes.subspan(half))) return failed(content::FetchFailure::refused_by_sink);
    return {};
  }

  content::FetchOutcome probe(const content::FetchRequest& request) override {
    return find(request.url.text()) ? content::FetchOutcome() : failed(content::FetchFailure::not_there);
  }

 private:
  struct Source {
    std::string content;
    std::function<void()> halfway;
  };

  /// Follows redirects; what is there, and its URL.
  std::pair<std::string, std::optional<Source>> open(std::string url) {
    {
      const std::scoped_lock lock(mutex_);
      asked_.push_back(url);
      if (const auto redirect = redirects_.find(url); redirect != redirects_.end()) url = redirect->second;
    }
    auto source = find(url);
    return {std::move(url), std::move(source)};
  }
  bool is_forbidden(const std::string& url) const {
    const std::scoped_lock lock(mutex_);
    return forbidden_.contains(url);
  }
  std::optional<Source> find(const std::string& url) const {
    const std::scoped_lock lock(mutex_);
    const auto found = sources_.find(url);
    return found == sources_.end() ? std::nullopt : std::optional(found->second);
  }
  static content::FetchOutcome failed(content::FetchFailure failure, std::optional<int> status = std::nullopt) {
    content::FetchOutcome outcome;
    outcome.status = status;
    outcome.failure = failure;
    outcome.reason = base::make_message("quire.test.failed", "The source did not answer as it should.");
    return outcome;
  }

  mutable std::mutex mutex_;
  std::map<std::string, Source> sources_;
  std::map<std::string, std::string> redirects_;
  std::set<std::string> forbidden_;
  std::vector<std::string> asked_;
};

}  // namespace quire::test_support
