#pragma once

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "base/digest.h"
#include "content/catalog.h"

namespace quire::adapters::sql {

template <class Enum>
using EnumName = std::pair<Enum, std::string_view>;

/// How the enumerators are spelled in the database.
template <class Enum>
inline constexpr std::array<EnumName<Enum>, 0> enum_names = {};

template <>
inline constexpr auto enum_names<base::DigestAlgorithm> =
    std::to_array<EnumName<base::DigestAlgorithm>>({{base::DigestAlgorithm::SHA1, "SHA1"},
                                                    {base::DigestAlgorithm::MD5, "MD5"},
                                                    {base::DigestAlgorithm::SHA256, "SHA256"},
                                                    {base::DigestAlgorithm::SHA512, "SHA512"}});

template <>
inline constexpr auto enum_names<content::LibraryType> = std::to_array<EnumName<content::LibraryType>>(
    {{content::LibraryType::LOCAL, "LOCAL"}, {content::LibraryType::SUBSCRIBED, "SUBSCRIBED"}});

template <>
inline constexpr auto enum_names<content::StorageBackingType> = std::to_array<EnumName<content::StorageBackingType>>(
    {{content::StorageBackingType::DATASTORE, "DATASTORE"}, {content::StorageBackingType::OTHER, "OTHER"}});

template <>
inline constexpr auto enum_names<content::CertVerificationStatus> =
    std::to_array<EnumName<content::CertVerificationStatus>>(
        {{content::CertVerificationStatus::NOT_AVAILABLE, "NOT_AVAILABLE"},
         {content::CertVerificationStatus::VERIFIED, "VERIFIED"},
         {content::CertVerificationStatus::INTERNAL, "INTERNAL"},
         {content::CertVerificationStatus::VERIFICATION_FAILURE, "VERIFICATION_FAILURE"},
         {content::CertVerificationStatus::VERIFICATION_IN_PROGRESS, "VERIFICATION_IN_PROGRESS"},
         {content::CertVerificationStatus::UNTRUSTED, "UNTRUSTED"}});

template <>
inline constexpr auto enum_names<content::UpdateSessionState> =
    std::to_array<EnumName<content::UpdateSessionState>>({{content::UpdateSessionState::ACTIVE, "ACTIVE"},
                                                          {content::UpdateSessionState::DONE, "DONE"},
                                                          {content::UpdateSessionState::ERROR, "ERROR"},
                                                          {content::UpdateSessionState::CANCELED, "CANCELED"}});

template <>
inline constexpr auto enum_names<content::SourceType> = std::to_array<EnumName<content::SourceType>>(
    {{content::SourceType::NONE, "NONE"}, {content::SourceType::PUSH, "PUSH"}, {content::SourceType::PULL, "PULL"}});

template <>
inline constexpr auto enum_names<content::TransferStatus> = std::to_array<EnumName<content::TransferStatus>>(
    {{content::TransferStatus::WAITING_FOR_TRANSFER, "WAITING_FOR_TRANSFER"},
     {content::TransferStatus::TRANSFERRING, "TRANSFERRING"},
     {content::TransferStatus::READY, "READY"},
     {content::TransferStatus::VALIDATING, "VALIDATING"},
     {content::TransferStatus::ERROR, "ERROR"}});

template <>
inline constexpr auto enum_names<content::WarningType> = std::to_array<EnumName<content::WarningType>>(
    {{content::WarningType::SELF_SIGNED_CERTIFICATE, "SELF_SIGNED_CERTIFICATE"},
     {content::WarningType::EXPIRED_CERTIFICATE, "EXPIRED_CERTIFICATE"},
     {content::WarningType::NOT_YET_VALID_CERTIFICATE, "NOT_YET_VALID_CERTIFICATE"},
     {content::WarningType::UNTRUSTED_CERTIFICATE, "UNTRUSTED_CERTIFICATE"}});

template <>
inline constexpr auto enum_names<content::DownloadSessionState> =
    std::to_array<EnumName<content::DownloadSessionState>>({{content::DownloadSessionState::ACTIVE, "ACTIVE"},
                                                            {content::DownloadSessionState::CANCELED, "CANCELED"},
                                                            {content::DownloadSessionState::ERROR, "ERROR"}});

/// What the database holds is not what this version stores there. Throws content::CatalogFailure.
[[noreturn]] inline void fail_corrupt(const std::string& what) {
  throw content::CatalogFailure(base::internal_error("the catalog holds a value that no Quire stores: " + what));
}

template <class Enum>
std::string_view stored_name(Enum value) {
  for (const auto& [enumerator, name] : enum_names<Enum>)
    if (enumerator == value) return name;
  fail_corrupt("enumerator " + std::to_string(static_cast<int>(value)));
}

template <class Enum>
Enum enumerator_of(std::string_view stored) {
  for (const auto& [enumerator, name] : enum_names<Enum>)
    if (name == stored) return enumerator;
  fail_corrupt("'" + std::string(stored) + "'");
}

}  // namespace quire::adapters::sql
