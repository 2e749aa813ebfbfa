#include "service/tagging/tagging.h"

#include <gmock/gmock.h>

#include "support/service_world.h"

// Tags on libraries, items and datastores.

namespace quire {
namespace {

using content::TagCardinality;
using content::TagCategoryId;
using content::TagId;
using service::TaggedObject;
using test_support::alice;
using test_support::Engine;
using test_support::kind;
using test_support::why;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class TaggingTest : public test_support::ServiceTest {
 protected:
  void SetUp() override {
    ServiceTest::SetUp();
    if (IsSkipped()) return;
    tagger_ = test_support::caller_with("tagger", content::PrivilegeSet::all());
  }
  service::Tagging tagging() { return service::Tagging(world_->context()); }
  TagCategoryId category(const std::string& name, TagCardinality cardinality = TagCardinality::MULTIPLE,
                         const std::vector<std::string>& types = {}) {
    return must(tagging().create_category(tagger_, {name, "", cardinality, types, {}}));
  }
  TagId tag(const TagCategoryId& in, const std::string& name) {
    return must(tagging().create_tag(tagger_, {name, "", in, {}}));
  }
  TaggedObject library() const { return {"com.vmware.content.Library", library_.text()}; }
  TaggedObject the_item() const { return {"com.vmware.content.library.Item", item_.text()}; }
  auto attach(const TagId& id, const TaggedObject& object) { return tagging().attach(tagger_, id, object); }
  auto tags_of(const TaggedObject& object) { return must(tagging().tags_of(tagger_, object)); }
  auto objects_of(const TagId& id) { return must(tagging().objects_of(tagger_, id)); }

  content::Caller tagger_;
};

INSTANTIATE_TEST_SUITE_P(Sqlite, TaggingTest, testing::Values(Engine::Sqlite));
INSTANTIATE_TEST_SUITE_P(Postgresql, TaggingTest, testing::Values(Engine::Postgresql));

TEST_P(TaggingTest, TagsAreOnWhatTheyWerePutOn) {
  const auto colour = category("colour");
  const auto red = tag(colour, "red");
  const auto blue = tag(colour, "blue");
  must(attach(red, library()));
  must(attach(red, the_item()));
  must(attach(blue, the_item()));
  must(attach(blue, the_item()));
  must(attach(blue, {"Datastore", "datastore-11"}));
  EXPECT_THAT(tags_of(library()), ElementsAre(red));
  EXPECT_THAT(tags_of(the_item()), UnorderedElementsAre(red, blue));
  EXPECT_THAT(objects_of(red), UnorderedElementsAre(library(), the_item()));
  must(tagging().detach(tagger_, red, the_item()));
  must(tagging().detach(tagger_, red, the_item()));
  EXPECT_THAT(tags_of(the_item()), ElementsAre(blue));
}

TEST_P(TaggingTest, WhatIsNotThereIsNotFound) {
  const auto red = tag(category("colour"), "red");
  EXPECT_EQ(kind(attach(TagId("x"), library())), "not_found");
  EXPECT_EQ(kind(attach(red, {"com.vmware.content.Library", "x"})), "not_found");
  EXPECT_EQ(kind(attach(red, {"com.vmware.content.library.Item", library_.text()})), "not_found");
  EXPECT_EQ(kind(attach(red, {"Datastore", "datastore-99"})), "not_found");
  EXPECT_EQ(kind(attach(red, {"VirtualMachine", "vm-1"})), "not_found");
  EXPECT_EQ(kind(tagging().detach(tagger_, TagId("x"), library())), "not_found");
  EXPECT_EQ(kind(tagging().tags(tagger_, TagCategoryId("x"))), "not_found");
  EXPECT_EQ(kind(tagging().create_tag(tagger_, {"x", "", TagCategoryId("x"), {}})), "not_found");
}

TEST_P(TaggingTest, ACategoryLimitsItsTags) {
  const auto stage = category("stage", TagCardinality::SINGLE, {"com.vmware.content.library.Item"});
  const auto tested = tag(stage, "tested");
  const auto released = tag(stage, "released");
  EXPECT_EQ(why(attach(tested, library())), "quire.tagging.type_not_associable");
  EXPECT_THAT(must(tagging().attachable_tags(tagger_, the_item())), UnorderedElementsAre(tested, released));
  EXPECT_THAT(must(tagging().attachable_tags(tagger_, library())), IsEmpty());
  must(attach(tested, the_item()));
  EXPECT_THAT(must(tagging().attachable_tags(tagger_, the_item())), IsEmpty());
  EXPECT_EQ(why(attach(released, the_item())), "quire.tagging.only_one");
  service::TagCategorySpec several;
  several.cardinality = TagCardinality::MULTIPLE;
  must(tagging().update_category(tagger_, stage, several));
  must(attach(released, the_item()));
  service::TagCategorySpec one;
  one.cardinality = TagCardinality::SINGLE;
  EXPECT_EQ(why(tagging().update_category(tagger_, stage, one)), "quire.tagging.only_one");
  service::TagCategorySpec libraries;
  libraries.associable_types = {{"com.vmware.content.Library"}};
  EXPECT_EQ(why(tagging().update_category(tagger_, stage, libraries)), "quire.tagging.type_not_associable");
  EXPECT_THAT(tags_of(the_item()), UnorderedElementsAre(tested, released));
}

TEST_P(TaggingTest, NamesAndIdentifiersAreTakenOnce) {
  const auto colour = category("colour");
  const auto shape = category("shape");
  tag(colour, "red");
  tag(shape, "red");
  EXPECT_EQ(kind(tagging().create_tag(tagger_, {"red", "", colour, {}})), "already_exists");
  EXPECT_EQ(kind(tagging().create_category(tagger_, {"shape", "", {}, {}, {}})), "already_exists");
  EXPECT_EQ(kind(tagging().update_category(tagger_, shape, {"colour"})), "already_exists");
  const std::string own = "urn:vmomi:InventoryServiceTag:11111111-2222-4333-8444-555555555555:GLOBAL";
  EXPECT_EQ(must(tagging().create_tag(tagger_, {"own", "", colour, own})), TagId(own));
  EXPECT_EQ(kind(tagging().create_tag(tagger_, {"other", "", colour, own})), "already_exists");
  EXPECT_EQ(why(tagging().create_tag(tagger_, {"other", "", colour, "x"})), "quire.tagging.bad_identifier");
  EXPECT_EQ(kind(tagging().create_tag(tagger_, {"", "", colour, {}})), "invalid_argument");
}

TEST_P(TaggingTest, TagsGoWithTheirCategoryAndLeaveDeletedObjects) {
  const auto colour = category("colour");
  const auto red = tag(colour, "red");
  must(attach(red, library()));
  must(attach(red, the_item()));
  must(world_->items().remove(alice(), item_));
  EXPECT_THAT(objects_of(red), ElementsAre(library()));
  must(tagging().remove_category(tagger_, colour));
  EXPECT_EQ(kind(tagging().tag(tagger_, red)), "not_found");
  EXPECT_THAT(tags_of(library()), IsEmpty());
  const auto blue = tag(category("colour"), "blue");
  must(attach(blue, library()));
  must(world_->libraries().remove_local(alice(), library_));
  world_->change([&](content::CatalogWriter& writer) {
    EXPECT_THAT(writer.attachments_of_tag(blue), IsEmpty()) << "nothing stays of what is gone";
  });
  must(tagging().remove_tag(tagger_, blue));
}

TEST_P(TaggingTest, ChangesNeedPrivilegesAndWhatCannotBeReadHasNoTags) {
  const auto colour = category("colour");
  const auto red = tag(colour, "red");
  must(attach(red, library()));
  const auto reader = test_support::caller_with("reader", content::with_reading({}));
  EXPECT_EQ(kind(tagging().create_category(reader, {"x"})), "unauthorized");
  EXPECT_EQ(kind(tagging().update_category(reader, colour, {"x"})), "unauthorized");
  EXPECT_EQ(kind(tagging().remove_category(reader, colour)), "unauthorized");
  EXPECT_EQ(kind(tagging().create_tag(reader, {"x", "", colour, {}})), "unauthorized");
  EXPECT_EQ(kind(tagging().update_tag(reader, red, {"x"})), "unauthorized");
  EXPECT_EQ(kind(tagging().remove_tag(reader, red)), "unauthorized");
  EXPECT_EQ(kind(tagging().attach(reader, red, the_item())), "unauthorized");
  EXPECT_EQ(kind(tagging().detach(reader, red, library())), "unauthorized");
  EXPECT_THAT(must(tagging().tags_of(reader, library())), ElementsAre(red));

  const auto blind = test_support::caller_with("blind", {content::Privilege::InventoryService_Tagging_AttachTag});
  EXPECT_THAT(must(tagging().tags_of(blind, library())), IsEmpty());
  EXPECT_THAT(must(tagging().objects_of(blind, red)), IsEmpty());
  EXPECT_EQ(kind(tagging().attach(blind, red, the_item())), "not_found");
  must(tagging().detach(blind, red, library()));
  EXPECT_THAT(tags_of(library()), ElementsAre(red));
}

TEST_P(TaggingTest, ThereAreOnlySoMany) {
  content::Limits limits;
  limits.tag_categories_max = 1;
  limits.tags_max = 2;
  limits.tags_of_object_max = 1;
  make_world({}, limits);
  const auto colour = category("colour");
  EXPECT_EQ(why(tagging().create_category(tagger_, {"x"})), "quire.tagging.too_many_categories");
  must(attach(tag(colour, "red"), library()));
  EXPECT_EQ(why(attach(tag(colour, "blue"), library())), "quire.tagging.too_many_on_object");
  EXPECT_EQ(why(tagging().create_tag(tagger_, {"green", "", colour, {}})), "quire.tagging.too_many_tags");
}

}  // namespace
}  // namespace quire
