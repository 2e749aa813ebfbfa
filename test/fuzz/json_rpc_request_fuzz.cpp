#include <boost/json/value.hpp>

#include "base/error.h"
#include "fuzz/request_mutation.h"
#include "fuzz/wire_server.h"
#include "wire/codec/error_table.h"
#include "wire/codec/json_text.h"

using namespace quire;

namespace {

void check_answer(const wire::Response& response) {
  fuzz::check_headers(response);
  QUIRE_CHECK(response.status == 200);
  QUIRE_CHECK(response.headers.find("Content-Type") == "application/json");
  const auto body = wire::parse_json(response.body, wire::json_rpc_depth_max);
  QUIRE_CHECK(body && body->is_object());
  const auto& envelope = body->get_object();
  QUIRE_CHECK(envelope.size() == 3 && envelope.at("jsonrpc") == "2.0" && envelope.contains("id"));
  if (const auto* error = envelope.if_contains("error")) {
    QUIRE_CHECK(error->at("code").as_int64() != -32603);  // internal error
    QUIRE_CHECK(error->at("message").is_string());
    return;
  }
  const auto& result = envelope.at("result").as_object();
  QUIRE_CHECK(result.size() == 1 && result.contains(response.headers.contains("vapi-error") ? "error" : "output"));
  for (const auto kind : {base::ErrorKind::internal_server_error, base::ErrorKind::service_unavailable})
    QUIRE_CHECK(response.headers.find("vapi-error") != wire::canonical_error_name(kind));
}

}  // namespace

/// The input is a request to `/api`; see RequestText and WireServer.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static fuzz::WireServer server;
  const auto text = fuzz::RequestText::of({reinterpret_cast<const char*>(data), size});
  server.with_request(text, [&](const wire::Request& request) {
    if (request.method == "POST" && request.target == "/api") check_answer(server.handle(request));
  });
  return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned seed) {
  return fuzz::mutate_request(data, size, max_size, seed, fuzz::mutate_json_text);
}
