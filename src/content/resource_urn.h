#pragma once

#include <string_view>

#include "base/result.h"

namespace quire::content {

/// InvalidArgument unless `urn` names a resource as `<scheme>:<namespace>:<type>:<identifier>` (content-library-api.md
/// §20): four or more parts, none empty, of the characters that URIs have.
base::Result<void> check_resource_urn(std::string_view urn);

}  // namespace quire::content
