#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "content/event.h"
#include "service/transaction/context.h"

namespace quire::work {

/// Writes the audit trail to where people keep their logs: each entry once, in order, as soon as append_new() runs
/// after it. Where the last run ended is stored after its lines are durable; so a crash between the two writes some
/// lines again (their numbers tell), and loses none, unless the server was down for longer than events are kept.
class AuditFile {
 public:
  /// `line_of`: an entry as one line without its end. `append`: makes lines durable; it gets whole lines.
  AuditFile(service::Context& context, std::function<std::string(const content::Event&)> line_of,
            std::function<base::Result<void>(std::string_view lines)> append);

  /// For one worker. Errors of `append` and of the catalog: the next run tries the same entries again.
  base::Result<void> append_new();

 private:
  service::Context& context_;
  std::function<std::string(const content::Event&)> line_of_;
  std::function<base::Result<void>(std::string_view lines)> append_;
};

}  // namespace quire::work
