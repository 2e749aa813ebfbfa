#pragma once

#include <string_view>

/// Which members of inputs and structures hold identifiers, and of what: the one place that tells. OpenAPI derives its
/// links and `x-resource-type` from it, and from these whoever explores the API.
namespace quire::api {

namespace resource {
inline constexpr std::string_view library = "com.vmware.content.Library";
inline constexpr std::string_view library_item = "com.vmware.content.library.Item";
inline constexpr std::string_view item_file = "com.vmware.content.library.item.File";  ///< by its name, in its item
inline constexpr std::string_view update_session = "com.vmware.content.library.item.UpdateSession";
inline constexpr std::string_view download_session = "com.vmware.content.library.item.DownloadSession";
inline constexpr std::string_view subscription = "com.vmware.content.library.Subscriptions";  ///< in its library
inline constexpr std::string_view usage = "com.vmware.content.library.Usages";                ///< in its library
inline constexpr std::string_view trusted_certificate = "com.vmware.content.TrustedCertificate";
inline constexpr std::string_view security_policy = "com.vmware.content.SecurityPolicy";
inline constexpr std::string_view tag_category = "com.vmware.cis.tagging.Category";
inline constexpr std::string_view tag = "com.vmware.cis.tagging.Tag";
inline constexpr std::string_view task = "com.vmware.cis.task";
inline constexpr std::string_view datastore = "Datastore";
inline constexpr std::string_view datacenter = "Datacenter";
inline constexpr std::string_view folder = "Folder";
inline constexpr std::string_view role = "com.quire.access.Role";
inline constexpr std::string_view user = "com.quire.access.User";    ///< by its name
inline constexpr std::string_view group = "com.quire.access.Group";  ///< by its name
inline constexpr std::string_view api_token = "com.quire.access.Token";
inline constexpr std::string_view webhook = "com.quire.Webhook";
}  // namespace resource

/// The type of what a member of this name identifies where its value is a string or a list of them; empty for none.
std::string_view resource_type_of(std::string_view member);

}  // namespace quire::api
