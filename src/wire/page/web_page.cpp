#include "wire/page/web_page.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string>

#include "wire/request/request_target.h"

// The symbols of web/build.mjs's assembler file, and a table of them.
#include "page_symbols.h"

namespace quire::wire {
namespace {

/// Nothing from elsewhere, no script or style in the HTML, no frame around it. Forms are never sent by the browser
/// itself.
constexpr std::string_view content_security_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; worker-src "
    "'self'; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types lit-html quire";

constexpr std::string_view html_path = "/ui/index.html";

const PageFile* find_file(std::string_view path) {
  const auto found =
      std::find_if(page_files.begin(), page_files.end(), [&](const auto& file) { return file.path == path; });
  return found == page_files.end() ? nullptr : &*found;
}

/// One of the words of a comma-separated field, without parameters.
bool lists(std::string_view field, std::string_view word) {
  while (!field.empty()) {
    const auto comma = field.find(',');
    auto element = field.substr(0, comma);
    field.remove_prefix(comma == std::string_view::npos ? field.size() : comma + 1);
    const bool refused =
        element.find(";q=0") != std::string_view::npos && element.find(";q=0.") == std::string_view::npos;
    element = element.substr(0, element.find(';'));
    const auto begin = element.find_first_not_of(" \t");
    if (begin == std::string_view::npos) continue;
    element = element.substr(begin, element.find_last_not_of(" \t") - begin + 1);
    if (element == word) return !refused;
  }
  return false;
}

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

bool WebPage::owns(std::string_view path) { return path == "/" || path == "/ui" || path.starts_with("/ui/"); }

Response WebPage::handle(const Request& request) {
  Response response;
  if (request.method != "GET") {
    response.status = 405;
    response.headers.add("Allow", "GET, HEAD");
    return response;
  }
  const auto* asset = find_file(path_of(request.target));
  const auto& file = asset != nullptr ? *asset : *find_file(html_path);
  const bool is_html = file.path == html_path;
  const bool brotli = lists(request.headers.find("Accept-Encoding").value_or(""), "br");
  // An entity tag names these bytes, so each encoding has its own (RFC 9110 §8.8.3.3).
  const auto tag = "\"" + std::string(file.tag) + (brotli ? "-br\"" : "\"");
  auto& headers = response.headers;
  headers.add("ETag", tag);
  headers.add("Vary", "Accept-Encoding");
  headers.add("Cache-Control", is_html ? "no-cache" : "public, max-age=31536000, immutable");
  headers.add("X-Content-Type-Options", "nosniff");
  if (is_html) {
    headers.add("Content-Security-Policy", std::string(content_security_policy));
    headers.add("Referrer-Policy", "no-referrer");
    headers.add("Cross-Origin-Opener-Policy", "same-origin");
  }
  const auto known = request.headers.find("If-None-Match").value_or("");
  if (lists(known, tag) || lists(known, "W/" + tag) || known == "*") {
    response.status = 304;
    return response;
  }
  headers.add("Content-Type", std::string(file.type));
  if (brotli) headers.add("Content-Encoding", "br");
  response.body = text_of(brotli ? file.brotli() : file.identity());
  return response;
}

}  // namespace quire::wire
