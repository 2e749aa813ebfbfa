#include "main/support_bundle.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <boost/version.hpp>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <optional>
#include <span>
#include <sstream>
#include <string>
#include <tuple>
#include <utility>

#include "base/clock.h"
#include "base/digest.h"
#include "bundle/platform.h"
#include "bundle/scrubber.h"
#include "bundle/tar_archive.h"
#include "client/connection.h"
#include "client/credentials.h"
#include "client/failure.h"
#include "client/json_reading.h"
#include "client/places.h"
#include "client/signals.h"
#include "main/installation.h"
#include "main/settings.h"
#include "main/settings_options.h"

namespace quire::main {
namespace {

namespace json = boost::json;
namespace fs = std::filesystem;
using base::Result;
using client::Arguments;
using client::ExitCode;
using content::CatalogReader;

constexpr std::size_t listed_max = 200;
constexpr std::size_t contradictions_of_kind_max = 100;
constexpr std::int64_t log_bytes_default = std::int64_t{4} << 20U;
constexpr auto patience = std::chrono::seconds(15);

/// A JSON value for people: members and elements that are objects on lines of their own.
std::string pretty(const json::value& value, int depth = 0) {
  const auto indent = [](int levels) { return std::string(static_cast<std::size_t>(levels) * 2, ' '); };
  std::string text;
  if (const auto* object = value.if_object(); object != nullptr && !object->empty()) {
    for (const auto& [name, member] : *object)
      text += (text.empty() ? "{\n" : ",\n") + indent(depth + 1) + json::serialize(json::string(name)) + ": " +
              pretty(member, depth + 1);
    return text + '\n' + indent(depth) + '}';
  }
  const auto* array = value.if_array();
  if (array == nullptr || array->empty() || !array->front().is_object()) return json::serialize(value);
  for (const auto& element : *array)
    text += (text.empty() ? "[\n" : ",\n") + indent(depth + 1) + json::serialize(element);
  return text + '\n' + indent(depth) + ']';
}

/// What is gathered, each piece free of secrets from here on.
class Pieces {
 public:
  explicit Pieces(bundle::Scrubber& scrubber) : scrubber_(scrubber) {}

  /// A text of this program's own words, a text of anybody, or a value.
  void add_own_text(std::string name, std::string what, std::string_view text) {
    keep(std::move(name), std::move(what), scrubber_.scrub(text));
  }
  void add_text(std::string name, std::string what, std::string_view text) {
    keep(std::move(name), std::move(what), scrubber_.scrub_free_text(text));
  }
  void add(std::string name, std::string what, const json::value& value) {
    keep(std::move(name), std::move(what), pretty(scrubber_.scrub_value(value)) + '\n');
  }
  void lacks(std::string what, const std::string& why) {
    missing_.emplace_back(std::move(what), scrubber_.scrub_free_text(why));
  }
  void lacks(std::string what, const base::Error& error) { lacks(std::move(what), client::full_text(error)); }

  struct Piece {
    bundle::TarMember member;
    std::string what;
  };
  const std::vector<Piece>& all() const { return pieces_; }
  const std::vector<std::pair<std::string, std::string>>& missing() const { return missing_; }

 private:
  void keep(std::string name, std::string what, std::string content) {
    pieces_.push_back({{std::move(name), std::move(content)}, std::move(what)});
  }

