#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/file_name.h"
#include "base/uri.h"

using namespace quire::base;

/// A name that may be used harms nobody who decodes it, however often, and an href made of it stays below its base.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view name(reinterpret_cast<const char*>(data), size);
  QUIRE_CHECK(uri_scheme(resolve_reference("https://host/a/b/vm.ovf", name)) != "");
  if (file_name_problem(name)) return 0;
  for (std::optional<std::string> decoded = std::string(name); decoded; decoded = decoded_file_name(*decoded)) {
    QUIRE_CHECK(check_file_name(*decoded));
    if (const auto next = percent_decode(*decoded)) QUIRE_CHECK(check_file_name(*next));
  }
  QUIRE_CHECK(resolve_reference("https://host/a/b/vm.ovf", relative_reference(name)).starts_with("https://host/a/b/"));
  return 0;
}
