#include "client/vcsp_lint.h"

#include <algorithm>
#include <map>
#include <optional>
#include <span>
#include <utility>

#include "base/decimal.h"
#include "base/digest.h"
#include "base/hex.h"
#include "base/uri.h"
#include "client/failure.h"
#include "formats/manifest.h"

namespace quire::client {
namespace {

using base::Result;
using vcsp::Remark;
using vcsp::Stumbling;

constexpr std::size_t manifest_bytes_max = 16UL << 20U;

/// What a read file turned out to be.
struct ReadFile {
  std::map<base::DigestAlgorithm, std::string> digests;
  std::vector<std::byte> manifest;  ///< its bytes, if it is one
};

bool has_extension(std::string_view name, std::string_view extension) {
  return base::to_lower(name).ends_with(extension);
}

std::optional<std::int64_t> length_of(const HttpHead& head) {
  return base::parse_decimal(head.find("content-length").value_or(""));
}

class Lint {
 public:
  Lint(VcspSource& source, const LintOrder& order, const std::function<void(const Remark&)>& found)
      : source_(source), order_(order), found_(found) {}

  Result<LintOutcome> run();

 private:
  void remark(std::string where, std::string problem, Stumbling who) {
    found_({std::move(where), std::move(problem), who});
  }
  template <class Document, class Read>
  Result<Document> read(const std::string& url, const std::string& where, Read read_document);
  Result<void> check_password();
  Result<std::pair<vcsp::Library, vcsp::Index>> read_documents();
  Result<void> check_item(const vcsp::Item& item);
  void check_type(const vcsp::Item& item, const std::string& where);
  Result<void> check_address(const vcsp::Item& item, const vcsp::File& file, const std::string& where);
  Result<ReadFile> read_file(const vcsp::Item& item, const vcsp::File& file, const std::string& where);
  Result<void> check_content(const vcsp::Item& item, const std::string& where);

