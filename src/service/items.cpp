#include "service/items.h"

#include <array>
#include <map>

#include "base/uri.h"
#include "content/text.h"
#include "service/blob_bytes.h"
#include "service/find.h"

namespace quire::service {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;
using content::Blob;
using content::BlobId;
using content::Caller;
using content::CatalogReader;
using content::CatalogWriter;
using content::ContentFile;
using content::ContentId;
using content::Item;
using content::ItemId;
using content::Library;
using content::LibraryId;

Result<void> check_texts(const ItemSpec& spec, const content::Limits& limits) {
  if (spec.name)
    if (auto checked = content::check_name("name", *spec.name, limits.name_chars_max); !checked) return checked;
  if (spec.type)
    if (auto checked = content::check_text("type", *spec.type, limits.type_chars_max); !checked) return checked;
  if (spec.description) return content::check_text("description", *spec.description, limits.description_chars_max);
  return {};
}

Error name_taken(const std::string& name, const Library& library) {
  // The id and arguments that clients know from real servers (§1.8.3).
  return {ErrorKind::already_exists,
          "com.vmware.vdcs.cls-main.duplicate_item_name_unsupported_in_library",
          "An item named {name} is in library {library} already; choose another name.",
          {{"name", name}, {"library", library.name}, {"library_id", library.id.text()}}};
}

/// §11.1: items of a subscribed library change only through the publisher.
Result<void> check_local(const Library& library) {
  if (library.type == content::LibraryType::LOCAL) return {};
  return Error(ErrorKind::invalid_element_type, "quire.library.not_local",
               "Library {name} is a subscribed library; its items come from the publisher.", {{"name", library.name}});
}

/// An item that its users may change, with its library.
Result<Item> find_local_item(CatalogReader& reader, const ItemId& id) {
  auto item = find_item(reader, id);
  if (!item) return item;
  const auto library = find_library(reader, item->library_id);
  if (!library) return library.error();
  if (auto local = check_local(*library); !local) return local.error();
  return item;
}

/// The library that an item is to be made in, if it may be.
Result<Library> find_destination(CatalogReader& reader, const LibraryId& id, const std::string& name) {
  auto library = find_library(reader, id);
  if (!library) return library;
  if (auto local = check_local(*library); !local) return local.error();
  if (reader.item_named(id, name)) return name_taken(name, *library);
  return library;
}

Error missing_member(const std::string& member) {
  return {ErrorKind::invalid_argument, "quire.item.member_missing", "{member} is required.", {{"member", member}}};
}

std::string digest_of(const ItemSpec& spec, const std::string& source) {
  return spec_digest({source, spec.library_id, spec.name, spec.description, spec.type, spec.source_id});
}

Item new_item(Context& context, const LibraryId& library) {
  Item item;
  item.id = ItemId(context.identities.uuid_made_at(context.clock.now()));
  item.library_id = library;
  item.creation_time = context.clock.now();
  item.last_modified_time = item.creation_time;
  return item;
}

Result<void> copy_bytes(content::BlobReader& from, content::BlobWriter& to) {
  std::vector<std::byte> buffer(1U << 20U);
  for (std::int64_t offset = 0; offset < from.size();) {
    const auto got = from.read(offset, buffer);
    if (!got) return got.error();
    if (*got == 0) return base::internal_error("a blob ended early while it was copied");
    if (auto written = to.append(std::span(buffer).first(*got)); !written) return written;
    offset += static_cast<std::int64_t>(*got);
  }
  return to.commit();
}

Result<ArrivedBlob> copy_of(Context& context, const Blob& blob, const content::Storage& target) {
  const auto reader = open_blob(context, blob);
  if (!reader) return reader.error();
  ArrivedBlob copy{{BlobId(context.identities.uuid()), target.id, blob.size, blob.sha256, blob.in_catalog}};
  if (blob.in_catalog) {
    copy.bytes.resize(static_cast<std::size_t>(blob.size));
    const auto got = (*reader)->read(0, copy.bytes);
    if (!got) return got.error();
    if (*got != copy.bytes.size()) return base::internal_error("a blob ended early while it was copied");
    return copy;
  }
  const auto writer = target.blobs->create(copy.blob.id, blob.size);
  if (!writer) return writer.error();
  if (auto copied = copy_bytes(**reader, **writer); !copied) return copied.error();
  return copy;
}

/// Copies what `files` hold to another storage, so that a transaction can name it. On an Error nothing is left.
Result<std::map<BlobId, ArrivedBlob>> copy_to_storage(Context& context, const std::map<BlobId, Blob>& blobs,
                                                      const content::Storage& target) {
  std::map<BlobId, ArrivedBlob> copies;
  std::vector<Blob> made;
  for (const auto& [id, blob] : blobs) {
    if (blob.storage == target.id) continue;
    auto copy = copy_of(context, blob, target);
    if (!copy) {
      remove_bytes(context, made);
      return copy.error();
    }
    made.push_back(copy->blob);
    copies.emplace(id, *std::move(copy));
  }
  return copies;
}

struct CopySource {
  Item item;
  std::vector<ContentFile> files;
  std::map<BlobId, Blob> blobs;
  content::StorageId target;
};

StoredFile stored(const Library& library, const Item& item, const content::Storage* storage, const ContentFile& file,
                  const std::string& uri) {
  // Clients build datastore paths from the last segment and from the prefix of summary.url (wire-protocols.md §4.8,
  // §5.1).
  if (library.backing.type == content::StorageBackingType::DATASTORE && storage != nullptr)
    return {file, library.backing,
            storage->url() + "contentlib-" + library.id.text() + "/" + item.id.text() + "/" +
                base::percent_encode_path(file.name)};
  return {file, library.backing, uri};
}

}  // namespace

