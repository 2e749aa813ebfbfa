#include "main/maintenance_commands.h"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <iostream>
#include <string>
#include <utility>

#include "client/failure.h"
#include "main/installation.h"
#include "main/settings_options.h"
#include "main/support_bundle.h"

namespace quire::main {
namespace {

using client::Arguments;
using client::CommandDefinition;
using client::ExitCode;
using client::OptionDefinition;

int code(ExitCode exit) { return static_cast<int>(exit); }

/// Every 10 % of the bytes, on stderr.
class ProgressLines {
 public:
  explicit ProgressLines(std::string what) : what_(std::move(what)) {}
  void operator()(std::int64_t done, std::int64_t all) {
    constexpr std::int64_t hundred = 100;
    constexpr std::int64_t step = 10;
    const auto percent = all <= 0 ? hundred : done * hundred / all;
    if (percent < next_) return;
    std::cerr << "quire: " << what_ << ' ' << percent << " %\n";
    next_ = percent - percent % step + step;
  }

 private:
  std::string what_;
  std::int64_t next_ = 10;
};

void print(const boost::json::object& line) { std::cout << boost::json::serialize(line) << '\n'; }

void print(const doctor::Finding& finding, bool json) {
  if (json)
    print({{"type", "finding"},
           {"kind", finding.kind},
           {"object", finding.object},
           {"problem", finding.problem},
           {"remedy", finding.remedy},
           {"repairable", finding.repairable},
           {"repaired", finding.repaired}});
  else
    std::cout << finding.kind << ": " << finding.object << "\n  " << finding.problem << "\n  "
              << (finding.repaired ? std::string("Repaired.") : finding.remedy) << '\n';
}

void print_sum(const doctor::Diagnosis& diagnosis, std::size_t open, const Arguments& arguments) {
  const auto all = diagnosis.findings.size();
  const bool digests = arguments.has("digests");
  if (arguments.has("json")) {
    print({{"type", "result"},
           {"blobs", diagnosis.blobs},
           {"bytes", diagnosis.bytes},
           {"findings", all},
           {"repaired", all - open},
           {"digests", digests}});
    return;
  }
  std::cout << diagnosis.blobs << " blobs, " << diagnosis.bytes << " bytes"
            << (digests ? ", every digest compared" : ", sizes compared") << ": "
            << (all == 0 ? "all is well"
                         : std::to_string(all) + " findings, " + std::to_string(all - open) + " repaired")
            << '\n';
}

int run_doctor(const Arguments& arguments) {
  const auto settings = settings_of(arguments);
  if (!settings) return code(ExitCode::usage);
  doctor::Examination examination;
  examination.digests = arguments.has("digests");
  examination.repair = arguments.has("repair");
  if (examination.digests) examination.progress = ProgressLines("read");
  const auto diagnosis = examine(*settings, examination);
  if (!diagnosis) {
    print_error(diagnosis.error());
    return code(ExitCode::failed);
  }
  std::size_t open = 0;
  for (const auto& finding : diagnosis->findings) {
    print(finding, arguments.has("json"));
    open += finding.repaired ? 0 : 1;
  }
  print_sum(*diagnosis, open, arguments);
  return code(open == 0 ? ExitCode::done : ExitCode::failed);
}

int report(const char* verb, const base::Result<backup::Summary>& summary, bool json) {
  if (!summary) {
    print_error(summary.error());
    return code(ExitCode::failed);
  }
  for (const auto& loss : summary->losses)
    std::cerr << "quire: " << loss.object << ": " << loss.problem << " The rest was " << verb
              << "; quire doctor tells which files have it.\n";
  if (json)
    print({{"type", "result"},
           {"blobs", summary->blobs},
           {"bytes", summary->bytes},
           {"copied_blobs", summary->copied_blobs},
           {"copied_bytes", summary->copied_bytes},
           {"removed_blobs", summary->removed_blobs},
           {"losses", summary->losses.size()}});
  else
    std::cout << verb << ": " << summary->blobs << " blobs, " << summary->bytes << " bytes, of which "
              << summary->copied_blobs << " blobs, " << summary->copied_bytes << " bytes were copied now\n";
  return code(summary->losses.empty() ? ExitCode::done : ExitCode::failed);
}

int run_backup(const Arguments& arguments) {
  const auto settings = settings_of(arguments);
  if (!settings) return code(ExitCode::usage);
  const auto made = make_backup(*settings, arguments.text("DIR"), arguments.has("verify"), ProgressLines("saved"));
  return report("saved", made, arguments.has("json"));
}

int run_restore(const Arguments& arguments) {
  const auto settings = settings_of(arguments);
  if (!settings) return code(ExitCode::usage);
  return report("restored", restore(*settings, arguments.text("DIR"), ProgressLines("restored")),
                arguments.has("json"));
}

std::vector<OptionDefinition> options_with_places(std::vector<OptionDefinition> own) {
  own.push_back({"json", "", "JSON on stdout, an object a line; the last one is the result"});
  const auto places = settings_options({"data", "catalog", "storage"});
  own.insert(own.end(), places.begin(), places.end());
  return own;
}

}  // namespace

std::vector<CommandDefinition> maintenance_commands() {
  return {
      {{"doctor"},
       "Compare catalog and storages, say what is wrong and what repairs it",
       "Only while no server runs on them. Exit code 0: all is well, or was repaired. 1: something is left to do.",
       {},
       options_with_places({{"digests", "", "Read all bytes and compare their digests, not only sizes"},
                            {"repair", "", "End what can be ended without losing anything"}}),
       run_doctor},
      {{"backup"},
       "Save an installation into a folder, also while its server runs",
       "The folder shows one moment. A further backup into it copies only what is new and drops what is gone.",
       {{"DIR", "The folder of the backup; made if missing", true, false, client::Completes::file}},
       options_with_places({{"verify", "", "Read what the folder holds already, too, and compare the digests"}}),
       run_backup},
      {{"restore"},
       "Make an installation from a backup",
       "There must be no catalog yet, in the data folder or in the database. Every byte is compared with its digest. "
       "The "
       "catalog may be on the other engine than the one that was saved.",
       {{"DIR", "The folder of the backup", true, false, client::Completes::file}},
       options_with_places({}),
       run_restore},
      support_bundle_command(),
  };
}

}  // namespace quire::main