  VcspSource& source_;
  const LintOrder& order_;
  const std::function<void(const Remark&)>& found_;
  LintOutcome outcome_;
  bool ranges_looked_at_ = false;
};

template <class Document, class Read>
Result<Document> Lint::read(const std::string& url, const std::string& where, Read read_document) {
  HttpRequest request;
  request.url = url;
  request.method = "HEAD";
  QUIRE_ASSIGN_OR_RETURN(const auto head, source_.ask(request));
  if (head.is_success()) {
    const auto type = head.find("content-type").value_or("");
    if (!base::to_lower(type).starts_with("application/json"))
      remark(where, "has the content type '" + type + "' instead of application/json", Stumbling::cloud_director);
    if (!head.find("etag")) remark(where, "has no ETag, so each poll reads all of it", Stumbling::nobody);
  } else if (head.status != 401 && head.status != 404) {
    remark(where, "answers HEAD with status " + std::to_string(head.status), Stumbling::nobody);
  }
  QUIRE_ASSIGN_OR_RETURN(const auto text, source_.document(url));
  vcsp::Remarks remarks;
  auto document = read_document(text, &remarks);
  for (auto& one : remarks) remark(where + ": " + one.where, one.problem, one.who);
  return document;
}

/// Whoever has the wrong password or none must not get in where one is set (vcsp.md §6.3).
Result<void> Lint::check_password() {
  if (!source_.has_password()) return {};
  HttpRequest request;
  request.url = source_.url();
  QUIRE_ASSIGN_OR_RETURN(const auto answer, source_.ask(request, false));
  if (answer.status != 401) {
    remark("lib.json", "is answered with status " + std::to_string(answer.status) + " without the password",
           answer.is_success() ? Stumbling::nobody : Stumbling::everybody);
  } else if (!base::to_lower(answer.find("www-authenticate").value_or("")).starts_with("basic")) {
    remark("lib.json", "is refused without a challenge for Basic", Stumbling::everybody);
  }
  return {};
}

Result<std::pair<vcsp::Library, vcsp::Index>> Lint::read_documents() {
  constexpr int attempts = 3;
  for (int attempt = 1;; ++attempt) {
    QUIRE_ASSIGN_OR_RETURN(auto library, read<vcsp::Library>(source_.url(), "lib.json", vcsp::read_library));
    if (library.maintenance_message)
      remark("lib.json", "tells of maintenance, which ends every sync: " + *library.maintenance_message,
             Stumbling::everybody);
    const auto places = vcsp::resolve_href(source_.url(), "", library.items_href);
    QUIRE_ASSIGN_OR_RETURN(auto index, read<vcsp::Index>(places.front(), "items.json", vcsp::read_index));
    if (!index.version || *index.version == library.version) return std::pair(std::move(library), std::move(index));
    if (attempt < attempts) continue;  // it changed in between
    remark("items.json: version", "stays another one than that of lib.json", Stumbling::cloud_director);
    return std::pair(std::move(library), std::move(index));
  }
}

void Lint::check_type(const vcsp::Item& item, const std::string& where) {
  const auto count = [&](std::string_view extension) {
    return std::ranges::count_if(item.files, [&](const auto& file) { return has_extension(file.name, extension); });
  };
  const auto all = static_cast<std::ptrdiff_t>(item.files.size());
  if (item.type == vcsp::ovf_type && count(".ovf") == 0)
    remark(where + ": type", "is vcsp.ovf, but there is no .ovf file", Stumbling::everybody);
  if (item.type == vcsp::ovf_type && count(".ovf") > 1)
    remark(where + ": type", "is vcsp.ovf, but there are several .ovf files", Stumbling::everybody);
  if (item.type == vcsp::iso_type && count(".iso") != all)
    remark(where + ": type", "is vcsp.iso, but there are other files", Stumbling::vcenter);
  if (item.type == vcsp::iso_type && count(".iso") > 1)
    remark(where + ": files", "hold several images, of which a media item can have one", Stumbling::cloud_director);
  if (count(".ova") > 0) remark(where + ": files", "hold an .ova, which nobody unpacks", Stumbling::everybody);
}

Result<void> Lint::check_address(const vcsp::Item& item, const vcsp::File& file, const std::string& where) {
  const auto places = vcsp::resolve_href(source_.url(), item.self_href, file.hrefs.front());
  HttpRequest request;
  request.method = "HEAD";
  request.url = places.front();
  QUIRE_ASSIGN_OR_RETURN(auto head, source_.ask(request));
  if (head.status == 404 && places.size() > 1) {
    remark(where + ": hrefs", "is relative to the item; vCenter resolves it against the library", Stumbling::vcenter);
    request.url = places.back();
    QUIRE_ASSIGN_OR_RETURN(head, source_.ask(request));
  }
  if (!head.is_success()) {
    remark(where, "cannot be read: its address answers with status " + std::to_string(head.status),
           Stumbling::everybody);
    return {};
  }
  const auto length = length_of(head);
  if (!length)
    remark(where, "is sent without a Content-Length", Stumbling::vcenter);
  else if (*length != file.size)
    remark(where,
           "is " + std::to_string(*length) + " bytes long, and said to be " + std::to_string(file.size) +
               ": its transfer fails",
           Stumbling::everybody);
  if (ranges_looked_at_ || file.size == 0) return {};
  ranges_looked_at_ = true;
  request.method = "GET";
  request.fields = {{"Range", "bytes=0-0"}};
  request.sink = [](const HttpHead& answer, std::span<const char>) -> Result<void> {
    if (answer.status == 206) return {};
    return content_refused("no ranges");
  };
  const auto part = source_.ask(request);
  if (!part || part->status != 206)
    remark(where, "is not given in ranges, so a broken transfer begins anew", Stumbling::nobody);
  return {};
}

Result<ReadFile> Lint::read_file(const vcsp::Item& item, const vcsp::File& file, const std::string& where) {
  ReadFile read;
  std::vector<base::Hasher> hashers;
  for (const auto algorithm :
       {base::DigestAlgorithm::SHA256, base::DigestAlgorithm::SHA1, base::DigestAlgorithm::SHA512})
    hashers.emplace_back(algorithm);
  std::int64_t length = 0;
  const bool is_manifest = has_extension(file.name, ".mf");
  const auto take = [&](const HttpHead&, std::span<const char> bytes) -> Result<void> {
    length += static_cast<std::int64_t>(bytes.size());
    const auto raw = std::as_bytes(bytes);
    for (auto& hasher : hashers) hasher.update(raw);
    if (is_manifest && read.manifest.size() + raw.size() <= manifest_bytes_max)
      read.manifest.insert(read.manifest.end(), raw.begin(), raw.end());
    return {};
  };
  QUIRE_RETURN_IF_ERROR(source_.file(vcsp::resolve_href(source_.url(), item.self_href, file.hrefs.front()), take));
  outcome_.bytes += length;
  for (auto& hasher : hashers) {
    const auto algorithm = hasher.algorithm();
    read.digests[algorithm] = hasher.finish().hex;
  }
  if (length != file.size)
    remark(where, "has " + std::to_string(length) + " bytes, and is said to have " + std::to_string(file.size),
           Stumbling::everybody);
  if (file.sha256 && base::to_lower(*file.sha256) != read.digests[base::DigestAlgorithm::SHA256])
    remark(where, "has another SHA-256 than the document says", Stumbling::everybody);
  return read;
}

/// Every byte, against size, SHA-256 and manifest.
Result<void> Lint::check_content(const vcsp::Item& item, const std::string& where) {
  std::map<std::string, ReadFile> files;
  for (const auto& file : item.files) {
    QUIRE_ASSIGN_OR_RETURN(files[file.name], read_file(item, file, where + ": " + file.name));
  }
  for (const auto& [name, file] : files) {
    if (!has_extension(name, ".mf")) continue;
    const auto entries = formats::parse_manifest(file.manifest);
    if (!entries) {
      remark(where + ": " + name, "is no manifest: " + entries.error().text(), Stumbling::everybody);
      continue;
    }
    for (const auto& entry : *entries) {
      const auto there = files.find(entry.name);
      if (there == files.end()) {
        remark(where + ": " + name, "names " + entry.name + ", which is not published", Stumbling::everybody);
        continue;
      }
      const auto digest = there->second.digests.find(entry.checksum.algorithm);
      if (digest != there->second.digests.end() && digest->second != entry.checksum.hex)
        remark(where + ": " + entry.name, "is not what the manifest says", Stumbling::everybody);
    }
  }
  return {};
}

Result<void> Lint::check_item(const vcsp::Item& item) {
  const auto where = "item " + item.name;
  check_type(item, where);
  const auto address = vcsp::resolve_href(source_.url(), "", item.self_href).front();
  const auto alone = read<vcsp::Item>(address, where, vcsp::read_item);
  if (!alone) {
    if (is_network_error(alone.error()) || is_interrupted(alone.error())) return alone.error();
    remark(where + ": selfHref", full_text(alone.error()), Stumbling::everybody);
  } else if (*alone != item) {
    remark(where, "is not the same in its own document as in the index", Stumbling::vcenter);
  }
  for (const auto& file : item.files) {
    const auto file_where = where + ": " + file.name;
    if (file.hrefs.front().find(' ') != std::string::npos)
      remark(file_where + ": hrefs", "is not percent-encoded", Stumbling::everybody);
    QUIRE_RETURN_IF_ERROR(check_address(item, file, file_where));
    ++outcome_.files;
  }
  ++outcome_.items;
  return order_.content ? check_content(item, where) : Result<void>();
}

Result<LintOutcome> Lint::run() {
  const auto path_end = source_.url().find('?');
  if (!source_.url().substr(0, path_end).ends_with("/lib.json"))
    remark("the URL", "does not end with /lib.json, which is what subscribers are given", Stumbling::nobody);
  QUIRE_RETURN_IF_ERROR(check_password());
  QUIRE_ASSIGN_OR_RETURN(const auto documents, read_documents());
  for (const auto& item : documents.second.items) QUIRE_RETURN_IF_ERROR(check_item(item));
  return outcome_;
}

}  // namespace

Result<LintOutcome> lint_vcsp(VcspSource& source, const LintOrder& order,
                              const std::function<void(const Remark&)>& found) {
  return Lint(source, order, found).run();
}

}  // namespace quire::client
