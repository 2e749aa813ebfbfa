#pragma once

#include <string>

#include "api/operation.h"

namespace quire::wire {

/// Where an operation stands in legacy REST, derived from its service, name and input (content-library-api.md §1.2).
struct LegacyMapping {
  std::string service_path;        ///< `/rest/com/vmware/content/library/item/update-session`
  std::string method;              ///< `POST`
  std::string action;              ///< of `?~action=`; empty for none
  const api::Field* id = nullptr;  ///< the input member that stands in the path as `/id:{…}`
  bool in_query = false;           ///< the other members come from the query instead of the body
};

LegacyMapping legacy_mapping(const api::Operation& operation);

/// `keep_alive` and `keep-alive` name the same action: the form with dashes.
std::string dashed(std::string_view name);

}  // namespace quire::wire
