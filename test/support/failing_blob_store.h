#pragma once

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "content/blob_store.h"
#include "support/faults.h"

namespace quire::test_support {

/// A blob store whose calls fail as `faults` says. `inner` and `faults` must outlive it, and it its writers and
/// readers.
///
/// Writers that were open at a crash are not cleaned up, as after a real one, until this store goes: look at what is
/// left (through `inner` or a store opened anew) before.
class FailingBlobStore final : public content::BlobStore {
 public:
  FailingBlobStore(content::BlobStore& inner, Faults& faults) : inner_(inner), faults_(faults) {}

  base::Result<std::unique_ptr<content::BlobWriter>> create(const content::BlobId& id,
                                                            std::optional<std::int64_t> expected_bytes) override {
    if (faults_.strikes(FaultPoint::before_blob_call, "create")) return faults_.error();
    auto made = inner_.create(id, expected_bytes);
    if (!made) return made.error();
    auto writer = std::make_unique<Writer>(*this, *std::move(made));
    if (faults_.strikes(FaultPoint::after_blob_call, "create")) return faults_.error();
    return std::unique_ptr<content::BlobWriter>(std::move(writer));
  }

  base::Result<std::unique_ptr<content::BlobWriter>> resume(const content::BlobId& id, std::int64_t position) override {
    if (faults_.strikes(FaultPoint::before_blob_call, "resume")) return faults_.error();
    auto made = inner_.resume(id, position);
    if (!made) return made.error();
    return std::unique_ptr<content::BlobWriter>(std::make_unique<Writer>(*this, *std::move(made)));
  }

  base::Result<void> reopen(const content::BlobId& id) override {
    return effect(faults_, "reopen", [&] { return inner_.reopen(id); });
  }

  base::Result<std::unique_ptr<content::BlobReader>> open_unfinished(const content::BlobId& id) override {
    if (faults_.strikes(FaultPoint::before_blob_call, "open_unfinished")) return faults_.error();
    auto made = inner_.open_unfinished(id);
    if (!made) return made.error();
    return std::unique_ptr<content::BlobReader>(std::make_unique<Reader>(*std::move(made), faults_));
  }

  base::Result<std::unique_ptr<content::BlobReader>> open(const content::BlobId& id) override {
    if (faults_.strikes(FaultPoint::before_blob_call, "open")) return faults_.error();
    auto made = inner_.open(id);
    if (!made) return made.error();
    return std::unique_ptr<content::BlobReader>(std::make_unique<Reader>(*std::move(made), faults_));
  }

  base::Result<void> remove(const content::BlobId& id) override {
    return effect(faults_, "remove", [&] { return inner_.remove(id); });
  }

  base::Result<void> list(const std::function<void(const content::BlobId&)>& visit) override {
    if (faults_.strikes(FaultPoint::before_blob_call, "list")) return faults_.error();
    return inner_.list(visit);
  }

  base::Result<void> remove_unfinished(const std::function<bool(const content::BlobId&)>& keeps) override {
    return effect(faults_, "remove_unfinished", [&] { return inner_.remove_unfinished(keeps); });
  }

  base::Result<Space> space() override {
    if (faults_.strikes(FaultPoint::before_blob_call, "space")) return faults_.error();
    return inner_.space();
  }

  std::string uri(const content::BlobId& id) const override { return inner_.uri(id); }

 private:
  template <class Call>
  static base::Result<void> effect(Faults& faults, std::string_view name, Call call) {
    if (faults.strikes(FaultPoint::before_blob_call, name)) return faults.error();
    auto done = call();
    if (done && faults.strikes(FaultPoint::after_blob_call, name)) return faults.error();
    return done;
  }

  class Writer final : public content::BlobWriter {
   public:
    Writer(FailingBlobStore& store, std::unique_ptr<content::BlobWriter> inner)
        : store_(store), inner_(std::move(inner)) {}
    ~Writer() override {
      if (store_.faults_.crashed()) store_.keep(std::move(inner_));
    }

    base::Result<void> append(std::span<const std::byte> bytes) override {
      return effect(store_.faults_, "append", [&] { return inner_->append(bytes); });
    }
    base::Result<std::int64_t> sync() override {
      if (store_.faults_.strikes(FaultPoint::before_blob_call, "sync")) return store_.faults_.error();
      return inner_->sync();
    }
    base::Result<void> flush() override {
      return effect(store_.faults_, "flush", [&] { return inner_->flush(); });
    }
    void detach() override { inner_->detach(); }
    base::Result<void> commit() override {
      return effect(store_.faults_, "commit", [&] { return inner_->commit(); });
    }

   private:
    FailingBlobStore& store_;
    std::unique_ptr<content::BlobWriter> inner_;
  };

  class Reader final : public content::BlobReader {
   public:
    Reader(std::unique_ptr<content::BlobReader> inner, Faults& faults) : inner_(std::move(inner)), faults_(faults) {}

    std::int64_t size() const override { return inner_->size(); }
    base::Result<std::size_t> read(std::int64_t offset, std::span<std::byte> buffer) override {
      if (faults_.strikes(FaultPoint::before_blob_call, "read")) return faults_.error();
      return inner_->read(offset, buffer);
    }
    std::optional<int> file_descriptor() const override { return inner_->file_descriptor(); }
    bool sealed() const override { return inner_->sealed(); }
    base::Result<void> seal() override { return inner_->seal(); }

   private:
    std::unique_ptr<content::BlobReader> inner_;
    Faults& faults_;
  };

  void keep(std::unique_ptr<content::BlobWriter> writer) {
    const std::scoped_lock lock(mutex_);
    dead_.push_back(std::move(writer));
  }

  content::BlobStore& inner_;
  Faults& faults_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<content::BlobWriter>> dead_;
};

}  // namespace quire::test_support
