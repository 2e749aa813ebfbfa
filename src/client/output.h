#pragma once

#include <boost/json/object.hpp>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "client/command.h"

namespace quire::client {

/// What a command prints. For people: tables and texts on stdout, messages on stderr. With `--json`: an object a line
/// on stdout, each with `type`, the last one of type `result`; stderr stays for people. With `--quiet`: no progress and
/// no messages but errors. Any thread.
class Output {
 public:
  explicit Output(const Arguments& arguments);

  bool json() const { return json_; }
  bool quiet() const { return quiet_; }

  /// A line of JSON, with `--json` only.
  void object(std::string_view type, boost::json::object fields);
  /// A line of a table that prints when the command ends. `--json` prints `{"type": TYPE, TYPE: fields}` at once.
  void row(std::string_view type, std::vector<std::string> cells, boost::json::object fields);
  void heading(std::vector<std::string> cells) { heading_ = std::move(cells); }
  /// A line on stdout, for people only.
  void line(std::string_view text);
  /// Something that happened, on stderr.
  void note(std::string_view text);

  /// The end of the command: prints the table, the error on stderr, and the last line of JSON. Gives the exit code.
  int end(const base::Result<void>& outcome, boost::json::object fields = {});

 private:
  void print_table();

  const bool json_;
  const bool quiet_;
  std::mutex mutex_;
  std::vector<std::string> heading_;
  std::vector<std::vector<std::string>> rows_;
};

/// `4.0 GiB`.
std::string size_for_people(std::int64_t bytes);

}  // namespace quire::client
