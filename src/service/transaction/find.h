#pragma once

#include "service/transaction/transaction.h"

/// What a call names by its identifier, or NotFound. Inside a transaction.
namespace quire::service {

base::Error item_not_found(const content::ItemId& id);
base::Result<content::Item> find_item(View view, const content::ItemId& id);
base::Result<content::Library> find_library(View view, const content::LibraryId& id);

}  // namespace quire::service
