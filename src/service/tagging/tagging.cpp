#include "service/tagging/tagging.h"

#include <algorithm>
#include <string_view>

#include "content/text.h"
#include "service/transaction/events.h"
#include "service/transaction/find.h"

namespace quire::service {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;
using content::Caller;
using content::EventKind;
using content::Privilege;
using content::Tag;
using content::TagAttachment;
using content::TagCategory;
using content::TagCategoryId;
using content::TagId;

constexpr std::string_view category_prefix = "urn:vmomi:InventoryServiceCategory:";
constexpr std::string_view tag_prefix = "urn:vmomi:InventoryServiceTag:";
constexpr std::string_view id_suffix = ":GLOBAL";
constexpr std::string_view datastore_type = "Datastore";
constexpr std::size_t types_max = 100;
constexpr std::size_t type_bytes_max = 256;

Error category_not_found(const TagCategoryId& id) {
  return {ErrorKind::not_found,
          "quire.tagging.category_not_found",
          "No tag category has the identifier {category_id}.",
          {{"category_id", id.text()}}};
}
Error tag_not_found(const TagId& id) {
  return {ErrorKind::not_found,
          "quire.tagging.tag_not_found",
          "No tag has the identifier {tag_id}.",
          {{"tag_id", id.text()}}};
}
Error object_not_found(const TaggedObject& object) {
  return {ErrorKind::not_found,
          "quire.tagging.object_not_found",
          "There is no {type} with the identifier {id}.",
          {{"type", object.type}, {"id", object.id}}};
}
Error invalid(std::string id, std::string_view text, std::vector<base::MessageParam> params) {
  return {ErrorKind::invalid_argument, std::move(id), text, std::move(params)};
}
Error taken(const std::string& name) {
  return {ErrorKind::already_exists,
          "quire.tagging.name_taken",
          "There is a {name} already; choose another name.",
          {{"name", name}}};
}

Result<TagCategory> find_category(View view, const TagCategoryId& id) {
  if (auto found = view->find<TagCategory>(id)) return *std::move(found);
  return category_not_found(id);
}
Result<Tag> find_tag(View view, const TagId& id) {
  if (auto found = view->find<Tag>(id)) return *std::move(found);
  return tag_not_found(id);
}

/// The object is there and the caller may read it.
bool is_readable(const Context& context, View view, const TaggedObject& object) {
  if (object.type == content::library_object_type)
    return static_cast<bool>(find_library(view, content::LibraryId(object.id), Privilege::System_Read));
  if (object.type == content::item_object_type)
    return static_cast<bool>(find_item(view, content::ItemId(object.id), Privilege::System_Read));
  return object.type == datastore_type && context.storages.find(content::StorageId(object.id)) != nullptr;
}

/// `urn:vim25:Datastore` and `Datastore` are one.
std::string_view plain_type(std::string_view type) {
  constexpr std::string_view prefix = "urn:vim25:";
  if (type.starts_with(prefix)) type.remove_prefix(prefix.size());
  return type;
}

bool takes(const TagCategory& category, std::string_view object_type) {
  const auto& types = category.associable_types;
  return types.empty() || std::ranges::any_of(types, [&](const std::string& type) {
           return plain_type(type) == plain_type(object_type);
         });
}

bool is_id(std::string_view id, std::string_view prefix) {
  if (!id.starts_with(prefix) || !id.ends_with(id_suffix) || id.size() <= prefix.size() + id_suffix.size())
    return false;
  const auto middle = id.substr(prefix.size(), id.size() - prefix.size() - id_suffix.size());
  return middle.size() <= 64 && std::ranges::all_of(middle, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
         });
}

Result<std::string> new_id(const Transaction& t, const std::optional<std::string>& wanted, std::string_view prefix) {
  if (!wanted || wanted->empty())
    return std::string(prefix) + t.context().identities.uuid_made_at(t.wall_time()) + std::string(id_suffix);
  if (is_id(*wanted, prefix)) return *wanted;
  return invalid("quire.tagging.bad_identifier", "{value} is not of the form {prefix}<uuid>:GLOBAL.",
                 {{"value", *wanted}, {"prefix", std::string(prefix)}});
}

Result<void> check_texts(const std::optional<std::string>& name, const std::optional<std::string>& description,
                         const content::Limits& limits) {
  if (name) QUIRE_RETURN_IF_ERROR(content::check_name("name", *name, limits.name_chars_max));
  if (description) return content::check_text("description", *description, limits.description_chars_max);
  return {};
}

