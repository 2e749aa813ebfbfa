#include "adapters/curl/curl_sender.h"

#include <openssl/ssl.h>
#include <unistd.h>

#include <optional>
#include <utility>
#include <vector>

#include "adapters/curl/address_refusal.h"
#include "adapters/curl/certificate_check.h"
#include "adapters/curl/curl_library.h"
#include "adapters/curl/http_url.h"
#include "adapters/curl/proxy_choice.h"
#include "base/hex.h"

namespace quire::adapters::curl {
namespace {

using content::SendOutcome;

SendOutcome failed(std::string problem) { return {std::nullopt, std::move(problem)}; }

/// One message on a connection of its own. To be sent once, by one thread.
class Sending {
 public:
  Sending(const SenderOptions& options, const HttpUrl& url, const content::OutgoingMessage& message,
          CertificateCheck& certificate_check, const std::atomic<bool>& stop)
      : options_(options), url_(url), certificate_check_(certificate_check), stop_(stop) {
    easy_.reset(curl_easy_init());
    QUIRE_CHECK(easy_ != nullptr);
    set_up_request(message);
  }

  SendOutcome run() {
    proxy_ = proxy_for(url_, process_environment).value_or("");
    if (base::to_lower(proxy_).starts_with("https://")) return failed("An https proxy is not supported.");
    if (!proxy_.empty()) refused_ = refusal_of_host(options_.policy, url_.host());
    if (refused_) return refused_address();
    set_up_connection();
    const auto code = curl_easy_perform(easy_.get());
    long status = 0;
    curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
    // The answer's head decides; the rest of it is not wanted.
    if (status >= 200 && head_ended_) return answered(static_cast<int>(status));
    if (stop_) return failed("The server stops.");
    if (code == CURLE_COULDNT_CONNECT && refused_) return refused_address();
    if (code == CURLE_PEER_FAILED_VERIFICATION)
      return failed("The server at " + url_.shown() + " presented a certificate that " +
                    (certificate_check_.objection().empty() ? "cannot be checked" : certificate_check_.objection()) +
                    ".");
    return failed("No answer from " + url_.shown() + ": " + curl_easy_strerror(code) + ".");
  }

 private:
  using Easy = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;
  using Headers = std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)>;

  void add_header(const std::string& line) {
    auto* longer = curl_slist_append(headers_.get(), line.c_str());
    QUIRE_CHECK(longer != nullptr);
    if (headers_ == nullptr) headers_.reset(longer);  // longer lists keep their first node
  }

