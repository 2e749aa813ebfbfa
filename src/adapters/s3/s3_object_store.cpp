#include "adapters/s3/s3_object_store.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "adapters/curl/http_url.h"
#include "adapters/curl/response_fields.h"
#include "adapters/s3/answer_classes.h"
#include "adapters/s3/s3_documents.h"
#include "adapters/s3/service_connections.h"
#include "adapters/s3/signature.h"
#include "base/backoff.h"
#include "base/base64.h"
#include "base/check.h"
#include "base/digest.h"
#include "base/hex.h"
#include "base/uri.h"
#include "base/utf8.h"

namespace quire::adapters::s3 {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;

/// The most that S3 removes at once.
constexpr std::size_t lot_keys_max = 1000;

bool is_letter_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

bool is_made_of(std::string_view text, std::string_view others) {
  return std::all_of(text.begin(), text.end(),
                     [&](char c) { return is_letter_or_digit(c) || others.find(c) != std::string_view::npos; });
}

/// Whether it may be a key of the port.
bool is_port_key(std::string_view key) {
  return !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           std::string_view("/._-").find(c) != std::string_view::npos;
  });
}

std::string base64_of_hex(std::string_view hex) {
  const auto bytes = base::from_hex(hex);
  QUIRE_CHECK(bytes);
  return base::to_base64(*bytes);
}

/// A request before it is signed.
struct StoreRequest {
  std::string method = "GET";
  std::string key;      ///< in the bucket; empty: of the bucket itself
  Fields query = {};    ///< not encoded
  Fields headers = {};  ///< further ones
  std::span<const std::byte> body = {};
  std::string sha256{empty_sha256};  ///< of the body
  std::span<std::byte> content = {};
};

/// How a request ended, after all its tries.
struct StoreOutcome {
  Judgement judgement{AnswerClass::refused, "", "", ""};
  ServiceAnswer answer;      ///< the last one
  bool may_be_done = false;  ///< a try before the last one may have taken effect
  int tries = 0;
  std::optional<Error> credentials_error;  ///< there was nothing to sign with
};

Judgement odd(std::string what) { return {AnswerClass::transient, std::move(what), "", ""}; }

class S3ObjectStore final : public content::ObjectStore {
 public:
  S3ObjectStore(S3Options options, const curl::HttpUrl& service, base::Clock& clock, base::IdentitySource& identities)
      : options_(std::move(options)),
        connections_(service,
                     {options_.connect_timeout, options_.stall_timeout, options_.extra_ca_file, options_.user_agent}),
        clock_(clock),
        identities_(identities) {
    const bool is_implied = service.port() == (service.is_https() ? "443" : "80");
    const bool is_version_6 = service.host().find(':') != std::string::npos;
    host_ = (is_version_6 ? "[" + service.host() + "]" : service.host()) + (is_implied ? "" : ":" + service.port());
  }

  Result<void> put(std::string_view key, std::span<const std::byte> bytes, std::string_view sha256) override {
    StoreRequest request;
    request.method = "PUT";
    request.key = full_key(key);
    request.headers = {{"content-type", "application/octet-stream"},
                       {"if-none-match", "*"},
                       {"x-amz-checksum-sha256", base64_of_hex(sha256)}};
    request.body = bytes;
    request.sha256 = sha256;
    const auto give_up_at = deadline();
    const auto outcome = ask(request, give_up_at, judge_stored);
    switch (outcome.judgement.answer_class) {
      case AnswerClass::done:
        return {};
      case AnswerClass::present:
        return outcome.may_be_done ? compare(key, bytes, give_up_at) : key_taken(key);
      default:
        return error_of(outcome);
    }
  }

  Result<std::size_t> get(std::string_view key, std::int64_t offset, std::span<std::byte> buffer) override {
    QUIRE_CHECK(offset >= 0);
    if (buffer.empty()) return std::size_t{0};
    return read(key, offset, buffer, deadline());
  }

  Result<void> remove(std::span<const std::string> keys) override {
    while (!keys.empty()) {
      const auto lot = keys.first(std::min(keys.size(), lot_keys_max));
      QUIRE_RETURN_IF_ERROR(remove_lot(lot));
      keys = keys.subspan(lot.size());
    }
    return {};
  }

