#pragma once

#include <string_view>

#include "service/services.h"
#include "wire/request/message.h"

namespace quire::wire {

/// Published libraries for subscribers, below `/cls/vcsp/lib/<library>/` (vcsp.md §2, §9.3): `lib.json`, `items.json`,
/// `<item>/item.json`, `<item>/g<content version>/<file>`, and the other addresses by which odd clients ask for them.
/// All threads may call it.
class PublishedLibraries {
 public:
  explicit PublishedLibraries(service::Services& services) : services_(services) {}

  static bool owns(std::string_view path);
  /// Whether answering may take the time of opening a file.
  static bool opens_file(std::string_view path);

  Response handle(const Request& request) const;

 private:
  service::Services& services_;
};

}  // namespace quire::wire
