#include "adapters/curl/curl_remote_subscriber.h"

#include <algorithm>
#include <boost/json.hpp>
#include <map>
#include <utility>

#include "adapters/curl/certificate_check.h"
#include "adapters/curl/curl_library.h"
#include "adapters/curl/http_url.h"
#include "adapters/curl/named_host.h"
#include "adapters/curl/small_exchange.h"
#include "base/uri.h"
#include "base/utf8.h"

namespace quire::adapters::curl {
namespace {

namespace json = boost::json;
using base::Error;
using base::ErrorKind;
using base::Result;
using content::SubscriberServer;

constexpr std::size_t peer_answer_bytes_max = 1U << 20U;
constexpr std::size_t told_reason_bytes_max = 500;
constexpr auto libraries_path = "/api/content/subscribed-library";

std::string port_of(const SubscriberServer& server) { return std::to_string(server.https_port.value_or(443)); }

/// `host:port`, an IPv6 address in brackets.
std::string authority_of(const SubscriberServer& server) {
  const bool is_v6 = server.hostname.find(':') != std::string::npos && !server.hostname.starts_with('[');
  return (is_v6 ? "[" + server.hostname + "]" : server.hostname) + ":" + port_of(server);
}

Error inaccessible(const SubscriberServer& server, const std::string& reason) {
  return {ErrorKind::resource_inaccessible,
          "quire.subscriber.inaccessible",
          "The server {server} could not be asked: {reason}",
          {{"server", authority_of(server)}, {"reason", reason}}};
}

Error odd_answer(const SubscriberServer& server) {
  return inaccessible(server, "Its answer is not that of a content library. Check host and port.");
}

/// nullopt where the answer is none.
std::optional<json::value> parsed(const std::string& text) {
  json::error_code error;
  auto value = json::parse(text, error);
  if (error) return std::nullopt;
  return value;
}

std::optional<std::string> text_at(const json::value& value, std::string_view pointer) {
  json::error_code error;
  const auto* found = value.find_pointer(pointer, error);
  if (found == nullptr || !found->is_string()) return std::nullopt;
  return std::string(found->get_string());
}

/// What the other server says of a refusal, for people.
std::string reason_in(const std::string& body) {
  const auto answer = parsed(body);
  const auto message = answer ? text_at(*answer, "/messages/0/default_message") : std::nullopt;
  return message ? base::displayable(*message, told_reason_bytes_max) : "it gives no reason";
}

json::object body_of(const content::RemoteLibrarySpec& spec) {
  json::object backing{{"type", base::name_of(spec.backing.type)}};
  if (spec.backing.datastore_id) backing["datastore_id"] = *spec.backing.datastore_id;
  if (spec.backing.storage_uri) backing["storage_uri"] = *spec.backing.storage_uri;
  json::object body{
      {"name", spec.name},
      {"type", "SUBSCRIBED"},
      {"storage_backings", json::array{std::move(backing)}},
      {"subscription_info",
       {{"authentication_method", "NONE"},
        {"automatic_sync_enabled", spec.automatic_sync_enabled},
        {"on_demand", spec.on_demand},
        {"subscription_url", spec.subscription_url.text()},
        {"source_info",
         {{"source_library", spec.source_info.source_library}, {"subscription", spec.source_info.subscription}}}}}};
  if (spec.description) body["description"] = *spec.description;
  return body;
}

/// As one segment of a path: identifiers of other servers may be any text.
std::string segment_of(const std::string& id) {
  std::string segment;
  for (const char c : base::percent_encode_path(id)) segment += c == '/' ? std::string("%2F") : std::string(1, c);
  return segment;
}

class CurlRemoteSubscriber final : public content::RemoteSubscriber {
 public:
  CurlRemoteSubscriber(RemoteSubscriberOptions options, std::map<std::string, std::string> tokens)
      : options_(std::move(options)), tokens_(std::move(tokens)) {
    set_up_libcurl();
  }

  Result<content::RemoteLibrary> find(const SubscriberServer& server, const std::string& library,
                                      const std::atomic<bool>& stop) override {
    QUIRE_ASSIGN_OR_RETURN(const auto body, ask(server, {path_of(library), false, "", library}, stop));
    const auto answer = parsed(body);
    const auto name = answer ? text_at(*answer, "/name") : std::nullopt;
    const auto url = answer ? text_at(*answer, "/subscription_info/subscription_url") : std::nullopt;
    if (!name || !url) return odd_answer(server);
    return content::RemoteLibrary{*name, *url, text_at(*answer, "/server_guid").value_or("")};
  }

