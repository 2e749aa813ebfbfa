#include "main/settings.h"

#include <fmt/format.h>

#include <array>
#include <limits>

#include "base/decimal.h"

// toml++ throws by default; read_settings_file turns that into a Result.
#include <toml++/toml.h>

namespace quire::main {
namespace {

using base::Duration;
using base::Error;
using base::ErrorKind;
using base::Result;

Error bad_value(std::string_view value, std::string_view expected) {
  return {ErrorKind::invalid_argument,
          "quire.settings.bad_value",
          "{value} is not {expected}.",
          {{"value", std::string(value)}, {"expected", std::string(expected)}}};
}

Result<std::int64_t> parse_number(std::string_view text) {
  if (const auto number = base::parse_decimal(text)) return *number;
  return bad_value(text, "a whole number of at least 0");
}

struct Unit {
  std::string_view name;
  std::int64_t factor;
};
constexpr std::array duration_units = {Unit{"ms", 1}, Unit{"s", 1000}, Unit{"m", 60'000}, Unit{"h", 3'600'000}};
constexpr std::array size_units = {Unit{"KiB", 1LL << 10U}, Unit{"MiB", 1LL << 20U}, Unit{"GiB", 1LL << 30U}};

template <std::size_t N>
Result<std::int64_t> parse_with_unit(std::string_view text, const std::array<Unit, N>& units, std::int64_t without_unit,
                                     std::string_view expected) {
  const auto digits = text.find_first_not_of("0123456789");
  const auto number = parse_number(text.substr(0, digits));
  if (digits == 0 || !number) return bad_value(text, expected);
  std::int64_t factor = without_unit;
  if (digits != std::string_view::npos) {
    factor = 0;
    for (const auto& unit : units)
      if (unit.name == text.substr(digits)) factor = unit.factor;
  }
  const bool is_zero = *number == 0 && digits == std::string_view::npos;
  if ((factor == 0 && !is_zero) || (factor != 0 && *number > std::numeric_limits<std::int64_t>::max() / factor))
    return bad_value(text, expected);
  return *number * factor;
}

SettingDefinition text(std::string key, std::string placeholder, std::string description,
                       std::string Settings::* member) {
  return {std::move(key),
          std::move(placeholder),
          std::move(description),
          false,
          [member](Settings& settings, const std::vector<std::string>& values) -> Result<void> {
            settings.*member = values.back();
            return {};
          },
          [member](const Settings& settings) { return std::vector{settings.*member}; }};
}

SettingDefinition texts(std::string key, std::string placeholder, std::string description,
                        std::vector<std::string> Settings::* member) {
  return {std::move(key),
          std::move(placeholder),
          std::move(description),
          true,
          [member](Settings& settings, const std::vector<std::string>& values) -> Result<void> {
            settings.*member = values;
            return {};
          },
          [member](const Settings& settings) { return settings.*member; }};
}

/// `member` gives the place of the value in the settings.
template <class Member>
SettingDefinition duration(std::string key, std::string description, Member member) {
  return {std::move(key),
          "DURATION",
          std::move(description),
          false,
          [member](Settings& settings, const std::vector<std::string>& values) -> Result<void> {
            QUIRE_ASSIGN_OR_RETURN(const auto parsed, parse_duration(values.back()));
            member(settings) = parsed;
            return {};
          },
          [member](const Settings& settings) {
            return std::vector{duration_text(member(const_cast<Settings&>(settings)))};
          }};
}

template <class Member>
SettingDefinition size(std::string key, std::string description, Member member) {
  return {std::move(key),
          "SIZE",
          std::move(description),
          false,
          [member](Settings& settings, const std::vector<std::string>& values) -> Result<void> {
            QUIRE_ASSIGN_OR_RETURN(const auto parsed, parse_size(values.back()));
            member(settings) = static_cast<std::remove_reference_t<decltype(member(settings))>>(parsed);
            return {};
          },
          [member](const Settings& settings) {
            return std::vector{size_text(static_cast<std::int64_t>(member(const_cast<Settings&>(settings))))};
          }};
}

template <class Member>
SettingDefinition number(std::string key, std::string description, Member member) {
  return {std::move(key),
          "NUMBER",
          std::move(description),
          false,
          [member](Settings& settings, const std::vector<std::string>& values) -> Result<void> {
            QUIRE_ASSIGN_OR_RETURN(const auto parsed, parse_number(values.back()));
            if (parsed == 0) return bad_value(values.back(), "a whole number of at least 1");
            member(settings) = static_cast<std::remove_reference_t<decltype(member(settings))>>(parsed);
            return {};
          },
          [member](const Settings& settings) {
            return std::vector{std::to_string(member(const_cast<Settings&>(settings)))};
          }};
}

/// A number of things that may be 0.
template <class Member>
SettingDefinition count(std::string key, std::string description, Member member) {
  auto definition = number(std::move(key), std::move(description), member);
  definition.set = [member](Settings& settings, const std::vector<std::string>& values) -> Result<void> {
    QUIRE_ASSIGN_OR_RETURN(member(settings), parse_number(values.back()));
    return {};
  };
  return definition;
}

/// A size or number that takes no other values.
SettingDefinition between(std::int64_t least, std::int64_t most, SettingDefinition definition) {
  const auto shown = [&](std::int64_t value) {
    return definition.placeholder == "SIZE" ? size_text(value) : std::to_string(value);
  };
  const auto range = shown(least) + " to " + shown(most);
  definition.description += " From " + range + ".";
  definition.set = [set = definition.set, least, most, range](Settings& settings,
                                                              const std::vector<std::string>& values) -> Result<void> {
    const auto given = parse_size(values.back());
    if (given && (*given < least || *given > most)) return bad_value(values.back(), "from " + range);
    return set(settings, values);
  };
  return definition;
}

// NOLINTNEXTLINE(bugprone-macro-parentheses): a member name stands in no parentheses
#define QUIRE_AT(member) [](Settings& settings) -> auto& { return settings.member; }

std::string toml_text(std::string_view value) {
  std::string out = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

/// A setting's value as TOML: numbers bare, lists in brackets, the rest in quotes.
std::string toml_value(const SettingDefinition& definition, const std::vector<std::string>& values) {
  if (definition.repeated) {
    std::string list;
    for (const auto& value : values) list += (list.empty() ? "" : ", ") + toml_text(value);
    return "[" + list + "]";
  }
  return definition.placeholder == "NUMBER" ? values.front() : toml_text(values.front());
}

const SettingDefinition* find_definition(std::string_view key) {
  for (const auto& definition : setting_definitions())
    if (definition.key == key) return &definition;
  return nullptr;
}

/// What `set` reads, from a TOML node; nullopt when its type does not fit.
std::optional<std::vector<std::string>> values_of(const toml::node& node, bool repeated) {
  std::vector<std::string> values;
  const auto add = [&](const toml::node& one) {
    if (const auto word = one.value_exact<std::string>())
      values.push_back(*word);
    else if (const auto whole = one.value_exact<std::int64_t>())
      values.push_back(std::to_string(*whole));
    else
      return false;
    return true;
  };
  if (repeated) {
    const auto* list = node.as_array();
    if (list == nullptr) return std::nullopt;
    for (const auto& one : *list)
      if (!add(one)) return std::nullopt;
    return values;
  }
  if (!add(node)) return std::nullopt;
  return values;
}

Error in_file(const std::string& path, std::size_t line, std::string_view what) {
  return {ErrorKind::invalid_argument,
          "quire.settings.bad_file",
          "{path}, line {line}: {what}",
          {{"path", path}, {"line", static_cast<std::int64_t>(line)}, {"what", std::string(what)}}};
}

}  // namespace

const std::vector<SettingDefinition>& setting_definitions() {
  static const std::vector<SettingDefinition> definitions = {
      text("data", "DIR", "The data folder; made if missing. Only one server at a time uses it.", &Settings::data),
      text("listen", "HOST:PORT", "Address for HTTPS; port 0 picks a free one. Empty: off.", &Settings::listen),
      text("listen_http", "HOST:PORT",
           "Address for plain HTTP as well, behind a proxy or on a private network. Empty: off.",
           &Settings::listen_http),
      text("public_url", "URL",
           "Base of the URLs handed out, when the request's host is not the right one. Empty: from the request.",
           &Settings::public_url),
      text("catalog", "URL", "`sqlite` keeps the catalog in the data folder; `postgresql://…` uses that database.",
           &Settings::catalog),
      text("admin_password_file", "FILE",
           "Holds the password that administrator@vsphere.local gets at the first start. Without it "
           "QUIRE_ADMIN_PASSWORD is taken, "
           "or one is generated and shown once.",
           &Settings::admin_password_file),
      text("generated_password_file", "FILE",
           "A generated password is written here, readable by the server's user only, instead of being shown: what is "
           "shown may end up in a journal. Remove the file when you have read it.",
           &Settings::generated_password_file),
      texts("storage", "NAME[=PLACE]",
            "A storage, shown as a datastore of that name; may be repeated, the first is the default. PLACE is a "
            "folder, or a bucket of an S3 service: s3://BUCKET[/PREFIX][?endpoint=URL&region=REGION&…]. Without it the "
            "storage lies in the data folder.",
            &Settings::storage),
      size(
          "storage_reserve",
          "What uploads leave free on the disk of each storage, for the catalog: without that room nobody could log in "
          "or delete. The default is a sixteenth of the disk where that is less.",
          QUIRE_AT(storage_reserve)),
      size("scrub_rate",
           "How much of the stored bytes is read each second, again and again, and compared with their digests; damage "
           "is written to the log and shown with the workers. 0: never.",
           QUIRE_AT(scrub_rate)),
      size("catalog_ballast",
           "Size of a file in the data folder that is let go when the catalog's disk is full all the same, so that "
           "sessions can be ended and content deleted; a thirty-second of the disk where that is less. Nothing new "
           "begins until there is room for it again. With the catalog on SQLite only.",
           QUIRE_AT(catalog_ballast)),
      text("tls_certificate", "FILE",
           "Certificate chain in PEM; empty: a self-signed one is made in the data folder. Read again on SIGHUP.",
           &Settings::tls_certificate),
      text("tls_key", "FILE", "Private key of the certificate, in PEM.", &Settings::tls_key),
      texts("tls_name", "NAME",
            "A host name or address for the self-signed certificate, besides this machine's own; may be repeated.",
            &Settings::tls_name),
      text("log_level", "LEVEL", "trace, debug, info, warning, error or critical. The log goes to stderr.",
           &Settings::log_level),
      text("log_format", "FORMAT",
           "text, or json: a line is an object with time, level, message and, where the client named its call, "
           "operation_id.",
           &Settings::log_format),
      text("listen_monitoring", "HOST:PORT",
           "Address, on plain HTTP, for /healthz, /readyz and /metrics alone; whoever can reach it may read them "
           "without a login. Empty: off.",
           &Settings::listen_monitoring),
      texts("monitoring_allow", "NETWORK",
            "A network whose clients may read /healthz, /readyz and /metrics on the addresses of the API without a "
            "login; may be repeated. Behind a proxy, all clients have the proxy's address.",
            &Settings::monitoring_allow),
      size(
          "default_library_quota_bytes",
          "What a library may hold that has no quota of its own. 0: no limit. An own quota takes its place as a whole.",
          QUIRE_AT(default_quotas.library_bytes)),
      count("default_library_quota_items", "How many items such a library may hold. 0: no limit.",
            QUIRE_AT(default_quotas.library_items)),
      size("default_user_quota_bytes",
           "What the items may hold that a user made who has no quota of their own. 0: no limit.",
           QUIRE_AT(default_quotas.user_bytes)),
      count("default_user_quota_items", "How many items such a user may make. 0: no limit.",
            QUIRE_AT(default_quotas.user_items)),
      duration("update_session_timeout", "An update session without activity for this long expires.",
               QUIRE_AT(service.update_session_timeout)),
      duration("download_session_timeout", "A download session without activity for this long expires.",
               QUIRE_AT(service.download_session_timeout)),
      duration("ended_session_retention", "How long finished update sessions stay readable.",
               QUIRE_AT(service.ended_session_retention)),
      duration("event_retention", "How long the audit trail, the events of changes and refusals, can be read.",
               QUIRE_AT(service.event_retention)),
      duration("event_heartbeat", "A stream of events without an event for this long sends a comment.",
               QUIRE_AT(service.event_heartbeat)),
      text("audit_file", "FILE",
           "The audit trail is written here as well, a JSON object a line; its entries stay until somebody removes "
           "them, so let it be rotated. Empty: nowhere.",
           &Settings::audit_file),
      duration("task_retention", "How long tasks that have ended can be read.", QUIRE_AT(service.task_retention)),
      number("task_attempts", "How often in a row a task may fail for a reason that can pass before it ends as failed.",
             QUIRE_AT(service.task_attempts)),
      number("tasks_max",
             "Tasks that run at once; further ones wait. Of these, at most half synchronize whole libraries.",
             QUIRE_AT(tasks_max)),
      size(
          "copy_in_call_bytes_max",
          "A copy of an item that moves up to this many bytes to another storage is made before the call answers; more "
          "are copied by a task.",
          QUIRE_AT(service.copy_in_call_bytes_max)),
      duration("replaced_content_retention",
               "How long subscribers of a published library can read the files of an item after it got others.",
               QUIRE_AT(service.replaced_content_retention)),
      duration("client_token_retention", "How long a client token makes a repeated creation return the first result.",
               QUIRE_AT(service.client_token_retention)),
      duration(
          "complete_idle_pulls_after",
          "A session that only pulled, and that is left alone for this long after its files have arrived, completes by "
          "itself, as Terraform expects. 0: never.",
          QUIRE_AT(service.complete_idle_pulls_after)),
      number("pull_attempts", "How often a pull is tried.", QUIRE_AT(service.pull_attempts)),
      duration("pull_stall_timeout", "A pull without a byte for this long is broken off and tried again.",
               QUIRE_AT(pull_stall_timeout)),
      number("pulls_max", "Pulls that run at once; further ones wait.", QUIRE_AT(pulls_max)),
      texts("pull_allow", "NETWORK",
            "A network that pulls may reach although it is refused by default (loopback, link-local, …); may be "
            "repeated.",
            &Settings::pull_allow),
      texts("pull_deny", "NETWORK", "A network that pulls must not reach; wins over pull_allow; may be repeated.",
            &Settings::pull_deny),
      text("pull_ca_file", "FILE", "Certificates (PEM) that pulls trust besides the system's roots.",
           &Settings::pull_ca_file),
      texts("pull_trust", "HOST[:PORT]=THUMBPRINT",
            "The certificate (SHA-1 or SHA-256) that pulls accept from a host, for clients that cannot send a "
            "thumbprint; may be repeated. A certificate or thumbprint that comes with the source wins.",
            &Settings::pull_trust),
      texts("pull_files_from", "DIR",
            "A folder whose files may be pulled by `file:` URLs, besides the folders of the storages, by whoever has "
            "ContentLibrary.ReadStorage on the item; may be repeated. The server's own files are refused wherever they "
            "lie.",
            &Settings::pull_files_from),
      texts(
          "peer", "HOST[:PORT]=FILE",
          "A server whose subscribed libraries this one may tell of what is published; FILE holds an API token of that "
          "server. Without PORT, 443. May be repeated. Its certificate is checked as that of a pull (pull_trust, "
          "pull_ca_file).",
          &Settings::peer),
      texts("webhook_allow", "NETWORK",
            "A network that webhooks may lie in although it is refused by default (loopback, link-local, …); may be "
            "repeated.",
            &Settings::webhook_allow),
      texts("webhook_deny", "NETWORK",
            "A network that webhooks must not lie in; wins over webhook_allow; may be repeated.",
            &Settings::webhook_deny),
      duration("webhook_timeout", "A webhook must have answered after this long.", QUIRE_AT(webhook_timeout)),
      number("webhook_attempts", "How often a webhook is told of an event in vain before the delivery is dead.",
             QUIRE_AT(service.webhook_attempts)),
      number("webhooks_at_once", "Webhooks that are told at the same time; further ones wait.",
             QUIRE_AT(webhooks_at_once)),
      text("trusted_certificates", "FILE",
           "Certificates (PEM) that each start adds to the trust store: OVF packages whose signer's certificate "
           "follows from "
           "one that is there are trusted. The store itself is in the catalog; the API shows and changes it.",
           &Settings::trusted_certificates),
      duration("login_idle_timeout", "A login session without use for this long, or up to 10 s longer, ends.",
               QUIRE_AT(logins.idle_timeout)),
      duration("login_lifetime_max", "A login session ends after this long in any case.",
               QUIRE_AT(logins.lifetime_max)),
      duration("shutdown_grace", "How long running transfers may go on after SIGTERM.", QUIRE_AT(shutdown_grace)),
      number("name_chars_max", "Characters of an item or library name.", QUIRE_AT(limits.name_chars_max)),
      number("description_chars_max", "Characters of a description.", QUIRE_AT(limits.description_chars_max)),
      number("type_chars_max", "Characters of an item's type.", QUIRE_AT(limits.type_chars_max)),
      number("message_chars_max", "Characters of the reason with which a client fails a session.",
             QUIRE_AT(limits.message_chars_max)),
      number("files_per_item_max", "Files of an item or update session.", QUIRE_AT(limits.files_per_item_max)),
      number("tag_categories_max", "Categories of tags.", QUIRE_AT(limits.tag_categories_max)),
      number("tags_max", "Tags.", QUIRE_AT(limits.tags_max)),
      number("tags_of_object_max", "Tags on one library, item or datastore.", QUIRE_AT(limits.tags_of_object_max)),
      number("library_usages_max", "Usages of a library.", QUIRE_AT(limits.library_usages_max)),
      number("library_subscriptions_max", "Subscribed libraries that a published one tells.",
             QUIRE_AT(limits.library_subscriptions_max)),
      number("publication_readers_max", "The last readers of a published library that it can be asked about.",
             QUIRE_AT(limits.publication_readers_max)),
      number("tasks_active_max", "Tasks that have not ended.", QUIRE_AT(limits.tasks_active_max)),
      number("upload_ranges_max", "Separate places that have arrived of one file sent in parts.",
             QUIRE_AT(limits.upload_ranges_max)),
      number("password_length_min", "Characters that a password must have at least when it is set.",
             QUIRE_AT(limits.password_length_min)),
      between(service::least_password_cost.memory_bytes, service::most_password_cost.memory_bytes,
              size("password_memory",
                   "Memory that a digest of a password (Argon2id) takes. A password that was set at another cost gets "
                   "its new digest at the next login.",
                   QUIRE_AT(service.password_cost.memory_bytes))),
      between(static_cast<std::int64_t>(service::least_password_cost.passes),
              static_cast<std::int64_t>(service::most_password_cost.passes),
              number("password_passes", "Passes over that memory.", QUIRE_AT(service.password_cost.passes))),
      between(static_cast<std::int64_t>(service::least_password_cost.lanes),
              static_cast<std::int64_t>(service::most_password_cost.lanes),
              number("password_lanes", "Lanes, the parallelism of Argon2id, that the memory is divided into.",
                     QUIRE_AT(service.password_cost.lanes))),
      number("group_members_max", "Users of a group.", QUIRE_AT(limits.group_members_max)),
      number("logins_max", "Login sessions alive at once.", QUIRE_AT(limits.logins_max)),
      number("api_tokens_of_user_max", "API tokens of one user.", QUIRE_AT(limits.api_tokens_of_user_max)),
      number("trusted_certificates_max", "Certificates of the trust store.", QUIRE_AT(limits.trusted_certificates_max)),
      number("event_streams_max", "Clients that follow the events at once.", QUIRE_AT(limits.event_streams_max)),
      number("event_streams_of_user_max", "Clients of one user that follow the events at once.",
             QUIRE_AT(limits.event_streams_of_user_max)),
      number("webhooks_max", "Webhooks.", QUIRE_AT(limits.webhooks_max)),
      number("webhook_deliveries_max", "Events that wait to be told to one webhook; later ones wait in their table.",
             QUIRE_AT(limits.webhook_deliveries_max)),
      number("update_sessions_active_max", "Active update sessions.", QUIRE_AT(limits.update_sessions_active_max)),
      number("download_sessions_max", "Download sessions.", QUIRE_AT(limits.download_sessions_max)),
      size("published_index_bytes_max",
           "Memory for the indexes of published libraries; one that has no room is written anew for each subscriber "
           "that asks for it.",
           QUIRE_AT(limits.published_index_bytes_max)),
      size("source_index_bytes_max",
           "The largest index of a publisher that is read; a library with a larger one is not synchronized.",
           QUIRE_AT(limits.source_index_bytes_max)),
      size("catalog_blob_bytes_max",
           "A file up to this size is kept in the catalog until somebody asks for its place on the storage.",
           QUIRE_AT(limits.catalog_blob_bytes_max)),
      size("metadata_file_bytes_max", "Size of an OVF descriptor, manifest or certificate.",
           QUIRE_AT(limits.metadata_file_bytes_max)),
      size("header_bytes_max", "Size of a request's header fields.", QUIRE_AT(http.header_bytes_max)),
      size("target_bytes_max", "Length of a request's path and query.", QUIRE_AT(http.target_bytes_max)),
      size("body_bytes_max", "Size of the body of an API call; file transfers have no such limit.",
           QUIRE_AT(http.body_bytes_max)),
      number("connections_max", "Connections served at once.", QUIRE_AT(http.connections_max)),
      size("transfer_memory_bytes_max", "Memory for the buffers of all transfers together.",
           QUIRE_AT(http.transfer_memory_bytes_max)),
      size("transfer_buffer_bytes",
           "One chunk of that memory; an upload or an HTTPS download has up to two. Whole multiples of 2MiB are best.",
           QUIRE_AT(http.transfer_buffer_bytes)),
      duration("header_timeout", "A request's head must have arrived after this long.", QUIRE_AT(http.header_timeout)),
      duration("body_timeout", "The body of an API call must have arrived after this long.",
               QUIRE_AT(http.body_timeout)),
      duration("idle_timeout", "A connection without a request for this long is closed.", QUIRE_AT(http.idle_timeout)),
      duration("transfer_stall_timeout", "A transfer without a byte for this long is broken off.",
               QUIRE_AT(http.transfer_stall_timeout)),
      duration("write_timeout", "A client must take an answer within this time.", QUIRE_AT(http.write_timeout)),
      number("network_threads", "Threads for the network; they also answer GETs of the API.",
             QUIRE_AT(http.network_threads)),
      number("call_threads", "Threads for API calls.", QUIRE_AT(http.call_threads)),
      number("transfer_threads", "Threads for the disk side of transfers.", QUIRE_AT(http.transfer_threads)),
  };
  return definitions;
}

#undef QUIRE_AT

std::string flag_of(const SettingDefinition& definition) {
  std::string flag = "--" + definition.key;
  for (auto& c : flag)
    if (c == '_') c = '-';
  return flag;
}

Result<void> read_settings_file(const std::string& path, Settings& settings) {
  try {
    const toml::table table = toml::parse_file(path);
    for (const auto& [key, node] : table) {
      const auto line = node.source().begin.line;
      const auto* definition = find_definition(key.str());
      if (definition == nullptr) return in_file(path, line, fmt::format("there is no setting {}.", key.str()));
      const auto values = values_of(node, definition->repeated);
      if (!values || (values->empty() && !definition->repeated))
        return in_file(
            path, line,
            fmt::format("{} needs {}.", key.str(), definition->repeated ? "a list of texts" : "a text or a number"));
      if (auto set = definition->set(settings, *values); !set)
        return in_file(path, line, fmt::format("{}: {}", key.str(), set.error().text()));
    }
    return {};
  } catch (const toml::parse_error& e) {
    return in_file(path, e.source().begin.line, e.description());
  }
}

std::string default_settings_file() {
  const Settings defaults;
  std::string file = "# Settings of quire, all at their defaults. Each is also a flag: key a_b is --a-b.\n";
  for (const auto& definition : setting_definitions())
    file += fmt::format("\n# {}\n{} = {}\n", definition.description, definition.key,
                        toml_value(definition, definition.get(defaults)));
  return file;
}

std::string settings_file(const Settings& settings) {
  const Settings defaults;
  std::string given = "# Given:\n";
  std::string usual = "\n# At their defaults:\n";
  for (const auto& definition : setting_definitions()) {
    const auto values = definition.get(settings);
    auto& part = values == definition.get(defaults) ? usual : given;
    part += fmt::format("{} = {}\n", definition.key, toml_value(definition, values));
  }
  return given + usual;
}

std::string settings_document() {
  const Settings defaults;
  std::string document =
      "# Settings\n\nMade by `quire config --print-document` from the definitions in `src/main/settings.cpp`; do not "
      "edit.\n\n"
      "Every setting is a key of the TOML file given with `--config FILE` and a flag of `quire serve`; a flag wins.\n"
      "Durations are written `250ms`, `30s`, `5m`, `2h`; sizes `65536`, `64KiB`, `16MiB`, `2GiB`.\n\n"
      "| key | flag | meaning | default |\n|---|---|---|---|\n";
  for (const auto& definition : setting_definitions())
    document +=
        fmt::format("| `{}` | `{} {}` | {} | `{}` |\n", definition.key, flag_of(definition), definition.placeholder,
                    definition.description, toml_value(definition, definition.get(defaults)));
  return document;
}

Result<Duration> parse_duration(std::string_view text) {
  QUIRE_ASSIGN_OR_RETURN(const auto milliseconds,
                         parse_with_unit(text, duration_units, 0, "a duration such as 250ms, 30s, 5m or 2h"));
  return Duration(milliseconds);
}

std::string duration_text(Duration duration) {
  const auto count = duration.count();
  const Unit* best = duration_units.data();
  for (const auto& unit : duration_units)
    if (count != 0 && count % unit.factor == 0) best = &unit;
  return fmt::format("{}{}", count / best->factor, count == 0 ? "s" : best->name);
}

Result<std::int64_t> parse_size(std::string_view text) {
  return parse_with_unit(text, size_units, 1, "a size such as 65536, 64KiB, 16MiB or 2GiB");
}

std::string size_text(std::int64_t bytes) {
  std::string text = std::to_string(bytes);
  for (const auto& unit : size_units)
    if (bytes != 0 && bytes % unit.factor == 0) text = fmt::format("{}{}", bytes / unit.factor, unit.name);
  return text;
}

Result<http::ListenAddress> parse_listen_address(std::string_view text) {
  constexpr std::string_view expected = "an address to listen on, HOST:PORT or [IPv6]:PORT";
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return bad_value(text, expected);
  auto host = text.substr(0, colon);
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  const auto port = parse_number(text.substr(colon + 1));
  if (!port || *port > 65535 || text.substr(colon + 1).empty()) return bad_value(text, expected);
  return http::ListenAddress{host.empty() ? "0.0.0.0" : std::string(host), static_cast<std::uint16_t>(*port)};
}

}  // namespace quire::main
