#include "content/source_url.h"

#include <algorithm>
#include <utility>

#include "base/hex.h"
#include "base/uri.h"

namespace quire::content {
namespace {

std::string_view without_query(std::string_view text) { return text.substr(0, text.find_first_of("?#")); }

/// The part that begins behind a user and password, wherever these end.
std::string_view behind_credentials(std::string_view text) {
  const auto at = text.rfind('@');
  return at == std::string_view::npos ? text : text.substr(at + 1);
}

bool is_port(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// `host`, `host:8443`, `[::1]:8443`; a password with a slash in it is none of them.
bool is_host_and_port(std::string_view text) {
  if (text.find('\\') != std::string_view::npos) return false;
  const auto host_end = text.starts_with('[') ? text.find(']') : std::size_t{0};
  if (host_end == std::string_view::npos) return false;
  const auto colon = text.find(':', host_end);
  return colon == std::string_view::npos || is_port(text.substr(colon + 1));
}

std::string with_port(std::string_view scheme, std::string_view authority) {
  auto text = base::to_lower(authority);
  if (text.ends_with(':')) text.pop_back();
  const auto colon = text.rfind(':');
  const bool has_port = colon != std::string::npos && text.find(']', colon) == std::string::npos;
  if (!has_port && scheme == "http") text += ":80";
  if (!has_port && scheme == "https") text += ":443";
  return text;
}

}  // namespace

SourceUrl::SourceUrl(std::string text) : text_(std::move(text)) {
  const std::string_view all = text_;
  const auto mark = all.find("://");
  const bool has_authority = mark != std::string_view::npos && mark == all.find_first_of(":/?#@");
  if (!has_authority) {
    const auto path = behind_credentials(all);
    if (path.size() == all.size()) scheme_ = base::uri_scheme(all);
    shown_ = without_query(path);
    return;
  }
  scheme_ = base::to_lower(all.substr(0, mark));
  const auto begin = mark + 3;
  const auto end = std::min(all.find_first_of("/?#", begin), all.size());
  const auto authority = all.substr(begin, end - begin);
  const auto host = behind_credentials(authority);
  const auto prefix = std::string(all.substr(0, begin));
  if (!is_host_and_port(host)) {
    shown_ = prefix + std::string(without_query(behind_credentials(all.substr(begin))));
    return;
  }
  if (host.size() < authority.size()) user_info_ = authority.substr(0, authority.size() - host.size() - 1);
  authority_ = with_port(scheme_, host);
  shown_ = prefix + std::string(host) + std::string(without_query(all.substr(end)));
}

bool SourceUrl::same_origin(const SourceUrl& other) const {
  return !authority_.empty() && scheme_ == other.scheme_ && authority_ == other.authority_;
}

SourceUrl SourceUrl::resolve(std::string_view href) const {
  return base::resolve_reference(text_, base::relative_reference(href));
}

SourceUrl SourceUrl::sibling(std::string_view name) const {
  return base::resolve_reference(text_, base::relative_reference(base::percent_encode_path(name)));
}

SourceUrl SourceUrl::with_credentials_of(const SourceUrl& other) const {
  if (!same_origin(other) || other.user_info_.empty() || !user_info_.empty()) return *this;
  const auto begin = text_.find("://") + 3;
  return text_.substr(0, begin) + other.user_info_ + "@" + text_.substr(begin);
}

SourceUrl SourceUrl::with_credentials(std::string_view user, std::string_view password) const {
  if (authority_.empty() || !user_info_.empty()) return *this;
  const auto encoded = [](std::string_view text) {
    std::string part = base::percent_encode_path(text);
    for (auto slash = part.find('/'); slash != std::string::npos; slash = part.find('/', slash))
      part.replace(slash, 1, "%2F");
    return part;
  };
  const auto begin = text_.find("://") + 3;
  return text_.substr(0, begin) + encoded(user) + ":" + encoded(password) + "@" + text_.substr(begin);
}

}  // namespace quire::content
