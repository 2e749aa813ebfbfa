#include "service/subscription/source_item_rules.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/file_name.h"
#include "base/utf8.h"
#include "content/text.h"
#include "vcsp/reader.h"

namespace quire::service {
namespace {

using base::Message;

/// As many characters as fit, in well-formed UTF-8 without control characters that no text here has.
std::string bounded(const std::string& text, std::size_t characters_max) {
  std::string whole = base::is_text(text) ? text : base::displayable(text, text.size() * 4 + 4);
  std::string_view rest = whole;
  for (std::size_t count = 0; count < characters_max && !rest.empty(); ++count) base::take_code_point(rest);
  whole.resize(whole.size() - rest.size());
  return whole;
}

/// Versions begin with 1 here, and there is room to go on from whatever a publisher says.
std::int64_t usable_version(std::int64_t told) {
  return std::clamp<std::int64_t>(told, 1, std::numeric_limits<std::int64_t>::max() / 2);
}

Message unusable_file(const vcsp::File& file, const std::string& reason) {
  return base::make_message("quire.subscription.unusable_file", "Its file {file_name} cannot be had: {reason}.",
                            {{"file_name", base::displayable(file.name)}, {"reason", reason}});
}

}  // namespace

SourceDocument document_of(vcsp::Item item) {
  auto text = vcsp::write_item(item);
  return {std::move(item), std::move(text)};
}

base::Result<vcsp::Item> read_stored(const std::string& text) {
  auto item = vcsp::read_item(text);
  if (!item)
    return base::internal_error("a stored document of a publisher's item cannot be read: " + item.error().text());
  return item;
}

std::optional<Message> problem_of(const vcsp::Item& item, const content::Limits& limits) {
  if (const auto name = content::check_name("name", item.name, limits.name_chars_max); !name)
    return name.error().messages().front();
  if (item.files.size() > limits.files_per_item_max)
    return base::make_message("quire.subscription.too_many_files", "It has {count} files, more than {limit}.",
                              {{"count", static_cast<std::int64_t>(item.files.size())},
                               {"limit", static_cast<std::int64_t>(limits.files_per_item_max)}});
  std::int64_t total = 0;
  for (const auto& file : item.files) {
    if (const auto problem = base::file_name_problem(file.name))
      return unusable_file(file, "its name is bad: " + *problem);
    if (__builtin_add_overflow(total, file.size, &total)) return unusable_file(file, "no storage has so many bytes");
  }
  return std::nullopt;
}

bool is_same_file(const vcsp::File& before, const vcsp::File& now) {
  if (before.name != now.name || before.size != now.size || before.sha256 != now.sha256) return false;
  const auto generation_before = vcsp::generation_of(before);
  const auto generation_now = vcsp::generation_of(now);
  if (generation_before && generation_now) return *generation_before == *generation_now;
  return before.etag == now.etag;
}

bool are_same_files(const vcsp::Item& before, const vcsp::Item& now) {
  return std::ranges::equal(before.files, now.files, is_same_file);
}

void set_metadata(content::Item& item, const vcsp::Item& wanted, const content::Limits& limits) {
  auto description = bounded(wanted.description, limits.description_chars_max);
  const std::string type(vcsp::item_type_of(wanted.type));
  const bool is_other = item.name != wanted.name || item.description != description || item.type != type;
  item.name = wanted.name;
  item.description = std::move(description);
  item.type = type;
  item.source_id = wanted.id;
  item.metadata_version = std::max(item.metadata_version + (is_other ? 1 : 0),
                                   usable_version(wanted.metadata_version.value_or(wanted.version)));
}

bool has_metadata(const content::Item& item, const vcsp::Item& wanted, const content::Limits& limits) {
  auto as_wanted = item;
  set_metadata(as_wanted, wanted, limits);
  return as_wanted == item;
}

std::int64_t told_content_version(const vcsp::Item& wanted) {
  return usable_version(wanted.content_version.value_or(wanted.version));
}

std::int64_t next_content_version(const content::Item& item, const vcsp::Item& wanted) {
  return std::max(told_content_version(wanted), item.content_version + 1);
}

}  // namespace quire::service
