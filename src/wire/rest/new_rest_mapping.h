#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/operation.h"

namespace quire::wire {

/// Where a member of an operation's input stands in a new REST request.
enum class InputPlace {
  path,
  query,
  client_token,  ///< query, or header Client-Token (content-library-api.md §1.10)
  whole_body,    ///< the body is this structure
  body_member,
};

struct PathSegment {
  std::string text;  ///< a literal, or the name of the input member
  bool is_input = false;
};

/// Where an operation stands in new REST, derived from its facts and input (§1.3; operation.h).
struct NewRestMapping {
  std::vector<PathSegment> path;   ///< below `/api`
  std::vector<InputPlace> places;  ///< of the input's fields, in their order

  /// True when the member must be in the query.
  bool needs_in_query(const api::Operation& operation, std::size_t field) const {
    return places[field] == InputPlace::query && operation.input->fields[field].type->kind != api::TypeKind::optional;
  }
};

NewRestMapping new_rest_mapping(const api::Operation& operation);
/// The same for a request of another method than the facts say.
NewRestMapping new_rest_mapping(const api::Operation& operation, std::string_view method);

}  // namespace quire::wire
