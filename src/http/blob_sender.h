#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "content/blob_store.h"
#include "http/byte_range.h"
#include "http/offload.h"
#include "http/server_parts.h"
#include "http/transfer_activity.h"
#include "http/transport.h"

namespace quire::http {

/// Sends bytes of a blob: by sendfile where the connection is plain and the blob a local file, else through memory.
/// What is sent at a time is what the system has room for, so a download whose client takes nothing holds no transfer
/// memory, however many of them there are. On the connection's thread.
class BlobSender {
 public:
  /// All of them outlive the sender.
  BlobSender(Transport& transport, const ServerParts& parts, std::shared_ptr<content::BlobReader> blob,
             TransferActivity& activity)
      : transport_(transport), parts_(parts), blob_(std::move(blob)), activity_(activity) {}

  /// False when the connection or the download session has ended, or the blob could not be read.
  boost::asio::awaitable<bool> send(ByteRange range);

 private:
  using Read = base::Result<std::size_t>;

  boost::asio::awaitable<bool> wait_for_client();
  boost::asio::awaitable<std::size_t> send_piece(ByteRange range);
  boost::asio::awaitable<std::optional<std::size_t>> send_batch(ByteRange range);
  std::size_t read_cached(std::span<std::byte> space, std::uint64_t offset) const;
  OffloadedCall<Read> start_read(std::span<std::byte> space, std::uint64_t offset);

  Transport& transport_;
  const ServerParts& parts_;
  const std::shared_ptr<content::BlobReader> blob_;
  TransferActivity& activity_;
};

}  // namespace quire::http
