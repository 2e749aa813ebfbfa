#include "bundle/scrubber.h"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <cctype>

#include "base/hex.h"
#include "base/uri.h"

namespace quire::bundle {
namespace {

namespace json = boost::json;

constexpr std::size_t shortest_secret = 6;
constexpr std::size_t drawn_secret_digits = 32;

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }
bool is_name(char c) { return is_word(c) || c == '_' || c == '-'; }
bool is_hex(char c) { return std::isxdigit(static_cast<unsigned char>(c)) != 0; }
bool ends_url(char c) {
  return std::isspace(static_cast<unsigned char>(c)) != 0 || c == '"' || c == '\'' || c == '<' || c == '>' || c == '\\';
}

bool names_a_secret(std::string_view name) {
  constexpr std::array words = {"passw",       "passphrase", "secret",     "token",     "authorization",
                                "cookie",      "session-id", "session_id", "sessionid", "api-key",
                                "api_key",     "apikey",     "credential", "signature", "private-key",
                                "private_key", "pwd"};
  const auto folded = base::to_lower(name);
  return std::ranges::any_of(words, [&](std::string_view word) { return folded.find(word) != std::string::npos; });
}

/// A field whose value is the rest of its line.
bool takes_line(std::string_view name) {
  const auto folded = base::to_lower(name);
  return folded.ends_with("authorization") || folded.ends_with("cookie");
}

/// One pass over a text, from left to right: each rule looks at what begins at `at`, writes what stays of it and moves
/// on.
class Pass {
 public:
  Pass(std::string_view text, bool free_text) : text_(text), free_text_(free_text) { out_.reserve(text.size()); }

  std::string run() && {
    while (at_ < text_.size()) {
      const bool begins_word = at_ == 0 || !is_word(text_[at_ - 1]);
      if (private_key() || url() || (begins_word && (drawn() || password_digest()))) continue;
      if (free_text_ && begins_word && (shown_once() || scheme() || named())) continue;
      out_ += text_[at_++];
    }
    return std::move(out_);
  }

 private:
  std::string_view rest() const { return text_.substr(at_); }

  void remove_to(std::size_t end) {
    if (end <= at_) return;
    out_ += removed;
    at_ = end;
  }
  void keep_to(std::size_t end) {
    out_ += text_.substr(at_, end - at_);
    at_ = end;
  }
  /// The first place from `from` on whose character `stops`, or the end.
  template <class Stops>
  std::size_t find_end(std::size_t from, Stops stops) const {
    while (from < text_.size() && !stops(text_[from])) ++from;
    return from;
  }

  bool private_key() {
    if (!rest().starts_with("-----BEGIN ")) return false;
    const auto line_end = rest().find('\n');
    if (rest().substr(0, line_end).find("PRIVATE KEY") == std::string_view::npos) return false;
    constexpr std::string_view closing = "PRIVATE KEY-----";
    const auto first = rest().find(closing);
    const auto last = first == std::string_view::npos ? first : rest().find(closing, first + closing.size());
    remove_to(last == std::string_view::npos ? text_.size() : at_ + last + closing.size());
    return true;
  }

  /// `://user:password@host/path?query`: the host and the path stay.
  bool url() {
    constexpr std::string_view separator = "://";
    if (!rest().starts_with(separator)) return false;
    keep_to(at_ + separator.size());
    const auto authority_end =
        find_end(at_, [](char c) { return ends_url(c) || c == '/' || c == '?' || c == '#' || c == ','; });
    const auto sign = text_.substr(at_, authority_end - at_).rfind('@');
    if (sign != std::string_view::npos) remove_to(at_ + sign);
    while (at_ < text_.size() && !ends_url(text_[at_])) {
      if (text_[at_] == '?' || text_[at_] == '#') {
        keep_to(at_ + 1);
        remove_to(find_end(at_, ends_url));
        break;
      }
      if (!is_word(text_[at_ - 1]) && drawn()) continue;
      out_ += text_[at_++];
    }
    return true;
  }

  bool drawn() {
    const auto end = find_end(at_, [](char c) { return !is_hex(c); });
    if (end - at_ != drawn_secret_digits || (end < text_.size() && is_word(text_[end]))) return false;
    remove_to(end);
    return true;
  }

  bool password_digest() {
    if (!rest().starts_with("$argon2")) return false;
    remove_to(find_end(
        at_, [](char c) { return !is_word(c) && std::string_view("$=,+/.").find(c) == std::string_view::npos; }));
    return true;
  }

  /// `is ….  (shown only this once)`, as main/assembly.cpp says it.
  bool shown_once() {
    constexpr std::string_view before = "is ";
    if (!rest().starts_with(before)) return false;
    const auto end =
        find_end(at_ + before.size(), [](char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; });
    if (!text_.substr(end).starts_with(" (shown only this once)")) return false;
    keep_to(at_ + before.size());
    remove_to(end);
    return true;
  }

