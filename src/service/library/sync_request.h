#pragma once

#include <optional>

#include "service/task/tasks.h"

/// Who needs what a publisher has asks for it here; service/subscription does it, as a task (content-library-api.md §6,
/// §18). Whoever asked, one task does it: asking again while one has not ended returns that one.
namespace quire::service {

inline constexpr auto subscribed_library_service = "com.vmware.content.subscribed_library";
inline constexpr auto subscribed_item_service = "com.vmware.content.library.subscribed_item";
inline constexpr auto sync_operation = "sync";

/// The task that synchronizes this library or item and has not ended.
std::optional<content::Task> active_sync_of(View view, const content::LibraryId& library);
std::optional<content::Task> active_sync_of(View view, const content::ItemId& item);

/// Synchronizes a subscribed library, whose row this changes. NotAllowedInCurrentState in maintenance.
base::Result<content::TaskId> request_library_sync(Transaction& t, const content::Library& library);

/// The same by a task of its own, whatever runs.
base::Result<content::TaskId> begin_library_sync(Transaction& t, const content::Library& library);

/// Synchronizes an item of a subscribed library; with its content where `content` says so or the library is not on
/// demand. NotAllowedInCurrentState in maintenance.
base::Result<content::TaskId> request_item_sync(Transaction& t, const content::Item& item, bool content);

}  // namespace quire::service
