#pragma once

#include "base/result.h"
#include "content/catalog.h"

/// What a call names by its identifier, or NotFound. Inside a transaction.
namespace quire::service {

base::Error item_not_found(const content::ItemId& id);
base::Result<content::Item> find_item(content::CatalogReader& reader, const content::ItemId& id);
base::Result<content::Library> find_library(content::CatalogReader& reader, const content::LibraryId& id);

}  // namespace quire::service
