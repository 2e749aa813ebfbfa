#pragma once

#include <curl/curl.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "adapters/curl/curl_fetcher.h"
#include "adapters/curl/curl_library.h"
#include "adapters/curl/http_url.h"
#include "adapters/curl/kept_links.h"
#include "content/fetcher.h"

namespace quire::adapters::curl {

/// What is asked of the other server.
enum class FetchMode {
  content,     ///< everything, or what follows the request's offset; goes to the sink
  head,        ///< HEAD
  first_byte,  ///< the head of a GET for one byte, where HEAD is refused
};

/// The parts of a fetch that do not change from hop to hop. Refers to what its owner keeps.
struct Fetch {
  const Options& options;
  const content::FetchRequest& request;
  FetchMode mode;
  content::FetchSink* sink;  ///< nullptr unless the content is asked for
  KeptLinks& links;
  std::optional<content::PeerCertificate>& presented;  ///< the last certificate that was seen goes there
  const std::atomic<bool>& stop;
};

/// One request and its answer, on a connection of its own or one that an earlier exchange left. To be run once, by one
/// thread.
class Exchange {
 public:
  /// `redirected`: another URL than the request's.
  Exchange(const Fetch& fetch, const HttpUrl& url, const std::optional<HttpUrl::Credentials>& credentials,
           bool redirected);
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  /// What came of it, without `presented`. When location() is set afterwards, the answer was a redirect and the outcome
  /// means nothing.
  content::FetchOutcome run();
  /// The Location of a redirect.
  const std::optional<std::string>& location() const { return location_; }

 private:
  using SteadyTime = std::chrono::steady_clock::time_point;

  static curl_socket_t on_socket(void* self, curlsocktype purpose, curl_sockaddr* address);
  static int on_connected(void* self, char* remote, char* local, int remote_port, int local_port);
  static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self);
  static CURLcode on_tls_context(CURL* easy, void* context, void* self);
  static void on_tls_message(int sent, int version, int type, const void* bytes, std::size_t size, SSL* tls,
                             void* link);

  void take_link();
  void set_up();
  void set_up_request();
  void set_up_connection();
  bool resumes() const;

  void judge_target_behind_proxy();
  void judge_proxy();
  std::optional<CURLcode> transfer();
  bool is_stalled() const;
  bool is_refusal_overdue() const;
  bool is_truncated() const;

  // While the answer arrives. They return whether to go on.
  bool take_header(std::size_t size, bool ends_head);
  bool take_head();
  bool take_redirect(int status);
  bool take_content_head(int status);
  bool take_part_head(content::FetchResponse& response);
  bool take_refusal(int status);
  bool take_bytes(std::span<const std::byte> bytes);
  bool take_refusal_bytes(std::span<const std::byte> bytes);

  std::optional<std::string> header(const char* name) const;
  std::optional<std::string> single_header(const char* name) const;
  bool has_conflicting_lengths() const;
  int status() const;

  /// Settles the outcome, the first one counts. Returns false, for "do not go on".
  bool end(content::FetchFailure failure, bool worth_retrying, std::string id, std::string_view text,
           std::vector<base::MessageParam> params = {});
  void end_with_status(int status);
  void end_with_curl_code(CURLcode code);

  const Fetch fetch_;
  const HttpUrl& url_;
  const std::optional<HttpUrl::Credentials>& credentials_;
  const bool redirected_;
  HeaderList headers_;
  std::unique_ptr<Link> link_;
  Easy easy_{nullptr, &curl_easy_cleanup};  // goes before the link
  std::string proxy_;                       ///< empty: none

  std::optional<std::string> refused_;  ///< the last address that the policy refused, and why
  bool tried_an_address_ = false;
  bool connected_ = false;
  SteadyTime progressed_at_;
  std::optional<SteadyTime> refusal_began_at_;  ///< its body is read since then

  std::size_t head_size_ = 0;
  bool head_taken_ = false;
  bool begun_ = false;                 ///< the sink has taken the head
  bool ends_by_closing_ = false;       ///< the answer has neither length nor chunks
  std::int64_t position_ = 0;          ///< of the next byte in the content
  std::optional<std::int64_t> whole_;  ///< length of the content
  std::optional<std::string> location_;
  std::optional<content::FetchOutcome> outcome_;
};

}  // namespace quire::adapters::curl
