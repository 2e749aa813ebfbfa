#include "http/handlers.h"
#include "http/server.h"
#include "http/server_internal.h"

namespace quire::http {
namespace {

class RoutedApi final : public ApiHandler {
 public:
  explicit RoutedApi(const wire::Router& router) : router_(router) {}
  wire::Response handle(const wire::Request& request) const override { return router_.handle(request); }
  wire::Response refuse(std::string_view target, int status, const base::Message& message) const override {
    return wire::Router::refuse(target, status, message);
  }
  wire::Response transfer_error(int status, const base::Error& error) const override {
    return wire::Router::transfer_error(status, error);
  }

 private:
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

 private:
  service::Services& services_;
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

base::Result<std::unique_ptr<Server>> make_server(ServerSettings settings, service::Services& services,
                                                  const wire::Router& router) {
  auto server = std::make_unique<ServiceServer>(services, router);
  QUIRE_RETURN_IF_ERROR(server->open(std::move(settings), services.clock));
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace quire::http