  void set_up_request(const content::OutgoingMessage& message) {
    CURL* easy = easy_.get();
    set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    set(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    set(easy, CURLOPT_URL, url_.text().c_str());
    set(easy, CURLOPT_FOLLOWLOCATION, 0L);
    set(easy, CURLOPT_POST, 1L);
    set(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(message.body.size()));
    set(easy, CURLOPT_POSTFIELDS, message.body.data());
    if (!options_.user_agent.empty()) set(easy, CURLOPT_USERAGENT, options_.user_agent.c_str());
    add_header("Expect:");
    for (const auto& [name, value] : message.headers) add_header(name + ": " + value);
    set(easy, CURLOPT_HTTPHEADER, headers_.get());
    set(easy, CURLOPT_HEADERFUNCTION, &Sending::on_header);
    set(easy, CURLOPT_HEADERDATA, this);
    set(easy, CURLOPT_WRITEFUNCTION, &Sending::on_body);
  }

  void set_up_connection() {
    CURL* easy = easy_.get();
    set(easy, CURLOPT_NOSIGNAL, 1L);
    set(easy, CURLOPT_TIMEOUT_MS, in_milliseconds(options_.timeout));
    set(easy, CURLOPT_QUICK_EXIT, 1L);  // neither a time-out nor a stop waits for the resolver
    set(easy, CURLOPT_DNS_CACHE_TIMEOUT, 0L);
    set(easy, CURLOPT_PROXY, proxy_.c_str());  // empty: none, whatever the environment says
    set(easy, CURLOPT_NOPROXY, "");            // has been decided
    set(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    set(easy, CURLOPT_OPENSOCKETFUNCTION, &Sending::on_socket);
    set(easy, CURLOPT_OPENSOCKETDATA, this);
    set(easy, CURLOPT_NOPROGRESS, 0L);
    set(easy, CURLOPT_XFERINFOFUNCTION, &Sending::on_progress);
    set(easy, CURLOPT_XFERINFODATA, this);
    if (!url_.is_https()) return;
    set(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    set(easy, CURLOPT_SSL_VERIFYHOST, 0L);  // CertificateCheck looks at the name
    set(easy, CURLOPT_CAINFO, static_cast<char*>(nullptr));
    set(easy, CURLOPT_CAPATH, static_cast<char*>(nullptr));
    set(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
    set(easy, CURLOPT_SSL_CTX_FUNCTION, &Sending::on_tls_context);
    set(easy, CURLOPT_SSL_CTX_DATA, this);
  }

  SendOutcome refused_address() const {
    return failed("This server does not connect to " + url_.shown() + ": " + *refused_ +
                  ". Ask its administrator to allow the address.");
  }
  SendOutcome answered(int status) const {
    const bool taken = status < 300;
    return {status,
            taken ? "" : "The server at " + url_.shown() + " answered with status " + std::to_string(status) + "."};
  }

  static curl_socket_t on_socket(void* self, curlsocktype purpose, curl_sockaddr* address) {
    auto& sending = *static_cast<Sending*>(self);
    if (purpose != CURLSOCKTYPE_IPCXN) return CURL_SOCKET_BAD;
    if (sending.proxy_.empty()) {  // a proxy is the administrator's choice
      if (auto refusal = refusal_of(sending.options_.policy, &address->addr)) {
        sending.refused_ = std::move(refusal);
        return CURL_SOCKET_BAD;
      }
    }
    sending.refused_.reset();
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  }
  static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self) {
    const std::string_view line(data, size * count);
    auto& sending = *static_cast<Sending*>(self);
    if (line.starts_with("HTTP/")) sending.head_ended_ = false;  // of an interim answer before
    if (line == "\r\n" || line == "\n") sending.head_ended_ = true;
    return line.size();
  }
  static std::size_t on_body(char* /*data*/, std::size_t /*size*/, std::size_t /*count*/, void* /*self*/) {
    return CURL_WRITEFUNC_ERROR;
  }
  static int on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    return static_cast<Sending*>(self)->stop_ ? 1 : 0;
  }
  static CURLcode on_tls_context(CURL* /*easy*/, void* context, void* self) {
    auto& sending = *static_cast<Sending*>(self);
    return sending.certificate_check_.install(static_cast<SSL_CTX*>(context), sending.url_.host(), {})
               ? CURLE_OK
               : CURLE_SSL_CACERT_BADFILE;
  }

  const SenderOptions& options_;
  const HttpUrl& url_;
  CertificateCheck& certificate_check_;
  const std::atomic<bool>& stop_;
  Headers headers_{nullptr, &curl_slist_free_all};
  Easy easy_{nullptr, &curl_easy_cleanup};
  std::string proxy_;                   ///< empty: none
  std::optional<std::string> refused_;  ///< the last address that the policy refused, and why
  bool head_ended_ = false;
};

class CurlSender final : public content::MessageSender {
 public:
  explicit CurlSender(SenderOptions options) : options_(std::move(options)) { set_up_libcurl(); }

  base::Result<void> check(const content::SourceUrl& url) const override {
    const auto read = HttpUrl::parse(url.text());
    if (!read || read->credentials())
      return base::Error(
          base::ErrorKind::invalid_argument, "quire.webhook.unusable_url",
          "The URL is not a usable http or https URL without user and password. Check how it is written.");
    return {};
  }

  SendOutcome send(const content::OutgoingMessage& message, const std::atomic<bool>& stop) override {
    const auto url = HttpUrl::parse(message.url.text());
    if (!url) return failed("The URL cannot be used.");
    auto check = CertificateCheck::make({}, options_.extra_ca_file);
    if (!check) return failed(check.error().text());
    return Sending(options_, *url, message, *check, stop).run();
  }

 private:
  const SenderOptions options_;
};

}  // namespace

std::unique_ptr<content::MessageSender> make_curl_sender(SenderOptions options) {
  return std::make_unique<CurlSender>(std::move(options));
}

}  // namespace quire::adapters::curl
