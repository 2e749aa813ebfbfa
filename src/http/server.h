#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "service/services.h"
#include "wire/router.h"

namespace quire::http {

/// Bounds and deadlines of the HTTP layer; each is a setting.
struct ServerLimits {
  std::size_t header_bytes_max = 64 * 1024;                  ///< 431
  std::size_t target_bytes_max = 16 * 1024;                  ///< 414
  std::size_t body_bytes_max = 4 * 1024 * 1024;              ///< of an API call: 413
  std::size_t connections_max = 2000;                        ///< more wait in the listen queue
  std::size_t transfer_buffer_bytes = 4 * 1024 * 1024;       ///< one chunk of a transfer; best of whole huge pages
  std::size_t transfer_memory_bytes_max = 48 * 1024 * 1024;  ///< all chunks; further transfers wait for a buffer
  base::Duration header_timeout = std::chrono::seconds(30);  ///< from the first byte of a request
  base::Duration body_timeout = std::chrono::seconds(60);    ///< of an API call, whole
  base::Duration idle_timeout = std::chrono::seconds(120);   ///< keep-alive between requests
  base::Duration transfer_stall_timeout = std::chrono::seconds(120);  ///< a transfer without a byte
  base::Duration activity_interval = std::chrono::seconds(5);         ///< sessions hear so often of bytes that flow
  base::Duration write_timeout = std::chrono::seconds(60);
  std::size_t network_threads = 3;  ///< each has connections of its own; they also answer GETs of the API
  bool calls_may_wait = false;      ///< for another machine: network threads answer no calls
  std::size_t call_threads = 32;    ///< run API calls; those that wait share a commit
  std::size_t transfer_threads = 16;
};

struct ListenAddress {
  std::string host;  ///< name or address; "0.0.0.0", "::" for all
  std::uint16_t port = 0;
};

struct ServerSettings {
  std::optional<ListenAddress> https;
  std::optional<ListenAddress> http;
  std::string certificate_file;  ///< PEM chain; used when https is set
  std::string key_file;          ///< PEM
  std::string public_url;        ///< base of handed-out URLs; empty: from the request
  ServerLimits limits;
};

/// The HTTP server: listeners, TLS, connections, API calls through the router, uploads and downloads of file bytes.
class Server {
 public:
  virtual ~Server() = default;

  /// The ports that were bound, with port 0 resolved; nullopt for a listener that is off.
  virtual std::optional<ListenAddress> https_address() const = 0;
  virtual std::optional<ListenAddress> http_address() const = 0;

  /// Serves until stop() has drained. Blocks the calling thread.
  virtual void run() = 0;

  /// Reads certificate and key again; connections that are open keep theirs. On an Error the old ones stay.
  virtual base::Result<void> reload_certificate() = 0;

  /// No new connections or requests; running requests and transfers get `grace`, then run() returns. From any thread,
  /// not from a signal handler.
  virtual void stop(base::Duration grace) = 0;
};

/// Binds and loads TLS; Error when an address cannot be bound or the key material cannot be used (says which and why).
/// `services` and `router` must outlive the server.
base::Result<std::unique_ptr<Server>> make_server(ServerSettings settings, service::Services& services,
                                                  const wire::Router& router);

/// A server of its own, on plain HTTP, that has only the pages for monitoring (wire::Router::watch): with threads of
/// its own, so that it answers when all others are busy. Errors as make_server(). `router` and `clock` must outlive it.
base::Result<std::unique_ptr<Server>> make_monitoring_server(const ListenAddress& address, const wire::Router& router,
                                                             const base::Clock& clock);

}  // namespace quire::http
