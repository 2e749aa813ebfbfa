#include "adapters/objects/prefix_owner.h"

#include <array>
#include <boost/json.hpp>
#include <optional>
#include <span>
#include <string_view>

#include "base/digest.h"

namespace quire::adapters::objects {
namespace {

namespace json = boost::json;
using base::Error;
using base::ErrorKind;
using base::Result;
using content::ObjectStore;

constexpr std::size_t owner_bytes_max = 4096;

/// nullopt: nobody has written down whose the place is. Empty: what stands there is none of ours.
Result<std::optional<std::string>> owner_of(ObjectStore& objects) {
  std::array<std::byte, owner_bytes_max> buffer{};
  const auto count = objects.get(owner_key, 0, buffer);
  if (!count && count.error().kind() == ErrorKind::not_found) return std::optional<std::string>();
  if (!count) return count.error();
  const std::string_view text(reinterpret_cast<const char*>(buffer.data()), *count);
  boost::system::error_code failure;
  const auto value = json::parse(text, failure);
  const auto* object = failure ? nullptr : value.if_object();
  const auto* installation = object == nullptr ? nullptr : object->if_contains("installation");
  const auto* id = installation == nullptr ? nullptr : installation->if_string();
  return std::optional(id == nullptr ? std::string() : std::string(*id));
}

bool is_of(const std::string& owner, const std::string& installation) {
  return !owner.empty() && owner == installation;
}

Error of_another(const std::string& place) {
  return {ErrorKind::resource_in_use,
          "quire.storage.place_of_another",
          "{place} belongs to another installation of Quire: {key} there says so. Give each its own bucket or prefix.",
          {{"place", place}, {"key", std::string(owner_key)}}};
}

Error not_empty(const std::string& place) {
  return {
      ErrorKind::resource_in_use,
      "quire.storage.place_not_empty",
      "{place} is not empty, and there is no {key} that says whose it is. Give a prefix of which nothing else makes "
      "use.",
      {{"place", place}, {"key", std::string(owner_key)}}};
}

Result<void> check_empty(ObjectStore& objects, const std::string& place) {
  std::string next;
  do {  // a page may be empty, although others follow
    QUIRE_ASSIGN_OR_RETURN(const auto page, objects.list("", next));
    if (!page.objects.empty()) return not_empty(place);
    next = page.next;
  } while (!next.empty());
  return {};
}

}  // namespace

Result<void> claim_place(ObjectStore& objects, const std::string& installation, const std::string& place) {
  QUIRE_ASSIGN_OR_RETURN(const auto owner, owner_of(objects));
  if (owner) return is_of(*owner, installation) ? Result<void>() : of_another(place);
  QUIRE_RETURN_IF_ERROR(check_empty(objects, place));
  const auto text = json::serialize(json::object{{"installation", installation}}) + "\n";
  const auto bytes = std::as_bytes(std::span(text));
  auto written = objects.put(owner_key, bytes, base::digest_of(base::DigestAlgorithm::SHA256, bytes).hex);
  if (written || written.error().kind() != ErrorKind::already_exists) return written;
  return check_place(objects, installation, place);  // somebody was faster
}

Result<void> check_place(ObjectStore& objects, const std::string& installation, const std::string& place) {
  QUIRE_ASSIGN_OR_RETURN(const auto owner, owner_of(objects));
  if (owner && is_of(*owner, installation)) return {};
  return of_another(place);
}

}  // namespace quire::adapters::objects
