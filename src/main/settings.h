#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "content/default_quota.h"
#include "content/limits.h"
#include "http/server.h"
#include "service/access/logins.h"
#include "service/transaction/context.h"

namespace quire::main {

/// On a small disk this default shrinks, a value that is set does not.
constexpr std::int64_t default_storage_reserve = 64LL << 20U;

/// Everything that can be set, with its defaults.
struct Settings {
  std::string data;
  std::string listen;
  std::string listen_http;
  std::string public_url;
  std::string catalog = "sqlite";
  std::string admin_password_file;
  std::string generated_password_file;
  std::int64_t scrub_rate = std::int64_t{4} << 20U;  ///< bytes a second; 0: never
  std::vector<std::string> storage = {"LocalDS_0"};  ///< as storage_definitions() reads them
  std::int64_t catalog_ballast = 16LL << 20U;
  std::int64_t storage_reserve = default_storage_reserve;
  std::string tls_certificate;
  std::string tls_key;
  std::vector<std::string> tls_name;
  std::string log_level = "info";
  std::string log_format = "text";
  std::string listen_monitoring;
  std::vector<std::string> monitoring_allow;
  std::vector<std::string> pull_allow;
  std::vector<std::string> pull_deny;
  std::string pull_ca_file;
  std::vector<std::string> pull_trust;
  std::vector<std::string> pull_files_from;
  std::vector<std::string> peer;
  std::string trusted_certificates;
  std::string audit_file;
  base::Duration pull_stall_timeout = std::chrono::seconds(60);
  std::size_t pulls_max = 8;
  std::size_t tasks_max = 8;
  std::vector<std::string> webhook_allow;
  std::vector<std::string> webhook_deny;
  base::Duration webhook_timeout = std::chrono::seconds(10);
  std::size_t webhooks_at_once = 4;
  base::Duration shutdown_grace = std::chrono::seconds(30);
  content::DefaultQuotas default_quotas;
  service::Settings service;
  service::Logins::Settings logins;
  content::Limits limits;
  http::ServerLimits http;
};

/// One setting, defined once: the TOML key `a_b` is the flag `--a-b`; help text, defaults and documents derive from it.
struct SettingDefinition {
  std::string key;
  std::string placeholder;  ///< `DURATION`, `SIZE`, `NUMBER`, `TEXT`, …
  std::string description;
  bool repeated = false;
  /// Sets it from text; for a repeated one, the values replace what was there. InvalidArgument says what is expected.
  std::function<base::Result<void>(Settings&, const std::vector<std::string>&)> set;
  std::function<std::vector<std::string>(const Settings&)> get;  ///< in the form that `set` reads
};

const std::vector<SettingDefinition>& setting_definitions();

/// `a_b` → `--a-b`.
std::string flag_of(const SettingDefinition& definition);

/// Settings from a TOML file, on top of `settings`. InvalidArgument names the key, the file and the line: unknown keys,
/// wrong types, bad values.
base::Result<void> read_settings_file(const std::string& path, Settings& settings);

/// A TOML file with every setting, commented and at its default.
std::string default_settings_file();

/// A TOML file with these settings, those that are not at their defaults first.
std::string settings_file(const Settings& settings);

/// The table of settings for docs/settings.md.
std::string settings_document();

/// `30s`, `5m`, `2h`, `250ms`; `0` is 0 s.
base::Result<base::Duration> parse_duration(std::string_view text);
std::string duration_text(base::Duration duration);

/// `65536`, `64KiB`, `16MiB`, `2GiB`.
base::Result<std::int64_t> parse_size(std::string_view text);
std::string size_text(std::int64_t bytes);

/// `HOST:PORT` or `[V6]:PORT`; an empty host means all addresses.
base::Result<http::ListenAddress> parse_listen_address(std::string_view text);

}  // namespace quire::main
