#include "main/settings.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/pfr.hpp>
#include <concepts>
#include <fstream>
#include <set>

namespace quire::main {
namespace {

std::string write_file(const std::string& text) {
  const std::string path = testing::TempDir() + "quire-settings-" + std::to_string(::getpid()) + ".toml";
  std::ofstream(path) << text;
  return path;
}

TEST(Settings, KeysAreUniqueAndEveryDefaultCanBeSetAgain) {
  std::set<std::string> keys;
  const Settings defaults;
  for (const auto& definition : setting_definitions()) {
    EXPECT_TRUE(keys.insert(definition.key).second) << definition.key;
    EXPECT_FALSE(definition.description.empty()) << definition.key;
    Settings settings;
    const auto values = definition.get(defaults);
    if (!values.empty()) {
      EXPECT_TRUE(definition.set(settings, values)) << definition.key;
    }
    EXPECT_EQ(definition.get(settings), values) << definition.key;
  }
}

TEST(Settings, ThePrintedDefaultsAreAFileThatChangesNothing) {
  Settings settings;
  const auto read = read_settings_file(write_file(default_settings_file()), settings);
  ASSERT_TRUE(read) << read.error().text();
  const Settings defaults;
  for (const auto& definition : setting_definitions())
    EXPECT_EQ(definition.get(settings), definition.get(defaults)) << definition.key;
}

TEST(Settings, AFileSetsDurationsSizesAndLists) {
  Settings settings;
  ASSERT_TRUE(read_settings_file(
      write_file("update_session_timeout = \"90s\"\nbody_bytes_max = \"2MiB\"\nstorage = [\"a\", \"b=/srv/b\"]\n"
                 "logins_max = 7\n"),
      settings));
  EXPECT_EQ(settings.service.update_session_timeout, std::chrono::seconds(90));
  EXPECT_EQ(settings.http.body_bytes_max, std::size_t{2} << 20U);
  EXPECT_EQ(settings.storage, (std::vector<std::string>{"a", "b=/srv/b"}));
  EXPECT_EQ(settings.limits.logins_max, 7U);
}

/// How many members of `Bounds`, found at `place` in the settings, some setting changes.
template <class Bounds>
std::size_t members_with_a_setting(Bounds Settings::* place) {
  const Settings defaults;
  std::set<std::size_t> changed;
  for (const auto& definition : setting_definitions()) {
    Settings settings;
    for (const auto* value : {"7654321", "7654s"}) (void)definition.set(settings, {value}).operator bool();
    boost::pfr::for_each_field(settings.*place, [&](const auto& member, std::size_t index) {
      boost::pfr::for_each_field(defaults.*place, [&](const auto& other, std::size_t at) {
        if constexpr (std::same_as<decltype(member), decltype(other)>)
          if (at == index && member != other) changed.insert(index);
      });
    });
  }
  return changed.size();
}

TEST(Settings, EveryLimitIsASetting) {
  EXPECT_EQ(members_with_a_setting(&Settings::limits), boost::pfr::tuple_size_v<content::Limits>);
  // `calls_may_wait` and `activity_interval` are no limits: they follow from the kind of catalog and the time-outs.
  EXPECT_EQ(members_with_a_setting(&Settings::http), boost::pfr::tuple_size_v<http::ServerLimits> - 2);
}

TEST(Settings, TheDocumentIsTheOneThatIsCheckedIn) {
  std::ifstream file(QUIRE_DOCS_FOLDER "/settings.md");
  const std::string checked_in((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  EXPECT_TRUE(checked_in == settings_document())
      << "docs/settings.md is not what the definitions say; run `make generate`.";
}

TEST(Settings, MistakesNameTheFileAndTheLine) {
  Settings settings;
  for (const char* text : {"\nno_such_key = 1\n", "\nupdate_session_timeout = \"soon\"\n", "\nstorage = \"a\"\n",
                           "\nlisten = [\n", "\nlogins_max = 0\n", "\npassword_memory = \"512KiB\"\n",
                           "\npassword_passes = 17\n", "\npassword_lanes = 0\n"}) {
    const auto read = read_settings_file(write_file(text), settings);
    ASSERT_FALSE(read) << text;
    EXPECT_NE(read.error().text().find(", line "), std::string::npos) << read.error().text();
  }
}

TEST(Settings, DurationsAndSizesGoBothWays) {
  for (const char* duration : {"250ms", "30s", "5m", "2h", "0s"})
    EXPECT_EQ(duration_text(*parse_duration(duration)), duration);
  EXPECT_EQ(*parse_duration("0"), base::Duration(0));
  for (const char* bad : {"", "5", "m", "-5s", "5x", "5 s", "99999999999999999999s", "9223372036854775807h"})
    EXPECT_FALSE(parse_duration(bad)) << bad;
  for (const char* size : {"1", "64KiB", "16MiB", "2GiB", "0"}) EXPECT_EQ(size_text(*parse_size(size)), size);
  for (const char* bad : {"", "KiB", "1KB", "-1"}) EXPECT_FALSE(parse_size(bad)) << bad;
}

TEST(Settings, ListenAddresses) {
  EXPECT_EQ(parse_listen_address("127.0.0.1:0")->host, "127.0.0.1");
  EXPECT_EQ(parse_listen_address("[::1]:443")->host, "::1");
  EXPECT_EQ(parse_listen_address("[::1]:443")->port, 443);
  EXPECT_EQ(parse_listen_address(":8443")->host, "0.0.0.0");
  for (const char* bad : {"", "localhost", "localhost:", "localhost:x", "localhost:65536"})
    EXPECT_FALSE(parse_listen_address(bad)) << bad;
}

}  // namespace
}  // namespace quire::main