  bool scheme() {
    for (const std::string_view word : {"Bearer ", "Basic "}) {
      if (!rest().starts_with(word)) continue;
      const auto end = find_end(at_ + word.size(), [](char c) {
        return !is_word(c) && std::string_view("+/=._~-").find(c) == std::string_view::npos;
      });
      if (end - at_ - word.size() < shortest_secret) return false;
      keep_to(at_ + word.size());
      remove_to(end);
      return true;
    }
    return false;
  }

  /// `name=value`, `name: value`, `"name": "value"`.
  bool named() {
    if (at_ > 0 && is_name(text_[at_ - 1])) return false;
    const auto name_end = find_end(at_, [](char c) { return !is_name(c); });
    const auto name = text_.substr(at_, name_end - at_);
    if (name.empty() || !names_a_secret(name)) return false;
    auto at = name_end;
    const auto skip = [&](std::string_view characters) {
      while (at < text_.size() && characters.find(text_[at]) != std::string_view::npos) ++at;
    };
    skip("\\\"'");
    skip(" ");
    if (at >= text_.size() || (text_[at] != '=' && text_[at] != ':')) return false;
    ++at;
    skip(" ");
    const auto quote_begin = at;
    skip("\\");
    const bool quoted = at < text_.size() && (text_[at] == '"' || text_[at] == '\'');
    if (quoted) {
      const auto quote =
          text_.substr(quote_begin, at + 1 - quote_begin);  // `"`, or `\"` in a text that is quoted itself
      ++at;
      keep_to(at);
      remove_to(std::min(text_.find(quote, at), text_.size()));
      return true;
    }
    at = quote_begin;
    keep_to(at);
    remove_to(takes_line(name) ? find_end(at, [](char c) { return c == '\n' || c == '\r'; }) : value_end(at));
    return true;
  }
  std::size_t value_end(std::size_t at) const {
    return find_end(at, [](char c) {
      return std::isspace(static_cast<unsigned char>(c)) != 0 ||
             std::string_view(",;&)]}\"'").find(c) != std::string_view::npos;
    });
  }

  const std::string_view text_;
  const bool free_text_;
  std::size_t at_ = 0;
  std::string out_;
};

/// As it stands between quotes in JSON.
std::string escaped(std::string_view text) {
  const auto quoted = json::serialize(json::string(text));
  return quoted.substr(1, quoted.size() - 2);
}

}  // namespace

void Scrubber::add(std::string_view secret) {
  if (secret.size() < shortest_secret) return;
  for (const auto& form : {std::string(secret), escaped(secret), base::percent_encode_path(secret)})
    known_.insert(form);
}

void Scrubber::add_secrets_of_url(std::string_view url) {
  const auto add_both = [&](std::string_view secret) {
    add(secret);
    if (const auto decoded = base::percent_decode(secret)) add(*decoded);
  };
  const auto scheme = url.find("://");
  if (scheme == std::string_view::npos) return;
  const auto authority = url.substr(scheme + 3, url.find_first_of("/?#", scheme + 3) - scheme - 3);
  if (const auto sign = authority.rfind('@'); sign != std::string_view::npos)
    if (const auto colon = authority.substr(0, sign).find(':'); colon != std::string_view::npos)
      add_both(authority.substr(colon + 1, sign - colon - 1));
  auto query = url.find('?') == std::string_view::npos ? std::string_view() : url.substr(url.find('?') + 1);
  while (!query.empty()) {
    const auto one = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(one.size() + 1, query.size()));
    const auto equals = one.find('=');
    if (equals != std::string_view::npos && names_a_secret(one.substr(0, equals))) add_both(one.substr(equals + 1));
  }
}

std::string Scrubber::without_known(std::string_view text) const {
  std::string out(text);
  for (const auto& secret : known_)
    for (auto at = out.find(secret); at != std::string::npos; at = out.find(secret, at + removed.size()))
      out.replace(at, secret.size(), removed);
  return out;
}

std::string Scrubber::scrub(std::string_view text) const {
  const auto left = without_known(text);
  return Pass(left, false).run();
}

std::string Scrubber::scrub_free_text(std::string_view text) const {
  const auto left = without_known(text);
  return Pass(left, true).run();
}

json::value Scrubber::scrub_value(const json::value& value) const {
  if (const auto* text = value.if_string()) return json::string(scrub_free_text(std::string_view(*text)));
  if (const auto* array = value.if_array()) {
    json::array out;
    for (const auto& one : *array) out.push_back(scrub_value(one));
    return out;
  }
  if (const auto* object = value.if_object()) {
    json::object out;
    for (const auto& [name, member] : *object)
      out[name] = member.is_string() && names_a_secret(name) ? json::value(removed) : scrub_value(member);
    return out;
  }
  return value;
}

}  // namespace quire::bundle
