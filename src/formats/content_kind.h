#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace quire::formats {

/// So many bytes from the start of a file are enough for content_kind.
inline constexpr std::size_t content_kind_bytes = 512;

/// What bytes obviously are, with an article, for a message about content that is not what it should be: "a tar
/// archive", "gzip-compressed data", "an HTML page" …; nullopt when nothing is obvious. `head`: the file from its
/// start, at least content_kind_bytes of it when it has so many. Never reads further than that, any thread.
std::optional<std::string_view> content_kind(std::span<const std::byte> head);

/// ", and it looks like an HTML page": the end of a sentence that says what was expected; empty when nothing is
/// obvious.
std::string looks_like(std::span<const std::byte> head);

}  // namespace quire::formats
