// quire_seed: fills a catalog for measurements, through its adapter. The server must not run.
//
//     quire_seed items <catalog.sqlite> <library id> <how many>
//         fills the library; prints the id of the item in the middle
//     quire_seed published <catalog.sqlite> <library id> <how many>
//         the same with items that have a small file each, as a published library shows them
//     quire_seed people <catalog.sqlite> <user> <how many>
//         so many libraries and users, and ten permissions for each; `user` may read every tenth library
#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/sql/sql_catalog.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/identity.h"
#include "content/catalog.h"

namespace quire::bench {
namespace {

constexpr std::int64_t items_per_transaction = 10'000;

/// A file whose bytes the catalog holds, another one for every item.
void give_file(content::CatalogWriter& writer, base::IdentitySource& identities, content::Item& item) {
  constexpr std::size_t text_bytes = 3000;
  auto text = item.name;
  text.resize(text_bytes, '.');
  const auto bytes = std::as_bytes(std::span(text));
  const auto digest = base::digest_of(base::DigestAlgorithm::SHA256, bytes);
  const content::BlobId blob(identities.uuid());
  const auto size = static_cast<std::int64_t>(text.size());
  writer.insert_blob({blob, content::StorageId("datastore-11"), size, digest.hex, true}, bytes);
  content::ContentFile file;
  file.name = "seeded.iso";
  file.since = 2;
  file.checksum = digest;
  file.size = size;
  file.blob = blob;
  item.content = content::ContentId(identities.uuid());
  item.content_version = 2;
  item.size = size;
  writer.insert(content::Content{item.content, item.id, item.content_version, item.creation_time});
  writer.insert(item.content, file);
}

base::Result<content::ItemId> seed(content::Catalog& catalog, const content::LibraryId& library, std::int64_t count,
                                   bool with_files) {
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
        if (with_files) give_file(writer, identities, item);
        writer.insert(item);
        if (number == count / 2) middle = item.id;
      }
      return {};
    });
    if (!filled) return filled.error();
  }
  return middle;
}

content::Library library_of(base::IdentitySource& identities, base::Time now, std::int64_t number) {
  content::Library library;
  library.id = content::LibraryId(identities.uuid());
  library.name = "seeded-" + std::to_string(number);
  library.backing = {content::StorageBackingType::DATASTORE, "datastore-11", std::nullopt};
  library.storage = content::StorageId("datastore-11");
  library.creation_time = now;
  library.last_modified_time = now;
  return library;
}

base::Result<void> seed_people(content::Catalog& catalog, const std::string& reader, std::int64_t count) {
  constexpr std::int64_t permissions_of_user = 10;
  const base::SystemClock clock;
  base::RandomIdentitySource identities;
  const auto set = [](content::CatalogWriter& writer, const std::string& user, const content::LibraryId& library,
                      std::int64_t role) {
    writer.insert(content::Permission{user, content::PrincipalType::USER, library, role});
  };
  return catalog.write([&](content::CatalogWriter& writer) -> base::Result<void> {
    std::vector<content::LibraryId> libraries;
    for (std::int64_t number = 0; number < count; ++number) {
      const auto library = library_of(identities, clock.now(), number);
      writer.insert(library);
      libraries.push_back(library.id);
      if (number % permissions_of_user == 0) set(writer, reader, library.id, content::read_only_role);
    }
    for (std::int64_t number = 0; number < count; ++number) {
      const auto name = "seeded-" + std::to_string(number) + "@vsphere.local";
      writer.insert(content::User{name, "no password fits"});
      for (std::int64_t one = 0; one < permissions_of_user; ++one)
        set(writer, name, libraries[static_cast<std::size_t>((number + one) % count)], content::read_only_role);
    }
    return {};
  });
}

/// What it prints.
base::Result<std::string> fill(content::Catalog& catalog, std::string_view what, const std::string& whose,
                               std::int64_t count) {
  if (what == "people") {
    if (const auto filled = seed_people(catalog, whose, count); !filled) return filled.error();
    return whose;
  }
  const auto middle = seed(catalog, content::LibraryId(whose), count, what == "published");
  if (!middle) return middle.error();
  return middle->text();
}

int run(std::span<char*> arguments) {
  constexpr std::size_t arguments_wanted = 5;
  const std::string_view what = arguments.size() > 1 ? arguments[1] : "";
  if (arguments.size() != arguments_wanted || (what != "items" && what != "published" && what != "people")) {
    std::fputs(
        "quire_seed items|published <catalog.sqlite> <library id> <how many> | people <catalog.sqlite> <user> <how "
        "many>\n",
        stderr);
    return 2;
  }
  const std::string_view digits = arguments[4];
  std::int64_t count = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), count);
  const auto catalog = adapters::sql::open_sqlite_catalog(arguments[2]);
  const auto filled = catalog ? fill(**catalog, what, arguments[3], count) : catalog.error();
  if (!filled) {
    std::fprintf(stderr, "quire_seed: %s %s\n", filled.error().text().c_str(), filled.error().cause().c_str());
    return 1;
  }
  std::puts(filled->c_str());
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
