#include "client/vcsp_source.h"

#include "base/uri.h"
#include "client/failure.h"
#include "vcsp/documents.h"

namespace quire::client {
namespace {

using base::Result;

constexpr int redirects_max = 5;
constexpr std::size_t document_bytes_max = 256UL << 20U;

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

}  // namespace

base::Error vcsp_failure(const std::string& url, int status) {
  switch (status) {
    case 401:
    case 403:
      return not_signed_in(url + " wants another password (status " + std::to_string(status) +
                           "); give the library's with --password-stdin or --password-file");
    case 404:
    case 410:
      return not_found("there is nothing at " + url + " (status " + std::to_string(status) + ")");
    default:
      return content_refused(url + " answers with status " + std::to_string(status));
  }
}

VcspSource::VcspSource(Transport& transport, std::string url, std::string password)
    : http_(transport), url_(std::move(url)), origin_(origin_of(url_)), password_(std::move(password)) {}

Result<HttpResponse> VcspSource::ask(HttpRequest request, bool with_password) {
  for (int redirects = 0;; ++redirects) {
    if (origin_of(request.url) != origin_)
      return content_refused("the library at " + url_ + " leads to another server: " + request.url);
    if (with_password && has_password()) {
      request.user = vcsp::user_name;
      request.password = password_;
    }
    QUIRE_ASSIGN_OR_RETURN(auto answer, http_.send(request));
    const auto place = answer.find("location");
    if (!is_redirect(answer.status) || !place || redirects == redirects_max) return answer;
    request.url = base::resolve_reference(request.url, *place);
  }
}

Result<std::string> VcspSource::document(const std::string& url) {
  std::string text;
  HttpRequest request;
  request.url = url;
  request.sink = [&](const HttpHead&, std::span<const char> bytes) -> Result<void> {
    if (text.size() + bytes.size() > document_bytes_max) return content_refused(url + " is too long");
    text.append(bytes.data(), bytes.size());
    return {};
  };
  QUIRE_ASSIGN_OR_RETURN(const auto answer, ask(std::move(request)));
  if (answer.status != 200) return vcsp_failure(url, answer.status);
  return text;
}

Result<void> VcspSource::file(const std::vector<std::string>& places, const BodySink& sink) {
  base::Error failure = not_found("a file has no address");
  for (const auto& place : places) {
    HttpRequest request;
    request.url = place;
    request.sink = sink;
    QUIRE_ASSIGN_OR_RETURN(const auto answer, ask(std::move(request)));
    if (answer.status == 200) return {};
    failure = vcsp_failure(place, answer.status);
    if (answer.status != 404) break;
  }
  return failure;
}

}  // namespace quire::client
