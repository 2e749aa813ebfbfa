#include "wire/rest/new_rest_mapping.h"

#include <algorithm>

#include "base/check.h"

namespace quire::wire {
namespace {

using api::TypeKind;

std::vector<PathSegment> segments_of(std::string_view path) {
  std::vector<PathSegment> segments;
  while (!path.empty()) {
    QUIRE_CHECK(path.front() == '/');
    path.remove_prefix(1);
    const auto text = path.substr(0, path.find('/'));
    path.remove_prefix(text.size());
    QUIRE_CHECK(!text.empty());
    if (text.front() == '{')
      segments.push_back({std::string(text.substr(1, text.size() - 2)), true});
    else
      segments.push_back({std::string(text), false});
  }
  return segments;
}

bool is_structure(const api::Type& type) {
  return type.kind == TypeKind::structure ||
         (type.kind == TypeKind::optional && type.element->kind == TypeKind::structure);
}

}  // namespace

NewRestMapping new_rest_mapping(const api::Operation& operation) {
  return new_rest_mapping(operation, operation.facts.method);
}

NewRestMapping new_rest_mapping(const api::Operation& operation, std::string_view method) {
  const auto& facts = operation.facts;
  NewRestMapping mapping;
  mapping.path = segments_of(facts.path);
  std::size_t rest = 0;
  std::size_t last = 0;
  for (const auto& field : operation.input->fields) {
    const bool in_path = std::any_of(mapping.path.begin(), mapping.path.end(), [&](const PathSegment& segment) {
      return segment.is_input && segment.text == field.name;
    });
    if (in_path) {
      mapping.places.push_back(InputPlace::path);
    } else if (field.name == "client_token") {
      mapping.places.push_back(InputPlace::client_token);
    } else if (method == "GET" || method == "DELETE") {
      mapping.places.push_back(InputPlace::query);
    } else {
      ++rest;
      last = mapping.places.size();
      mapping.places.push_back(InputPlace::body_member);
    }
  }
  if (rest == 1 && !facts.members_in_body && is_structure(*operation.input->fields[last].type))
    mapping.places[last] = InputPlace::whole_body;
  return mapping;
}

}  // namespace quire::wire
