#include "http/response_head.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "base/hex.h"

namespace quire::http {
namespace {

std::string_view reason_of(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 416:
      return "Range Not Satisfiable";
    case 417:
      return "Expectation Failed";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    case 507:
      return "Insufficient Storage";
    default:
      return "Answer";
  }
}

void add_field(std::string& head, std::string_view name, std::string_view value) {
  head.append(name).append(": ");
  const auto value_at = head.size();
  head.append(value);
  std::replace_if(
      head.begin() + static_cast<std::ptrdiff_t>(value_at), head.end(),
      [](char c) { return c == '\r' || c == '\n' || c == '\0'; }, ' ');
  head.append("\r\n");
}

/// Nearly every answer is of the same second as the one before.
std::string_view date_of_second(std::chrono::sys_seconds second) {
  thread_local std::chrono::sys_seconds last{std::chrono::seconds(-1)};
  thread_local std::string text;
  if (second != last) {
    text = http_date(second);
    last = second;
  }
  return text;
}

}  // namespace

std::string http_date(base::Time time) {
  static constexpr std::array weekdays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(time - day));
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", weekdays[std::chrono::weekday(day).c_encoding()],
                     static_cast<unsigned>(date.day()), months[static_cast<unsigned>(date.month()) - 1],
                     static_cast<int>(date.year()), clock.hours().count(), clock.minutes().count(),
                     clock.seconds().count());
}

namespace {

std::string head_text(int status, const wire::Headers& headers, std::optional<std::uint64_t> content_length,
                      bool keep_alive, base::Time now) {
  std::string head;
  constexpr std::size_t usual_bytes = 512;
  head.reserve(usual_bytes);
  head.append("HTTP/1.1 ").append(std::to_string(status)).append(" ").append(reason_of(status)).append("\r\n");
  for (const auto& [name, value] : headers.all()) {
    if (status == 204 && base::to_lower(name) == "content-type") continue;
    add_field(head, name, value);
  }
  if (content_length) add_field(head, "Content-Length", std::to_string(*content_length));
  add_field(head, "Date", date_of_second(std::chrono::floor<std::chrono::seconds>(now)));
  add_field(head, "Server", "Quire");
  add_field(head, "Connection", keep_alive ? "keep-alive" : "close");
  head.append("\r\n");
  return head;
}

}  // namespace

std::string response_head(int status, const wire::Headers& headers, std::uint64_t content_length, bool keep_alive,
                          base::Time now) {
  const bool has_length = status != 204 && status != 304;
  return head_text(status, headers, has_length ? std::optional(content_length) : std::nullopt, keep_alive, now);
}

std::string endless_response_head(int status, const wire::Headers& headers, base::Time now) {
  return head_text(status, headers, std::nullopt, false, now);
}

}  // namespace quire::http