  Result<std::string> create(const SubscriberServer& server, const content::RemoteLibrarySpec& spec,
                             const std::optional<std::string>& client_token, const std::atomic<bool>& stop) override {
    std::string target = libraries_path;
    if (client_token) target += "?client_token=" + segment_of(*client_token);
    QUIRE_ASSIGN_OR_RETURN(const auto body, ask(server, {target, true, json::serialize(body_of(spec)), ""}, stop));
    const auto answer = parsed(body);
    if (!answer || !answer->is_string() || answer->get_string().empty()) return odd_answer(server);
    return std::string(answer->get_string());
  }

  std::vector<std::string> servers() const override {
    std::vector<std::string> all;
    for (const auto& [server, token] : tokens_) all.push_back(server);
    return all;
  }

  Result<void> sync(const SubscriberServer& server, const std::string& library,
                    const std::atomic<bool>& stop) override {
    QUIRE_RETURN_IF_ERROR(ask(server, {path_of(library) + "?action=sync", true, "", library}, stop));
    return {};
  }

 private:
  struct Question {
    std::string target;
    bool is_post;
    std::string body;
    std::string library;  ///< that it is about; empty: none
  };

  static std::string path_of(const std::string& library) {
    return std::string(libraries_path) + "/" + segment_of(library);
  }

  /// The body of a good answer.
  Result<std::string> ask(const SubscriberServer& server, const Question& question,
                          const std::atomic<bool>& stop) const {
    const auto authority = authority_of(server);
    const auto url = HttpUrl::parse("https://" + authority + question.target);
    if (!url || url->credentials()) return inaccessible(server, "This is no usable host name.");
    const auto token = tokens_.find(normal_host(url->host()) + ":" + url->port());
    if (token == tokens_.end())
      return Error(ErrorKind::resource_inaccessible, "quire.subscriber.no_token",
                   "This server has no token of {server}, so it cannot ask that server for anything. Its administrator "
                   "gives one with the setting peer: --peer {server}=FILE.",
                   {{"server", authority}});
    auto check = CertificateCheck::make({}, options_.extra_ca_file);
    if (!check) return inaccessible(server, check.error().text());
    std::vector<std::pair<std::string, std::string>> headers{{"vmware-api-session-id", token->second},
                                                             {"Accept", "application/json"}};
    if (question.is_post) headers.emplace_back("Content-Type", "application/json");
    const auto answer = exchange_small(
        {*url, question.is_post, headers, question.body, peer_answer_bytes_max},
        {nullptr, options_.timeout, options_.user_agent, options_.pins.thumbprints_of(url->host(), url->port())},
        *check, stop);
    if (!answer.status) return inaccessible(server, answer.problem);
    return judge(server, question, answer);
  }

  static Result<std::string> judge(const SubscriberServer& server, const Question& question,
                                   const SmallAnswer& answer) {
    const auto status = *answer.status;
    if (status >= 200 && status < 300) return answer.body;
    const auto reason = reason_in(answer.body);
    if (status == 401 || status == 403)
      return inaccessible(server, "It refuses the token of the setting peer (" + reason + ").");
    if (status == 404 && !question.library.empty())
      return Error(ErrorKind::not_found, "quire.subscriber.no_library",
                   "The server {server} has no subscribed library {library}, or does not show it to the token of the "
                   "setting peer.",
                   {{"server", authority_of(server)}, {"library", question.library}});
    if (status == 400)
      return Error(ErrorKind::invalid_argument, "quire.subscriber.refused",
                   "The server {server} refuses this: {reason}",
                   {{"server", authority_of(server)}, {"reason", reason}});
    return inaccessible(server, "It answers with status " + std::to_string(status) + " (" + reason + ").");
  }

  const RemoteSubscriberOptions options_;
  const std::map<std::string, std::string> tokens_;  ///< by `host:port`
};

bool is_header_value(const std::string& text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7F'; });
}

Error bad_peer(const Peer& peer, const std::string& problem) {
  return {
      ErrorKind::invalid_argument,
      "quire.subscriber.bad_peer",
      "The peer {host} cannot be used: {problem}. Write HOST=FILE or HOST:PORT=FILE, with a file that holds nothing "
      "but a token of that server.",
      {{"host", peer.host}, {"problem", problem}}};
}

}  // namespace

Result<std::unique_ptr<content::RemoteSubscriber>> make_curl_remote_subscriber(RemoteSubscriberOptions options) {
  std::map<std::string, std::string> tokens;
  for (const auto& peer : options.peers) {
    const auto host = NamedHost::parse(peer.host);
    if (!host) return bad_peer(peer, host.error().text());
    if (!is_header_value(peer.token)) return bad_peer(peer, "its file does not hold a token");
    tokens[host->host + ":" + host->port.value_or("443")] = peer.token;
  }
  return std::unique_ptr<content::RemoteSubscriber>(
      std::make_unique<CurlRemoteSubscriber>(std::move(options), std::move(tokens)));
}

}  // namespace quire::adapters::curl
