#include "service/publication/publications.h"

#include <algorithm>
#include <limits>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "base/digest.h"
#include "base/hmac.h"
#include "base/identity.h"
#include "base/uri.h"
#include "base/utf8.h"
#include "content/download_session.h"
#include "content/text.h"
#include "service/access/passwords.h"
#include "service/blob/blob_bytes.h"
#include "service/blob/blob_to_send.h"
#include "service/library/item_content.h"
#include "service/library/library_rules.h"
#include "service/library/publishing.h"
#include "service/session/activity_interval.h"
#include "service/session/session_access.h"
#include "service/transaction/refusals.h"
#include "vcsp/documents.h"

namespace quire::service {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;
using content::ContentFile;
using content::ContentId;
using content::DownloadSession;
using content::Item;
using content::ItemId;
using content::LibraryId;

constexpr std::string_view worker = "publication";
/// More events since an index was written than this, and all of it is read anew.
constexpr std::size_t events_followed_max = 2000;
constexpr std::size_t user_agent_bytes_max = 200;
/// What an item costs besides its text.
constexpr std::size_t bytes_per_item = 200;

Error not_published(const LibraryId& id) {
  return {ErrorKind::not_found,
          "quire.publication.not_found",
          "No library {library} is published here.",
          {{"library", id.text()}}};
}

Error nothing_there(std::string_view what) {
  return {ErrorKind::not_found,
          "quire.publication.nothing_there",
          "The published library has no {what} here, or no longer; read its index again.",
          {{"what", std::string(what)}}};
}

PublishedDocument document_of(std::string text) {
  auto digest = base::digest_of(base::DigestAlgorithm::SHA256, std::as_bytes(std::span(text)));
  return {std::make_shared<const std::string>(std::move(text)), std::move(digest.hex)};
}

/// Templates of virtual machines travel in another way (vcsp.md §5.1); a name with a directory in it is none that the
/// format knows.
bool can_be_published(const Item& item, const std::vector<ContentFile>& files) {
  if (files.empty() || content::fold_case(item.type) == "vm-template") return false;
  return std::ranges::none_of(files, [](const auto& file) { return file.name.find('/') != std::string::npos; });
}

std::string address_of(const Item& item) { return base::percent_encode_path(item.id.text()) + '/'; }

vcsp::File describe(View view, const Item& item, const ContentFile& file) {
  vcsp::File described;
  described.name = file.name;
  described.size = file.size;
  described.etag = std::to_string(item.content_version);
  described.generation = file.since;
  described.hrefs = {address_of(item) + 'g' + std::to_string(file.since) + '/' + base::percent_encode_path(file.name)};
  if (const auto blob = view->find<content::Blob>(file.blob)) described.sha256 = blob->sha256;
  return described;
}

/// nullopt when subscribers see nothing of it.
std::optional<std::string> written_item(View view, const Item& item) {
  const auto files = files_of(view, item);
  if (!can_be_published(item, files)) return std::nullopt;
  vcsp::Item described;
  described.id = item.id.text();
  described.name = item.name;
  described.description = item.description;
  // Each moves with its own changes alone, so their sum moves with every one. A new item's first files make it 2.
  described.version = item.metadata_version + item.content_version - 1;
  described.content_version = item.content_version;
  described.metadata_version = item.metadata_version;
  described.created = item.creation_time;
  described.self_href = address_of(item) + std::string(vcsp::item_file);
  std::vector<std::string> names;
  for (const auto& file : files) {
    described.files.push_back(describe(view, item, file));
    names.push_back(file.name);
  }
  described.type = vcsp::type_of(item.type, names);
  return vcsp::write_item(described);
}

/// The content that has this copy of the file: the item's, or one that it had and that is kept.
Result<std::pair<ContentId, ContentFile>> find_copy(View view, const Item& item, std::int64_t since,
                                                    const std::string& name) {
  std::vector<ContentId> contents{item.content};
  for (const auto& id : view->download_sessions(content::publication_user, item.id))
    if (const auto session = view->find<DownloadSession>(id)) contents.push_back(session->content);
  for (const auto& id : contents) {
    if (id.empty()) continue;
    auto file = view->find<ContentFile>({id, name});
    if (file && file->since == since) return std::pair(id, *std::move(file));
  }
  return nothing_there("such file");
}

}  // namespace

vcsp::Library published_library(const content::Library& library) {
  vcsp::Library described;
  described.version = library.generation;
  described.name = library.name;
  described.description = library.description;
  described.id = library.id.text();
  described.created = library.creation_time;
  described.items_href = vcsp::index_file;
  return described;
}