Result<void> check_types(const std::vector<std::string>& types) {
  if (types.size() > types_max)
    return invalid(
        "quire.tagging.too_many_types", "associable_types has {count} types; at most {limit} are allowed.",
        {{"count", static_cast<std::int64_t>(types.size())}, {"limit", static_cast<std::int64_t>(types_max)}});
  for (const auto& type : types) {
    if (type.empty()) return invalid("quire.tagging.empty_type", "associable_types has an empty type.", {});
    QUIRE_RETURN_IF_ERROR(content::check_text("associable_types", type, type_bytes_max));
  }
  return {};
}

void record_tagging(Transaction& t, EventKind kind, const std::string& id, EventDetails details) {
  t.record({kind, content::LibraryId(), content::ItemId(), id, std::move(details)});
}

/// As the event of an attachment tells it, with the library or item that it is about.
void record_attachment(Transaction& t, EventKind kind, const Tag& tag, const TaggedObject& object) {
  EventRecord event{kind,
                    content::LibraryId(),
                    content::ItemId(),
                    tag.id.text(),
                    {{"name", tag.name}, {"object_type", object.type}, {"object", object.id}}};
  if (object.type == content::library_object_type) event.library = content::LibraryId(object.id);
  if (object.type == content::item_object_type) {
    event.item = content::ItemId(object.id);
    if (const auto item = t->find<content::Item>(event.item)) event.library = item->library_id;
  }
  t.record(std::move(event));
}

/// Why the tag cannot be on the object.
std::optional<Error> obstacle(View view, const Tag& tag, const TagCategory& category, const TaggedObject& object) {
  if (!takes(category, object.type))
    return invalid("quire.tagging.type_not_associable",
                   "Tags of category {category} are not for objects of type {type}.",
                   {{"category", category.name}, {"type", object.type}});
  if (category.cardinality == content::TagCardinality::MULTIPLE) return std::nullopt;
  for (const auto& attachment : view->attachments_of_object(object.type, object.id)) {
    const auto other = view->find<Tag>(attachment.tag);
    if (!other || other->id == tag.id || other->category != category.id) continue;
    return invalid("quire.tagging.only_one",
                   "The object has tag {other} of category {category} already, which allows one; detach that first.",
                   {{"other", other->name}, {"category", category.name}});
  }
  return std::nullopt;
}

/// What is attached keeps to the category also as `changed`.
Result<void> check_attachments(View view, const TagCategory& category, const TagCategory& changed) {
  if (category.cardinality == content::TagCardinality::SINGLE &&
      changed.cardinality == content::TagCardinality::MULTIPLE && category.associable_types == changed.associable_types)
    return {};
  for (const auto& tag : view->tags(category.id))
    for (const auto& attachment : view->attachments_of_tag(tag.id))
      if (auto error = obstacle(view, tag, changed, {attachment.object_type, attachment.object}))
        return *std::move(error);
  return {};
}

void remove_tag_everywhere(Transaction& t, const Tag& tag) {
  t->remove_attachments_of_tag(tag.id);
  t->remove<Tag>(tag.id);
  record_tagging(t, EventKind::tag_deleted, tag.id.text(), {{"name", tag.name}});
}

}  // namespace

Result<std::vector<TagCategory>> Tagging::categories(const Caller& caller) {
  return read(context_, caller, [](View view) -> Result<std::vector<TagCategory>> { return view->tag_categories(); });
}

Result<TagCategory> Tagging::category(const Caller& caller, const TagCategoryId& id) {
  return read(context_, caller, [&](View view) { return find_category(view, id); });
}

Result<TagCategoryId> Tagging::create_category(const Caller& caller, const TagCategorySpec& spec) {
  QUIRE_RETURN_IF_ERROR(check_privilege(caller, Privilege::InventoryService_Tagging_CreateCategory));
  return write(context_, caller, [&](Transaction& t) -> Result<TagCategoryId> {
    QUIRE_RETURN_IF_ERROR(check_texts(spec.name, spec.description, context_.limits));
    if (spec.associable_types) QUIRE_RETURN_IF_ERROR(check_types(*spec.associable_types));
    QUIRE_ASSIGN_OR_RETURN(auto id, new_id(t, spec.id, category_prefix));
    TagCategory category{TagCategoryId(std::move(id)), spec.name.value_or(""), spec.description.value_or(""),
                         spec.cardinality.value_or(content::TagCardinality::SINGLE),
                         spec.associable_types.value_or(std::vector<std::string>())};
    if (t->tag_category_named(category.name)) return taken("category named " + category.name);
    if (t->find<TagCategory>(category.id)) return taken("category with the identifier " + category.id.text());
    const auto limit = context_.limits.tag_categories_max;
    if (t->tag_categories().size() >= limit)
      return invalid("quire.tagging.too_many_categories", "There are {limit} tag categories, which is the limit.",
                     {{"limit", static_cast<std::int64_t>(limit)}});
    QUIRE_RETURN_IF_ERROR(check_room_to_grow(context_));
    t->insert(category);
    record_tagging(t, EventKind::tag_category_created, category.id.text(), {{"name", category.name}});
    return category.id;
  });
}

