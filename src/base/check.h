#pragma once

namespace quire::base {

/// Ends the process with the text on stderr: an invariant of our own does not hold, and going on could lose data.
[[noreturn]] void fail_check(const char* file, int line, const char* what);

}  // namespace quire::base

/// A broken invariant ends the process, in every build. Never for input: that gets an Error.
#define QUIRE_CHECK(condition)                                                   \
  do {                                                                           \
    if (!(condition)) ::quire::base::fail_check(__FILE__, __LINE__, #condition); \
  } while (false)