/// A written index, and what it was written from.
struct Publications::Index {
  std::mutex mutex;  ///< held while it is brought up to date: whoever else asks waits for that
  std::int64_t generation = -1;
  content::Library library;  ///< of that generation
  std::int64_t event = 0;    ///< the newest when it was read; what came later tells what has changed
  std::map<ItemId, std::shared_ptr<const std::string>> items;  ///< identifiers are in the order of creation
  PublishedDocument written;
  std::size_t bytes = 0;  ///< of indexes_mutex_
};

struct Publications::News {
  content::Library library;
  std::int64_t event = 0;
  bool all = false;                                                  ///< the items are all that there are
  std::vector<std::pair<ItemId, std::optional<std::string>>> items;  ///< unset: no longer there
};

/// The key is nobody's identifier and is seen nowhere, like the salts of stored passwords: it comes from chance itself.
Publications::Publications(Context& context, LoginThrottle& throttle)
    : context_(context),
      throttle_(throttle),
      password_key_(base::RandomIdentitySource().secret()),
      started_(context.clock.now()) {}

Result<Publications::Library> Publications::find(const LibraryId& id) {
  const auto version = context_.catalog.libraries_version();
  if (version) {
    const std::lock_guard lock(known_mutex_);
    if (known_at_ != version)
      for (auto& [library, known] : known_) known.current = false;
    known_at_ = version;
    if (const auto known = known_.find(id); known != known_.end() && known->second.current)
      return known->second.library;
  }
  QUIRE_ASSIGN_OR_RETURN(auto found, context_.catalog.read([&](content::CatalogReader& reader) -> Result<Library> {
    auto row = reader.find<content::Library>(id);
    if (!row || !row->published) return not_published(id);
    return std::make_shared<const content::Library>(*std::move(row));
  }));
  const std::lock_guard lock(known_mutex_);
  auto& known = known_[id];
  // The document says nothing that changes without the counter.
  if (!known.library || known.library->generation != found->generation) known.document.reset();
  known.library = found;
  known.current = version && known_at_ == version;  // else it may have changed while it was read
  return found;
}

bool Publications::is_password(const content::Library& library, const std::string& password) {
  const auto digest = base::hmac_sha256(password_key_, password);
  {
    const std::lock_guard lock(passwords_mutex_);
    const auto right = right_passwords_.find(library.id);
    if (right != right_passwords_.end() && right->second.hash == library.publish_password_hash &&
        right->second.digest == digest)
      return true;
  }
  if (password.empty() || !is_password_of(library.publish_password_hash, password)) return false;
  const std::lock_guard lock(passwords_mutex_);
  right_passwords_.insert_or_assign(library.id, RightPassword{library.publish_password_hash, digest});
  return true;
}

Result<void> Publications::check_password(const content::Library& library, const Subscriber& who) {
  const Error refused(ErrorKind::unauthenticated, "quire.publication.password_required",
                      "This library is published with a password; the user name is {user}.",
                      {{"user", std::string(vcsp::user_name)}});
  if (!who.user) return refused;
  const auto key = publication_key(library.id);
  QUIRE_RETURN_IF_ERROR(throttle_.check(key, who.address, context_.clock.uptime(), ErrorKind::resource_busy));
  const bool named_right = *who.user == vcsp::user_name || who.user->empty();
  if (named_right && is_password(library, who.password)) {
    throttle_.succeeded(key, who.address);
    return {};
  }
  throttle_.failed(key, who.address, context_.clock.uptime());
  record_refusal(context_,
                 {std::string(vcsp::user_name) + '@' + library.id.text(),
                  content::LoginId(),
                  content::Grants::none(),
                  {},
                  {"com.quire.publication.read", who.address, {}}},
                 refused);
  return refused;
}

void Publications::remember(const content::Library& library, const Subscriber& who, Reads reads) {
  if (context_.limits.publication_readers_max == 0) return;
  const auto name = who.user_agent.empty() ? std::string() : base::displayable(who.user_agent, user_agent_bytes_max);
  const std::lock_guard lock(readers_mutex_);
  auto& readers = readers_[library.id];
  auto known = std::ranges::find_if(readers, [&](const PublicationReader& reader) {
    return reader.address == who.address && reader.user_agent == name;
  });
  if (known == readers.end()) {
    if (readers.size() >= context_.limits.publication_readers_max) readers.pop_back();
    known = readers.insert(readers.end(), PublicationReader{who.address, name, base::Time(), std::nullopt});
  }
  known->last_read = context_.clock.now();
  if (reads == Reads::version) known->version = library.generation;
  std::rotate(readers.begin(), known, std::next(known));
}

