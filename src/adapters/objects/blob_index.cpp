#include "adapters/objects/blob_index.h"

#include <boost/json.hpp>
#include <exception>
#include <span>

#include "base/digest.h"

namespace quire::adapters::objects {
namespace {

constexpr std::int64_t format = 1;

std::string sha256_of_text(std::string_view text) {
  return base::digest_of(base::DigestAlgorithm::SHA256, std::as_bytes(std::span(text))).hex;
}

/// Throws what Boost.JSON throws when a member is missing or is something else.
base::Result<BlobIndex> read_index(const boost::json::value& from) {
  if (from.at("format").as_int64() != format) return base::internal_error("it has a format that is not known");
  BlobIndex index;
  index.size = from.at("size").as_int64();
  std::int64_t position = 0;
  for (const auto& one : from.at("segments").as_array()) {
    auto segment = segment_of(std::string_view(one.at("object").as_string()), one.at("bytes").as_int64());
    if (!segment) return base::internal_error("it names what is no segment");
    Extent extent{*std::move(segment), one.at("offset").as_int64(), one.at("length").as_int64()};
    if (extent.offset < 0 || extent.length <= 0 || extent.length > extent.segment.size - extent.offset ||
        extent.first() != position)
      return base::internal_error("its segments do not fit together");
    position = extent.end();
    index.extents.push_back(std::move(extent));
  }
  if (position != index.size) return base::internal_error("its segments do not make its size");
  return index;
}

}  // namespace

std::string text_of(const BlobIndex& index) {
  boost::json::array segments;
  segments.reserve(index.extents.size());
  for (const auto& extent : index.extents)
    segments.push_back(boost::json::object{{"object", extent.segment.name()},
                                           {"bytes", extent.segment.size},
                                           {"offset", extent.offset},
                                           {"length", extent.length}});
  const auto text = boost::json::serialize(
      boost::json::object{{"format", format}, {"size", index.size}, {"segments", std::move(segments)}});
  return sha256_of_text(text) + "\n" + text;
}

base::Result<BlobIndex> blob_index_of(std::string_view text) {
  const auto line_end = text.find('\n');
  if (line_end == std::string_view::npos || text.substr(0, line_end) != sha256_of_text(text.substr(line_end + 1)))
    return base::internal_error("it does not have its SHA-256");
  try {
    return read_index(
        boost::json::parse(boost::json::string_view(text.data() + line_end + 1, text.size() - line_end - 1)));
  } catch (const std::exception& failed) {
    return base::internal_error(failed.what());
  }
}

}  // namespace quire::adapters::objects
