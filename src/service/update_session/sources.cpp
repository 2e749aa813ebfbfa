#include "service/update_session/sources.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "base/file_name.h"
#include "service/transaction/find.h"

namespace quire::service {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;
using content::SessionFile;
using content::SourceEndpoint;
using content::SourceType;

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

/// The places where the file may lie that `href` of a descriptor means, the likeliest first.
std::vector<content::SourceUrl> places_of(std::string_view href, const SourceEndpoint& descriptor) {
  const auto& given = descriptor.uri;
  const std::string name = base::decoded_file_name(href).value_or(std::string(href));
  std::vector<content::SourceUrl> places;
  const auto add = [&](content::SourceUrl place) {
    if (std::find(places.begin(), places.end(), place) == places.end()) places.push_back(std::move(place));
  };
  if (given.is_file()) {
    add(given.sibling(href));
    add(given.sibling(name));
    return places;
  }
  const auto base = descriptor.read_from.empty() ? given : descriptor.read_from.with_credentials_of(given);
  for (const auto& from : {base, given}) add(from.resolve(href));
  if (href.find('?') != std::string_view::npos)
    for (const auto& from : {base, given}) add(from.sibling(name));
  return places;
}

}  // namespace

content::FetchRequest fetch_request(const SourceEndpoint& source) {
  return {source.uri, 0, "", {source.ssl_certificate, source.ssl_certificate_thumbprint}};
}

Result<content::FetchOutcome> Sources::probe(const SourceEndpoint& source) {
  if (context_.fetcher == nullptr) return no_fetcher();
  if (source.uri.is_web()) return context_.fetcher->probe(fetch_request(without_empty(source)));
  content::FetchOutcome outcome;
  outcome.failure = content::FetchFailure::unusable_url;
  outcome.reason =
      base::make_message("com.vmware.vdcs.cls-main.file_probe_unsupported_uri_scheme",
                         "{uri} cannot be probed; only http and https URLs can.", {{"uri", source.uri.shown()}});
  return outcome;
}

Result<SourceEndpoint> Sources::accept(const content::Caller& caller, const content::Item& item,
                                       SourceEndpoint source) const {
  if (context_.fetcher == nullptr) return no_fetcher();
  if (source.uri.is_file())
    QUIRE_RETURN_IF_ERROR(check_privilege(caller, item, content::Privilege::ContentLibrary_ReadStorage));
  source = without_empty(std::move(source));
  QUIRE_RETURN_IF_ERROR(context_.fetcher->check(fetch_request(source)));
  return source;
}

std::vector<SessionFile> referenced_pulls(const SessionFile& descriptor, const std::vector<SessionFile>& others,
                                          base::IdentitySource& identities) {
  std::vector<SessionFile> pulls;
  const auto* facts = std::get_if<content::DescriptorFacts>(&descriptor.facts);
  if (descriptor.source_type != SourceType::PULL || facts == nullptr) return pulls;
  for (const auto& [href, size] : facts->expected_files) {
    const auto decoded = base::decoded_file_name(href);
    const auto is_meant = [&, &name = href](const SessionFile& file) {
      return file.source_type != SourceType::NONE && (file.name == name || file.name == decoded);
    };
    if (std::any_of(others.begin(), others.end(), is_meant) || std::any_of(pulls.begin(), pulls.end(), is_meant))
      continue;
    auto places = places_of(href, *descriptor.source_endpoint);
    SessionFile file;
    file.name = decoded.value_or(href);
    file.source_type = SourceType::PULL;
    file.source_endpoint = descriptor.source_endpoint;
    file.source_endpoint->uri = std::move(places.front());
    file.source_endpoint->read_from = {};
    file.source_endpoint->alternatives.assign(std::next(places.begin()), places.end());
    file.status = content::TransferStatus::WAITING_FOR_TRANSFER;
    file.upload_token = content::TransferToken(identities.secret());
    pulls.push_back(std::move(file));
  }
  return pulls;
}

}  // namespace quire::service