Result<PublicationReaders> Publications::readers(const content::Caller& caller, const LibraryId& id) {
  PublicationReaders found{started_, 0, {}};
  QUIRE_ASSIGN_OR_RETURN(found.version, read(context_, caller, [&](View view) -> Result<std::int64_t> {
                           QUIRE_ASSIGN_OR_RETURN(const auto library,
                                                  find_local_library(view, id, content::Privilege::System_Read));
                           QUIRE_RETURN_IF_ERROR(check_published(library));
                           return library.generation;
                         }));
  const std::lock_guard lock(readers_mutex_);
  if (const auto readers = readers_.find(id); readers != readers_.end()) found.readers = readers->second;
  return found;
}

Result<Publications::Library> Publications::enter(const LibraryId& id, const Subscriber& who, Reads reads) {
  QUIRE_ASSIGN_OR_RETURN(auto library, find(id));
  if (library->publish_authentication == content::AuthenticationMethod::BASIC)
    QUIRE_RETURN_IF_ERROR(check_password(*library, who));
  remember(*library, who, reads);
  return library;
}

Result<PublishedDocument> Publications::library_document(const LibraryId& id, const Subscriber& who) {
  QUIRE_ASSIGN_OR_RETURN(const auto library, enter(id, who, Reads::version));
  const auto of_this_generation = [&]() -> Known* {
    const auto known = known_.find(id);
    return known != known_.end() && known->second.library->generation == library->generation ? &known->second : nullptr;
  };
  {
    const std::lock_guard lock(known_mutex_);
    if (const auto* known = of_this_generation(); known != nullptr && known->document) return *known->document;
  }
  auto document = document_of(vcsp::write_library(published_library(*library)));
  const std::lock_guard lock(known_mutex_);
  if (auto* known = of_this_generation()) known->document = document;
  return document;
}

std::shared_ptr<Publications::Index> Publications::index_of(const LibraryId& id) {
  const std::lock_guard lock(indexes_mutex_);
  by_use_.remove(id);
  by_use_.push_front(id);
  auto& index = indexes_[id];
  if (!index) index = std::make_shared<Index>();
  return index;
}

Result<Publications::News> Publications::read_news(const LibraryId& id, const Index& index) {
  const auto caller = system_caller(worker);
  return read(context_, caller, [&](View view) -> Result<News> {
    const auto library = view->find<content::Library>(id);
    if (!library || !library->published) return not_published(id);
    News news;
    news.library = *library;
    const auto newest = view->events_before(std::numeric_limits<std::int64_t>::max(), 1);
    news.event = newest.empty() ? 0 : newest.front().number;
    std::set<ItemId> changed;
    // Events go after a while; without the one that was the newest, some that came after it may have gone too.
    news.all = index.generation < 0 || !view->find<content::Event>(index.event);
    if (!news.all) {
      const auto events = view->events_after(index.event, events_followed_max);
      news.all = events.size() == events_followed_max;
      for (const auto& event : events)
        if (event.library_id == id && !event.item_id.empty()) changed.insert(event.item_id);
    }
    if (news.all) {
      content::ItemFilter filter;
      filter.library_id = id;
      const auto all = view->items(filter);
      changed = std::set<ItemId>(all.begin(), all.end());
    }
    for (const auto& item_id : changed) {
      const auto item = view->find<Item>(item_id);
      news.items.emplace_back(item_id, item ? written_item(view, *item) : std::nullopt);
    }
    return news;
  });
}

/// Those that nobody has used for longest go first; one that has no room even alone is not kept.
void Publications::keep_within_bounds(const LibraryId& written) {
  const auto bytes_max = static_cast<std::size_t>(context_.limits.published_index_bytes_max);
  const std::lock_guard lock(indexes_mutex_);
  std::size_t bytes = 0;
  for (const auto& [id, index] : indexes_) bytes += index->bytes;
  while (bytes > bytes_max && !by_use_.empty()) {
    const auto last = by_use_.back();
    by_use_.pop_back();
    if (const auto found = indexes_.find(last); found != indexes_.end()) {
      bytes -= found->second->bytes;
      indexes_.erase(found);
    }
    if (last == written) break;
  }
}

Result<PublishedDocument> Publications::index(const LibraryId& id, const Subscriber& who) {
  QUIRE_ASSIGN_OR_RETURN(const auto library, enter(id, who, Reads::version));
  const auto index = index_of(id);
  const std::lock_guard lock(index->mutex);
  QUIRE_RETURN_IF_ERROR(bring_up_to_date(id, *index, library->generation));
  return index->written;
}

