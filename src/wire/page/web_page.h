#pragma once

#include <string_view>

#include "wire/request/message.h"

namespace quire::wire {

/// The web page (docs/web-page.md), which the program carries in itself: `/` and everything below `/ui/`. Files with a
/// hash in their names never change and may be kept for ever; any other path below `/ui/` is the HTML of the page,
/// which looks at the address itself. Brotli for who takes it. Needs no login. All threads may call it.
class WebPage {
 public:
  static bool owns(std::string_view path);
  /// GET (HEAD as the router has it); 405 for others, 304 for who has it already.
  static Response handle(const Request& request);
};

}  // namespace quire::wire