  Result<Page> list(std::string_view prefix, std::string_view next) override {
    const auto full_prefix = full_key(prefix);
    StoreRequest request;
    request.query = {{"list-type", "2"},
                     {"encoding-type", "url"},
                     {"max-keys", std::to_string(options_.page_objects_max)},
                     {"prefix", full_prefix}};
    if (!next.empty()) request.query.emplace_back("continuation-token", next);
    std::optional<Page> page;
    const auto outcome = ask(request, deadline(), [&](const ServiceAnswer& answer) {
      page = read_list(answer.text);
      const bool fits = page && std::all_of(page->objects.begin(), page->objects.end(),
                                            [&](const Listed& listed) { return listed.key.starts_with(full_prefix); });
      return fits ? Judgement{} : odd("an answer that is no list of the objects asked for");
    });
    if (outcome.judgement.answer_class != AnswerClass::done) return error_of(outcome);
    for (auto& listed : page->objects) listed.key.erase(0, options_.key_prefix.size());
    std::erase_if(page->objects, [](const Listed& listed) { return !is_port_key(listed.key); });
    return *std::move(page);
  }

 private:
  using JudgeSuccess = std::function<Judgement(const ServiceAnswer&)>;

  std::string full_key(std::string_view key) const { return options_.key_prefix + std::string(key); }

  // ---- one request ----

  /// Of clock_.uptime(), for what begins now.
  base::Duration deadline() const { return clock_.uptime() + options_.deadline; }

  /// Tries until it is done, refused, or over; `judge_success` looks at each answer that says to be a success.
  StoreOutcome ask(const StoreRequest& request, base::Duration give_up_at, const JudgeSuccess& judge_success) {
    const auto left = [&] { return give_up_at - clock_.uptime(); };
    StoreOutcome outcome;
    while (true) {
      auto credentials = current_credentials();
      if (!credentials) {
        outcome.credentials_error = credentials.error();
        return outcome;
      }
      const auto signed_request = make_signed(request, *credentials);
      outcome.answer = connections_.exchange(signed_request, std::min(options_.try_timeout, left()));
      outcome.judgement = judge(outcome.answer);
      if (outcome.judgement.answer_class == AnswerClass::done) outcome.judgement = judge_success(outcome.answer);
      outcome.judgement.detail = without_secrets(outcome.judgement.detail, *credentials, signed_request);
      ++outcome.tries;
      const auto judged = outcome.judgement.answer_class;
      if (judged == AnswerClass::expired && !renew_credentials(*credentials)) return outcome;
      if (judged != AnswerClass::transient && judged != AnswerClass::expired) return outcome;
      const bool is_at_once = judged == AnswerClass::expired || outcome.answer.was_closed_meanwhile;
      const auto wait = is_at_once ? base::Duration::zero() : wait_after(outcome);
      if (outcome.tries >= options_.tries_max || wait >= left()) return outcome;
      // A conflict (409) with another's write has stored nothing of ours.
      if (judged == AnswerClass::transient && outcome.answer.was_sent && outcome.answer.status != 409)
        outcome.may_be_done = true;
      if (wait > base::Duration::zero()) pause(wait);
    }
  }

  ServiceRequest make_signed(const StoreRequest& request, const Credentials& credentials) const {
    RequestToSign signing;
    signing.method = request.method;
    if (options_.addressing == Addressing::path_style) signing.path += options_.bucket;
    if (!request.key.empty()) signing.path += (signing.path == "/" ? "" : "/") + request.key;
    signing.query = request.query;
    signing.headers = request.headers;
    signing.headers.emplace_back("host", host_);
    signing.payload_sha256 = request.sha256;
    sign(signing, credentials, {clock_.now(), options_.region});

    ServiceRequest outgoing;
    outgoing.method = request.method;
    outgoing.target = base::percent_encode_path(signing.path);
    if (const auto query = canonical_query(signing.query); !query.empty()) outgoing.target += "?" + query;
    outgoing.headers = std::move(signing.headers);
    outgoing.body = request.body;
    outgoing.content = request.content;
    return outgoing;
  }

  /// Between half of the back-off and all of it, and not before the service wants to be asked again.
  base::Duration wait_after(const StoreOutcome& outcome) {
    const auto whole = base::backoff(outcome.tries, options_.first_wait, options_.longest_wait);
    const auto half = static_cast<std::uint64_t>(whole.count()) / 2;
    const auto drawn = whole - base::Duration(static_cast<std::int64_t>(identities_.number() % (half + 1)));
    return std::max(drawn, outcome.answer.retry_after);
  }

  void pause(base::Duration duration) const {
    if (options_.wait) {
      options_.wait(duration);
    } else {
      std::this_thread::sleep_for(duration);
    }
  }

  // ---- credentials ----

  Result<Credentials> current_credentials() {
    const std::lock_guard lock(credentials_mutex_);
    if (!credentials_) {
      QUIRE_ASSIGN_OR_RETURN(credentials_, options_.credentials());
    }
    return *credentials_;
  }

