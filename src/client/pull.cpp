#include "client/pull.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <thread>
#include <vector>

#include "base/file_name.h"
#include "client/failure.h"
#include "client/json_reading.h"
#include "client/local_files.h"
#include "client/part_download.h"
#include "client/places.h"
#include "client/progress.h"
#include "client/resume_record.h"
#include "client/session_keeper.h"

namespace quire::client {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using base::Result;
using Clock = std::chrono::steady_clock;

constexpr auto save_after = std::chrono::seconds(1);

class Pull {
 public:
  Pull(Api& api, const PullOrder& order, Output& output)
      : api_(api), order_(order), output_(output), progress_(output, order.source.text()) {}
  ~Pull() {
    for (const auto& download : downloads_)
      if (download.file >= 0) ::close(download.file);
  }
  Pull(const Pull&) = delete;
  Pull& operator=(const Pull&) = delete;

  Result<PullOutcome> run();

 private:
  Result<void> choose_files();
  Result<void> choose_places();
  Result<void> skip_what_is_there();
  Result<void> open_session();
  Result<std::string> prepare(const std::string& name);
  Result<void> prepare_all();
  Result<void> open_partial(std::size_t index, const json::value& stored);
  Result<void> receive();
  Result<void> receive_to_stdout();
  Result<void> put_in_place();
  Result<void> transfer();
  void save();
  void end_session();

