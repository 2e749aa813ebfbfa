#include "client/http_client.h"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/check.h"
#include "base/hex.h"
#include "client/failure.h"
#include "client/server_address.h"

namespace quire::client {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t collected_bytes_max = 64UL << 20U;
/// Small enough that what is read into it is still in the processor's cache when it is sent: 2 MiB take a quarter more
/// of the processor's time, 64 KiB somewhat more, for the calls.
constexpr long upload_buffer = 256L << 10;
constexpr long receive_buffer = 512L << 10;

template <class Value>
void set(CURL* easy, CURLoption option, Value value) {
  QUIRE_CHECK(curl_easy_setopt(easy, option, value) == CURLE_OK);
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

}  // namespace

std::optional<std::string> HttpHead::find(std::string_view name) const {
  const auto found = fields.find(name);
  return found == fields.end() ? std::optional<std::string>() : std::optional(found->second);
}

std::string origin_of(std::string_view url) {
  const auto parsed = parse_server_address(url);
  return parsed ? parsed->url : std::string();
}

/// One request while it runs; curl calls the static functions.
struct HttpClient::Exchange {
  Transport& transport;
  const HttpRequest& request;
  KeyCheck::Place* place = nullptr;
  HttpResponse response = {};
  std::optional<base::Error> failure = std::nullopt;  ///< of source, sink or one of the time-outs
  std::size_t body_sent = 0;                          ///< of `request.body`
  bool all_sent = false;
  bool answering = false;
  curl_off_t moved = -1;
  Clock::time_point last_move = Clock::now();
  const Clock::time_point begun = Clock::now();

  static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self) {
    auto& exchange = *static_cast<Exchange*>(self);
    const auto line = trimmed({data, size * count});
    exchange.answering = true;
    if (line.starts_with("HTTP/")) {
      exchange.response.fields.clear();
      const auto blank = line.find(' ');
      exchange.response.status = 0;
      if (blank != std::string_view::npos)
        std::from_chars(line.data() + blank + 1, line.data() + line.size(), exchange.response.status);
      if (exchange.response.status < 200) exchange.answering = false;
      return size * count;
    }
    const auto colon = line.find(':');
    if (colon != std::string_view::npos)
      exchange.response.fields[base::to_lower(line.substr(0, colon))] = std::string(trimmed(line.substr(colon + 1)));
    return size * count;
  }

  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self) {
    auto& exchange = *static_cast<Exchange*>(self);
    const std::span<const char> bytes(data, size * count);
    if (exchange.request.sink && exchange.response.is_success()) {
      if (auto taken = exchange.request.sink(exchange.response, bytes); !taken) {
        exchange.failure = taken.error();
        return 0;
      }
      return bytes.size();
    }
    if (exchange.response.body.size() + bytes.size() > collected_bytes_max) {
      exchange.failure = local_error("the server's answer is too long");
      return 0;
    }
    exchange.response.body.append(bytes.data(), bytes.size());
    return bytes.size();
  }

  static std::size_t on_read(char* into, std::size_t size, std::size_t count, void* self) {
    auto& exchange = *static_cast<Exchange*>(self);
    const std::span<char> space(into, size * count);
    if (exchange.request.source == nullptr) {
      const auto rest = std::string_view(exchange.request.body).substr(exchange.body_sent);
      const auto part = std::min(rest.size(), space.size());
      std::memcpy(space.data(), rest.data(), part);
      exchange.body_sent += part;
      exchange.all_sent = exchange.body_sent == exchange.request.body.size();
      return part;
    }
    const auto got = exchange.request.source->read(space);
    if (!got) {
      exchange.failure = got.error();
      return CURL_READFUNC_ABORT;
    }
    if (*got == 0) exchange.all_sent = true;
    return *got;
  }

  static int on_seek(void* self, curl_off_t offset, int origin) {
    auto& exchange = *static_cast<Exchange*>(self);
    if (offset != 0 || origin != SEEK_SET) return CURL_SEEKFUNC_CANTSEEK;
    exchange.body_sent = 0;
    exchange.all_sent = false;
    if (exchange.request.source == nullptr || exchange.request.source->rewind()) return CURL_SEEKFUNC_OK;
    return CURL_SEEKFUNC_CANTSEEK;
  }

  static int on_progress(void* self, curl_off_t, curl_off_t received, curl_off_t, curl_off_t sent) {
    return static_cast<Exchange*>(self)->goes_on(received + sent, sent) ? 0 : 1;
  }

  bool goes_on(curl_off_t now_moved, curl_off_t sent) {
    if (transport.stopped()) {
      failure = interrupted();
      return false;
    }
    const auto now = Clock::now();
    if (request.whole_within && now - begun > *request.whole_within) {
      failure = network_error("the server did not answer in time");
      return false;
    }
    if (now_moved != moved) {
      moved = now_moved;
      last_move = now;
      return true;
    }
    const bool has_body = request.source != nullptr || !request.body.empty();
    const bool sent_whole = all_sent || !has_body || (request.length && sent >= *request.length);
    const auto patience = answering                ? request.quiet_for.value_or(transport.stall_timeout)
                          : sent_whole && has_body ? request.answer_within.value_or(transport.answer_timeout)
                                                   : transport.stall_timeout + transport.connect_timeout;
    if (now - last_move <= patience) return true;
    failure = network_error("nothing moved on the connection for " +
                            std::to_string(std::chrono::duration_cast<std::chrono::seconds>(patience).count()) + " s");
    return false;
  }

  static CURLcode on_tls_context(CURL*, void* context, void* self) {
    auto& exchange = *static_cast<Exchange*>(self);
    if (exchange.place == nullptr || !KeyCheck::install(static_cast<SSL_CTX*>(context), exchange.place))
      return CURLE_SSL_CACERT_BADFILE;
    return CURLE_OK;
  }

  base::Error error_of(CURLcode code, const char* details) const {
    if (failure) return *failure;
    if (transport.stopped()) return interrupted();
    const std::string reason = details[0] != 0 ? details : curl_easy_strerror(code);
    const auto authority = place != nullptr ? place->authority : std::string("the server");
    if (code == CURLE_PEER_FAILED_VERIFICATION && place != nullptr) {
      const auto key = place->check->refused_key(place->authority);
      return {base::ErrorKind::unverified_peer,
              base::Message{"quire.client.key_refused",
                            "The key of " + authority + (key ? " (" + *key + ") " : " ") +
                                place->check->objection(place->authority),
                            {}}};
    }
    return network_error("no answer from " + authority + ": " + reason);
  }
};

