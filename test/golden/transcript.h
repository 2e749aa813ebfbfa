#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <string_view>

#include "wire/request/message.h"

namespace quire::golden {

/// What went over a wire, for people to read and for tests to compare: `>` begins a line of a request, `<` one of the
/// answer, `#` the scenario's words.
class Transcript {
 public:
  void heading(std::string_view text);
  void exchange(std::string_view title, const wire::Request& request, const wire::Response& response);
  /// A transfer of bytes, which has no place in the API's bindings.
  void transfer(std::string_view request, std::string_view outcome);

  const std::string& text() const { return text_; }

 private:
  std::string text_;
  int number_ = 0;
};

/// JSON on as few lines as 120 columns allow.
std::string pretty_json(const boost::json::value& value, std::size_t column = 0);

/// One element a line, elements without children on one.
std::string pretty_xml(std::string_view xml);

/// Fails the running test unless `text` is what the file `name` of the golden folder holds. With QUIRE_UPDATE_GOLDEN=1
/// in the environment the file is written instead.
void expect_golden(const std::string& name, const std::string& text);

}  // namespace quire::golden
