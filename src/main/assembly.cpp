#include "main/assembly.h"

#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/json/serialize.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <thread>

#include "adapters/curl/curl_fetcher.h"
#include "adapters/curl/curl_remote_subscriber.h"
#include "adapters/curl/curl_sender.h"
#include "adapters/files/ballast.h"
#include "adapters/files/durable_file.h"
#include "adapters/files/file_blob_store.h"
#include "adapters/files/file_fetcher.h"
#include "adapters/files/file_lock.h"
#include "adapters/sql/sql_catalog.h"
#include "api/audit_structures.h"
#include "base/check.h"
#include "base/log.h"
#include "base/uri.h"
#include "content/address_policy.h"
#include "content/fetcher_by_scheme.h"
#include "doctor/scrub.h"
#include "formats/certificate.h"
#include "http/tls_identity.h"
#include "main/installation.h"
#include "main/service_notification.h"
#include "main/storage_definition.h"
#include "metrics/metrics_text.h"
#include "service/access/catalog_authenticator.h"
#include "service/library/item_copy.h"
#include "service/library/library_migration.h"
#include "service/publication/persisted_libraries.h"
#include "service/readiness.h"
#include "service/services.h"
#include "service/session/activity_interval.h"
#include "service/subscription/subscriptions.h"
#include "service/subscription/synchronizations.h"
#include "service/transaction/events.h"
#include "service/upload/pulls.h"
#include "service/webhook/webhook_runner.h"
#include "wire/codec/rest_codec.h"
#include "wire/router.h"
#include "work/audit_file.h"
#include "work/orphan_sweep.h"
#include "work/supervisor.h"

