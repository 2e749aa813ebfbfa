#include "base/digest.h"

#include <gtest/gtest.h>

#include "base/hex.h"
#include "base/identity.h"

namespace quire::base {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

TEST(Digest, MatchesPublishedVectors) {
  EXPECT_EQ(digest_of(DigestAlgorithm::MD5, bytes_of("abc")).hex, "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(digest_of(DigestAlgorithm::SHA1, bytes_of("abc")).hex, "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(digest_of(DigestAlgorithm::SHA256, bytes_of("abc")).hex,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(digest_of(DigestAlgorithm::SHA512, bytes_of("abc")).hex.substr(0, 16), "ddaf35a193617aba");
  for (const auto algorithm : all_digest_algorithms)
    EXPECT_EQ(digest_of(algorithm, {}).hex.size(), hex_length(algorithm));
}

TEST(Digest, AClonesBytesAreItsOwn) {
  Hasher first(DigestAlgorithm::SHA256);
  first.update(bytes_of("ab"));
  Hasher second = first.clone();
  first.update(bytes_of("x"));
  second.update(bytes_of("c"));
  EXPECT_EQ(second.finish(), digest_of(DigestAlgorithm::SHA256, bytes_of("abc")));
  EXPECT_EQ(first.finish(), digest_of(DigestAlgorithm::SHA256, bytes_of("abx")));
}

TEST(Digest, NamesAreReadInAnyCase) {
  EXPECT_EQ(digest_algorithm("sha256"), DigestAlgorithm::SHA256);
  EXPECT_EQ(digest_algorithm("CRC32"), std::nullopt);
}

TEST(Identity, UuidsHaveTheirShapeAndDiffer) {
  RandomIdentitySource source;
  const auto one = source.uuid();
  EXPECT_TRUE(looks_like_uuid(one));
  EXPECT_NE(one, source.uuid());
  EXPECT_EQ(source.secret().size(), 32U);
  EXPECT_FALSE(looks_like_uuid("not-a-uuid"));
}

TEST(Hex, GoesBothWays) {
  EXPECT_EQ(to_hex(*from_hex("00fFa0")), "00ffa0");
  EXPECT_EQ(from_hex("0"), std::nullopt);
  EXPECT_EQ(from_hex("zz"), std::nullopt);
}

}  // namespace
}  // namespace quire::base
