#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "content/source_url.h"

namespace quire::content {

/// What to trust at the other end of TLS, in this order (content-library-api.md §28.3): a certificate in PEM, a
/// thumbprint (SHA-1 or SHA-256, any case, with or without colons), else normal chain validation.
struct FetchTrust {
  std::optional<std::string> certificate_pem;
  std::optional<std::string> thumbprint;
  bool operator==(const FetchTrust&) const = default;
};

struct FetchRequest {
  SourceUrl url;            ///< user and password in it are sent to that host only
  std::int64_t offset = 0;  ///< go on from here, by Range and If-Range with `validator`
  std::string validator;    ///< strong ETag of the bytes that came before; needed when offset is not 0
  FetchTrust trust;
};

/// The head of the answer that carries the bytes, after redirects.
struct FetchResponse {
  int status = 0;           ///< 200 or 206
  std::int64_t offset = 0;  ///< of the first byte that follows; 0 although more was asked for: the content has changed
  std::optional<std::int64_t> length;  ///< of the whole content
  std::string validator;               ///< strong ETag, else empty: then a broken transfer starts over
  /// The URL that redirects led to, without credentials and query: the base of references in the content (RFC 3986
  /// 5.1.3). nullopt: the URL that was asked for.
  std::optional<SourceUrl> redirected_to = std::nullopt;
};

enum class FetchFailure {
  none,
  unusable_url,     ///< malformed, other scheme
  refused_address,  ///< the settings forbid it, on whichever hop
  host_not_found,
  not_connected,    ///< refused, unreachable, proxy failure
  timed_out,        ///< no connection in time
  certificate,      ///< not trusted or not the one that was named
  redirect,         ///< too many, from https to http, or to an unusable URL
  unauthorized,     ///< 401, 403, no permission to read
  not_there,        ///< 404, 410, no such file
  status,           ///< any other status
  stalled,          ///< no byte for the stall time-out
  broken,           ///< the connection ended or was garbled before the content was whole
  refused_by_sink,  ///< the sink returned an Error
  stopped,
};

/// The certificate that the other end presented.
struct PeerCertificate {
  std::string thumbprint_sha1;  ///< upper case with colons
  std::string thumbprint_sha256;
  std::string pem;
};

struct FetchOutcome {
  FetchFailure failure = FetchFailure::none;
  bool worth_retrying = false;  ///< §28.3 "retries"
  std::optional<base::Duration> retry_after;
  std::optional<int> status;
  base::Message reason;  ///< for people; URLs in it hold no credentials
  std::optional<PeerCertificate> presented;
  /// Of an answer that is no success: its first 4 KiB, for who knows what the other end says there; empty else.
  std::string body;
};

/// Takes the content as it arrives. Called from the thread that fetches.
class FetchSink {
 public:
  virtual ~FetchSink() = default;
  /// Once, before the first byte. An Error ends the fetch.
  virtual base::Result<void> begin(const FetchResponse& response) = 0;
  virtual base::Result<void> bytes(std::span<const std::byte> bytes) = 0;
};

/// Reads what lies elsewhere, for pulls and subscriptions. All threads may call it.
class Fetcher {
 public:
  virtual ~Fetcher() = default;

  /// Whether this can be fetched at all, as far as that shows without looking: the form of the URL and of what to
  /// trust, the scheme. InvalidArgument says what is wrong.
  virtual base::Result<void> check(const FetchRequest& request) const = 0;

  /// One attempt at one URL, blocking; follows redirects, never retries. `stop` set from another thread ends it within
  /// about a second.
  virtual FetchOutcome fetch(const FetchRequest& request, FetchSink& sink, const std::atomic<bool>& stop) = 0;

  /// Asks for the head only (or a ranged GET where HEAD is refused), to learn whether the URL works and which
  /// certificate is presented. Follows the same policy.
  virtual FetchOutcome probe(const FetchRequest& request) = 0;
};

}  // namespace quire::content
