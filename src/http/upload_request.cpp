#include "http/upload_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "base/base64.h"
#include "base/hex.h"

namespace quire::http {
namespace {

using Place = service::UploadRequest::Place;
using base::DigestAlgorithm;

constexpr std::string_view partial_upload = "application/partial-upload";
/// Versions of the draft whose requests and answers are as they are here.
constexpr std::int64_t interop_version_min = 6;
constexpr std::int64_t interop_version_max = 8;
constexpr std::size_t listed_ranges_max = 256;

/// A structured field's integer (RFC 9651); nullopt for anything else, which counts as no field at all.
std::optional<std::int64_t> integer_of(std::optional<std::string_view> value) {
  if (!value) return std::nullopt;
  const auto text = trimmed(value->substr(0, value->find(';')));
  const auto number = decimal(text);
  constexpr std::uint64_t integer_max = 999'999'999'999'999;
  if (!number || *number > integer_max) return std::nullopt;
  return static_cast<std::int64_t>(*number);
}

std::optional<bool> boolean_of(std::optional<std::string_view> value) {
  if (!value) return std::nullopt;
  const auto text = trimmed(value->substr(0, value->find(';')));
  if (text == "?1") return true;
  if (text == "?0") return false;
  return std::nullopt;
}

std::optional<DigestAlgorithm> algorithm_of(std::string_view key) {
  if (key == "sha-256") return DigestAlgorithm::SHA256;
  if (key == "sha-512") return DigestAlgorithm::SHA512;
  if (key == "sha") return DigestAlgorithm::SHA1;
  if (key == "md5") return DigestAlgorithm::MD5;
  return std::nullopt;
}

/// Hexadecimal digits of what `:base64:` holds.
std::optional<std::string> hex_of_bytes(std::string_view item) {
  if (item.size() < 2 || item.front() != ':' || item.back() != ':') return std::nullopt;
  item = item.substr(1, item.size() - 2);
  const auto bytes = base::from_base64(item);
  if (!bytes || bytes->empty()) return std::nullopt;
  return base::to_hex(*bytes);
}

/// RFC 9530: `sha-256=:…:, sha-512=:…:`. Algorithms that are not known are passed over; nullopt for what is no digest.
std::optional<std::vector<base::Checksum>> digests_of(std::string_view value) {
  std::vector<base::Checksum> digests;
  while (true) {
    const auto comma = value.find(',');
    const auto member = trimmed(value.substr(0, comma));
    const auto equals = member.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const auto hex = hex_of_bytes(trimmed(member.substr(equals + 1)));
    if (!hex) return std::nullopt;
    if (const auto algorithm = algorithm_of(base::to_lower(trimmed(member.substr(0, equals))))) {
      if (hex->size() != base::hex_length(*algorithm)) return std::nullopt;
      digests.push_back({*algorithm, *hex});
    }
    if (comma == std::string_view::npos) return digests;
    value.remove_prefix(comma + 1);
  }
}

struct ContentRange {
  std::int64_t first = 0;
  std::int64_t last = 0;
  std::optional<std::int64_t> length;
};

std::optional<std::int64_t> position(std::string_view text) {
  const auto number = decimal(trimmed(text));
  if (!number || *number >= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return std::nullopt;
  return static_cast<std::int64_t>(*number);
}

/// `bytes first-last/length` with `*` for a length that is not known (RFC 9110 §14.4).
std::optional<ContentRange> content_range_of(std::string_view value) {
  value = trimmed(value);
  constexpr std::string_view unit = "bytes ";
  if (value.size() < unit.size() || base::to_lower(value.substr(0, unit.size())) != unit) return std::nullopt;
  value.remove_prefix(unit.size());
  const auto slash = value.find('/');
  const auto dash = value.find('-');
  if (slash == std::string_view::npos || dash == std::string_view::npos || dash > slash) return std::nullopt;
  const auto first = position(value.substr(0, dash));
  const auto last = position(value.substr(dash + 1, slash - dash - 1));
  const auto length_text = trimmed(value.substr(slash + 1));
  const auto length = position(length_text);
  if (!first || !last || *last < *first || (!length && length_text != "*") || (length && *last >= *length))
    return std::nullopt;
  return ContentRange{*first, *last, length};
}

/// Content that is wrapped, or packed, would be stored as it is sent.
std::optional<Refusal> refuse_wrapped(const wire::Headers& fields) {
  std::string coding;
  for (const auto& [name, value] : fields.all()) {
    if (!wire::same_header_name(name, "Content-Encoding")) continue;
    each_member(value, [&](std::string member) {
      if (member != "identity") coding = std::move(member);
    });
  }
  if (!coding.empty()) {
    return Refusal(415, base::make_message("quire.http.content_encoding",
                                           "Content-Encoding {coding} is not taken here: the bytes would be stored as "
                                           "sent. Send the file without it.",
                                           {{"coding", coding}}));
  }
  const auto type = fields.find("Content-Type").value_or("");
  if (base::to_lower(trimmed(type.substr(0, type.find(';')))).starts_with("multipart/")) {
    return Refusal(415, base::make_message("quire.http.multipart",
                                           "A form is not taken here: it would be stored together with its boundaries. "
                                           "Send the bytes of the file alone as the body (curl: --upload-file)."));
  }
  return std::nullopt;
}

Refusal bad_field(std::string_view field, std::string_view problem) {
  return {400, base::make_message("quire.http.upload_field", "{field}: {problem}",
                                  {{"field", std::string(field)}, {"problem", std::string(problem)}})};
}

}  // namespace

std::variant<UploadHead, Refusal> read_upload_head(const RequestHead& head) {
  UploadHead result;
  auto& request = result.request;
  if (auto refusal = refuse_wrapped(head.headers)) return *std::move(refusal);
  if (head.content_length) request.body_length = static_cast<std::int64_t>(*head.content_length);
  if (!head.chunked && !head.content_length) request.body_length = 0;

  if (const auto value = head.headers.find("Content-Digest")) {
    auto digests = digests_of(*value);
    if (!digests) return bad_field("Content-Digest", "is not of the form sha-256=:<base64>: (RFC 9530).");
    request.body_digests = *std::move(digests);
  }
  const bool patch = head.method == "PATCH";
  const auto content_range = head.headers.find("Content-Range");
  const auto complete = boolean_of(head.headers.find("Upload-Complete"));
  const auto offset = integer_of(head.headers.find("Upload-Offset"));
  request.file_length = integer_of(head.headers.find("Upload-Length"));

  if (content_range && !patch) {
    const auto range = content_range_of(*content_range);
    if (!range)
      return bad_field("Content-Range", "is not of the form bytes <first>-<last>/<length>, or <first>-<last>/*.");
    if (offset || complete)
      return bad_field("Content-Range", "cannot be used together with Upload-Offset or Upload-Complete.");
    const auto size = range->last - range->first + 1;
    if (head.content_length && request.body_length != size)
      return bad_field("Content-Range",
                       fmt::format("names {} bytes, but Content-Length is {}.", size, *head.content_length));
    if (range->first == 0 && range->length == size) {  // the whole file
      request.part_length = size;
      request.file_length = size;
      if (!request.body_length) request.body_length = size;
      return result;
    }
    request.place = Place::at_offset;
    request.offset = range->first;
    request.part_length = size;
    request.file_length = range->length;
    return result;
  }
  if (patch) {
    auto type = head.headers.find("Content-Type").value_or("");
    type = trimmed(type.substr(0, type.find(';')));
    if (base::to_lower(type) != partial_upload)
      return Refusal(415, base::make_message("quire.http.partial_upload",
                                             "A PATCH of an upload has the Content-Type application/partial-upload."));
    if (!offset) return bad_field("Upload-Offset", "must say at which byte the body goes on.");
    if (!complete) return bad_field("Upload-Complete", "must say ?1 if the file ends with this body, else ?0.");
  }
  request.ends_file = complete.value_or(true);
  if (offset && (patch || *offset != 0)) {
    request.place = Place::append;
    request.offset = *offset;
    return result;
  }
  result.creates = complete.has_value();
  const auto version = integer_of(head.headers.find("Upload-Draft-Interop-Version"));
  result.wants_interim =
      result.creates && version && *version >= interop_version_min && *version <= interop_version_max;
  return result;
}

wire::Headers upload_state_fields(const service::UploadState& state) {
  wire::Headers fields;
  fields.add("Upload-Offset", std::to_string(state.offset));
  fields.add("Upload-Complete", state.complete ? "?1" : "?0");
  if (state.length) fields.add("Upload-Length", std::to_string(*state.length));
  if (!state.complete && !state.received.empty()) {
    std::string ranges = "bytes=";
    for (std::size_t i = 0; i < std::min(state.received.size(), listed_ranges_max); ++i)
      ranges += fmt::format("{}{}-{}", i == 0 ? "" : ",", state.received[i].first, state.received[i].end - 1);
    fields.add("Upload-Ranges", ranges);
  }
  fields.add("Cache-Control", "no-store");
  return fields;
}

}  // namespace quire::http
