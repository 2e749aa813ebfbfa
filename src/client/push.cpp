#include "client/push.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <chrono>
#include <deque>
#include <map>
#include <random>
#include <set>
#include <thread>

#include "base/hex.h"
#include "client/failure.h"
#include "client/json_reading.h"
#include "client/local_files.h"
#include "client/part_upload.h"
#include "client/piped_parts.h"
#include "client/progress.h"
#include "client/resume_record.h"
#include "client/same_content.h"
#include "client/session_keeper.h"

namespace quire::client {
namespace {

namespace json = boost::json;
using base::Error;
using base::ErrorKind;
using base::Result;
using Clock = std::chrono::steady_clock;

/// Of what is piped, a part for each connection lies in memory, and one more.
constexpr std::int64_t piped_part_bytes_max = 16L << 20U;

/// For `client_token`: the same call again, after its answer was lost, gives the same session.
std::string random_uuid() {
  std::random_device device;
  std::array<unsigned, 4> numbers{};
  for (auto& number : numbers) number = device();
  auto text = base::to_hex(std::as_bytes(std::span(numbers)));
  text[12] = '4';
  text[16] = "89ab"[device() % 4];
  for (const std::size_t at : {20UL, 16UL, 12UL, 8UL}) text.insert(at, "-");
  return text;
}

bool ends_with(std::string_view name, std::string_view suffix) { return base::to_lower(name).ends_with(suffix); }

bool says_what_others_are(std::string_view name) {
  return ends_with(name, ".mf") || ends_with(name, ".cert") || ends_with(name, ".ovf");
}

std::string type_by_name(const std::vector<std::string>& names) {
  const auto any = [&](std::string_view suffix) {
    return std::ranges::any_of(names, [&](const auto& name) { return ends_with(name, suffix); });
  };
  if (any(".ova") || any(".ovf")) return "ovf";
  return names.size() == 1 && any(".iso") ? "iso" : "";
}

/// What became of an entry of the session.
struct SessionEntryInfo {
  std::string status;
  std::string source_type;
  std::string upload_uri;
  std::string error;
  std::int64_t bytes = 0;
};

/// A file is opened when its turn comes: there may be more of them than may be open.
struct QueuedPart {
  UploadPart part;
  std::filesystem::path path;
};

class Push {
 public:
  Push(Api& api, const PushOrder& order, Output& output)
      : api_(api), order_(order), output_(output), progress_(output, order.target.text()) {}

  Result<PushOutcome> run();

 private:
  Result<void> find_target();
  Result<void> compare();
  Result<void> transfer();
  Result<void> resume_or_begin();
  void drop_earlier();
  Result<bool> resume();
  Result<void> begin();
  Result<void> create_item();
  Result<void> open_session();
  Result<void> remove_others();
  Result<void> add_files();
  Result<void> add_file(const std::string& name, json::object spec);
  Result<void> send();
  Result<void> fill_queue();
  Result<void> finish_files(const std::function<void()>& tick);
  static Result<std::optional<UploadPart>> open_next(std::deque<QueuedPart>& queue);
  Result<std::optional<UploadPart>> next_part();
  Result<void> complete();
  Result<void> wait_for_end();
  Error reason_of_failure();
  void clean_up_after(const Error& error);
  void save();
  json::array source_facts() const;
  std::vector<std::string> names() const;
  Result<std::map<std::string, SessionEntryInfo>> list_entries();
  int percent() const;

