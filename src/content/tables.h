#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "content/access.h"
#include "content/download_session.h"
#include "content/event.h"
#include "content/item.h"
#include "content/library.h"
#include "content/quota.h"
#include "content/setting.h"
#include "content/subscription.h"
#include "content/tagging.h"
#include "content/task.h"
#include "content/trusted_certificate.h"
#include "content/update_session.h"
#include "content/webhook.h"

/// The tables of the catalog: what a row of each is and what finds it. Plain access to rows (`CatalogReader::find`,
/// `CatalogWriter::insert` and its like) follows from this list.
namespace quire::content {

/// A table whose rows are values of RowType, each found by a key of type KeyType.
template <class RowType, class KeyType>
struct Table {
  using Row = RowType;
  using Key = KeyType;
};

/// Finds a row that is part of something. Looks at what it is made of, so it is used in the call only.
template <class OwnerType, class NameType>
struct PartKey {
  using Owner = OwnerType;
  const Owner& owner;
  NameType name;
};

/// A table of rows that are parts of an owner, which the rows themselves do not name. They are listed in the order in
/// which they were added, and go with their owner.
template <class RowType, class OwnerType, class NameType = std::string_view>
using Part = Table<RowType, PartKey<OwnerType, NameType>>;

struct ClientTokenKey {
  std::string_view user;
  std::string_view operation;
  std::string_view token;
};

template <class... Tables>
struct TableList : Tables... {
  template <class... More>
  using With = TableList<Tables..., More...>;
  template <template <class Row> class Request>
  using AnyOf = std::variant<Request<typename Tables::Row>...>;
};

using Parts = TableList<Part<LibraryUsage, LibraryId>,       // by its id
                        Part<ContentFile, ContentId>,        //
                        Part<Change, ItemId, std::int64_t>,  // by the content version that it made
                        Part<GroupMember, GroupId>,          //
                        Part<SessionFile, UpdateSessionId>,  //
                        Part<PreparedFile, DownloadSessionId>, Part<TaskBlob, TaskId>,
                        Part<WebhookDelivery, WebhookId, std::int64_t>,  // by the event's number
                        Part<LibrarySubscription, LibraryId>>;           // by its id

using Tables =
    Parts::With<Table<Setting, std::string_view>,    // by name
                Table<User, std::string_view>,       // by name, without regard to case
                Table<Group, GroupId>,               //
                Table<Role, std::int64_t>,           // not the system's (role.h)
                Table<Permission, PermissionKey>,    //
                Table<LoginSession, LoginId>,        //
                Table<ClientToken, ClientTokenKey>,  //
                Table<TrustedCertificate, std::string_view>, Table<Library, LibraryId>,  //
                Table<Item, ItemId>,                                                     //
                Table<SourceItem, ItemId>,                                               //
                Table<Content, ContentId>,                                               //
                Table<Blob, BlobId>,                                                     //
                Table<UpdateSession, UpdateSessionId>, Table<DownloadSession, DownloadSessionId>, Table<Task, TaskId>,
                Table<Quota, QuotaOwner>,                                                                      //
                Table<TagCategory, TagCategoryId>, Table<Tag, TagId>, Table<TagAttachment, TagAttachmentKey>,  //
                Table<Webhook, WebhookId>, Table<Event, std::int64_t>>;

template <class Row, class Key>
Key key_type_of(const Table<Row, Key>&);
template <class Row>
using KeyOf = decltype(key_type_of<Row>(Tables()));

/// A row that is part of an owner.
template <class Row>
concept PartRow = requires { typename KeyOf<Row>::Owner; };
template <PartRow Row>
using OwnerOf = typename KeyOf<Row>::Owner;

// What the catalog's adapters are asked: one request for each verb, with a variant for each table. Requests look at
// their caller's values.

template <class Row>
struct FindRow {
  const KeyOf<Row>& key;
  std::optional<Row>& found;
};
template <PartRow Row>
struct ListParts {
  const OwnerOf<Row>& owner;
  std::vector<Row>& found;
};
template <class Row>
struct WriteRow {
  const Row& row;
};
template <PartRow Row>
struct WriteRow<Row> {
  const OwnerOf<Row>& owner;
  const Row& row;
};
template <class Row>
struct RemoveRow {
  const KeyOf<Row>& key;
};

using FindAnyRow = Tables::AnyOf<FindRow>;
using ListAnyParts = Parts::AnyOf<ListParts>;
using WriteAnyRow = Tables::AnyOf<WriteRow>;
using RemoveAnyRow = Tables::AnyOf<RemoveRow>;

}  // namespace quire::content
