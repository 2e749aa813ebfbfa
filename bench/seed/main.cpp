// quire_seed: fills a library with items for measurements, through the catalog's adapter. The server must not run.
//
//     quire_seed <catalog.sqlite> <library id> <how many>       prints the id of the item in the middle
#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "adapters/sql/sql_catalog.h"
#include "base/clock.h"
#include "base/identity.h"
#include "content/catalog.h"

namespace quire::bench {
namespace {

constexpr std::int64_t items_per_transaction = 10'000;

base::Result<content::ItemId> seed(content::Catalog& catalog, const content::LibraryId& library, std::int64_t count) {
  const base::SystemClock clock;
  base::RandomIdentitySource identities;
  content::ItemId middle;
  for (std::int64_t done = 0; done < count; done += items_per_transaction) {
    const auto filled = catalog.write([&](content::CatalogWriter& writer) -> base::Result<void> {
      const auto end = std::min(done + items_per_transaction, count);
      for (auto number = done; number < end; ++number) {
        content::Item item;
        item.id = content::ItemId(identities.uuid());
        item.library_id = library;
        item.name = "seeded-" + std::to_string(number);
        item.type = "iso";
        item.creation_time = clock.now();
        item.last_modified_time = item.creation_time;
        writer.insert(item);
        if (number == count / 2) middle = item.id;
      }
      return {};
    });
    if (!filled) return filled.error();
  }
  return middle;
}

int run(std::span<char*> arguments) {
  constexpr std::size_t arguments_wanted = 4;
  if (arguments.size() != arguments_wanted) {
    std::fputs("quire_seed <catalog.sqlite> <library id> <how many>\n", stderr);
    return 2;
  }
  const std::string_view digits = arguments[3];
  std::int64_t count = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), count);
  const auto catalog = adapters::sql::open_sqlite_catalog(arguments[1]);
  if (!catalog) {
    std::fprintf(stderr, "quire_seed: %s %s\n", catalog.error().text().c_str(), catalog.error().cause().c_str());
    return 1;
  }
  const auto middle = seed(**catalog, content::LibraryId(arguments[2]), count);
  if (!middle) {
    std::fprintf(stderr, "quire_seed: %s %s\n", middle.error().text().c_str(), middle.error().cause().c_str());
    return 1;
  }
  std::puts(middle->text().c_str());
  return 0;
}

}  // namespace
}  // namespace quire::bench

int main(int argc, char** argv) {
  try {
    return quire::bench::run({argv, static_cast<std::size_t>(argc)});
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "quire_seed: %s\n", failure.what());
    return 1;
  }
}
