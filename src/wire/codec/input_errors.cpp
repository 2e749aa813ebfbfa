#include "wire/codec/input_errors.h"

#include "base/utf8.h"

namespace quire::wire {
namespace {

void append(std::string& out, const InputPath& path) {
  if (path.parent) append(out, *path.parent);
  if (path.index) {
    out += '[' + std::to_string(*path.index) + ']';
  } else if (!path.name.empty()) {
    if (!out.empty()) out += '.';
    out += base::displayable(path.name);
  }
}

}  // namespace

std::string InputPath::text() const {
  std::string out;
  append(out, *this);
  return out.empty() ? "The body" : out;
}

base::Error required(const InputPath& path) {
  return base::Error(base::ErrorKind::invalid_argument, "quire.wire.required", "{member} is required.",
                     {{"member", path.text()}});
}

base::Error wrong_value(const InputPath& path, std::string_view expected) {
  return base::Error(base::ErrorKind::invalid_argument, "quire.wire.wrong_value", "{member} must be {expected}.",
                     {{"member", path.text()}, {"expected", std::string(expected)}});
}

base::Error too_many_elements(const InputPath& path) {
  return base::Error(base::ErrorKind::invalid_argument, "quire.wire.too_many_elements",
                     "{member} has more than {limit} elements.",
                     {{"member", path.text()}, {"limit", static_cast<std::int64_t>(elements_max)}});
}

}  // namespace quire::wire
