#pragma once

#include <openssl/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace quire::bench {

/// What the client could not do; the program ends with it.
struct LoadFailure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Throws LoadFailure with what the system says of errno.
[[noreturn]] void fail_with_errno(std::string_view what);

/// `http://host:port/path`, host being an IPv4 address.
struct Url {
  explicit Url(std::string_view text);
  bool tls = false;
  std::string host;
  std::uint16_t port = 0;
  std::string path;
};

/// An open TCP socket to the host of `url`.
int connect_to(const Url& url);

struct Answer {
  int status = 0;
  std::string head;
  std::string body;  ///< empty when it was thrown away
  std::uint64_t body_bytes = 0;
};

/// One connection that blocks, plain or TLS, made to cost little beside the server: file bytes go out by sendfile(2) or
/// in TLS records gathered to 256 KiB, and bodies that nobody wants are dropped without a copy. Throws LoadFailure.
class Client {
 public:
  /// `ca_file` holds what HTTPS trusts.
  Client(const Url& url, const std::string& ca_file);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void send(std::string_view text) { send(std::as_bytes(std::span(text))); }
  void send(std::span<const std::byte> bytes);
  /// The first `count` bytes of a file, which is mapped at `mapped` as well.
  void send_file(int file, std::span<const std::byte> mapped);
  /// The next answer; only answers with a Content-Length, or none and no body.
  Answer receive(bool keep_body);

 private:
  struct FreeSsl {
    void operator()(SSL* ssl) const;
    void operator()(SSL_CTX* context) const;
  };
  std::size_t receive_some(std::span<std::byte> out);
  void drop(std::uint64_t count);

  const Url url_;
  const int socket_;
  std::unique_ptr<SSL_CTX, FreeSsl> context_;
  std::unique_ptr<SSL, FreeSsl> ssl_;
};

}  // namespace quire::bench
