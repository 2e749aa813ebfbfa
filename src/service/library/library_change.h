#pragma once

#include <optional>
#include <string>
#include <vector>

#include "service/library/libraries.h"
#include "service/transaction/transaction.h"

/// What all that makes, changes or removes libraries of either type shares. Not for the layers above.
namespace quire::service {

/// Name, description and policy. InvalidArgument.
base::Result<void> check_values(const LibrarySpec& spec, const content::Limits& limits);

/// The library with what `spec` changes of the properties that all types share; the row stays as it is. An Error of
/// kind `stale_version` for a version that is not current (content-library-api.md §4.1, §5, §6).
base::Result<content::Library> changed_by(const LibrarySpec& spec, const content::Library& library,
                                          base::ErrorKind stale_version);

/// Writes `changed`, a new version of the library that tells of itself by an event with the further `details`, unless
/// it is what is there. Its items are judged by a policy that is new.
void write_change(Transaction& t, const content::Library& before, content::Library changed, EventDetails details = {});

/// Removes the library with its items and all that belongs to it; its synchronizations are asked to stop.
void remove_with_items(Transaction& t, const content::Library& library);

/// A new library as `spec` describes it, without a row.
content::Library new_library(const Transaction& t, const LibrarySpec& spec);

/// Of what a client asks for with any type of library.
std::vector<std::optional<std::string>> digested_parts(const LibrarySpec& spec);

std::vector<content::ItemId> items_of(View view, const content::LibraryId& library);

}  // namespace quire::service
