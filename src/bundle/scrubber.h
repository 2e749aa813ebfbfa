#pragma once

#include <boost/json/value.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace quire::bundle {

/// What stands in the place of a secret.
inline constexpr std::string_view removed = "(removed)";

/// Takes secrets out of texts that leave the machine: those that it was told of, and whatever looks like one. When in
/// doubt it takes too much.
class Scrubber {
 public:
  /// A secret that is known. Shorter ones than six bytes stand everywhere by chance and are left alone.
  void add(std::string_view secret);
  /// The passwords of a URL: the one before the host, and every value of its query.
  void add_secrets_of_url(std::string_view url);

  /// For texts whose words are those of this program, such as settings: known secrets, words of 32 hexadecimal digits
  /// (what the server draws as a secret is one), user, password, query and fragment of URLs, private keys and digests
  /// of passwords.
  std::string scrub(std::string_view text) const;

  /// For texts of anybody, such as logs: all that, the value behind a name like `password=`, `"token":` or
  /// `Authorization:`, credentials behind `Basic` and `Bearer`, and the password that a first start shows.
  std::string scrub_free_text(std::string_view text) const;

  /// The texts in a value as free texts; a text under the name of a secret goes as a whole.
  boost::json::value scrub_value(const boost::json::value& value) const;

 private:
  std::string without_known(std::string_view text) const;

  struct LongerFirst {
    bool operator()(const std::string& one, const std::string& other) const {
      return one.size() != other.size() ? one.size() > other.size() : one < other;
    }
  };
  std::set<std::string, LongerFirst> known_;
};

}  // namespace quire::bundle
