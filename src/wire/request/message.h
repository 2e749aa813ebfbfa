#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "content/blob_store.h"

namespace quire::wire {

/// Header field names compare without regard to (ASCII) case.
bool same_header_name(std::string_view a, std::string_view b);

/// Header fields in order; names compare without regard to case.
class Headers {
 public:
  void add(std::string name, std::string value) { fields_.emplace_back(std::move(name), std::move(value)); }
  /// Sets the field, in place of all of that name.
  void replace(std::string_view name, std::string value);
  /// The first of that name.
  std::optional<std::string_view> find(std::string_view name) const;
  bool contains(std::string_view name) const { return find(name).has_value(); }
  const std::vector<std::pair<std::string, std::string>>& all() const { return fields_; }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

/// An API request, whole.
struct Request {
  std::string method;
  std::string target;  ///< path and query as sent, still percent-encoded
  Headers headers;
  std::string body;
  std::string base_url;             ///< `https://host:port`, from the configured public URL or the Host header
  std::string client_address = {};  ///< of the other end of the connection, as numbers
};

/// The rest of an answer that has no end when it begins. Used by one thread at a time.
class ResponseStream {
 public:
  enum class State {
    more,   ///< ask again at once
    idle,   ///< ask again after wake or patience()
    ended,  ///< the answer ends here
  };
  struct Piece {
    std::string text;
    State state = State::ended;
  };

  virtual ~ResponseStream() = default;
  /// What there is to send now. Blocking.
  virtual Piece next() = 0;
  /// `wake` is called once after each next() that was idle, as soon as another one is worth it; from any thread.
  virtual void set_wake(std::function<void()> wake) = 0;
  /// How long an idle stream may wait at most.
  virtual base::Duration patience() const = 0;
};

/// Bytes that an answer consists of, with ranges and conditions by their entity tag, which is their digest
/// (architecture.md "A download").
struct ResponseFile {
  std::shared_ptr<content::BlobReader> bytes;
  std::string sha256;                         ///< of all of them, lower-case hexadecimal
  std::function<base::Result<void>()> touch;  ///< called now and then while they go out; an Error stops them
  bool is_download = false;                   ///< counts among the downloads
};

/// The HTTP layer adds Content-Length, Date and Connection. A body of status 204 is empty and has no Content-Type.
struct Response {
  int status = 200;
  Headers headers;
  std::string body;
  std::shared_ptr<ResponseFile> file = {};      ///< instead of the body, of an answer of 200; adds what its parts need
  std::shared_ptr<ResponseStream> stream = {};  ///< follows the head instead of the body; the connection ends after it
};

}  // namespace quire::wire
