#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "content/item.h"
#include "content/limits.h"
#include "content/subscription.h"
#include "service/transaction/transaction.h"
#include "vcsp/documents.h"

/// What follows for a library's item from what the publisher says of it. Pure.
namespace quire::service {

/// An item of the publisher that is to have one of its own here.
struct SourceDocument {
  vcsp::Item item;
  std::string text;  ///< of `item`, always written in the same way
};
SourceDocument document_of(vcsp::Item item);
/// Of a text that document_of() made. Internal for any other.
base::Result<vcsp::Item> read_stored(const std::string& text);

/// Why no item can be made of what the publisher has: its names and sizes break the rules of this server
/// (content-library-api.md §28.4). nullopt when one can.
std::optional<base::Message> problem_of(const vcsp::Item& item, const content::Limits& limits);

/// The bytes of the file are still those that were fetched when its item's document had `before` (vcsp.md §6.2).
bool is_same_file(const vcsp::File& before, const vcsp::File& now);
/// The same of all files.
bool are_same_files(const vcsp::Item& before, const vcsp::Item& now);

/// Sets what the publisher says of the item itself; texts that are too long for this server end early. The metadata
/// version is the publisher's, as long as versions grow here.
void set_metadata(content::Item& item, const vcsp::Item& wanted, const content::Limits& limits);
/// set_metadata() has nothing to change.
bool has_metadata(const content::Item& item, const vcsp::Item& wanted, const content::Limits& limits);

/// The content version that the publisher tells.
std::int64_t told_content_version(const vcsp::Item& wanted);
/// That of the item when its content becomes that of `wanted`: the publisher's, as long as versions grow here.
std::int64_t next_content_version(const content::Item& item, const vcsp::Item& wanted);

}  // namespace quire::service
