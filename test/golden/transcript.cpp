#include "golden/transcript.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <vector>

namespace quire::golden {
namespace {

namespace json = boost::json;

constexpr std::size_t columns = 118;  // two are the transcript's own

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::string one_line(const json::value& value) {
  std::string out;
  const char* comma = "";
  if (const auto* object = value.if_object()) {
    for (const auto& member : *object) {
      out += comma + json::serialize(json::string(member.key())) + ": " + one_line(member.value());
      comma = ", ";
    }
    return "{" + out + "}";
  }
  if (const auto* array = value.if_array()) {
    for (const auto& element : *array) {
      out += comma + one_line(element);
      comma = ", ";
    }
    return "[" + out + "]";
  }
  return json::serialize(value);
}

/// A body as it can be read best: XML laid out, and JSON unless that would hide how it was written (a member twice).
std::string readable(const std::string& body) {
  json::error_code failed;
  const auto value = json::parse(body, failed);
  if (!failed) return json::serialize(value) == body ? pretty_json(value) : body;
  return body.find('<') == 0 ? pretty_xml(body) : body;
}

void add_marked(std::string& text, std::string_view mark, const std::string& body) {
  for (const auto& line : lines_of(body)) text += std::string(mark) + " " + line + "\n";
}

void add_message(std::string& text, std::string_view mark, const wire::Headers& headers, const std::string& body) {
  for (const auto& [name, value] : headers.all()) text += std::string(mark) + " " + name + ": " + value + "\n";
  if (!body.empty()) add_marked(text, mark, readable(body));
}

/// The first place where the two differ, with some lines around it.
std::string first_difference(const std::vector<std::string>& expected, const std::vector<std::string>& actual) {
  constexpr std::size_t around = 6;
  const auto [was, is] = std::mismatch(expected.begin(), expected.end(), actual.begin(), actual.end());
  const auto at = static_cast<std::size_t>(was - expected.begin());
  std::ostringstream out;
  out << "@@ line " << at + 1 << " @@\n";
  for (std::size_t i = at - std::min(at, around); i < at; ++i) out << "  " << expected[i] << '\n';
  for (std::size_t i = at; i < std::min(expected.size(), at + around); ++i) out << "- " << expected[i] << '\n';
  for (std::size_t i = at; i < std::min(actual.size(), at + around); ++i) out << "+ " << actual[i] << '\n';
  return out.str();
}

}  // namespace

void Transcript::heading(std::string_view text) { text_ += "\n# ===== " + std::string(text) + " =====\n"; }

void Transcript::exchange(std::string_view title, const wire::Request& request, const wire::Response& response) {
  text_ += "\n# " + std::to_string(++number_) + ". " + std::string(title) + "\n";
  text_ += "> " + request.method + " " + request.target + "\n";
  add_message(text_, ">", request.headers, request.body);
  text_ += "< " + std::to_string(response.status) + "\n";
  add_message(text_, "<", response.headers, response.body);
}

void Transcript::transfer(std::string_view request, std::string_view outcome) {
  text_ += "\n> " + std::string(request) + "\n< " + std::string(outcome) + "\n";
}

std::string pretty_json(const json::value& value, std::size_t column) {
  const auto line = one_line(value);
  if (column + line.size() <= columns || !value.is_structured()) return line;
  const std::string indent(column + 2, ' ');
  std::string out;
  const char* comma = "";
  // A lone member or element stays on the line of its bracket: JSON-RPC wraps every value in several of them.
  if (const auto* object = value.if_object()) {
    if (object->size() == 1) {
      const auto name = json::serialize(json::string(object->begin()->key())) + ": ";
      return "{" + name + pretty_json(object->begin()->value(), column) + "}";
    }
    for (const auto& member : *object) {
      const auto name = json::serialize(json::string(member.key())) + ": ";
      out += comma + ("\n" + indent) + name + pretty_json(member.value(), column + 2);
      comma = ",";
    }
    return "{" + out + "\n" + std::string(column, ' ') + "}";
  }
  const auto& elements = value.get_array();
  if (elements.size() == 1) return "[" + pretty_json(elements.front(), column) + "]";
  for (const auto& element : elements) {
    out += comma + ("\n" + indent) + pretty_json(element, column + 2);
    comma = ",";
  }
  return "[" + out + "\n" + std::string(column, ' ') + "]";
}

std::string pretty_xml(std::string_view xml) {
  std::string out;
  std::size_t depth = 0;
  bool text_before = false;  // an end tag after text, or after its own start tag, stays on the line
  while (!xml.empty()) {
    if (xml.front() != '<') {
      const auto text = xml.substr(0, xml.find('<'));
      text_before = text.find_first_not_of(" \r\n") != std::string_view::npos;
      if (text_before) out += text;
      xml.remove_prefix(text.size());
      continue;
    }
    const auto tag = xml.substr(0, xml.find('>') + 1);
    xml.remove_prefix(tag.size());
    const bool ends = tag.starts_with("</");
    const bool alone = tag.ends_with("/>") || tag.starts_with("<?") || tag.starts_with("<!");
    if (ends) --depth;
    if (!out.empty() && !(ends && text_before)) out += "\n" + std::string(2 * depth, ' ');
    out += tag;
    text_before = false;
    if (ends || alone) continue;
    ++depth;
    text_before = xml.starts_with("</");
  }
  return out;
}

void expect_golden(const std::string& name, const std::string& text) {
  const std::string path = std::string(QUIRE_GOLDEN_FOLDER) + "/" + name;
  if (std::getenv("QUIRE_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path, std::ios::binary) << text;
    return;
  }
  std::ifstream in(path, std::ios::binary);
  std::ostringstream stored;
  stored << in.rdbuf();
  if (stored.str() == text) return;
  ADD_FAILURE() << "The transcript is no longer that of test/golden/" << name << " (- stored, + now):\n"
                << first_difference(lines_of(stored.str()), lines_of(text))
                << "If the change is meant, run the test with QUIRE_UPDATE_GOLDEN=1 and review the difference.";
}

}  // namespace quire::golden
