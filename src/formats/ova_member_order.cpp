#include "formats/ova_member_order.h"

#include "base/file_name.h"
#include "base/hex.h"
#include "base/utf8.h"

namespace quire::formats {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;

constexpr std::string_view descriptor_ending = ".ovf";

Error refuse(std::string_view name, std::string reason) {
  return {ErrorKind::invalid_argument,
          "quire.ova.order",
          "The OVA cannot be used: {reason}. Make the archive again, the descriptor first.",
          {{"reason", std::move(reason)}, {"name", base::displayable(name)}}};
}

std::string quoted(std::string_view name) { return "'" + base::displayable(name) + "'"; }

std::string_view without_ending(std::string_view name) { return name.substr(0, name.rfind('.')); }

bool is_named(const std::set<std::string, std::less<>>& names, std::string_view name) {
  const auto decoded = base::decoded_file_name(name);
  return names.contains(name) || (decoded && names.contains(*decoded));
}

}  // namespace

PackageFileKind package_file_kind(std::string_view name) {
  if (base::apple_double_of(name)) return PackageFileKind::other;
  const auto lower = base::to_lower(name);
  if (lower.ends_with(descriptor_ending)) return PackageFileKind::descriptor;
  if (lower.find('/') != std::string::npos) return PackageFileKind::other;
  if (lower.ends_with(".mf")) return PackageFileKind::manifest;
  if (lower.ends_with(".cert")) return PackageFileKind::certificate;
  return PackageFileKind::other;
}

Result<PackageFileKind> OvaMemberOrder::next(std::string_view name) {
  note(name);
  const auto kind = package_file_kind(name);
  auto checked = check(kind, name);
  if (const auto original = base::apple_double_of(name)) {
    if (!checked && !names_.contains(*original)) misplaced_doubles_.emplace(*original, checked.error());
    return kind;
  }
  if (!checked) return checked.error();
  if (kind == PackageFileKind::descriptor) {
    descriptor_ = name;
  } else if (kind == PackageFileKind::other) {
    others_ = true;
  } else {
    (kind == PackageFileKind::manifest ? manifest_ : certificate_) = true;
    ending_ = others_;
  }
  return kind;
}

void OvaMemberOrder::note(std::string_view name) {
  names_.emplace(name);
  misplaced_doubles_.erase(std::string(name));
}

Result<void> OvaMemberOrder::check(PackageFileKind kind, std::string_view name) const {
  if (descriptor_.empty()) {
    if (kind != PackageFileKind::descriptor)
      return refuse(name, "its first member " + quoted(name) + " is not an .ovf descriptor");
    if (name.find('/') != std::string_view::npos)
      return refuse(name, "its descriptor " + quoted(name) + " lies in a directory");
    return {};
  }
  if (kind == PackageFileKind::descriptor) return refuse(name, quoted(name) + " is a second descriptor");
  if (kind == PackageFileKind::other) {
    if (ending_ && (!named_ || is_named(*named_, name)))
      return refuse(name, quoted(name) + " stands behind a manifest or certificate that must come last");
    return {};
  }
  if (kind == PackageFileKind::manifest ? manifest_ : certificate_) {
    return refuse(name, quoted(name) + " is a second manifest or certificate");
  }
  if (without_ending(name) != without_ending(descriptor_)) {
    return refuse(name, quoted(name) + " is not called as the descriptor " + quoted(descriptor_) + " is");
  }
  return {};
}

Result<void> OvaMemberOrder::finish() const {
  if (!misplaced_doubles_.empty()) return misplaced_doubles_.begin()->second;
  if (descriptor_.empty()) return refuse("", "it has no member");
  if (certificate_ && !manifest_)
    return refuse(descriptor_, "it has a certificate, but no manifest that it could sign");
  return {};
}

}  // namespace quire::formats
