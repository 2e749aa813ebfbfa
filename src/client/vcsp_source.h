#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "client/http_client.h"

namespace quire::client {

/// A published library as a subscriber reads it (vcsp.md §6), from any publisher. The publisher is a stranger: it is
/// followed to no other server, and the password goes to the library's own alone. One thread.
class VcspSource {
 public:
  /// `url` is the subscription URL; without a password nobody is named. `transport` outlives it.
  VcspSource(Transport& transport, std::string url, std::string password);

  const std::string& url() const { return url_; }
  bool has_password() const { return !password_.empty(); }

  /// One request, whatever it answers; at most five redirects, on the same server. Errors as HttpClient, and
  /// content_refused() for a URL that leads elsewhere.
  base::Result<HttpResponse> ask(HttpRequest request, bool with_password = true);
  /// A whole document. Error for any other answer than one with it, in words for people.
  base::Result<std::string> document(const std::string& url);
  /// The first of `places` that is there, from its first byte on. Error when none is.
  base::Result<void> file(const std::vector<std::string>& places, const BodySink& sink);

 private:
  HttpClient http_;
  const std::string url_;
  const std::string origin_;
  const std::string password_;
};

/// What an answer that is no success says, in words for people.
base::Error vcsp_failure(const std::string& url, int status);

}  // namespace quire::client