Result<ItemId> Items::create(const Caller& caller, const ItemSpec& spec,
                             const std::optional<std::string>& client_token) {
  if (!spec.library_id) return missing_member("create_spec.library_id");
  if (!spec.name) return missing_member("create_spec.name");
  const auto id = context_.catalog.write([&](CatalogWriter& writer) -> Result<std::string> {
    return create_once(context_, writer, caller, "com.vmware.content.library.item.create", client_token,
                       digest_of(spec, ""), [&]() -> Result<std::string> {
                         const LibraryId library_id(*spec.library_id);
                         if (auto library = find_library(writer, library_id); !library) return library.error();
                         if (auto checked = check_texts(spec, context_.limits); !checked) return checked.error();
                         if (auto library = find_destination(writer, library_id, *spec.name); !library)
                           return library.error();
                         QUIRE_RETURN_IF_ERROR(check_room_to_grow(context_));
                         Item item = new_item(context_, library_id);
                         item.name = *spec.name;
                         item.description = spec.description.value_or("");
                         item.type = spec.type.value_or("");
                         item.source_id = spec.source_id;
                         writer.insert(item);
                         return item.id.text();
                       });
  });
  if (!id) return id.error();
  return ItemId(*id);
}

Result<ItemId> Items::copy(const Caller& caller, const ItemId& source_id, const ItemSpec& destination,
                           const std::optional<std::string>& client_token) {
  if (!destination.library_id) return missing_member("destination_create_spec.library_id");
  const LibraryId library_id(*destination.library_id);

  // Bytes on another storage are copied before the transaction that names them (bytes before rows).
  const auto source = context_.catalog.read([&](CatalogReader& reader) -> Result<CopySource> {
    auto item = find_item(reader, source_id);
    if (!item) return item.error();
    const auto library = find_library(reader, library_id);
    if (!library) return library.error();
    CopySource found{*item, reader.list<ContentFile>(item->content), {}, library->storage};
    for (const auto& file : found.files)
      if (auto blob = reader.find<Blob>(file.blob)) found.blobs.emplace(file.blob, *std::move(blob));
    return found;
  });
  if (!source) return source.error();
  if (auto checked = check_texts(destination, context_.limits); !checked) return checked.error();
  const auto* storage = context_.storages.find(source->target);
  if (storage == nullptr) return base::internal_error("storage " + source->target.text() + " is not configured");
  const auto copies = copy_to_storage(context_, source->blobs, *storage);
  if (!copies) return copies.error();

  bool used = false;
  const auto id = context_.catalog.write([&](CatalogWriter& writer) -> Result<std::string> {
    used = false;
    return create_once(
        context_, writer, caller, "com.vmware.content.library.item.copy", client_token,
        digest_of(destination, source_id.text()), [&]() -> Result<std::string> {
          const auto from = find_item(writer, source_id);
          if (!from) return from.error();
          const std::string name = destination.name.value_or(from->name);
          if (auto library = find_destination(writer, library_id, name); !library) return library.error();
          if (from->content != source->item.content)
            return Error(ErrorKind::resource_inaccessible, "quire.item.changed_while_copied",
                         "Item {name} got new content while it was being copied; copy it again.",
                         {{"name", from->name}});
          QUIRE_RETURN_IF_ERROR(check_room_to_grow(context_));
          Item item = new_item(context_, library_id);
          item.name = name;
          item.description = destination.description.value_or(from->description);
          item.type = destination.type.value_or(from->type);
          item.source_id = from->source_id ? *from->source_id : from->id.text();
          item.security_compliance = from->security_compliance;
          item.certificate_verification = from->certificate_verification;
          if (!source->files.empty()) {
            item.content = ContentId(context_.identities.uuid_made_at(item.creation_time));
            item.content_version = 2;
            item.size = from->size;
            for (const auto& [old_id, copy] : *copies) writer.insert_blob(copy.blob, copy.bytes);
            writer.insert(content::Content{item.content, item.id, item.content_version, item.creation_time});
            for (auto file : source->files) {
              if (const auto copy = copies->find(file.blob); copy != copies->end()) file.blob = copy->second.blob.id;
              file.version = 1;
              writer.insert(item.content, file);
            }
          }
          writer.insert(item);
          used = true;
          return item.id.text();
        });
  });
  std::vector<Blob> made;
  for (const auto& [old_id, copy] : *copies) made.push_back(copy.blob);
  if (!id) {
    remove_bytes_after_failure(context_, id.error(), made);
    return id.error();
  }
  if (!used) remove_bytes(context_, made);
  return ItemId(*id);
}

