#include "formats/ova_stream.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "base/file_name.h"
#include "base/utf8.h"
#include "formats/content_kind.h"
#include "formats/text_lines.h"

namespace quire::formats {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;

constexpr std::uint64_t max_member_size = std::numeric_limits<std::int64_t>::max();

/// A field of the header block (POSIX.1 ustar; GNU tar agrees on these).
struct Field {
  std::size_t start;
  std::size_t length;
};

constexpr Field name_field = {0, 100};
constexpr Field size_field = {124, 12};
constexpr Field sum_field = {148, 8};
constexpr std::size_t type_position = 156;
constexpr Field magic_field = {257, 8};
constexpr Field prefix_field = {345, 155};

constexpr std::string_view posix_magic{"ustar\0", 6};  // whatever version follows
constexpr std::string_view gnu_magic{"ustar  \0", 8};

std::string_view raw(std::string_view block, Field field) { return block.substr(field.start, field.length); }

/// A text field: up to its first NUL, or all of it.
std::string_view text(std::string_view block, Field field) {
  const auto whole = raw(block, field);
  return whole.substr(0, whole.find('\0'));
}

/// Blanks, octal digits, and nothing but blanks and NULs behind.
std::optional<std::uint64_t> octal(std::string_view field) {
  const auto first = field.find_first_not_of(' ');
  if (first == std::string_view::npos) return std::nullopt;
  field.remove_prefix(first);
  std::uint64_t value = 0;
  const auto [end, problem] = std::from_chars(field.data(), field.data() + field.size(), value, 8);
  if (problem != std::errc{}) return std::nullopt;
  const auto behind = field.substr(static_cast<std::size_t>(end - field.data()));
  if (std::any_of(behind.begin(), behind.end(), [](char c) { return c != ' ' && c != '\0'; })) return std::nullopt;
  return value;
}

/// GNU's way for sizes that twelve octal digits cannot hold: big-endian, the first byte's top bit set.
std::optional<std::uint64_t> base256(std::string_view field) {
  std::uint64_t value = static_cast<unsigned char>(field.front()) & 0x7FU;
  for (const char c : field.substr(1)) {
    if (value > max_member_size >> 8U) return std::nullopt;  // too large, or negative
    value = (value << 8U) | static_cast<unsigned char>(c);
  }
  return value;
}

std::optional<std::uint64_t> number(std::string_view field) {
  return (static_cast<unsigned char>(field.front()) & 0x80U) != 0 ? base256(field) : octal(field);
}

std::optional<std::uint64_t> decimal(std::string_view digits) {
  std::uint64_t value = 0;
  const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (problem != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

/// The sum of the header's bytes with the sum's own field taken as blanks. Some old writers added signed bytes.
bool sum_matches(std::string_view block) {
  const auto written = octal(raw(block, sum_field));
  if (!written) return false;
  std::int64_t unsigned_sum = 0;
  std::int64_t signed_sum = 0;
  for (std::size_t i = 0; i < block.size(); ++i) {
    const bool own = i >= sum_field.start && i < sum_field.start + sum_field.length;
    const char c = own ? ' ' : block[i];
    unsigned_sum += static_cast<unsigned char>(c);
    signed_sum += static_cast<signed char>(c);
  }
  const auto sum = static_cast<std::int64_t>(*written);
  return sum == unsigned_sum || sum == signed_sum;
}

bool is_zero(std::span<const std::byte> bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte byte) { return byte == std::byte{0}; });
}

std::string header_name(std::string_view block, bool posix) {
  const auto prefix = posix ? text(block, prefix_field) : std::string_view{};
  std::string name(text(block, name_field));
  return prefix.empty() ? name : std::string(prefix) + "/" + name;
}

/// Content that is not stored as it is, in the ways of GNU tar, star and Solaris.
bool is_sparse_key(std::string_view key) {
  return key.starts_with("GNU.sparse.") || key == "SCHILY.realsize" || key == "SUN.holesdata";
}

std::string_view kind_of(char type) {
  switch (type) {
    case '1':
    case '2':
    case 'K':
      return "a link";
    case '3':
    case '4':
    case '6':
      return "a device";
    case 'S':
      return "a sparse file";
    default:
      return "of a kind that an OVA cannot have";
  }
}

bool is_file_type(char type) { return type == '0' || type == '\0' || type == '7'; }

/// Directories have a type of their own; before they had one, a slash at the end of the name told them.
bool is_directory(char type, std::string_view name, std::uint64_t size) {
  return type == '5' || (is_file_type(type) && size == 0 && name.ends_with('/'));
}
bool is_extension_type(char type) { return type == 'x' || type == 'g' || type == 'L'; }

}  // namespace

