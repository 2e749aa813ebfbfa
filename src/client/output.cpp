#include "client/output.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/serialize.hpp>
#include <cstdio>
#include <utility>

#include "base/hex.h"
#include "client/failure.h"

namespace quire::client {
namespace {

namespace json = boost::json;

/// Characters rather than bytes, so that columns stand below each other.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

void print(std::FILE* stream, const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stream);
  std::fflush(stream);
}

/// What a terminal would take for a command shows as `?`: names come from others.
std::string shown(std::string_view text) {
  std::string safe(text);
  for (auto& c : safe)
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') || c == 0x7F) c = '?';
  return safe;
}

}  // namespace

Output::Output(const Arguments& arguments) : json_(arguments.has("json")), quiet_(arguments.has("quiet")) {}

void Output::object(std::string_view type, json::object fields) {
  if (!json_) return;
  json::object line{{"type", type}};
  for (auto& [name, value] : fields) line[name] = std::move(value);
  const std::lock_guard lock(mutex_);
  print(stdout, json::serialize(line) + '\n');
}

void Output::row(std::string_view type, std::vector<std::string> cells, json::object fields) {
  object(type, {{type, std::move(fields)}});
  const std::lock_guard lock(mutex_);
  rows_.push_back(std::move(cells));
}

void Output::line(std::string_view text) {
  if (json_) return;
  const std::lock_guard lock(mutex_);
  print(stdout, shown(text) + '\n');
}

void Output::note(std::string_view text) {
  if (quiet_) return;
  const std::lock_guard lock(mutex_);
  print(stderr, "quire: " + shown(text) + '\n');
}

void Output::print_table() {
  if (json_ || rows_.empty()) return;
  if (!heading_.empty()) rows_.insert(rows_.begin(), heading_);
  std::vector<std::size_t> widths;
  for (const auto& row : rows_) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  std::string text;
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += shown(row[i]);
      if (i + 1 < row.size()) line += std::string(widths[i] - width_of(row[i]) + 2, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + '\n';
  }
  print(stdout, text);
}

int Output::end(const base::Result<void>& outcome, json::object fields) {
  print_table();
  const auto code = outcome ? ExitCode::done : exit_code(outcome.error());
  json::object result;
  if (!outcome) {
    const auto text = full_text(outcome.error());
    print(stderr, "quire: " + shown(text) + '\n');
    result["status"] = "failed";
    result["error"] = json::object{{"kind", base::name_of(outcome.error().kind())}, {"message", text}};
  } else {
    result["status"] = "done";
  }
  result["exit_code"] = static_cast<int>(code);
  for (auto& [name, value] : fields) result[name] = std::move(value);
  object("result", std::move(result));
  return static_cast<int>(code);
}

std::string size_for_people(std::int64_t bytes) {
  constexpr std::array units = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  constexpr double step = 1024;
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= step && unit + 1 < units.size()) {
    value /= step;
    ++unit;
  }
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, units[unit]);
}

}  // namespace quire::client
