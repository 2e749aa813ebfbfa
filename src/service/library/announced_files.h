#pragma once

#include <cstdint>
#include <vector>

#include "service/transaction/transaction.h"

namespace quire::service {

/// The files of an item that is not cached, as its publisher names them: each without a blob and with size 0
/// (content-library-api.md §18, §23.9). None for any other item.
std::vector<content::ContentFile> announced_files(View view, const content::Item& item);

/// The version that files of an item that is not cached get when they come: above all that they have had.
std::int64_t version_to_come(View view, const content::Item& item);

}  // namespace quire::service
