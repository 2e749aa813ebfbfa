#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "content/update_session_rules.h"
#include "service/transaction/context.h"

/// What is remembered of the metadata files of OVF packages (content-library-api.md §28.2).
/// Pure.
namespace quire::service {

/// The expected files of a descriptor, or why it cannot be read.
content::PackageFacts descriptor_facts(std::span<const std::byte> bytes);
content::PackageFacts manifest_facts(std::span<const std::byte> bytes);
/// Who signed the manifest, without a judgement of the signer (service/trust). `manifest_name` is the name of the file
/// that `manifest` came from.
content::PackageFacts signature_facts(std::span<const std::byte> certificate, std::string_view manifest_name,
                                      std::span<const std::byte> manifest);

/// Digests to take of a file that is sent to an item of type `ovf`, so that a manifest can be checked without reading
/// the file again: those that the manifest names, or all that one may name while none is there but may come.
std::vector<base::DigestAlgorithm> manifest_algorithms(std::string_view item_type,
                                                       const std::vector<content::SessionFile>& files);

}  // namespace quire::service
