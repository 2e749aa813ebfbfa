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
#include "service/library/configuration.h"
#include "service/library/items.h"
#include "service/library/libraries.h"
#include "service/library/usages.h"
#include "service/package/packages.h"
#include "service/tagging/tagging.h"
#include "service/task/tasks.h"
#include "service/trust/trusted_certificates.h"
#include "service/update_session/sources.h"
#include "service/update_session/update_sessions.h"
#include "service/upload/uploads.h"
#include "service/workers.h"

namespace quire::service {

/// All services of one server, and what of the server itself the layers above may use; the catalog is not among it.
/// Thread-safe like its members.
struct Services {
  /// `server_guid`: stable per installation.
  Services(Context& context, Logins& all_logins, std::string guid)
      : logins(all_logins),
        libraries(context),
        items(context),
        update_sessions(context),
        sources(context),
        download_sessions(context),
        configuration(context),
        users(context),
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
        uploads(context),
        downloads(context),
        server_guid(std::move(guid)),
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
  Uploads uploads;
  Downloads downloads;
  Workers workers = {};  ///< filled by whoever runs them, before requests come
  const std::string server_guid;
  const content::Storages& storages;
  base::Clock& clock;
  base::IdentitySource& identities;
};

}  // namespace quire::service
