#include "service/update_session/package_intake.h"

#include <algorithm>

#include "formats/certificate.h"
#include "formats/manifest.h"
#include "formats/ovf_descriptor.h"

namespace quire::service {
namespace {

using content::PackageFacts;

content::UnreadableFacts unreadable(const base::Error& error) { return {error.messages().front()}; }

}  // namespace

PackageFacts descriptor_facts(std::span<const std::byte> bytes) {
  const auto descriptor = formats::parse_ovf_descriptor(bytes);
  if (!descriptor) return unreadable(descriptor.error());
  content::DescriptorFacts facts;
  for (const auto& file : formats::expected_files(*descriptor)) {
    content::ExpectedFile expected{file.name, std::nullopt};
    if (file.size) expected.size = static_cast<std::int64_t>(*file.size);
    facts.expected_files.push_back(std::move(expected));
  }
  return facts;
}

PackageFacts manifest_facts(std::span<const std::byte> bytes) {
  const auto entries = formats::parse_manifest(bytes);
  if (!entries) return unreadable(entries.error());
  content::ManifestFacts facts;
  for (const auto& entry : *entries) facts.entries.push_back({entry.name, entry.checksum});
  return facts;
}

PackageFacts signature_facts(std::span<const std::byte> certificate, std::string_view manifest_name,
                             std::span<const std::byte> manifest) {
  const auto signature = formats::parse_package_certificate(certificate);
  if (!signature) return unreadable(signature.error());
  const auto verdict = formats::verify_package_signature(*signature, manifest, {}, base::Time());
  content::SignatureFacts facts;
  facts.signature_valid = verdict.signature_valid && signature->manifest_name == manifest_name;
  facts.subject = verdict.subject;
  facts.issuer = verdict.issuer;
  facts.self_signed = verdict.self_signed;
  facts.x509 = verdict.x509;
  facts.cert_chain = verdict.cert_chain;
  return facts;
}

std::vector<base::DigestAlgorithm> manifest_algorithms(std::string_view item_type,
                                                       const std::vector<content::SessionFile>& files) {
  if (!content::is_ovf(item_type)) return {};
  bool descriptor_added = false;
  bool manifest_added = false;
  for (const auto& file : files) {
    if (file.source_type == content::SourceType::NONE) continue;
    const auto kind = content::package_file(item_type, file.name);
    descriptor_added |= kind == content::PackageFile::descriptor;
    manifest_added |= kind == content::PackageFile::manifest;
    if (const auto* manifest = std::get_if<content::ManifestFacts>(&file.facts)) {
      std::vector<base::DigestAlgorithm> named;
      for (const auto& entry : manifest->entries)
        if (std::find(named.begin(), named.end(), entry.checksum.algorithm) == named.end())
          named.push_back(entry.checksum.algorithm);
      return named;
    }
  }
  // After the descriptor no manifest can be added any more (§15.1).
  if (descriptor_added && !manifest_added) return {};
  return {base::DigestAlgorithm::SHA1, base::DigestAlgorithm::SHA256, base::DigestAlgorithm::SHA512};
}

}  // namespace quire::service
