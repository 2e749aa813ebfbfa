#include "wire/soap/datastore_folder.h"

#include <algorithm>
#include <optional>
#include <string>

#include "base/uri.h"
#include "service/inventory.h"
#include "wire/request/authentication.h"
#include "wire/request/request_target.h"

namespace quire::wire {
namespace {

using base::ErrorKind;

Response text_response(int status, const std::string& text) {
  Response response;
  response.status = status;
  response.headers.add("Content-Type", "text/plain; charset=utf-8");
  response.body = text + "\n";
  return response;
}

Response refusal(const base::Error& error) {
  switch (error.kind()) {
    case ErrorKind::not_found:
      return text_response(404, error.text());
    case ErrorKind::unauthorized:
      return text_response(403, error.text());
    case ErrorKind::unauthenticated:
      return text_response(401, error.text());
    case ErrorKind::service_unavailable:
      return text_response(503, error.text());
    default:
      return text_response(500, error.text());
  }
}

std::string parameter(const RequestTarget& target, std::string_view name) {
  const auto found =
      std::find_if(target.query.begin(), target.query.end(), [&](const auto& each) { return each.name == name; });
  return found == target.query.end() ? "" : found->value;
}

/// `/DC0`, `DC0`, or nothing: there is only one.
bool is_our_datacenter(std::string_view path) {
  while (path.starts_with('/')) path.remove_prefix(1);
  return path.empty() || path == service::datacenter_name;
}

std::string file_path(const RequestTarget& target) {
  std::string path;
  for (std::size_t i = 1; i < target.segments.size(); ++i) path += (i == 1 ? "" : "/") + target.segments[i];
  return path;
}

}  // namespace

Response DatastoreFolder::handle(const Request& request) const {
  if (request.method != "GET") {
    auto response = text_response(405, "Files of datastores can be read only. New content comes by an update session.");
    response.headers.add("Allow", "GET, HEAD");
    return response;
  }
  const auto target = parse_target(request.target);
  if (!target) return text_response(400, target.error().text());
  auto caller = services_.logins.authenticate(identification_of(request.headers).token.value_or(""));
  if (!caller) return refusal(caller.error());
  caller->origin = call_context(request, "folder.get").caller.origin;
  const auto& storages = services_.storages.all();
  const auto storage = std::find_if(storages.begin(), storages.end(),
                                    [&](const auto& each) { return each.name == parameter(*target, "dsName"); });
  if (storage == storages.end() || !is_our_datacenter(parameter(*target, "dcPath")))
    return text_response(404, "There is no such datastore.");
  const auto file = services_.datastore_files.prepare(*caller, storage->id, file_path(*target));
  if (!file) {
    services_.audit.record_if_refused(*caller, file.error());
    return refusal(file.error());
  }
  Response response = text_response(307, "The file is at the place that Location names.");
  response.headers.add("Location",
                       "/cls/data/" + file->token.text() + "/" + base::percent_encode_path(file->file.name));
  return response;
}

}  // namespace quire::wire
