#pragma once

#include <gmock/gmock.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "http/server_internal.h"

namespace quire::http {

/// Something that one thread waits for and another one lets happen. A wait that takes unreasonably long fails the test.
class Signal {
 public:
  void set();
  bool wait();
  bool is_set() const;

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool set_ = false;
};

/// Answers `<method> <target> <body>`; `/wait` not before `release`, `/none` with 204, `/base` with the base URL,
/// `/throw` not at all, `/stream` with `stream`. Refusals say their status and message.
class FakeApi final : public ApiHandler {
 public:
  wire::Response handle(const wire::Request& request) const override;
  wire::Response refuse(std::string_view target, int status, const base::Message& message) const override;
  wire::Response transfer_error(int status, const base::Error& error) const override;

  std::shared_ptr<wire::ResponseStream> stream;
  mutable Signal waiting;  ///< a call of `/wait` has come
  mutable Signal release;
};

/// One endpoint for uploads and what happened on it.
struct FakeUpload {
  std::optional<service::UploadRefusal> refusal;
  std::optional<base::Error> append_error;
  std::optional<base::Error> finish_error;
  Signal* append_gate = nullptr;   ///< append() waits for it
  std::size_t appended_bytes = 1;  ///< when `appended` is set

  // Guarded by the service's mutex until `over` is set:
  std::optional<service::UploadRequest> request;
  std::optional<std::int64_t> announced;
  service::UploadState state{0, true, std::nullopt, {}};  ///< after a body, and for who asks
  bool discarded = false;
  std::string bytes;
  std::vector<std::size_t> chunks;
  bool aligned = true;
  std::optional<service::BodyEnd> end;
  std::function<void()> on_stop;
  Signal begun;
  Signal appending;  ///< append() has been called
  Signal appended;
  Signal touched;
  Signal over;  ///< the service's object is gone
};

struct FakeDownload {
  std::string bytes;
  bool as_file = false;
  std::string sha256;
};

class FakeTransfers final : public TransferService {
 public:
  service::Uploads::Begun begin_upload(const content::TransferToken& token, const service::UploadRequest& request,
                                       std::function<void()> on_stop) override;
  service::Uploads::Asked ask_upload(const content::TransferToken& token) override;
  std::optional<service::UploadRefusal> discard_upload(const content::TransferToken& token) override;
  base::Result<void> touch_upload(const content::TransferToken& token) override;
  base::Result<bool> is_upload_endpoint(const content::TransferToken& token) override;
  base::Result<service::OpenDownload> open_download(const content::TransferToken& token,
                                                    const std::string& name) override;
  base::Result<void> touch_download(const content::DownloadSessionId& session) override;
  service::Measurements& measurements() override { return measurements_; }

  FakeUpload& add_upload(const std::string& token) { return uploads_[token]; }
  FakeDownload& add_download(const std::string& token, std::string bytes, bool as_file);

 private:
  std::map<std::string, FakeUpload> uploads_;
  std::map<std::string, FakeDownload> downloads_;
  service::Measurements measurements_;
};

/// What came back for one request.
struct Answer {
  int status = 0;
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body;
};

/// A blocking client on one connection, plain or TLS; every wait is bounded.
class Client {
 public:
  Client(std::uint16_t port, const std::string& trusted_certificate_pem = {});
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  bool connected() const { return connected_; }
  /// False when the connection broke.
  bool send(std::string_view text);
  /// The next answer; status 0 when the connection ended first. `with_body` is false for answers to HEAD.
  Answer answer(bool with_body = true);
  Answer ask(std::string_view text, bool with_body = true);
  /// What comes up to and with `end`; without it when the connection ended first.
  std::string until(std::string_view end);
  /// Everything up to the end of the connection.
  std::string rest();
  void close();
  /// Closes with a reset.
  void abort();
  /// Of the server's certificate.
  std::string thumbprint() const;

 private:
  bool fill();

  struct Tls;
  int socket_ = -1;
  bool connected_ = false;
  std::unique_ptr<Tls> tls_;
  std::string input_;
};

/// A running server over the fakes.
class HttpTest : public testing::Test {
 protected:
  HttpTest();
  ~HttpTest() override;

  /// With `settings`, listening on a free local port; on another one with TLS when `tls`.
  void start(bool tls = false);
  void stop(base::Duration grace);
  void make_identity();

  std::uint16_t port() const { return server_->http_address()->port; }
  std::uint16_t tls_port() const { return server_->https_address()->port; }

  ServerSettings settings_;
  FakeApi api_;
  FakeTransfers transfers_;
  base::SystemClock clock_;
  std::string certificate_pem_;
  std::unique_ptr<Server> server_;
  std::thread thread_;
};

/// Bytes that differ from place to place.
std::string pattern(std::size_t size);

}  // namespace quire::http
