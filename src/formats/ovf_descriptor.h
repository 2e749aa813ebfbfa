#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace quire::formats {

inline constexpr std::size_t max_ovf_bytes = std::size_t{16} << 20U;
/// Elements, attributes, namespace declarations, comments and processing instructions together.
inline constexpr std::size_t max_ovf_nodes = 500'000;
inline constexpr std::size_t max_ovf_depth = 100;
inline constexpr std::size_t max_ovf_attributes = 256;   ///< of one element
inline constexpr std::size_t max_ovf_namespaces = 1000;  ///< declarations in the whole descriptor
/// Different names of elements, attributes and namespaces; the parser's table of them grows slow when it is large.
inline constexpr std::size_t max_ovf_names = 50'000;
/// One tag, comment, CDATA section or processing instruction. The parser's work on a tag grows with the square of its
/// attributes, and it tells us of them only afterwards.
inline constexpr std::size_t max_ovf_tag_bytes = std::size_t{256} << 10U;
/// References, and the files they stand for (chunks counted singly).
inline constexpr std::size_t max_ovf_files = 10'000;

/// A `File` of the descriptor's `References`.
struct OvfReference {
  std::string href;                   ///< as written, without a leading `./`; passes check_file_name
  std::optional<std::uint64_t> size;  ///< bytes as stored (`ovf:size`), chunks together; fits a signed 64-bit integer
  std::optional<std::string> compression;   ///< `ovf:compression` as given
  std::optional<std::uint64_t> chunk_size;  ///< `ovf:chunkSize`, bytes, not 0
  bool operator==(const OvfReference&) const = default;
};

/// A property that whoever deploys the package may set (`ProductSection`).
struct OvfProperty {
  std::string class_id;
  std::string id;
  std::string instance_id;
  std::string category;
  std::string label;
  std::string description;
  /// As vSphere writes it: OVF's type (every integer is `int`), with what its qualifiers say: `string(1..20)`,
  /// `string["a","b"]`, `password(8..)`.
  std::string type;
  std::string value;  ///< its default
  bool operator==(const OvfProperty&) const = default;
};

/// A `Disk` of the `DiskSection`.
struct OvfDisk {
  std::string id;
  std::optional<std::uint64_t>
      capacity_bytes;    ///< what a virtual machine sees; unset when it is asked for by a property
  std::string file_ref;  ///< `id` of the File that it comes from; empty: an empty disk
  std::string file;      ///< its href; empty when there is none
  std::string format;    ///< URI
  bool operator==(const OvfDisk&) const = default;
};

/// What is asked or shown before a package is deployed; texts as they stand, without blanks around them.
struct OvfDeployment {
  std::string name;  ///< of the virtual system or collection
  std::string annotation;
  std::string product;  ///< these four of the first ProductSection that says them
  std::string product_version;
  std::string vendor;
  std::string product_url;
  std::vector<std::string>
      operating_systems;  ///< of each virtual system: its description, else vSphere's name, else CIM's number
  std::vector<OvfDisk> disks;
  std::vector<std::string> eulas;
  std::vector<std::string> networks;
  std::vector<std::string> storage_groups;  ///< identifiers
  std::vector<OvfProperty> properties;
};

/// What a content library needs to know of an OVF descriptor.
struct OvfDescriptor {
  std::string package_name;              ///< `ovf:id` of the virtual system (or collection); may be empty
  std::vector<OvfReference> references;  ///< in the order of the document; no href twice
  OvfDeployment deployment;
};

/// A file that must be in the package.
struct ExpectedFile {
  std::string name;
  std::optional<std::uint64_t> size;  ///< bytes; not given: any
  bool operator==(const ExpectedFile&) const = default;
};

/// Reads an OVF descriptor (DSP0243 1.x and 2.x; content-library-api.md §23.4, §28.2 "XML"). It must be well-formed in
/// its declared encoding, namespaces included, and its root must be `Envelope` of one of the two OVF namespaces, with
/// or without a slash at their end. OVF 0.9, Xen's format and content of other kinds (content_kind.h) are refused by
/// name. Nothing outside `bytes` is ever read; a DOCTYPE is refused before anything in it is looked at. `href`, `size`,
/// `compression` and `chunkSize` count when they are in the OVF namespace or in none. An href is a relative reference
/// (DSP0243 7.1) to a file of this package, literally or percent-decoded (base::decoded_file_name); URLs are refused,
/// as are two hrefs that would need the same file. Memory and time are bounded by the limits above. Any thread.
///
/// Error: invalid_argument, id `quire.ovf.invalid`, params `reason` and `line` (from 1).
base::Result<OvfDescriptor> parse_ovf_descriptor(std::span<const std::byte> bytes);

/// The files that the descriptor's references stand for, in their order. A reference with `chunk_size` stands for its
/// chunks instead: href and `.000000000`, `.000000001`, …, each of `chunk_size` bytes, the last one of the rest.
/// Without a size nobody can know how many there are; then the first chunk alone is expected, of any size.
std::vector<ExpectedFile> expected_files(const OvfDescriptor& descriptor);

}  // namespace quire::formats
