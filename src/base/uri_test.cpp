#include "base/uri.h"

#include <gtest/gtest.h>

namespace quire::base {
namespace {

TEST(Uri, PathsAreEncodedButForSlashes) { EXPECT_EQ(percent_encode_path("a/b c%\xC3\xA4"), "a/b%20c%25%C3%A4"); }

TEST(Uri, DecodingUndoesEncoding) {
  EXPECT_EQ(percent_decode("a/b%20c%25%c3%A4+"), "a/b c%\xC3\xA4+");
  for (const char* broken : {"%", "a%2", "%zz", "%%20"}) EXPECT_FALSE(percent_decode(broken)) << broken;
}

TEST(Uri, ReferencesResolveAsTheExamplesOfRfc3986) {
  struct Row {
    std::string_view reference, resolved;
  };
  static constexpr Row rows[] = {
      // 5.4.1
      {"g:h", "g:h"},
      {"g", "http://a/b/c/g"},
      {"./g", "http://a/b/c/g"},
      {"g/", "http://a/b/c/g/"},
      {"/g", "http://a/g"},
      {"//g", "http://g"},
      {"?y", "http://a/b/c/d;p?y"},
      {"g?y", "http://a/b/c/g?y"},
      {"#s", "http://a/b/c/d;p?q#s"},
      {"g#s", "http://a/b/c/g#s"},
      {"g?y#s", "http://a/b/c/g?y#s"},
      {";x", "http://a/b/c/;x"},
      {"g;x", "http://a/b/c/g;x"},
      {"g;x?y#s", "http://a/b/c/g;x?y#s"},
      {"", "http://a/b/c/d;p?q"},
      {".", "http://a/b/c/"},
      {"./", "http://a/b/c/"},
      {"..", "http://a/b/"},
      {"../", "http://a/b/"},
      {"../g", "http://a/b/g"},
      {"../..", "http://a/"},
      {"../../", "http://a/"},
      {"../../g", "http://a/g"},
      // 5.4.2
      {"../../../g", "http://a/g"},
      {"../../../../g", "http://a/g"},
      {"/./g", "http://a/g"},
      {"/../g", "http://a/g"},
      {"g.", "http://a/b/c/g."},
      {".g", "http://a/b/c/.g"},
      {"g..", "http://a/b/c/g.."},
      {"..g", "http://a/b/c/..g"},
      {"./../g", "http://a/b/g"},
      {"./g/.", "http://a/b/c/g/"},
      {"g/./h", "http://a/b/c/g/h"},
      {"g/../h", "http://a/b/c/h"},
      {"g;x=1/./y", "http://a/b/c/g;x=1/y"},
      {"g;x=1/../y", "http://a/b/c/y"},
      {"g?y/./x", "http://a/b/c/g?y/./x"},
      {"g?y/../x", "http://a/b/c/g?y/../x"},
      {"g#s/./x", "http://a/b/c/g#s/./x"},
      {"g#s/../x", "http://a/b/c/g#s/../x"},
      {"http:g", "http:g"},
  };
  for (const auto& row : rows) EXPECT_EQ(resolve_reference("http://a/b/c/d;p?q", row.reference), row.resolved);
}

TEST(Uri, ReferencesResolveAgainstBasesOfPackages) {
  EXPECT_EQ(resolve_reference("https://host", "d.vmdk"), "https://host/d.vmdk");
  EXPECT_EQ(resolve_reference("https://host/v2/vm.ovf?sig=/x#f", "disks/d.vmdk"), "https://host/v2/disks/d.vmdk");
  EXPECT_EQ(resolve_reference("https://me:s@host:8/a/vm.ovf", "My%20VM.vmdk"), "https://me:s@host:8/a/My%20VM.vmdk");
  EXPECT_EQ(resolve_reference("file:///srv/a/vm.ovf", "d.vmdk"), "file:///srv/a/d.vmdk");
  EXPECT_EQ(resolve_reference("https://host/vm.ovf", "./a:b.vmdk"), "https://host/a:b.vmdk");
}

TEST(Uri, HrefsBecomeReferencesWithoutEncodingTwice) {
  EXPECT_EQ(relative_reference("My%20VM-disk1.vmdk"), "My%20VM-disk1.vmdk");
  EXPECT_EQ(relative_reference("My VM-disk1.vmdk"), "My%20VM-disk1.vmdk");
  EXPECT_EQ(relative_reference("50%25.vmdk"), "50%25.vmdk");
  EXPECT_EQ(relative_reference("100%.vmdk"), "100%25.vmdk");
  EXPECT_EQ(relative_reference("a%2"), "a%252");
  EXPECT_EQ(relative_reference("VM #1 (\xC3\xA4).vmdk?sig=a&b"), "VM%20%231%20(%C3%A4).vmdk?sig=a&b");
  EXPECT_EQ(relative_reference("..?x"), "..%3Fx");
  EXPECT_EQ(relative_reference("a/%2e%2e?x"), "a/%2e%2e%3Fx");
  EXPECT_EQ(relative_reference("?x"), "%3Fx");
  EXPECT_EQ(relative_reference("x:y.vmdk"), "./x:y.vmdk");
  EXPECT_EQ(relative_reference("a/x:y.vmdk"), "a/x:y.vmdk");
}

TEST(Uri, SchemesAreInLowerCase) {
  EXPECT_EQ(uri_scheme("HTTPS://host/"), "https");
  EXPECT_EQ(uri_scheme("ds:///vmfs"), "ds");
  EXPECT_EQ(uri_scheme("boot.iso"), "");
}

}  // namespace
}  // namespace quire::base
