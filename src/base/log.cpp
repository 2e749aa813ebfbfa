#include "base/log.h"

#include <spdlog/formatter.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <boost/json.hpp>
#include <limits>
#include <memory>

#include "base/time.h"
#include "base/utf8.h"

namespace quire::base {
namespace {

thread_local std::string_view current_operation_id;

/// A path or a library's message may be long; nothing is cut.
std::string whole_displayable(std::string_view text) {
  return displayable(text, std::numeric_limits<std::size_t>::max());
}

/// Well-formed UTF-8; JSON escapes the rest.
std::string well_formed(std::string_view text) { return is_text(text) ? std::string(text) : whole_displayable(text); }

class LineFormatter final : public spdlog::formatter {
 public:
  explicit LineFormatter(LogFormat format) : format_(format) {}
  void format(const spdlog::details::log_msg& record, spdlog::memory_buf_t& destination) override {
    const auto line = log_line(record, format_) + '\n';
    destination.append(line.data(), line.data() + line.size());
  }
  std::unique_ptr<spdlog::formatter> clone() const override { return std::make_unique<LineFormatter>(format_); }

 private:
  const LogFormat format_;
};

}  // namespace

std::string log_line(const spdlog::details::log_msg& record, LogFormat format) {
  const auto time = to_text(std::chrono::floor<Duration>(record.time));
  const auto level_view = spdlog::level::to_string_view(record.level);
  const std::string_view level(level_view.data(), level_view.size());
  const std::string_view message(record.payload.data(), record.payload.size());
  if (format == LogFormat::text) return time + ' ' + std::string(level) + ' ' + whole_displayable(message);
  boost::json::object line;
  line["time"] = time;
  line["level"] = level;
  line["message"] = well_formed(message);
  if (!current_operation_id.empty()) line["operation_id"] = well_formed(current_operation_id);
  return boost::json::serialize(line);
}

void set_up_log(spdlog::level::level_enum level, LogFormat format) {
  auto logger = std::make_shared<spdlog::logger>("quire", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_formatter(std::make_unique<LineFormatter>(format));
  logger->set_level(level);
  logger->flush_on(spdlog::level::warn);
  spdlog::set_default_logger(std::move(logger));
}

LogScope::LogScope(std::string_view operation_id) : outer_(current_operation_id) {
  current_operation_id = operation_id;
}

LogScope::~LogScope() { current_operation_id = outer_; }

}  // namespace quire::base
