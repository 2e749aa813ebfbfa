#include "content/update_session_rules.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/check.h"
#include "base/file_name.h"
#include "base/hex.h"

namespace quire::content {
namespace {

using base::Error;
using base::ErrorKind;
using base::Message;

bool has_suffix(std::string_view name, std::string_view suffix) {
  return name.size() >= suffix.size() && base::to_lower(name.substr(name.size() - suffix.size())) == suffix;
}

struct Row {
  SessionOperation operation;
  std::string_view name;
  // In the order of all_session_phases.
  std::array<bool, 5> allowed;
};

constexpr std::array rows = {
    //                                                  active completing done   error  canceled
    Row{SessionOperation::get, "get", {true, true, true, true, true}},
    Row{SessionOperation::update, "update", {true, true, false, false, false}},
    Row{SessionOperation::complete, "complete", {true, false, false, false, false}},
    Row{SessionOperation::keep_alive, "keep_alive", {true, true, false, false, false}},
    Row{SessionOperation::cancel, "cancel", {true, true, false, false, false}},
    Row{SessionOperation::fail, "fail", {true, true, false, false, false}},
    Row{SessionOperation::remove, "delete", {false, false, true, true, true}},
    Row{SessionOperation::list_files, "file.list", {true, true, true, true, true}},
    Row{SessionOperation::get_file, "file.get", {true, true, true, true, true}},
    Row{SessionOperation::add_file, "file.add", {true, false, false, false, false}},
    Row{SessionOperation::remove_file, "file.remove", {true, false, false, false, false}},
    Row{SessionOperation::validate, "file.validate", {true, false, false, false, false}},
    Row{SessionOperation::upload, "upload", {true, false, false, false, false}},
};

const Row& row_of(SessionOperation operation) {
  const auto* found =
      std::find_if(rows.begin(), rows.end(), [&](const Row& row) { return row.operation == operation; });
  QUIRE_CHECK(found != rows.end());
  return *found;
}

/// The files of a package by the names that descriptor and manifest may have for them.
class FilesByName {
 public:
  /// A member of an archive takes the place of a file of the item that was there before.
  void add(const SessionFile& file) {
    const auto [at, inserted] = files_.emplace(file.name, &file);
    if (!inserted && at->second->source_type == SourceType::NONE) at->second = &file;
    if (auto decoded = base::decoded_file_name(file.name)) decoded_.emplace(*std::move(decoded), at->first);
  }

  /// What an href of the descriptor refers to (§28.2): the file that is called so, else the one of its decoded name.
  const SessionFile* referenced(std::string_view href) const {
    if (const auto* file = called(href)) return file;
    const auto decoded = base::decoded_file_name(href);
    return decoded ? called(*decoded) : nullptr;
  }

  /// The same for a line of the manifest, which may have the real name of a file that was sent under its href.
  const SessionFile* in_manifest(std::string_view name) const {
    if (const auto* file = referenced(name)) return file;
    const auto encoded = decoded_.find(name);
    return encoded == decoded_.end() ? nullptr : called(encoded->second);
  }

  auto begin() const { return files_.begin(); }
  auto end() const { return files_.end(); }
  bool empty() const { return files_.empty(); }

 private:
  const SessionFile* called(std::string_view name) const {
    const auto found = files_.find(name);
    return found == files_.end() ? nullptr : found->second;
  }

