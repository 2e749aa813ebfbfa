#include "formats/ova_member_order.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace quire::formats {
namespace {

using testing::HasSubstr;
using Names = std::vector<std::string>;

base::Result<void> follow(const Names& names) {
  OvaMemberOrder order;
  for (const auto& name : names) {
    if (auto kind = order.next(name); !kind) return kind.error();
  }
  return order.finish();
}

TEST(OvaMemberOrder, AcceptsThePlacesOfTheSpecification) {
  for (const auto& names :
       {Names{"vm.ovf"}, Names{"vm.ovf", "disk.vmdk"}, Names{"vm.ovf", "vm.mf", "disk.vmdk", "d/x.iso"},
        Names{"vm.ovf", "vm.mf", "vm.cert", "disk.vmdk"}, Names{"vm.ovf", "vm.cert", "vm.mf", "disk.vmdk"},
        Names{"vm.ovf", "disk.vmdk", "x.iso", "vm.mf", "vm.cert"}, Names{"vm.ovf", "disk.vmdk", "vm.mf"},
        Names{"vm.ovf", "vm.mf", "disk.vmdk", "vm.cert"}, Names{"vm.ovf", "vm.mf", "vm.cert"},
        Names{"VM.OVF", "VM.MF", "disk"}, Names{"a.b.ovf", "a.b.mf"},
        Names{"vm.ovf", "d/other.mf", "d/other.cert", "disk.vmdk"},
        // as bsdtar of macOS packs
        Names{"._vm.ovf", "vm.ovf", "._vm.mf", "vm.mf", "._disk.vmdk", "disk.vmdk"},
        Names{"vm.ovf", "._vm.ovf", "disk.vmdk", "vm.mf", "._vm.mf", "._disk.vmdk"},
        Names{"._a.vmdk", "._vm.ovf", "vm.ovf", "a.vmdk"}, Names{"d/._a", "vm.ovf", "d/a"},
        Names{"vm.ovf", "._x.ovf", "._other.mf", "._y"}}) {
    const auto followed = follow(names);
    EXPECT_TRUE(followed) << testing::PrintToString(names) << followed.error().text();
  }
}

TEST(OvaMemberOrder, RefusesOthers) {
  struct Case {
    Names names;
    std::string reason;
  };
  for (const auto& [names, reason] :
       std::vector<Case>{{{}, "no member"},
                         {{"disk.vmdk", "vm.ovf"}, "not an .ovf descriptor"},
                         {{"vm.mf", "vm.ovf"}, "not an .ovf descriptor"},
                         {{"d/vm.ovf"}, "in a directory"},
                         {{"vm.ovf", "b.ovf"}, "second descriptor"},
                         {{"vm.ovf", "d/b.OVF"}, "second descriptor"},
                         {{"vm.ovf", "other.mf"}, "not called as the descriptor"},
                         {{"vm.ovf", "vm.mf", "VM.cert"}, "not called as the descriptor"},
                         {{"vm.ovf", "vm.mf", "vm.MF"}, "second manifest"},
                         {{"vm.ovf", "vm.mf", "vm.cert", "disk", "vm.CERT"}, "second manifest or certificate"},
                         {{"vm.ovf", "a.vmdk", "vm.mf", "b.vmdk"}, "must come last"},
                         {{"vm.ovf", "vm.mf", "a.vmdk", "vm.cert", "b.vmdk"}, "must come last"},
                         {{"vm.ovf", "vm.cert"}, "no manifest"},
                         {{"._vm.ovf"}, "'._vm.ovf' is not an .ovf descriptor"},
                         {{"._x", "vm.ovf"}, "'._x' is not an .ovf descriptor"},
                         {{"d/._x", "vm.ovf", "x"}, "'d/._x' is not an .ovf descriptor"},
                         {{"._vm.ovf", "disk.vmdk", "vm.ovf"}, "'disk.vmdk' is not an .ovf descriptor"},
                         {{"vm.ovf", "a.vmdk", "vm.mf", "._b"}, "must come last"}}) {
    const auto followed = follow(names);
    ASSERT_FALSE(followed) << testing::PrintToString(names);
    EXPECT_EQ(followed.error().kind(), base::ErrorKind::invalid_argument);
    EXPECT_THAT(followed.error().text(), HasSubstr(reason)) << testing::PrintToString(names);
  }
}

// VMware writes `ovf, disk, mf, nvram`: what the manifest does not name may follow it.
TEST(OvaMemberOrder, WhatTheManifestDoesNotNameMayFollowIt) {
  OvaMemberOrder order;
  for (const auto* name : {"vm.ovf", "a b.vmdk", "vm.mf"}) ASSERT_TRUE(order.next(name));
  order.manifest_names({"vm.ovf", "a b.vmdk", "later b.vmdk", "later.vmdk"});
  EXPECT_TRUE(order.next("vm.nvram"));
  EXPECT_TRUE(order.next("vm.cert"));
  EXPECT_TRUE(order.next("vm.flag"));
  EXPECT_FALSE(order.next("later.vmdk"));
  EXPECT_FALSE(order.next("later%20b.vmdk"));
}

TEST(OvaMemberOrder, DirectoriesHaveDoublesToo) {
  OvaMemberOrder order;
  ASSERT_TRUE(order.next("._."));
  EXPECT_FALSE(order.has_passed("."));
  order.directory(".");
  EXPECT_TRUE(order.has_passed("."));
  ASSERT_TRUE(order.next("._msg"));
  ASSERT_TRUE(order.next("vm.ovf"));
  EXPECT_FALSE(order.finish());
  order.directory("msg");
  EXPECT_TRUE(order.finish());
}

TEST(OvaMemberOrder, TellsWhatEachMemberIs) {
  OvaMemberOrder order;
  EXPECT_EQ(*order.next("vm.ovf"), PackageFileKind::descriptor);
  EXPECT_EQ(*order.next("vm.mf"), PackageFileKind::manifest);
  EXPECT_EQ(*order.next("vm.cert"), PackageFileKind::certificate);
  EXPECT_EQ(*order.next("disk.vmdk"), PackageFileKind::other);
  for (const auto* name : {"._vm.ovf", "._vm.mf", "._vm.cert"})
    EXPECT_EQ(package_file_kind(name), PackageFileKind::other);
}

}  // namespace
}  // namespace quire::formats
