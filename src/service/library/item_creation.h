#pragma once

#include <string>

#include "service/library/items.h"
#include "service/transaction/transaction.h"

/// What all that makes or changes items shares. Not for the layers above.
namespace quire::service {

base::Result<void> check_texts(const ItemSpec& spec, const content::Limits& limits);
base::Error missing_member(const std::string& member);
base::Error name_taken(const std::string& name, const content::Library& library);
/// InvalidElementType: items of a subscribed library change only through the publisher (content-library-api.md §11.1).
base::Result<void> check_local(const content::Library& library);

/// The library that an item of that name is to be made in, if it may be.
base::Result<content::Library> find_destination(View view, const content::LibraryId& id, const std::string& name);

/// Of all that a client asks for; `source`: of a copy.
std::string digest_of(const ItemSpec& spec, const std::string& source);

content::Item new_item(const Transaction& t, const content::LibraryId& library);

}  // namespace quire::service
