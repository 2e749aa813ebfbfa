#include "client/server_address.h"

#include <curl/curl.h>

#include <memory>

#include "client/failure.h"

namespace quire::client {
namespace {

std::string part_of(CURLU* url, CURLUPart part, unsigned flags) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, flags) != CURLUE_OK) return {};
  std::string copy = text;
  curl_free(text);
  return copy;
}

}  // namespace

std::string ServerAddress::authority() const {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? '[' + host + ']' : host) + ':' + std::to_string(port);
}

base::Result<ServerAddress> parse_server_address(std::string_view text) {
  std::string given(text);
  const auto wrong = [&] {
    return usage_error("'" + std::string(text) + "' is no address of a server; give it as https://HOST:PORT");
  };
  if (given.find("://") == std::string::npos) given = "https://" + given;
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> url(curl_url(), &curl_url_cleanup);
  if (!url || curl_url_set(url.get(), CURLUPART_URL, given.c_str(), 0) != CURLUE_OK) return wrong();
  const auto scheme = part_of(url.get(), CURLUPART_SCHEME, 0);
  if (scheme != "https" && scheme != "http") return wrong();
  if (!part_of(url.get(), CURLUPART_USER, 0).empty())
    return usage_error("the address of the server holds a user; give it without, and sign in with 'quire login'");
  ServerAddress address;
  address.tls = scheme == "https";
  address.host = part_of(url.get(), CURLUPART_HOST, 0);
  if (address.host.starts_with('[') && address.host.ends_with(']'))
    address.host = address.host.substr(1, address.host.size() - 2);
  const auto port = part_of(url.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT);
  if (address.host.empty() || port.empty()) return wrong();
  address.port = std::stoi(port);
  for (auto& c : address.host)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  address.url = scheme + "://" + address.authority();
  return address;
}

}  // namespace quire::client
