#include "http/handlers.h"
#include "http/server.h"
#include "http/server_internal.h"

namespace quire::http {
namespace {

class RoutedApi : public ApiHandler {
 public:
  explicit RoutedApi(const wire::Router& router) : router_(router) {}
  wire::Response handle(const wire::Request& request) const override { return router_.handle(request); }
  wire::Response refuse(std::string_view target, int status, const base::Message& message) const override {
    return wire::Router::refuse(target, status, message);
  }
  wire::Response transfer_error(int status, const base::Error& error) const override {
    return wire::Router::transfer_error(status, error);
  }

 protected:
  const wire::Router& router_;
};

class SessionTransfers final : public TransferService {
 public:
  explicit SessionTransfers(service::Services& services) : services_(services) {}
  service::Uploads::Begun begin_upload(const content::TransferToken& token, const service::UploadRequest& request,
                                       std::function<void()> on_stop) override {
    return services_.uploads.begin(token, request, std::move(on_stop));
  }
  service::Uploads::Asked ask_upload(const content::TransferToken& token) override {
    return services_.uploads.ask(token);
  }
  std::optional<service::UploadRefusal> discard_upload(const content::TransferToken& token) override {
    return services_.uploads.discard(token);
  }
  base::Result<void> touch_upload(const content::TransferToken& token) override {
    return services_.uploads.touch(token);
  }
  base::Result<bool> is_upload_endpoint(const content::TransferToken& token) override {
    return services_.uploads.is_upload_endpoint(token);
  }
  base::Result<service::OpenDownload> open_download(const content::TransferToken& token,
                                                    const std::string& name) override {
    return services_.downloads.open(token, name);
  }
  base::Result<void> touch_download(const content::DownloadSessionId& session) override {
    return services_.downloads.touch(session);
  }
  service::Measurements& measurements() override { return services_.measurements; }

 private:
  service::Services& services_;
};

/// The pages for monitoring, at an address of their own.
class WatchedApi final : public RoutedApi {
 public:
  using RoutedApi::RoutedApi;
  wire::Response handle(const wire::Request& request) const override { return router_.watch(request); }
};

/// There is no endpoint of a transfer at the address for monitoring.
class NoTransfers final : public TransferService {
 public:
  service::Uploads::Begun begin_upload(const content::TransferToken&, const service::UploadRequest&,
                                       std::function<void()>) override {
    service::Uploads::Begun begun;
    begun.refusal = refusal();
    return begun;
  }
  service::Uploads::Asked ask_upload(const content::TransferToken&) override {
    service::Uploads::Asked asked;
    asked.refusal = refusal();
    return asked;
  }
  std::optional<service::UploadRefusal> discard_upload(const content::TransferToken&) override { return refusal(); }
  base::Result<void> touch_upload(const content::TransferToken&) override { return nothing_here(); }
  base::Result<bool> is_upload_endpoint(const content::TransferToken&) override { return false; }
  base::Result<service::OpenDownload> open_download(const content::TransferToken&, const std::string&) override {
    return nothing_here();
  }
  base::Result<void> touch_download(const content::DownloadSessionId&) override { return nothing_here(); }
  service::Measurements& measurements() override { return measurements_; }

 private:
  static base::Error nothing_here() {
    return {base::ErrorKind::not_found, "quire.http.monitoring_only",
            "This address is for monitoring; files are at the addresses of the API."};
  }
  static service::UploadRefusal refusal() { return {nothing_here()}; }

  service::Measurements measurements_;
};

/// Owns what it works on for as long as the server lives.
class MonitoringServer final : public Server {
 public:
  explicit MonitoringServer(const wire::Router& router) : api_(router) {}

  base::Result<void> open(const ListenAddress& address, const base::Clock& clock) {
    ServerSettings settings;
    settings.http = address;
    settings.limits.network_threads = 1;
    settings.limits.calls_may_wait = true;  // a page asks the catalog and the disks
    settings.limits.call_threads = 2;
    settings.limits.transfer_threads = 1;
    settings.limits.connections_max = 100;
    QUIRE_ASSIGN_OR_RETURN(server_, make_server_over(std::move(settings), api_, transfers_, clock));
    return {};
  }

  std::optional<ListenAddress> https_address() const override { return server_->https_address(); }
  std::optional<ListenAddress> http_address() const override { return server_->http_address(); }
  void run() override { server_->run(); }
  base::Result<void> reload_certificate() override { return server_->reload_certificate(); }
  void stop(base::Duration grace) override { server_->stop(grace); }

 private:
  WatchedApi api_;
  NoTransfers transfers_;
  std::unique_ptr<Server> server_;
};

/// Owns the adapters for as long as the server lives.
class ServiceServer final : public Server {
 public:
  ServiceServer(service::Services& services, const wire::Router& router) : api_(router), transfers_(services) {}

  base::Result<void> open(ServerSettings settings, const base::Clock& clock) {
    QUIRE_ASSIGN_OR_RETURN(auto server, make_server_over(std::move(settings), api_, transfers_, clock));
    server_ = std::move(server);
    return {};
  }

  std::optional<ListenAddress> https_address() const override { return server_->https_address(); }
  std::optional<ListenAddress> http_address() const override { return server_->http_address(); }
  void run() override { server_->run(); }
  base::Result<void> reload_certificate() override { return server_->reload_certificate(); }
  void stop(base::Duration grace) override { server_->stop(grace); }

 private:
  RoutedApi api_;
  SessionTransfers transfers_;
  std::unique_ptr<Server> server_;
};

}  // namespace

base::Result<std::unique_ptr<Server>> make_monitoring_server(const ListenAddress& address, const wire::Router& router,
                                                             const base::Clock& clock) {
  auto server = std::make_unique<MonitoringServer>(router);
  QUIRE_RETURN_IF_ERROR(server->open(address, clock));
  return std::unique_ptr<Server>(std::move(server));
}

base::Result<std::unique_ptr<Server>> make_server(ServerSettings settings, service::Services& services,
                                                  const wire::Router& router) {
  auto server = std::make_unique<ServiceServer>(services, router);
  QUIRE_RETURN_IF_ERROR(server->open(std::move(settings), services.clock));
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace quire::http
