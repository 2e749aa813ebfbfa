#include "bundle/platform.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>

namespace quire::bundle {
namespace {

namespace json = boost::json;
namespace fs = std::filesystem;

constexpr unsigned permission_bits = 07777;

/// A small file of /proc, /sys or /etc; null when it is not there.
json::value text_of(const fs::path& file) {
  std::ifstream stream(file);
  if (!stream) return nullptr;
  std::ostringstream text;
  text << stream.rdbuf();
  auto all = text.str();
  while (!all.empty() && all.back() == '\n') all.pop_back();
  return json::string(all);
}

/// What stands behind `key` in a file of lines.
json::value line_of(const fs::path& file, std::string_view key) {
  std::ifstream stream(file);
  for (std::string line; std::getline(stream, line);) {
    if (!line.starts_with(key)) continue;
    const auto value = line.find_first_not_of(":=\t \"", key.size());
    if (value == std::string::npos) return json::string();
    auto found = line.substr(value);
    while (!found.empty() && (found.back() == '"' || found.back() == ' ')) found.pop_back();
    return json::string(found);
  }
  return nullptr;
}

json::object system_facts() {
  utsname names{};
  json::object facts;
  if (::uname(&names) == 0)
    facts = {{"kernel", std::string(names.sysname) + ' ' + names.release},
             {"kernel_version", names.version},
             {"machine", names.machine},
             {"host", names.nodename}};
  facts["distribution"] = line_of("/etc/os-release", "PRETTY_NAME");
  facts["uptime_and_idle_seconds"] = text_of("/proc/uptime");
  facts["user_id"] = ::geteuid();
  facts["group_id"] = ::getegid();
  return facts;
}

json::object processor_facts() {
  return {{"online", ::sysconf(_SC_NPROCESSORS_ONLN)},
          {"model", line_of("/proc/cpuinfo", "model name")},
          {"load", text_of("/proc/loadavg")},
          {"pressure", text_of("/proc/pressure/cpu")}};
}

json::object memory_facts() {
  json::object facts;
  for (const auto* key : {"MemTotal", "MemAvailable", "Dirty", "Writeback", "SwapTotal", "SwapFree"})
    facts[key] = line_of("/proc/meminfo", key);
  facts["pressure"] = text_of("/proc/pressure/memory");
  return facts;
}

json::object control_group_facts() {
  json::object facts;
  for (const auto* name : {"memory.max", "memory.current", "cpu.max", "pids.max"})
    facts[name] = text_of(fs::path("/sys/fs/cgroup") / name);
  return facts;
}

json::value limit_value(rlim_t value) { return value == RLIM_INFINITY ? json::value("unlimited") : json::value(value); }

json::object limit_facts() {
  constexpr std::array limits = {std::pair("open_files", RLIMIT_NOFILE), std::pair("processes", RLIMIT_NPROC),
                                 std::pair("file_bytes", RLIMIT_FSIZE),  std::pair("address_space", RLIMIT_AS),
                                 std::pair("core_bytes", RLIMIT_CORE),   std::pair("locked_bytes", RLIMIT_MEMLOCK)};
  json::object facts;
  for (const auto& [name, resource] : limits) {
    rlimit limit{};
    if (::getrlimit(resource, &limit) == 0)
      facts[name] = json::object{{"soft", limit_value(limit.rlim_cur)}, {"hard", limit_value(limit.rlim_max)}};
  }
  return facts;
}

json::object clock_facts() {
  timex clock{};
  const int state = ::adjtimex(&clock);
  if (state < 0) return {{"synchronized", nullptr}};
  return {{"synchronized", state != TIME_ERROR && (static_cast<unsigned>(clock.status) & STA_UNSYNC) == 0},
          {"offset", clock.offset},
          {"maximum_error_us", clock.maxerror},
          {"source", text_of("/sys/devices/system/clocksource/clocksource0/current_clocksource")}};
}

/// The line of /proc/self/mountinfo with the longest mount point above `folder`: point, type and options.
json::value mount_of(const fs::path& folder) {
  std::ifstream stream("/proc/self/mountinfo");
  json::value best = nullptr;
  std::size_t longest = 0;
  for (std::string line; std::getline(stream, line);) {
    std::istringstream words(line);
    std::string word;
    std::string point;
    std::string options;
    words >> word >> word >> word >> word >> point >> options;
    while (words >> word && word != "-") continue;
    std::string type;
    words >> type;
    const bool above = point == "/" || folder == point || folder.native().starts_with(point + "/");
    if (!above || point.size() < longest) continue;
    longest = point.size();
    best = json::object{{"point", point}, {"type", type}, {"options", options}};
  }
  return best;
}

json::object folder_facts(const fs::path& folder) {
  json::object facts{{"folder", folder.string()}};
  struct stat status{};
  struct statvfs space{};
  if (::stat(folder.c_str(), &status) != 0 || ::statvfs(folder.c_str(), &space) != 0) {
    facts["problem"] = std::string("cannot be looked at: ") + std::generic_category().message(errno);
    return facts;
  }
  facts["mode"] = status.st_mode & permission_bits;
  facts["owner"] = status.st_uid;
  facts["group"] = status.st_gid;
  facts["writable"] = ::access(folder.c_str(), W_OK | X_OK) == 0;
  facts["mount"] = mount_of(fs::weakly_canonical(folder));
  facts["bytes"] = space.f_blocks * space.f_frsize;
  facts["bytes_available"] = space.f_bavail * space.f_frsize;
  facts["files"] = space.f_files;
  facts["files_available"] = space.f_favail;
  return facts;
}

void add_files(const fs::path& top, const fs::path& folder, int levels, json::array& found) {
  constexpr std::size_t files_max = 1000;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(folder, failed)) {
    if (found.size() >= files_max) return;
    struct stat status{};
    if (::lstat(entry.path().c_str(), &status) != 0) continue;
    const bool is_folder = S_ISDIR(status.st_mode);
    found.push_back(json::object{{"name", entry.path().lexically_relative(top).string() + (is_folder ? "/" : "")},
                                 {"bytes", status.st_size},
                                 {"mode", status.st_mode & permission_bits},
                                 {"owner", status.st_uid},
                                 {"group", status.st_gid}});
    if (is_folder && levels > 0) add_files(top, entry.path(), levels - 1, found);
  }
}

}  // namespace

json::object platform_facts(const std::vector<fs::path>& folders) {
  json::array places;
  for (const auto& folder : folders) places.push_back(folder_facts(folder));
  return {{"system", system_facts()}, {"processors", processor_facts()},        {"memory", memory_facts()},
          {"limits", limit_facts()},  {"control_group", control_group_facts()}, {"clock", clock_facts()},
          {"folders", places}};
}

json::array files_in(const fs::path& folder, int levels) {
  json::array found;
  add_files(folder, folder, levels, found);
  return found;
}

}  // namespace quire::bundle
