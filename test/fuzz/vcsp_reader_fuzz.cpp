#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "vcsp/reader.h"

using namespace quire;

namespace {

void check(vcsp::Item item) {
  for (const auto& file : item.files) {
    QUIRE_CHECK(!file.name.empty() && file.name.find('/') == std::string::npos && file.name != "..");
    QUIRE_CHECK(file.size >= 0 && !file.hrefs.empty());
    for (const auto& href : file.hrefs)
      QUIRE_CHECK(!vcsp::resolve_href("https://host/lib.json", item.self_href, href).empty());
  }
  if (!item.created) item.created = base::Time();
  const auto again = vcsp::read_item(vcsp::write_item(item));
  QUIRE_CHECK(again && *again == item);
}

/// Item by item it is the same as at once, where it can be read at once.
void check_items(std::string_view text) {
  std::vector<vcsp::Item> taken;
  std::size_t refused = 0;
  const auto version = vcsp::read_items(
      text, [&](vcsp::Item&& item) { taken.push_back(std::move(item)); },
      [&](vcsp::UnusableItem&& item) {
        constexpr std::size_t name_bytes_max = 4 * 80;
        QUIRE_CHECK(item.name.size() <= name_bytes_max);
        ++refused;
      });
  if (!version) QUIRE_CHECK(taken.empty() && refused == 0);
  if (const auto index = vcsp::read_index(text))
    QUIRE_CHECK(version && *version == index->version && taken == index->items && refused == 0);
  for (const auto& item : taken) check(item);
}

}  // namespace

/// Whatever is read can be written, and is the same when that is read.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  vcsp::Remarks remarks;
  if (auto library = vcsp::read_library(text, &remarks)) {
    if (!library->created) library->created = base::Time();
    const auto again = vcsp::read_library(vcsp::write_library(*library));
    QUIRE_CHECK(again && *again == *library);
  }
  if (const auto index = vcsp::read_index(text, &remarks))
    for (const auto& item : index->items) check(item);
  if (const auto item = vcsp::read_item(text, &remarks)) check(*item);
  check_items(text);
  return 0;
}