  /// Whether there are others than `used`, which the service does not take.
  bool renew_credentials(const Credentials& used) {
    const std::lock_guard lock(credentials_mutex_);
    if (credentials_ && *credentials_ != used) return true;  // another thread was faster
    const auto renewed = options_.credentials();
    if (!renewed) return false;
    credentials_ = *renewed;
    return *credentials_ != used;
  }

  /// `text` as the service wrote it, for the log; empty when it repeats what nobody may see.
  static std::string without_secrets(const std::string& text, const Credentials& credentials,
                                     const ServiceRequest& request) {
    const auto& authorization = request.headers.back().second;  // sign() puts it there
    const auto signature = authorization.substr(authorization.rfind('=') + 1);
    for (const auto& secret : {credentials.secret_access_key, credentials.session_token, signature})
      if (!secret.empty() && text.find(secret) != std::string::npos) return "";
    return base::displayable(text);
  }

  // ---- answers ----

  /// S3 says nothing with a success; a text is somebody else's, such as a proxy's.
  static Judgement judge_stored(const ServiceAnswer& answer) {
    return answer.text.empty() ? Judgement{} : odd("an answer that is not of S3");
  }

  /// A part of exactly the range that was asked for; or, from services that do not know ranges, all of an object.
  static Judgement judge_part(const ServiceAnswer& answer, std::int64_t offset, std::size_t asked_bytes) {
    const auto got = static_cast<std::int64_t>(answer.content_bytes);
    if (answer.status == 200 && answer.content_length == got && (offset == 0 || got == 0)) return {};
    const auto range = curl::parse_content_range(answer.content_range);
    const bool fits = answer.status == 206 && range && range->first == offset && range->last - offset + 1 == got &&
                      got == std::min<std::int64_t>(static_cast<std::int64_t>(asked_bytes), range->whole - offset);
    return fits ? Judgement{} : odd("an answer with other bytes than asked for");
  }

  Result<std::size_t> read(std::string_view key, std::int64_t offset, std::span<std::byte> buffer,
                           base::Duration give_up_at) {
    const auto most = std::numeric_limits<std::int64_t>::max() - offset;
    const auto last = offset + std::min<std::int64_t>(most, static_cast<std::int64_t>(buffer.size()) - 1);
    StoreRequest request;
    request.key = full_key(key);
    request.headers = {{"range", "bytes=" + std::to_string(offset) + "-" + std::to_string(last)}};
    request.content = buffer;
    const auto outcome = ask(request, give_up_at,
                             [&](const ServiceAnswer& answer) { return judge_part(answer, offset, buffer.size()); });
    switch (outcome.judgement.answer_class) {
      case AnswerClass::done:
        return outcome.answer.content_bytes;
      case AnswerClass::beyond_end:
        return std::size_t{0};
      case AnswerClass::missing:
        return Error(ErrorKind::not_found, "quire.storage.s3.no_object",
                     "The S3 bucket {bucket} at {endpoint} has no object {key}.", about({{"key", full_key(key)}}));
      default:
        return error_of(outcome);
    }
  }

  /// Whether the object that is there is the one that a put() meant to store.
  Result<void> compare(std::string_view key, std::span<const std::byte> bytes, base::Duration give_up_at) {
    std::vector<std::byte> stored(bytes.size() + 1);
    const auto got = read(key, 0, stored, give_up_at);
    if (!got && got.error().kind() == ErrorKind::not_found)
      return Error(ErrorKind::service_unavailable, "quire.storage.s3.changed_meanwhile",
                   "The object {key} of the S3 bucket {bucket} at {endpoint} was removed while it was stored. Nothing "
                   "else may use this part of the bucket.",
                   about({{"key", full_key(key)}}));
    if (!got) return got.error();
    stored.resize(*got);
    return std::ranges::equal(stored, bytes) ? Result<void>() : key_taken(key);
  }

  Result<void> remove_lot(std::span<const std::string> keys) {
    std::vector<std::string> full_keys;
    for (const auto& key : keys) full_keys.push_back(full_key(key));
    StoreRequest request;
    request.method = "POST";
    request.query = {{"delete", ""}};
    const auto document = delete_document(full_keys);
    request.body = std::as_bytes(std::span(document));
    request.sha256 = base::digest_of(base::DigestAlgorithm::SHA256, request.body).hex;
    // S3 wants one of the two; older services know Content-MD5 only.
    request.headers = {{"content-type", "application/xml"},
                       {"content-md5", base64_of_hex(base::digest_of(base::DigestAlgorithm::MD5, request.body).hex)},
                       {"x-amz-checksum-sha256", base64_of_hex(request.sha256)}};
    const auto outcome =
        ask(request, deadline(), judge_removal);  // all of them again: those that are gone count as removed
    return outcome.judgement.answer_class == AnswerClass::done ? Result<void>() : error_of(outcome);
  }

