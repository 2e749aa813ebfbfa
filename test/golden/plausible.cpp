#include "golden/plausible.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace quire::golden {

namespace json = boost::json;
using api::TypeKind;

json::value plausible(const api::Type& type) {
  switch (type.kind) {
    case TypeKind::boolean:
      return true;
    case TypeKind::integer:
      return 1;
    case TypeKind::string:
    case TypeKind::secret:
      return "x";
    case TypeKind::datetime:
      return "2026-02-11T08:04:17.000Z";
    case TypeKind::enumeration:
      return json::string(type.enumerators.front());
    case TypeKind::optional:
      return plausible(*type.element);
    case TypeKind::list:
      return json::array{plausible(*type.element)};
    case TypeKind::map:
      return json::object{{"k", plausible(*type.element)}};
    case TypeKind::error:  // output only
    case TypeKind::structure:
      break;
  }
  json::object members;
  for (const auto& field : type.fields) members.emplace(field.name, plausible(*field.type));
  return members;
}

json::value& at_path(json::value& value, std::string_view path) {
  const auto dot = path.find('.');
  auto& member = value.as_object().at(path.substr(0, dot));
  return dot == std::string_view::npos ? member : at_path(member, path.substr(dot + 1));
}

}  // namespace quire::golden
