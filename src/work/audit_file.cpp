#include "work/audit_file.h"

#include <charconv>
#include <utility>
#include <vector>

#include "service/transaction/transaction.h"

namespace quire::work {
namespace {

constexpr std::string_view written_to_setting = "audit_file.written_to";
constexpr std::size_t entries_at_once = 1000;

std::int64_t number_of(const std::optional<std::string>& text) {
  std::int64_t number = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), number);
  return number;
}

}  // namespace

AuditFile::AuditFile(service::Context& context, std::function<std::string(const content::Event&)> line_of,
                     std::function<base::Result<void>(std::string_view lines)> append)
    : context_(context), line_of_(std::move(line_of)), append_(std::move(append)) {}

base::Result<void> AuditFile::append_new() {
  const auto caller = service::system_caller("audit file");
  for (;;) {
    QUIRE_ASSIGN_OR_RETURN(
        const auto events, service::read(context_, caller, [](service::View view) {
          const auto written_to = number_of(view->setting(written_to_setting));
          return base::Result<std::vector<content::Event>>(view->events_after(written_to, entries_at_once));
        }));
    if (events.empty()) return {};
    std::string lines;
    for (const auto& event : events) lines += line_of_(event) + '\n';
    QUIRE_RETURN_IF_ERROR(append_(lines));
    QUIRE_RETURN_IF_ERROR(service::write(context_, caller, [&](service::Transaction& t) -> base::Result<void> {
      t->put_setting(written_to_setting, std::to_string(events.back().number));
      return {};
    }));
  }
}

}  // namespace quire::work
