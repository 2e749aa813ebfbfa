#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace quire::adapters::curl {

/// An http or https URL, read the way libcurl will read it.
class HttpUrl {
 public:
  struct Credentials {
    std::string user;
    std::string password;
  };

  /// nullopt for anything else than a usable http or https URL. Blanks and bytes beyond ASCII are percent-encoded.
  /// Longer than 16 KiB is not usable, nor is a host name beyond ASCII: those are written as `xn--…`.
  static std::optional<HttpUrl> parse(const std::string& text);
  /// The target of a Location header that came from here. Credentials in it are dropped.
  std::optional<HttpUrl> resolve(const std::string& reference) const;

  /// The whole URL without credentials and fragment.
  const std::string& text() const { return text_; }
  /// For people: also without the query.
  const std::string& shown() const { return shown_; }
  bool is_https() const { return scheme_ == "https"; }
  /// A name or an address, without brackets.
  const std::string& host() const { return host_; }
  /// In digits, also when the scheme implies it.
  const std::string& port() const { return port_; }
  const std::optional<Credentials>& credentials() const { return credentials_; }
  /// Scheme, host and port: `https://host:443`.
  std::string origin() const;
  /// Scheme, host and port agree.
  bool same_origin(const HttpUrl& other) const;

 private:
  HttpUrl() = default;
  static std::optional<HttpUrl> take_apart(void* handle);

  std::string text_;
  std::string shown_;
  std::string scheme_;
  std::string host_;
  std::string port_;
  std::optional<Credentials> credentials_;
};

}  // namespace quire::adapters::curl