  Api& api_;
  const PullOrder& order_;
  Output& output_;
  Progress progress_;
  PullOutcome outcome_;
  std::optional<ResumeRecord> record_;
  std::string session_;
  std::vector<StoredFile> files_;    ///< that are to be pulled
  std::vector<fs::path> places_;     ///< where each goes
  std::vector<Download> downloads_;  ///< the same order
  Clock::time_point saved_;
};

/// Above the file's place, so that giving it its name is one rename.
fs::path partial_of(const fs::path& place) { return place.string() + std::string(partial_suffix); }

Result<void> Pull::choose_files() {
  QUIRE_ASSIGN_OR_RETURN(outcome_.item_id, find_item(api_, order_.source));
  QUIRE_ASSIGN_OR_RETURN(files_, list_files(api_, outcome_.item_id));
  if (order_.file) std::erase_if(files_, [&](const auto& file) { return file.name != *order_.file; });
  if (files_.empty())
    return not_found(order_.file ? order_.source.text() + " has no file '" + *order_.file + "'"
                                 : order_.source.text() + " has no content");
  for (const auto& file : files_)
    if (const auto problem = base::file_name_problem(file.name))
      return content_refused("the server tells a file called '" + file.name +
                             "', which cannot be written: " + *problem);
  outcome_.files = static_cast<std::int64_t>(files_.size());
  return {};
}

Result<void> Pull::choose_places() {
  const fs::path destination = order_.destination;
  std::error_code failed;
  const bool folder = order_.destination.ends_with('/') || fs::is_directory(destination, failed);
  if (!folder && files_.size() == 1 && files_.front().name.find('/') == std::string::npos) {
    places_ = {destination};
    return {};
  }
  for (const auto& file : files_) {
    places_.push_back(destination / file.name);
    fs::create_directories(places_.back().parent_path(), failed);
    if (failed) return local_error("cannot make " + places_.back().parent_path().string() + ": " + failed.message());
  }
  return {};
}

/// Files that lie there with the right bytes are not pulled again.
Result<void> Pull::skip_what_is_there() {
  std::vector<StoredFile> left;
  std::vector<fs::path> left_places;
  for (std::size_t i = 0; i < files_.size(); ++i) {
    const auto& file = files_[i];
    outcome_.bytes += file.size;
    std::error_code failed;
    const auto size = fs::file_size(places_[i], failed);
    if (!failed && file.checksum && static_cast<std::int64_t>(size) == file.size) {
      QUIRE_ASSIGN_OR_RETURN(const auto digest,
                             digest_of_file(places_[i], file.checksum->algorithm, api_.transport().stop));
      if (digest == *file.checksum) {
        ++outcome_.there;
        continue;
      }
    }
    left.push_back(file);
    left_places.push_back(places_[i]);
  }
  files_ = std::move(left);
  places_ = std::move(left_places);
  return {};
}

Result<void> Pull::open_session() {
  QUIRE_ASSIGN_OR_RETURN(
      const auto id,
      api_.call("download_session.create", {{"create_spec", json::object{{"library_item_id", outcome_.item_id}}}}));
  if (!id.is_string()) return local_error("the server gave the new session no id");
  session_ = std::string(id.get_string());
  return {};
}

/// The endpoint of a file, once the server has it ready.
Result<std::string> Pull::prepare(const std::string& name) {
  const json::object which{{"download_session_id", session_}, {"file_name", name}};
  auto info = api_.call("download_session.file.prepare", which);
  std::chrono::milliseconds look = first_look;
  while (true) {
    if (!info) return info.error();
    const auto status = text_at(*info, "status");
    if (status == "ERROR")
      return content_refused(name + " cannot be downloaded: " + message_at(*info, "error_message"));
    const auto* endpoint = find_member(*info, "download_endpoint");
    if (status == "PREPARED" && endpoint != nullptr) {
      const auto uri = text_at(*endpoint, "uri");
      const auto address = parse_server_address(uri);
      const auto thumbprint = text_at(*endpoint, "ssl_certificate_thumbprint");
      if (address && !thumbprint.empty() && address->url != api_.server().url)
        api_.transport().keys.accept_thumbprint(address->authority(), thumbprint);
      return uri;
    }
    if (api_.transport().stopped()) return interrupted();
    std::this_thread::sleep_for(look);
    look = std::min<std::chrono::milliseconds>(look * 2, longest_look);
    info = api_.call("download_session.file.get", which);
  }
}

Result<void> Pull::prepare_all() {
  HttpClient http(api_.transport());
  std::int64_t total = 0;
  for (const auto& file : files_) {
    Download download;
    download.name = file.name;
    QUIRE_ASSIGN_OR_RETURN(download.uri, prepare(file.name));
    QUIRE_ASSIGN_OR_RETURN(const auto facts, ask_download(http, api_, download.uri));
    download.size = facts.size ? *facts.size : file.size;
    download.checksum = facts.checksum ? facts.checksum : file.checksum;
    download.version = facts.version;
    if (!download.checksum) {
      outcome_.verified = false;
      output_.note("the server tells no checksum of " + file.name + ", so it is not verified");
    }
    total += *download.size;
    downloads_.push_back(std::move(download));
  }
  progress_.set_total(total);
  return {};
}

/// Goes on with what an earlier run has left of the file, if it is of the same bytes.
Result<void> Pull::open_partial(std::size_t index, const json::value& stored) {
  auto& download = downloads_[index];
  const auto path = partial_of(places_[index]);
  download.file =
      ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH);
  if (download.file < 0) return local_error("cannot write " + path.string() + ": " + system_reason(errno));
  struct stat status = {};
  if (::fstat(download.file, &status) != 0) return local_error("cannot read " + path.string());
  const auto* entry = find_member(stored, path.string());
  const bool same = entry != nullptr && !download.version.empty() && text_at(*entry, "version") == download.version &&
                    number_at(*entry, "size") == download.size &&
                    number_at(*entry, "inode") == static_cast<std::int64_t>(status.st_ino);
  if (same) {
    if (const auto* ranges = find_member(*entry, "received"))
      for (const auto& range : elements_of(*ranges)) {
        const auto first = number_at(range, "first");
        const auto end = number_at(range, "end");
        if (first && end && *end <= status.st_size) download.received.add({*first, *end});
      }
  } else if (::ftruncate(download.file, 0) != 0) {
    return local_error("cannot write " + path.string() + ": " + system_reason(errno));
  }
  progress_.add(download.received.bytes());
  return {};
}

/// Called while nothing arrives.
void Pull::save() {
  json::object content;
  for (std::size_t i = 0; i < downloads_.size(); ++i) {
    const auto& download = downloads_[i];
    struct stat status = {};
    if (download.file < 0 || download.version.empty() || ::fstat(download.file, &status) != 0) continue;
    json::array ranges;
    for (const auto& range : download.received.ranges())
      ranges.push_back(json::object{{"first", range.first}, {"end", range.end}});
    content[partial_of(places_[i]).string()] = json::object{{"version", download.version},
                                                            {"size", *download.size},
                                                            {"inode", static_cast<std::int64_t>(status.st_ino)},
                                                            {"received", std::move(ranges)}};
  }
  [[maybe_unused]] const auto written = record_->write(content);
}