Result<void> OvaStream::feed(std::span<const std::byte> bytes) {
  while (!failed_ && !bytes.empty()) {
    if (auto consumed = consume(bytes); !consumed) failed_ = consumed.error();
  }
  if (failed_) return *failed_;
  return {};
}

Result<void> OvaStream::finish() {
  if (!failed_ && state_ != State::second_end && state_ != State::after_end) {
    const bool no_header = offset_ < block_bytes;
    failed_ = invalid("it ends too early, without its end block" +
                      (no_header ? looks_like(std::span(block_).first(filled_)) : std::string()));
  }
  if (failed_) return *failed_;
  return {};
}

Result<void> OvaStream::consume(std::span<const std::byte>& bytes) {
  switch (state_) {
    case State::header:
      return take_header(bytes);
    case State::extension:
      return take_extension(bytes);
    case State::content:
      return take_content(bytes);
    case State::padding:
      cut(bytes, left_);
      if (left_ == 0) state_ = State::header;
      return {};
    case State::second_end:
      return take_second_end(bytes);
    case State::after_end:
      offset_ += bytes.size();
      bytes = {};
  }
  return {};
}

/// Takes at most `most` bytes off the front, counts them, and lowers left_ when it is what limits them.
std::span<const std::byte> OvaStream::cut(std::span<const std::byte>& bytes, std::uint64_t most) {
  const auto taken = bytes.first(static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), most)));
  bytes = bytes.subspan(taken.size());
  offset_ += taken.size();
  left_ -= taken.size();
  return taken;
}

Result<void> OvaStream::take_header(std::span<const std::byte>& bytes) {
  left_ = block_bytes - filled_;
  const auto taken = cut(bytes, left_);
  std::copy(taken.begin(), taken.end(), block_.begin() + static_cast<std::ptrdiff_t>(filled_));
  filled_ += taken.size();
  if (filled_ < block_bytes) return {};
  filled_ = 0;
  return read_header();
}

Result<void> OvaStream::take_extension(std::span<const std::byte>& bytes) {
  extension_ += text_of(cut(bytes, left_));
  return left_ == 0 ? end_extension() : Result<void>{};
}

Result<void> OvaStream::take_content(std::span<const std::byte>& bytes) {
  if (auto passed = visitor_.member_bytes(cut(bytes, left_)); !passed) return passed;
  return left_ == 0 ? end_file() : Result<void>{};
}

Result<void> OvaStream::take_second_end(std::span<const std::byte>& bytes) {
  left_ = block_bytes - filled_;
  const auto taken = cut(bytes, left_);
  const auto stray = std::find_if(taken.begin(), taken.end(), [](std::byte byte) { return byte != std::byte{0}; });
  offset_ -= static_cast<std::uint64_t>(taken.end() - stray);
  if (stray != taken.end()) return invalid("the second end block is not made of zeros");
  filled_ += taken.size();
  if (filled_ == block_bytes) state_ = State::after_end;
  return {};
}

void OvaStream::skip_padding_of(std::uint64_t size) {
  left_ = (block_bytes - size % block_bytes) % block_bytes;
  state_ = left_ == 0 ? State::header : State::padding;
}

Result<void> OvaStream::read_header() {
  if (is_zero(block_)) {
    if (override_.any) return invalid("it ends where a member was announced");
    state_ = State::second_end;
    return {};
  }
  const auto block = text_of(block_);
  const bool posix = raw(block, magic_field).starts_with(posix_magic);
  if (!sum_matches(block) || (!posix && raw(block, magic_field) != gnu_magic)) {
    return invalid(offset_ == block_bytes ? "it is not a tar archive in ustar, pax or GNU form" + looks_like(block_)
                                          : "a header is damaged or missing");
  }
  const char type = block[type_position];
  const auto size = number(raw(block, size_field));
  if (is_extension_type(type)) {
    if (!size) return invalid("the size of an extension header cannot be read");
    return begin_extension(type, *size);
  }
  auto name = override_.name ? *std::move(override_.name) : header_name(block, posix);
  const bool known = is_file_type(type) || type == '5';
  if (!known) return invalid("'" + base::displayable(name) + "' is " + std::string(kind_of(type)));
  if (!override_.size && !size) return invalid("the size of '" + base::displayable(name) + "' cannot be read");
  const auto member_size = override_.size ? *override_.size : *size;
  override_ = {};
  if (is_directory(type, name, member_size)) return pass_over_directory(name, member_size);
  return begin_file(std::string(base::without_leading_dot(name)), member_size);
}

