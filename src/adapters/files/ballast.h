#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "base/result.h"
#include "content/catalog.h"

namespace quire::adapters::files {

/// A file that takes room on the disk of the catalog, to be let go when that disk is full: what then must still be
/// written (logins, deletions, ends of sessions) fits into its place. All threads may call it.
class Ballast {
 public:
  /// `path`: the file, in a folder that exists. `bytes`: its size, or a thirty-second of the file system's if that is
  /// less. Made at once if there is room.
  Ballast(std::filesystem::path path, std::int64_t bytes);

  /// True while the file takes its room; makes it again when twice its size is free. Cheap while it is there.
  bool hold();

  /// Gives the room back. True when there was some to give.
  bool release();

 private:
  std::optional<std::int64_t> free_bytes() const;

  const std::filesystem::path path_;
  std::int64_t bytes_;
  std::mutex mutex_;
  std::atomic<bool> held_{false};
};

/// `catalog`, whose write transactions are run once more after its disk was full and the ballast has made room. The
/// ballast must outlive it.
class BallastedCatalog final : public content::Catalog {
 public:
  BallastedCatalog(std::unique_ptr<content::Catalog> catalog, Ballast& ballast)
      : catalog_(std::move(catalog)), ballast_(ballast) {}

  std::optional<std::uint64_t> logins_version() const override { return catalog_->logins_version(); }
  std::optional<std::uint64_t> access_version() const override { return catalog_->access_version(); }
  std::optional<std::uint64_t> libraries_version() const override { return catalog_->libraries_version(); }
  base::Result<void> read_transaction(
      const std::function<base::Result<void>(content::CatalogReader&)>& function) override {
    return catalog_->read_transaction(function);
  }
  base::Result<void> write_transaction(
      const std::function<base::Result<void>(content::CatalogWriter&)>& function) override;

 private:
  const std::unique_ptr<content::Catalog> catalog_;
  Ballast& ballast_;
};

/// True for the error of a catalog whose disk is full, not for that of a full storage.
bool is_catalog_full(const base::Error& error);

}  // namespace quire::adapters::files