namespace quire::main {
namespace {

namespace fs = std::filesystem;
using base::Result;

constexpr auto administrator = "administrator@vsphere.local";
constexpr std::size_t password_bytes_max = 4096;
constexpr std::size_t peer_token_bytes_max = 4096;
constexpr std::size_t trusted_certificates_bytes_max = 16U << 20U;
constexpr int certificate_days = 825;
constexpr mode_t audit_file_mode = 0640;

/// Opens also on a full disk, as far as the ballast makes room.
Result<std::unique_ptr<content::Catalog>> open_embedded_catalog(const Settings& settings,
                                                                adapters::files::Ballast& ballast) {
  auto opened = open_catalog(settings);
  if (!opened && adapters::files::is_catalog_full(opened.error()) && ballast.release()) opened = open_catalog(settings);
  if (!opened) return opened;
  return std::unique_ptr<content::Catalog>(
      std::make_unique<adapters::files::BallastedCatalog>(*std::move(opened), ballast));
}

/// What the settings say of quotas becomes the catalog's.
Result<void> keep_default_quotas(content::Catalog& catalog, const content::DefaultQuotas& defaults) {
  const auto kept = catalog.read(
      [&](content::CatalogReader& reader) -> Result<bool> { return content::are_default_quotas(reader, defaults); });
  if (!kept) return kept.error();
  if (*kept) return {};
  return catalog.write([&](content::CatalogWriter& writer) -> Result<void> {
    content::put_default_quotas(writer, defaults);
    return {};
  });
}

std::string generated_password(base::IdentitySource& identities) { return identities.secret().substr(0, 20); }

/// Tells a generated password once, or keeps it where the settings say. Before the administrator is made: a password
/// that nobody can read would lock everybody out.
Result<void> hand_over(const Settings& settings, const std::string& password) {
  if (settings.generated_password_file.empty()) {
    std::fprintf(stderr, "The password of %s is %s (shown only this once)\n", administrator, password.c_str());
    return {};
  }
  QUIRE_RETURN_IF_ERROR(
      adapters::files::write_file_durably(settings.generated_password_file, password + "\n", S_IRUSR | S_IWUSR));
  std::fprintf(stderr, "The password of %s is in %s\n", administrator, settings.generated_password_file.c_str());
  return {};
}

std::string without_line_end(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return text;
}

/// The administrator's first password, as the settings say.
Result<std::string> first_password(const Settings& settings, base::IdentitySource& identities) {
  if (!settings.admin_password_file.empty()) {
    QUIRE_ASSIGN_OR_RETURN(auto read, adapters::files::read_file(settings.admin_password_file, password_bytes_max));
    return without_line_end(std::move(read));
  }
  if (const char* given = std::getenv("QUIRE_ADMIN_PASSWORD"); given != nullptr && *given != '\0')
    return std::string(given);
  auto generated = generated_password(identities);
  QUIRE_RETURN_IF_ERROR(hand_over(settings, generated));
  return generated;
}

/// Makes the administrator at the first start; later starts leave the users alone.
Result<void> make_administrator(const Settings& settings, service::Users& users, base::IdentitySource& identities) {
  QUIRE_ASSIGN_OR_RETURN(const auto present, users.has_any());
  if (present) return {};
  QUIRE_ASSIGN_OR_RETURN(const auto password, first_password(settings, identities));
  return users.make_administrator(administrator, password);
}

/// Names that the self-signed certificate is for: this machine's, the listen address, the public URL's, and the given
/// ones.
std::vector<std::string> certificate_names(const Settings& settings) {
  std::set<std::string> names = {"localhost", "127.0.0.1", "::1"};
  std::array<char, 256> host{};
  if (gethostname(host.data(), host.size() - 1) == 0 && host[0] != '\0') names.insert(host.data());
  if (const auto listen = parse_listen_address(settings.listen);
      listen && listen->host != "0.0.0.0" && listen->host != "::")
    names.insert(listen->host);
  if (const auto scheme = settings.public_url.find("://"); scheme != std::string::npos) {
    const auto authority =
        settings.public_url.substr(scheme + 3, settings.public_url.find('/', scheme + 3) - scheme - 3);
    if (const auto address =
            parse_listen_address(authority.find(':') == std::string::npos ? authority + ":443" : authority))
      names.insert(address->host);
  }
  names.insert(settings.tls_name.begin(), settings.tls_name.end());
  return {names.begin(), names.end()};
}

struct TlsFiles {
  std::string certificate;
  std::string key;
};

Result<TlsFiles> tls_files(const Settings& settings, base::Clock& clock, base::IdentitySource& identities) {
  if (settings.tls_certificate.empty() != settings.tls_key.empty())
    return bad_setting("tls_certificate and tls_key belong together; set both or none.");
  if (!settings.tls_certificate.empty()) return TlsFiles{settings.tls_certificate, settings.tls_key};
  const fs::path folder = fs::path(settings.data) / "tls";
  const TlsFiles own{folder / "certificate.pem", folder / "key.pem"};
  if (fs::exists(own.certificate) && fs::exists(own.key)) return own;
  QUIRE_RETURN_IF_ERROR(adapters::files::make_folder_durably(folder));
  // An hour back: clients whose clocks are a little behind must not refuse a certificate that is a minute old.
  QUIRE_ASSIGN_OR_RETURN(const auto identity, http::make_self_signed_identity(certificate_names(settings),
                                                                              clock.now() - std::chrono::hours(1),
                                                                              certificate_days, identities));
  QUIRE_RETURN_IF_ERROR(adapters::files::write_file_durably(own.key, identity.key_pem, 0600));
  if (auto certificate = adapters::files::write_file_durably(own.certificate, identity.certificate_pem, 0644);
      !certificate)
    return certificate.error();
  return own;
}

Result<http::ServerSettings> server_settings(const Settings& settings, base::Clock& clock,
                                             base::IdentitySource& identities) {
  http::ServerSettings server;
  if (settings.listen.empty() && settings.listen_http.empty())
    return bad_setting("There is no address to listen on; give --listen HOST:PORT or --listen-http HOST:PORT.");
  if (!settings.listen.empty()) {
    QUIRE_ASSIGN_OR_RETURN(const auto address, parse_listen_address(settings.listen));
    server.https = address;
    QUIRE_ASSIGN_OR_RETURN(const auto files, tls_files(settings, clock, identities));
    server.certificate_file = files.certificate;
    server.key_file = files.key;
  }
  if (!settings.listen_http.empty()) {
    QUIRE_ASSIGN_OR_RETURN(const auto address, parse_listen_address(settings.listen_http));
    server.http = address;
  }
  server.public_url = settings.public_url;
  while (server.public_url.ends_with('/')) server.public_url.pop_back();
  server.limits = settings.http;
  constexpr std::size_t page_bytes = 4096;
  if (server.limits.transfer_buffer_bytes == 0 || server.limits.transfer_buffer_bytes % page_bytes != 0)
    return bad_setting("transfer_buffer_bytes is {bytes}; it must be a whole multiple of 4KiB.",
                       {{"bytes", size_text(static_cast<std::int64_t>(server.limits.transfer_buffer_bytes))}});
  server.limits.calls_may_wait = !is_embedded(settings);
  const auto session_timeout =
      std::min(settings.service.update_session_timeout, settings.service.download_session_timeout);
  server.limits.activity_interval = std::min(
      {server.limits.activity_interval, service::activity_interval(session_timeout), settings.logins.idle_timeout / 4});
  return server;
}

std::string shown(const http::ListenAddress& address) {
  const bool v6 = address.host.find(':') != std::string::npos;
  return (v6 ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

void print_ready(const http::Server& server, const http::Server* monitoring) {
  if (const auto https = server.https_address()) std::printf("ready https://%s\n", shown(*https).c_str());
  if (const auto http = server.http_address()) std::printf("ready http://%s\n", shown(*http).c_str());
  if (monitoring != nullptr) std::printf("ready monitoring http://%s\n", shown(*monitoring->http_address()).c_str());
  std::fflush(stdout);
}

/// Signals are blocked in every thread and taken by one that waits for them.
sigset_t watched_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  return signals;
}

void obey_signals(http::Server& server, base::Duration grace, std::atomic<bool>& stopping) {
  const auto signals = watched_signals();
  for (;;) {
    int signal = 0;
    if (sigwait(&signals, &signal) != 0) continue;
    if (signal == SIGHUP) {
      const auto reloaded = server.reload_certificate();
      if (reloaded)
        spdlog::info("The TLS certificate was read again.");
      else
        spdlog::error("The TLS certificate could not be read again, the old one stays: {}", reloaded.error().text());
      continue;
    }
    notify_service_manager("STOPPING=1");
    spdlog::info("Stopping: running transfers get {}.", duration_text(grace));
    stopping = true;
    server.stop(grace);
    return;
  }
}

/// Its lines are what the operation answers with, as new REST writes it.
work::AuditFile make_audit_file(service::Context& context, const std::string& path) {
  const auto line_of = [](const content::Event& event) {
    const auto entry = api::audit_entry(event);
    return boost::json::serialize(wire::encode_rest(api::audit_entry_type(), &entry, wire::RestForm::current));
  };
  const auto append = [path](std::string_view lines) {
    return adapters::files::append_durably(path, lines, audit_file_mode);
  };
  return {context, line_of, append};
}

/// Who may read the pages for monitoring without a login, among the API.
Result<std::function<bool(const std::string&)>> monitoring_networks(const std::vector<std::string>& texts) {
  std::vector<content::IpNetwork> networks;
  for (const auto& text : texts) {
    const auto network = content::IpNetwork::parse(text);
    if (!network) return bad_setting("monitoring_allow names {network}, which is no network.", {{"network", text}});
    networks.push_back(*network);
  }
  return std::function<bool(const std::string&)>([networks](const std::string& address) {
    const auto asking = content::IpAddress::parse(address);
    return asking && std::ranges::any_of(networks, [&](const auto& network) {
             const auto v4 = asking->embedded_ipv4();
             return network.contains(*asking) || (v4 && network.contains(*v4));
           });
  });
}

/// The pages for monitoring: readiness ends when the server begins to stop.
service::Monitoring make_monitoring(service::Context& context, service::Services& services,
                                    const work::Supervisor& supervisor, const std::atomic<bool>& stopping) {
  const metrics::Sources sources{context, services.event_feed, [&supervisor] { return supervisor.status(); },
                                 QUIRE_VERSION, context.clock.now()};
  service::Monitoring monitoring;
  monitoring.metrics = [sources] { return metrics::metrics_text(sources); };
  monitoring.readiness = [&context, &supervisor, &stopping] {
    auto readiness = service::readiness_of(context, supervisor.status());
    if (stopping) readiness.obstacles.push_back("The server is stopping.");
    return readiness;
  };
  return monitoring;
}

std::vector<service::TaskKind> task_kinds(service::SyncSlots& slots, std::size_t tasks_max) {
  auto kinds = service::synchronization_tasks(slots, std::max<std::size_t>(tasks_max / 2, 1));
  kinds.push_back(service::item_copy_tasks());
  kinds.push_back(service::library_migration_tasks());
  kinds.push_back(service::publish_tasks());
  return kinds;
}

std::vector<work::PeriodicWork> periodic_works(service::Context& context, service::Services& services,
                                               service::Pulls& pulls, std::size_t pulls_max, service::TaskRunner& tasks,
                                               std::size_t tasks_max) {
  const base::Duration interval = std::chrono::seconds(1);
  const auto keep_alive_interval = std::max<base::Duration>(
      std::min(interval, context.settings.update_session_timeout / 4), std::chrono::milliseconds(10));
  std::vector<work::PeriodicWork> works = {
      {"update session expiry", interval, [&] { return services.update_sessions.remove_expired(); }},
      {"download session expiry", interval, [&] { return services.download_sessions.remove_expired(); }},
      {"steps of the system clock", interval, [&] { return service::remember_skew(context); }},
      {"room on the catalog's disk", interval,
       [&]() -> Result<void> {
         context.has_room_to_grow();  // makes the ballast again where it can
         return {};
       }},
      {"event retention", std::chrono::seconds(30), [&] { return service::remove_old_events(context); }},
      {"task retention", std::chrono::seconds(30), [&] { return services.tasks.remove_old(); }},
      {"automatic synchronization", std::chrono::seconds(10), [&] { return services.subscribed_libraries.sync_due(); }},
      {"login expiry", std::chrono::seconds(30), [&] { return services.logins.remove_expired(); }},
      {"activity of pulls", keep_alive_interval, [&] { return services.update_sessions.keep_pulling_alive(); }},
      {"completion of idle pulls", interval, [&] { return services.update_sessions.complete_idle_pulls(); }},
      {"event streams", base::Duration(0),
       [&services, interval] {
         services.event_feed.wait(interval);
         return services.event_feed.hand_out();
       }},
      {"progress for event streams", interval, [&] { return services.progress_feed.look(); }}};
  for (std::size_t i = 0; i < pulls_max; ++i)
    works.push_back({"pull " + std::to_string(i + 1), base::Duration(0), [&]() -> Result<void> {
                       const auto ran = pulls.run_next();
                       if (!ran || !*ran) pulls.wait(std::chrono::seconds(1));
                       return ran ? Result<void>() : ran.error();
                     }});
  for (std::size_t i = 0; i < tasks_max; ++i)
    works.push_back({"task " + std::to_string(i + 1), base::Duration(0), [&]() -> Result<void> {
                       const auto ran = tasks.run_next();
                       if (!ran || !*ran) tasks.wait(std::chrono::seconds(1));
                       return ran ? Result<void>() : ran.error();
                     }});
  return works;
}

Result<std::vector<std::string>> trusted_certificates(const Settings& settings) {
  if (settings.trusted_certificates.empty()) return std::vector<std::string>();
  QUIRE_ASSIGN_OR_RETURN(const auto pem,
                         adapters::files::read_file(settings.trusted_certificates, trusted_certificates_bytes_max));
  return formats::parse_trusted_certificates(pem);
}

fs::path folder_of(const content::Storage& storage) {
  return base::percent_decode(storage.uri.substr(content::folder_scheme.size())).value();
}

/// Of an entry of the setting peer, `HOST[:PORT]=FILE`.
std::string file_of_peer(const std::string& entry) {
  const auto equals = entry.find('=');
  return equals == std::string::npos ? "" : entry.substr(equals + 1);
}

/// Where `file:` and `ds:` sources may lie. What the server itself keeps is closed, whatever the settings say.
Result<adapters::files::ReadableFiles> readable_files(const Settings& settings, const content::Storages& storages) {
  adapters::files::ReadableFiles readable;
  for (const auto& storage : storages.all()) {
    if (!storage.is_folder()) continue;
    const auto folder = folder_of(storage);
    readable.volumes.push_back({storage.uuid, folder});
    for (const auto& own : adapters::files::folders_of_blob_store(folder)) readable.closed.push_back(own);
  }
  for (const auto& folder : settings.pull_files_from) {
    std::error_code error;
    const auto canonical = fs::canonical(folder, error);
    if (error || !fs::is_directory(canonical, error))
      return bad_setting("pull_files_from names {folder}, which is no folder.", {{"folder", folder}});
    readable.folders.push_back(canonical);
  }
  const auto data = fs::weakly_canonical(settings.data);
  for (const auto* own :
       {"tls", "lock", "ballast", "catalog.sqlite", "catalog.sqlite-wal", "catalog.sqlite-shm", "before-upgrade"})
    readable.closed.push_back(data / own);
  readable.closed.push_back(data / cache_folder_name);
  for (const auto& secret :
       {settings.tls_key, settings.admin_password_file, settings.generated_password_file, settings.audit_file})
    if (!secret.empty()) readable.closed.push_back(fs::weakly_canonical(fs::absolute(secret)));
  for (const auto& entry : settings.peer)
    if (const auto file = file_of_peer(entry); !file.empty())
      readable.closed.push_back(fs::weakly_canonical(fs::absolute(file)));
  QUIRE_ASSIGN_OR_RETURN(const auto definitions, storage_definitions(settings.storage, settings.data));
  for (const auto& definition : definitions)
    if (const auto* bucket = definition.bucket(); bucket != nullptr && !bucket->credentials_file.empty())
      readable.closed.push_back(fs::weakly_canonical(fs::absolute(bucket->credentials_file)));
  return readable;
}

Result<std::unique_ptr<content::Fetcher>> make_web_fetcher(const Settings& settings) {
  QUIRE_ASSIGN_OR_RETURN(auto policy, content::AddressPolicy::make(settings.pull_allow, settings.pull_deny));
  QUIRE_ASSIGN_OR_RETURN(auto pins, adapters::curl::PinnedHosts::make(settings.pull_trust));
  adapters::curl::Options options;
  options.pins = std::move(pins);
  options.policy = std::move(policy);
  options.stall_timeout = settings.pull_stall_timeout;
  options.extra_ca_file = settings.pull_ca_file;
  options.user_agent = "Quire";
  return adapters::curl::make_curl_fetcher(std::move(options));
}

Result<std::unique_ptr<content::RemoteSubscriber>> make_remote_subscriber(const Settings& settings) {
  adapters::curl::RemoteSubscriberOptions options;
  for (const auto& entry : settings.peer) {
    const auto file = file_of_peer(entry);
    if (file.empty()) return bad_setting("peer is {entry}; write HOST=FILE or HOST:PORT=FILE.", {{"entry", entry}});
    QUIRE_ASSIGN_OR_RETURN(auto token, adapters::files::read_file(file, peer_token_bytes_max));
    options.peers.push_back({entry.substr(0, entry.find('=')), without_line_end(std::move(token))});
  }
  QUIRE_ASSIGN_OR_RETURN(options.pins, adapters::curl::PinnedHosts::make(settings.pull_trust));
  options.extra_ca_file = settings.pull_ca_file;
  options.user_agent = "Quire";
  return adapters::curl::make_curl_remote_subscriber(std::move(options));
}

Result<std::unique_ptr<content::MessageSender>> make_message_sender(const Settings& settings) {
  adapters::curl::SenderOptions options;
  QUIRE_ASSIGN_OR_RETURN(options.policy, content::AddressPolicy::make(settings.webhook_allow, settings.webhook_deny));
  options.timeout = settings.webhook_timeout;
  options.extra_ca_file = settings.pull_ca_file;
  options.user_agent = "Quire";
  return adapters::curl::make_curl_sender(std::move(options));
}

}  // namespace

Result<void> serve(const Settings& settings) {
  const auto log_format = base::enumerator_named<base::LogFormat>(settings.log_format);
  if (!log_format)
    return bad_setting("The log format is {format}; it must be text or json.", {{"format", settings.log_format}});
  base::set_up_log(spdlog::level::from_str(settings.log_level), *log_format);
  if (settings.data.empty()) return bad_setting("The data folder is missing; give --data DIR.");
  const auto signals = watched_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);  // a connection that went away is an error of the write