Result<void> Tagging::update_category(const Caller& caller, const TagCategoryId& id, const TagCategorySpec& spec) {
  QUIRE_RETURN_IF_ERROR(check_privilege(caller, Privilege::InventoryService_Tagging_EditCategory));
  return write(context_, caller, [&](Transaction& t) -> Result<void> {
    QUIRE_ASSIGN_OR_RETURN(const auto category, find_category(t, id));
    QUIRE_RETURN_IF_ERROR(check_texts(spec.name, spec.description, context_.limits));
    TagCategory changed = category;
    changed.name = spec.name.value_or(category.name);
    changed.description = spec.description.value_or(category.description);
    changed.cardinality = spec.cardinality.value_or(category.cardinality);
    if (spec.associable_types) {
      QUIRE_RETURN_IF_ERROR(check_types(*spec.associable_types));
      changed.associable_types = *spec.associable_types;
    }
    if (changed == category) return {};
    if (changed.name != category.name && t->tag_category_named(changed.name))
      return taken("category named " + changed.name);
    QUIRE_RETURN_IF_ERROR(check_attachments(t, category, changed));
    t->update(changed);
    record_tagging(t, EventKind::tag_category_updated, id.text(), changes_between(category, changed));
    return {};
  });
}

Result<void> Tagging::remove_category(const Caller& caller, const TagCategoryId& id) {
  QUIRE_RETURN_IF_ERROR(check_privilege(caller, Privilege::InventoryService_Tagging_DeleteCategory));
  return write(context_, caller, [&](Transaction& t) -> Result<void> {
    QUIRE_ASSIGN_OR_RETURN(const auto category, find_category(t, id));
    for (const auto& tag : t->tags(id)) remove_tag_everywhere(t, tag);
    t->remove<TagCategory>(id);
    record_tagging(t, EventKind::tag_category_deleted, id.text(), {{"name", category.name}});
    return {};
  });
}

Result<std::vector<Tag>> Tagging::tags(const Caller& caller, const std::optional<TagCategoryId>& category) {
  return read(context_, caller, [&](View view) -> Result<std::vector<Tag>> {
    if (category) QUIRE_RETURN_IF_ERROR(find_category(view, *category));
    return view->tags(category);
  });
}

Result<Tag> Tagging::tag(const Caller& caller, const TagId& id) {
  return read(context_, caller, [&](View view) { return find_tag(view, id); });
}

Result<TagId> Tagging::create_tag(const Caller& caller, const TagSpec& spec) {
  QUIRE_RETURN_IF_ERROR(check_privilege(caller, Privilege::InventoryService_Tagging_CreateTag));
  return write(context_, caller, [&](Transaction& t) -> Result<TagId> {
    QUIRE_ASSIGN_OR_RETURN(const auto category, find_category(t, spec.category.value_or(TagCategoryId())));
    QUIRE_RETURN_IF_ERROR(check_texts(spec.name, spec.description, context_.limits));
    QUIRE_ASSIGN_OR_RETURN(auto id, new_id(t, spec.id, tag_prefix));
    const Tag tag{TagId(std::move(id)), category.id, spec.name.value_or(""), spec.description.value_or("")};
    if (t->tag_named(category.id, tag.name)) return taken("tag named " + tag.name + " in category " + category.name);
    if (t->find<Tag>(tag.id)) return taken("tag with the identifier " + tag.id.text());
    const auto limit = context_.limits.tags_max;
    if (t->tags(std::nullopt).size() >= limit)
      return invalid("quire.tagging.too_many_tags", "There are {limit} tags, which is the limit.",
                     {{"limit", static_cast<std::int64_t>(limit)}});
    QUIRE_RETURN_IF_ERROR(check_room_to_grow(context_));
    t->insert(tag);
    record_tagging(t, EventKind::tag_created, tag.id.text(), {{"name", tag.name}, {"category", category.name}});
    return tag.id;
  });
}

Result<void> Tagging::update_tag(const Caller& caller, const TagId& id, const TagSpec& spec) {
  QUIRE_RETURN_IF_ERROR(check_privilege(caller, Privilege::InventoryService_Tagging_EditTag));
  return write(context_, caller, [&](Transaction& t) -> Result<void> {
    QUIRE_ASSIGN_OR_RETURN(const auto tag, find_tag(t, id));
    QUIRE_RETURN_IF_ERROR(check_texts(spec.name, spec.description, context_.limits));
    Tag changed = tag;
    changed.name = spec.name.value_or(tag.name);
    changed.description = spec.description.value_or(tag.description);
    if (changed == tag) return {};
    if (changed.name != tag.name && t->tag_named(tag.category, changed.name))
      return taken("tag named " + changed.name + " in that category");
    t->update(changed);
    record_tagging(t, EventKind::tag_updated, id.text(), changes_between(tag, changed));
    return {};
  });
}

