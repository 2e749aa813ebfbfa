#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/error.h"
#include "content/access.h"
#include "content/event.h"
#include "content/item.h"
#include "content/library.h"
#include "content/privilege.h"
#include "content/subscription.h"
#include "content/task.h"
#include "content/update_session.h"

namespace quire::adapters::sql {

/// Values that are no single number or text are stored as JSON text (docs/catalog-schema.md). Reading text that does
/// not hold such a value throws content::CatalogFailure, which does not show the text: passwords may stand in it.
std::string to_json_text(const std::vector<std::string>& texts);
std::string to_json_text(const content::PrivilegeSet& privileges);
std::string to_json_text(const base::Message& message);
std::string to_json_text(const base::Checksum& checksum);
std::string to_json_text(const std::vector<base::Checksum>& checksums);
std::string to_json_text(const content::StorageBacking& backing);
std::string to_json_text(const content::CertificateVerification& verification);
std::string to_json_text(const std::vector<content::WarningBehavior>& behaviors);
std::string to_json_text(const content::SourceEndpoint& endpoint);
std::string to_json_text(const content::PackageFacts& facts);
std::string to_json_text(const content::UnfinishedContent& content);
std::string to_json_text(const content::Migration& migration);
std::string to_json_text(const content::TaskError& error);
std::string to_json_text(const content::ApiTokenScope& scope);
std::string to_json_text(const std::vector<content::EventKind>& kinds);
std::string to_json_text(const content::Subscription& subscription);  ///< with its password
std::string to_json_text(const content::SubscriberServer& server);
std::string to_json_text(const content::SubscriptionPlacement& placement);

void from_json_text(std::string_view text, std::vector<std::string>& texts);
void from_json_text(std::string_view text, content::PrivilegeSet& privileges);
void from_json_text(std::string_view text, base::Message& message);
void from_json_text(std::string_view text, base::Checksum& checksum);
void from_json_text(std::string_view text, std::vector<base::Checksum>& checksums);
void from_json_text(std::string_view text, content::StorageBacking& backing);
void from_json_text(std::string_view text, content::CertificateVerification& verification);
void from_json_text(std::string_view text, std::vector<content::WarningBehavior>& behaviors);
void from_json_text(std::string_view text, content::SourceEndpoint& endpoint);
void from_json_text(std::string_view text, content::PackageFacts& facts);
void from_json_text(std::string_view text, content::UnfinishedContent& content);
void from_json_text(std::string_view text, content::Migration& migration);
void from_json_text(std::string_view text, content::TaskError& error);
void from_json_text(std::string_view text, content::ApiTokenScope& scope);
void from_json_text(std::string_view text, std::vector<content::EventKind>& kinds);
void from_json_text(std::string_view text, content::Subscription& subscription);
void from_json_text(std::string_view text, content::SubscriberServer& server);
void from_json_text(std::string_view text, content::SubscriptionPlacement& placement);

}  // namespace quire::adapters::sql