  base::SystemClock clock;
  base::RandomIdentitySource identities;
  if (auto made = adapters::files::make_folder_durably(settings.data); !made) return made;
  QUIRE_ASSIGN_OR_RETURN([[maybe_unused]] const auto lock, adapters::files::lock_data_folder(settings.data));

  std::optional<adapters::files::Ballast> ballast;
  if (is_embedded(settings)) ballast.emplace(fs::path(settings.data) / "ballast", settings.catalog_ballast);
  QUIRE_ASSIGN_OR_RETURN(const auto catalog,
                         ballast ? open_embedded_catalog(settings, *ballast) : open_catalog(settings));
  QUIRE_ASSIGN_OR_RETURN(auto storages, open_storages(settings, *catalog, clock, identities));
  QUIRE_RETURN_IF_ERROR(keep_default_quotas(*catalog, settings.default_quotas));
  QUIRE_ASSIGN_OR_RETURN(const auto guid, installation_id(*catalog, identities));

  QUIRE_ASSIGN_OR_RETURN(const auto installed, fixed_setting(*catalog, "installed", base::to_text(clock.now())));

  service::TransferBoard transfers;
  QUIRE_ASSIGN_OR_RETURN(const auto leases, service::open_lease_clock(*catalog, clock));
  service::Context context{*catalog, storages, clock, leases, identities, transfers, settings.service, settings.limits};
  if (ballast) context.has_room_to_grow = [&ballast] { return ballast->hold(); };
  QUIRE_ASSIGN_OR_RETURN(const auto trusted, trusted_certificates(settings));
  QUIRE_ASSIGN_OR_RETURN(const auto web, make_web_fetcher(settings));
  QUIRE_ASSIGN_OR_RETURN(auto readable, readable_files(settings, storages));
  const auto files = adapters::files::make_file_fetcher(std::move(readable));
  content::FetcherByScheme fetcher(
      {{"http", web.get()}, {"https", web.get()}, {"file", files.get()}, {"ds", files.get()}});
  QUIRE_ASSIGN_OR_RETURN(const auto message_sender, make_message_sender(settings));
  context.message_sender = message_sender.get();
  QUIRE_ASSIGN_OR_RETURN(const auto remote_subscriber, make_remote_subscriber(settings));
  context.remote_subscriber = remote_subscriber.get();
  service::WebhookRunner webhooks(context);
  service::Pulls pulls(context);
  context.fetcher = &fetcher;
  context.on_pull_added = [&pulls] { pulls.wake(); };
  service::CatalogAuthenticator authenticator(context);
  service::Logins logins(context, authenticator, settings.logins);
  service::SyncSlots sync_slots;
  service::TaskRunner tasks(context, task_kinds(sync_slots, settings.tasks_max));
  context.on_task_added = [&tasks] { tasks.wake(); };
  service::Services services(context, logins, guid, base::parse_time(installed).value_or(base::Time()),
                             {QUIRE_VERSION, is_embedded(settings) ? "sqlite" : "postgresql", clock.now()});
  context.on_events = [&services] { services.event_feed.announce(); };
  if (auto added = services.trusted_certificates.add_all(trusted); !added) return added;
  if (auto made = make_administrator(settings, services.users, identities); !made) return made;

