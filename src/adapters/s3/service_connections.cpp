#include "adapters/s3/service_connections.h"

#include <curl/curl.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

#include "adapters/curl/curl_library.h"
#include "adapters/curl/proxy_choice.h"
#include "adapters/curl/response_fields.h"
#include "base/check.h"
#include "base/hex.h"

namespace quire::adapters::s3 {
namespace {

using curl::set;

constexpr std::size_t answer_text_bytes_max = 4UL << 20U;
constexpr base::Duration longest_poll = std::chrono::seconds(1);

/// To be run once, by one thread.
class ServiceExchange {
 public:
  ServiceExchange(const curl::HttpUrl& url, const ConnectionOptions& options, const ServiceRequest& request,
                  curl::KeptLinks& links)
      : url_(url), options_(options), request_(request), links_(links) {
    easy_.reset(curl_easy_init());
    QUIRE_CHECK(easy_ != nullptr);
  }

  ServiceAnswer run(base::Duration timeout) {
    proxy_ = curl::proxy_for(url_, curl::process_environment).value_or("");
    if (base::to_lower(proxy_).starts_with("https://")) return refused("an https proxy is not supported");
    if (!take_link()) return refused("the file of additional root certificates cannot be read");
    set_up_request();
    set_up_connection(timeout);
    const auto code = transfer();
    if (code == CURLE_OK) {
      read_head();
      links_.give(std::move(link_));
    } else {
      take_failure(code);
    }
    return std::move(answer_);
  }

 private:
  ServiceAnswer refused(std::string problem) {
    answer_.problem = std::move(problem);
    answer_.is_refusal = true;
    return std::move(answer_);
  }

  bool take_link() {
    curl::LinkPurpose purpose{url_.origin(), proxy_, {}};
    link_ = links_.take(purpose);
    if (link_ != nullptr) return true;
    auto check = curl::CertificateCheck::make(purpose.trust, options_.extra_ca_file);
    if (!check) return false;
    link_ = std::make_unique<curl::Link>(std::move(purpose), *std::move(check));
    return true;
  }

