#include "api/dynamic_id.h"
#include "api/identifiers.h"
#include "api/inputs.h"
#include "api/operations.h"
#include "api/structures_described.h"
#include "service/services.h"

/// Categories, tags and what they are on (wire-protocols.md §3.7).
namespace quire::api {

template <>
inline constexpr std::string_view enumeration_name<content::TagCardinality> =
    "com.vmware.cis.tagging.category_model.cardinality";

struct CategoryModel {
  static constexpr std::string_view canonical_name = "com.vmware.cis.tagging.category_model";
  std::string id;
  std::string name;
  std::string description;
  content::TagCardinality cardinality = content::TagCardinality::SINGLE;
  std::vector<std::string> associable_types;
  std::vector<std::string> used_by;
};
struct CategoryCreateSpec {
  static constexpr std::string_view canonical_name = "com.vmware.cis.tagging.category.create_spec";
  std::string name;
  std::string description;
  content::TagCardinality cardinality = content::TagCardinality::SINGLE;
  std::vector<std::string> associable_types;
  std::optional<std::string> category_id;
};
struct CategoryUpdateSpec {
  static constexpr std::string_view canonical_name = "com.vmware.cis.tagging.category.update_spec";
  std::optional<std::string> name;
  std::optional<std::string> description;
  std::optional<content::TagCardinality> cardinality;
  std::optional<std::vector<std::string>> associable_types;
};
struct TagModel {
  static constexpr std::string_view canonical_name = "com.vmware.cis.tagging.tag_model";
  std::string id;
  std::string category_id;
  std::string name;
  std::string description;
  std::vector<std::string> used_by;
};
struct TagCreateSpec {
  static constexpr std::string_view canonical_name = "com.vmware.cis.tagging.tag.create_spec";
  std::string name;
  std::string description;
  std::string category_id;
  std::optional<std::string> tag_id;
};
struct TagUpdateSpec {
  static constexpr std::string_view canonical_name = "com.vmware.cis.tagging.tag.update_spec";
  std::optional<std::string> name;
  std::optional<std::string> description;
};
struct TagBatchResult {
  static constexpr std::string_view canonical_name = "com.vmware.cis.tagging.tag_association.batch_result";
  bool success = true;
  std::vector<LocalizableMessage> error_messages;
};
struct TagToObjects {
  static constexpr std::string_view canonical_name = "com.vmware.cis.tagging.tag_association.tag_to_objects";
  std::string tag_id;
  std::vector<DynamicId> object_ids;
};
struct ObjectToTags {
  static constexpr std::string_view canonical_name = "com.vmware.cis.tagging.tag_association.object_to_tags";
  DynamicId object_id;
  std::vector<std::string> tag_ids;
};
struct CategoryIdInput {
  static constexpr std::string_view canonical_name = operation_input;
  std::string category_id;
};
struct CategoryCreateInput {
  static constexpr std::string_view canonical_name = operation_input;
  CategoryCreateSpec create_spec;
};
struct CategoryUpdateInput {
  static constexpr std::string_view canonical_name = operation_input;
  std::string category_id;
  CategoryUpdateSpec update_spec;
};
struct TagIdInput {
  static constexpr std::string_view canonical_name = operation_input;
  std::string tag_id;
};
struct TagCreateInput {
  static constexpr std::string_view canonical_name = operation_input;
  TagCreateSpec create_spec;
};
struct TagUpdateInput {
  static constexpr std::string_view canonical_name = operation_input;
  std::string tag_id;
  TagUpdateSpec update_spec;
};
struct TagAndObjectInput {
  static constexpr std::string_view canonical_name = operation_input;
  std::string tag_id;
  DynamicId object_id;
};
struct TagAndObjectsInput {
  static constexpr std::string_view canonical_name = operation_input;
  std::string tag_id;
  std::vector<DynamicId> object_ids;
};
struct ObjectAndTagsInput {
  static constexpr std::string_view canonical_name = operation_input;
  DynamicId object_id;
  std::vector<std::string> tag_ids;
};
struct TagIdsInput {
  static constexpr std::string_view canonical_name = operation_input;
  std::vector<std::string> tag_ids;
};
struct ObjectInput {
  static constexpr std::string_view canonical_name = operation_input;
  DynamicId object_id;
};
struct ObjectsInput {
  static constexpr std::string_view canonical_name = operation_input;
  std::vector<DynamicId> object_ids;
};
struct UsedByInput {
  static constexpr std::string_view canonical_name = operation_input;
  std::string used_by_entity;
};
BOOST_DESCRIBE_STRUCT(CategoryModel, (), (id, name, description, cardinality, associable_types, used_by))
BOOST_DESCRIBE_STRUCT(CategoryCreateSpec, (), (name, description, cardinality, associable_types, category_id))
BOOST_DESCRIBE_STRUCT(CategoryUpdateSpec, (), (name, description, cardinality, associable_types))
BOOST_DESCRIBE_STRUCT(TagModel, (), (id, category_id, name, description, used_by))
BOOST_DESCRIBE_STRUCT(TagCreateSpec, (), (name, description, category_id, tag_id))
BOOST_DESCRIBE_STRUCT(TagUpdateSpec, (), (name, description))
BOOST_DESCRIBE_STRUCT(TagBatchResult, (), (success, error_messages))
BOOST_DESCRIBE_STRUCT(TagToObjects, (), (tag_id, object_ids))
BOOST_DESCRIBE_STRUCT(ObjectToTags, (), (object_id, tag_ids))
BOOST_DESCRIBE_STRUCT(CategoryIdInput, (), (category_id))
BOOST_DESCRIBE_STRUCT(CategoryCreateInput, (), (create_spec))
BOOST_DESCRIBE_STRUCT(CategoryUpdateInput, (), (category_id, update_spec))
BOOST_DESCRIBE_STRUCT(TagIdInput, (), (tag_id))
BOOST_DESCRIBE_STRUCT(TagCreateInput, (), (create_spec))
BOOST_DESCRIBE_STRUCT(TagUpdateInput, (), (tag_id, update_spec))
BOOST_DESCRIBE_STRUCT(TagAndObjectInput, (), (tag_id, object_id))
BOOST_DESCRIBE_STRUCT(TagAndObjectsInput, (), (tag_id, object_ids))
BOOST_DESCRIBE_STRUCT(ObjectAndTagsInput, (), (object_id, tag_ids))
BOOST_DESCRIBE_STRUCT(TagIdsInput, (), (tag_ids))
BOOST_DESCRIBE_STRUCT(ObjectInput, (), (object_id))
BOOST_DESCRIBE_STRUCT(ObjectsInput, (), (object_ids))
BOOST_DESCRIBE_STRUCT(UsedByInput, (), (used_by_entity))

namespace {

using base::ErrorKind;
using base::Result;
using content::Privilege;
using content::TagCategoryId;
using content::TagId;
constexpr auto category_service = "com.vmware.cis.tagging.category";
constexpr auto tag_service = "com.vmware.cis.tagging.tag";
constexpr auto association_service = "com.vmware.cis.tagging.tag_association";

CategoryModel to_api(const content::TagCategory& category) {
  return {category.id.text(), category.name, category.description, category.cardinality, category.associable_types, {}};
}
TagModel to_api(const content::Tag& tag) { return {tag.id.text(), tag.category.text(), tag.name, tag.description, {}}; }
service::TaggedObject to_service(const DynamicId& object) { return {object.type, object.id}; }
std::vector<DynamicId> to_api(const std::vector<service::TaggedObject>& objects) {
  std::vector<DynamicId> all;
  for (const auto& object : objects) all.push_back({object.type, object.id});
  return all;
}

/// Does it for each; what fails is told and does not keep the others from being done.
template <class Each, class Do>
Result<TagBatchResult> in_batch(const std::vector<Each>& all, Do one) {
  TagBatchResult result;
  for (const auto& each : all) {
    const Result<void> done = one(each);
    if (done) continue;
    if (done.error().kind() == ErrorKind::unauthorized) return done.error();
    result.success = false;
    for (const auto& message : done.error().messages()) result.error_messages.push_back(message_to_api(message));
  }
  return result;
}

struct CategoryCreate {
  using Input = CategoryCreateInput;
  using Output = std::string;
  static OperationFacts facts() {
    return {.service = category_service,
            .name = "create",
            .method = "POST",
            .path = "/cis/tagging/category",
            .status = 201,
            .privilege = Privilege::InventoryService_Tagging_CreateCategory,
            .errors = {ErrorKind::invalid_argument, ErrorKind::already_exists},
            .summary = "Makes a category of tags.",
            .creates = resource::tag_category};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input& input) {
    const auto& spec = input.create_spec;
    return text_of(services.tagging.create_category(
        call.caller, {spec.name, spec.description, spec.cardinality, spec.associable_types, spec.category_id}));
  }
};

struct CategoryGet {
  using Input = CategoryIdInput;
  using Output = CategoryModel;
  static OperationFacts facts() {
    return {.service = category_service,
            .name = "get",
            .method = "GET",
            .path = "/cis/tagging/category/{category_id}",
            .privilege = Privilege::System_Anonymous,
            .errors = {ErrorKind::not_found},
            .summary = "A category of tags."};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input& input) {
    QUIRE_ASSIGN_OR_RETURN(const auto category,
                           services.tagging.category(call.caller, TagCategoryId(input.category_id)));
    return to_api(category);
  }
};

struct CategoryUpdate {
  using Input = CategoryUpdateInput;
  using Output = void;
  static OperationFacts facts() {
    return {.service = category_service,
            .name = "update",
            .method = "PATCH",
            .path = "/cis/tagging/category/{category_id}",
            .status = 204,
            .privilege = Privilege::InventoryService_Tagging_EditCategory,
            .errors = {ErrorKind::not_found, ErrorKind::invalid_argument, ErrorKind::already_exists},
            .summary = "Changes the given properties of a category."};
  }
  static Result<void> run(service::Services& services, const CallContext& call, const Input& input) {
    const auto& spec = input.update_spec;
    return services.tagging.update_category(call.caller, TagCategoryId(input.category_id),
                                            {spec.name, spec.description, spec.cardinality, spec.associable_types});
  }
};

struct CategoryDelete {
  using Input = CategoryIdInput;
  using Output = void;
  static OperationFacts facts() {
    return {.service = category_service,
            .name = "delete",
            .method = "DELETE",
            .path = "/cis/tagging/category/{category_id}",
            .status = 204,
            .privilege = Privilege::InventoryService_Tagging_DeleteCategory,
            .errors = {ErrorKind::not_found},
            .summary = "Deletes a category with its tags."};
  }
  static Result<void> run(service::Services& services, const CallContext& call, const Input& input) {
    return services.tagging.remove_category(call.caller, TagCategoryId(input.category_id));
  }
};

struct CategoryList {
  using Input = NoInput;
  using Output = std::vector<std::string>;
  static OperationFacts facts() {
    return {.service = category_service,
            .name = "list",
            .method = "GET",
            .path = "/cis/tagging/category",
            .privilege = Privilege::System_Anonymous,
            .summary = "Identifiers of all categories, by name."};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input&) {
    QUIRE_ASSIGN_OR_RETURN(const auto categories, services.tagging.categories(call.caller));
    Output ids;
    for (const auto& category : categories) ids.push_back(category.id.text());
    return ids;
  }
};

struct CategoryListUsed {
  using Input = UsedByInput;
  using Output = std::vector<std::string>;
  static OperationFacts facts() {
    return {.service = category_service,
            .name = "list_used_categories",
            .method = "POST",
            .path = "/cis/tagging/category",
            .action = "list-used-categories",
            .privilege = Privilege::System_Anonymous,
            .summary = "None: no category is reserved for anybody."};
  }
  static Result<Output> run(service::Services&, const CallContext&, const Input&) { return Output(); }
};

struct TagCreate {
  using Input = TagCreateInput;
  using Output = std::string;
  static OperationFacts facts() {
    return {.service = tag_service,
            .name = "create",
            .method = "POST",
            .path = "/cis/tagging/tag",
            .status = 201,
            .privilege = Privilege::InventoryService_Tagging_CreateTag,
            .errors = {ErrorKind::invalid_argument, ErrorKind::not_found, ErrorKind::already_exists},
            .summary = "Makes a tag in a category.",
            .creates = resource::tag};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input& input) {
    const auto& spec = input.create_spec;
    return text_of(services.tagging.create_tag(
        call.caller, {spec.name, spec.description, TagCategoryId(spec.category_id), spec.tag_id}));
  }
};

struct TagGet {
  using Input = TagIdInput;
  using Output = TagModel;
  static OperationFacts facts() {
    return {.service = tag_service,
            .name = "get",
            .method = "GET",
            .path = "/cis/tagging/tag/{tag_id}",
            .privilege = Privilege::System_Anonymous,
            .errors = {ErrorKind::not_found},
            .summary = "A tag."};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input& input) {
    QUIRE_ASSIGN_OR_RETURN(const auto tag, services.tagging.tag(call.caller, TagId(input.tag_id)));
    return to_api(tag);
  }
};

struct TagUpdate {
  using Input = TagUpdateInput;
  using Output = void;
  static OperationFacts facts() {
    return {.service = tag_service,
            .name = "update",
            .method = "PATCH",
            .path = "/cis/tagging/tag/{tag_id}",
            .status = 204,
            .privilege = Privilege::InventoryService_Tagging_EditTag,
            .errors = {ErrorKind::not_found, ErrorKind::invalid_argument, ErrorKind::already_exists},
            .summary = "Changes the given properties of a tag."};
  }
  static Result<void> run(service::Services& services, const CallContext& call, const Input& input) {
    return services.tagging.update_tag(call.caller, TagId(input.tag_id),
                                       {input.update_spec.name, input.update_spec.description});
  }
};

struct TagDelete {
  using Input = TagIdInput;
  using Output = void;
  static OperationFacts facts() {
    return {.service = tag_service,
            .name = "delete",
            .method = "DELETE",
            .path = "/cis/tagging/tag/{tag_id}",
            .status = 204,
            .privilege = Privilege::InventoryService_Tagging_DeleteTag,
            .errors = {ErrorKind::not_found},
            .summary = "Deletes a tag, which leaves the objects that it is on."};
  }
  static Result<void> run(service::Services& services, const CallContext& call, const Input& input) {
    return services.tagging.remove_tag(call.caller, TagId(input.tag_id));
  }
};

struct TagList {
  using Input = NoInput;
  using Output = std::vector<std::string>;
  static OperationFacts facts() {
    return {.service = tag_service,
            .name = "list",
            .method = "GET",
            .path = "/cis/tagging/tag",
            .privilege = Privilege::System_Anonymous,
            .summary = "Identifiers of all tags, by name."};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input&) {
    QUIRE_ASSIGN_OR_RETURN(const auto tags, services.tagging.tags(call.caller, std::nullopt));
    Output ids;
    for (const auto& tag : tags) ids.push_back(tag.id.text());
    return ids;
  }
};

struct TagListUsed {
  using Input = UsedByInput;
  using Output = std::vector<std::string>;
  static OperationFacts facts() {
    return {.service = tag_service,
            .name = "list_used_tags",
            .method = "POST",
            .path = "/cis/tagging/tag",
            .action = "list-used-tags",
            .privilege = Privilege::System_Anonymous,
            .summary = "None: no tag is reserved for anybody."};
  }
  static Result<Output> run(service::Services&, const CallContext&, const Input&) { return Output(); }
};

struct TagListForCategory {
  using Input = CategoryIdInput;
  using Output = std::vector<std::string>;
  static OperationFacts facts() {
    return {.service = tag_service,
            .name = "list_tags_for_category",
            .method = "POST",
            .path = "/cis/tagging/tag",
            .action = "list-tags-for-category",
            .privilege = Privilege::System_Anonymous,
            .errors = {ErrorKind::not_found},
            .summary = "Identifiers of the tags of a category, by name."};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input& input) {
    QUIRE_ASSIGN_OR_RETURN(const auto tags, services.tagging.tags(call.caller, TagCategoryId(input.category_id)));
    Output ids;
    for (const auto& tag : tags) ids.push_back(tag.id.text());
    return ids;
  }
};

struct TagAttach {
  using Input = TagAndObjectInput;
  using Output = void;
  static OperationFacts facts() {
    return {.service = association_service,
            .name = "attach",
            .method = "POST",
            .path = "/cis/tagging/tag-association/{tag_id}",
            .action = "attach",
            .status = 204,
            .privilege = Privilege::InventoryService_Tagging_AttachTag,
            .errors = {ErrorKind::not_found, ErrorKind::invalid_argument},
            .summary = "Puts a tag on an object.",
            .members_in_body = true};
  }
  static Result<void> run(service::Services& services, const CallContext& call, const Input& input) {
    return services.tagging.attach(call.caller, TagId(input.tag_id), to_service(input.object_id));
  }
};

struct TagDetach {
  using Input = TagAndObjectInput;
  using Output = void;
  static OperationFacts facts() {
    return {.service = association_service,
            .name = "detach",
            .method = "POST",
            .path = "/cis/tagging/tag-association/{tag_id}",
            .action = "detach",
            .status = 204,
            .privilege = Privilege::InventoryService_Tagging_AttachTag,
            .errors = {ErrorKind::not_found},
            .summary = "Takes a tag off an object.",
            .members_in_body = true};
  }
  static Result<void> run(service::Services& services, const CallContext& call, const Input& input) {
    return services.tagging.detach(call.caller, TagId(input.tag_id), to_service(input.object_id));
  }
};

struct TagsAttach {
  using Input = ObjectAndTagsInput;
  using Output = TagBatchResult;
  static OperationFacts facts() {
    return {.service = association_service,
            .name = "attach_multiple_tags_to_object",
            .method = "POST",
            .path = "/cis/tagging/tag-association",
            .action = "attach-multiple-tags-to-object",
            .privilege = Privilege::InventoryService_Tagging_AttachTag,
            .summary = "Puts tags on an object, as far as that can be done."};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input& input) {
    return in_batch(input.tag_ids, [&](const std::string& tag) {
      return services.tagging.attach(call.caller, TagId(tag), to_service(input.object_id));
    });
  }
};

struct TagAttachObjects {
  using Input = TagAndObjectsInput;
  using Output = TagBatchResult;
  static OperationFacts facts() {
    return {.service = association_service,
            .name = "attach_tag_to_multiple_objects",
            .method = "POST",
            .path = "/cis/tagging/tag-association/{tag_id}",
            .action = "attach-tag-to-multiple-objects",
            .privilege = Privilege::InventoryService_Tagging_AttachTag,
            .errors = {ErrorKind::not_found},
            .summary = "Puts a tag on objects, as far as that can be done."};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input& input) {
    QUIRE_RETURN_IF_ERROR(services.tagging.tag_to_attach(call.caller, TagId(input.tag_id)));
    return in_batch(input.object_ids, [&](const DynamicId& object) {
      return services.tagging.attach(call.caller, TagId(input.tag_id), to_service(object));
    });
  }
};

struct TagsDetach {
  using Input = ObjectAndTagsInput;
  using Output = TagBatchResult;
  static OperationFacts facts() {
    return {.service = association_service,
            .name = "detach_multiple_tags_from_object",
            .method = "POST",
            .path = "/cis/tagging/tag-association",
            .action = "detach-multiple-tags-from-object",
            .privilege = Privilege::InventoryService_Tagging_AttachTag,
            .summary = "Takes tags off an object, as far as that can be done."};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input& input) {
    return in_batch(input.tag_ids, [&](const std::string& tag) {
      return services.tagging.detach(call.caller, TagId(tag), to_service(input.object_id));
    });
  }
};

struct TagDetachObjects {
  using Input = TagAndObjectsInput;
  using Output = TagBatchResult;
  static OperationFacts facts() {
    return {.service = association_service,
            .name = "detach_tag_from_multiple_objects",
            .method = "POST",
            .path = "/cis/tagging/tag-association/{tag_id}",
            .action = "detach-tag-from-multiple-objects",
            .privilege = Privilege::InventoryService_Tagging_AttachTag,
            .errors = {ErrorKind::not_found},
            .summary = "Takes a tag off objects, as far as that can be done."};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input& input) {
    QUIRE_RETURN_IF_ERROR(services.tagging.tag_to_attach(call.caller, TagId(input.tag_id)));
    return in_batch(input.object_ids, [&](const DynamicId& object) {
      return services.tagging.detach(call.caller, TagId(input.tag_id), to_service(object));
    });
  }
};

struct ObjectsOfTag {
  using Input = TagIdInput;
  using Output = std::vector<DynamicId>;
  static OperationFacts facts() {
    return {.service = association_service,
            .name = "list_attached_objects",
            .method = "POST",
            .path = "/cis/tagging/tag-association/{tag_id}",
            .action = "list-attached-objects",
            .privilege = Privilege::System_Anonymous,
            .errors = {ErrorKind::not_found},
            .summary = "The objects that a tag is on and that the caller may read."};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input& input) {
    QUIRE_ASSIGN_OR_RETURN(const auto objects, services.tagging.objects_of(call.caller, TagId(input.tag_id)));
    return to_api(objects);
  }
};

struct ObjectsOfTags {
  using Input = TagIdsInput;
  using Output = std::vector<TagToObjects>;
  static OperationFacts facts() {
    return {.service = association_service,
            .name = "list_attached_objects_on_tags",
            .method = "POST",
            .path = "/cis/tagging/tag-association",
            .action = "list-attached-objects-on-tags",
            .privilege = Privilege::System_Anonymous,
            .summary = "For each tag that there is, the objects that it is on and that the caller may read."};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input& input) {
    Output all;
    for (const auto& tag : input.tag_ids) {
      const auto objects = services.tagging.objects_of(call.caller, TagId(tag));
      if (!objects && objects.error().kind() == ErrorKind::not_found) continue;
      if (!objects) return objects.error();
      all.push_back({tag, to_api(*objects)});
    }
    return all;
  }
};

struct TagsOfObject {
  using Input = ObjectInput;
  using Output = std::vector<std::string>;
  static OperationFacts facts() {
    return {.service = association_service,
            .name = "list_attached_tags",
            .method = "POST",
            .path = "/cis/tagging/tag-association",
            .action = "list-attached-tags",
            .privilege = Privilege::System_Anonymous,
            .summary = "Identifiers of the tags on an object.",
            .members_in_body = true};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input& input) {
    return texts_of(services.tagging.tags_of(call.caller, to_service(input.object_id)));
  }
};

struct TagsOfObjects {
  using Input = ObjectsInput;
  using Output = std::vector<ObjectToTags>;
  static OperationFacts facts() {
    return {.service = association_service,
            .name = "list_attached_tags_on_objects",
            .method = "POST",
            .path = "/cis/tagging/tag-association",
            .action = "list-attached-tags-on-objects",
            .privilege = Privilege::System_Anonymous,
            .summary = "For each object, identifiers of the tags on it."};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input& input) {
    Output all;
    for (const auto& object : input.object_ids) {
      QUIRE_ASSIGN_OR_RETURN(auto tags, texts_of(services.tagging.tags_of(call.caller, to_service(object))));
      all.push_back({object, std::move(tags)});
    }
    return all;
  }
};

struct AttachableTags {
  using Input = ObjectInput;
  using Output = std::vector<std::string>;
  static OperationFacts facts() {
    return {.service = association_service,
            .name = "list_attachable_tags",
            .method = "POST",
            .path = "/cis/tagging/tag-association",
            .action = "list-attachable-tags",
            .privilege = Privilege::System_Anonymous,
            .summary = "Identifiers of the tags that can be put on an object.",
            .members_in_body = true};
  }
  static Result<Output> run(service::Services& services, const CallContext& call, const Input& input) {
    return texts_of(services.tagging.attachable_tags(call.caller, to_service(input.object_id)));
  }
};

}  // namespace

void add_tagging_operations(std::vector<Operation>& all) {
  all.push_back(bind<CategoryCreate>());
  all.push_back(bind<CategoryGet>());
  all.push_back(bind<CategoryUpdate>());
  all.push_back(bind<CategoryDelete>());
  all.push_back(bind<CategoryList>());
  all.push_back(bind<CategoryListUsed>());
  all.push_back(bind<TagCreate>());
  all.push_back(bind<TagGet>());
  all.push_back(bind<TagUpdate>());
  all.push_back(bind<TagDelete>());
  all.push_back(bind<TagList>());
  all.push_back(bind<TagListUsed>());
  all.push_back(bind<TagListForCategory>());
  all.push_back(bind<TagAttach>());
  all.push_back(bind<TagDetach>());
  all.push_back(bind<TagsAttach>());
  all.push_back(bind<TagAttachObjects>());
  all.push_back(bind<TagsDetach>());
  all.push_back(bind<TagDetachObjects>());
  all.push_back(bind<ObjectsOfTag>());
  all.push_back(bind<ObjectsOfTags>());
  all.push_back(bind<TagsOfObject>());
  all.push_back(bind<TagsOfObjects>());
  all.push_back(bind<AttachableTags>());
}

}  // namespace quire::api
