#include "service/library/item_content.h"

#include "content/security_policy.h"
#include "service/transaction/events.h"

namespace quire::service {

using content::ContentId;

std::vector<content::ContentFile> files_of(View view, const content::Item& item) {
  return item.content.empty() ? std::vector<content::ContentFile>() : view->list<content::ContentFile>(item.content);
}

void change_content(Transaction& t, content::Item item, const ContentChange& change) {
  const ContentId old = item.content;
  item.content = change.files.empty() ? ContentId() : ContentId(t.context().identities.uuid_made_at(t.wall_time()));
  ++item.content_version;
  item.last_modified_time = t.wall_time();
  item.certificate_verification = change.certificate_verification;
  item.size = 0;
  for (const auto& file : change.files) item.size += file.size;
  if (!item.content.empty()) {
    t->insert(content::Content{item.content, item.id, item.content_version, t.wall_time()});
    for (const auto& file : change.files) t->insert(item.content, file);
  }
  if (const auto library = t->find<content::Library>(item.library_id)) content::apply_policy(*library, item);
  t->update(item);
  t->insert(item.id, content::Change{item.content_version, t.wall_time(), change.user});
  record(t, content::EventKind::item_content_changed, item,
         {{"content_version", item.content_version}, {"files", static_cast<std::int64_t>(change.files.size())}});
  t.release(old);
}

}  // namespace quire::service