  void set_up_request() {
    CURL* easy = easy_.get();
    set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    set(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    const auto whole = url_.text();
    const auto address = whole.substr(0, whole.find('/', whole.find("://") + 3)) + request_.target;
    set(easy, CURLOPT_URL, address.c_str());
    set(easy, CURLOPT_PATH_AS_IS, 1L);  // the path is signed as it is
    set(easy, CURLOPT_FOLLOWLOCATION, 0L);
    if (request_.method != "GET") {
      // A POST under another name: the bytes go out from where they are, with their length.
      set(easy, CURLOPT_POST, 1L);
      set(easy, CURLOPT_CUSTOMREQUEST, request_.method.c_str());
      set(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
      set(easy, CURLOPT_POSTFIELDS, request_.body.empty() ? "" : reinterpret_cast<const char*>(request_.body.data()));
    }
    if (!options_.user_agent.empty()) set(easy, CURLOPT_USERAGENT, options_.user_agent.c_str());
    headers_.add("Expect:");
    for (const auto& [name, value] : request_.headers) headers_.add(name + ": " + value);
    set(easy, CURLOPT_HTTPHEADER, headers_.get());
    set(easy, CURLOPT_WRITEFUNCTION, &ServiceExchange::on_body);
    set(easy, CURLOPT_WRITEDATA, this);
    set(easy, CURLOPT_PREREQFUNCTION, &ServiceExchange::on_connected);
    set(easy, CURLOPT_PREREQDATA, this);
  }

  void set_up_connection(base::Duration timeout) {
    CURL* easy = easy_.get();
    set(easy, CURLOPT_NOSIGNAL, 1L);
    set(easy, CURLOPT_TIMEOUT_MS, curl::in_milliseconds(timeout));
    set(easy, CURLOPT_CONNECTTIMEOUT_MS, curl::in_milliseconds(options_.connect_timeout));
    set(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    set(easy, CURLOPT_LOW_SPEED_TIME,
        static_cast<long>(std::chrono::ceil<std::chrono::seconds>(options_.stall_timeout).count()));
    set(easy, CURLOPT_QUICK_EXIT, 1L);  // no time-out waits for the resolver
    curl::set_proxy(easy, proxy_);
    if (!url_.is_https()) return;
    curl::set_checked_tls(easy, &ServiceExchange::on_tls_context, this);
  }

  CURLcode transfer() {
    CURLM* multi = link_->multi.get();
    QUIRE_CHECK(curl_multi_add_handle(multi, easy_.get()) == CURLM_OK);
    std::optional<CURLcode> code;
    while (!code) {
      int running = 0;
      QUIRE_CHECK(curl_multi_perform(multi, &running) == CURLM_OK);
      int left = 0;
      if (const auto* message = curl_multi_info_read(multi, &left)) {
        code = message->data.result;
      } else {
        const auto wait = static_cast<int>(curl::in_milliseconds(longest_poll));
        QUIRE_CHECK(curl_multi_poll(multi, nullptr, 0, wait, nullptr) == CURLM_OK);
      }
    }
    curl_easy_getinfo(easy_.get(), CURLINFO_ACTIVESOCKET, &link_->socket);  // only known while the two belong together
    curl_multi_remove_handle(multi, easy_.get());
    return *code;
  }

  void read_head() {
    answer_.status = status();
    answer_.content_range = header("Content-Range");
    answer_.bucket_region = header("x-amz-bucket-region");
    answer_.content_length = curl::parse_length(header("Content-Length"));
    curl_off_t seconds = 0;
    curl_easy_getinfo(easy_.get(), CURLINFO_RETRY_AFTER, &seconds);
    constexpr curl_off_t longest_seconds = 24L * 60 * 60;
    answer_.retry_after = std::chrono::seconds(std::clamp<curl_off_t>(seconds, 0, longest_seconds));
  }

  void take_failure(CURLcode code) {
    if (code == CURLE_PEER_FAILED_VERIFICATION) {
      const auto& objection = link_->certificate_check.objection();
      refusal("it presented a certificate that " + (objection.empty() ? "cannot be checked" : objection));
    } else if (code == CURLE_SSL_CACERT_BADFILE) {
      refusal("the file of additional root certificates cannot be read");
    } else if (is_too_long_) {
      answer_.problem = "its answer is too long";
    } else if (is_sent_again_) {
      answer_.problem = "it closed the connection without an answer";
      answer_.was_closed_meanwhile = true;
    } else {
      answer_.problem =
          std::string(answer_.was_sent ? "no whole answer" : "no connection") + " (" + curl_easy_strerror(code) + ")";
    }
  }

  void refusal(std::string problem) {
    answer_.problem = std::move(problem);
    answer_.is_refusal = true;
  }

  int status() const {
    long code = 0;
    curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &code);
    return static_cast<int>(code);
  }

  /// Empty also when the header is there more than once.
  std::string header(const char* name) const {
    curl_header* found = nullptr;
    if (curl_easy_header(easy_.get(), name, 0, CURLH_HEADER, -1, &found) != CURLHE_OK || found->amount != 1) return "";
    return found->value;
  }

  bool take_body(std::span<const std::byte> bytes) {
    const auto code = status();
    if (request_.content.empty() || (code != 200 && code != 206)) {
      is_too_long_ = answer_.text.size() + bytes.size() > answer_text_bytes_max;
      if (!is_too_long_) answer_.text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    } else {
      is_too_long_ = bytes.size() > request_.content.size() - answer_.content_bytes;
      if (!is_too_long_) {
        std::memcpy(request_.content.data() + answer_.content_bytes, bytes.data(), bytes.size());
        answer_.content_bytes += bytes.size();
      }
    }
    return !is_too_long_;
  }

  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self) {
    const auto length = size * count;
    const bool taken = static_cast<ServiceExchange*>(self)->take_body(std::as_bytes(std::span(data, length)));
    return taken ? length : CURL_WRITEFUNC_ERROR;
  }

  static int on_connected(void* self, char* /*remote*/, char* /*local*/, int /*remote_port*/, int /*local_port*/) {
    auto& exchange = *static_cast<ServiceExchange*>(self);
    exchange.is_sent_again_ = exchange.answer_.was_sent;
    exchange.answer_.was_sent = true;
    return exchange.is_sent_again_ ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
  }

  static CURLcode on_tls_context(CURL* /*easy*/, void* context, void* self) {
    auto& exchange = *static_cast<ServiceExchange*>(self);
    // The connection may outlive this exchange, so what it refers to is the link's.
    return exchange.link_->certificate_check.install(static_cast<SSL_CTX*>(context), exchange.url_.host(), {})
               ? CURLE_OK
               : CURLE_SSL_CACERT_BADFILE;
  }

  const curl::HttpUrl& url_;
  const ConnectionOptions& options_;
  const ServiceRequest& request_;
  curl::KeptLinks& links_;
  std::unique_ptr<curl::Link> link_;
  curl::HeaderList headers_;
  curl::Easy easy_{nullptr, &curl_easy_cleanup};
  std::string proxy_;  ///< empty: none
  bool is_too_long_ = false;
  bool is_sent_again_ = false;  ///< libcurl was about to, as a kept connection was closed without an answer
  ServiceAnswer answer_;
};

}  // namespace

ServiceConnections::ServiceConnections(curl::HttpUrl url, ConnectionOptions options)
    : url_(std::move(url)), options_(std::move(options)) {
  curl::set_up_libcurl();
}

ServiceAnswer ServiceConnections::exchange(const ServiceRequest& request, base::Duration timeout) {
  return ServiceExchange(url_, options_, request, links_).run(timeout);
}

}  // namespace quire::adapters::s3
