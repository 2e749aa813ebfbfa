#include "service/library/item_content.h"

#include <utility>

#include "content/download_session.h"
#include "content/security_policy.h"
#include "service/session/session_access.h"
#include "service/transaction/events.h"

namespace quire::service {
namespace {

using content::ContentId;

/// A copy keeps the content version that brought it. Of two with one name and version, but different bytes, the item
/// had removed the file in between.
std::int64_t since(const std::vector<content::ContentFile>& old, const content::ContentFile& file,
                   std::int64_t content_version) {
  for (const auto& before : old)
    if (before.name == file.name && before.version == file.version && before.blob == file.blob) return before.since;
  return content_version;
}

/// Subscribers that have read the index before go on with what it told them (decision 20).
void keep_for_subscribers(Transaction& t, const content::Item& replaced) {
  auto& context = t.context();
  content::DownloadSession session;
  session.id = content::DownloadSessionId(context.identities.uuid_made_at(t.wall_time()));
  session.item_id = replaced.id;
  session.item_content_version = replaced.content_version;
  session.content = replaced.content;
  session.creator = content::publication_user;
  session.token = content::TransferToken(context.identities.secret());
  session.created = t.now();
  session.expires_at = extended(session.created, session.created, context.settings.replaced_content_retention);
  t->insert(session);
  record(t, content::EventKind::download_session_created, session);
}

/// The item's new files are stored; its row is still to be written.
void set_content(Transaction& t, content::Item& item, const std::optional<content::Library>& library,
                 const std::vector<content::ContentFile>& old_files, const ContentChange& change) {
  item.content = change.files.empty() ? ContentId() : ContentId(t.context().identities.uuid_made_at(t.wall_time()));
  item.content_version = change.content_version.value_or(item.content_version + 1);
  item.cached = true;
  item.last_modified_time = t.wall_time();
  item.certificate_verification = change.certificate_verification;
  item.size = 0;
  item.reserved = 0;
  for (const auto& file : change.files) item.size += file.size;
  if (!item.content.empty()) {
    t->insert(content::Content{item.content, item.id, item.content_version, t.wall_time()});
    for (auto file : change.files) {
      file.since = since(old_files, file, item.content_version);
      t->insert(item.content, file);
    }
  }
  if (library) content::apply_policy(*library, item);
}

/// `again`: the item's history has the version already.
void tell_of_change(Transaction& t, const content::Item& item, const ContentChange& change, bool again) {
  if (!again) t->insert(item.id, content::Change{item.content_version, t.wall_time(), change.user});
  record(t, content::EventKind::item_content_changed, item,
         {{"content_version", item.content_version}, {"files", static_cast<std::int64_t>(change.files.size())}});
}

}  // namespace

std::vector<content::ContentFile> files_of(View view, const content::Item& item) {
  return item.content.empty() ? std::vector<content::ContentFile>() : view->list<content::ContentFile>(item.content);
}

void change_content(Transaction& t, content::Item item, const ContentChange& change) {
  const content::Item before = item;
  const auto library = t->find<content::Library>(item.library_id);
  set_content(t, item, library, files_of(t, before), change);
  t->update(item);
  const bool again = change.content_version && t->find<content::Change>({item.id, item.content_version});
  tell_of_change(t, item, change, again);
  if (library && library->published && !before.content.empty()) keep_for_subscribers(t, before);
  t.release(before.content);
}

void create_with_content(Transaction& t, content::Item item, const ContentChange& change) {
  set_content(t, item, t->find<content::Library>(item.library_id), {}, change);
  t->insert(item);
  record(t, content::EventKind::item_created, item, {{"name", item.name}});
  tell_of_change(t, item, change, false);
}

void evict_content(Transaction& t, content::Item item) {
  const auto content = std::exchange(item.content, ContentId());
  item.cached = false;
  item.size = 0;
  t->update(item);
  record(t, content::EventKind::item_evicted, item, {{"name", item.name}});
  t.release(content);
}

}  // namespace quire::service