HttpClient::HttpClient(Transport& transport) : transport_(transport), easy_(curl_easy_init()) {
  QUIRE_CHECK(easy_ != nullptr);
}

HttpClient::~HttpClient() { curl_easy_cleanup(easy_); }

KeyCheck::Place* HttpClient::place_of(const std::string& url) {
  const auto address = parse_server_address(url);
  if (!address) return nullptr;
  auto& place = places_[address->url];
  if (!place) place = std::make_unique<KeyCheck::Place>(&transport_.keys, address->host, address->authority());
  return place.get();
}

base::Result<HttpResponse> HttpClient::send(const HttpRequest& request) {
  Exchange exchange{transport_, request, place_of(request.url)};
  char details[CURL_ERROR_SIZE] = "";
  curl_easy_reset(easy_);  // connections stay
  set(easy_, CURLOPT_URL, request.url.c_str());
  set(easy_, CURLOPT_PROTOCOLS_STR, "http,https");
  set(easy_, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(easy_, CURLOPT_USERAGENT, "quire/" QUIRE_VERSION);  // by which servers show whose login it is
  set(easy_, CURLOPT_NOSIGNAL, 1L);
  set(easy_, CURLOPT_ERRORBUFFER, static_cast<char*>(details));
  set(easy_, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(transport_.connect_timeout.count()));
  set(easy_, CURLOPT_BUFFERSIZE, receive_buffer);
  set(easy_, CURLOPT_UPLOAD_BUFFERSIZE, upload_buffer);
  set(easy_, CURLOPT_SSL_VERIFYPEER, 1L);
  set(easy_, CURLOPT_SSL_VERIFYHOST, 0L);  // KeyCheck looks at the name, where it counts
  set(easy_, CURLOPT_CAINFO, static_cast<char*>(nullptr));
  set(easy_, CURLOPT_CAPATH, static_cast<char*>(nullptr));
  set(easy_, CURLOPT_SSL_CTX_FUNCTION, &Exchange::on_tls_context);
  set(easy_, CURLOPT_SSL_CTX_DATA, &exchange);
  set(easy_, CURLOPT_HEADERFUNCTION, &Exchange::on_header);
  set(easy_, CURLOPT_HEADERDATA, &exchange);
  set(easy_, CURLOPT_WRITEFUNCTION, &Exchange::on_body);
  set(easy_, CURLOPT_WRITEDATA, &exchange);
  set(easy_, CURLOPT_NOPROGRESS, 0L);
  set(easy_, CURLOPT_XFERINFOFUNCTION, &Exchange::on_progress);
  set(easy_, CURLOPT_XFERINFODATA, &exchange);
  set(easy_, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  if (request.method == "HEAD") set(easy_, CURLOPT_NOBODY, 1L);
  if (!request.user.empty()) {
    set(easy_, CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BASIC));
    set(easy_, CURLOPT_USERNAME, request.user.c_str());
    set(easy_, CURLOPT_PASSWORD, request.password.c_str());
  }
  if (request.source != nullptr || !request.body.empty()) {
    set(easy_, CURLOPT_UPLOAD, 1L);
    set(easy_, CURLOPT_READFUNCTION, &Exchange::on_read);
    set(easy_, CURLOPT_READDATA, &exchange);
    set(easy_, CURLOPT_SEEKFUNCTION, &Exchange::on_seek);
    set(easy_, CURLOPT_SEEKDATA, &exchange);
    const auto length =
        request.source == nullptr ? static_cast<std::int64_t>(request.body.size()) : request.length.value_or(-1);
    set(easy_, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(length));
  }
  curl_slist* list = curl_slist_append(nullptr, "Expect:");
  for (const auto& [name, value] : request.fields) list = curl_slist_append(list, (name + ": " + value).c_str());
  if (request.method == "POST" && request.source == nullptr && request.body.empty())
    list = curl_slist_append(list, "Content-Length: 0");
  const std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> fields(list, &curl_slist_free_all);
  set(easy_, CURLOPT_HTTPHEADER, list);
  const auto code = curl_easy_perform(easy_);
  // Nothing of this exchange may be called when the kept connection is used or closed later.
  set(easy_, CURLOPT_ERRORBUFFER, static_cast<char*>(nullptr));
  if (code != CURLE_OK) return exchange.error_of(code, details);
  long made = 0;
  curl_off_t looked_up = 0;
  curl_off_t connected = 0;
  if (curl_easy_getinfo(easy_, CURLINFO_NUM_CONNECTS, &made) == CURLE_OK && made > 0 &&
      curl_easy_getinfo(easy_, CURLINFO_NAMELOOKUP_TIME_T, &looked_up) == CURLE_OK &&
      curl_easy_getinfo(easy_, CURLINFO_CONNECT_TIME_T, &connected) == CURLE_OK)
    transport_.round_trip_us = connected - looked_up;
  return std::move(exchange.response);
}

}  // namespace quire::client
