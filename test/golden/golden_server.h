#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "content/catalog.h"
#include "content/fetcher.h"
#include "service/access/catalog_authenticator.h"
#include "service/library/item_copy.h"
#include "service/library/library_migration.h"
#include "service/services.h"
#include "service/subscription/synchronizations.h"
#include "service/upload/pulls.h"
#include "support/catalog_place.h"
#include "support/manual_clock.h"
#include "support/scripted_remote_subscriber.h"
#include "support/sequential_identities.h"
#include "support/temporary_folder.h"
#include "wire/router.h"

namespace quire::golden {

/// A whole server without sockets whose answers depend on nothing but the requests: time stands still, identifiers
/// count up, storages report a fixed place and a fixed room. Users: administrator@vsphere.local and
/// somebody@vsphere.local, both with the password `secret`; the first is Administrator, the second Contributor on the
/// root.
class GoldenServer {
 public:
  static constexpr std::string_view base_url = "https://quire.example";
  static constexpr std::string_view server_guid = "11111111-2222-4333-8444-555555555555";

  /// Puts something in front of the catalog that the server is to work on.
  using CatalogWrapping = std::function<std::unique_ptr<content::Catalog>(std::unique_ptr<content::Catalog> catalog)>;

  GoldenServer() : GoldenServer([](auto catalog) { return catalog; }) {}
  explicit GoldenServer(const CatalogWrapping& wrapping);

  wire::Response handle(wire::Request request) const;

  /// Makes these all permissions of a user: what an own role, or roles, say on the root and on libraries.
  struct Given {
    content::PrivilegeSet privileges;
    content::LibraryId library = {};
  };
  void give(const std::string& user, const std::vector<Given>& given);
  /// A user with the password `secret` and these permissions, past all checks; whose they are is filled in.
  void add_user(const std::string& name, std::vector<content::Permission> permissions);

  test_support::ManualClock& clock() { return clock_; }
  content::Limits& limits() { return context_.limits; }
  service::Services& services() { return services_; }

  /// Sends `bytes` to an upload endpoint, as the HTTP layer would. What became of it in one line.
  std::string upload(std::string_view uri, std::string_view bytes);
  /// The first part of a body whose connection then breaks.
  std::string upload_part(std::string_view uri, std::string_view bytes);
  /// Reads a download endpoint. What came in one line.
  std::string download(std::string_view uri);

  /// Fetches what waits to be pulled. The other servers of this world have one file, `pulled_uri`, and one published
  /// library with an image: for everybody, behind the password `letmein`, and where the certificate is not trusted.
  void run_pulls();
  static constexpr std::string_view pulled_uri = "https://mirror.example/pulled.iso";
  /// Runs the tasks that are due.
  void run_tasks();
  service::Settings& settings() { return context_.settings; }
  /// Can be probed, but its certificate is known only by its thumbprint.
  static constexpr std::string_view unknown_uri = "https://unknown.example/x.iso";
  static constexpr std::string_view published_uri = "https://publisher.example/lib/lib.json";
  static constexpr std::string_view closed_published_uri = "https://closed.example/lib/lib.json";
  static constexpr std::string_view unknown_published_uri = "https://unknown.example/lib/lib.json";

  /// A subscribed library with one item, whose content is not here: as if synchronized before.
  struct Subscribed {
    std::string library;
    std::string item;
  };
  Subscribed add_subscribed_library(const std::string& url = "https://mirrored.example/lib/lib.json");
  /// Other servers that can be told of what is published.
  test_support::ScriptedRemoteSubscriber& remotes() { return remotes_; }
  /// Makes an event wait for a webhook, after these attempts.
  void add_delivery(const std::string& webhook, const content::WebhookDelivery& delivery);
  /// A task of that user's which nobody runs.
  std::string add_task(const std::string& user);

 private:
  std::string send(std::string_view uri, std::string_view bytes, service::BodyEnd end);

  test_support::TemporaryFolder folder_{test_support::fast_folder()};
  test_support::ManualClock clock_;
  test_support::SequentialIdentities identities_;
  std::unique_ptr<content::Catalog> catalog_;
  content::Storages storages_;
  service::TransferBoard transfers_;
  std::unique_ptr<content::MessageSender> message_sender_;
  std::unique_ptr<content::Fetcher> fetcher_;
  test_support::ScriptedRemoteSubscriber remotes_;
  service::Context context_;
  service::CatalogAuthenticator authenticator_;
  service::Logins logins_;
  service::Services services_;
  service::Pulls pulls_{context_};
  service::SyncSlots sync_slots_;
  service::TaskRunner task_runner_;
  wire::Router router_;
};

}  // namespace quire::golden
