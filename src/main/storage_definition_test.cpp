#include "main/storage_definition.h"

#include <gtest/gtest.h>

namespace quire::main {
namespace {

base::Result<std::vector<StorageDefinition>> defined(const std::vector<std::string>& entries) {
  return storage_definitions(entries, "/data");
}

BucketPlace bucket_of(const std::string& url) {
  const auto all = defined({"store=" + url});
  EXPECT_TRUE(all) << url;
  if (!all || all->front().bucket() == nullptr) return {};
  return *all->front().bucket();
}

TEST(StorageDefinition, NamesFolders) {
  const auto all = defined({"first", "second", "third=/srv/third"});
  ASSERT_TRUE(all);
  ASSERT_EQ(all->size(), 3U);
  EXPECT_EQ(*(*all)[0].folder(), "/data");
  EXPECT_EQ(*(*all)[1].folder(), "/data/storage/second");
  EXPECT_EQ(*(*all)[2].folder(), "/srv/third");
  EXPECT_EQ((*all)[2].name, "third");
}

TEST(StorageDefinition, NamesABucketWithItsDefaults) {
  const auto place = bucket_of("s3://images");
  BucketPlace expected;
  expected.bucket = "images";
  EXPECT_EQ(place, expected);
  EXPECT_EQ(place.uri(), "s3://images");
}

TEST(StorageDefinition, TakesEveryParameterOfABucket) {
  const auto place = bucket_of(
      "s3://images/sites/one/?endpoint=http://store.example:9000/&region=eu-central-1&style=virtual-host&ca=/etc/ca.pem"
      "&credentials=/etc/quire/my%20keys&profile=quire&capacity=2GiB&cache=3MiB");
  BucketPlace expected;
  expected.bucket = "images";
  expected.prefix = "sites/one";
  expected.endpoint = "http://store.example:9000";
  expected.region = "eu-central-1";
  expected.virtual_host_style = true;
  expected.ca_file = "/etc/ca.pem";
  expected.credentials_file = "/etc/quire/my keys";
  expected.profile = "quire";
  expected.capacity_bytes = std::int64_t{2} << 30U;
  expected.cache_bytes = std::int64_t{3} << 20U;
  EXPECT_EQ(place, expected);
  EXPECT_EQ(place.uri(), "s3://images/sites/one");
}

TEST(StorageDefinition, SaysWhatIsWrong) {
  for (const auto& [entry, said] : std::vector<std::pair<std::string, std::string>>{
           {"=/srv", "needs a name"},
           {"a/b", "without slashes"},
           {"a=s3://", "bucket's name"},
           {"a=s3://Images", "bucket's name"},
           {"a=s3://images/a//b", "prefix"},
           {"a=s3://images/a/../b", "prefix"},
           {"a=s3://images/a b", "prefix"},
           {"a=s3://images?endpoint=store.example", "endpoint must be"},
           {"a=s3://images?endpoint=https://store.example/path", "endpoint must be"},
           {"a=s3://images?endpoint=https://key:secret@store.example", "endpoint must be"},
           {"a=s3://images?region=", "region"},
           {"a=s3://images?style=other", "style must be"},
           {"a=s3://images?capacity=much", "capacity must be"},
           {"a=s3://images?cache=some", "cache must be"},
           {"a=s3://images?ca=%zz", "percent-encoded"},
           {"a=s3://images?bucket=b", "no parameter bucket"},
       }) {
    const auto all = defined({entry});
    ASSERT_FALSE(all) << entry;
    EXPECT_EQ(all.error().kind(), base::ErrorKind::invalid_argument) << entry;
    EXPECT_NE(all.error().text().find(said), std::string::npos) << entry << ": " << all.error().text();
  }
}

TEST(StorageDefinition, NoTwoAreOne) {
  EXPECT_FALSE(defined({}));
  EXPECT_FALSE(defined({"a", "a=/srv"}));
  EXPECT_FALSE(defined({"a=s3://images/x", "b=s3://images/x/"}));
  EXPECT_FALSE(defined({"a=s3://images/x", "b=s3://images"}));
  EXPECT_TRUE(defined({"a=s3://images/x", "b=s3://images/xy"}));
  EXPECT_TRUE(defined({"a=s3://images?endpoint=http://one", "b=s3://images?endpoint=http://two"}));
}

}  // namespace
}  // namespace quire::main