  QUIRE_ASSIGN_OR_RETURN(const auto swept, work::sweep_orphans(context));
  if (swept.orphans_removed > 0) spdlog::info("Removed {} blobs that a crash had left behind.", swept.orphans_removed);
  if (auto extended = services.update_sessions.extend_after_start(); !extended) return extended;

  if (auto released = tasks.release_claims(); !released) return released;

  const wire::Router router(services);
  QUIRE_ASSIGN_OR_RETURN(auto http_settings, server_settings(settings, clock, identities));
  QUIRE_ASSIGN_OR_RETURN(const auto server, http::make_server(std::move(http_settings), services, router));

  auto works = periodic_works(context, services, pulls, settings.pulls_max, tasks, settings.tasks_max);
  for (std::size_t i = 0; i < settings.webhooks_at_once; ++i)
    works.push_back({"webhooks " + std::to_string(i + 1), base::Duration(0), [&]() -> Result<void> {
                       const auto ran = webhooks.run_round();
                       if (!ran || !*ran) webhooks.wait(std::chrono::seconds(1));
                       return ran ? Result<void>() : ran.error();
                     }});
  service::PersistedLibraries persisted(context, services.publications, guid);
  works.push_back({"persisted libraries", base::Duration(0), [&] {
                     auto done = persisted.run_round();
                     persisted.wait(std::chrono::seconds(1));
                     return done;
                   }});
  works.push_back({"dead webhook deliveries", std::chrono::minutes(1), [&] { return webhooks.remove_old(); }});
  auto audit_file = make_audit_file(context, settings.audit_file);
  if (!settings.audit_file.empty()) {
    // A path that cannot be written is found at the start, not by a worker at night.
    if (auto written = audit_file.append_new(); !written) return written;
    works.push_back({"audit file", std::chrono::seconds(1), [&] { return audit_file.append_new(); }});
  }
  doctor::Scrub scrub(*catalog, storages);
  if (settings.scrub_rate > 0)
    works.push_back({"scrub", std::chrono::seconds(1), [&] { return scrub.read_on(settings.scrub_rate); }});
  work::Supervisor supervisor(std::move(works), clock);
  services.workers = service::Workers([&supervisor] { return supervisor.status(); });
  std::atomic<bool> stopping = false;
  services.monitoring = make_monitoring(context, services, supervisor, stopping);
  QUIRE_ASSIGN_OR_RETURN(services.monitoring.lets_in, monitoring_networks(settings.monitoring_allow));
  std::unique_ptr<http::Server> monitoring_server;
  std::thread monitoring_thread;
  if (!settings.listen_monitoring.empty()) {
    QUIRE_ASSIGN_OR_RETURN(const auto address, parse_listen_address(settings.listen_monitoring));
    QUIRE_ASSIGN_OR_RETURN(monitoring_server, http::make_monitoring_server(address, router, clock));
    monitoring_thread = std::thread([&monitoring_server] { monitoring_server->run(); });
  }
  print_ready(*server, monitoring_server.get());
  notify_service_manager("READY=1");
  std::thread signal_thread([&] { obey_signals(*server, settings.shutdown_grace, stopping); });
  server->run();
  signal_thread.join();
  if (monitoring_server) {  // the last to go, so that it can tell that the others are going
    monitoring_server->stop(base::Duration(0));
    monitoring_thread.join();
  }
  services.event_feed.stop();
  webhooks.stop();
  persisted.stop();
  pulls.stop();
  tasks.stop();
  supervisor.stop();
  if (!settings.audit_file.empty()) {
    if (const auto written = audit_file.append_new(); !written)
      spdlog::warn("The audit file lacks the last entries; the next start writes them: {}", written.error().text());
  }
  spdlog::info("Stopped.");
  return {};
}

}  // namespace quire::main
