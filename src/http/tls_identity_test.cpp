#include "http/tls_identity.h"

#include <gmock/gmock.h>

#include "base/clock.h"

namespace quire::http {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;

TEST(TlsIdentity, MakesKeyAndCertificate) {
  base::RandomIdentitySource identities;
  const auto identity =
      make_self_signed_identity({"localhost", "127.0.0.1", "::1"}, base::SystemClock().now(), 825, identities);
  ASSERT_TRUE(identity);
  EXPECT_THAT(identity->certificate_pem, HasSubstr("BEGIN CERTIFICATE"));
  EXPECT_THAT(identity->key_pem, HasSubstr("PRIVATE KEY"));
  const auto thumbprint = certificate_thumbprint(identity->certificate_pem);
  ASSERT_TRUE(thumbprint);
  EXPECT_EQ(thumbprint->size(), 59u);
  EXPECT_THAT(*thumbprint, MatchesRegex("([0-9A-F][0-9A-F]:)+[0-9A-F][0-9A-F]"));
}

TEST(TlsIdentity, RefusesWhatIsNoHost) {
  base::RandomIdentitySource identities;
  const auto now = base::SystemClock().now();
  for (const std::string host : {"", "a b", "a,DNS:b", "a/b"}) {
    EXPECT_FALSE(make_self_signed_identity({host}, now, 1, identities)) << host;
  }
  EXPECT_FALSE(make_self_signed_identity({}, now, 1, identities));
}

TEST(TlsIdentity, ThumbprintNeedsACertificate) {
  EXPECT_FALSE(certificate_thumbprint("no certificate"));
  EXPECT_FALSE(certificate_thumbprint(""));
}

}  // namespace
}  // namespace quire::http
