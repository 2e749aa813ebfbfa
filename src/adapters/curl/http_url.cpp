#include "adapters/curl/http_url.h"

#include <curl/curl.h>

#include <algorithm>
#include <memory>

#include "base/check.h"
#include "base/hex.h"

namespace quire::adapters::curl {
namespace {

using Handle = std::unique_ptr<CURLU, decltype(&curl_url_cleanup)>;

Handle new_handle() {
  Handle handle(curl_url(), &curl_url_cleanup);
  QUIRE_CHECK(handle != nullptr);
  return handle;
}

constexpr std::size_t longest_url = 16UL * 1024;

std::optional<std::string> part(CURLU* handle, CURLUPart which, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(handle, which, &text, flags) != CURLUE_OK) return std::nullopt;
  const std::unique_ptr<char, decltype(&curl_free)> owned(text, &curl_free);
  return std::string(text);
}

bool set_url(CURLU* handle, const std::string& text) {
  return text.find('\0') == std::string::npos &&
         curl_url_set(handle, CURLUPART_URL, text.c_str(), CURLU_URLENCODE) == CURLUE_OK;
}

/// What libcurl makes of other names depends on the locale, and a proxy may make something else of them.
bool is_ascii(const std::string& host) {
  return std::all_of(host.begin(), host.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

/// libcurl also takes one slash, or three: then `http:///boot.iso` is the host `boot.iso`.
bool begins_with_a_host(std::string_view text) {
  const auto slashes = text.find("://");
  return slashes != std::string_view::npos && slashes == text.find_first_of(":/") && slashes + 3 < text.size() &&
         text[slashes + 3] != '/';
}

}  // namespace

std::optional<HttpUrl> HttpUrl::parse(const std::string& text) {
  if (!begins_with_a_host(text)) return std::nullopt;
  const auto handle = new_handle();
  if (!set_url(handle.get(), text)) return std::nullopt;
  return take_apart(handle.get());
}

std::optional<HttpUrl> HttpUrl::resolve(const std::string& reference) const {
  const auto handle = new_handle();
  if (!set_url(handle.get(), text_) || !set_url(handle.get(), reference)) return std::nullopt;
  auto target = take_apart(handle.get());
  if (target) target->credentials_.reset();
  return target;
}

std::string HttpUrl::origin() const { return scheme_ + "://" + host_ + ":" + port_; }

bool HttpUrl::same_origin(const HttpUrl& other) const {
  return scheme_ == other.scheme_ && host_ == other.host_ && port_ == other.port_;
}

std::optional<HttpUrl> HttpUrl::take_apart(void* raw) {
  auto* handle = static_cast<CURLU*>(raw);
  HttpUrl url;
  url.scheme_ = base::to_lower(part(handle, CURLUPART_SCHEME).value_or(""));
  if (url.scheme_ != "http" && url.scheme_ != "https") return std::nullopt;
  url.host_ = base::to_lower(part(handle, CURLUPART_HOST).value_or(""));
  if (url.host_.starts_with('[')) url.host_ = url.host_.substr(1, url.host_.size() - 2);
  url.port_ = part(handle, CURLUPART_PORT, CURLU_DEFAULT_PORT).value_or("");
  if (url.host_.empty() || url.port_.empty() || !is_ascii(url.host_)) return std::nullopt;

  if (part(handle, CURLUPART_USER) || part(handle, CURLUPART_PASSWORD)) {
    // Absent is empty; what does not decode (control characters) is refused.
    const auto decoded = [&](CURLUPart which) {
      return part(handle, which) ? part(handle, which, CURLU_URLDECODE) : std::optional<std::string>("");
    };
    const auto user = decoded(CURLUPART_USER);
    const auto password = decoded(CURLUPART_PASSWORD);
    if (!user || !password) return std::nullopt;
    url.credentials_ = Credentials{*user, *password};
  }

  for (const auto secret : {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_OPTIONS, CURLUPART_FRAGMENT})
    curl_url_set(handle, secret, nullptr, 0);
  url.text_ = part(handle, CURLUPART_URL).value_or("");
  curl_url_set(handle, CURLUPART_QUERY, nullptr, 0);
  url.shown_ = part(handle, CURLUPART_URL).value_or("");
  if (url.text_.empty() || url.shown_.empty() || url.text_.size() > longest_url) return std::nullopt;
  return url;
}

}  // namespace quire::adapters::curl
