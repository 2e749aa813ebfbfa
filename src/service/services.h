#pragma once

#include "service/access/api_tokens.h"
#include "service/access/groups.h"
#include "service/access/logins.h"
#include "service/access/permissions.h"
#include "service/access/roles.h"
#include "service/access/users.h"
#include "service/audit/audit.h"
#include "service/datastore_files.h"
#include "service/download_session/download_sessions.h"
#include "service/event_feed/event_feed.h"
#include "service/event_feed/progress_feed.h"
#include "service/library/configuration.h"
#include "service/library/items.h"
#include "service/library/libraries.h"
#include "service/library/usages.h"
#include "service/monitoring.h"
#include "service/package/packages.h"
#include "service/publication/publications.h"
#include "service/quota/quotas.h"
#include "service/server_state.h"
#include "service/subscription/subscribed_libraries.h"
#include "service/subscription/subscriptions.h"
#include "service/tagging/tagging.h"
#include "service/task/tasks.h"
#include "service/trust/trusted_certificates.h"
#include "service/update_session/sources.h"
#include "service/update_session/update_sessions.h"
#include "service/upload/uploads.h"
#include "service/webhook/webhooks.h"
#include "service/workers.h"

namespace quire::service {

/// All services of one server, and what of the server itself the layers above may use; the catalog is not among it.
/// Thread-safe like its members.
struct Services {
  /// `guid` and the time of the first start: stable per installation.
  Services(Context& context, Logins& all_logins, std::string guid, base::Time first_start, ServerFacts facts = {})
      : logins(all_logins),
        libraries(context, all_logins.throttle()),
        items(context),
        update_sessions(context),
        sources(context),
        download_sessions(context),
        configuration(context),
        users(context, all_logins.throttle()),
        groups(context),
        roles(context),
        permissions(context),
        api_tokens(context),
        tasks(context),
        trusted_certificates(context),
        packages(context),
        usages(context),
        tagging(context),
        datastore_files(context, download_sessions),
        audit(context),
        quotas(context),
        event_feed(context, all_logins),
        progress_feed(context, all_logins),
        webhooks(context),
        publications(context, all_logins.throttle()),
        subscribed_libraries(context),
        subscriptions(context, subscribed_libraries),
        uploads(context),
        downloads(context),
        server_state(context, std::move(facts)),
        server_guid(std::move(guid)),
        installed(first_start),
        event_heartbeat(context.settings.event_heartbeat),
        measurements(context.catalog.measurements()),
        storages(context.storages),
        clock(context.clock),
        identities(context.identities) {}

  Logins& logins;
  Libraries libraries;
  Items items;
  UpdateSessions update_sessions;
  Sources sources;
  DownloadSessions download_sessions;
  Configuration configuration;
  Users users;
  Groups groups;
  Roles roles;
  Permissions permissions;
  ApiTokens api_tokens;
  Tasks tasks;
  TrustedCertificates trusted_certificates;
  Packages packages;
  Usages usages;
  Tagging tagging;
  DatastoreFiles datastore_files;
  Audit audit;
  Quotas quotas;
  EventFeed event_feed;
  ProgressFeed progress_feed;
  Webhooks webhooks;
  Publications publications;
  SubscribedLibraries subscribed_libraries;
  Subscriptions subscriptions;
  Uploads uploads;
  Downloads downloads;
  ServerState server_state;
  Workers workers = {};        ///< filled by whoever runs them, before requests come
  Monitoring monitoring = {};  ///< likewise
  const std::string server_guid;
  const base::Time installed;
  const base::Duration event_heartbeat;  ///< Settings::event_heartbeat
  Measurements& measurements;
  const content::Storages& storages;
  base::Clock& clock;
  base::IdentitySource& identities;
};

}  // namespace quire::service
