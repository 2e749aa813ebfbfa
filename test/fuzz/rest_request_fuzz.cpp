#include <boost/json/value.hpp>

#include "fuzz/request_mutation.h"
#include "fuzz/wire_server.h"
#include "wire/codec/json_text.h"

using namespace quire;

namespace {

/// Kinds of errors that new REST answers with 500 by contract (content-library-api.md §1.8.1).
bool may_be_500(const boost::json::value& body) {
  const auto* object = body.if_object();
  const auto* type = object ? object->if_contains("error_type") : nullptr;
  return type && (*type == "RESOURCE_BUSY" || *type == "UNABLE_TO_ALLOCATE_RESOURCE");
}

void check_answer(const wire::Request& request, const wire::Response& response) {
  fuzz::check_headers(response);
  QUIRE_CHECK(response.status >= 200 && response.status < 600);
  if (request.method == "HEAD") {
    QUIRE_CHECK(response.body.empty());
    return;
  }
  if (response.stream) {  // its body comes piece by piece (wire/events/event_streams.h)
    QUIRE_CHECK(response.headers.find("Content-Type") == "text/event-stream");
    return;
  }
  if (response.body.empty()) {
    QUIRE_CHECK(response.status < 300 && !response.headers.contains("Content-Type"));
    return;
  }
  QUIRE_CHECK(response.headers.find("Content-Type") == "application/json");
  const auto body = wire::parse_json(response.body, wire::json_rpc_depth_max);
  QUIRE_CHECK(body);
  QUIRE_CHECK(response.status < 500 || may_be_500(*body));
}

}  // namespace

/// The input is a request to either REST form; see RequestText and WireServer.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static fuzz::WireServer server;
  const auto text = fuzz::RequestText::of({reinterpret_cast<const char*>(data), size});
  server.with_request(text, [&](const wire::Request& request) {
    if (request.target.starts_with("/api/") || request.target.starts_with("/rest/"))
      check_answer(request, server.handle(request));
  });
  return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned seed) {
  return fuzz::mutate_request(data, size, max_size, seed, fuzz::mutate_json_text);
}
