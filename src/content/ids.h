#pragma once

#include "base/id.h"

namespace quire::content {

using LibraryId = base::Id<struct LibraryTag>;
using ItemId = base::Id<struct ItemTag>;
using ContentId = base::Id<struct ContentTag>;  ///< one immutable set of files that an item points to
using BlobId = base::Id<struct BlobTag>;        ///< names bytes in a blob store; never used twice
using StorageId = base::Id<struct StorageTag>;  ///< managed object id of the datastore, `datastore-11`
using UpdateSessionId = base::Id<struct UpdateSessionTag>;
using DownloadSessionId = base::Id<struct DownloadSessionTag>;
using TaskId = base::Id<struct TaskTag>;
using TagCategoryId = base::Id<struct TagCategoryTag>;  ///< `urn:vmomi:InventoryServiceCategory:<uuid>:GLOBAL`
using TagId = base::Id<struct TagTag>;                  ///< `urn:vmomi:InventoryServiceTag:<uuid>:GLOBAL`
using UsageId = base::Id<struct UsageTag>;
using WebhookId = base::Id<struct WebhookTag>;
using SubscriptionId = base::Id<struct SubscriptionTag>;
using TransferToken = base::Id<struct TransferTokenTag>;  ///< the secret in an upload or download endpoint
using GroupId = base::Id<struct GroupTag>;                ///< its name without regard to case, see group_id()
using LoginId = base::Id<struct LoginTag>;  ///< SHA-256 of a session token; the token itself is not stored

}  // namespace quire::content
