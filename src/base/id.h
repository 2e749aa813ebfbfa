#pragma once

#include <compare>
#include <functional>
#include <ostream>
#include <string>
#include <utility>

namespace quire::base {

/// An identifier of one kind of thing; `Id<A>` and `Id<B>` do not mix. Opaque text, never parsed.
template <class Tag>
class Id {
 public:
  Id() = default;
  explicit Id(std::string text) : text_(std::move(text)) {}

  const std::string& text() const { return text_; }
  bool empty() const { return text_.empty(); }
  auto operator<=>(const Id&) const = default;

 private:
  std::string text_;
};

template <class Tag>
std::ostream& operator<<(std::ostream& out, const Id<Tag>& id) {
  return out << id.text();
}

}  // namespace quire::base

template <class Tag>
struct std::hash<quire::base::Id<Tag>> {
  std::size_t operator()(const quire::base::Id<Tag>& id) const { return std::hash<std::string>()(id.text()); }
};
