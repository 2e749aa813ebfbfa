#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

/// What went wrong on the client's side, and the number that a script sees (docs/command-line.md "Commands and exit
/// codes").
namespace quire::client {

enum class ExitCode {
  done = 0,
  failed = 1,
  usage = 2,
  not_found = 3,
  not_allowed = 4,
  conflict = 5,
  network = 6,  ///< run again, and it goes on where it was
  refused = 7,  ///< the content is not what it is said to be, or not allowed
  interrupted = 130,
};

struct ExitCodeRow {
  ExitCode code;
  std::string_view meaning;
};
/// Every code with its meaning, for the manual.
const std::vector<ExitCodeRow>& exit_codes();

ExitCode exit_code(const base::Error& error);

base::Error usage_error(const std::string& text);
base::Error not_found(const std::string& text);
base::Error conflict(const std::string& text);
base::Error not_signed_in(const std::string& text);
/// The network or the server went away.
base::Error network_error(const std::string& text);
/// Bytes that are not what they are said to be, or not taken.
base::Error content_refused(const std::string& text);
/// Anything of this machine: files, terminal.
base::Error local_error(const std::string& text);
base::Error interrupted();

bool is_network_error(const base::Error& error);
bool is_interrupted(const base::Error& error);

/// All that `error` says, for people: the messages in their order, then the cause in brackets.
std::string full_text(const base::Error& error);

}  // namespace quire::client
