#include "content/permission.h"

#include <gtest/gtest.h>

// vSphere's rules for what several permissions come to.

namespace quire::content {
namespace {

const LibraryId images("images");
const LibraryId archive("archive");
const LibraryId root;

const PrivilegeSet read = {Privilege::System_Read};
const PrivilegeSet add = {Privilege::System_Read, Privilege::ContentLibrary_AddLibraryItem};
const PrivilegeSet download = {Privilege::ContentLibrary_DownloadSession};

GrantedRole own(const LibraryId& on, const PrivilegeSet& privileges, bool propagate = true) {
  return {{"alice", PrincipalType::USER, on, 1, propagate}, privileges};
}
GrantedRole group(const std::string& name, const LibraryId& on, const PrivilegeSet& privileges, bool propagate = true) {
  return {{name, PrincipalType::GROUP, on, 1, propagate}, privileges};
}
PrivilegeSet both(PrivilegeSet a, const PrivilegeSet& b) { return a |= b; }

TEST(Grants, NobodyMayAnythingAtFirst) {
  const Grants none;
  EXPECT_EQ(none.on_root(), PrivilegeSet());
  EXPECT_EQ(none.on_items_of(images), PrivilegeSet());
  EXPECT_FALSE(none.readable_libraries().contains(images));
  EXPECT_FALSE(none.readable_items().contains(images));
}

TEST(Grants, TheServerItselfMayEverything) {
  const auto& all = *Grants::everything();
  EXPECT_EQ(all.on_root(), PrivilegeSet::all());
  EXPECT_EQ(all.on_items_of(images), PrivilegeSet::all());
  EXPECT_TRUE(all.readable_items().is_every());
}

TEST(Grants, TheRootPassesOnToLibrariesAndTheirItems) {
  const Grants grants({own(root, add)});
  EXPECT_EQ(grants.on_root(), add);
  EXPECT_EQ(grants.on_library(images), add);
  EXPECT_EQ(grants.on_items_of(images), add);
  EXPECT_TRUE(grants.readable_libraries().is_every());
}

TEST(Grants, WithoutPropagationOnTheObjectOnly) {
  const Grants at_root({own(root, add, false)});
  EXPECT_EQ(at_root.on_root(), add);
  EXPECT_EQ(at_root.on_library(images), PrivilegeSet());
  const Grants at_library({own(root, read), own(images, add, false)});
  EXPECT_EQ(at_library.on_library(images), add);
  EXPECT_EQ(at_library.on_items_of(images), read) << "what the root passes on goes past the library";
}

TEST(Grants, WhatIsSaidOfALibraryWins) {
  const Grants less({own(root, add), own(images, {})});
  EXPECT_EQ(less.on_library(images), PrivilegeSet());
  EXPECT_EQ(less.on_library(archive), add);
  EXPECT_FALSE(less.readable_libraries().contains(images));
  EXPECT_TRUE(less.readable_libraries().contains(archive));
  const Grants more({own(root, {}), own(images, add)});
  EXPECT_EQ(more.on_library(images), add);
  EXPECT_TRUE(more.readable_items().contains(images));
  EXPECT_FALSE(more.readable_items().contains(archive));
  const Grants by_group({own(root, add), group("g", images, {})});
  EXPECT_EQ(by_group.on_library(images), PrivilegeSet()) << "of a group too, over the user's own on the root";
}

TEST(Grants, AtOneObjectTheUsersOwnWins) {
  const Grants grants({group("g", images, add), own(images, read), group("h", images, download)});
  EXPECT_EQ(grants.on_library(images), read);
}

TEST(Grants, GroupsUnite) {
  const Grants grants({group("g", images, add), group("h", images, download)});
  EXPECT_EQ(grants.on_library(images), both(add, download));
}

TEST(Grants, BelowTheObjectOnlyWhatPropagatesCounts) {
  const Grants grants({own(images, {}, false), group("g", images, add)});
  EXPECT_EQ(grants.on_library(images), PrivilegeSet());
  EXPECT_EQ(grants.on_items_of(images), add);
  EXPECT_FALSE(grants.readable_libraries().contains(images));
  EXPECT_TRUE(grants.readable_items().contains(images));
}

TEST(Grants, CoverOthers) {
  const Grants wide({own(root, add)});
  const Grants narrow({own(images, add)});
  EXPECT_TRUE(wide.cover(narrow));
  EXPECT_TRUE(wide.cover(wide));
  EXPECT_FALSE(narrow.cover(wide));
  EXPECT_FALSE(Grants({own(root, add), own(images, read)}).cover(narrow));
  EXPECT_FALSE(wide.cover(Grants({own(root, download)})));
}

TEST(Roles, TheSystems) {
  EXPECT_EQ(find_system_role(administrator_role)->privileges, PrivilegeSet::all());
  EXPECT_EQ(find_system_role(no_access_role)->privileges, PrivilegeSet());
  EXPECT_EQ(find_system_role(1), nullptr);
  const auto& contributor = find_system_role(contributor_role)->privileges;
  EXPECT_TRUE(find_system_role(content_library_administrator_role)->privileges.covers(contributor));
  EXPECT_TRUE(contributor.covers(find_system_role(read_only_role)->privileges));
  EXPECT_FALSE(
      find_system_role(content_library_administrator_role)->privileges.has(Privilege::Authorization_ModifyRoles));
}

TEST(Privileges, AreNamedAsInVsphere) {
  EXPECT_EQ(base::name_of(Privilege::ContentLibrary_AddLibraryItem), "ContentLibrary.AddLibraryItem");
  EXPECT_EQ(base::enumerator_named<Privilege>("System.Read"), Privilege::System_Read);
  EXPECT_EQ(target_of(Privilege::ContentLibrary_UpdateSession), PrivilegeTarget::ITEM);
  const PrivilegeSet set = {Privilege::System_Read, Privilege::System_Anonymous};
  EXPECT_EQ(set.list(), (std::vector{Privilege::System_Anonymous, Privilege::System_Read}));
}

}  // namespace
}  // namespace quire::content