  Api& api_;
  const PushOrder& order_;
  Output& output_;
  Progress progress_;
  Sources sources_;
  std::set<std::string> there_;  ///< names of files that need not be sent
  std::optional<ResumeRecord> record_;
  PushOutcome outcome_;
  std::string library_id_;
  std::string session_;
  std::string client_token_;
  std::map<std::string, std::string> uris_;  ///< of the files that are pushed
  bool resumed_ = false;
  bool completing_ = false;
  bool takes_parts_ = false;
  std::deque<QueuedPart> first_;  ///< of files that say what the others must be: the server compares while those come
  std::deque<QueuedPart> queue_;
  std::unique_ptr<PipedParts> piped_;
};

Result<PushOutcome> Push::run() {
  QUIRE_ASSIGN_OR_RETURN(sources_, find_sources(order_.sources, order_.name));
  // Manifests and certificates are added before the descriptor.
  std::vector<LocalFile> files;
  for (const bool first : {true, false})
    for (const auto& file : sources_.files)
      if (first == (says_what_others_are(file.name) && !ends_with(file.name, ".ovf"))) files.push_back(file);
  sources_.files = std::move(files);
  QUIRE_ASSIGN_OR_RETURN(auto record, ResumeRecord::open("push", api_.server().url + ' ' + order_.target.text()));
  record_.emplace(std::move(record));
  QUIRE_RETURN_IF_ERROR(find_target());
  QUIRE_RETURN_IF_ERROR(compare());
  if (outcome_.unchanged) {
    drop_earlier();
    output_.note(order_.target.text() + " has this content already");
    return outcome_;
  }
  if (const auto moved = transfer(); !moved) {
    progress_.clear();
    clean_up_after(moved.error());
    return moved.error();
  }
  record_->remove();
  progress_.finish(Clock::now(), "pushed");
  return outcome_;
}

std::vector<std::string> Push::names() const {
  std::vector<std::string> all;
  for (const auto& file : sources_.files) all.push_back(file.name);
  for (const auto& url : sources_.urls) all.push_back(url.name);
  if (sources_.piped) all.push_back(*sources_.piped);
  return all;
}

Result<void> Push::find_target() {
  auto library = find_library(api_, order_.target.library);
  if (!library && library.error().kind() == ErrorKind::not_found && order_.create_library) {
    library = create_library(api_, order_.target.library);
  }
  if (!library) return library.error();
  QUIRE_ASSIGN_OR_RETURN(const auto item, find_item(api_, *library, order_.target.item));
  outcome_.item_id = item.value_or("");
  library_id_ = *library;
  return {};
}

/// Whether the item has all or some of this already.
Result<void> Push::compare() {
  if (order_.force || outcome_.item_id.empty() || sources_.piped || !sources_.urls.empty()) return {};
  QUIRE_ASSIGN_OR_RETURN(const auto stored, list_files(api_, outcome_.item_id));
  const auto* stop = api_.transport().stop;
  if (sources_.files.size() == 1 && ends_with(sources_.files.front().name, ".ova")) {
    QUIRE_ASSIGN_OR_RETURN(outcome_.unchanged, is_archive_of(sources_.files.front(), stored, stop));
    return {};
  }
  QUIRE_ASSIGN_OR_RETURN(there_, files_already_there(sources_.files, stored, stop));
  const auto kept = std::ranges::count_if(
      sources_.files, [&](const auto& file) { return !is_checked_and_not_kept(file.name, stored); });
  outcome_.unchanged = there_.size() == stored.size() && kept == static_cast<std::ptrdiff_t>(there_.size());
  // What a package says of its files holds for all of them together.
  if (type_by_name(names()) == "ovf") there_.clear();
  return {};
}

json::array Push::source_facts() const {
  json::array facts;
  for (const auto& file : sources_.files)
    facts.push_back(json::object{{"name", file.name}, {"size", file.size}, {"modified_ns", file.modified_ns}});
  for (const auto& url : sources_.urls) facts.push_back(json::object{{"name", url.name}, {"url", url.url}});
  return facts;
}

void Push::save() {
  const json::object content{{"item_id", outcome_.item_id}, {"created", outcome_.created},
                             {"session_id", session_},      {"client_token", client_token_},
                             {"completing", completing_},   {"sources", source_facts()}};
  if (const auto written = record_->write(content); !written)
    output_.note("this push cannot go on after a break: " + full_text(written.error()));
}

Result<std::map<std::string, SessionEntryInfo>> Push::list_entries() {
  QUIRE_ASSIGN_OR_RETURN(const auto answer, api_.call("update_session.file.list", {{"update_session_id", session_}}));
  std::map<std::string, SessionEntryInfo> entries;
  for (const auto& file : elements_of(answer)) {
    SessionEntryInfo entry;
    entry.status = text_at(file, "status");
    entry.source_type = text_at(file, "source_type");
    entry.error = message_at(file, "error_message");
    entry.bytes = number_at(file, "bytes_transferred").value_or(0);
    if (const auto* endpoint = find_member(file, "upload_endpoint")) entry.upload_uri = text_at(*endpoint, "uri");
    entries[text_at(file, "name")] = std::move(entry);
  }
  return entries;
}

/// What an earlier run has begun is not wanted any more.
void Push::drop_earlier() {
  if (const auto stored = record_->read()) {
    const auto session = text_at(json::value(*stored), "session_id");
    if (!session.empty()) {
      [[maybe_unused]] const auto canceled = api_.call("update_session.cancel", {{"update_session_id", session}});
    }
  }
  record_->remove();
}

/// True when a session that an earlier run left goes on.
Result<bool> Push::resume() {
  const auto stored = record_->read();
  if (!stored) return false;
  const json::value content(*stored);
  session_ = text_at(content, "session_id");
  client_token_ = text_at(content, "client_token");
  const bool same_item = text_at(content, "item_id") == outcome_.item_id;
  const auto* sources = find_member(content, "sources");
  const bool same_sources = sources != nullptr && *sources == json::value(source_facts()) && !sources_.piped;
  outcome_.created = same_item && flag_at(content, "created");
  if (session_.empty()) {
    if (!same_item || !same_sources) client_token_.clear();
    return false;
  }
  client_token_.clear();
  const auto state = api_.call("update_session.get", {{"update_session_id", session_}});
  if (!state && is_network_error(state.error())) return state.error();
  const bool active =
      state && text_at(*state, "state") == "ACTIVE" && text_at(*state, "library_item_id") == outcome_.item_id;
  if (active && same_sources && same_item) {
    QUIRE_ASSIGN_OR_RETURN(const auto entries, list_entries());
    uris_.clear();
    bool whole = true;
    for (const auto& name : names()) {
      const auto entry = entries.find(name);
      if (there_.contains(name)) continue;
      if (entry == entries.end() || entry->second.source_type == "NONE" || entry->second.status == "ERROR")
        whole = false;
      else if (entry->second.status != "READY")
        uris_[name] = entry->second.upload_uri;
    }
    completing_ = flag_at(content, "completing");
    if (whole) return true;
  }
  if (active) {  // ours, but of other sources: it would hold the item
    [[maybe_unused]] const auto canceled = api_.call("update_session.cancel", {{"update_session_id", session_}});
  }
  session_.clear();
  return false;
}

Result<void> Push::resume_or_begin() {
  QUIRE_ASSIGN_OR_RETURN(resumed_, resume());
  if (!resumed_) return begin();
  output_.note("going on with the push that broke off");
  return {};
}

Result<void> Push::create_item() {
  if (!outcome_.item_id.empty()) return {};
  json::object spec{
      {"library_id", library_id_}, {"name", order_.target.item}, {"type", order_.type.value_or(type_by_name(names()))}};
  if (order_.description) spec["description"] = *order_.description;
  QUIRE_ASSIGN_OR_RETURN(const auto id, api_.call("item.create", {{"create_spec", spec}}));
  if (!id.is_string()) return local_error("the server gave the new item no id");
  outcome_.item_id = std::string(id.get_string());
  outcome_.created = true;
  return {};
}

Result<void> Push::open_session() {
  const auto create = [&] {
    return api_.call("update_session.create", {{"client_token", client_token_},
                                               {"create_spec", json::object{{"library_item_id", outcome_.item_id}}}});
  };
  auto id = create();
  if (!id && order_.take_over && exit_code(id.error()) == ExitCode::conflict) {
    QUIRE_ASSIGN_OR_RETURN(const auto holding,
                           api_.call("update_session.list", {{"library_item_id", outcome_.item_id}}));
    for (const auto& other : texts_of(holding)) {
      const auto state = api_.call("update_session.get", {{"update_session_id", other}});
      if (!state || text_at(*state, "state") != "ACTIVE") continue;
      QUIRE_RETURN_IF_ERROR(api_.call("update_session.cancel", {{"update_session_id", other}}));
    }
    id = create();
  }
  if (!id && exit_code(id.error()) == ExitCode::conflict)
    return conflict(full_text(id.error()) + " Cancel that session ('quire sessions cancel'), or give --take-over.");
  if (!id) return id.error();
  if (!id->is_string()) return local_error("the server gave the new session no id");
  session_ = std::string(id->get_string());
  return {};
}

/// The item is to have what is pushed, and nothing else.
Result<void> Push::remove_others() {
  if (outcome_.created) return {};
  const auto all = names();
  const bool archive = std::ranges::any_of(all, [](const auto& name) { return ends_with(name, ".ova"); });
  QUIRE_ASSIGN_OR_RETURN(const auto entries, list_entries());
  for (const auto& [name, entry] : entries) {
    if (entry.source_type != "NONE" || (!archive && std::ranges::find(all, name) != all.end())) continue;
    QUIRE_RETURN_IF_ERROR(
        api_.call("update_session.file.remove", {{"update_session_id", session_}, {"file_name", name}}));
  }
  return {};
}

Result<void> Push::add_file(const std::string& name, json::object spec) {
  spec["name"] = name;
  QUIRE_ASSIGN_OR_RETURN(const auto added,
                         api_.call("update_session.file.add", {{"update_session_id", session_}, {"file_spec", spec}}));
  const auto* endpoint = find_member(added, "upload_endpoint");
  if (endpoint == nullptr) return {};
  uris_[name] = text_at(*endpoint, "uri");
  const auto address = parse_server_address(uris_[name]);
  const auto thumbprint = text_at(*endpoint, "ssl_certificate_thumbprint");
  if (address && !thumbprint.empty() && address->url != api_.server().url)
    api_.transport().keys.accept_thumbprint(address->authority(), thumbprint);
  return {};
}

Result<void> Push::add_files() {
  for (const auto& file : sources_.files) {
    if (there_.contains(file.name)) continue;
    QUIRE_RETURN_IF_ERROR(add_file(file.name, {{"source_type", "PUSH"}, {"size", file.size}}));
  }
  if (sources_.piped) QUIRE_RETURN_IF_ERROR(add_file(*sources_.piped, {{"source_type", "PUSH"}}));
  for (const auto& url : sources_.urls)
    QUIRE_RETURN_IF_ERROR(
        add_file(url.name, {{"source_type", "PULL"}, {"source_endpoint", json::object{{"uri", url.url}}}}));
  return {};
}

Result<void> Push::begin() {
  QUIRE_RETURN_IF_ERROR(create_item());
  if (client_token_.empty()) client_token_ = random_uuid();
  session_.clear();
  save();
  QUIRE_RETURN_IF_ERROR(open_session());
  save();
  QUIRE_RETURN_IF_ERROR(remove_others());
  return add_files();
}

/// The parts that are missing, in the order of the sources.
Result<void> Push::fill_queue() {
  HttpClient http(api_.transport());
  std::optional<bool> takes_parts;
  const auto part_bytes = order_.transfer.part_bytes_at(api_.transport().round_trip_us);
  std::int64_t total = 0;
  for (const auto& file : sources_.files) {
    if (there_.contains(file.name)) continue;
    total += file.size;
    outcome_.bytes += file.size;
    const auto uri = uris_.find(file.name);
    if (uri == uris_.end()) {  // READY since an earlier run
      progress_.add(file.size);
      continue;
    }
    EndpointState state;
    if (resumed_ || !takes_parts) {
      QUIRE_ASSIGN_OR_RETURN(state, ask_endpoint(http, api_, uri->second));
      takes_parts = state.takes_parts;
    }
    state.takes_parts = *takes_parts;
    takes_parts_ = state.takes_parts;
    auto& queue = says_what_others_are(file.name) ? first_ : queue_;
    if (state.complete) {
      progress_.add(file.size);
    } else if (!state.takes_parts || file.size == 0) {
      queue.push_back({{file.name, uri->second, {0, file.size}, file.size, nullptr, state.takes_parts}, file.path});
    } else {
      progress_.add(state.received.bytes());
      for (const auto& gap : missing_parts(state.received, {0, file.size}))
        for (auto first = gap.first; first < gap.end; first += part_bytes) {
          const auto end = std::min(gap.end, first + part_bytes);
          queue.push_back({{file.name, uri->second, {first, end}, file.size, nullptr, true}, file.path});
        }
    }
  }
  if (sources_.piped) {
    const auto& uri = uris_[*sources_.piped];
    QUIRE_ASSIGN_OR_RETURN(const auto state, ask_endpoint(http, api_, uri));
    if (state.takes_parts)
      piped_ =
          std::make_unique<PipedParts>(STDIN_FILENO, *sources_.piped, uri, std::min(part_bytes, piped_part_bytes_max));
    else
      queue_.push_back({{*sources_.piped, uri, {0, 0}, std::nullopt, piped_bytes(STDIN_FILENO), false}, {}});
  } else {
    progress_.set_total(total);
  }
  return {};
}

Result<std::optional<UploadPart>> Push::open_next(std::deque<QueuedPart>& queue) {
  if (queue.empty()) return std::optional<UploadPart>();
  auto [part, path] = std::move(queue.front());
  queue.pop_front();
  if (!path.empty()) {
    QUIRE_ASSIGN_OR_RETURN(part.bytes, open_for_upload(path));
  }
  return std::optional(std::move(part));
}

Result<std::optional<UploadPart>> Push::next_part() {
  if (!queue_.empty()) return open_next(queue_);
  if (!piped_) return std::optional<UploadPart>();
  QUIRE_ASSIGN_OR_RETURN(auto part, piped_->next());
  if (part) outcome_.bytes = part->range.end;
  return part;
}

/// All bytes have arrived. When the answer to the last ones was lost, the server may still be at the file, or has begun
/// anew and waits for somebody who asks: who sends a byte again waits for the first and does the second.
Result<void> Push::finish_files(const std::function<void()>& tick) {
  if (!takes_parts_) return {};
  constexpr int rounds_max = 5;
  for (int round = 0; round < rounds_max; ++round) {
    QUIRE_ASSIGN_OR_RETURN(const auto entries, list_entries());
    for (const auto& file : sources_.files) {
      const auto entry = entries.find(file.name);
      if (there_.contains(file.name) || entry == entries.end() || entry->second.status != "TRANSFERRING") continue;
      const auto last = std::max<std::int64_t>(file.size - 1, 0);
      progress_.add(last - file.size);
      queue_.push_back({{file.name, entry->second.upload_uri, {last, file.size}, file.size, nullptr, true}, file.path});
    }
    if (queue_.empty()) return {};
    QUIRE_RETURN_IF_ERROR(PartSender(api_, order_.transfer, progress_).run([this] { return next_part(); }, tick));
  }
  return {};
}

int Push::percent() const {
  constexpr int all = 100;
  const auto total = progress_.total();
  if (!total || *total == 0) return 0;
  return static_cast<int>(std::clamp<std::int64_t>(progress_.done() * all / *total, 0, all));
}

Result<void> Push::send() {
  QUIRE_RETURN_IF_ERROR(fill_queue());
  const SessionKeeper keeper(api_, "update_session.keep_alive", session_, [this] { return percent(); });
  const auto tick = [this] { progress_.tick(Clock::now()); };
  auto sent = PartSender(api_, order_.transfer, progress_).run([this] { return open_next(first_); }, tick);
  if (sent) sent = PartSender(api_, order_.transfer, progress_).run([this] { return next_part(); }, tick);
  if (sent) sent = finish_files(tick);
  if (!sent) {
    // The reason why a session ended stands there.
    const auto kind = sent.error().kind();
    if (kind == ErrorKind::not_found) return reason_of_failure();
    return sent.error();
  }
  for (const auto& file : sources_.files)
    if (!there_.contains(file.name) && !is_unchanged(file))
      return content_refused(file.path.string() + " changed while it was sent; run again");
  return {};
}

Error Push::reason_of_failure() {
  std::string text = "the update session " + session_ + " has ended";
  if (const auto state = api_.call("update_session.get", {{"update_session_id", session_}})) {
    if (const auto reason = message_at(*state, "error_message"); !reason.empty()) text = reason;
    if (const auto entries = list_entries())
      for (const auto& [name, entry] : *entries)
        if (!entry.error.empty() && text.find(entry.error) == std::string::npos)
          text += (text.ends_with('.') ? " " : ". ") + name + ": " + entry.error;
  }
  return content_refused(text);
}

Result<void> Push::complete() {
  completing_ = true;
  save();
  Patience patience(api_.transport(), order_.transfer.give_up_after);
  std::atomic<bool> never = false;
  for (int failures = 0;;) {
    const auto called = api_.call("update_session.complete", {{"update_session_id", session_}});
    if (called) return wait_for_end();
    if (is_network_error(called.error())) {
      if (!patience.wait(++failures, never)) return api_.transport().stopped() ? interrupted() : called.error();
      const auto state = api_.call("update_session.get", {{"update_session_id", session_}});
      if (state && text_at(*state, "state") != "ACTIVE") return wait_for_end();
      continue;
    }
    const auto code = exit_code(called.error());
    if (code == ExitCode::not_allowed || code == ExitCode::interrupted || code == ExitCode::not_found)
      return called.error();
    return content_refused(order_.target.text() + " was refused: " + full_text(called.error()));
  }
}

/// `complete` may answer before the session has ended: pulls run, or the server looks at the content.
Result<void> Push::wait_for_end() {
  Patience patience(api_.transport(), order_.transfer.give_up_after);
  std::atomic<bool> never = false;
  int failures = 0;
  std::chrono::milliseconds look = first_look;
  std::int64_t pulled = 0;
  while (true) {
    const auto state = api_.call("update_session.get", {{"update_session_id", session_}});
    if (!state) {
      if (!is_network_error(state.error())) return state.error();
      if (!patience.wait(++failures, never)) return api_.transport().stopped() ? interrupted() : state.error();
      continue;
    }
    patience.advanced();
    const auto name = text_at(*state, "state");
    if (name == "DONE") return {};
    if (name != "ACTIVE") return reason_of_failure();
    if (!sources_.urls.empty()) {
      if (const auto entries = list_entries()) {
        std::int64_t now = 0;
        for (const auto& url : sources_.urls)
          if (const auto entry = entries->find(url.name); entry != entries->end()) now += entry->second.bytes;
        progress_.add(now - pulled);
        outcome_.bytes += now - pulled;
        pulled = now;
      }
    }
    progress_.tick(Clock::now());
    if (api_.transport().stopped()) return interrupted();
    std::this_thread::sleep_for(look);
    look = std::min<std::chrono::milliseconds>(look * 2, longest_look);
  }
}

Result<void> Push::transfer() {
  QUIRE_RETURN_IF_ERROR(resume_or_begin());
  if (!completing_) QUIRE_RETURN_IF_ERROR(send());
  if (sources_.piped || !sources_.urls.empty()) progress_.set_total(std::nullopt);
  QUIRE_RETURN_IF_ERROR(complete());
  [[maybe_unused]] const auto deleted = api_.call("update_session.delete", {{"update_session_id", session_}});
  return {};
}

/// What can go on later stays; of anything else nothing does.
void Push::clean_up_after(const Error& error) {
  if (!sources_.piped && (is_network_error(error) || is_interrupted(error))) {
    output_.note("run the same command again to go on");
    return;
  }
  record_->remove();
  // A signal has ended this command's exchanges, and what is left to say is short.
  api_.transport().stop = nullptr;
  api_.set_patience(clean_up_patience);
  if (!session_.empty()) {
    [[maybe_unused]] const auto canceled = api_.call("update_session.cancel", {{"update_session_id", session_}});
    [[maybe_unused]] const auto deleted = api_.call("update_session.delete", {{"update_session_id", session_}});
  }
  if (outcome_.created) {
    [[maybe_unused]] const auto removed = api_.call("item.delete", {{"library_item_id", outcome_.item_id}});
  }
}

}  // namespace

Result<PushOutcome> push(Api& api, const PushOrder& order, Output& output) { return Push(api, order, output).run(); }

}  // namespace quire::client
