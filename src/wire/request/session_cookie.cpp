#include "wire/request/session_cookie.h"

#include <optional>
#include <string>
#include <string_view>

#include "base/hex.h"
#include "wire/request/authentication.h"

namespace quire::wire {
namespace {

constexpr std::string_view cookie_name = "__Host-quire-session";
constexpr std::string_view page_field = "Quire-Page";
constexpr std::string_view attributes = "; Path=/; Secure; HttpOnly; SameSite=Strict";

/// `https://host:port` and the value of Host say the same place.
bool names_host(std::string_view origin, std::string_view host) {
  const auto scheme = origin.find("://");
  return scheme != std::string_view::npos && base::to_lower(origin.substr(scheme + 3)) == base::to_lower(host);
}

bool is_same_origin(const Request& request) {
  if (const auto site = request.headers.find("Sec-Fetch-Site")) return *site == "same-origin";
  const auto origin = request.headers.find("Origin");
  const auto host = request.headers.find("Host");
  return origin && host && names_host(*origin, *host);
}

}  // namespace

bool has_session_cookie(const Request& request) { return find_cookie(request.headers, cookie_name).has_value(); }

bool is_of_page(const Request& request) { return request.headers.contains(page_field) && is_same_origin(request); }

bool admit_session_cookie(Request& request) {
  const auto token = find_cookie(request.headers, cookie_name);
  if (!token || request.headers.contains("Authorization") || identification_of(request.headers).token) return false;
  const bool reads = request.method == "GET" || request.method == "HEAD";
  if (!is_same_origin(request) || (!reads && !request.headers.contains(page_field))) return false;
  request.headers.add("vmware-api-session-id", *token);
  return true;
}

void move_token_to_cookie(Response& response) {
  auto token = std::string_view(response.body);  // a JSON string of letters, digits and dashes
  if (token.size() >= 2 && token.front() == '"') token = token.substr(1, token.size() - 2);
  response.headers.add("Set-Cookie", std::string(cookie_name) + "=" + std::string(token) + std::string(attributes));
  response.body = "\"\"";
}

void clear_session_cookie(Response& response) {
  response.headers.add("Set-Cookie", std::string(cookie_name) + "=" + std::string(attributes) + "; Max-Age=0");
}

}  // namespace quire::wire
