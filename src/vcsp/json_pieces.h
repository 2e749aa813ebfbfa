#pragma once

#include <functional>
#include <optional>
#include <string_view>

/// Cuts a JSON text into pieces that can be parsed one by one, so that memory and blame are bounded by one piece. Only
/// quotes, brackets, commas and colons are looked at: whether a piece is JSON shows when it is parsed. Time grows with
/// the text's length alone, and what is nested deeper than 64 brackets below a piece is refused.
namespace quire::vcsp {

/// What is wrong, fitting after a subject: `is cut off`. nullopt: nothing.
using PieceProblem = std::optional<std::string_view>;

/// Calls `take` with the members of the object that `text` is: the key as it is written, with its quotes, and the
/// value. A problem may come after some members.
PieceProblem each_member(std::string_view text,
                         const std::function<void(std::string_view key, std::string_view value)>& take);

/// The same for the elements of an array.
PieceProblem each_element(std::string_view text, const std::function<void(std::string_view element)>& take);

}  // namespace quire::vcsp
