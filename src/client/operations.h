#pragma once

#include <string_view>

namespace quire::client {

/// Where an operation of the API is found (wire-protocols.md §3.3, §3.4): in the REST form of vSphere 7.0 U2 and later
/// (`/api`), and in the one before (`/rest`), which older servers speak alone.
struct Operation {
  std::string_view name;
  std::string_view method;
  std::string_view path;  ///< below `/api`; `{name}` stands for an argument
  std::string_view body;  ///< the argument that is the whole body there; empty: an object of what is left
  std::string_view legacy_method = {};
  std::string_view legacy_path = {};  ///< below `/rest`; empty: the operation is not there
  /// Calling it again, when an answer was lost, does no harm: it changes nothing, as no GET does, or what it makes
  /// twice goes by itself (a session; with a `client_token` it is not made twice).
  bool repeatable = method == "GET";
};

/// The operation of that name; it must be one of the table.
const Operation& operation(std::string_view name);

}  // namespace quire::client
