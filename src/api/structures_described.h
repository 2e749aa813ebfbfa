#pragma once

#include "api/describe.h"
#include "api/structures.h"
#include "content/task.h"

/// Descriptions of the API's structures and names of its enumerations; for the files that bind operations.

namespace quire::api {

template <>
inline constexpr std::string_view enumeration_name<base::DigestAlgorithm> =
    "com.vmware.content.library.item.file.checksum_algorithm";
template <>
inline constexpr std::string_view enumeration_name<content::LibraryType> =
    "com.vmware.content.library_model.library_type";
template <>
inline constexpr std::string_view enumeration_name<content::LibraryState> =
    "com.vmware.content.library.state_info.state";
template <>
inline constexpr std::string_view enumeration_name<ConversionType> =
    "com.vmware.content.library.conversion_spec.conversion_type";
template <>
inline constexpr std::string_view enumeration_name<content::StorageBackingType> =
    "com.vmware.content.library.storage_backing.type";
template <>
inline constexpr std::string_view enumeration_name<content::AuthenticationMethod> =
    "com.vmware.content.library.publish_info.authentication_method";
template <>
inline constexpr std::string_view enumeration_name<content::CertVerificationStatus> =
    "com.vmware.content.library.item.cert_verification_status";
template <>
inline constexpr std::string_view enumeration_name<content::UpdateSessionState> =
    "com.vmware.content.library.item.update_session_model.state";
template <>
inline constexpr std::string_view enumeration_name<content::SourceType> =
    "com.vmware.content.library.item.updatesession.file.source_type";
template <>
inline constexpr std::string_view enumeration_name<content::TransferStatus> =
    "com.vmware.content.library.item.transfer_status";
template <>
inline constexpr std::string_view enumeration_name<content::WarningType> =
    "com.vmware.content.library.item.updatesession.warning_type";
template <>
inline constexpr std::string_view enumeration_name<content::DownloadSessionState> =
    "com.vmware.content.library.item.download_session_model.state";
template <>
inline constexpr std::string_view enumeration_name<content::TaskStatus> = "com.vmware.cis.task.status";
template <>
inline constexpr std::string_view enumeration_name<service::PreviewState> =
    "com.vmware.content.library.item.updatesession.preview_info.state";
template <>
inline constexpr std::string_view enumeration_name<ProbeStatus> =
    "com.vmware.content.library.item.updatesession.file.probe_result.status";
template <>
inline constexpr std::string_view enumeration_name<PrepareStatus> =
    "com.vmware.content.library.item.downloadsession.file.prepare_status";
template <>
inline constexpr std::string_view enumeration_name<EndpointType> =
    "com.vmware.content.library.item.downloadsession.file.endpoint_type";

BOOST_DESCRIBE_STRUCT(LocalizationParam, (), (s, dt, i))
BOOST_DESCRIBE_STRUCT(LocalizableMessage, (), (id, default_message, args, params, localized))
BOOST_DESCRIBE_STRUCT(SessionInfo, (), (user, created_time, last_accessed_time))
BOOST_DESCRIBE_STRUCT(ConfigurationSetting, (), (name, reboot_required, constraints))
BOOST_DESCRIBE_STRUCT(ConfigurationModel, (),
                      (automatic_sync_enabled, automatic_sync_enabled_setting, automatic_sync_start_hour,
                       automatic_sync_start_hour_setting, automatic_sync_stop_hour, automatic_sync_stop_hour_setting,
                       maximum_concurrent_item_syncs, maximum_concurrent_item_syncs_setting,
                       automatic_sync_refresh_interval, automatic_sync_refresh_interval_setting,
                       automatic_sync_setting_refresh_interval, automatic_sync_setting_refresh_interval_setting,
                       transfer_throttling_bandwidth_total, transfer_throttling_bandwidth_total_setting,
                       transfer_nfc_max_concurrent_transfers_per_host,
                       transfer_nfc_max_concurrent_transfers_per_host_setting, priority_transfer_threads_pool_size,
                       priority_transfer_threads_pool_size_setting, transfer_threads_pool_size,
                       transfer_threads_pool_size_setting))
BOOST_DESCRIBE_STRUCT(StorageBacking, (), (type, datastore_id, storage_uri))
BOOST_DESCRIBE_STRUCT(OptimizationInfo, (), (optimize_remote_publishing))
BOOST_DESCRIBE_STRUCT(PublishInfo, (),
                      (authentication_method, published, publish_url, user_name, password, current_password,
                       persist_json_enabled))
BOOST_DESCRIBE_STRUCT(SourceInfo, (), (source_library, subscription))
BOOST_DESCRIBE_STRUCT(SubscriptionInfo, (),
                      (authentication_method, automatic_sync_enabled, on_demand, password, ssl_thumbprint,
                       ssl_certificate, subscription_url, user_name, source_info))
BOOST_DESCRIBE_STRUCT(LibraryConfigurationInfo, (), (apply_library_usage_to_items))
BOOST_DESCRIBE_STRUCT(StateInfo, (), (state, message))
BOOST_DESCRIBE_STRUCT(LibraryModel, (),
                      (id, creation_time, description, last_modified_time, last_sync_time, name, storage_backings, type,
                       optimization_info, version, publish_info, subscription_info, server_guid, security_policy_id,
                       unset_security_policy_id, state_info, configuration_info))
BOOST_DESCRIBE_STRUCT(LibraryFindSpec, (), (name, type, storage_backing))
BOOST_DESCRIBE_STRUCT(MigrateSpec, (), (storage_backings))
BOOST_DESCRIBE_STRUCT(ConversionSpec, (), (conversion_type))
BOOST_DESCRIBE_STRUCT(CertificateVerificationInfo, (), (status, cert_chain))
BOOST_DESCRIBE_STRUCT(ItemModel, (),
                      (id, library_id, content_version, creation_time, description, last_modified_time, last_sync_time,
                       metadata_version, name, cached, size, type, version, source_id, security_compliance,
                       certificate_verification_info))
BOOST_DESCRIBE_STRUCT(ItemFindSpec, (), (name, library_id, source_id, type, cached))
BOOST_DESCRIBE_STRUCT(ChecksumInfo, (), (algorithm, checksum))
BOOST_DESCRIBE_STRUCT(ItemFileInfo, (), (checksum_info, name, size, cached, version))
BOOST_DESCRIBE_STRUCT(ItemStorageInfo, (), (storage_backing, storage_uris, checksum_info, name, size, cached, version))
BOOST_DESCRIBE_STRUCT(ItemChangeSummary, (), (version, time, user, short_message))
BOOST_DESCRIBE_STRUCT(ItemChangeInfo, (), (time, user, message))
BOOST_DESCRIBE_STRUCT(TransferEndpoint, (), (uri, ssl_certificate_thumbprint, ssl_certificate))
BOOST_DESCRIBE_STRUCT(CertificateInfo, (), (issuer, subject, self_signed, x509))
BOOST_DESCRIBE_STRUCT(PreviewWarningInfo, (), (type, message, ignored))
BOOST_DESCRIBE_STRUCT(PreviewInfo, (), (state, certificate_info, warnings, cert_chain))
BOOST_DESCRIBE_STRUCT(WarningBehavior, (), (type, ignored))
BOOST_DESCRIBE_STRUCT(UpdateSessionModel, (),
                      (id, library_item_id, library_item_content_version, error_message, client_progress, state,
                       expiration_time, preview_info, warning_behavior))
BOOST_DESCRIBE_STRUCT(UpdateSessionFileAddSpec, (), (name, source_type, source_endpoint, size, checksum_info))
BOOST_DESCRIBE_STRUCT(UpdateSessionFileInfo, (),
                      (name, source_type, size, checksum_info, source_endpoint, upload_endpoint, bytes_transferred,
                       status, error_message, keep_in_storage))
BOOST_DESCRIBE_STRUCT(ValidationError, (), (name, error_message))
BOOST_DESCRIBE_STRUCT(ProbeResult, (), (status, ssl_thumbprint, ssl_certificate, error_messages))
BOOST_DESCRIBE_STRUCT(ValidationResult, (), (has_errors, missing_files, invalid_files))
BOOST_DESCRIBE_STRUCT(DownloadSessionModel, (),
                      (id, library_item_id, library_item_content_version, error_message, client_progress, state,
                       expiration_time))
BOOST_DESCRIBE_STRUCT(DownloadSessionFileInfo, (),
                      (name, size, bytes_transferred, status, download_endpoint, checksum_info, error_message))
BOOST_DESCRIBE_STRUCT(ContentTypeInfo, (), (description, name, type, vendor, version))

}  // namespace quire::api