  static Judgement judge_removal(const ServiceAnswer& answer) {
    const auto failures = read_delete_failures(answer.text);
    if (!failures) return odd("an answer that does not say what was removed");
    for (const auto& failure : *failures) {
      if (failure.code == "NoSuchKey") continue;
      auto judgement = judge_code(failure.code);
      judgement.what += " for an object to be removed";
      return judgement;
    }
    return {};
  }

  // ---- errors ----

  std::vector<base::MessageParam> about(std::vector<base::MessageParam> params) const {
    params.push_back({"bucket", options_.bucket});
    params.push_back({"endpoint", connections_.url().origin()});
    return params;
  }

  Error key_taken(std::string_view key) const {
    return {ErrorKind::already_exists, "quire.storage.s3.key_taken",
            "The S3 bucket {bucket} at {endpoint} has another object {key} already. Nothing else may use this part of "
            "the bucket.",
            about({{"key", full_key(key)}})};
  }

  Error error_of(const StoreOutcome& outcome) const {
    if (outcome.credentials_error) return *outcome.credentials_error;
    const auto& judgement = outcome.judgement;
    if (judgement.answer_class == AnswerClass::full)
      return Error(ErrorKind::unable_to_allocate_resource, "quire.storage.s3.full",
                   "The S3 bucket {bucket} at {endpoint} has no more room ({what}). Remove something, or raise its "
                   "quota.",
                   about({{"what", judgement.what}}))
          .with_cause(judgement.detail);
    if (judgement.answer_class == AnswerClass::transient)
      return Error(ErrorKind::service_unavailable, "quire.storage.s3.unavailable",
                   "The S3 bucket {bucket} at {endpoint} cannot be used at the moment; tries: {tries}, the last one: "
                   "{what}. Try again later, or check the service and the network to it.",
                   about({{"tries", std::int64_t{outcome.tries}}, {"what", judgement.what}}))
          .with_cause(judgement.detail);
    return Error(ErrorKind::service_unavailable, "quire.storage.s3.refused",
                 "The S3 bucket {bucket} at {endpoint} cannot be used: {what}. {advice}",
                 about({{"what", judgement.what}, {"advice", judgement.advice}}))
        .with_cause(judgement.detail);
  }

  const S3Options options_;
  std::string host_;  ///< as in the header
  ServiceConnections connections_;
  base::Clock& clock_;
  base::IdentitySource& identities_;
  std::mutex credentials_mutex_;
  std::optional<Credentials> credentials_;  ///< once they have been read
};

Error invalid_option(std::string option, std::string what) {
  return {ErrorKind::invalid_argument,
          "quire.storage.s3.invalid_option",
          "The {option} of the S3 storage cannot be used: {what}.",
          {{"option", std::move(option)}, {"what", std::move(what)}}};
}

/// `https://s3.eu-central-1.amazonaws.com`
std::string aws_endpoint(const std::string& region) {
  return "https://s3." + region + (region.starts_with("cn-") ? ".amazonaws.com.cn" : ".amazonaws.com");
}

}  // namespace

Result<std::unique_ptr<content::ObjectStore>> make_s3_object_store(S3Options options, base::Clock& clock,
                                                                   base::IdentitySource& identities) {
  QUIRE_CHECK(options.credentials && options.tries_max > 0);
  if (options.bucket.size() < 3 || options.bucket.size() > 255 || !is_made_of(options.bucket, ".-_"))
    return invalid_option("bucket", "its name has 3 to 255 letters, digits, dots, hyphens and underscores");
  if (options.region.empty() || !is_made_of(options.region, "-"))
    return invalid_option("region", "its name is made of letters, digits and hyphens");
  if (!is_made_of(options.key_prefix, "/!-_.*'()"))
    return invalid_option("key prefix", "it is made of letters, digits and /!-_.*'()");
  auto text = options.endpoint.empty() ? aws_endpoint(options.region) : options.endpoint;
  const auto endpoint = curl::HttpUrl::parse(text);
  const auto host_begins = text.find("://") + 3;
  if (!endpoint || endpoint->credentials() || text.find_first_of("?#", host_begins) != std::string::npos ||
      text.find('/', host_begins) < text.size() - 1)
    return invalid_option("endpoint", "it is an http or https URL of a host alone");
  if (options.addressing == Addressing::virtual_host) text.insert(host_begins, options.bucket + ".");
  const auto service = curl::HttpUrl::parse(text);
  if (!service) return invalid_option("bucket", "its name cannot stand before the host of the endpoint");
  return std::unique_ptr<content::ObjectStore>(
      std::make_unique<S3ObjectStore>(std::move(options), *service, clock, identities));
}

}  // namespace quire::adapters::s3
