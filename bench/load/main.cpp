// quire_load: the load client of bench/run.py. One measurement a run; the figures go to standard output as JSON.
#include <CLI/CLI.hpp>
#include <boost/json/serialize.hpp>
#include <cstdio>
#include <exception>
#include <functional>
#include <string>
#include <vector>

#include "load/client.h"
#include "load/machine.h"
#include "load/requests.h"
#include "load/transfers.h"

namespace {

using quire::bench::Calling;

void add_calling(CLI::App& command, Calling& calling) {
  command.add_option("--base", calling.base, "http://host:port of the server")->required();
  command.add_option("--token", calling.token, "Login session");
  command.add_option("--clients", calling.clients, "Connections at the same time");
  command.add_option("--seconds", calling.seconds, "How long, after the warm-up");
}

int run(int argc, char** argv) {
  namespace bench = quire::bench;
  CLI::App app("Load client for measurements");
  app.require_subcommand(1);
  std::function<boost::json::object()> work;

  bench::Uploading uploading;
  auto* put = app.add_subcommand("put", "Upload one body to each URL, all at once");
  put->add_option("urls", uploading.urls)->required();
  put->add_option("--ca", uploading.ca_file);
  put->add_option("--token", uploading.token);
  put->add_option("--file", uploading.file);
  put->add_option("--zeros", uploading.zeros);
  put->add_option("--sync-after", uploading.sync_after);
  put->add_option("--stall-at", uploading.stall_at);
  put->add_option("--stall-seconds", uploading.stall_seconds);
  put->callback([&] { work = [&] { return bench::upload(uploading); }; });

  std::vector<std::string> urls;
  std::string ca_file;
  auto* get = app.add_subcommand("get", "Download each URL, all at once");
  get->add_option("urls", urls)->required();
  get->add_option("--ca", ca_file);
  get->callback([&] { work = [&] { return bench::download(urls, ca_file); }; });

  Calling calling;
  auto* cycles = app.add_subcommand("cycles", "Session life cycles");
  add_calling(*cycles, calling);
  cycles->add_option("--binding", calling.binding)->required()->check(CLI::IsMember({"legacy", "rest", "rpc"}));
  cycles->add_option("--library", calling.library)->required();
  cycles->callback([&] { work = [&] { return bench::run_life_cycles(calling); }; });

  std::string path;
  auto* requests = app.add_subcommand("requests", "GET of one path, as often as possible");
  add_calling(*requests, calling);
  requests->add_option("path", path)->required();
  requests->add_option("--if-none-match", calling.known, "Entity tag, for answers of 304");
  requests->callback([&] { work = [&] { return bench::run_gets(calling, path); }; });

  double interval_ms = 5;
  auto* probe = app.add_subcommand("probe", "GET of one path at an interval; --seconds 0: until standard input ends");
  add_calling(*probe, calling);
  probe->add_option("path", path)->required();
  probe->add_option("--interval-ms", interval_ms);
  probe->callback([&] { work = [&] { return bench::probe(calling, path, interval_ms); }; });

  std::uint64_t bytes = 0;
  auto* sha256 = app.add_subcommand("sha256", "SHA-256 on one core");
  sha256->add_option("bytes", bytes)->required();
  sha256->callback([&] { work = [&] { return bench::measure_sha256(bytes); }; });

  std::string folder;
  auto* disk = app.add_subcommand("disk", "Durable writing");
  disk->add_option("folder", folder)->required();
  disk->add_option("bytes", bytes)->required();
  disk->callback([&] { work = [&] { return bench::measure_disk(folder, bytes); }; });

  CLI11_PARSE(app, argc, argv);
  std::puts(boost::json::serialize(work()).c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "quire_load: %s\n", failure.what());
    return 1;
  }
}