Result<void> Tagging::remove_tag(const Caller& caller, const TagId& id) {
  QUIRE_RETURN_IF_ERROR(check_privilege(caller, Privilege::InventoryService_Tagging_DeleteTag));
  return write(context_, caller, [&](Transaction& t) -> Result<void> {
    QUIRE_ASSIGN_OR_RETURN(const auto tag, find_tag(t, id));
    remove_tag_everywhere(t, tag);
    return {};
  });
}

Result<Tag> Tagging::tag_to_attach(const Caller& caller, const TagId& id) {
  QUIRE_RETURN_IF_ERROR(check_privilege(caller, Privilege::InventoryService_Tagging_AttachTag));
  return tag(caller, id);
}

Result<void> Tagging::attach(const Caller& caller, const TagId& id, const TaggedObject& object) {
  QUIRE_RETURN_IF_ERROR(check_privilege(caller, Privilege::InventoryService_Tagging_AttachTag));
  return write(context_, caller, [&](Transaction& t) -> Result<void> {
    QUIRE_ASSIGN_OR_RETURN(const auto tag, find_tag(t, id));
    if (!is_readable(context_, t, object)) return object_not_found(object);
    QUIRE_ASSIGN_OR_RETURN(const auto category, find_category(t, tag.category));
    if (t->find<TagAttachment>({tag.id, object.type, object.id})) return {};
    if (auto error = obstacle(t, tag, category, object)) return *std::move(error);
    const auto limit = context_.limits.tags_of_object_max;
    if (t->attachments_of_object(object.type, object.id).size() >= limit)
      return invalid("quire.tagging.too_many_on_object", "The object has {limit} tags, which is the limit.",
                     {{"limit", static_cast<std::int64_t>(limit)}});
    QUIRE_RETURN_IF_ERROR(check_room_to_grow(context_));
    t->insert(TagAttachment{tag.id, object.type, object.id});
    record_attachment(t, EventKind::tag_attached, tag, object);
    return {};
  });
}

Result<void> Tagging::detach(const Caller& caller, const TagId& id, const TaggedObject& object) {
  QUIRE_RETURN_IF_ERROR(check_privilege(caller, Privilege::InventoryService_Tagging_AttachTag));
  return write(context_, caller, [&](Transaction& t) -> Result<void> {
    QUIRE_ASSIGN_OR_RETURN(const auto tag, find_tag(t, id));
    if (!t->find<TagAttachment>({id, object.type, object.id}) || !is_readable(context_, t, object)) return {};
    t->remove<TagAttachment>({id, object.type, object.id});
    record_attachment(t, EventKind::tag_detached, tag, object);
    return {};
  });
}

Result<std::vector<TaggedObject>> Tagging::objects_of(const Caller& caller, const TagId& id) {
  return read(context_, caller, [&](View view) -> Result<std::vector<TaggedObject>> {
    QUIRE_RETURN_IF_ERROR(find_tag(view, id));
    std::vector<TaggedObject> objects;
    for (const auto& attachment : view->attachments_of_tag(id)) {
      TaggedObject object{attachment.object_type, attachment.object};
      if (is_readable(context_, view, object)) objects.push_back(std::move(object));
    }
    return objects;
  });
}

Result<std::vector<TagId>> Tagging::tags_of(const Caller& caller, const TaggedObject& object) {
  return read(context_, caller, [&](View view) -> Result<std::vector<TagId>> {
    std::vector<TagId> tags;
    if (!is_readable(context_, view, object)) return tags;
    for (const auto& attachment : view->attachments_of_object(object.type, object.id)) tags.push_back(attachment.tag);
    return tags;
  });
}

Result<std::vector<TagId>> Tagging::attachable_tags(const Caller& caller, const TaggedObject& object) {
  return read(context_, caller, [&](View view) -> Result<std::vector<TagId>> {
    std::vector<TagId> tags;
    if (!is_readable(context_, view, object)) return tags;
    for (const auto& category : view->tag_categories())
      for (const auto& tag : view->tags(category.id))
        if (!view->find<TagAttachment>({tag.id, object.type, object.id}) && !obstacle(view, tag, category, object))
          tags.push_back(tag.id);
    return tags;
  });
}

}  // namespace quire::service
