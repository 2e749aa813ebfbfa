#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <mutex>
#include <thread>
#include <unordered_set>
#include <utility>
#include <vector>

#include "http/http_connection.h"
#include "http/request_loop.h"
#include "http/server_internal.h"
#include "http/server_parts.h"
#include "http/tls_context.h"
#include "http/transfer_buffers.h"

namespace quire::http {
namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
namespace {

/// How long a listener pauses after accept(2) failed, as without free file descriptors.
constexpr base::Duration accept_back_off = std::chrono::milliseconds(50);

/// One network thread. Everything of a connection happens on the thread that it was given to, so that threads neither
/// wake each other nor wait for each other's locks.
struct NetworkThread {
  asio::io_context io{1};
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work{asio::make_work_guard(io)};
  std::size_t connections = 0;  ///< of the first thread, as all of the server's own
};

std::vector<std::unique_ptr<NetworkThread>> make_network_threads(std::size_t count) {
  std::vector<std::unique_ptr<NetworkThread>> threads;
  while (threads.size() < std::max<std::size_t>(1, count)) threads.push_back(std::make_unique<NetworkThread>());
  return threads;
}

/// One listening socket. Everything happens on the first network thread.
struct Listener {
  explicit Listener(asio::io_context& io) : acceptor(io), back_off(io) {}
  tcp::acceptor acceptor;
  asio::steady_timer back_off;  ///< after a failure, and the wait for a connection to end
  bool tls = false;
  ListenAddress address;
};

/// A connection and the file that it sends take two; many systems allow 1,024 unless one asks.
void allow_all_descriptors() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) spdlog::warn("The limit of open files stays as it is.");
}

base::Error cannot_listen(const ListenAddress& address, const error_code& error) {
  return base::Error(
      base::ErrorKind::resource_inaccessible, "quire.http.cannot_listen",
      "Cannot listen on {host} port {port}: {reason}. Check the address, or what else uses the port.",
      {{"host", address.host}, {"port", static_cast<std::int64_t>(address.port)}, {"reason", error.message()}});
}

class AsioServer final : public Server {
 public:
  AsioServer(ServerSettings settings, const ApiHandler& api, TransferService& transfers, const base::Clock& clock)
      : settings_(std::move(settings)),
        threads_(make_network_threads(settings_.limits.network_threads)),
        io_(threads_.front()->io),
        grace_timer_(io_),
        buffers_(settings_.limits.transfer_buffer_bytes, settings_.limits.transfer_memory_bytes_max),
        call_pool_(std::max<std::size_t>(1, settings_.limits.call_threads)),
        transfer_pool_(std::max<std::size_t>(1, settings_.limits.transfer_threads)),
        inline_calls_(!settings_.limits.calls_may_wait),
        parts_{settings_, api, transfers, clock, buffers_, call_pool_, inline_calls_, transfer_pool_} {}

  ~AsioServer() override {
    call_pool_.join();
    transfer_pool_.join();
  }

  base::Result<void> open();

  std::optional<ListenAddress> https_address() const override { return address_of(true); }
  std::optional<ListenAddress> http_address() const override { return address_of(false); }
  void run() override;
  base::Result<void> reload_certificate() override;
  void stop(base::Duration grace) override;

 private:
  base::Result<void> listen(const ListenAddress& address, bool tls);
  std::optional<ListenAddress> address_of(bool tls) const;
  asio::awaitable<void> accept(Listener& listener);
  asio::awaitable<void> pause(Listener& listener, Deadline until);
  NetworkThread& least_loaded_thread();
  void start(tcp::socket socket, bool tls, NetworkThread& thread);
  void connection_ended(const std::shared_ptr<HttpConnection>& connection, NetworkThread& thread);
  void end_threads();
  std::shared_ptr<SSL_CTX> tls_context();

  const ServerSettings settings_;
  const std::vector<std::unique_ptr<NetworkThread>> threads_;
  asio::io_context& io_;  ///< of the first thread
  asio::steady_timer grace_timer_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::mutex tls_mutex_;
  std::shared_ptr<SSL_CTX> tls_context_;  ///< guarded by tls_mutex_
  TransferBuffers buffers_;
  asio::thread_pool call_pool_;
  asio::thread_pool transfer_pool_;
  InlineCalls inline_calls_;
  const ServerParts parts_;
  // Of the first thread:
  std::unordered_set<std::shared_ptr<HttpConnection>> connections_;
  bool stopping_ = false;
};

base::Result<void> AsioServer::open() {
  if (settings_.https) {
    if (auto loaded = reload_certificate(); !loaded) return loaded;
    if (auto listening = listen(*settings_.https, true); !listening) return listening;
  }
  if (settings_.http) {
    if (auto listening = listen(*settings_.http, false); !listening) return listening;
  }
  return {};
}

