#pragma once

#include <functional>
#include <map>
#include <string>

#include "content/fetcher.h"

namespace quire::content {

/// Leaves each URL to the fetcher of its scheme; what has none is unusable. All threads may call it.
class FetcherByScheme final : public Fetcher {
 public:
  /// Scheme in lower case and who reads it; they must outlive this.
  explicit FetcherByScheme(std::map<std::string, Fetcher*, std::less<>> fetchers) : fetchers_(std::move(fetchers)) {}

  base::Result<void> check(const FetchRequest& request) const override;
  FetchOutcome fetch(const FetchRequest& request, FetchSink& sink, const std::atomic<bool>& stop) override;
  FetchOutcome probe(const FetchRequest& request) override;

 private:
  Fetcher* find(const FetchRequest& request) const;
  base::Message unusable(const FetchRequest& request) const;

  const std::map<std::string, Fetcher*, std::less<>> fetchers_;
};

}  // namespace quire::content
