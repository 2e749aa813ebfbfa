#include "http/http_fixture.h"

#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "base/digest.h"
#include "base/hex.h"
#include "http/tls_identity.h"

namespace quire::http {
namespace {

constexpr auto patience = std::chrono::seconds(30);

class RecordingUpload final : public service::Upload {
 public:
  explicit RecordingUpload(FakeUpload& record) : record_(record) {}
  ~RecordingUpload() override { record_.over.set(); }

  base::Result<void> append(std::span<const std::byte> bytes, std::shared_ptr<const void>) override {
    record_.appending.set();
    if (record_.append_gate != nullptr) record_.append_gate->wait();
    if (record_.append_error) return *record_.append_error;
    const auto place = record_.request->offset + static_cast<std::int64_t>(record_.bytes.size());
    record_.aligned &=
        reinterpret_cast<std::uintptr_t>(bytes.data()) % 4096 == static_cast<std::uintptr_t>(place % 4096);
    record_.chunks.push_back(bytes.size());
    record_.bytes.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (record_.bytes.size() >= record_.appended_bytes) record_.appended.set();
    return {};
  }
  base::Result<service::UploadState> finish(service::BodyEnd end) override {
    record_.end = end;
    if (record_.finish_error) return *record_.finish_error;
    return record_.state;
  }

 private:
  FakeUpload& record_;
};

class MemoryReader final : public content::BlobReader {
 public:
  MemoryReader(std::string bytes, bool as_file) : bytes_(std::move(bytes)) {
    if (!as_file) return;
    file_ = memfd_create("download", MFD_CLOEXEC);
    std::string_view left = bytes_;
    while (!left.empty()) {
      const auto written = ::write(file_, left.data(), left.size());
      if (written <= 0) std::abort();
      left.remove_prefix(static_cast<std::size_t>(written));
    }
  }
  ~MemoryReader() override {
    if (file_ >= 0) ::close(file_);
  }
  std::int64_t size() const override { return static_cast<std::int64_t>(bytes_.size()); }
  base::Result<std::size_t> read(std::int64_t offset, std::span<std::byte> buffer) override {
    const auto left = std::string_view(bytes_).substr(static_cast<std::size_t>(offset), buffer.size());
    std::memcpy(buffer.data(), left.data(), left.size());
    return left.size();
  }
  std::optional<int> file_descriptor() const override {
    if (file_ < 0) return std::nullopt;
    return file_;
  }
  bool sealed() const override { return true; }
  base::Result<void> seal() override { return {}; }

