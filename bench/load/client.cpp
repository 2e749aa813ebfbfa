#include "load/client.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <system_error>
#include <vector>

namespace quire::bench {
namespace {

constexpr long tls_buffer_bytes = 256 * 1024;
constexpr std::size_t sendfile_bytes = 4 * 1024 * 1024;

std::uint64_t content_length(std::string_view head) {
  constexpr std::string_view name = "content-length:";
  const auto same = [](char a, char b) { return a == b || (a >= 'A' && a <= 'Z' && a - 'A' + 'a' == b); };
  const auto at = std::search(head.begin(), head.end(), name.begin(), name.end(), same);
  if (at == head.end()) return 0;
  auto digits = std::string_view(at + name.size(), head.end());
  digits.remove_prefix(std::min(digits.find_first_not_of(' '), digits.size()));
  std::uint64_t length = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), length);
  return length;
}

}  // namespace

void fail_with_errno(std::string_view what) {
  throw LoadFailure(std::string(what) + ": " + std::generic_category().message(errno));
}

Url::Url(std::string_view text) {
  constexpr std::string_view http = "http://";
  constexpr std::string_view https = "https://";
  tls = text.starts_with(https);
  if (!tls && !text.starts_with(http)) throw LoadFailure("not an http(s) URL: " + std::string(text));
  text.remove_prefix(tls ? https.size() : http.size());
  const auto slash = std::min(text.find('/'), text.size());
  const auto authority = text.substr(0, slash);
  const auto colon = authority.find(':');
  if (colon == std::string_view::npos) throw LoadFailure("the URL names no port: " + std::string(text));
  host = authority.substr(0, colon);
  const auto digits = authority.substr(colon + 1);
  std::from_chars(digits.data(), digits.data() + digits.size(), port);
  path = slash == text.size() ? "/" : text.substr(slash);
}

int connect_to(const Url& url) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(url.port);
  if (inet_pton(AF_INET, url.host.c_str(), &address.sin_addr) != 1) throw LoadFailure("no IPv4 address: " + url.host);
  const int made = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (made < 0) fail_with_errno("socket");
  if (::connect(made, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fail_with_errno("connect");
  const int on = 1;
  ::setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return made;
}

void Client::FreeSsl::operator()(SSL* ssl) const { SSL_free(ssl); }
void Client::FreeSsl::operator()(SSL_CTX* context) const { SSL_CTX_free(context); }

Client::Client(const Url& url, const std::string& ca_file) : url_(url), socket_(connect_to(url)) {
  if (!url.tls) return;
  context_.reset(SSL_CTX_new(TLS_client_method()));
  SSL_CTX_set_ciphersuites(context_.get(), "TLS_AES_128_GCM_SHA256");
  if (SSL_CTX_load_verify_file(context_.get(), ca_file.c_str()) != 1)
    throw LoadFailure("cannot read certificates from " + ca_file);
  SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
  ssl_.reset(SSL_new(context_.get()));
  BIO* buffer = BIO_new(BIO_f_buffer());
  BIO_set_read_buffer_size(buffer, tls_buffer_bytes);
  BIO_set_write_buffer_size(buffer, tls_buffer_bytes);
  BIO* bio = BIO_push(buffer, BIO_new_socket(socket_, BIO_NOCLOSE));
  SSL_set_bio(ssl_.get(), bio, bio);
  if (SSL_connect(ssl_.get()) != 1) throw LoadFailure("the TLS handshake failed");
}

Client::~Client() {
  ssl_.reset();
  ::close(socket_);
}

void Client::send(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    std::size_t sent = 0;
    if (ssl_) {
      const auto piece = bytes.first(std::min<std::size_t>(bytes.size(), tls_buffer_bytes));
      if (SSL_write_ex(ssl_.get(), piece.data(), piece.size(), &sent) != 1 || BIO_flush(SSL_get_wbio(ssl_.get())) != 1)
        throw LoadFailure("sending over TLS failed");
    } else {
      const auto result = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (result < 0) fail_with_errno("send");
      sent = static_cast<std::size_t>(result);
    }
    bytes = bytes.subspan(sent);
  }
}

void Client::send_file(int file, std::span<const std::byte> mapped) {
  if (ssl_) {
    send(mapped);
    return;
  }
  off_t offset = 0;
  while (static_cast<std::size_t>(offset) < mapped.size()) {
    const auto left = mapped.size() - static_cast<std::size_t>(offset);
    if (::sendfile(socket_, file, &offset, std::min(left, sendfile_bytes)) <= 0) fail_with_errno("sendfile");
  }
}

std::size_t Client::receive_some(std::span<std::byte> out) {
  std::size_t count = 0;
  if (ssl_) {
    if (SSL_read_ex(ssl_.get(), out.data(), out.size(), &count) != 1) throw LoadFailure("receiving over TLS failed");
    return count;
  }
  const auto result = ::recv(socket_, out.data(), out.size(), 0);
  if (result < 0) fail_with_errno("recv");
  if (result == 0) throw LoadFailure("the server closed the connection");
  return static_cast<std::size_t>(result);
}

void Client::drop(std::uint64_t count) {
  static constexpr std::size_t piece_bytes = 1024 * 1024;
  std::vector<std::byte> space(ssl_ ? piece_bytes : 0);
  while (count > 0) {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(count, piece_bytes));
    if (ssl_) {
      count -= receive_some(std::span(space).first(wanted));
      continue;
    }
    const auto result = ::recv(socket_, nullptr, wanted, MSG_TRUNC);  // dropped inside the kernel
    if (result < 0) fail_with_errno("recv");
    if (result == 0) throw LoadFailure("the server closed the connection in mid-body");
    count -= static_cast<std::uint64_t>(result);
  }
}

Answer Client::receive(bool keep_body) {
  std::array<std::byte, 16 * 1024> space;
  std::string text;
  auto end = std::string::npos;
  while (end == std::string::npos) {
    const auto count = receive_some(space);
    text.append(reinterpret_cast<const char*>(space.data()), count);
    end = text.find("\r\n\r\n");
  }
  Answer answer;
  answer.head = text.substr(0, end + 4);
  answer.body = text.substr(end + 4);
  constexpr std::size_t status_at = 9;
  std::from_chars(text.data() + status_at, text.data() + status_at + 3, answer.status);
  answer.body_bytes = content_length(answer.head);
  if (keep_body) {
    while (answer.body.size() < answer.body_bytes) {
      const auto count = receive_some(space);
      answer.body.append(reinterpret_cast<const char*>(space.data()), count);
    }
  } else {
    drop(answer.body_bytes - answer.body.size());
    answer.body.clear();
  }
  return answer;
}

}  // namespace quire::bench
