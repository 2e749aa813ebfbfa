#pragma once

#include "api/describe.h"
#include "content/event.h"

namespace quire::api {

template <>
inline constexpr std::string_view enumeration_name<content::EventKind> = "com.quire.events.kind";

}  // namespace quire::api
