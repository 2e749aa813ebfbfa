#pragma once

#include <boost/json/value.hpp>
#include <string_view>

#include "api/type.h"

namespace quire::golden {

/// A value of the type with everything in it, as new REST writes it.
boost::json::value plausible(const api::Type& type);

/// A part of a value: `create_spec.library_id`.
boost::json::value& at_path(boost::json::value& value, std::string_view path);

}  // namespace quire::golden
