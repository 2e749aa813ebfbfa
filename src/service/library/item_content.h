#pragma once

#include <optional>
#include <string>
#include <vector>

#include "service/transaction/transaction.h"

/// The one place where an item gets other files: whoever changes content goes through here.
namespace quire::service {

/// What an item's content becomes.
struct ContentChange {
  std::vector<content::ContentFile> files;  ///< all of them; their blobs are there
  std::optional<content::CertificateVerification> certificate_verification;
  std::string user;  ///< whose change it is, for the item's history (content-library-api.md §19)
  /// Of the item from now on, for content that another server counts, which may come again after it was evicted; not
  /// less than the item has. Unset: one more.
  std::optional<std::int64_t> content_version = {};
};

/// The item's files; none when it never had content.
std::vector<content::ContentFile> files_of(View view, const content::Item& item);

/// Points the item, whose row is there, to a new set of files: the next content version, its size, its time of change
/// and what is known of its signature, with a record of the change. Bytes that nothing names any more go.
void change_content(Transaction& t, content::Item item, const ContentChange& change);

/// Inserts a new item that has its first content from the start: as change_content() of an item that was just made.
void create_with_content(Transaction& t, content::Item item, const ContentChange& change);

/// The item, whose row is there, keeps what is known of it but no files: they can be had from its publisher
/// (content-library-api.md §18). Bytes that nothing names any more go.
void evict_content(Transaction& t, content::Item item);

}  // namespace quire::service
