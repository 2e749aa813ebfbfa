#include "service/sources.h"

#include "base/uri.h"

namespace quire::service {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;
using content::SourceEndpoint;

Error no_fetcher() {
  return {ErrorKind::unsupported, "quire.update_session.pull_unsupported",
          "This server does not fetch files by itself; add files with source_type PUSH and send their bytes."};
}

SourceEndpoint without_empty(SourceEndpoint source) {
  if (source.ssl_certificate && source.ssl_certificate->empty()) source.ssl_certificate.reset();
  if (source.ssl_certificate_thumbprint && source.ssl_certificate_thumbprint->empty())
    source.ssl_certificate_thumbprint.reset();
  return source;
}

bool is_web(std::string_view uri) {
  const auto scheme = base::uri_scheme(uri);
  return scheme == "http" || scheme == "https";
}

bool reads_storage(std::string_view uri) {
  const auto scheme = base::uri_scheme(uri);
  return scheme == "file" || scheme == "ds";
}

}  // namespace

content::FetchRequest fetch_request(const SourceEndpoint& source) {
  return {source.uri, 0, "", {source.ssl_certificate, source.ssl_certificate_thumbprint}};
}

Result<content::FetchOutcome> Sources::probe(const SourceEndpoint& source) {
  if (context_.fetcher == nullptr) return no_fetcher();
  if (is_web(source.uri)) return context_.fetcher->probe(fetch_request(without_empty(source)));
  content::FetchOutcome outcome;
  outcome.failure = content::FetchFailure::unusable_url;
  outcome.reason = base::make_message("com.vmware.vdcs.cls-main.file_probe_unsupported_uri_scheme",
                                      "{uri} cannot be probed; only http and https URLs can.",
                                      {{"uri", base::uri_for_people(source.uri)}});
  return outcome;
}

Result<SourceEndpoint> Sources::accept(const content::Caller& caller, SourceEndpoint source) const {
  if (context_.fetcher == nullptr) return no_fetcher();
  if (reads_storage(source.uri) && !caller.administrator)
    return Error(ErrorKind::unauthorized, "quire.update_session.read_storage_needed",
                 "Pulling from {uri} needs the privilege ContentLibrary.ReadStorage, which {user} does not have.",
                 {{"uri", base::uri_for_people(source.uri)}, {"user", caller.user}});
  source = without_empty(std::move(source));
  if (auto checked = context_.fetcher->check(fetch_request(source)); !checked) return checked.error();
  return source;
}

}  // namespace quire::service
