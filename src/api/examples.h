#pragma once

#include <string_view>

namespace quire::api {

/// A body that the operation of this full name takes in new REST, as JSON, for whoever reads OpenAPI or tries it out;
/// empty where it takes none. Good on any server but for identifiers and addresses, which are made up.
std::string_view example_of(std::string_view operation);

}  // namespace quire::api
