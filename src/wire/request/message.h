#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace quire::wire {

/// Header field names compare without regard to (ASCII) case.
bool same_header_name(std::string_view a, std::string_view b);

/// Header fields in order; names compare without regard to case.
class Headers {
 public:
  void add(std::string name, std::string value) { fields_.emplace_back(std::move(name), std::move(value)); }
  /// The first of that name.
  std::optional<std::string_view> find(std::string_view name) const;
  bool contains(std::string_view name) const { return find(name).has_value(); }
  const std::vector<std::pair<std::string, std::string>>& all() const { return fields_; }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

/// An API request, whole.
struct Request {
  std::string method;
  std::string target;  ///< path and query as sent, still percent-encoded
  Headers headers;
  std::string body;
  std::string base_url;             ///< `https://host:port`, from the configured public URL or the Host header
  std::string client_address = {};  ///< of the other end of the connection, as numbers
};

/// The HTTP layer adds Content-Length, Date and Connection. A body of status 204 is empty and has no Content-Type.
struct Response {
  int status = 200;
  Headers headers;
  std::string body;
};

}  // namespace quire::wire
