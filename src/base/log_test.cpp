#include "base/log.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace quire::base {
namespace {

std::string line(std::string_view message, LogFormat format) {
  const spdlog::string_view_t text(message.data(), message.size());
  const auto time = std::chrono::system_clock::time_point(std::chrono::milliseconds(1'767'225'600'123));
  return log_line(spdlog::details::log_msg(time, spdlog::source_loc(), "quire", spdlog::level::warn, text), format);
}

TEST(Log, TextIsOneLineWhateverAFileIsCalled) {
  EXPECT_EQ(line("file \"a b\" is gone", LogFormat::text), "2026-01-01T00:00:00.123Z warning file \"a b\" is gone");
  EXPECT_EQ(line("file a\n2026 error forged\r\x1b[2J\x7f", LogFormat::text),
            "2026-01-01T00:00:00.123Z warning file a\\x0a2026 error forged\\x0d\\x1b[2J\\x7f");
  EXPECT_EQ(line("caf\xC3\xA9 \xFF", LogFormat::text), "2026-01-01T00:00:00.123Z warning caf\xC3\xA9 \\xff");
  EXPECT_EQ(line(std::string(5000, 'x'), LogFormat::text).size(), 5000U + 33) << "nothing is cut";
}

TEST(Log, JsonIsOneObjectWhateverAFileIsCalled) {
  const auto hostile = line("file \"a\"\n{\"level\":\"info\"}\\ \xC2\x85", LogFormat::json);
  EXPECT_EQ(hostile.find('\n'), std::string::npos);
  const auto object = boost::json::parse(hostile).as_object();
  EXPECT_EQ(object.at("time"), "2026-01-01T00:00:00.123Z");
  EXPECT_EQ(object.at("level"), "warning");
  EXPECT_EQ(object.at("message"), "file \"a\"\n{\"level\":\"info\"}\\ \xC2\x85");
  EXPECT_FALSE(object.contains("operation_id"));
  EXPECT_EQ(boost::json::parse(line("bad \xFF", LogFormat::json)).at("message"), "bad \\xff");
}

TEST(Log, AScopeNamesTheCall) {
  const LogScope outer("outer");
  {
    const LogScope inner("inner \"1\"");
    EXPECT_EQ(boost::json::parse(line("x", LogFormat::json)).at("operation_id"), "inner \"1\"");
  }
  EXPECT_EQ(boost::json::parse(line("x", LogFormat::json)).at("operation_id"), "outer");
  const LogScope none("");
  EXPECT_FALSE(boost::json::parse(line("x", LogFormat::json)).as_object().contains("operation_id"));
}

}  // namespace
}  // namespace quire::base
