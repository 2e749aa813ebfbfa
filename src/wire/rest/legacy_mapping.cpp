#include "wire/rest/legacy_mapping.h"

#include <algorithm>

namespace quire::wire {

std::string dashed(std::string_view name) {
  std::string out(name);
  std::replace(out.begin(), out.end(), '_', '-');
  return out;
}

LegacyMapping legacy_mapping(const api::Operation& operation) {
  const auto& name = operation.facts.name;
  const auto& fields = operation.input->fields;
  LegacyMapping mapping;
  mapping.service_path = "/rest/" + dashed(operation.facts.service);
  std::replace(mapping.service_path.begin(), mapping.service_path.end(), '.', '/');
  if (name == "list") {
    mapping.method = "GET";
    mapping.in_query = true;
    return mapping;
  }
  if (!fields.empty() && fields.front().type->kind == api::TypeKind::string) mapping.id = &fields.front();
  const bool id_alone = mapping.id && fields.size() == 1;
  if (name == "create") {
    mapping.method = "POST";
  } else if (name == "get" && id_alone) {
    mapping.method = "GET";
  } else if (name == "update") {
    mapping.method = "PATCH";
  } else if (name == "set") {
    mapping.method = "PUT";
  } else if (name == "delete" && (id_alone || fields.empty())) {
    mapping.method = "DELETE";
  } else {
    mapping.method = "POST";
    mapping.action = dashed(name);
  }
  return mapping;
}

}  // namespace quire::wire
