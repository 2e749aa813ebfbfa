#include "content/source_url.h"

#include <gtest/gtest.h>

namespace quire::content {
namespace {

TEST(SourceUrl, IsShownWithoutWhatMayBeACredential) {
  for (const auto& [text, shown] : std::initializer_list<std::pair<const char*, const char*>>{
           {"https://me:secret@host/a@b", "https://host/a@b"},
           {"https://me:p@ss@host:8443", "https://host:8443"},
           {"https://host/a?sig=u@v#f", "https://host/a"},
           {"https://host?sig=x", "https://host"},
           {"https://[::1]:8443/a", "https://[::1]:8443/a"},
           {"https://me:s@[::1]/a", "https://[::1]/a"},
           {"file:///srv/a b.iso", "file:///srv/a b.iso"},
           {"no uri", "no uri"},
           {"", ""},
           // What is no URL may still hold a password.
           {"https://me:se/cret@host/a", "https://host/a"},
           {"https://me:se?cret@host/a", "https://host/a"},
           {"https:/me:secret@host/a", "host/a"},
           {"https:me:secret@host/a", "host/a"},
           {"me:secret@host/a?q", "host/a"},
           {"https:\\\\me:secret@host\\a", "host\\a"},
           {"me@https://secret@host/a", "host/a"},
       })
    EXPECT_EQ(SourceUrl(text).shown(), shown) << text;
}

TEST(SourceUrl, KnowsItsScheme) {
  EXPECT_TRUE(SourceUrl("HTTPS://host/").is_web());
  EXPECT_TRUE(SourceUrl("ds:///vmfs").is_file());
  EXPECT_TRUE(SourceUrl("FILE:/a").is_file());
  for (const auto* text : {"", "boot.iso", "user:file@host", "/http://host"})
    EXPECT_FALSE(SourceUrl(text).is_web() || SourceUrl(text).is_file()) << text;
}

TEST(SourceUrl, ResolvesReferencesAndEncodesThemOnce) {
  const SourceUrl base("https://me:pw@host/a/p.ovf?token=/x#f");
  EXPECT_EQ(base.resolve("My%20VM-disk1.vmdk").text(), "https://me:pw@host/a/My%20VM-disk1.vmdk");
  EXPECT_EQ(base.resolve("My VM-disk1.vmdk").text(), "https://me:pw@host/a/My%20VM-disk1.vmdk");
  EXPECT_EQ(base.resolve("50%25.vmdk").text(), "https://me:pw@host/a/50%25.vmdk");
  EXPECT_EQ(base.resolve("50%.vmdk").text(), "https://me:pw@host/a/50%25.vmdk");
  EXPECT_EQ(base.resolve("./sub/d.vmdk").text(), "https://me:pw@host/a/sub/d.vmdk");
  EXPECT_EQ(base.resolve("d.vmdk?part=1").text(), "https://me:pw@host/a/d.vmdk?part=1");
  EXPECT_EQ(base.resolve("disk:1 #2.vmdk").text(), "https://me:pw@host/a/disk:1%20%232.vmdk");
  EXPECT_EQ(SourceUrl("https://host").resolve("d").text(), "https://host/d");
  EXPECT_EQ(SourceUrl("file:///srv/My%20VM.ovf").resolve("My%20VM.vmdk").text(), "file:///srv/My%20VM.vmdk");
}

TEST(SourceUrl, SiblingsAreCalledExactlyAsTheyAre) {
  EXPECT_EQ(SourceUrl("https://host/a/p.ovf?q").sibling("50%25 a?.vmdk").text(), "https://host/a/50%2525%20a%3F.vmdk");
  EXPECT_EQ(SourceUrl("file:///srv/p.ovf").sibling("sub/d").text(), "file:///srv/sub/d");
}

TEST(SourceUrl, CredentialsGoToTheirOwnOriginOnly) {
  const SourceUrl given("https://me:pw@Host/vm.ovf");
  EXPECT_EQ(SourceUrl("https://host:443/v2/").with_credentials_of(given).text(), "https://me:pw@host:443/v2/");
  for (const auto* other : {"http://host/v2/", "https://host:8443/v2/", "https://host.evil/v2/", "https://hos/v2/",
                            "https:/host/v2", "host"})
    EXPECT_EQ(SourceUrl(other).with_credentials_of(given).text(), other);
  EXPECT_EQ(SourceUrl("https://host/a").with_credentials_of("https://host/b").text(), "https://host/a");
}

}  // namespace
}  // namespace quire::content
