#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/check.h"
#include "base/file_name.h"
#include "formats/certificate.h"

using quire::base::check_file_name;
using quire::formats::parse_package_certificate;
using quire::formats::parse_trusted_certificates;
using quire::formats::verify_package_signature;

/// What is parsed keeps its promises, and can be judged against itself as a trust store without harm.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  const auto trusted = parse_trusted_certificates({reinterpret_cast<const char*>(data), size});
  const auto signature = parse_package_certificate(bytes);
  if (!signature) return 0;
  QUIRE_CHECK(check_file_name(signature->manifest_name));
  QUIRE_CHECK(!signature->certificates.empty() &&
              signature->certificates.size() <= quire::formats::max_package_certificates);
  const auto verdict = verify_package_signature(*signature, bytes, trusted ? *trusted : std::vector<std::string>(),
                                                quire::base::Time(std::chrono::seconds(1'700'000'000)));
  QUIRE_CHECK(verdict.cert_chain.size() == signature->certificates.size());
  QUIRE_CHECK(!verdict.trusted || trusted);
  return 0;
}
