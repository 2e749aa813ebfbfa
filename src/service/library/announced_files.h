#pragma once

#include <vector>

#include "service/transaction/transaction.h"

namespace quire::service {

/// The files of an item that is not cached, as its publisher names them: each without a blob and with size 0
/// (content-library-api.md §18, §23.9). None for any other item.
std::vector<content::ContentFile> announced_files(View view, const content::Item& item);

}  // namespace quire::service