Result<std::vector<ItemId>> Items::list(const Caller&, const LibraryId& library) {
  return context_.catalog.read([&](CatalogReader& reader) -> Result<std::vector<ItemId>> {
    if (auto found = find_library(reader, library); !found) return found.error();
    content::ItemFilter filter;
    filter.library_id = library;
    return reader.items(filter);
  });
}

Result<std::vector<ItemId>> Items::find(const Caller&, const content::ItemFilter& filter) {
  if (!filter.name && !filter.library_id && !filter.source_id && !filter.type && !filter.cached)
    return Error(ErrorKind::invalid_argument, "quire.item.find_without_property",
                 "The find specification is empty; give at least one of name, library_id, source_id, type and cached.");
  return context_.catalog.read(
      [&](CatalogReader& reader) -> Result<std::vector<ItemId>> { return reader.items(filter); });
}

Result<Item> Items::get(const Caller&, const ItemId& id) {
  return context_.catalog.read([&](CatalogReader& reader) { return find_item(reader, id); });
}

Result<void> Items::update(const Caller&, const ItemId& id, const ItemSpec& spec) {
  return context_.catalog.write([&](CatalogWriter& writer) -> Result<void> {
    const auto item = find_local_item(writer, id);
    if (!item) return item.error();
    if (auto checked = check_texts(spec, context_.limits); !checked) return checked;
    if (spec.version && *spec.version != std::to_string(item->version))
      return Error(ErrorKind::invalid_argument, "quire.item.stale_version",
                   "Item {name} has version {current} now, not {given}; read it again and repeat the change.",
                   {{"name", item->name}, {"current", item->version}, {"given", *spec.version}});
    Item changed = *item;
    if (spec.name && *spec.name != item->name) {
      const auto library = find_library(writer, item->library_id);
      if (!library) return library.error();
      if (writer.item_named(item->library_id, *spec.name)) return name_taken(*spec.name, *library);
      changed.name = *spec.name;
    }
    if (spec.description) changed.description = *spec.description;
    if (spec.type) changed.type = *spec.type;
    if (changed == *item) return {};
    ++changed.version;
    ++changed.metadata_version;
    changed.last_modified_time = context_.clock.now();
    writer.update(changed);
    return {};
  });
}

