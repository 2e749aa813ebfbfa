#include "adapters/curl/exchange.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "adapters/curl/address_refusal.h"
#include "adapters/curl/curl_library.h"
#include "adapters/curl/proxy_choice.h"
#include "adapters/curl/response_fields.h"
#include "base/check.h"
#include "base/hex.h"

namespace quire::adapters::curl {
namespace {

using content::FetchFailure;
using content::FetchOutcome;

constexpr std::size_t longest_head = 256UL * 1024;      ///< all header lines of an exchange, interim answers included
constexpr std::chrono::milliseconds longest_wait{200};  ///< until the stop flag is looked at again
constexpr long receive_buffer = 256L * 1024;
constexpr std::size_t longest_refusal = 4UL * 1024;  ///< as FetchOutcome::body promises
/// A refusal stands without its body, which a silent server may never send.
constexpr std::chrono::milliseconds longest_wait_for_refusal{2000};
constexpr std::int64_t longest_retry_after_seconds = 7L * 24 * 3600;

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

}  // namespace

Exchange::Exchange(const Fetch& fetch, const HttpUrl& url, const std::optional<HttpUrl::Credentials>& credentials,
                   bool redirected)
    : fetch_(fetch), url_(url), credentials_(credentials), redirected_(redirected) {}

FetchOutcome Exchange::run() {
  proxy_ = proxy_for(url_, process_environment).value_or("");
  if (!proxy_.empty()) judge_proxy();
  if (!outcome_ && !proxy_.empty()) judge_target_behind_proxy();
  if (outcome_) return *outcome_;
  take_link();
  set_up();
  const auto code = transfer();
  if (code && !outcome_ && !location_) end_with_curl_code(*code);
  auto outcome = outcome_.value_or(FetchOutcome{});
  if (head_taken_ && (!begun_ || outcome.failure == FetchFailure::none)) outcome.status = status();
  if (link_->certificate_check.presented()) fetch_.presented = link_->certificate_check.presented();
  if (code == CURLE_OK && outcome.failure != FetchFailure::broken) fetch_.links.give(std::move(link_));
  return outcome;
}

// ---- before the request ----

void Exchange::judge_proxy() {
  // An https proxy would show a certificate too, which the request's trust does not speak about.
  if (!base::to_lower(proxy_).starts_with("https://")) return;
  end(FetchFailure::not_connected, false, "quire.pull.proxy_unsupported",
      "The server's environment names an https proxy, and only http and socks proxies are supported. Tell the "
      "administrator of this server.");
}

void Exchange::judge_target_behind_proxy() {
  refused_ = refusal_of_host(fetch_.options.policy, url_.host());  // none for a name that only the proxy may know
  if (refused_) end_with_curl_code(CURLE_COULDNT_CONNECT);
}

void Exchange::take_link() {
  LinkPurpose purpose{url_.origin(), proxy_, fetch_.request.trust};
  link_ = fetch_.links.take(purpose);
  if (link_ != nullptr) return;
  auto check = CertificateCheck::make(fetch_.request.trust, fetch_.options.extra_ca_file);
  QUIRE_CHECK(check);  // it was readable before the first exchange
  link_ = std::make_unique<Link>(std::move(purpose), std::move(*check));
}

void Exchange::set_up() {
  easy_.reset(curl_easy_init());
  QUIRE_CHECK(easy_ != nullptr);
  set_up_request();
  set_up_connection();
  if (url_.is_https()) set_checked_tls(easy_.get(), &Exchange::on_tls_context, this);
}

void Exchange::set_up_request() {
  CURL* easy = easy_.get();
  set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  set(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(easy, CURLOPT_URL, url_.text().c_str());
  set(easy, CURLOPT_FOLLOWLOCATION, 0L);
  if (fetch_.mode == FetchMode::head) set(easy, CURLOPT_NOBODY, 1L);
  if (fetch_.mode == FetchMode::first_byte) set(easy, CURLOPT_RANGE, "0-0");
  if (!fetch_.options.user_agent.empty()) set(easy, CURLOPT_USERAGENT, fetch_.options.user_agent.c_str());
  if (credentials_) {
    set(easy, CURLOPT_HTTPAUTH, static_cast<unsigned long>(CURLAUTH_BASIC));
    set(easy, CURLOPT_USERNAME, credentials_->user.c_str());
    set(easy, CURLOPT_PASSWORD, credentials_->password.c_str());
  }

  headers_.add("Accept-Encoding: identity");
  if (fetch_.mode == FetchMode::content && resumes()) {
    set(easy, CURLOPT_RANGE, (std::to_string(fetch_.request.offset) + "-").c_str());
    headers_.add("If-Range: " + fetch_.request.validator);
  }
  set(easy, CURLOPT_HTTPHEADER, headers_.get());

  set(easy, CURLOPT_HEADERFUNCTION, &Exchange::on_header);
  set(easy, CURLOPT_HEADERDATA, this);
  set(easy, CURLOPT_WRITEFUNCTION, &Exchange::on_body);
  set(easy, CURLOPT_WRITEDATA, this);
}

bool Exchange::resumes() const { return fetch_.request.offset > 0 && is_strong_etag(fetch_.request.validator); }

void Exchange::set_up_connection() {
  CURL* easy = easy_.get();
  set(easy, CURLOPT_NOSIGNAL, 1L);
  set(easy, CURLOPT_BUFFERSIZE, receive_buffer);
  set(easy, CURLOPT_CONNECTTIMEOUT_MS, in_milliseconds(fetch_.options.connect_timeout));
  set(easy, CURLOPT_QUICK_EXIT, 1L);  // a stop does not wait for the resolver
  set(easy, CURLOPT_DNS_CACHE_TIMEOUT, 0L);
  set_proxy(easy, proxy_);
  set(easy, CURLOPT_OPENSOCKETFUNCTION, &Exchange::on_socket);
  set(easy, CURLOPT_OPENSOCKETDATA, this);
  set(easy, CURLOPT_PREREQFUNCTION, &Exchange::on_connected);
  set(easy, CURLOPT_PREREQDATA, this);
}

// ---- the transfer ----

/// nullopt when it ended early by stop flag or silence, and the outcome is settled then.
std::optional<CURLcode> Exchange::transfer() {
  CURLM* multi = link_->multi.get();
  QUIRE_CHECK(curl_multi_add_handle(multi, easy_.get()) == CURLM_OK);
  progressed_at_ = std::chrono::steady_clock::now();
  std::optional<CURLcode> code;
  while (!code) {
    int running = 0;
    QUIRE_CHECK(curl_multi_perform(multi, &running) == CURLM_OK);
    int left = 0;
    if (const auto* message = curl_multi_info_read(multi, &left)) {
      code = message->data.result;
      break;
    }
    if (fetch_.stop) {
      end(FetchFailure::stopped, false, "quire.pull.stopped", "The transfer from {url} was stopped.");
      break;
    }
    if (is_stalled()) {
      end(FetchFailure::stalled, true, "quire.pull.stalled",
          "The server at {url} sent nothing for {milliseconds} ms. Check that server and the network to it.",
          {{"milliseconds", fetch_.options.stall_timeout.count()}});
      break;
    }
    if (is_refusal_overdue()) break;
    const auto wait = std::min<base::Duration>(longest_wait, fetch_.options.stall_timeout);
    QUIRE_CHECK(curl_multi_poll(multi, nullptr, 0, static_cast<int>(in_milliseconds(wait)), nullptr) == CURLM_OK);
  }
  curl_easy_getinfo(easy_.get(), CURLINFO_ACTIVESOCKET, &link_->socket);  // only known while the two belong together
  curl_multi_remove_handle(multi, easy_.get());
  return code;
}

/// Until the connection stands, the connect time-out counts instead.
bool Exchange::is_stalled() const {
  return connected_ && std::chrono::steady_clock::now() - progressed_at_ >= fetch_.options.stall_timeout;
}

bool Exchange::is_refusal_overdue() const {
  return refusal_began_at_ && std::chrono::steady_clock::now() - *refusal_began_at_ >=
                                  std::min<base::Duration>(longest_wait_for_refusal, fetch_.options.stall_timeout);
}

/// Whether an answer that libcurl takes for whole is not.
bool Exchange::is_truncated() const {
  if (!head_taken_ || (whole_ && position_ != *whole_)) return true;
  return ends_by_closing_ && url_.is_https() && !link_->closing_announced;
}

curl_socket_t Exchange::on_socket(void* self, curlsocktype purpose, curl_sockaddr* address) {
  auto& exchange = *static_cast<Exchange*>(self);
  if (purpose != CURLSOCKTYPE_IPCXN) return CURL_SOCKET_BAD;
  exchange.connected_ = false;  // it was, when a kept connection turned out to be dead
  if (exchange.proxy_.empty()) {
    if (auto refusal = refusal_of(exchange.fetch_.options.policy, &address->addr)) {
      exchange.refused_ = std::move(refusal);
      return CURL_SOCKET_BAD;
    }
  }
  exchange.tried_an_address_ = true;
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

int Exchange::on_connected(void* self, char* /*remote*/, char* /*local*/, int /*remote_port*/, int /*local_port*/) {
  auto& exchange = *static_cast<Exchange*>(self);
  exchange.connected_ = true;
  exchange.progressed_at_ = std::chrono::steady_clock::now();
  return CURL_PREREQFUNC_OK;
}

CURLcode Exchange::on_tls_context(CURL* /*easy*/, void* context, void* self) {
  auto& exchange = *static_cast<Exchange*>(self);
  auto* tls = static_cast<SSL_CTX*>(context);
  const auto& url = exchange.url_;
  auto pins = exchange.fetch_.options.pins.thumbprints_of(url.host(), url.port());
  SSL_CTX_set_msg_callback(tls, &Exchange::on_tls_message);
  // The connection may outlive this exchange, so what it refers to is the link's.
  auto& link = *exchange.link_;
  link.closing_announced = false;
  SSL_CTX_set_msg_callback_arg(tls, &link);
  return link.certificate_check.install(tls, url.host(), std::move(pins)) ? CURLE_OK : CURLE_SSL_CACERT_BADFILE;
}

/// libcurl takes the end of a TLS connection for the end of the answer also when nobody announced it.
void Exchange::on_tls_message(int sent, int /*version*/, int type, const void* bytes, std::size_t size, SSL* /*tls*/,
                              void* link) {
  if (sent != 0 || type != SSL3_RT_ALERT || size != 2) return;
  if (static_cast<const unsigned char*>(bytes)[1] == SSL_AD_CLOSE_NOTIFY)
    static_cast<Link*>(link)->closing_announced = true;
}

std::size_t Exchange::on_header(char* data, std::size_t size, std::size_t count, void* self) {
  auto& exchange = *static_cast<Exchange*>(self);
  exchange.progressed_at_ = std::chrono::steady_clock::now();
  const std::string_view line(data, size * count);
  const bool ends_head = line == "\r\n" || line == "\n";
  return exchange.take_header(line.size(), ends_head) ? line.size() : 0;
}

std::size_t Exchange::on_body(char* data, std::size_t size, std::size_t count, void* self) {
  auto& exchange = *static_cast<Exchange*>(self);
  const auto length = size * count;
  const bool go_on = exchange.take_bytes(std::as_bytes(std::span(data, length)));
  exchange.progressed_at_ = std::chrono::steady_clock::now();  // the sink's time is not the other end's
  return go_on ? length : CURL_WRITEFUNC_ERROR;
}

// ---- the answer ----

bool Exchange::take_header(std::size_t size, bool ends_head) {
  head_size_ += size;
  if (head_size_ > longest_head) {
    return end(FetchFailure::broken, false, "quire.pull.head_too_long",
               "The server at {url} answers with more than {limit} bytes of header. Check the URL.",
               {{"limit", static_cast<std::int64_t>(longest_head)}});
  }
  if (!ends_head || head_taken_ || status() < 200) return true;  // trailers and interim answers are of no interest
  head_taken_ = true;
  return take_head();
}

bool Exchange::take_head() {
  const int code = status();
  if (is_redirect(code)) return take_redirect(code);
  if (fetch_.mode == FetchMode::content && (code == 200 || code == 206)) return take_content_head(code);
  const bool shows_that_it_works = code == 200 || code == 206 || (fetch_.mode == FetchMode::first_byte && code == 416);
  if (fetch_.mode != FetchMode::content && shows_that_it_works) {
    outcome_ = FetchOutcome{};
    return fetch_.mode == FetchMode::head;  // which has no body; the rest of a GET is not wanted
  }
  return take_refusal(code);
}

bool Exchange::take_refusal(int code) {
  end_with_status(code);
  constexpr int first_status_without_success = 300;
  if (fetch_.mode != FetchMode::content || code < first_status_without_success) return false;
  refusal_began_at_ = std::chrono::steady_clock::now();
  return true;
}

bool Exchange::take_redirect(int code) {
  location_ = header("Location");
  if (location_) return single_header("Content-Length") == "0";  // a body is not read, which ends the connection
  return end(FetchFailure::redirect, false, "quire.pull.redirect_without_target",
             "The server at {url} answers with status {status} but does not say where the content is. Check the URL.",
             {{"status", std::int64_t{code}}});
}

bool Exchange::take_content_head(int code) {
  if (has_conflicting_lengths()) {
    return end(FetchFailure::broken, true, "quire.pull.garbled",
               "The answer of the server at {url} is garbled: its length is not one number.");
  }
  content::FetchResponse response;
  response.status = code;
  if (redirected_) response.redirected_to = url_.shown();
  if (const auto etag = single_header("ETag"); etag && is_strong_etag(*etag)) response.validator = *etag;
  if (code == 206) {
    if (!take_part_head(response)) return false;
  } else if (!header("Transfer-Encoding")) {
    if (const auto length = header("Content-Length")) response.length = parse_length(*length);
  }
  ends_by_closing_ = !header("Transfer-Encoding") && !header("Content-Length");
  position_ = response.offset;
  whole_ = response.length;
  if (const auto begun = fetch_.sink->begin(response); !begun) {
    outcome_ = FetchOutcome{};
    outcome_->failure = FetchFailure::refused_by_sink;
    outcome_->reason = begun.error().messages().front();
    return false;
  }
  begun_ = true;
  return true;
}

bool Exchange::take_part_head(content::FetchResponse& response) {
  const auto text = single_header("Content-Range");
  const auto range = text ? parse_content_range(*text) : std::nullopt;
  if (!resumes() || !range || range->first != fetch_.request.offset) {
    return end(FetchFailure::broken, true, "quire.pull.wrong_part",
               "The server at {url} sent another part of the content than was asked for.");
  }
  // A part carries the validator that the whole would have (RFC 9110 §15.3.7); without it nothing says what it is part
  // of.
  if (response.validator != fetch_.request.validator) {
    return end(FetchFailure::broken, true, "quire.pull.content_changed",
               "The content at {url} changed while it was read.");
  }
  response.offset = range->first;
  response.length = range->whole;
  return true;
}

bool Exchange::take_refusal_bytes(std::span<const std::byte> bytes) {
  auto& body = outcome_->body;
  const auto taken = std::min(bytes.size(), longest_refusal - body.size());
  body.append(reinterpret_cast<const char*>(bytes.data()), taken);
  return taken == bytes.size();
}

bool Exchange::take_bytes(std::span<const std::byte> bytes) {
  if (refusal_began_at_) return take_refusal_bytes(bytes);
  if (!head_taken_ || outcome_ || fetch_.sink == nullptr || fetch_.mode != FetchMode::content) return false;
  if (fetch_.stop)
    return end(FetchFailure::stopped, false, "quire.pull.stopped", "The transfer from {url} was stopped.");
  position_ += static_cast<std::int64_t>(bytes.size());
  if (whole_ && position_ > *whole_) {
    return end(FetchFailure::broken, true, "quire.pull.too_long",
               "The server at {url} sent more than the {length} bytes that it promised.", {{"length", *whole_}});
  }
  if (const auto taken = fetch_.sink->bytes(bytes); !taken) {
    outcome_ = FetchOutcome{};
    outcome_->failure = FetchFailure::refused_by_sink;
    outcome_->reason = taken.error().messages().front();
    return false;
  }
  return true;
}

std::optional<std::string> Exchange::header(const char* name) const {
  curl_header* found = nullptr;
  if (curl_easy_header(easy_.get(), name, 0, CURLH_HEADER, -1, &found) != CURLHE_OK) return std::nullopt;
  return std::string(found->value);
}

/// nullopt also when the header is there more than once.
std::optional<std::string> Exchange::single_header(const char* name) const {
  curl_header* found = nullptr;
  if (curl_easy_header(easy_.get(), name, 0, CURLH_HEADER, -1, &found) != CURLHE_OK || found->amount != 1)
    return std::nullopt;
  return std::string(found->value);
}

/// Whether Content-Length is no number, or two different ones.
bool Exchange::has_conflicting_lengths() const {
  std::optional<std::int64_t> first;
  curl_header* found = nullptr;
  for (std::size_t i = 0; curl_easy_header(easy_.get(), "Content-Length", i, CURLH_HEADER, -1, &found) == CURLHE_OK;
       ++i) {
    const auto length = parse_length(found->value);
    if (!length || (first && *first != *length)) return true;
    first = length;
  }
  return false;
}

int Exchange::status() const {
  long code = 0;
  if (easy_ != nullptr) curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &code);
  return static_cast<int>(code);
}

// ---- how it ended ----

bool Exchange::end(FetchFailure failure, bool worth_retrying, std::string id, std::string_view text,
                   std::vector<base::MessageParam> params) {
  if (outcome_) return false;
  FetchOutcome outcome;
  outcome.failure = failure;
  outcome.worth_retrying = worth_retrying;
  params.insert(params.begin(), {"url", url_.shown()});
  outcome.reason = base::make_message(std::move(id), text, std::move(params));
  outcome_ = std::move(outcome);
  return false;
}

void Exchange::end_with_status(int code) {
  const std::vector<base::MessageParam> params = {{"status", std::int64_t{code}}};
  if (code == 401 || code == 403) {
    end(FetchFailure::unauthorized, false, "quire.pull.unauthorized",
        "The server at {url} refuses access with status {status}. Put a valid user and password into the URL, or ask "
        "for access there.",
        params);
  } else if (code == 404 || code == 410) {
    end(FetchFailure::not_there, false, "quire.pull.not_there",
        "The server at {url} has no such content (status {status}). Check the URL.", params);
  } else if (code == 416) {
    end(FetchFailure::broken, true, "quire.pull.wrong_part",
        "The server at {url} does not have the part of the content that was asked for (status {status}).", params);
  } else {
    const bool passes = code == 408 || code == 429 || code >= 500;
    end(FetchFailure::status, passes, "quire.pull.status",
        passes ? "The server at {url} cannot answer now (status {status}). Try again later."
               : "The server at {url} does not send the content but answers with status {status}. Check the URL.",
        params);
    curl_off_t seconds = 0;
    curl_easy_getinfo(easy_.get(), CURLINFO_RETRY_AFTER, &seconds);
    if (passes && seconds > 0)
      outcome_->retry_after = std::chrono::seconds(std::min<std::int64_t>(seconds, longest_retry_after_seconds));
  }
}

void Exchange::end_with_curl_code(CURLcode code) {
  const std::string detail = curl_easy_strerror(code);
  long proxy_status = 0;
  if (easy_ != nullptr) curl_easy_getinfo(easy_.get(), CURLINFO_HTTP_CONNECTCODE, &proxy_status);
  if (code == CURLE_OK) {
    if (is_truncated()) {
      end(FetchFailure::broken, true, "quire.pull.too_short",
          "The server at {url} ended its answer before the content was whole.");
    }
  } else if (code == CURLE_COULDNT_CONNECT && refused_ && !tried_an_address_) {
    end(FetchFailure::refused_address, false, "quire.pull.refused_address",
        "This server does not connect to {url}: {refusal}. Use another URL, or ask the administrator of this server to "
        "allow the address.",
        {{"refusal", *refused_}});
  } else if (code == CURLE_PEER_FAILED_VERIFICATION) {
    const auto& check = link_->certificate_check;
    end(FetchFailure::certificate, false, "quire.pull.certificate",
        "The server at {url} presented a certificate that {objection}. Its SHA-1 thumbprint is {thumbprint}. If it is "
        "the right one, send this thumbprint as ssl_certificate_thumbprint or the certificate as ssl_certificate. A "
        "client that cannot send them needs the setting pull_trust of this server.",
        {{"objection", check.objection().empty() ? "cannot be checked" : check.objection()},
         {"thumbprint", check.presented() ? check.presented()->thumbprint_sha1 : "unknown"}});
  } else if (code == CURLE_SSL_CACERT_BADFILE) {
    end(FetchFailure::certificate, false, "quire.pull.roots_unreadable",
        "The certificate of {url} cannot be checked: the file of additional root certificates in this server's "
        "settings "
        "cannot be read. Tell its administrator, or send ssl_certificate_thumbprint or ssl_certificate.");
  } else if (code == CURLE_COULDNT_RESOLVE_HOST) {
    end(FetchFailure::host_not_found, true, "quire.pull.host_not_found",
        "The name of the server at {url} cannot be resolved. Check the URL and this server's name resolution.");
  } else if (code == CURLE_URL_MALFORMAT) {
    end(FetchFailure::unusable_url, false, "quire.pull.unusable_url", "The URL {url} cannot be used ({detail}).",
        {{"detail", detail}});
  } else if (proxy_status >= 300) {
    end(FetchFailure::not_connected, proxy_status >= 500, "quire.pull.proxy_refused",
        "The proxy of this server does not connect to {url} (status {status}). Ask the administrator of this server.",
        {{"status", std::int64_t{proxy_status}}});
  } else if (code == CURLE_COULDNT_CONNECT || code == CURLE_OPERATION_TIMEDOUT || code == CURLE_SSL_CONNECT_ERROR ||
             code == CURLE_COULDNT_RESOLVE_PROXY || code == CURLE_PROXY || !connected_) {
    end(code == CURLE_OPERATION_TIMEDOUT ? FetchFailure::timed_out : FetchFailure::not_connected, true,
        "quire.pull.not_connected",
        "No connection to {url} ({detail}). Check that the server there runs and is reachable from this server.",
        {{"detail", detail}});
  } else {
    end(FetchFailure::broken, true, "quire.pull.broken",
        "The transfer from {url} broke before the content was whole ({detail}).", {{"detail", detail}});
  }
}

}  // namespace quire::adapters::curl
