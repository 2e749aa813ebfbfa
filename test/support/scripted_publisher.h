#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/digest.h"
#include "support/scripted_fetcher.h"
#include "vcsp/documents.h"

namespace quire::test_support {

/// An item of a ScriptedPublisher. A test may change what it wants; publish() tells of it.
struct PublishedItem {
  std::string id;
  std::string name;
  std::string description = {};
  std::string type = std::string(vcsp::other_type);
  std::int64_t content_version = 1;
  std::int64_t metadata_version = 1;
  std::map<std::string, std::string> files = {};
  std::map<std::string, std::int64_t> generations = {};
  bool says_sha256 = true;
};

/// A publisher whose library is what a test says, served by a ScriptedFetcher. Subscribers see changes when publish()
/// is called. One thread, but for what fetches.
class ScriptedPublisher {
 public:
  explicit ScriptedPublisher(ScriptedFetcher& sources, std::string root = "https://publisher.example/lib/")
      : sources_(sources), root_(std::move(root)) {}

  std::string url() const { return root_ + std::string(vcsp::library_file); }
  std::string file_url(const std::string& id, const std::string& file) const { return root_ + id + "/" + file; }

  std::string add(const std::string& name, const std::map<std::string, std::string>& files,
                  std::string_view type = vcsp::other_type) {
    PublishedItem item{new_id(), name};
    item.type = type;
    item.files = files;
    for (const auto& [file, body] : files) item.generations[file] = 1;
    items[item.id] = item;
    return item.id;
  }
  PublishedItem& at(const std::string& id) { return items.at(id); }
  void rename(const std::string& id, const std::string& name) {
    at(id).name = name;
    ++at(id).metadata_version;
  }
  void describe(const std::string& id, const std::string& description) {
    at(id).description = description;
    ++at(id).metadata_version;
  }
  void replace(const std::string& id, const std::map<std::string, std::string>& files) {
    auto& item = at(id);
    for (const auto& [file, body] : files)
      if (!item.files.contains(file) || item.files.at(file) != body) ++item.generations[file];
    if (item.files != files) ++item.content_version;
    item.files = files;
  }
  void remove(const std::string& id) { items.erase(id); }

  /// Subscribers see all of it from now on, as a library of the next version.
  void publish() {
    ++version;
    write();
  }
  /// The same of the present version.
  void write() {
    for (const auto& url : written_) sources_.remove(url);
    written_.clear();
    vcsp::IndexWriter index(index_version.value_or(version), 4096);
    for (const auto& [id, item] : items) {
      const auto text = vcsp::write_item(document(item));
      index.add(text);
      put(root_ + id + "/" + std::string(vcsp::item_file), text);
      for (const auto& [file, body] : item.files)
        if (!lost.contains(file)) put(file_url(id, file), body, halfway);
    }
    for (const auto& text : more_items) index.add(text);
    put(root_ + std::string(vcsp::index_file), index.finish());
    vcsp::Library library;
    library.version = version;
    library.name = "published";
    library.id = library_id;
    library.items_href = vcsp::index_file;
    library.maintenance_message = maintenance;
    put(url(), vcsp::write_library(library));
  }
  void put(const std::string& url, const std::string& text, std::function<void()> then = {}) {
    sources_.put(url, text, std::move(then));
    written_.push_back(url);
  }
  void vanish() {
    for (const auto& url : written_) sources_.remove(url);
    written_.clear();
  }

  vcsp::Item document(const PublishedItem& item) const {
    vcsp::Item document;
    document.id = item.id;
    document.name = item.name;
    document.description = item.description;
    document.type = item.type;
    document.version = item.content_version + item.metadata_version - 1;
    document.content_version = item.content_version;
    document.metadata_version = item.metadata_version;
    document.self_href = item.id + "/" + std::string(vcsp::item_file);
    for (const auto& [name, body] : item.files) {
      vcsp::File file;
      file.name = name;
      file.size = static_cast<std::int64_t>(body.size());
      file.generation = item.generations.contains(name) ? item.generations.at(name) : 1;
      file.etag = std::to_string(*file.generation);
      file.hrefs = {item.id + "/" + name};
      if (item.says_sha256)
        file.sha256 = base::digest_of(base::DigestAlgorithm::SHA256, std::as_bytes(std::span(body))).hex;
      document.files.push_back(std::move(file));
    }
    return document;
  }
  std::string new_id() {
    const auto number = std::to_string(++ids_);
    return "aaaaaaaa-0000-4000-8000-" + std::string(12 - number.size(), '0') + number;
  }

  std::map<std::string, PublishedItem> items;  ///< by id
  std::vector<std::string> more_items = {};    ///< further texts of the index
  std::int64_t version = 0;
  std::optional<std::int64_t> index_version = {};  ///< unset: the library's
  std::string library_id = "bbbbbbbb-0000-4000-8000-000000000001";
  std::optional<std::string> maintenance = {};
  std::set<std::string> lost = {};     ///< files by name that documents tell of and that are not there
  std::function<void()> halfway = {};  ///< runs in the middle of each fetch of a file

 private:
  ScriptedFetcher& sources_;
  const std::string root_;
  std::vector<std::string> written_;
  int ids_ = 0;
};

}  // namespace quire::test_support
