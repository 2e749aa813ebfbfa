#pragma once

#include <string>
#include <string_view>

#include "api/describe.h"

namespace quire::api {

/// An identifier with the type of its resource.
struct DynamicId {
  static constexpr std::string_view canonical_name = "com.vmware.vapi.std.dynamic_ID";
  std::string type;
  std::string id;
};
BOOST_DESCRIBE_STRUCT(DynamicId, (), (type, id))

}  // namespace quire::api
