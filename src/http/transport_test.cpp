#include "http/transport.h"

#include <gmock/gmock.h>
#include <openssl/ssl.h>

#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "http/tls_context.h"
#include "http/tls_identity.h"

namespace quire::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr base::Duration patience = std::chrono::seconds(30);

class TransportTest : public testing::Test {
 protected:
  TransportTest() : acceptor_(context_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)), client_(context_) {
    client_.connect(acceptor_.local_endpoint());
    client_.non_blocking(true);
    client_.set_option(tcp::no_delay(true));
  }

  std::shared_ptr<SSL_CTX> server_context() {
    base::RandomIdentitySource identities;
    const auto identity = make_self_signed_identity({"localhost"}, base::SystemClock().now(), 1, identities);
    const auto file = std::filesystem::temp_directory_path() / ("quire-transport-test-" + identities.uuid());
    std::ofstream(file) << identity->certificate_pem << identity->key_pem;
    auto context = make_tls_context(file, file);
    std::filesystem::remove(file);
    return *context;
  }

  asio::io_context context_;
  tcp::acceptor acceptor_;
  tcp::socket client_;
};

asio::awaitable<void> receive_one_piece(Transport& transport, std::string& received) {
  const auto deadline = after(patience);
  const bool handshake_done = co_await transport.handshake(deadline);
  EXPECT_TRUE(handshake_done);
  std::array<std::byte, 100> piece{};
  const std::span<std::byte> space(piece);
  const std::size_t count = co_await transport.read_some(space, deadline);
  received.assign(reinterpret_cast<const char*>(piece.data()), count);
  transport.socket().close();
}

// A client that sent a body and crashed while a busy server had not ended the handshake yet: the session tickets that
// the server has for it go nowhere, and everything that had arrived was dropped with them.
TEST_F(TransportTest, ReadsWhatCameBeforeAConnectionThatBrokeInTheHandshake) {
  Transport transport(acceptor_.accept(), server_context());
  std::string received;
  asio::co_spawn(context_, receive_one_piece(transport, received), asio::detached);

  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  const std::unique_ptr<SSL, decltype(&SSL_free)> client(SSL_new(context.get()), SSL_free);
  SSL_set_fd(client.get(), client_.native_handle());
  int connected = SSL_connect(client.get());
  while (connected != 1 && SSL_get_error(client.get(), connected) == SSL_ERROR_WANT_READ) {
    context_.poll();
    connected = SSL_connect(client.get());
  }
  ASSERT_EQ(connected, 1);
  ASSERT_EQ(SSL_write(client.get(), "arrived", 7), 7);
  client_.set_option(asio::socket_base::linger(true, 0));
  client_.close();

  context_.run();
  EXPECT_EQ(received, "arrived");
}

asio::awaitable<void> wait_until_writable(DeadlineSocket& socket, std::optional<bool>& writable) {
  const bool is_writable = co_await socket.wait_writable(patience);
  writable = is_writable;
}

// The killed subscriber of a large file: whoever waited for room did so without end and without rest, because the
// system calls such a socket writable and goes on counting the bytes that it has thrown away.
TEST_F(TransportTest, FindsRoomOnceAPeerThatWasFarBehindHasResetTheConnection) {
  DeadlineSocket server(acceptor_.accept());
  const std::vector<std::byte> bytes(1U << 20U);
  while (server.send_room() > 0) ASSERT_TRUE(server.send_now(bytes));
  client_.set_option(asio::socket_base::linger(true, 0));
  client_.close();
  std::optional<bool> writable;
  asio::co_spawn(context_, wait_until_writable(server, writable), asio::detached);
  while (!writable) context_.run_one();
  EXPECT_TRUE(*writable);
  EXPECT_GT(server.send_room(), 0U);
  EXPECT_FALSE(server.send_now(bytes));
  server.close();
}

}  // namespace
}  // namespace quire::http