 private:
  std::string bytes_;
  int file_ = -1;
};

wire::Response text_response(int status, std::string body) {
  wire::Response response;
  response.status = status;
  response.headers.add("Content-Type", "text/plain");
  response.body = std::move(body);
  return response;
}

base::Error not_there() { return base::Error(base::ErrorKind::not_found, "quire.test.not_there", "Not there."); }

}  // namespace

void Signal::set() {
  const std::scoped_lock lock(mutex_);
  set_ = true;
  changed_.notify_all();
}

bool Signal::wait() {
  std::unique_lock lock(mutex_);
  const bool came = changed_.wait_until(lock, std::chrono::system_clock::now() + patience, [this] { return set_; });
  EXPECT_TRUE(came) << "waited in vain";
  return came;
}

bool Signal::is_set() const {
  const std::scoped_lock lock(mutex_);
  return set_;
}

wire::Response FakeApi::handle(const wire::Request& request) const {
  if (request.target == "/wait") {
    waiting.set();
    release.wait();
  }
  if (request.target == "/stream") {
    wire::Response response;
    response.headers.add("Content-Type", "text/event-stream");
    response.stream = stream;
    return response;
  }
  if (request.target == "/throw") throw std::runtime_error("thrown by the test");
  if (request.target == "/base") return text_response(200, request.base_url);
  if (request.target == "/none") return text_response(204, "never sent");
  return text_response(200, request.method + " " + request.target + " " + request.body);
}

wire::Response FakeApi::refuse(std::string_view, int status, const base::Message& message) const {
  return text_response(status, "refused: " + message.id);
}

wire::Response FakeApi::transfer_error(int status, const base::Error& error) const {
  return text_response(status, "error: " + error.text());
}

service::Uploads::Begun FakeTransfers::begin_upload(const content::TransferToken& token,
                                                    const service::UploadRequest& request,
                                                    std::function<void()> on_stop) {
  service::Uploads::Begun begun;
  const auto found = uploads_.find(token.text());
  if (found == uploads_.end()) {
    begun.refusal = service::UploadRefusal{not_there(), false};
    return begun;
  }
  auto& upload = found->second;
  begun.refusal = upload.refusal;
  if (!begun.refusal) {
    upload.request = request;
    upload.announced = request.body_length;
    upload.on_stop = std::move(on_stop);
    begun.upload = std::make_unique<RecordingUpload>(upload);
  }
  upload.begun.set();
  return begun;
}

service::Uploads::Asked FakeTransfers::ask_upload(const content::TransferToken& token) {
  const auto found = uploads_.find(token.text());
  if (found == uploads_.end()) return {std::nullopt, service::UploadRefusal{not_there(), false}};
  if (found->second.refusal) return {std::nullopt, found->second.refusal};
  return {found->second.state, std::nullopt};
}

std::optional<service::UploadRefusal> FakeTransfers::discard_upload(const content::TransferToken& token) {
  const auto found = uploads_.find(token.text());
  if (found == uploads_.end()) return service::UploadRefusal{not_there(), false};
  found->second.discarded = true;
  return found->second.refusal;
}

base::Result<void> FakeTransfers::touch_upload(const content::TransferToken& token) {
  uploads_.at(token.text()).touched.set();
  return {};
}

base::Result<bool> FakeTransfers::is_upload_endpoint(const content::TransferToken& token) {
  return uploads_.contains(token.text());
}

FakeDownload& FakeTransfers::add_download(const std::string& token, std::string bytes, bool as_file) {
  auto& download = downloads_[token];
  download.sha256 = base::digest_of(base::DigestAlgorithm::SHA256, std::as_bytes(std::span(bytes))).hex;
  download.bytes = std::move(bytes);
  download.as_file = as_file;
  return download;
}

base::Result<service::OpenDownload> FakeTransfers::open_download(const content::TransferToken& token,
                                                                 const std::string& name) {
  const auto found = downloads_.find(token.text());
  if (found == downloads_.end() || name != "file") return not_there();
  service::OpenDownload open;
  open.bytes = std::make_shared<MemoryReader>(found->second.bytes, found->second.as_file);
  open.sha256 = found->second.sha256;
  return open;
}

base::Result<void> FakeTransfers::touch_download(const content::DownloadSessionId&) { return {}; }

struct Client::Tls {
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context{SSL_CTX_new(TLS_client_method()), SSL_CTX_free};
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl{nullptr, SSL_free};
};

Client::Client(std::uint16_t port, const std::string& trusted_certificate_pem) {
  socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval bound{.tv_sec = std::chrono::seconds(patience).count(), .tv_usec = 0};
  setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof(bound));
  setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &bound, sizeof(bound));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  connected_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  if (trusted_certificate_pem.empty() || !connected_) return;

  tls_ = std::make_unique<Tls>();
  BIO* text = BIO_new_mem_buf(trusted_certificate_pem.data(), static_cast<int>(trusted_certificate_pem.size()));
  X509* certificate = PEM_read_bio_X509(text, nullptr, nullptr, nullptr);
  X509_STORE_add_cert(SSL_CTX_get_cert_store(tls_->context.get()), certificate);
  X509_free(certificate);
  BIO_free(text);
  SSL_CTX_set_verify(tls_->context.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_mode(tls_->context.get(), SSL_MODE_AUTO_RETRY);
  tls_->ssl.reset(SSL_new(tls_->context.get()));
  SSL_set1_host(tls_->ssl.get(), "localhost");
  SSL_set_fd(tls_->ssl.get(), socket_);
  connected_ = SSL_connect(tls_->ssl.get()) == 1;
  ERR_clear_error();
}

Client::~Client() { close(); }

