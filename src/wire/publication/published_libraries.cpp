#include "wire/publication/published_libraries.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/decimal.h"
#include "base/identity.h"
#include "base/uri.h"
#include "vcsp/documents.h"
#include "wire/request/authentication.h"
#include "wire/request/invocation.h"
#include "wire/request/request_target.h"
#include "wire/rest/rest_exchange.h"

namespace quire::wire {
namespace {

using base::Result;

constexpr std::string_view root = "/cls/vcsp/lib/";
constexpr std::string_view challenge = "Basic realm=\"quire\", charset=\"UTF-8\"";
constexpr std::string_view ask_again = "no-cache";
/// The content version in the address names the bytes for good.
constexpr std::string_view for_ever = "private, max-age=31536000, immutable";

/// A text as an answer that can be asked for in parts.
class TextReader final : public content::BlobReader {
 public:
  explicit TextReader(std::shared_ptr<const std::string> text) : text_(std::move(text)) {}
  std::int64_t size() const override { return static_cast<std::int64_t>(text_->size()); }
  Result<std::size_t> read(std::int64_t offset, std::span<std::byte> buffer) override {
    const auto rest = std::as_bytes(std::span(*text_)).subspan(static_cast<std::size_t>(std::min(offset, size())));
    const auto count = std::min(rest.size(), buffer.size());
    std::copy_n(rest.begin(), count, buffer.begin());
    return count;
  }
  std::optional<int> file_descriptor() const override { return std::nullopt; }
  bool sealed() const override { return true; }
  Result<void> seal() override { return {}; }

 private:
  const std::shared_ptr<const std::string> text_;
};

/// What an address below a library names.
struct LibraryAddress {};
struct IndexAddress {};
struct ItemAddress {
  content::ItemId item;
};
struct FileAddress {
  content::ItemId item;
  std::int64_t since = 0;
  std::string name;
};
struct SlashMissing {};
using Address = std::variant<std::monostate, SlashMissing, LibraryAddress, IndexAddress, ItemAddress, FileAddress>;

std::vector<std::string_view> segments_of(std::string_view path) {
  std::vector<std::string_view> segments;
  for (std::size_t start = 0; start <= path.size();) {
    const auto end = std::min(path.find('/', start), path.size());
    segments.push_back(path.substr(start, end - start));
    start = end + 1;
  }
  return segments;
}

/// Of `g12`.
std::optional<std::int64_t> content_version_of(std::string_view segment) {
  return segment.starts_with('g') ? base::parse_decimal(segment.substr(1)) : std::nullopt;
}

Address address_of(std::vector<std::string_view> segments) {
  if (segments.empty()) return SlashMissing{};
  if (segments.size() == 1) {
    const auto last = segments.front();
    if (last.empty() || last == vcsp::library_file) return LibraryAddress{};
    if (last == vcsp::index_file || last == "items") return IndexAddress{};
    return {};
  }
  // Clients that resolve what is relative to the library against an item's own document name the item twice.
  if (segments.size() > 2 && segments[0] == segments[1]) segments.erase(segments.begin());
  const content::ItemId item{std::string(segments.front())};
  if (segments.size() == 2 && segments.back() == vcsp::item_file) return ItemAddress{item};
  if (segments.size() != 3) return {};
  const auto since = content_version_of(segments[1]);
  auto name = base::percent_decode(segments[2]);
  if (!since || !name) return {};
  return FileAddress{item, *since, *std::move(name)};
}

service::Subscriber subscriber_of(const Request& request) {
  service::Subscriber who;
  who.address = request.client_address;
  who.user_agent = request.headers.find("User-Agent").value_or("");
  const auto authorization = request.headers.find("Authorization");
  if (!authorization) return who;
  if (auto credentials = basic_credentials(*authorization)) {
    who.user = std::move(credentials->user);
    who.password = std::move(credentials->password);
  }
  return who;
}

/// The password throttle says for how long to wait.
std::string seconds_to_wait(const base::Error& error) {
  for (const auto& param : error.messages().front().params)
    if (param.name == "seconds")
      if (const auto* seconds = std::get_if<std::int64_t>(&param.value)) return std::to_string(*seconds);
  return "1";
}

Response failure(const base::Error& error) {
  if (error.kind() == base::ErrorKind::resource_busy) {
    auto response = rest_failure(RestForm::current, 429, error);
    response.headers.add("Retry-After", seconds_to_wait(error));
    return response;
  }
  return rest_failure(RestForm::current, error, challenge);
}

Response document_response(const Request& request, const Result<service::PublishedDocument>& document) {
  if (!document) return failure(document.error());
  Response response;
  const auto tag = '"' + document->sha256 + '"';
  const auto known = request.headers.find("If-None-Match").value_or("");
  if (known == tag) {  // the poll without news; all other conditions are the transfer's
    response.status = 304;
    response.headers.add("ETag", tag);
    response.headers.add("Cache-Control", std::string(ask_again));
    return response;
  }
  response.file = std::make_shared<ResponseFile>();
  response.file->bytes = std::make_shared<TextReader>(document->text);
  response.file->sha256 = document->sha256;
  response.headers.add("Content-Type", "application/json");
  response.headers.add("Cache-Control", std::string(ask_again));
  return response;
}

Response file_response(service::Services& services, const Result<service::PublishedFile>& file) {
  if (!file) return failure(file.error());
  Response response;
  response.file = std::make_shared<ResponseFile>();
  response.file->bytes = file->bytes;
  response.file->sha256 = file->sha256;
  response.file->is_download = true;
  response.file->touch = [&publications = services.publications, item = file->item, content = file->content] {
    return publications.touch(item, content);
  };
  response.headers.add("Content-Type", "application/octet-stream");
  response.headers.add("Cache-Control", std::string(for_ever));
  return response;
}

/// `itemsHref` is relative: without the slash it would lead beside the library (vcsp.md §2).
Response redirect_to_slash(const content::LibraryId& library, const Result<service::PublishedDocument>& document) {
  if (!document) return failure(document.error());
  Response response;
  response.status = 301;
  response.headers.add("Location", std::string(root) + library.text() + '/');
  return response;
}

}  // namespace

bool PublishedLibraries::owns(std::string_view path) { return path.starts_with(root); }

bool PublishedLibraries::opens_file(std::string_view path) { return owns(path) && path.find("/g") != path.npos; }

Response PublishedLibraries::handle(const Request& request) const {
  if (request.method != "GET") return method_not_allowed(RestForm::current, request.method, "GET, HEAD");
  const auto path = path_of(request.target);
  auto segments = segments_of(path.substr(root.size()));
  if (!base::looks_like_uuid(segments.front())) return rest_failure(RestForm::current, operation_not_found(path));
  const content::LibraryId library{std::string(segments.front())};
  segments.erase(segments.begin());
  const auto address = address_of(std::move(segments));
  const auto who = subscriber_of(request);
  auto& publications = services_.publications;
  if (std::holds_alternative<IndexAddress>(address))
    return document_response(request, publications.index(library, who));
  if (const auto* item = std::get_if<ItemAddress>(&address))
    return document_response(request, publications.item_document(library, item->item, who));
  if (const auto* file = std::get_if<FileAddress>(&address))
    return file_response(services_, publications.open_file(library, file->item, file->since, file->name, who));
  const auto document = publications.library_document(library, who);
  if (std::holds_alternative<SlashMissing>(address)) return redirect_to_slash(library, document);
  if (std::holds_alternative<LibraryAddress>(address)) return document_response(request, document);
  return document ? rest_failure(RestForm::current, operation_not_found(path)) : failure(document.error());
}

}  // namespace quire::wire
