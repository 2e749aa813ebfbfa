#include "base/uri.h"

#include <gtest/gtest.h>

namespace quire::base {
namespace {

TEST(Uri, IsShownWithoutWhatMayBeACredential) {
  EXPECT_EQ(uri_for_people("https://me:secret@host/a@b"), "https://host/a@b");
  EXPECT_EQ(uri_for_people("https://me:p@ss@host:8443"), "https://host:8443");
  EXPECT_EQ(uri_for_people("https://host/a?sig=u@v#f"), "https://host/a");
  EXPECT_EQ(uri_for_people("no uri"), "no uri");
}

TEST(Uri, SiblingsReplaceTheLastSegment) {
  EXPECT_EQ(sibling_uri("https://host/a/p.ovf", "disk 1.vmdk"), "https://host/a/disk%201.vmdk");
  EXPECT_EQ(sibling_uri("https://host/p.ovf?token=/x#f", "sub/d.vmdk"), "https://host/sub/d.vmdk");
  EXPECT_EQ(sibling_uri("https://host", "d"), "https://host/d");
}

TEST(Uri, PathsAreEncodedButForSlashes) { EXPECT_EQ(percent_encode_path("a/b c%\xC3\xA4"), "a/b%20c%25%C3%A4"); }

TEST(Uri, DecodingUndoesEncoding) {
  EXPECT_EQ(percent_decode("a/b%20c%25%c3%A4+"), "a/b c%\xC3\xA4+");
  for (const char* broken : {"%", "a%2", "%zz", "%%20"}) EXPECT_FALSE(percent_decode(broken)) << broken;
}

TEST(Uri, SchemesAreInLowerCase) {
  EXPECT_EQ(uri_scheme("HTTPS://host/"), "https");
  EXPECT_EQ(uri_scheme("ds:///vmfs"), "ds");
  EXPECT_EQ(uri_scheme("boot.iso"), "");
}

}  // namespace
}  // namespace quire::base
