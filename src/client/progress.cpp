#include "client/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace quire::client {
namespace {

constexpr auto remembered = std::chrono::seconds(10);
constexpr auto redraw_after = std::chrono::milliseconds(150);
constexpr auto plain_line_after = std::chrono::seconds(10);
constexpr auto json_line_after = std::chrono::seconds(1);
constexpr std::size_t narrowest_bar = 10;
constexpr std::size_t widest_bar = 40;

bool wants_bar(const Output& output) {
  const char* terminal = std::getenv("TERM");
  return !output.json() && !output.quiet() && isatty(STDERR_FILENO) == 1 &&
         (terminal == nullptr || std::strcmp(terminal, "dumb") != 0);
}

std::size_t terminal_width() {
  winsize size = {};
  constexpr std::size_t usual = 80;
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : usual;
}

}  // namespace

void RateMeter::note(Moment now, std::int64_t total_bytes) {
  samples_.push_back({now, total_bytes});
  while (samples_.size() > 2 && now - samples_[1].at >= remembered) samples_.pop_front();
}

double RateMeter::rate() const {
  if (samples_.size() < 2) return 0;
  const std::chrono::duration<double> time = samples_.back().at - samples_.front().at;
  const auto bytes = samples_.back().bytes - samples_.front().bytes;
  return time.count() <= 0 || bytes <= 0 ? 0 : static_cast<double>(bytes) / time.count();
}

std::string time_for_people(std::int64_t seconds) {
  constexpr std::int64_t minute = 60;
  constexpr std::int64_t hour = 3600;
  if (seconds >= hour)
    return fmt::format("{}:{:02}:{:02}", seconds / hour, seconds / minute % minute, seconds % minute);
  return fmt::format("{}:{:02}", seconds / minute, seconds % minute);
}

std::string progress_line(std::string_view label, std::int64_t done, std::optional<std::int64_t> total, double rate,
                          std::size_t width) {
  const auto speed = rate > 0 ? size_for_people(static_cast<std::int64_t>(rate)) + "/s" : std::string("-");
  if (!total) return fmt::format("{}  {}  {}", label, size_for_people(done), speed);
  const auto part = *total == 0 ? 1.0 : std::clamp(static_cast<double>(done) / static_cast<double>(*total), 0.0, 1.0);
  auto text = fmt::format("{:3.0f} %  {} of {}  {}", part * 100, size_for_people(done), size_for_people(*total), speed);
  if (rate > 0 && done < *total)
    text += "  " + time_for_people(static_cast<std::int64_t>(static_cast<double>(*total - done) / rate)) + " left";
  const auto used = label.size() + text.size() + 6;
  if (width < used + narrowest_bar)
    return fmt::format("{}  {}", label, text).substr(0, width == 0 ? std::string::npos : width - 1);
  const auto cells = std::min(width - used, widest_bar);
  const auto filled = static_cast<std::size_t>(part * static_cast<double>(cells));
  return fmt::format("{}  [{}{}]  {}", label, std::string(filled, '#'), std::string(cells - filled, '.'), text);
}

Progress::Progress(Output& output, std::string label)
    : output_(output), label_(std::move(label)), bar_(wants_bar(output)) {}

void Progress::tick(RateMeter::Moment now) {
  const auto done = done_.load();
  if (!begun_) {
    begun_ = now;
    done_at_begin_ = done;
    last_line_ = now;
    meter_.note(now, done);
    return;
  }
  const auto wait = bar_ ? std::chrono::duration_cast<std::chrono::nanoseconds>(redraw_after)
                         : std::chrono::nanoseconds(output_.json() ? std::chrono::nanoseconds(json_line_after)
                                                                   : std::chrono::nanoseconds(plain_line_after));
  if (now - last_line_ < wait) return;
  last_line_ = now;
  meter_.note(now, done);
  if (bar_) {
    draw();
  } else if (output_.json()) {
    boost::json::object line{{"bytes", done}, {"bytes_per_second", static_cast<std::int64_t>(meter_.rate())}};
    if (total_) {
      line["bytes_total"] = *total_;
      if (meter_.rate() > 0)
        line["seconds_left"] = static_cast<std::int64_t>(static_cast<double>(*total_ - done) / meter_.rate());
    }
    if (!output_.quiet()) output_.object("progress", std::move(line));
  } else {
    output_.note(progress_line(label_, done, total_, meter_.rate(), 0));
  }
}

void Progress::draw() {
  const auto text = "\r" + progress_line(label_, done_, total_, meter_.rate(), terminal_width()) + "\x1b[K";
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
  drawn_ = true;
}

void Progress::clear() {
  if (!std::exchange(drawn_, false)) return;
  std::fputs("\r\x1b[K", stderr);
  std::fflush(stderr);
}

void Progress::finish(RateMeter::Moment now, std::string_view verb) {
  clear();
  const auto moved = done_ - done_at_begin_;
  const std::chrono::duration<double> time = now - begun_.value_or(now);
  auto text = fmt::format("{} {} {}", label_, verb, size_for_people(done_));
  if (moved != done_) text += fmt::format(" ({} in this run)", size_for_people(moved));
  text += fmt::format(" in {}", time_for_people(std::llround(time.count())));
  if (time.count() > 0)
    text +=
        fmt::format(", {}/s", size_for_people(static_cast<std::int64_t>(static_cast<double>(moved) / time.count())));
  output_.note(text);
}

}  // namespace quire::client
