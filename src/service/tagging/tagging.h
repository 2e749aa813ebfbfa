#pragma once

#include <optional>
#include <string>
#include <vector>

#include "service/transaction/transaction.h"

namespace quire::service {

/// Members that create and update read; unset = default or unchanged.
struct TagCategorySpec {
  std::optional<std::string> name = {};
  std::optional<std::string> description = {};
  std::optional<content::TagCardinality> cardinality = {};
  std::optional<std::vector<std::string>> associable_types = {};
  std::optional<std::string> id = {};  ///< that a create is to give it
};
struct TagSpec {
  std::optional<std::string> name = {};
  std::optional<std::string> description = {};
  std::optional<content::TagCategoryId> category = {};  ///< of create only
  std::optional<std::string> id = {};                   ///< that a create is to give it
};

/// An object that tags are put on.
struct TaggedObject {
  std::string type;  ///< `com.vmware.content.Library`, `com.vmware.content.library.Item` or `Datastore`
  std::string id;
  bool operator==(const TaggedObject&) const = default;
};

/// Categories, tags and what they are on (wire-protocols.md §3.7). Whoever is logged in reads them; what a caller may
/// not read has no tags for them and is on no list. Changes need their privilege on the root: Unauthorized. All threads
/// may call it.
class Tagging {
 public:
  explicit Tagging(Context& context) : context_(context) {}

  base::Result<std::vector<content::TagCategory>> categories(const content::Caller& caller);
  base::Result<content::TagCategory> category(const content::Caller& caller, const content::TagCategoryId& id);
  /// InvalidArgument: name, description, types, identifier, too many; AlreadyExists: name or identifier taken.
  base::Result<content::TagCategoryId> create_category(const content::Caller& caller, const TagCategorySpec& spec);
  /// NotFound; InvalidArgument: as create, and a cardinality or types that forbid what there is; AlreadyExists.
  base::Result<void> update_category(const content::Caller& caller, const content::TagCategoryId& id,
                                     const TagCategorySpec& spec);
  /// With its tags, which leave the objects that they are on. NotFound.
  base::Result<void> remove_category(const content::Caller& caller, const content::TagCategoryId& id);

  /// All tags, or those of a category. NotFound: no such category.
  base::Result<std::vector<content::Tag>> tags(const content::Caller& caller,
                                               const std::optional<content::TagCategoryId>& category);
  base::Result<content::Tag> tag(const content::Caller& caller, const content::TagId& id);
  /// InvalidArgument: name, description, identifier, too many; NotFound: no such category; AlreadyExists.
  base::Result<content::TagId> create_tag(const content::Caller& caller, const TagSpec& spec);
  /// NotFound; InvalidArgument; AlreadyExists.
  base::Result<void> update_tag(const content::Caller& caller, const content::TagId& id, const TagSpec& spec);
  /// It leaves the objects that it is on. NotFound.
  base::Result<void> remove_tag(const content::Caller& caller, const content::TagId& id);

  /// No effect when it is there already. NotFound: tag or object; InvalidArgument: the category is not for such
  /// objects, or the object has another tag of a category that allows one, or too many.
  /// As tag(), for whoever may put it on something: Unauthorized before NotFound.
  base::Result<content::Tag> tag_to_attach(const content::Caller& caller, const content::TagId& id);
  base::Result<void> attach(const content::Caller& caller, const content::TagId& tag, const TaggedObject& object);
  /// No effect when it is not there. NotFound: no such tag.
  base::Result<void> detach(const content::Caller& caller, const content::TagId& tag, const TaggedObject& object);
  /// Those that the caller may read. NotFound: no such tag.
  base::Result<std::vector<TaggedObject>> objects_of(const content::Caller& caller, const content::TagId& tag);
  /// None for an object that the caller may not read.
  base::Result<std::vector<content::TagId>> tags_of(const content::Caller& caller, const TaggedObject& object);
  /// Tags that attach() would put on the object. None for an object that the caller may not read.
  base::Result<std::vector<content::TagId>> attachable_tags(const content::Caller& caller, const TaggedObject& object);

 private:
  Context& context_;
};

}  // namespace quire::service
