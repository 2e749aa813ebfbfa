#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "content/storage.h"

/// For tests of the inventory: storages that only know their space.
namespace quire::wire {

class SpaceOnlyStore final : public content::BlobStore {
 public:
  /// Without a space every question for it fails.
  explicit SpaceOnlyStore(std::optional<Space> space) : space_(space) {}

  base::Result<Space> space() override {
    if (!space_) return base::internal_error("the disk is gone");
    return *space_;
  }
  base::Result<std::unique_ptr<content::BlobWriter>> create(const content::BlobId&,
                                                            std::optional<std::int64_t>) override {
    return base::internal_error("not for bytes");
  }
  base::Result<std::unique_ptr<content::BlobWriter>> resume(const content::BlobId&, std::int64_t) override {
    return base::internal_error("not for bytes");
  }
  base::Result<void> reopen(const content::BlobId&) override { return base::internal_error("not for bytes"); }
  base::Result<std::unique_ptr<content::BlobReader>> open_unfinished(const content::BlobId&) override {
    return base::internal_error("not for bytes");
  }
  base::Result<std::unique_ptr<content::BlobReader>> open(const content::BlobId&) override {
    return base::internal_error("not for bytes");
  }
  base::Result<void> remove(const content::BlobId&) override { return {}; }
  base::Result<void> list(const std::function<void(const content::BlobId&)>&) override { return {}; }
  base::Result<void> remove_unfinished(const std::function<bool(const content::BlobId&)>&) override { return {}; }
  std::string uri(const content::BlobId& id) const override { return "file:///nowhere/" + id.text(); }

 private:
  std::optional<Space> space_;
};

inline content::Storage storage_of(std::string id, std::string name, std::optional<content::BlobStore::Space> space) {
  content::Storage storage;
  storage.id = content::StorageId(std::move(id));
  storage.name = std::move(name);
  storage.uuid = "5f3c0000-" + storage.id.text();
  storage.uri = "file:///nowhere";
  storage.blobs = std::make_shared<SpaceOnlyStore>(space);
  return storage;
}

}  // namespace quire::wire
