#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Members of answers, which come from others: what is not there or of another kind reads as nothing.
namespace quire::client {

const boost::json::value* find_member(const boost::json::value& value, std::string_view name);
std::string text_at(const boost::json::value& value, std::string_view name);
std::optional<std::int64_t> number_at(const boost::json::value& value, std::string_view name);
bool flag_at(const boost::json::value& value, std::string_view name);
/// The elements of an array; none of anything else.
const boost::json::array& elements_of(const boost::json::value& value);
/// A copy of an object; an empty one of anything else.
boost::json::object object_of(const boost::json::value& value);
/// The texts of an array of texts.
std::vector<std::string> texts_of(const boost::json::value& value);
/// `default_message` of the member, which is a localizable message.
std::string message_at(const boost::json::value& value, std::string_view name);

}  // namespace quire::client
