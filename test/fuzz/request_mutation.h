#pragma once

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/wire_server.h"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

/// Mutations of requests that stay well-formed, so that a run gets past the parser.
namespace quire::fuzz {

using Random = std::minstd_rand;

inline std::size_t below(Random& random, std::size_t limit) { return random() % limit; }

/// `text` as the fuzzer itself mutates bytes.
inline std::string damaged(std::string text, std::size_t room = 64) {
  const auto size = text.size();
  text.resize(size + room);
  text.resize(LLVMFuzzerMutate(reinterpret_cast<std::uint8_t*>(text.data()), size, text.size()));
  return text;
}

inline void add_values(boost::json::value& value, std::vector<boost::json::value*>& all) {
  all.push_back(&value);
  if (auto* object = value.if_object())
    for (auto& member : *object) add_values(member.value(), all);
  if (auto* array = value.if_array())
    for (auto& element : *array) add_values(element, all);
}

/// One value of the document becomes another, or loses, gains or repeats a member.
inline void mutate_json(boost::json::value& document, Random& random) {
  namespace json = boost::json;
  std::vector<json::value*> all;
  add_values(document, all);
  auto& value = *all[below(random, all.size())];
  const json::value other = *all[below(random, all.size())];
  const std::array<json::value, 15> telling{nullptr,
                                            true,
                                            0,
                                            -1,
                                            INT64_MAX,
                                            UINT64_MAX,
                                            1.5,
                                            1e308,
                                            "",
                                            "true",
                                            "\u00e4\u202e",
                                            json::string_view("\0", 1),
                                            json::string(3000, 'x'),
                                            json::array(),
                                            json::object()};
  const std::array<std::string_view, 4> wrappers{"OPTIONAL", "SECRET", "STRUCTURE", "key"};
  auto* object = value.if_object();
  auto* array = value.if_array();
  switch (below(random, 6)) {
    case 0:
      value = telling[below(random, telling.size())];
      return;
    case 1:
      value = other;
      return;
    case 2:
      if (object && !object->empty()) object->erase(object->begin() + below(random, object->size()));
      if (array && !array->empty()) array->erase(array->begin() + below(random, array->size()));
      return;
    case 3:
      if (object) object->emplace(damaged(object->empty() ? "name" : std::string(object->begin()->key())), other);
      if (array) array->push_back(other);
      return;
    case 4:
      value = json::object{{wrappers[below(random, wrappers.size())], other}};
      return;
    default:
      if (auto* text = value.if_string()) *text = damaged(std::string(*text));
      if (auto* number = value.if_int64()) *number = static_cast<std::int64_t>(random()) << below(random, 32);
  }
}

/// False when the text is no JSON.
inline bool mutate_json_text(std::string& text, Random& random) {
  boost::json::error_code failed;
  auto document = boost::json::parse(text, failed);
  if (failed) return false;
  mutate_json(document, random);
  text = boost::json::serialize(document);
  return true;
}

struct ElementSpan {
  std::size_t begin;      ///< of the start tag
  std::size_t end;        ///< after the end tag
  std::size_t inner;      ///< after the start tag
  std::size_t inner_end;  ///< of the end tag
};

/// The elements that have an end tag, as far as one can tell without reading XML in earnest.
inline std::vector<ElementSpan> elements_in(std::string_view xml) {
  std::vector<ElementSpan> found;
  std::vector<ElementSpan> open;
  for (auto at = xml.find('<'); at != std::string_view::npos; at = xml.find('<', at + 1)) {
    const auto end = xml.find('>', at);
    if (end == std::string_view::npos) break;
    if (xml[at + 1] == '/') {
      if (open.empty()) continue;
      auto span = open.back();
      open.pop_back();
      span.inner_end = at;
      span.end = end + 1;
      found.push_back(span);
    } else if (xml[at + 1] != '?' && xml[at + 1] != '!' && xml[end - 1] != '/') {
      open.push_back({at, 0, end + 1, 0});
    }
  }
  return found;
}

/// An element goes, appears twice, becomes another or holds another, or its content or start tag is damaged. False when
/// there is none.
inline bool mutate_xml_text(std::string& text, Random& random) {
  const auto all = elements_in(text);
  if (all.empty()) return false;
  const auto element = all[below(random, all.size())];
  const auto other = all[below(random, all.size())];
  const auto copy = text.substr(other.begin, other.end - other.begin);
  const auto inner = text.substr(element.inner, element.inner_end - element.inner);
  switch (below(random, 5)) {
    case 0:
      text.erase(element.begin, element.end - element.begin);
      return true;
    case 1:
      text.insert(element.end, copy);
      return true;
    case 2:
      text.replace(element.begin, element.end - element.begin, copy);
      return true;
    case 3:
      text.replace(element.inner, inner.size(), copy);
      return true;
    default:
      if (inner.empty() || inner.find('<') != std::string::npos)
        text.replace(element.begin, element.inner - element.begin,
                     damaged(text.substr(element.begin, element.inner - element.begin)));
      else
        text.replace(element.inner, inner.size(), damaged(inner));
      return true;
  }
}

/// For LLVMFuzzerCustomMutator: `mutate_body` most of the time, else the query or any bytes.
inline std::size_t mutate_request(std::uint8_t* data, std::size_t size, std::size_t max_size, unsigned seed,
                                  bool (*mutate_body)(std::string&, Random&)) {
  Random random(seed);
  auto request = RequestText::of({reinterpret_cast<const char*>(data), size});
  const auto choice = below(random, 8);
  const auto query = request.line.find('?');
  if (choice < 2 && query != std::string::npos)
    request.line = request.line.substr(0, query + 1) + damaged(request.line.substr(query + 1));
  else if (choice == 7 || !mutate_body(request.body, random))
    return LLVMFuzzerMutate(data, size, max_size);
  const auto text = request.text();
  size = std::min(text.size(), max_size);
  std::copy_n(text.begin(), size, data);
  return size;
}

}  // namespace quire::fuzz
