#include "wire/codec/json_text.h"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/value_stack.hpp>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/utf8.h"

namespace quire::wire {
namespace {

namespace json = boost::json;
using ErrorCode = json::error_code;
using Text = json::string_view;

/// Builds the value as json::parser does, and stops at a member that its object has already: json::parser would
/// silently keep the last one.
class UniqueMembers {
 public:
  static constexpr std::size_t max_object_size = json::object::max_size();
  static constexpr std::size_t max_array_size = json::array::max_size();
  static constexpr std::size_t max_key_size = json::string::max_size();
  static constexpr std::size_t max_string_size = json::string::max_size();

  UniqueMembers() { values_.reset(); }
  json::value release() { return values_.release(); }
  const std::optional<std::string>& twice() const { return twice_; }

  bool on_document_begin(ErrorCode&) { return true; }
  bool on_document_end(ErrorCode&) { return true; }
  bool on_object_begin(ErrorCode&) {
    members_.emplace_back();
    return true;
  }
  bool on_object_end(std::size_t size, ErrorCode&) {
    members_.pop_back();
    values_.push_object(size);
    return true;
  }
  bool on_array_begin(ErrorCode&) { return true; }
  bool on_array_end(std::size_t size, ErrorCode&) {
    values_.push_array(size);
    return true;
  }
  bool on_key_part(Text part, std::size_t, ErrorCode&) {
    key_.append(part.data(), part.size());
    values_.push_chars(part);
    return true;
  }
  bool on_key(Text part, std::size_t, ErrorCode& error) {
    key_.append(part.data(), part.size());
    values_.push_key(part);
    if (!members_.back().insert(key_).second) {
      twice_ = key_;
      error = json::error::syntax;
      return false;
    }
    key_.clear();
    return true;
  }
  bool on_string_part(Text part, std::size_t, ErrorCode&) {
    values_.push_chars(part);
    return true;
  }
  bool on_string(Text part, std::size_t, ErrorCode&) {
    values_.push_string(part);
    return true;
  }
  bool on_number_part(Text, ErrorCode&) { return true; }
  bool on_int64(std::int64_t number, Text, ErrorCode&) {
    values_.push_int64(number);
    return true;
  }
  bool on_uint64(std::uint64_t number, Text, ErrorCode&) {
    values_.push_uint64(number);
    return true;
  }
  bool on_double(double number, Text, ErrorCode&) {
    values_.push_double(number);
    return true;
  }
  bool on_bool(bool value, ErrorCode&) {
    values_.push_bool(value);
    return true;
  }
  bool on_null(ErrorCode&) {
    values_.push_null();
    return true;
  }
  bool on_comment_part(Text, ErrorCode&) { return true; }
  bool on_comment(Text, ErrorCode&) { return true; }

 private:
  json::value_stack values_;
  std::vector<std::unordered_set<std::string>> members_;  ///< of each object that is open
  std::string key_;
  std::optional<std::string> twice_;
};

}  // namespace

base::Result<json::value> parse_json(std::string_view text, std::size_t depth_max) {
  json::parse_options options;
  options.max_depth = depth_max;
  json::basic_parser<UniqueMembers> parser(options);
  ErrorCode error;
  const auto read = parser.write_some(false, text.data(), text.size(), error);
  if (const auto& twice = parser.handler().twice())
    return base::Error(base::ErrorKind::invalid_request, "quire.wire.json_member_twice",
                       "The body names the member {member} twice in one object.",
                       {{"member", base::displayable(*twice)}});
  if (!error && read < text.size()) error = json::error::extra_data;
  if (error)
    return base::Error(base::ErrorKind::invalid_request, "quire.wire.not_json",
                       "The body is not acceptable JSON: {reason}, at byte {byte}.",
                       {{"reason", error.message()}, {"byte", static_cast<std::int64_t>(read)}});
  return parser.handler().release();
}

}  // namespace quire::wire