  std::map<std::string_view, const SessionFile*> files_;
  std::map<std::string, std::string_view, std::less<>> decoded_;
};

void add_invalid(PackageVerdict& verdict, const SessionFile& file, Message reason) {
  if (!file.archive.empty()) reason = about_file(file.archive, std::move(reason));
  verdict.invalid.push_back({file.name, std::move(reason)});
}

void judge_descriptor(const DescriptorFacts& facts, const FilesByName& present, PackageVerdict& verdict) {
  for (const auto& expected : facts.expected_files) {
    const auto* found = present.referenced(expected.name);
    if (found == nullptr) {
      verdict.missing.push_back(expected.name);
    } else if (expected.size && found->size && *expected.size != *found->size) {
      add_invalid(verdict, *found,
                  base::make_message("quire.package.size_differs",
                                     "File {name} has {size} bytes, but the OVF descriptor says {expected}.",
                                     {{"name", found->name}, {"size", *found->size}, {"expected", *expected.size}}));
    }
  }
}

/// §28.2: a package has exactly one descriptor.
void judge_descriptor_count(std::string_view item_type, const FilesByName& present, PackageVerdict& verdict) {
  std::vector<std::string_view> descriptors;
  for (const auto& [name, file] : present)
    if (package_file(item_type, name) == PackageFile::descriptor) descriptors.push_back(name);
  verdict.has_descriptor = !descriptors.empty();
  if (descriptors.empty() && !present.empty()) {
    const auto& first = *present.begin()->second;
    add_invalid(
        verdict, first,
        base::make_message("quire.package.no_descriptor",
                           "The item is of type ovf, but no OVF descriptor came with {name}.", {{"name", first.name}}));
  } else if (descriptors.size() > 1) {
    verdict.invalid.push_back(
        {std::string(descriptors[1]),
         base::make_message(
             "quire.package.two_descriptors",
             "An OVF package has one descriptor, but there are {first} and {second}; remove one of them.",
             {{"first", std::string(descriptors[0])}, {"second", std::string(descriptors[1])}})});
  }
}

void judge_manifest(const ManifestFacts& facts, const FilesByName& present, PackageVerdict& verdict) {
  for (const auto& entry : facts.entries) {
    const auto* found = present.in_manifest(entry.name);
    if (found == nullptr) {
      verdict.missing.push_back(entry.name);
      continue;
    }
    const auto* digest = base::find_digest(found->digests, entry.checksum.algorithm);
    if (digest == nullptr) {
      // A file of the snapshot whose digest in this algorithm was never taken: it was accepted when it was sent.
      if (found->source_type == SourceType::NONE && found->archive.empty()) {
        verdict.not_compared.push_back(found->name);
        continue;
      }
      add_invalid(verdict, *found,
                  base::make_message(
                      "quire.package.digest_not_taken",
                      "File {name} was sent before the manifest that names it with "
                      "{algorithm}; send the manifest first, then the file again.",
                      {{"name", found->name}, {"algorithm", std::string(base::name_of(entry.checksum.algorithm))}}));
    } else if (digest->hex != entry.checksum.hex) {
      add_invalid(
          verdict, *found,
          base::make_message(std::string(manifest_mismatch_id),
                             "File {name} has the {algorithm} digest {actual}, but the manifest says {expected}.",
                             {{"name", found->name},
                              {"algorithm", std::string(base::name_of(digest->algorithm))},
                              {"actual", digest->hex},
                              {"expected", entry.checksum.hex}}));
    }
  }
}

void judge_signature(const SessionFile& certificate, const SignatureFacts& facts, PackageVerdict& verdict) {
  verdict.signature = &facts;
  verdict.warnings = facts.warnings;
  if (facts.signature_valid) return;
  add_invalid(verdict, certificate,
              base::make_message("quire.package.signature_invalid",
                                 "The signature in {name} does not fit the manifest of the package.",
                                 {{"name", certificate.name}}));
}

/// Whether a text names a file: not `vm.ova` by naming `._vm.ova` or `vm.ova.txt`.
bool stands_in(std::string_view text, std::string_view name) {
  const auto is_end = [](std::string_view rest) {
    rest = rest.substr(0, rest.find_first_of(" \t"));
    return rest.find_first_not_of(".,:;!?'\")") == std::string_view::npos;
  };
  for (auto at = text.find(name); at != std::string_view::npos; at = text.find(name, at + 1))
    if ((at == 0 || std::string_view(" '\"(").find(text[at - 1]) != std::string_view::npos) &&
        is_end(text.substr(at + name.size())))
      return true;
  return false;
}

}  // namespace

SessionPhase phase_of(const UpdateSession& session) {
  switch (session.state) {
    case UpdateSessionState::ACTIVE:
      return session.completing ? SessionPhase::completing : SessionPhase::active;
    case UpdateSessionState::DONE:
      return SessionPhase::done;
    case UpdateSessionState::ERROR:
      return SessionPhase::error;
    case UpdateSessionState::CANCELED:
      return SessionPhase::canceled;
  }
  base::fail_check(__FILE__, __LINE__, "known session state");
}

std::string_view name_of(SessionOperation operation) { return row_of(operation).name; }

bool allows(SessionPhase phase, SessionOperation operation) {
  return row_of(operation).allowed[static_cast<std::size_t>(phase)];
}

base::Result<void> check_allowed(const UpdateSession& session, SessionOperation operation) {
  const auto phase = phase_of(session);
  if (allows(phase, operation)) return {};
  const std::string state =
      phase == SessionPhase::completing ? "ACTIVE, being completed" : std::string(base::name_of(session.state));
  Error error(
      ErrorKind::not_allowed_in_current_state, "quire.update_session.wrong_state",
      "Operation {operation} is not possible while update session {update_session_id} is {state}.",
      {{"operation", std::string(name_of(operation))}, {"state", state}, {"update_session_id", session.id.text()}});
  return session.error_message ? error.because(*session.error_message) : error;
}

bool is_ovf(std::string_view item_type) { return base::to_lower(item_type) == "ovf"; }

PackageFile package_file(std::string_view item_type, std::string_view file_name) {
  // What macOS keeps beside a file is not the file, whatever the name's end.
  if (!is_ovf(item_type) || base::apple_double_of(file_name)) return PackageFile::other;
  if (has_suffix(file_name, ".ovf")) return PackageFile::descriptor;
  // A package's manifest and certificate lie beside its descriptor (DSP0243); elsewhere such names are files like
  // others.
  const bool beside = file_name.find('/') == std::string_view::npos;
  if (beside && has_suffix(file_name, ".mf")) return PackageFile::manifest;
  if (beside && has_suffix(file_name, ".cert")) return PackageFile::certificate;
  if (has_suffix(file_name, ".ova")) return PackageFile::archive;
  return PackageFile::other;
}

PackageVerdict judge_package(std::string_view item_type, const std::vector<SessionFile>& files) {
  PackageVerdict verdict;
  FilesByName present;
  for (const auto& file : files) {
    if (file.source_type == SourceType::PUSH && file.status != TransferStatus::READY)
      verdict.not_received.push_back(file.name);
    if (file.source_type == SourceType::PULL && file.status != TransferStatus::READY)
      verdict.pulling.push_back(file.name);
    present.add(file);
  }
  if (!is_ovf(item_type)) return verdict;

  judge_descriptor_count(item_type, present, verdict);
  const bool has_manifest = std::any_of(present.begin(), present.end(), [&](const auto& entry) {
    return package_file(item_type, entry.first) == PackageFile::manifest;
  });
  for (const auto& [name, file] : present) {
    if (const auto* descriptor = std::get_if<DescriptorFacts>(&file->facts)) {
      judge_descriptor(*descriptor, present, verdict);
    } else if (const auto* manifest = std::get_if<ManifestFacts>(&file->facts)) {
      judge_manifest(*manifest, present, verdict);
    } else if (const auto* signature = std::get_if<SignatureFacts>(&file->facts)) {
      judge_signature(*file, *signature, verdict);
    } else if (const auto* unreadable = std::get_if<UnreadableFacts>(&file->facts)) {
      add_invalid(verdict, *file, about_source(*file, unreadable->reason));
    }
    const bool pushed_certificate =
        file->source_type != SourceType::NONE && package_file(item_type, name) == PackageFile::certificate;
    if (pushed_certificate && !has_manifest)  // there is nothing to check it against
      verdict.missing.push_back(std::string(name.substr(0, name.rfind('.'))) + ".mf");
  }
  std::sort(verdict.missing.begin(), verdict.missing.end());
  verdict.missing.erase(std::unique(verdict.missing.begin(), verdict.missing.end()), verdict.missing.end());
  return verdict;
}

bool manifest_names_all(const std::vector<SessionFile>& files) {
  FilesByName present;
  for (const auto& file : files) present.add(file);
  std::set<std::string_view> named;
  for (const auto& file : files)
    if (const auto* manifest = std::get_if<ManifestFacts>(&file.facts))
      for (const auto& entry : manifest->entries)
        if (const auto* found = present.in_manifest(entry.name)) named.insert(found->name);
  return std::all_of(files.begin(), files.end(), [&](const SessionFile& file) {
    return !file.keep_in_storage || package_file("ovf", file.name) == PackageFile::archive || named.contains(file.name);
  });
}

std::optional<Message> signature_gap(const PackageVerdict& verdict, const std::vector<SessionFile>& files) {
  const auto count = [&]<class Facts>(std::in_place_type_t<Facts>) {
    return std::count_if(files.begin(), files.end(),
                         [](const SessionFile& file) { return std::holds_alternative<Facts>(file.facts); });
  };
  if (verdict.signature == nullptr)
    return base::make_message("quire.package.not_signed", "The package is not signed: no certificate came with it.");
  if (count(std::in_place_type<SignatureFacts>) > 1 || count(std::in_place_type<ManifestFacts>) != 1)
    return base::make_message("quire.package.several_manifests",
                              "The package has more than one manifest or certificate, so it is not clear what is "
                              "signed; send one of each.");
  if (!manifest_names_all(files))
    return base::make_message("quire.package.not_all_signed",
                              "The signed manifest does not name every file of the package.");
  if (!verdict.not_compared.empty())
    return base::make_message("quire.package.not_compared",
                              "File {name} was there before the signed manifest and was not compared with it; send it "
                              "again after the manifest.",
                              {{"name", verdict.not_compared.front()}});
  return std::nullopt;
}

CertVerificationStatus status_of_signature(const std::vector<WarningType>& warnings, bool covers_all) {
  const auto has = [&](WarningType type) {
    return std::find(warnings.begin(), warnings.end(), type) != warnings.end();
  };
  if (has(WarningType::UNTRUSTED_CERTIFICATE) || has(WarningType::SELF_SIGNED_CERTIFICATE))
    return CertVerificationStatus::UNTRUSTED;
  if (!warnings.empty()) return CertVerificationStatus::VERIFICATION_FAILURE;
  return covers_all ? CertVerificationStatus::VERIFIED : CertVerificationStatus::NOT_AVAILABLE;
}

Message about_file(const std::string& file, Message reason) {
  const auto prefix = base::make_message({}, "{file_name}: ", {{"file_name", file}});
  const auto name = std::string_view(prefix.default_message).substr(0, prefix.default_message.size() - 2);
  if (stands_in(reason.default_message, name)) return reason;
  reason.default_message.insert(0, prefix.default_message);
  reason.params.push_back(prefix.params.front());
  return reason;
}

Message about_source(const SessionFile& file, Message reason) {
  if (!file.source_endpoint) return reason;
  const auto suffix =
      base::make_message({}, " It was fetched from {source_url}.", {{"source_url", file.source_endpoint->uri.shown()}});
  if (!reason.default_message.ends_with('.')) reason.default_message += '.';
  reason.default_message += suffix.default_message;
  reason.params.push_back(suffix.params.front());
  return reason;
}

CertificateVerification verification_of(const PackageVerdict& verdict, const std::vector<SessionFile>& files) {
  CertificateVerification result;
  if (verdict.signature == nullptr) return result;
  result.cert_chain = verdict.signature->cert_chain;
  result.covers_all = !signature_gap(verdict, files);
  result.status = status_of_signature(verdict.warnings, result.covers_all);
  return result;
}

bool is_ignored(const std::optional<std::vector<WarningBehavior>>& behavior, WarningType type) {
  if (!behavior) return false;
  return std::any_of(behavior->begin(), behavior->end(),
                     [&](const WarningBehavior& entry) { return entry.type == type && entry.ignored; });
}

Message message_of(WarningType type, const SignatureFacts& signature) {
  const std::vector<base::MessageParam> params = {{"subject", signature.subject}, {"issuer", signature.issuer}};
  switch (type) {
    case WarningType::SELF_SIGNED_CERTIFICATE:
      return base::make_message("quire.package.certificate_self_signed",
                                "The package is signed with the self-signed certificate {subject}.", params);
    case WarningType::EXPIRED_CERTIFICATE:
      return base::make_message("quire.package.certificate_expired",
                                "The package's signing certificate {subject} has expired.", params);
    case WarningType::NOT_YET_VALID_CERTIFICATE:
      return base::make_message("quire.package.certificate_not_yet_valid",
                                "The package's signing certificate {subject} is not valid yet.", params);
    case WarningType::UNTRUSTED_CERTIFICATE:
      return base::make_message(
          "quire.package.certificate_untrusted",
          "The package's signing certificate {subject}, issued by {issuer}, leads to no trusted root.", params);
  }
  base::fail_check(__FILE__, __LINE__, "known warning type");
}

NextContent next_content(std::string_view item_type, const std::vector<ContentFile>& base,
                         const std::vector<SessionFile>& files) {
  std::map<std::string_view, const ContentFile*> before;
  for (const auto& file : base) before.emplace(file.name, &file);
  std::set<std::string_view> members;
  for (const auto& file : files)
    if (!file.archive.empty()) members.insert(file.name);

  NextContent next;
  std::size_t unchanged = 0;
  for (const auto& file : files) {
    const bool replaced = file.archive.empty() && members.contains(file.name);
    const bool unpacked =
        file.source_type != SourceType::NONE && package_file(item_type, file.name) == PackageFile::archive;
    if (replaced || unpacked || !file.keep_in_storage) continue;
    const auto old = before.find(file.name);
    if (file.source_type == SourceType::NONE && file.archive.empty()) {
      QUIRE_CHECK(old != before.end());
      next.files.push_back(*old->second);
      ++unchanged;
      continue;
    }
    QUIRE_CHECK(file.size && !file.blob.empty());
    ContentFile sent;
    sent.name = file.name;
    sent.version = old == before.end() ? 1 : old->second->version + 1;
    sent.blob = file.blob;
    sent.size = *file.size;
    const auto* sha256 = base::find_digest(file.digests, base::DigestAlgorithm::SHA256);
    QUIRE_CHECK(sha256 != nullptr);
    sent.checksum = file.declared_checksum ? *file.declared_checksum : *sha256;
    sent.facts = file.facts;
    next.files.push_back(std::move(sent));
    next.changed = true;
  }
  if (unchanged != base.size()) next.changed = true;
  return next;
}

}  // namespace quire::content