  bundle::Scrubber& scrubber_;
  std::vector<Piece> pieces_;
  std::vector<std::pair<std::string, std::string>> missing_;
};

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

/// The last `bytes` of a stream, from the beginning of a line.
std::string end_of(std::istream& stream, std::int64_t bytes) {
  std::string text;
  const auto limit = static_cast<std::size_t>(bytes);
  bool is_whole = true;
  std::vector<char> chunk(1U << 16U);
  while (stream.read(chunk.data(), static_cast<std::streamsize>(chunk.size())) || stream.gcount() > 0) {
    text.append(chunk.data(), static_cast<std::size_t>(stream.gcount()));
    if (text.size() <= limit) continue;
    text.erase(0, text.size() - limit);
    is_whole = false;
  }
  if (is_whole) return text;
  return text.substr(std::min(text.find('\n'), text.size() - 1) + 1);
}

// --- secrets that are known ----------------------------------------------------------------------------------------

void learn_from_file(bundle::Scrubber& scrubber, const std::string& file) {
  if (file.empty()) return;
  const auto content = client::read_file(file);
  if (content && *content) scrubber.add(std::string_view(**content).substr(0, (*content)->find_first_of("\r\n")));
}

void learn_secrets(bundle::Scrubber& scrubber, const Settings& settings) {
  scrubber.add_secrets_of_url(settings.catalog);
  scrubber.add_secrets_of_url(settings.public_url);
  learn_from_file(scrubber, settings.admin_password_file);
  learn_from_file(scrubber, settings.generated_password_file);
  for (const auto* name : {"QUIRE_TOKEN", "QUIRE_ADMIN_PASSWORD", "PGPASSWORD"}) scrubber.add(environment(name));
  if (const auto kept = client::Credentials::read(client::credentials_file()))
    for (const auto& [url, credential] : kept->servers) scrubber.add(credential.token);
}

/// What signs webhooks; and of their addresses what may be a secret, as with many receivers.
Result<void> learn_webhooks(bundle::Scrubber& scrubber, content::Catalog& catalog) {
  constexpr std::size_t telling_bytes = 16;
  return catalog.read([&](CatalogReader& reader) -> Result<void> {
    for (const auto& webhook : reader.webhooks()) {
      scrubber.add(webhook.secret);
      scrubber.add_secrets_of_url(webhook.url);
      std::istringstream segments(webhook.url.substr(0, webhook.url.find('?')));
      for (std::string segment; std::getline(segments, segment, '/');)
        if (segment.size() >= telling_bytes && segment.find('.') == std::string::npos) scrubber.add(segment);
    }
    return {};
  });
}

/// What the publishers of subscribed libraries are given.
Result<void> learn_subscriptions(bundle::Scrubber& scrubber, content::Catalog& catalog) {
  return catalog.read([&](CatalogReader& reader) -> Result<void> {
    content::LibraryFilter subscribed;
    subscribed.type = content::LibraryType::SUBSCRIBED;
    for (const auto& id : reader.libraries(subscribed)) {
      const auto library = reader.find<content::Library>(id);
      if (!library || !library->subscription) continue;
      scrubber.add(library->subscription->password);
      scrubber.add_secrets_of_url(library->subscription->url.text());
    }
    return {};
  });
}

// --- this machine and this program ---------------------------------------------------------------------------------

void add_version(Pieces& pieces) {
  json::object facts{{"version", QUIRE_VERSION},
                     {"build", QUIRE_BUILD},
                     {"compiler", __VERSION__},
                     {"boost", BOOST_LIB_VERSION},
                     {"openssl", OpenSSL_version(OPENSSL_VERSION)},
                     {"schema", adapters::sql::newest_catalog_schema()}};
  std::error_code failed;
  const auto program = fs::read_symlink("/proc/self/exe", failed);
  if (!failed) {
    facts["program"] = program.string();
    if (std::ifstream bytes("/proc/self/exe", std::ios::binary); bytes) {
      base::Hasher hasher(base::DigestAlgorithm::SHA256);
      std::vector<char> chunk(1U << 20U);
      while (bytes.read(chunk.data(), static_cast<std::streamsize>(chunk.size())) || bytes.gcount() > 0)
        hasher.update(std::as_bytes(std::span(chunk.data(), static_cast<std::size_t>(bytes.gcount()))));
      facts["sha256"] = hasher.finish().hex;
    }
  }
  pieces.add("version.json", "this program, what it is built with", facts);
}

void add_settings(Pieces& pieces, const Settings& settings) {
  pieces.add_own_text("settings.toml", "the settings, those that were set first; no passwords",
                      settings_file(settings));
}

void add_platform(Pieces& pieces, const Settings& settings) {
  std::vector<fs::path> folders;
  if (!settings.data.empty()) folders.emplace_back(settings.data);
  if (const auto storages = storage_folders(settings))
    for (const auto& folder : *storages)
      if (std::ranges::find(folders, folder) == folders.end()) folders.push_back(folder);
  pieces.add("platform.json", "kernel, limits, memory, clock, free space", bundle::platform_facts(folders));
  if (settings.data.empty()) return;
  constexpr int levels = 1;
  pieces.add("files.json", "names and sizes in the data folder, nothing of what they hold",
             bundle::files_in(settings.data, levels));
}

// --- the catalog ---------------------------------------------------------------------------------------------------

json::value shown(const std::optional<base::Time>& time) {
  return time ? json::value(base::to_text(*time)) : json::value(nullptr);
}
json::value shown(const std::optional<base::Message>& message) {
  return message ? json::value(message->default_message) : json::value(nullptr);
}

json::object shown(const content::UpdateSession& session, const std::vector<content::SessionFile>& files) {
  json::array entries;
  for (const auto& file : files)
    entries.push_back(json::object{{"name", file.name},
                                   {"source_type", base::name_of(file.source_type)},
                                   {"status", base::name_of(file.status)},
                                   {"bytes", file.bytes_transferred},
                                   {"size", file.size ? json::value(*file.size) : json::value(nullptr)},
                                   {"attempt", file.attempt},
                                   {"error", shown(file.error_message)}});
  return {{"session", session.id.text()},
          {"item", session.item_id.text()},
          {"state", base::name_of(session.state)},
          {"completing", session.completing},
          {"created", base::to_text(session.created)},
          {"changed", base::to_text(session.changed)},
          {"expires", base::to_text(session.expires_at)},
          {"ended", shown(session.ended_at)},
          {"error", shown(session.error_message)},
          {"files", std::move(entries)}};
}

json::object shown(const content::DownloadSession& session) {
  return {{"session", session.id.text()},
          {"item", session.item_id.text()},
          {"state", base::name_of(session.state)},
          {"created", base::to_text(session.created)},
          {"expires", base::to_text(session.expires_at)},
          {"error", shown(session.error_message)}};
}

json::object shown(const content::Task& task) {
  json::array errors;
  if (task.error)
    for (const auto& message : task.error->messages) errors.emplace_back(message.default_message);
  return {{"task", task.id.text()},
          {"operation", task.service + '.' + task.operation},
          {"target", task.target},
          {"status", base::name_of(task.status)},
          {"total", task.total},
          {"completed", task.completed},
          {"attempts", task.attempts},
          {"created", base::to_text(task.created)},
          {"started", shown(task.started)},
          {"ended", shown(task.ended)},
          {"error", std::move(errors)}};
}

json::object shown(const content::Webhook& webhook, const std::vector<content::WebhookDelivery>& deliveries) {
  const content::WebhookDelivery* last = nullptr;
  for (const auto& delivery : deliveries)
    if (!delivery.problem.empty()) last = &delivery;
  return {
      {"webhook", webhook.id.text()},
      {"enabled", webhook.enabled},
      {"queued_to", webhook.queued_to},
      {"waiting", std::ranges::count(deliveries, content::DeliveryState::PENDING, &content::WebhookDelivery::state)},
      {"dead", std::ranges::count(deliveries, content::DeliveryState::DEAD, &content::WebhookDelivery::state)},
      {"last_problem", last == nullptr ? json::value(nullptr) : json::value(last->problem)}};
}

/// The newest `listed_max` of the rows behind `ids`, by their creation.
template <class Row, class Id>
std::vector<Row> newest(CatalogReader& reader, const std::vector<Id>& ids) {
  std::vector<Row> rows;
  for (const auto& id : ids)
    if (auto row = reader.find<Row>(id)) rows.push_back(*std::move(row));
  std::ranges::sort(rows, std::greater(), &Row::created);
  if (rows.size() > listed_max) rows.resize(listed_max);
  return rows;
}

Result<json::object> recent_work(content::Catalog& catalog) {
  return catalog.read([](CatalogReader& reader) -> Result<json::object> {
    json::array updates;
    for (const auto& session : newest<content::UpdateSession>(reader, reader.update_sessions("", std::nullopt)))
      updates.push_back(shown(session, reader.list<content::SessionFile>(session.id)));
    json::array downloads;
    for (const auto& session : newest<content::DownloadSession>(reader, reader.download_sessions("", std::nullopt)))
      downloads.push_back(shown(session));
    json::array tasks;
    for (const auto& task : newest<content::Task>(reader, reader.tasks("", listed_max))) tasks.push_back(shown(task));
    json::array webhooks;
    for (const auto& webhook : reader.webhooks())
      webhooks.push_back(shown(webhook, reader.list<content::WebhookDelivery>(webhook.id)));
    return json::object{{"update_sessions", std::move(updates)},
                        {"download_sessions", std::move(downloads)},
                        {"tasks", std::move(tasks)},
                        {"webhooks", std::move(webhooks)}};
  });
}

json::value shown(const std::vector<doctor::Finding>& findings) {
  json::array all;
  for (const auto& finding : findings)
    all.push_back(json::object{
        {"kind", finding.kind}, {"object", finding.object}, {"problem", finding.problem}, {"remedy", finding.remedy}});
  return all;
}

constexpr auto doctor_file = "doctor.json";

/// The whole quick examination where no server runs; else what a catalog at one moment can contradict itself in.
void add_findings(Pieces& pieces, const Settings& settings, content::Catalog& catalog) {
  const auto diagnosis = look_over(settings, catalog);
  if (diagnosis) {
    pieces.add(doctor_file, "the doctor's quick findings: catalog and storages",
               json::object{
                   {"blobs", diagnosis->blobs}, {"bytes", diagnosis->bytes}, {"findings", shown(diagnosis->findings)}});
    return;
  }
  pieces.lacks("the doctor's findings about the storages", diagnosis.error());
  const auto found = catalog.read([](CatalogReader& reader) -> Result<std::vector<content::Contradiction>> {
    return reader.contradictions(contradictions_of_kind_max);
  });
  if (!found) return pieces.lacks("the doctor's findings about the catalog", found.error());
  std::vector<doctor::Finding> findings;
  for (const auto& one : *found) findings.push_back({one.kind, one.object, one.problem, one.remedy});
  pieces.add(doctor_file, "the doctor's quick findings: the catalog alone",
             json::object{{"findings", shown(findings)}});
}

void add_catalog(Pieces& pieces, const Settings& settings, bundle::Scrubber& scrubber) {
  const auto survey = survey_catalog(settings);
  if (!survey) return pieces.lacks("the catalog", survey.error());
  json::object rows;
  for (const auto& [table, count] : survey->rows) rows[table] = count;
  const auto catalog = open_catalog_to_read(settings);
  // Before anything is written down that one of these secrets might stand in.
  if (catalog) {
    if (const auto learnt = learn_webhooks(scrubber, **catalog); !learnt) pieces.lacks("webhooks", learnt.error());
    if (const auto learnt = learn_subscriptions(scrubber, **catalog); !learnt)
      pieces.lacks("subscriptions", learnt.error());
  }
  pieces.add("catalog.json", "the catalog's engine, schema and how many rows each table has",
             json::object{{"engine", survey->engine},
                          {"schema", survey->schema},
                          {"schema_of_this_program", adapters::sql::newest_catalog_schema()},
                          {"bytes", survey->bytes},
                          {"rows", std::move(rows)}});
  if (!catalog) return pieces.lacks("sessions, tasks and the doctor's findings", catalog.error());
  if (const auto work = recent_work(**catalog))
    pieces.add("work.json", "recent sessions and tasks with their states and errors, queues of webhooks", *work);
  else
    pieces.lacks("sessions and tasks", work.error());
  add_findings(pieces, settings, **catalog);
}

// --- a server that runs --------------------------------------------------------------------------------------------

struct Page {
  const char* path;
  const char* name;
  const char* what;
};
constexpr std::array pages = {Page{"/healthz", "server/health.txt", "whether the server answers"},
                              Page{"/readyz", "server/readiness.txt", "whether it can work, and what is in the way"},
                              Page{"/metrics", "server/metrics.txt", "its figures"}};

/// The text of a page whatever its status: one that is not ready answers 503.
Result<std::string> read_page(client::HttpClient& http, const std::string& url, const std::string& token) {
  client::HttpRequest request;
  request.url = url;
  if (!token.empty()) request.fields = {{"vmware-api-session-id", token}};
  request.whole_within = patience;
  QUIRE_ASSIGN_OR_RETURN(const auto answer, http.send(request));
  if (answer.status == 200 || (answer.status == 503 && answer.body.starts_with("not ready"))) return answer.body;
  return client::local_error("it answered with status " + std::to_string(answer.status));
}

/// The Error says why the address gave not all of them.
Result<void> add_pages(Pieces& pieces, client::Transport& transport, const std::string& address,
                       const std::string& token) {
  client::HttpClient http(transport);
  for (const auto& page : pages) {
    const auto text = read_page(http, address + page.path, token);
    if (!text) return client::local_error(address + page.path + ": " + client::full_text(text.error()));
    pieces.add_text(page.name, page.what, *text);
  }
  return {};
}

/// Where the settings let the pages for monitoring be read; empty for nowhere that is known.
std::string monitoring_address(const Arguments& arguments, const Settings& settings) {
  if (const auto given = arguments.find("monitoring")) return *given;
  const auto listen = parse_listen_address(settings.listen_monitoring);
  if (settings.listen_monitoring.empty() || !listen || listen->port == 0) return {};
  const bool any = listen->host == "0.0.0.0" || listen->host == "::";
  const auto host = any ? std::string("127.0.0.1") : listen->host;
  const bool v6 = host.find(':') != std::string::npos;
  return "http://" + (v6 ? '[' + host + ']' : host) + ':' + std::to_string(listen->port);
}

constexpr auto answers = "the server's state and workers";

/// What of a server only those see who are signed in.
void add_answers(Pieces& pieces, client::Api& api) {
  api.set_patience(patience);
  for (const auto& [operation, name, what] :
       {std::tuple("server.state", "server/state.json", "the server's storages, queues and how much it has to do"),
        std::tuple("server.workers", "server/workers.json", "its background workers and their last errors")}) {
    const auto answer = api.call(operation);
    if (!answer) return pieces.lacks(answers, answer.error());
    pieces.add(name, what, *answer);
  }
}

void add_server(Pieces& pieces, const Arguments& arguments, const Settings& settings) {
  client::Transport transport;
  transport.stop = &client::stop_flag();
  transport.connect_timeout = patience;
  const auto address = monitoring_address(arguments, settings);
  auto has_pages = address.empty() ? Result<void>(client::local_error("no address for monitoring is known "
                                                                      "(listen_monitoring), and nobody is signed in"))
                                   : add_pages(pieces, transport, address, "");
  client::Output silent(arguments);
  const auto connection = client::Connection::open(arguments, silent);
  if (connection) {
    auto& api = (*connection)->api();
    if (!has_pages) has_pages = add_pages(pieces, (*connection)->transport(), api.server().url, api.token());
    add_answers(pieces, api);
  } else {
    pieces.lacks(answers, connection.error());
  }
  if (!has_pages) pieces.lacks("the server's pages for monitoring", has_pages.error());
}

// --- logs ----------------------------------------------------------------------------------------------------------

void add_logs(Pieces& pieces, const Arguments& arguments, std::int64_t bytes) {
  int number = 0;
  for (const auto& file : arguments.all("log")) {
    const auto name = file == "-" ? std::string("stdin") : fs::path(file).filename().string();
    constexpr std::size_t name_bytes_max = 60;
    const auto member = "log/" + std::to_string(++number) + '-' + name.substr(0, name_bytes_max);
    if (file == "-") {
      pieces.add_text(member, "the end of what came through stdin, without secrets", end_of(std::cin, bytes));
      continue;
    }
    std::ifstream stream(file, std::ios::binary);
    if (stream)
      pieces.add_text(member, "the end of " + file + ", without secrets", end_of(stream, bytes));
    else
      pieces.lacks("the log " + file, client::system_reason(errno));
  }
}

// --- the file ------------------------------------------------------------------------------------------------------

/// A new file that only its owner can read.
Result<void> write_new(const std::string& file, std::string_view content) {
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor < 0)
    return errno == EEXIST ? client::conflict(file + " is there already")
                           : client::local_error("cannot make " + file + ": " + client::system_reason(errno));
  while (!content.empty()) {
    const auto written = ::write(descriptor, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      const auto reason = client::system_reason(errno);
      ::close(descriptor);
      ::unlink(file.c_str());
      return client::local_error("cannot write " + file + ": " + reason);
    }
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return ::close(descriptor) == 0 ? Result<void>() : client::local_error("cannot write " + file);
}

std::string table_of_contents(const Pieces& pieces, base::Time now) {
  std::string text =
      "Support bundle of Quire " QUIRE_VERSION ", made " + base::to_text(now) +
      ".\nPasswords, tokens, secret addresses and keys have been taken out: " + std::string(bundle::removed) + ".\n\n";
  for (const auto& piece : pieces.all()) text += piece.member.name + ": " + piece.what + '\n';
  for (const auto& [what, why] : pieces.missing()) text += "not here: " + what + ": " + why + '\n';
  return text;
}

void print(const Pieces& pieces, const std::string& file, std::size_t bytes, bool as_json) {
  const auto line = [](const json::object& object) { std::cout << json::serialize(object) << '\n'; };
  for (const auto& piece : pieces.all()) {
    if (as_json)
      line({{"type", "file"},
            {"name", piece.member.name},
            {"what", piece.what},
            {"bytes", piece.member.content.size()}});
    else
      std::cout << piece.member.name << ": " << piece.what << '\n';
  }
  for (const auto& [what, why] : pieces.missing()) {
    if (as_json)
      line({{"type", "missing"}, {"what", what}, {"why", why}});
    else
      std::cout << "not there: " << what << ": " << why << '\n';
  }
  if (as_json)
    line({{"type", "result"}, {"status", "done"}, {"exit_code", 0}, {"file", file}, {"bytes", bytes}});
  else
    std::cout << "written to " << file << '\n';
}

/// `quire-support-20261128T220000Z.tar`
std::string usual_name(base::Time now) {
  auto time = base::to_text(now);
  std::erase_if(time, [](char c) { return c == '-' || c == ':'; });
  return "quire-support-" + time.substr(0, time.find('.')) + "Z.tar";
}

int run_support_bundle(const Arguments& arguments) {
  client::catch_signals();
  const auto settings = settings_of(arguments);
  const auto log_bytes = parse_size(arguments.text("log-bytes", std::to_string(log_bytes_default)));
  if (!log_bytes || *log_bytes == 0) {
    std::cerr << "quire: --log-bytes: " << (log_bytes ? "it must be above 0." : log_bytes.error().text()) << '\n';
    return static_cast<int>(ExitCode::usage);
  }
  if (!settings) return static_cast<int>(ExitCode::usage);
  const auto now = base::SystemClock().now();
  bundle::Scrubber scrubber;
  learn_secrets(scrubber, *settings);
  Pieces pieces(scrubber);
  if (settings->data.empty())
    pieces.lacks("the catalog", std::string("no data folder is named; give --config or --data as for quire serve"));
  else
    add_catalog(pieces, *settings, scrubber);
  add_version(pieces);
  add_settings(pieces, *settings);
  add_platform(pieces, *settings);
  add_server(pieces, arguments, *settings);
  add_logs(pieces, arguments, *log_bytes);

  std::vector<bundle::TarMember> members = {{"README.txt", table_of_contents(pieces, now)}};
  for (const auto& piece : pieces.all()) members.push_back(piece.member);
  const auto archive = bundle::tar_archive(members, now);
  const auto file = arguments.text("FILE", usual_name(now));
  if (const auto written = write_new(file, archive); !written) {
    print_error(written.error());
    return static_cast<int>(client::exit_code(written.error()));
  }
  print(pieces, file, archive.size(), arguments.has("json"));
  return static_cast<int>(ExitCode::done);
}

}  // namespace

client::CommandDefinition support_bundle_command() {
  client::CommandDefinition command{
      {"support-bundle"},
      "Write a file for whoever helps: versions, settings, states and figures, without secrets",
      "Of the installation that --config or --data names, and of the server that one is signed in to; either may be "
      "left out, and the server may run or not. What could not be had is told with the reason.\n\n"
      "The file is a tar archive that only its owner can read; README.txt in it lists what is there. Names of items "
      "and files stand in it, and addresses; passwords, tokens, keys and secret URLs do not. Look at it before it "
      "goes to anybody.",
      {{"FILE", "Where to write it, which must not exist; else quire-support-TIME.tar here", false, false,
        client::Completes::file}}};
  command.options = {{"log",
                      "FILE",
                      "Adds the end of a log, without secrets; - is stdin; may be repeated",
                      true,
                      {},
                      client::Completes::file},
                     {"log-bytes", "SIZE", "How much of each log (4MiB)"},
                     {"monitoring", "URL", "Where the server's pages for monitoring are; else as the settings say"},
                     {"json", "", "JSON on stdout, an object a line; the last one is the result"}};
  const auto places = settings_options({"data", "catalog", "storage"});
  command.options.insert(command.options.end(), places.begin(), places.end());
  command.options.insert(command.options.end(), client::connection_options().begin(),
                         client::connection_options().end());
  command.run = run_support_bundle;
  return command;
}

}  // namespace quire::main
