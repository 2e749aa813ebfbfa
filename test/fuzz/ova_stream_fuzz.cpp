#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/check.h"
#include "base/file_name.h"
#include "formats/ova_stream.h"

using quire::base::check_file_name;
using quire::base::Result;
using quire::formats::OvaStream;
using quire::formats::OvaVisitor;

namespace {

/// Writes down what it is told, and holds the stream to its promises.
class Witness final : public OvaVisitor {
 public:
  Result<void> begin_member(std::string_view name, std::uint64_t size) override {
    QUIRE_CHECK(!open_ && check_file_name(name));
    open_ = true;
    left_ = size;
    story += std::string(name) + "\n" + std::to_string(size) + "\n";
    return {};
  }
  Result<void> member_bytes(std::span<const std::byte> bytes) override {
    QUIRE_CHECK(open_ && bytes.size() <= left_);
    left_ -= bytes.size();
    story.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return {};
  }
  Result<void> end_member() override {
    QUIRE_CHECK(open_ && left_ == 0);
    open_ = false;
    return {};
  }

  bool open() const { return open_; }
  std::string story;

 private:
  bool open_ = false;
  std::uint64_t left_ = 0;
};

std::string story_of(std::span<const std::byte> archive, std::size_t piece) {
  Witness witness;
  OvaStream stream(witness);
  while (!archive.empty()) {
    const auto count = std::min(piece, archive.size());
    if (!stream.feed(archive.first(count))) break;
    archive = archive.subspan(count);
  }
  const auto finished = stream.finish();
  QUIRE_CHECK(!finished || !witness.open());
  return witness.story + (finished ? "whole" : finished.error().text());
}

}  // namespace

/// The same story however the bytes are cut; the first byte of the input says how.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto archive = std::as_bytes(std::span(data, size)).subspan(1);
  QUIRE_CHECK(story_of(archive, archive.size() + 1) == story_of(archive, std::size_t{data[0]} + 1));
  return 0;
}
