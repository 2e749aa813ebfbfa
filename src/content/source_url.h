#pragma once

#include <string>
#include <string_view>

namespace quire::content {

/// Where a file is pulled from, as a client or a descriptor wrote it; read once. A value.
///
/// Any text makes one: whether it can be fetched is the Fetcher's answer. Secrets may stand in text(), so messages,
/// logs and whatever else people read show shown().
class SourceUrl {
 public:
  SourceUrl() = default;
  SourceUrl(std::string text);  // NOLINT(google-explicit-constructor): a URL is written as text
  SourceUrl(const char* text) : SourceUrl(std::string(text)) {}  // NOLINT(google-explicit-constructor)

  /// As it was written, user, password and query included.
  const std::string& text() const { return text_; }
  bool empty() const { return text_.empty(); }
  /// In lower case; empty when there is none.
  const std::string& scheme() const { return scheme_; }
  bool is_web() const { return scheme_ == "http" || scheme_ == "https"; }
  /// A file that the server itself can read.
  bool is_file() const { return scheme_ == "file" || scheme_ == "ds"; }
  /// For people: without user, password, query and fragment. Of a text that is no URL nothing is shown in which a
  /// password could stand.
  const std::string& shown() const { return shown_; }

  /// Scheme, host and port agree.
  bool same_origin(const SourceUrl& other) const;
  /// What `href` of a descriptor means that was read here (RFC 3986 5.2): escapes are kept, what no URI may hold is
  /// encoded once. User and password stay, as it is the same server.
  SourceUrl resolve(std::string_view href) const;
  /// The file that is called exactly `name` there: its percent signs and question marks are part of the name.
  SourceUrl sibling(std::string_view name) const;
  /// This URL with user and password of `other`, if it is of the same origin: they are for no other server.
  SourceUrl with_credentials_of(const SourceUrl& other) const;
  /// This URL with such a user and password, which are percent-encoded; unchanged where no host stands in it.
  SourceUrl with_credentials(std::string_view user, std::string_view password) const;
  bool has_credentials() const { return !user_info_.empty(); }

  bool operator==(const SourceUrl& other) const { return text_ == other.text_; }

 private:
  std::string text_;
  std::string scheme_;
  std::string user_info_;  ///< as written, without the `@`
  std::string authority_;  ///< host and port, in lower case, with the port that the scheme implies
  std::string shown_;
};

}  // namespace quire::content
