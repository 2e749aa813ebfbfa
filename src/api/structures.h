#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/type.h"
#include "base/digest.h"
#include "base/enumeration.h"
#include "base/error.h"
#include "base/time.h"
#include "content/download_session.h"
#include "content/item.h"
#include "content/library.h"
#include "content/update_session.h"
#include "service/update_session/update_sessions.h"

/// The structures of the API as clients see them, members in the order of the published bindings (wire-protocols.md
/// §7.2). Mandatory members are plain, optional-typed ones std::optional (content-library-api.md Appendix B).
namespace quire::api {

struct LocalizationParam {
  static constexpr std::string_view canonical_name = "com.vmware.vapi.std.localization_param";
  std::optional<std::string> s;
  std::optional<base::Time> dt;
  std::optional<std::int64_t> i;
};

struct LocalizableMessage {
  static constexpr std::string_view canonical_name = "com.vmware.vapi.std.localizable_message";
  std::string id;
  std::string default_message;
  std::vector<std::string> args;
  std::optional<std::map<std::string, LocalizationParam>> params;
  std::optional<std::string> localized;
};

struct SessionInfo {
  static constexpr std::string_view canonical_name = "com.vmware.cis.session.info";
  std::string user;
  base::Time created_time;
  base::Time last_accessed_time;
};

/// What a member of the configuration takes (content-library-api.md §3). A constraint is a map of its ConstraintType to
/// the value.
struct ConfigurationSetting {
  static constexpr std::string_view canonical_name = "com.vmware.content.configuration_model.configuration_setting";
  std::string name;
  bool reboot_required = false;
  std::vector<std::map<std::string, std::string>> constraints;
};

struct ConfigurationModel {
  static constexpr std::string_view canonical_name = "com.vmware.content.configuration_model";
  std::optional<bool> automatic_sync_enabled;
  std::optional<ConfigurationSetting> automatic_sync_enabled_setting;
  std::optional<std::int64_t> automatic_sync_start_hour;
  std::optional<ConfigurationSetting> automatic_sync_start_hour_setting;
  std::optional<std::int64_t> automatic_sync_stop_hour;
  std::optional<ConfigurationSetting> automatic_sync_stop_hour_setting;
  std::optional<std::int64_t> maximum_concurrent_item_syncs;
  std::optional<ConfigurationSetting> maximum_concurrent_item_syncs_setting;
  std::optional<std::int64_t> automatic_sync_refresh_interval;
  std::optional<ConfigurationSetting> automatic_sync_refresh_interval_setting;
  std::optional<std::int64_t> automatic_sync_setting_refresh_interval;
  std::optional<ConfigurationSetting> automatic_sync_setting_refresh_interval_setting;
  std::optional<std::int64_t> transfer_throttling_bandwidth_total;
  std::optional<ConfigurationSetting> transfer_throttling_bandwidth_total_setting;
  std::optional<std::int64_t> transfer_nfc_max_concurrent_transfers_per_host;
  std::optional<ConfigurationSetting> transfer_nfc_max_concurrent_transfers_per_host_setting;
  std::optional<std::int64_t> priority_transfer_threads_pool_size;
  std::optional<ConfigurationSetting> priority_transfer_threads_pool_size_setting;
  std::optional<std::int64_t> transfer_threads_pool_size;
  std::optional<ConfigurationSetting> transfer_threads_pool_size_setting;
};

struct StorageBacking {
  static constexpr std::string_view canonical_name = "com.vmware.content.library.storage_backing";
  std::optional<content::StorageBackingType> type;
  std::optional<std::string> datastore_id;
  std::optional<std::string> storage_uri;
};

struct OptimizationInfo {
  static constexpr std::string_view canonical_name = "com.vmware.content.library.optimization_info";
  std::optional<bool> optimize_remote_publishing;
};

struct PublishInfo {
  static constexpr std::string_view canonical_name = "com.vmware.content.library.publish_info";
  std::optional<content::AuthenticationMethod> authentication_method;
  std::optional<bool> published;
  std::optional<std::string> publish_url;
  std::optional<std::string> user_name;
  std::optional<Secret> password;
  std::optional<Secret> current_password;
  std::optional<bool> persist_json_enabled;
};

struct SourceInfo {
  static constexpr std::string_view canonical_name = "com.vmware.content.library.source_info";
  std::optional<std::string> source_library;
  std::optional<std::string> subscription;
};

struct SubscriptionInfo {
  static constexpr std::string_view canonical_name = "com.vmware.content.library.subscription_info";
  std::optional<content::AuthenticationMethod> authentication_method;
  std::optional<bool> automatic_sync_enabled;
  std::optional<bool> on_demand;
  std::optional<Secret> password;
  std::optional<std::string> ssl_thumbprint;
  std::optional<std::string> ssl_certificate;
  std::optional<std::string> subscription_url;
  std::optional<std::string> user_name;
  std::optional<SourceInfo> source_info;
};

struct StateInfo {
  static constexpr std::string_view canonical_name = "com.vmware.content.library.state_info";
  std::optional<content::LibraryState> state;
  std::optional<std::string> message;
};

struct LibraryConfigurationInfo {
  static constexpr std::string_view canonical_name = "com.vmware.content.library.configuration_info";
  std::optional<bool> apply_library_usage_to_items;
};

struct LibraryModel {
  static constexpr std::string_view canonical_name = "com.vmware.content.library_model";
  std::optional<std::string> id;
  std::optional<base::Time> creation_time;
  std::optional<std::string> description;
  std::optional<base::Time> last_modified_time;
  std::optional<base::Time> last_sync_time;
  std::optional<std::string> name;
  std::optional<std::vector<StorageBacking>> storage_backings;
  std::optional<content::LibraryType> type;
  std::optional<OptimizationInfo> optimization_info;
  std::optional<std::string> version;
  std::optional<PublishInfo> publish_info;
  std::optional<SubscriptionInfo> subscription_info;
  std::optional<std::string> server_guid;
  std::optional<std::string> security_policy_id;
  std::optional<bool> unset_security_policy_id;
  std::optional<StateInfo> state_info;
  std::optional<LibraryConfigurationInfo> configuration_info;
};

struct LibraryFindSpec {
  static constexpr std::string_view canonical_name = "com.vmware.content.library.find_spec";
  std::optional<std::string> name;
  std::optional<content::LibraryType> type;
  std::optional<StorageBacking> storage_backing;
};

QUIRE_ENUM(ConversionType, TO_PUBLISHED_LIBRARY)

struct MigrateSpec {
  static constexpr std::string_view canonical_name = "com.vmware.content.library.migrate_spec";
  std::vector<StorageBacking> storage_backings;
};

struct ConversionSpec {
  static constexpr std::string_view canonical_name = "com.vmware.content.library.conversion_spec";
  ConversionType conversion_type = ConversionType::TO_PUBLISHED_LIBRARY;
};

struct CertificateVerificationInfo {
  static constexpr std::string_view canonical_name = "com.vmware.content.library.item.certificate_verification_info";
  content::CertVerificationStatus status = content::CertVerificationStatus::NOT_AVAILABLE;
  std::optional<std::vector<std::string>> cert_chain;
};

struct ItemModel {
  static constexpr std::string_view canonical_name = "com.vmware.content.library.item_model";
  std::optional<std::string> id;
  std::optional<std::string> library_id;
  std::optional<std::string> content_version;
  std::optional<base::Time> creation_time;
  std::optional<std::string> description;
  std::optional<base::Time> last_modified_time;
  std::optional<base::Time> last_sync_time;
  std::optional<std::string> metadata_version;
  std::optional<std::string> name;
  std::optional<bool> cached;
  std::optional<std::int64_t> size;
  std::optional<std::string> type;
  std::optional<std::string> version;
  std::optional<std::string> source_id;
  std::optional<bool> security_compliance;
  std::optional<CertificateVerificationInfo> certificate_verification_info;
};

struct ItemFindSpec {
  static constexpr std::string_view canonical_name = "com.vmware.content.library.item.find_spec";
  std::optional<std::string> name;
  std::optional<std::string> library_id;
  std::optional<std::string> source_id;
  std::optional<std::string> type;
  std::optional<bool> cached;
};

struct ChecksumInfo {
  static constexpr std::string_view canonical_name = "com.vmware.content.library.item.file.checksum_info";
  std::optional<base::DigestAlgorithm> algorithm;
  std::string checksum;
};

struct ItemFileInfo {
  static constexpr std::string_view canonical_name = "com.vmware.content.library.item.file.info";
  std::optional<ChecksumInfo> checksum_info;
  std::string name;
  std::int64_t size = 0;
  bool cached = true;
  std::string version;
};

struct ItemStorageInfo {
  static constexpr std::string_view canonical_name = "com.vmware.content.library.item.storage.info";
  StorageBacking storage_backing;
  std::vector<std::string> storage_uris;
  std::optional<ChecksumInfo> checksum_info;
  std::string name;
  std::int64_t size = 0;
  bool cached = true;
  std::string version;
};

struct ItemChangeSummary {
  static constexpr std::string_view canonical_name = "com.vmware.content.library.item.changes.summary";
  std::string version;
  base::Time time;
  std::optional<std::string> user;
  std::optional<std::string> short_message;
};

struct ItemChangeInfo {
  static constexpr std::string_view canonical_name = "com.vmware.content.library.item.changes.info";
  base::Time time;
  std::optional<std::string> user;
  std::optional<std::string> message;
};

struct TransferEndpoint {
  static constexpr std::string_view canonical_name = "com.vmware.content.library.item.transfer_endpoint";
  std::string uri;
  std::optional<std::string> ssl_certificate_thumbprint;
  std::optional<std::string> ssl_certificate;
};

struct CertificateInfo {
  static constexpr std::string_view canonical_name = "com.vmware.content.library.item.updatesession.certificate_info";
  std::string issuer;
  std::string subject;
  bool self_signed = false;
  std::string x509;
};

struct PreviewWarningInfo {
  static constexpr std::string_view canonical_name =
      "com.vmware.content.library.item.updatesession.preview_warning_info";
  content::WarningType type = content::WarningType::SELF_SIGNED_CERTIFICATE;
  LocalizableMessage message;
  bool ignored = false;
};

struct PreviewInfo {
  static constexpr std::string_view canonical_name = "com.vmware.content.library.item.updatesession.preview_info";
  service::PreviewState state = service::PreviewState::UNAVAILABLE;
  std::optional<CertificateInfo> certificate_info;
  std::optional<std::vector<PreviewWarningInfo>> warnings;
  std::optional<std::vector<std::string>> cert_chain;
};

struct WarningBehavior {
  static constexpr std::string_view canonical_name = "com.vmware.content.library.item.updatesession.warning_behavior";
  content::WarningType type = content::WarningType::SELF_SIGNED_CERTIFICATE;
  bool ignored = false;
};

struct UpdateSessionModel {
  static constexpr std::string_view canonical_name = "com.vmware.content.library.item.update_session_model";
  std::optional<std::string> id;
  std::optional<std::string> library_item_id;
  std::optional<std::string> library_item_content_version;
  std::optional<LocalizableMessage> error_message;
  std::optional<std::int64_t> client_progress;
  std::optional<content::UpdateSessionState> state;
  std::optional<base::Time> expiration_time;
  std::optional<PreviewInfo> preview_info;
  std::optional<std::vector<WarningBehavior>> warning_behavior;
};

struct UpdateSessionFileAddSpec {
  static constexpr std::string_view canonical_name = "com.vmware.content.library.item.updatesession.file.add_spec";
  std::string name;
  content::SourceType source_type = content::SourceType::PUSH;
  std::optional<TransferEndpoint> source_endpoint;
  std::optional<std::int64_t> size;
  std::optional<ChecksumInfo> checksum_info;
};

struct UpdateSessionFileInfo {
  static constexpr std::string_view canonical_name = "com.vmware.content.library.item.updatesession.file.info";
  std::string name;
  content::SourceType source_type = content::SourceType::NONE;
  std::optional<std::int64_t> size;
  std::optional<ChecksumInfo> checksum_info;
  std::optional<TransferEndpoint> source_endpoint;
  std::optional<TransferEndpoint> upload_endpoint;
  std::int64_t bytes_transferred = 0;
  content::TransferStatus status = content::TransferStatus::READY;
  std::optional<LocalizableMessage> error_message;
  std::optional<bool> keep_in_storage;
};

struct ValidationError {
  static constexpr std::string_view canonical_name =
      "com.vmware.content.library.item.updatesession.file.validation_error";
  std::string name;
  LocalizableMessage error_message;
};

struct ValidationResult {
  static constexpr std::string_view canonical_name =
      "com.vmware.content.library.item.updatesession.file.validation_result";
  bool has_errors = false;
  std::vector<std::string> missing_files;
  std::vector<ValidationError> invalid_files;
};

QUIRE_ENUM(ProbeStatus, SUCCESS, INVALID_URL, TIMED_OUT, HOST_NOT_FOUND, RESOURCE_NOT_FOUND, INVALID_CREDENTIALS,
           CERTIFICATE_ERROR, UNKNOWN_ERROR)

struct ProbeResult {
  static constexpr std::string_view canonical_name = "com.vmware.content.library.item.updatesession.file.probe_result";
  ProbeStatus status = ProbeStatus::SUCCESS;
  std::optional<std::string> ssl_thumbprint;
  std::optional<std::string> ssl_certificate;
  std::vector<LocalizableMessage> error_messages;
};

struct DownloadSessionModel {
  static constexpr std::string_view canonical_name = "com.vmware.content.library.item.download_session_model";
  std::optional<std::string> id;
  std::optional<std::string> library_item_id;
  std::optional<std::string> library_item_content_version;
  std::optional<LocalizableMessage> error_message;
  std::optional<std::int64_t> client_progress;
  std::optional<content::DownloadSessionState> state;
  std::optional<base::Time> expiration_time;
};

QUIRE_ENUM(PrepareStatus, UNPREPARED, PREPARE_REQUESTED, PREPARING, PREPARED, ERROR)
QUIRE_ENUM(EndpointType, HTTPS, DIRECT)

struct DownloadSessionFileInfo {
  static constexpr std::string_view canonical_name = "com.vmware.content.library.item.downloadsession.file.info";
  std::string name;
  std::optional<std::int64_t> size;
  std::int64_t bytes_transferred = 0;
  PrepareStatus status = PrepareStatus::UNPREPARED;
  std::optional<TransferEndpoint> download_endpoint;
  std::optional<ChecksumInfo> checksum_info;
  std::optional<LocalizableMessage> error_message;
};

struct ContentTypeInfo {
  static constexpr std::string_view canonical_name = "com.vmware.content.type.info";
  std::string description;
  std::string name;
  std::string type;
  std::string vendor;
  std::string version;
};

/// A stored checksum as clients see it.
ChecksumInfo checksum_to_api(const base::Checksum& checksum);

/// The wire form of a message.
LocalizableMessage message_to_api(const base::Message& message);

}  // namespace quire::api