bool Client::send(std::string_view text) {
  while (!text.empty()) {
    const auto size = std::min<std::size_t>(text.size(), 1 << 20);
    const auto sent = tls_ ? SSL_write(tls_->ssl.get(), text.data(), static_cast<int>(size))
                           : ::send(socket_, text.data(), size, MSG_NOSIGNAL);
    if (sent <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool Client::fill() {
  std::string piece(64 * 1024, '\0');
  const auto got = tls_ ? SSL_read(tls_->ssl.get(), piece.data(), static_cast<int>(piece.size()))
                        : ::recv(socket_, piece.data(), piece.size(), 0);
  if (got <= 0) return false;
  input_.append(piece, 0, static_cast<std::size_t>(got));
  return true;
}

Answer Client::answer(bool with_body) {
  while (input_.find("\r\n\r\n") == std::string::npos) {
    if (!fill()) return {};
  }
  const auto head_end = input_.find("\r\n\r\n") + 4;
  const auto head = input_.substr(0, head_end);
  input_.erase(0, head_end);
  Answer answer;
  answer.status = std::atoi(head.c_str() + 9);
  for (auto at = head.find("\r\n") + 2; at < head.size() - 2;) {
    const auto end = head.find("\r\n", at);
    const auto colon = head.find(": ", at);
    answer.headers[base::to_lower(head.substr(at, colon - at))] = head.substr(colon + 2, end - colon - 2);
    at = end + 2;
  }
  const auto length = answer.headers.contains("content-length") ? std::stoull(answer.headers["content-length"]) : 0;
  while (with_body && input_.size() < length) {
    if (!fill()) break;
  }
  if (with_body) {
    answer.body = input_.substr(0, length);
    input_.erase(0, length);
  }
  return answer;
}

Answer Client::ask(std::string_view text, bool with_body) {
  send(text);
  return answer(with_body);
}

std::string Client::rest() {
  while (fill()) {
  }
  return std::exchange(input_, {});
}

void Client::close() {
  if (socket_ >= 0) ::close(std::exchange(socket_, -1));
}

void Client::abort() {
  const linger reset{.l_onoff = 1, .l_linger = 0};
  setsockopt(socket_, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
  close();
}

std::string Client::until(std::string_view end) {
  while (input_.find(end) == std::string::npos && fill()) {
  }
  const auto found = input_.find(end);
  const auto length = found == std::string::npos ? input_.size() : found + end.size();
  std::string text = input_.substr(0, length);
  input_.erase(0, length);
  return text;
}

std::string Client::thumbprint() const {
  std::unique_ptr<X509, decltype(&X509_free)> certificate(SSL_get1_peer_certificate(tls_->ssl.get()), X509_free);
  std::unique_ptr<BIO, decltype(&BIO_free)> text(BIO_new(BIO_s_mem()), BIO_free);
  PEM_write_bio_X509(text.get(), certificate.get());
  char* data = nullptr;
  const auto size = BIO_get_mem_data(text.get(), &data);
  return *certificate_thumbprint(std::string_view(data, static_cast<std::size_t>(size)));
}

HttpTest::HttpTest() {
  settings_.http = ListenAddress{"127.0.0.1", 0};
  settings_.limits.transfer_buffer_bytes = 64 * 1024;
  settings_.limits.transfer_memory_bytes_max = 1024 * 1024;
  settings_.limits.call_threads = 2;
  settings_.limits.transfer_threads = 2;
}

HttpTest::~HttpTest() {
  stop(base::Duration(0));
  if (settings_.certificate_file.empty()) return;
  std::filesystem::remove(settings_.certificate_file);
  std::filesystem::remove(settings_.key_file);
}

void HttpTest::make_identity() {
  base::RandomIdentitySource identities;
  const auto identity =
      make_self_signed_identity({"localhost", "127.0.0.1"}, clock_.now() - std::chrono::hours(1), 825, identities);
  ASSERT_TRUE(identity);
  certificate_pem_ = identity->certificate_pem;
  if (settings_.certificate_file.empty()) {
    const auto folder = std::filesystem::temp_directory_path();
    settings_.certificate_file = folder / ("quire-http-test-" + identities.uuid() + ".crt");
    settings_.key_file = folder / ("quire-http-test-" + identities.uuid() + ".key");
  }
  std::ofstream(settings_.certificate_file) << identity->certificate_pem;
  std::ofstream(settings_.key_file) << identity->key_pem;
}

void HttpTest::start(bool tls) {
  if (tls) {
    make_identity();
    settings_.https = ListenAddress{"127.0.0.1", 0};
  }
  auto server = make_server_over(settings_, api_, transfers_, clock_);
  ASSERT_TRUE(server) << server.error().text();
  server_ = *std::move(server);
  thread_ = std::thread([this] { server_->run(); });
}

void HttpTest::stop(base::Duration grace) {
  if (!thread_.joinable()) return;
  server_->stop(grace);
  thread_.join();
}

std::string pattern(std::size_t size) {
  std::string bytes(size, '\0');
  std::uint32_t state = 1;
  for (auto& byte : bytes) {
    state = state * 1664525 + 1013904223;
    byte = static_cast<char>(state >> 24);
  }
  return bytes;
}

}  // namespace quire::http