Result<void> OvaStream::begin_extension(char type, std::uint64_t size) {
  if (size > max_ova_extension_bytes) {
    return invalid("an extension header is larger than " + std::to_string(max_ova_extension_bytes) + " bytes");
  }
  extension_type_ = type;
  extension_.clear();
  override_.any = override_.any || type != 'g';
  size_ = left_ = size;
  state_ = State::extension;
  return size == 0 ? end_extension() : Result<void>{};
}

Result<void> OvaStream::end_extension() {
  skip_padding_of(size_);
  if (extension_type_ != 'L') return read_pax(extension_type_ == 'g');
  const auto last = extension_.find_last_not_of('\0');
  return set_name(std::string_view(extension_).substr(0, last == std::string::npos ? 0 : last + 1));
}

/// Records of the form `LENGTH KEY=VALUE\n`, LENGTH being that of the whole record in decimal.
Result<void> OvaStream::read_pax(bool global) {
  for (std::string_view rest = extension_; !rest.empty();) {
    const auto blank = rest.find(' ');
    const auto length = decimal(rest.substr(0, blank));
    if (blank == std::string_view::npos || !length || *length > rest.size() || *length < blank + 2 ||
        rest[*length - 1] != '\n') {
      return invalid("a pax header cannot be read");
    }
    const auto record = rest.substr(blank + 1, *length - blank - 2);
    const auto equals = record.find('=');
    if (equals == std::string_view::npos) return invalid("a pax header cannot be read");
    if (auto taken = read_pax_record(global, record.substr(0, equals), record.substr(equals + 1)); !taken) return taken;
    rest.remove_prefix(*length);
  }
  return {};
}

Result<void> OvaStream::read_pax_record(bool global, std::string_view key, std::string_view value) {
  if (is_sparse_key(key)) return invalid("a member is a sparse file");
  if (key != "path" && key != "size") return {};
  if (global) return invalid("a global pax header sets '" + std::string(key) + "' for all members");
  if (key == "path") return set_name(value);
  if (override_.size) return invalid("a member has two sizes");
  override_.size = decimal(value);
  if (!override_.size || *override_.size > max_member_size) return invalid("the size in a pax header cannot be read");
  return {};
}

Result<void> OvaStream::set_name(std::string_view name) {
  if (override_.name) return invalid("a member has two names");
  override_.name = name;
  return {};
}

Result<void> OvaStream::pass_over_directory(std::string_view name, std::uint64_t size) {
  auto folder = base::without_leading_dot(name);
  const bool top = folder == "." || (folder.empty() && !name.empty());
  if (folder.ends_with('/')) folder.remove_suffix(1);
  if (const auto problem = base::file_name_problem(folder); problem && !top)
    return invalid("the name '" + base::displayable(name) + "' of a directory cannot be used: " + *problem);
  if (size != 0) return invalid("the directory '" + base::displayable(name) + "' has content");
  QUIRE_RETURN_IF_ERROR(count_name(name));
  visitor_.directory(top ? "." : folder);
  return {};
}

Result<void> OvaStream::count_name(std::string_view name) {
  name_bytes_ += name.size();
  if (name_bytes_ <= max_ova_name_bytes) return {};
  return invalid("the names of its members are longer than " + std::to_string(max_ova_name_bytes) + " bytes together");
}

Result<void> OvaStream::begin_file(std::string name, std::uint64_t size) {
  if (auto problem = base::file_name_problem(name)) {
    return invalid("the name '" + base::displayable(name) + "' cannot be used: " + *problem);
  }
  if (names_.size() == max_ova_members) {
    return invalid("it has more than " + std::to_string(max_ova_members) + " members");
  }
  QUIRE_RETURN_IF_ERROR(count_name(name));
  const auto [kept, fresh] = names_.insert(std::move(name));
  if (!fresh) return invalid("'" + *kept + "' stands there twice");
  size_ = left_ = size;
  state_ = State::content;
  if (auto begun = visitor_.begin_member(*kept, size); !begun) return begun;
  return size == 0 ? end_file() : Result<void>{};
}

Result<void> OvaStream::end_file() {
  skip_padding_of(size_);
  return visitor_.end_member();
}

Error OvaStream::invalid(std::string reason) const {
  return {ErrorKind::invalid_argument,
          "quire.ova.invalid",
          "The OVA cannot be used: {reason} (at byte {offset}). Make the archive again, or send it again.",
          {{"reason", std::move(reason)}, {"offset", static_cast<std::int64_t>(offset_)}}};
}

}  // namespace quire::formats
