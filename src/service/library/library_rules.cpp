#include "service/library/library_rules.h"

#include "service/transaction/find.h"

namespace quire::service {

base::Result<void> check_in_service(const content::Library& library, base::ErrorKind kind) {
  if (library.state == content::LibraryState::ACTIVE) return {};
  return base::Error(
      kind, "quire.library.in_maintenance",
      "Library {name} is in maintenance, so it and its items cannot be changed; wait until that is over, "
      "or end it with exit_maintenance.",
      {{"name", library.name}});
}

base::Result<content::Library> find_local_library(View view, const content::LibraryId& id,
                                                  content::Privilege privilege) {
  auto library = find_library(view, id, privilege);
  if (!library || library->type == content::LibraryType::LOCAL) return library;
  return base::Error(base::ErrorKind::invalid_element_type, "quire.library.not_local",
                     "Library {name} is a subscribed library; this works on local libraries only.",
                     {{"name", library->name}});
}

base::Result<content::Library> find_subscribed_library(View view, const content::LibraryId& id,
                                                       content::Privilege privilege) {
  auto library = find_library(view, id, privilege);
  if (!library || library->subscription) return library;
  return base::Error(base::ErrorKind::invalid_element_type, "quire.library.not_subscribed",
                     "Library {name} is a local library; this works on subscribed libraries only.",
                     {{"name", library->name}});
}

base::Result<void> check_unused(View view, const content::Library& library) {
  const auto usages = view->list<content::LibraryUsage>(library.id);
  if (usages.empty()) return {};
  return base::Error(
      base::ErrorKind::not_allowed_in_current_state, "quire.library.in_use",
      "Library {name} is used by {resource_urn}, one of {count} usages; remove those first, or delete the "
      "library with force_delete.",
      {{"name", library.name},
       {"resource_urn", usages.front().resource_urn},
       {"count", static_cast<std::int64_t>(usages.size())}});
}

}  // namespace quire::service
