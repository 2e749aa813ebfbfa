#include "service/library/usages.h"

#include <algorithm>

#include "content/resource_urn.h"
#include "service/transaction/events.h"
#include "service/transaction/find.h"

namespace quire::service {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;
using content::Caller;
using content::LibraryId;
using content::LibraryUsage;
using content::Privilege;
using content::UsageId;

Result<LibraryUsage> find_usage(View view, const LibraryId& library, const UsageId& id) {
  if (auto usage = view->find<LibraryUsage>({library, id.text()})) return *std::move(usage);
  return Error(ErrorKind::not_found, "quire.library.usage_not_found",
               "Library {library_id} has no usage with the identifier {usage}.",
               {{"library_id", library.text()}, {"usage", id.text()}});
}

}  // namespace

Result<std::vector<LibraryUsage>> Usages::list(const Caller& caller, const LibraryId& library) {
  return read(context_, caller, [&](View view) -> Result<std::vector<LibraryUsage>> {
    QUIRE_RETURN_IF_ERROR(find_library(view, library, Privilege::System_Read));
    return view->list<LibraryUsage>(library);
  });
}

Result<LibraryUsage> Usages::get(const Caller& caller, const LibraryId& library, const UsageId& id) {
  return read(context_, caller, [&](View view) -> Result<LibraryUsage> {
    QUIRE_RETURN_IF_ERROR(find_library(view, library, Privilege::System_Read));
    return find_usage(view, library, id);
  });
}

Result<UsageId> Usages::add(const Caller& caller, const LibraryId& library_id, const std::string& resource_urn) {
  return write(context_, caller, [&](Transaction& t) -> Result<UsageId> {
    QUIRE_ASSIGN_OR_RETURN(const auto library, find_library(t, library_id, Privilege::ContentLibrary_AddLibraryUsage));
    QUIRE_RETURN_IF_ERROR(content::check_resource_urn(resource_urn));
    const auto usages = t->list<LibraryUsage>(library_id);
    if (std::ranges::find(usages, resource_urn, &LibraryUsage::resource_urn) != usages.end())
      return Error(ErrorKind::already_exists, "quire.library.usage_exists",
                   "{resource_urn} is among the usages of library {name} already.",
                   {{"resource_urn", resource_urn}, {"name", library.name}});
    if (usages.size() >= context_.limits.library_usages_max)
      return Error(ErrorKind::invalid_argument, "quire.library.too_many_usages",
                   "Library {name} has {limit} usages, which is the limit.",
                   {{"name", library.name}, {"limit", static_cast<std::int64_t>(context_.limits.library_usages_max)}});
    QUIRE_RETURN_IF_ERROR(check_room_to_grow(context_));
    const LibraryUsage usage{UsageId(context_.identities.uuid_made_at(t.wall_time())), resource_urn, t.wall_time()};
    t->insert(library_id, usage);
    record(t, content::EventKind::library_usage_added, library,
           {{"usage", usage.id.text()}, {"resource_urn", resource_urn}});
    return usage.id;
  });
}

Result<void> Usages::remove(const Caller& caller, const LibraryId& library_id, const UsageId& id) {
  return write(context_, caller, [&](Transaction& t) -> Result<void> {
    QUIRE_ASSIGN_OR_RETURN(const auto library,
                           find_library(t, library_id, Privilege::ContentLibrary_RemoveLibraryUsage));
    QUIRE_ASSIGN_OR_RETURN(const auto usage, find_usage(t, library_id, id));
    t->remove<LibraryUsage>({library_id, id.text()});
    record(t, content::EventKind::library_usage_removed, library,
           {{"usage", id.text()}, {"resource_urn", usage.resource_urn}});
    return {};
  });
}

}  // namespace quire::service
