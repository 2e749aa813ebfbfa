#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "client/output.h"

namespace quire::client {

/// How fast something moves: the mean of the last ten seconds. One thread; time is a parameter.
class RateMeter {
 public:
  using Moment = std::chrono::steady_clock::time_point;

  void note(Moment now, std::int64_t total_bytes);
  /// Bytes a second; 0 while nothing can be said.
  double rate() const;

 private:
  struct Sample {
    Moment at;
    std::int64_t bytes;
  };
  std::deque<Sample> samples_;
};

/// `1:02:03`, `4:05`.
std::string time_for_people(std::int64_t seconds);
/// `  37 %  1.5 GiB of 4.0 GiB  210.3 MiB/s  0:12 left`; `width` is that of the terminal, 0 for no bar.
std::string progress_line(std::string_view label, std::int64_t done, std::optional<std::int64_t> total, double rate,
                          std::size_t width);

/// Shows how far a transfer is: a bar that redraws itself on a terminal, a plain line every ten seconds elsewhere, a
/// line of JSON each second with `--json`, nothing with `--quiet`. add() may be called by any thread, the rest by one.
class Progress {
 public:
  Progress(Output& output, std::string label);

  void set_total(std::optional<std::int64_t> total) { total_ = total; }
  /// Bytes that moved; negative for those that did not stay.
  void add(std::int64_t bytes) { done_ += bytes; }
  std::int64_t done() const { return done_; }
  std::optional<std::int64_t> total() const { return total_; }
  double rate() const { return meter_.rate(); }

  /// Several times a second, with the time that it is.
  void tick(RateMeter::Moment now);
  /// Takes the bar away and says a last line: what moved, how long it took and how fast.
  void finish(RateMeter::Moment now, std::string_view verb);
  /// Takes the bar away.
  void clear();

 private:
  void draw();

  Output& output_;
  const std::string label_;
  std::optional<std::int64_t> total_;
  std::atomic<std::int64_t> done_ = 0;
  RateMeter meter_;
  const bool bar_;
  bool drawn_ = false;
  std::optional<RateMeter::Moment> begun_;
  std::int64_t done_at_begin_ = 0;
  RateMeter::Moment last_line_;
};

}  // namespace quire::client