Result<PublishedState> Publications::state(const LibraryId& id) {
  QUIRE_ASSIGN_OR_RETURN(const auto library, find(id));
  const auto index = index_of(id);
  const std::lock_guard lock(index->mutex);
  QUIRE_RETURN_IF_ERROR(bring_up_to_date(id, *index, library->generation));
  return PublishedState{index->library, index->items};
}

/// `index.mutex` is held.
Result<void> Publications::bring_up_to_date(const LibraryId& id, Index& index, std::int64_t generation) {
  if (index.generation == generation) return {};
  QUIRE_ASSIGN_OR_RETURN(auto news, read_news(id, index));
  if (news.all) index.items.clear();
  for (auto& [item, text] : news.items) {
    if (text)
      index.items.insert_or_assign(item, std::make_shared<const std::string>(*std::move(text)));
    else
      index.items.erase(item);
  }
  std::size_t bytes = bytes_per_item;
  for (const auto& [item, text] : index.items) bytes += text->size() + 2;
  vcsp::IndexWriter writer(news.library.generation, bytes);
  for (const auto& [item, text] : index.items) writer.add(*text);
  index.written = document_of(writer.finish());
  index.generation = news.library.generation;
  index.library = std::move(news.library);
  index.event = news.event;
  {
    const std::lock_guard all(indexes_mutex_);
    index.bytes = 2 * bytes + index.items.size() * bytes_per_item;
  }
  keep_within_bounds(id);
  return {};
}

Result<PublishedDocument> Publications::item_document(const LibraryId& id, const ItemId& item_id,
                                                      const Subscriber& who) {
  QUIRE_RETURN_IF_ERROR(enter(id, who, Reads::content));
  const auto caller = system_caller(worker);
  QUIRE_ASSIGN_OR_RETURN(auto text, read(context_, caller, [&](View view) -> Result<std::string> {
                           const auto item = view->find<Item>(item_id);
                           if (!item || item->library_id != id) return nothing_there("such item");
                           auto written = written_item(view, *item);
                           if (!written) return nothing_there("such item");
                           return *std::move(written);
                         }));
  return document_of(std::move(text));
}

Result<PublishedFile> Publications::open_file(const LibraryId& id, const ItemId& item_id, std::int64_t since,
                                              const std::string& name, const Subscriber& who) {
  QUIRE_RETURN_IF_ERROR(enter(id, who, Reads::content));
  return open_file(id, item_id, since, name);
}

Result<PublishedFile> Publications::open_file(const LibraryId& id, const ItemId& item_id, std::int64_t since,
                                              const std::string& name) {
  const auto caller = system_caller(worker);
  struct Place {
    PublishedFile file;
    content::Blob blob;
    std::shared_ptr<content::BlobReader> bytes = {};
  };
  const auto look = [&]() {
    return read(context_, caller, [&](View view) -> Result<Place> {
      const auto item = view->find<Item>(item_id);
      if (!item || item->library_id != id) return nothing_there("such item");
      QUIRE_ASSIGN_OR_RETURN(const auto copy, find_copy(view, *item, since, name));
      auto blob = view->find<content::Blob>(copy.second.blob);
      if (!blob) return base::internal_error("content file without blob " + copy.second.blob.text());
      return Place{{nullptr, blob->sha256, item->id, copy.first}, *std::move(blob)};
    });
  };
  QUIRE_ASSIGN_OR_RETURN(auto place, open_found_to_send(context_, name, look));
  QUIRE_RETURN_IF_ERROR(touch(item_id, place.file.content));
  place.file.bytes = std::move(place.bytes);
  return std::move(place.file);
}

Result<void> Publications::touch(const ItemId& item, const ContentId& content) {
  const auto caller = system_caller(worker);
  const auto kept = [&](View view) -> Result<std::optional<DownloadSession>> {
    for (const auto& id : view->download_sessions(content::publication_user, item))
      if (auto session = view->find<DownloadSession>(id); session && session->content == content) return session;
    return std::optional<DownloadSession>();
  };
  QUIRE_ASSIGN_OR_RETURN(const auto session, read(context_, caller, kept));
  const auto timeout = context_.settings.download_session_timeout;
  // What goes out until the next call counts too.
  if (!session ||
      !needs_extension(session->expires_at, context_.leases.now() + 2 * activity_interval(timeout), timeout))
    return {};
  auto extended = write(context_, caller, [&](Transaction& t) -> Result<void> {
    QUIRE_ASSIGN_OR_RETURN(auto again, kept(t));
    if (again) record_activity(t, *again, Activity::reads);
    return {};
  });
  // A full disk must not end a transfer.
  if (!extended && extended.error().kind() == ErrorKind::unable_to_allocate_resource) return {};
  return extended;
}

}  // namespace quire::service
