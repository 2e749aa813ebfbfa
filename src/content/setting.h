#pragma once

#include <string>

namespace quire::content {

/// A fact of the installation: `server_guid`, the stored configuration.
struct Setting {
  std::string name;
  std::string value;
  bool operator==(const Setting&) const = default;
};

}  // namespace quire::content
