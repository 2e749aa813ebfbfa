#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "api/operation.h"

namespace quire::wire {

/// The OpenAPI 3.1 description of new REST, read out of the operations and their types. The same operations give the
/// same document, byte by byte once serialized.
///
/// A path key holds what tells an operation apart: `…/item?action=find`, `…/file?name={name}`. `x-vapi-service`,
/// `x-vapi-operation` and `x-privilege` name the operation on the other wires and what it needs, `x-resource-type` of
/// what a string is the identifier (api/identifiers.h). Links lead from what an operation makes to every operation that
/// takes its identifier; bodies have the examples of api/examples.h.
boost::json::object openapi_document(const std::vector<api::Operation>& operations);

/// The document as text, one line for each operation and each schema, so that a change shows as a small difference.
std::string openapi_text(const std::vector<api::Operation>& operations);

}  // namespace quire::wire
