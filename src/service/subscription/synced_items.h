#pragma once

#include <optional>
#include <string>
#include <vector>

#include "service/subscription/source_item_rules.h"
#include "service/transaction/transaction.h"

/// The items of a subscribed library as changes of the catalog make them. At no moment are there two items of one name,
/// none is lost, and each has one committed content of the publisher's.
namespace quire::service {

/// The subscribed library that a synchronization began with, if it still has that publisher. NotFound; Canceled when it
/// is told to follow another one meanwhile; NotAllowedInCurrentState in maintenance.
base::Result<content::Library> find_synced_library(View view, const content::LibraryId& id,
                                                   const content::SourceUrl& url);

/// What the publisher says now of an item that is here. The item itself changes when its content has come, or by
/// apply_document(); what is not cached has the content version of what it is to have.
void store_document(Transaction& t, const content::ItemId& item, const SourceDocument& document);

/// The item becomes what its stored document says, but for the content: what there is stays while the document has the
/// same files; of a library on demand it goes when it is another one's. AlreadyExists: its name is another item's,
/// which is to keep it; nothing has changed then.
base::Result<void> apply_document(Transaction& t, const content::Library& library, const content::ItemId& item);

/// A new item without content. AlreadyExists as apply_document().
base::Result<content::ItemId> create_item(Transaction& t, const content::Library& library,
                                          const SourceDocument& document);

/// What an item gets with its content.
struct SyncedContent {
  static constexpr std::int64_t new_copy = 0;
  std::vector<content::ContentFile> files;  ///< with version `new_copy` where the item has not had these bytes
  std::optional<content::CertificateVerification> certificate_verification;
};
/// The item, a new one when there is none with that `source_id`, becomes what `document` says, content and all, in one
/// change. AlreadyExists as apply_document().
base::Result<void> apply_content(Transaction& t, const content::Library& library, const SourceDocument& document,
                                 SyncedContent content);

/// The item of the library that was made from the publisher's item.
std::optional<content::Item> find_by_source(View view, const content::LibraryId& library, const std::string& source_id);

/// Why the item's content, which the publisher's document tells of, is not here.
void store_problem(Transaction& t, const content::ItemId& item, const base::Message& problem);

}  // namespace quire::service