Result<void> Items::remove(const Caller&, const ItemId& id) {
  Aftermath aftermath;
  const auto removed = context_.catalog.write([&](CatalogWriter& writer) -> Result<void> {
    aftermath.clear();
    const auto item = find_local_item(writer, id);
    if (!item) return item.error();
    remove_item_with_sessions(writer, *item, aftermath);
    return {};
  });
  if (removed) settle(context_, aftermath);
  return removed;
}

Result<std::vector<ContentFile>> Items::files(const Caller&, const ItemId& id) {
  return context_.catalog.read([&](CatalogReader& reader) -> Result<std::vector<ContentFile>> {
    const auto item = find_item(reader, id);
    if (!item) return item.error();
    return reader.list<ContentFile>(item->content);
  });
}

Result<ContentFile> Items::file(const Caller& caller, const ItemId& id, const std::string& name) {
  auto stored = stored_file(caller, id, name);
  if (!stored) return stored.error();
  return stored->file;
}

Result<std::vector<StoredFile>> Items::stored_files(const Caller&, const ItemId& id) {
  std::vector<Blob> blobs;
  auto files = context_.catalog.read([&](CatalogReader& reader) -> Result<std::vector<StoredFile>> {
    const auto item = find_item(reader, id);
    if (!item) return item.error();
    const auto library = find_library(reader, item->library_id);
    if (!library) return library.error();
    const auto* storage = context_.storages.find(library->storage);
    std::vector<StoredFile> all;
    blobs.clear();
    for (const auto& file : reader.list<ContentFile>(item->content)) {
      all.push_back(stored(*library, *item, storage, file, storage == nullptr ? "" : storage->blobs->uri(file.blob)));
      if (auto blob = reader.find<Blob>(file.blob)) blobs.push_back(*std::move(blob));
    }
    return all;
  });
  if (!files) return files;
  if (auto moved = move_to_storage(context_, blobs); !moved) return moved.error();
  return files;
}

Result<StoredFile> Items::stored_file(const Caller& caller, const ItemId& id, const std::string& name) {
  const auto all = stored_files(caller, id);
  if (!all) return all.error();
  for (const auto& file : *all)
    if (file.file.name == name) return file;
  return Error(ErrorKind::not_found, "quire.item.file_not_found", "Item {library_item_id} has no file named {name}.",
               {{"library_item_id", id.text()}, {"name", name}});
}

void remove_item_with_sessions(CatalogWriter& writer, const Item& item, Aftermath& aftermath) {
  for (const auto& session_id : writer.update_sessions("", item.id))
    if (const auto session = writer.find<content::UpdateSession>(session_id))
      discard_session(writer, *session, aftermath);
  std::vector<ContentId> contents = {item.content};
  for (const auto& session_id : writer.download_sessions("", item.id)) {
    if (const auto session = writer.find<content::DownloadSession>(session_id)) {
      contents.push_back(session->content);
      aftermath.transfers.push_back(session->token);
    }
    writer.remove<content::DownloadSession>(session_id);
  }
  Item emptied = item;
  emptied.content = ContentId();
  writer.update(emptied);
  for (const auto& content : contents) {
    let_go(writer, content, aftermath);
  }
  writer.remove<Item>(item.id);
}

}  // namespace quire::service