Result<void> Pull::receive() {
  const json::value stored = record_->read().value_or(json::object());
  for (std::size_t i = 0; i < downloads_.size(); ++i) QUIRE_RETURN_IF_ERROR(open_partial(i, stored));
  if (progress_.done() > 0) output_.note("going on with the pull that broke off");
  save();
  saved_ = Clock::now();
  const SessionKeeper keeper(api_, "download_session.keep_alive", session_, [this] {
    constexpr int all = 100;
    const auto total = progress_.total().value_or(0);
    return total == 0 ? 0 : static_cast<int>(std::clamp<std::int64_t>(progress_.done() * all / total, 0, all));
  });
  PartReceiver receiver(api_, order_.transfer, progress_);
  auto received = receiver.run(downloads_, [this] {
    progress_.tick(Clock::now());
    if (Clock::now() - saved_ < save_after) return;
    saved_ = Clock::now();
    save();
  });
  if (received) return {};
  save();
  if (exit_code(received.error()) == ExitCode::refused)
    for (std::size_t i = 0; i < downloads_.size(); ++i)
      if (downloads_[i].received.bytes() == 0) ::unlink(partial_of(places_[i]).c_str());
  return received;
}

Result<void> Pull::put_in_place() {
  for (std::size_t i = 0; i < downloads_.size(); ++i) {
    const auto partial = partial_of(places_[i]);
    if (::ftruncate(downloads_[i].file, downloads_[i].size.value_or(0)) != 0 ||
        ::rename(partial.c_str(), places_[i].c_str()) != 0)
      return local_error("cannot write " + places_[i].string() + ": " + system_reason(errno));
  }
  return {};
}

Result<void> Pull::receive_to_stdout() {
  if (files_.size() != 1)
    return usage_error(order_.source.text() + " has " + std::to_string(files_.size()) +
                       " files; name the one for stdout with --file");
  QUIRE_RETURN_IF_ERROR(open_session());
  QUIRE_RETURN_IF_ERROR(prepare_all());
  outcome_.bytes = downloads_.front().size.value_or(0);
  return receive_in_order(api_, order_.transfer, downloads_.front(), STDOUT_FILENO, progress_);
}

Result<void> Pull::transfer() {
  if (order_.destination == "-") return receive_to_stdout();
  QUIRE_RETURN_IF_ERROR(choose_places());
  QUIRE_ASSIGN_OR_RETURN(auto record, ResumeRecord::open("pull", api_.server().url + ' ' + order_.source.text() + ' ' +
                                                                     fs::absolute(order_.destination).string()));
  record_.emplace(std::move(record));
  QUIRE_RETURN_IF_ERROR(skip_what_is_there());
  if (files_.empty()) {
    output_.note("all files of " + order_.source.text() + " are there already");
    record_->remove();
    return {};
  }
  QUIRE_RETURN_IF_ERROR(open_session());
  QUIRE_RETURN_IF_ERROR(prepare_all());
  QUIRE_RETURN_IF_ERROR(receive());
  QUIRE_RETURN_IF_ERROR(put_in_place());
  record_->remove();
  return {};
}

void Pull::end_session() {
  if (session_.empty()) return;
  api_.transport().stop = nullptr;
  api_.set_patience(clean_up_patience);
  [[maybe_unused]] const auto canceled = api_.call("download_session.cancel", {{"download_session_id", session_}});
  [[maybe_unused]] const auto deleted = api_.call("download_session.delete", {{"download_session_id", session_}});
}

Result<PullOutcome> Pull::run() {
  QUIRE_RETURN_IF_ERROR(choose_files());
  const auto moved = transfer();
  progress_.clear();
  end_session();
  if (!moved) {
    if (record_ && (is_network_error(moved.error()) || is_interrupted(moved.error())))
      output_.note("run the same command again to go on");
    return moved.error();
  }
  if (!session_.empty()) progress_.finish(Clock::now(), "pulled");
  return outcome_;
}

}  // namespace

Result<PullOutcome> pull(Api& api, const PullOrder& order, Output& output) { return Pull(api, order, output).run(); }

}  // namespace quire::client