base::Result<void> AsioServer::listen(const ListenAddress& address, bool tls) {
  error_code error;
  tcp::resolver resolver(io_);
  const auto found = resolver.resolve(address.host, std::to_string(address.port),
                                      tcp::resolver::passive | tcp::resolver::numeric_service, error);
  if (error || found.empty()) return cannot_listen(address, error);
  const tcp::endpoint endpoint = found.begin()->endpoint();
  auto listener = std::make_unique<Listener>(io_);
  auto& acceptor = listener->acceptor;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  // "::" takes IPv4 as well.
  if (!error && endpoint.protocol() == tcp::v6()) acceptor.set_option(asio::ip::v6_only(false), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return cannot_listen(address, error);
  listener->tls = tls;
  listener->address = address;
  listener->address.port = acceptor.local_endpoint().port();
  listeners_.push_back(std::move(listener));
  return {};
}

std::optional<ListenAddress> AsioServer::address_of(bool tls) const {
  for (const auto& listener : listeners_) {
    if (listener->tls == tls) return listener->address;
  }
  return std::nullopt;
}

void AsioServer::run() {
  // A peer that has gone must be an error code; sendfile and OpenSSL know no MSG_NOSIGNAL.
  std::signal(SIGPIPE, SIG_IGN);
  allow_all_descriptors();
  for (const auto& listener : listeners_) {
    auto accepting = accept(*listener);
    asio::co_spawn(io_, std::move(accepting), [](const std::exception_ptr& failure) {
      if (failure) std::rethrow_exception(failure);
    });
  }
  std::vector<std::jthread> others;
  for (std::size_t i = 1; i < threads_.size(); ++i) others.emplace_back([&io = threads_[i]->io] { io.run(); });
  io_.run();
}

NetworkThread& AsioServer::least_loaded_thread() {
  return **std::ranges::min_element(threads_, {}, [](const auto& thread) { return thread->connections; });
}

asio::awaitable<void> AsioServer::accept(Listener& listener) {
  while (!stopping_) {
    if (connections_.size() >= settings_.limits.connections_max) {
      const auto until_one_ends = Deadline::max();
      co_await pause(listener, until_one_ends);
      continue;
    }
    auto& thread = least_loaded_thread();
    tcp::socket socket(thread.io);
    error_code error;
    co_await listener.acceptor.async_accept(socket, asio::redirect_error(asio::use_awaitable, error));
    if (stopping_) break;
    if (!error) {
      start(std::move(socket), listener.tls, thread);
      continue;
    }
    spdlog::warn("Accepting a connection failed: {}", error.message());
    const auto until = after(accept_back_off);
    co_await pause(listener, until);
  }
  error_code ignored;
  listener.acceptor.close(ignored);
}

asio::awaitable<void> AsioServer::pause(Listener& listener, Deadline until) {
  error_code ignored;
  listener.back_off.expires_at(until);
  co_await listener.back_off.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

void AsioServer::start(tcp::socket socket, bool tls, NetworkThread& thread) {
  auto context = tls ? tls_context() : nullptr;
  auto connection =
      std::make_shared<HttpConnection>(std::move(socket), std::move(context), settings_.limits, parts_.clock);
  connections_.insert(connection);
  ++thread.connections;
  auto serving = serve(connection, parts_);
  asio::co_spawn(thread.io, std::move(serving), [this, connection, &thread](const std::exception_ptr& failure) {
    if (failure) std::rethrow_exception(failure);
    asio::post(io_, [this, connection, &thread] { connection_ended(connection, thread); });
  });
}

void AsioServer::connection_ended(const std::shared_ptr<HttpConnection>& connection, NetworkThread& thread) {
  connections_.erase(connection);
  --thread.connections;
  for (const auto& listener : listeners_) listener->back_off.cancel();
  if (!stopping_ || !connections_.empty()) return;
  grace_timer_.cancel();
  end_threads();
}

void AsioServer::end_threads() {
  for (const auto& thread : threads_) thread->work.reset();
}

void AsioServer::stop(base::Duration grace) {
  asio::post(io_, [this, grace] {
    if (stopping_) return;
    stopping_ = true;
    for (const auto& listener : listeners_) {
      error_code ignored;
      listener->acceptor.cancel(ignored);
      listener->back_off.cancel();
    }
    for (const auto& connection : connections_) connection->request_stop();
    if (connections_.empty()) {
      end_threads();
      return;
    }
    grace_timer_.expires_after(grace);
    grace_timer_.async_wait([this](const error_code& error) {
      if (error) return;
      for (const auto& connection : connections_) connection->break_off();
    });
  });
}

std::shared_ptr<SSL_CTX> AsioServer::tls_context() {
  const std::scoped_lock lock(tls_mutex_);
  return tls_context_;
}

base::Result<void> AsioServer::reload_certificate() {
  if (!settings_.https) return {};
  auto context = make_tls_context(settings_.certificate_file, settings_.key_file);
  if (!context) return context.error();
  const std::scoped_lock lock(tls_mutex_);
  tls_context_ = *std::move(context);
  return {};
}

}  // namespace

base::Result<std::unique_ptr<Server>> make_server_over(ServerSettings settings, const ApiHandler& api,
                                                       TransferService& transfers, const base::Clock& clock) {
  auto server = std::make_unique<AsioServer>(std::move(settings), api, transfers, clock);
  if (auto opened = server->open(); !opened) return opened.error();
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace quire::http
