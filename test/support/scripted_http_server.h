#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "support/certificate_maker.h"

namespace quire::test_support {

/// An HTTP server on 127.0.0.1 that answers as the test says, also in ways that no decent server would. It serves one
/// connection after the other on a thread of its own, one request on each. Ignores SIGPIPE for the process.
/// Link with OpenSSL::SSL.
class ScriptedHttpServer {
 public:
  struct Request {
    std::string method;
    std::string target;
    std::string head;  ///< all lines as they came

    /// The value of a header, or nullopt. `name` in the case that libcurl writes.
    std::optional<std::string> header(const std::string& name) const {
      const auto start = head.find("\r\n" + name + ": ");
      if (start == std::string::npos) return std::nullopt;
      const auto value = start + name.size() + 4;
      return head.substr(value, head.find("\r\n", value) - value);
    }
  };

  /// The server's end of one connection. Closes when the script returns; over TLS without a closing alert, unless
  /// end_tls() was called.
  class Connection {
   public:
    Connection(int socket, int stopped) : socket_(socket), stopped_(stopped) {}
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection() {
      tls_.reset();
      close(socket_);
    }

    /// False when the other end has gone.
    bool send(std::string_view text) {
      while (!text.empty()) {
        const auto sent = tls_ ? SSL_write(tls_.get(), text.data(), static_cast<int>(text.size()))
                               : ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
        if (sent <= 0) return false;
        text.remove_prefix(static_cast<std::size_t>(sent));
      }
      return true;
    }

    /// Sends nothing until the other end has gone or the server stops.
    void stall() {
      std::array<char, 4096> ignored{};
      while (readable() && recv(socket_, ignored.data(), ignored.size(), 0) > 0) {
      }
    }

    /// The connection ends with RST instead of FIN.
    void reset() {
      const linger at_once{1, 0};
      setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    }

    /// False when the handshake fails.
    bool start_tls(const CertificateMaker::Identity& identity) {
      context_.reset(SSL_CTX_new(TLS_server_method()));
      SSL_CTX_set_security_level(context_.get(), 0);
      const auto bio_of = [](const std::string& text) {
        return std::unique_ptr<BIO, decltype(&BIO_free_all)>(
            BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), &BIO_free_all);
      };
      const auto pem = identity.pem();
      const auto key_pem = identity.key_pem();
      const std::unique_ptr<X509, decltype(&X509_free)> certificate(
          PEM_read_bio_X509(bio_of(pem).get(), nullptr, nullptr, nullptr), &X509_free);
      const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
          PEM_read_bio_PrivateKey(bio_of(key_pem).get(), nullptr, nullptr, nullptr), &EVP_PKEY_free);
      if (SSL_CTX_use_certificate(context_.get(), certificate.get()) != 1 ||
          SSL_CTX_use_PrivateKey(context_.get(), key.get()) != 1)
        throw std::runtime_error("OpenSSL refused the test server's certificate");
      tls_.reset(SSL_new(context_.get()));
      SSL_set_fd(tls_.get(), socket_);
      const bool accepted = SSL_accept(tls_.get()) == 1;
      ERR_clear_error();
      return accepted;
    }

    void end_tls() { SSL_shutdown(tls_.get()); }

    /// The head of a request; nullopt when the connection ends before.
    std::optional<Request> read_request() {
      Request request;
      while (!request.head.ends_with("\r\n\r\n")) {
        const auto next = read_some(1);
        if (next.empty()) return std::nullopt;
        request.head += next;
      }
      const auto first = request.head.find(' ');
      request.method = request.head.substr(0, first);
      request.target = request.head.substr(first + 1, request.head.find(' ', first + 1) - first - 1);
      return request;
    }

    /// The body of that request by its Content-Length; what has come of it when the connection ends before.
    std::string read_body(const Request& request) {
      const auto length = std::stoul(request.header("Content-Length").value_or("0"));
      std::string body;
      while (body.size() < length) {
        const auto some = read_some(length - body.size());
        if (some.empty()) break;
        body += some;
      }
      return body;
    }

   private:
    /// Empty when the connection ends.
    std::string read_some(std::size_t most) {
      std::string some(std::min<std::size_t>(most, 1U << 16U), '\0');
      if (!tls_ && !readable()) return "";
      const auto got = tls_ ? SSL_read(tls_.get(), some.data(), static_cast<int>(some.size()))
                            : recv(socket_, some.data(), some.size(), 0);
      some.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
      return some;
    }

    bool readable() const {
      std::array<pollfd, 2> waiting{pollfd{socket_, POLLIN, 0}, pollfd{stopped_, POLLIN, 0}};
      return poll(waiting.data(), waiting.size(), -1) > 0 && waiting[1].revents == 0;
    }

    int socket_;
    int stopped_;
    std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_{nullptr, &SSL_CTX_free};
    std::unique_ptr<SSL, decltype(&SSL_free)> tls_{nullptr, &SSL_free};
  };

  using Script = std::function<void(const Request&, Connection&)>;

  /// Plain when there is no identity.
  explicit ScriptedHttpServer(Script script, std::optional<CertificateMaker::Identity> identity = std::nullopt)
      : script_(std::move(script)), identity_(std::move(identity)) {
    std::signal(SIGPIPE, SIG_IGN);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (listener_ < 0 || stopped_ < 0 || bind(listener_, generic, length) != 0 || listen(listener_, SOMAXCONN) != 0 ||
        getsockname(listener_, generic, &length) != 0)
      throw std::runtime_error("cannot listen on 127.0.0.1");
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ScriptedHttpServer(const ScriptedHttpServer&) = delete;
  ScriptedHttpServer& operator=(const ScriptedHttpServer&) = delete;
  ~ScriptedHttpServer() {
    eventfd_write(stopped_, 1);
    thread_.join();
    close(listener_);
    close(stopped_);
  }

  int port() const { return port_; }
  /// `http://127.0.0.1:1234/path`, or https.
  std::string url(const std::string& path, const std::string& host = "127.0.0.1") const {
    return (identity_ ? "https://" : "http://") + host + ":" + std::to_string(port_) + path;
  }
  /// All requests so far.
  std::vector<Request> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  void serve() {
    std::array<pollfd, 2> waiting{pollfd{listener_, POLLIN, 0}, pollfd{stopped_, POLLIN, 0}};
    while (poll(waiting.data(), waiting.size(), -1) > 0 && waiting[1].revents == 0) {
      Connection connection(accept(listener_, nullptr, nullptr), stopped_);
      if (identity_ && !connection.start_tls(*identity_)) continue;
      const auto request = connection.read_request();
      if (!request) continue;
      {
        const std::lock_guard lock(mutex_);
        requests_.push_back(*request);
      }
      script_(*request, connection);
    }
  }

  Script script_;
  std::optional<CertificateMaker::Identity> identity_;
  int listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int stopped_ = eventfd(0, EFD_CLOEXEC);
  int port_ = 0;
  mutable std::mutex mutex_;
  std::vector<Request> requests_;
  std::thread thread_;
};

}  // namespace quire::test_support
