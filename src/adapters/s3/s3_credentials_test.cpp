#include "adapters/s3/s3_credentials.h"

#include <gmock/gmock.h>

#include <fstream>
#include <map>

#include "support/temporary_folder.h"

namespace quire::adapters::s3 {
namespace {

using base::ErrorKind;
using testing::HasSubstr;
using testing::Not;

using Variables = std::map<std::string, std::string>;

base::Result<Credentials> from_environment(const Variables& variables) {
  return credentials_from_environment([&](const char* name) {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  });
}

TEST(S3Credentials, FromTheEnvironment) {
  auto read = from_environment({{"AWS_ACCESS_KEY_ID", "id"}, {"AWS_SECRET_ACCESS_KEY", "secret"}});
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, (Credentials{"id", "secret", ""}));
  read = from_environment(
      {{"AWS_ACCESS_KEY_ID", "id"}, {"AWS_SECRET_ACCESS_KEY", "secret"}, {"AWS_SESSION_TOKEN", "token"}});
  ASSERT_TRUE(read);
  EXPECT_EQ(read->session_token, "token");
}

TEST(S3Credentials, TheMissingVariableIsNamed) {
  const auto no_id = from_environment({{"AWS_SECRET_ACCESS_KEY", "secret"}});
  ASSERT_FALSE(no_id);
  EXPECT_EQ(no_id.error().kind(), ErrorKind::service_unavailable);
  EXPECT_THAT(no_id.error().text(), HasSubstr("AWS_ACCESS_KEY_ID"));
  const auto no_secret = from_environment({{"AWS_ACCESS_KEY_ID", "id"}, {"AWS_SECRET_ACCESS_KEY", ""}});
  ASSERT_FALSE(no_secret);
  EXPECT_THAT(no_secret.error().text(), HasSubstr("AWS_SECRET_ACCESS_KEY"));
  const auto broken = from_environment({{"AWS_ACCESS_KEY_ID", "id"}, {"AWS_SECRET_ACCESS_KEY", "my\r\nsecret"}});
  ASSERT_FALSE(broken);
  EXPECT_THAT(broken.error().text(), Not(HasSubstr("my")));
}

class S3CredentialsFile : public testing::Test {
 protected:
  std::filesystem::path written(const std::string& text) {
    std::ofstream(folder_.path() / "credentials") << text;
    return folder_.path() / "credentials";
  }

  test_support::TemporaryFolder folder_;
};

TEST_F(S3CredentialsFile, HasProfiles) {
  const auto file = written(
      "# of the whole team\n"
      "[default]\n"
      "aws_access_key_id = first id\n"
      "aws_secret_access_key = x\n"
      "\n"
      "[ quire ]\r\n"
      "; a remark\n"
      "AWS_ACCESS_KEY_ID=id\r\n"
      "aws_secret_access_key  =  se=cret/+\n"
      "aws_session_token = token\n"
      "region = nowhere\n"
      "[other]\n"
      "aws_access_key_id = third\n");
  const auto read = credentials_from_file(file, "quire");
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(*read, (Credentials{"id", "se=cret/+", "token"}));
  for (const std::string profile : {"default", "other", "missing", ""}) {
    const auto unusable = credentials_from_file(file, profile);
    ASSERT_FALSE(unusable) << profile;
    EXPECT_EQ(unusable.error().kind(), ErrorKind::service_unavailable);
    EXPECT_THAT(unusable.error().text(), HasSubstr(file.string()));
    EXPECT_THAT(unusable.error().text(), Not(HasSubstr("third")));
  }
}

TEST_F(S3CredentialsFile, MustBeReadable) {
  const auto missing = credentials_from_file(folder_.path() / "nothing", "default");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind(), ErrorKind::service_unavailable);
  EXPECT_FALSE(credentials_from_file(folder_.path(), "default"));
  EXPECT_FALSE(credentials_from_file(written(std::string((1U << 20U) + 1, '\n')), "default"));
}

}  // namespace
}  // namespace quire::adapters::s3
