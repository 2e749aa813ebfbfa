#include "adapters/curl/small_exchange.h"

#include <openssl/ssl.h>
#include <unistd.h>

#include <memory>

#include "adapters/curl/address_refusal.h"
#include "adapters/curl/curl_library.h"
#include "adapters/curl/proxy_choice.h"
#include "base/hex.h"

namespace quire::adapters::curl {
namespace {

SmallAnswer no_answer(std::string problem) { return {std::nullopt, "", std::move(problem)}; }

/// To be run once, by one thread.
class SmallExchange {
 public:
  SmallExchange(const SmallRequest& request, const SmallExchangeOptions& options, CertificateCheck& certificate_check,
                const std::atomic<bool>& stop)
      : request_(request), options_(options), certificate_check_(certificate_check), stop_(stop) {
    easy_.reset(curl_easy_init());
    QUIRE_CHECK(easy_ != nullptr);
    set_up_request();
  }

  SmallAnswer run() {
    proxy_ = proxy_for(request_.url, process_environment).value_or("");
    if (base::to_lower(proxy_).starts_with("https://")) return no_answer("An https proxy is not supported.");
    if (!proxy_.empty() && options_.policy != nullptr)
      refused_ = refusal_of_host(*options_.policy, request_.url.host());
    if (refused_) return refused_address();
    set_up_connection();
    const auto code = curl_easy_perform(easy_.get());
    long status = 0;
    curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
    const bool is_whole = code == CURLE_OK || request_.answer_bytes_max == 0;
    if (status >= 200 && head_ended_ && is_whole) return {static_cast<int>(status), std::move(body_), ""};
    if (stop_) return no_answer("The server stops.");
    if (code == CURLE_COULDNT_CONNECT && refused_) return refused_address();
    if (code == CURLE_PEER_FAILED_VERIFICATION)
      return no_answer("The server at " + request_.url.shown() + " presented a certificate that " +
                       (certificate_check_.objection().empty() ? "cannot be checked" : certificate_check_.objection()) +
                       ".");
    if (is_too_long_) return no_answer("The answer from " + request_.url.shown() + " is too long.");
    return no_answer("No answer from " + request_.url.shown() + ": " + curl_easy_strerror(code) + ".");
  }

 private:
  void set_up_request() {
    CURL* easy = easy_.get();
    set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    set(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    set(easy, CURLOPT_URL, request_.url.text().c_str());
    set(easy, CURLOPT_FOLLOWLOCATION, 0L);
    if (request_.is_post) {
      set(easy, CURLOPT_POST, 1L);
      set(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
      set(easy, CURLOPT_POSTFIELDS, request_.body.data());
    }
    if (!options_.user_agent.empty()) set(easy, CURLOPT_USERAGENT, options_.user_agent.c_str());
    headers_.add("Expect:");
    for (const auto& [name, value] : request_.headers) headers_.add(name + ": " + value);
    set(easy, CURLOPT_HTTPHEADER, headers_.get());
    set(easy, CURLOPT_HEADERFUNCTION, &SmallExchange::on_header);
    set(easy, CURLOPT_HEADERDATA, this);
    set(easy, CURLOPT_WRITEFUNCTION, &SmallExchange::on_body);
    set(easy, CURLOPT_WRITEDATA, this);
  }

  void set_up_connection() {
    CURL* easy = easy_.get();
    set(easy, CURLOPT_NOSIGNAL, 1L);
    set(easy, CURLOPT_TIMEOUT_MS, in_milliseconds(options_.timeout));
    set(easy, CURLOPT_QUICK_EXIT, 1L);  // neither a time-out nor a stop waits for the resolver
    set(easy, CURLOPT_DNS_CACHE_TIMEOUT, 0L);
    set_proxy(easy, proxy_);
    set(easy, CURLOPT_OPENSOCKETFUNCTION, &SmallExchange::on_socket);
    set(easy, CURLOPT_OPENSOCKETDATA, this);
    set(easy, CURLOPT_NOPROGRESS, 0L);
    set(easy, CURLOPT_XFERINFOFUNCTION, &SmallExchange::on_progress);
    set(easy, CURLOPT_XFERINFODATA, this);
    if (!request_.url.is_https()) return;
    set_checked_tls(easy, &SmallExchange::on_tls_context, this);
  }

  SmallAnswer refused_address() const {
    return no_answer("This server does not connect to " + request_.url.shown() + ": " + *refused_ +
                     ". Ask its administrator to allow the address.");
  }

  static curl_socket_t on_socket(void* self, curlsocktype purpose, curl_sockaddr* address) {
    auto& exchange = *static_cast<SmallExchange*>(self);
    if (purpose != CURLSOCKTYPE_IPCXN) return CURL_SOCKET_BAD;
    if (exchange.proxy_.empty() && exchange.options_.policy != nullptr) {  // a proxy is the administrator's choice
      if (auto refusal = refusal_of(*exchange.options_.policy, &address->addr)) {
        exchange.refused_ = std::move(refusal);
        return CURL_SOCKET_BAD;
      }
    }
    exchange.refused_.reset();
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  }
  static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self) {
    const std::string_view line(data, size * count);
    auto& exchange = *static_cast<SmallExchange*>(self);
    if (line.starts_with("HTTP/")) exchange.head_ended_ = false;  // of an interim answer before
    if (line == "\r\n" || line == "\n") exchange.head_ended_ = true;
    return line.size();
  }
  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self) {
    auto& exchange = *static_cast<SmallExchange*>(self);
    const auto length = size * count;
    exchange.is_too_long_ = exchange.body_.size() + length > exchange.request_.answer_bytes_max;
    if (exchange.is_too_long_) return CURL_WRITEFUNC_ERROR;
    exchange.body_.append(data, length);
    return length;
  }
  static int on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    return static_cast<SmallExchange*>(self)->stop_ ? 1 : 0;
  }
  static CURLcode on_tls_context(CURL* /*easy*/, void* context, void* self) {
    auto& exchange = *static_cast<SmallExchange*>(self);
    return exchange.certificate_check_.install(static_cast<SSL_CTX*>(context), exchange.request_.url.host(),
                                               exchange.options_.pins)
               ? CURLE_OK
               : CURLE_SSL_CACERT_BADFILE;
  }

  const SmallRequest& request_;
  const SmallExchangeOptions& options_;
  CertificateCheck& certificate_check_;
  const std::atomic<bool>& stop_;
  HeaderList headers_;
  Easy easy_{nullptr, &curl_easy_cleanup};
  std::string proxy_;                   ///< empty: none
  std::optional<std::string> refused_;  ///< the last address that the policy refused, and why
  bool head_ended_ = false;
  bool is_too_long_ = false;
  std::string body_;
};

}  // namespace

SmallAnswer exchange_small(const SmallRequest& request, const SmallExchangeOptions& options,
                           CertificateCheck& certificate_check, const std::atomic<bool>& stop) {
  return SmallExchange(request, options, certificate_check, stop).run();
}

}  // namespace quire::adapters::curl
