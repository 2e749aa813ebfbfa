#include "adapters/curl/curl_sender.h"

#include <utility>

#include "adapters/curl/certificate_check.h"
#include "adapters/curl/curl_library.h"
#include "adapters/curl/http_url.h"
#include "adapters/curl/small_exchange.h"

namespace quire::adapters::curl {
namespace {

using content::SendOutcome;

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
    if (!url) return {std::nullopt, "The URL cannot be used."};
    auto check = CertificateCheck::make({}, options_.extra_ca_file);
    if (!check) return {std::nullopt, check.error().text()};
    auto answer = exchange_small({*url, true, message.headers, message.body},
                                 {&options_.policy, options_.timeout, options_.user_agent}, *check, stop);
    if (answer.status && *answer.status >= 300)
      answer.problem =
          "The server at " + url->shown() + " answered with status " + std::to_string(*answer.status) + ".";
    return {answer.status, std::move(answer.problem)};
  }

 private:
  const SenderOptions options_;
};

}  // namespace

std::unique_ptr<content::MessageSender> make_curl_sender(SenderOptions options) {
  return std::make_unique<CurlSender>(std::move(options));
}

}  // namespace quire::adapters::curl
