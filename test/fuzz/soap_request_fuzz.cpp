#include "fuzz/request_mutation.h"
#include "fuzz/wire_server.h"
#include "wire/request/request_target.h"
#include "wire/soap/soap_facade.h"
#include "wire/soap/soap_xml.h"

using namespace quire;

namespace {

void check_answer(const wire::Response& response) {
  fuzz::check_headers(response);
  if (response.status == 405) return;
  QUIRE_CHECK(response.headers.find("Content-Type") == "text/xml; charset=utf-8");
  const auto root = wire::read_xml(response.body, {.elements_max = 1'000'000});
  QUIRE_CHECK(root);
  if (root->name == "namespaces") return;
  const auto* body = root->child("Body");
  QUIRE_CHECK(root->name == "Envelope" && body != nullptr && body->children.size() == 1);
  const auto& answer = body->children.front();
  if (response.status == 200) {
    QUIRE_CHECK(answer.name.ends_with("Response"));
    return;
  }
  QUIRE_CHECK(response.status == 500 && answer.name == "Fault");
  const auto* detail = answer.child("detail");
  QUIRE_CHECK(detail != nullptr && detail->children.size() == 1);
  QUIRE_CHECK(detail->children.front().name != "SystemErrorFault");
}

}  // namespace

/// The input is a request to the SOAP façade; see RequestText and WireServer. The façade is new for each, since it
/// remembers views. Logins with a wrong password are slow on purpose.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static fuzz::WireServer server;
  const auto text = fuzz::RequestText::of({reinterpret_cast<const char*>(data), size});
  server.with_request(text, [&](const wire::Request& request) {
    if (wire::SoapFacade::owns(wire::path_of(request.target)))
      check_answer(wire::SoapFacade(server.services()).handle(request));
  });
  return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned seed) {
  return fuzz::mutate_request(data, size, max_size, seed, fuzz::mutate_xml_text);
}
