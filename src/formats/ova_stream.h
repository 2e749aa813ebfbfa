#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace quire::formats {

inline constexpr std::size_t max_ova_members = 10'000;
/// The names of all members and directories together; they are kept to notice one that comes twice.
inline constexpr std::size_t max_ova_name_bytes = std::size_t{1} << 20U;
/// One pax header or GNU long name.
inline constexpr std::size_t max_ova_extension_bytes = std::size_t{1} << 20U;

/// Takes the members of an OVA as they arrive. For each member: begin_member, any number of member_bytes that add up to
/// `size` exactly, end_member. Between members, directory for an entry that is passed over (its name without a slash
/// at the end, "." for the top). The arguments live until the call returns. An Error ends the stream and comes back
/// from feed.
class OvaVisitor {
 public:
  virtual ~OvaVisitor() = default;
  virtual base::Result<void> begin_member(std::string_view name, std::uint64_t size) = 0;
  virtual base::Result<void> member_bytes(std::span<const std::byte> bytes) = 0;
  virtual base::Result<void> end_member() = 0;
  virtual void directory(std::string_view) {}
};

/// Takes an OVA apart while it streams in (content-library-api.md §23.6, §28.2): a tar archive in ustar, pax or GNU
/// form, of plain files and directories, members of any size. Directory entries are passed over, and the `./` that
/// packing a folder puts in front of names is dropped. The pieces it is fed may be cut anywhere; content is handed on
/// without a copy and without waiting for the rest. Memory: a header, one extension and the names.
///
/// The archive ends with a block of zeros. At least one must be there; when bytes follow it, the first 512 of them must
/// be zeros too (the second end block), and after those come padding bytes of any number and value, which are passed
/// over.
///
/// Refused: wrong header sums, names that check_file_name refuses (of directories too), a name twice, links, devices,
/// directories with content, sparse and multi-volume members, two names or sizes for one member, negative or unreadable
/// sizes, the limits above, and ends that come too early. Of something else than a tar archive the reason says what it
/// looks like (content_kind.h).
///
/// Error: invalid_argument, id `quire.ova.invalid`, params `reason` and `offset` (bytes from the start); or the
/// visitor's own. After an error every call answers the same error. One thread at a time.
class OvaStream {
 public:
  /// `visitor` must outlive the stream.
  explicit OvaStream(OvaVisitor& visitor) : visitor_(visitor) {}

  base::Result<void> feed(std::span<const std::byte> bytes);
  /// No more bytes will come: an error unless the archive is whole. Nothing may be fed afterwards.
  base::Result<void> finish();

 private:
  static constexpr std::size_t block_bytes = 512;
  using Block = std::array<std::byte, block_bytes>;

  enum class State {
    header,      ///< collecting a header block
    extension,   ///< collecting the content of a pax header or a long name
    content,     ///< passing on a member's content
    padding,     ///< skipping to the next block
    second_end,  ///< after the first block of zeros
    after_end,
  };

  /// What extension headers say of the member that follows them.
  struct Override {
    std::optional<std::string> name;
    std::optional<std::uint64_t> size;
    bool any = false;  ///< an extension stood there, whatever it said
  };

  base::Result<void> consume(std::span<const std::byte>& bytes);
  base::Result<void> take_header(std::span<const std::byte>& bytes);
  base::Result<void> take_extension(std::span<const std::byte>& bytes);
  base::Result<void> take_content(std::span<const std::byte>& bytes);
  base::Result<void> take_second_end(std::span<const std::byte>& bytes);
  std::span<const std::byte> cut(std::span<const std::byte>& bytes, std::uint64_t most);
  void skip_padding_of(std::uint64_t size);

  base::Result<void> read_header();
  base::Result<void> begin_extension(char type, std::uint64_t size);
  base::Result<void> end_extension();
  base::Result<void> read_pax(bool global);
  base::Result<void> read_pax_record(bool global, std::string_view key, std::string_view value);
  base::Result<void> pass_over_directory(std::string_view name, std::uint64_t size);
  base::Result<void> count_name(std::string_view name);
  base::Result<void> begin_file(std::string name, std::uint64_t size);
  base::Result<void> end_file();
  base::Result<void> set_name(std::string_view name);

  base::Error invalid(std::string reason) const;

  OvaVisitor& visitor_;
  State state_ = State::header;
  std::uint64_t offset_ = 0;  ///< bytes consumed
  Block block_ = {};
  std::size_t filled_ = 0;  ///< of the block, or of the second end block
  std::uint64_t left_ = 0;  ///< bytes of the extension, content or padding still to come
  std::uint64_t size_ = 0;  ///< of the extension or content that is being read
  char extension_type_ = 0;
  std::string extension_;
  Override override_;
  std::set<std::string, std::less<>> names_;
  std::size_t name_bytes_ = 0;
  std::optional<base::Error> failed_;
};

}  // namespace quire::formats
