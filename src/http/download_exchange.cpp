#include "http/download_exchange.h"

#include <string>
#include <utility>
#include <vector>

#include "base/base64.h"
#include "base/hex.h"
#include "http/blob_sender.h"
#include "http/byte_range.h"
#include "http/multipart_ranges.h"
#include "http/offload.h"
#include "http/transfer_activity.h"
#include "http/upload_request.h"

namespace quire::http {
namespace asio = boost::asio;
namespace {

/// RFC 9530 §3: of the whole file, whichever part of it the answer holds.
std::string repr_digest(std::string_view sha256_hex) {
  const auto digest = base::from_hex(sha256_hex).value_or(std::vector<std::byte>());
  return "sha-256=:" + base::to_base64(digest) + ":";
}

/// Opened, or the answer why not.
struct Opening {
  std::optional<wire::Response> download;
  std::optional<wire::Response> answer;
};

Opening open_blocking(const ServerParts& parts, const RequestHead& head, const TransferTarget& target) {
  Opening opening;
  auto opened = parts.transfers.open_download(target.token, target.name);
  if (opened) {
    auto& file = *(opening.download.emplace().file = std::make_shared<wire::ResponseFile>());
    file.bytes = std::move(opened->bytes);
    file.sha256 = std::move(opened->sha256);
    file.touch = [&transfers = parts.transfers, session = opened->session] {
      return transfers.touch_download(session);
    };
    file.is_download = true;
    opening.download->headers.add("Content-Type", "application/octet-stream");
    return opening;
  }
  if (opened.error().kind() == base::ErrorKind::not_found) {
    const auto upload = parts.transfers.is_upload_endpoint(target.token);
    if (upload && *upload) {
      opening.answer = method_not_allowed(parts.api, head.target, upload_methods);
      return opening;
    }
  }
  opening.answer = parts.api.transfer_error(transfer_status(opened.error().kind()), opened.error());
  return opening;
}

class DownloadExchange {
 public:
  DownloadExchange(std::shared_ptr<HttpConnection> connection, const ServerParts& parts, wire::Response answer)
      : connection_(std::move(connection)),
        parts_(parts),
        answer_(std::move(answer)),
        file_(*answer_.file),
        activity_(
            connection_->transport().socket().executor(), parts_,
            file_.touch ? file_.touch : [] { return base::Result<void>(); }),
        sender_(connection_->transport(), parts_, file_.bytes, activity_) {}

  asio::awaitable<void> run();

 private:
  asio::awaitable<bool> send_ranges(const DownloadPlan& plan, const MultipartRanges& multipart);
  asio::awaitable<void> release();

  std::shared_ptr<HttpConnection> connection_;
  const ServerParts& parts_;
  wire::Response answer_;
  wire::ResponseFile& file_;
  TransferActivity activity_;
  BlobSender sender_;
};

asio::awaitable<void> DownloadExchange::run() {
  const auto& head = connection_->head();
  const auto size = static_cast<std::uint64_t>(file_.bytes->size());
  const auto entity_tag = '"' + file_.sha256 + '"';
  const bool head_only = head.method == "HEAD";
  DownloadConditions conditions;
  if (!head_only) conditions.range = head.headers.find("Range");
  conditions.if_range = head.headers.find("If-Range");
  conditions.if_none_match = head.headers.find("If-None-Match");
  const auto plan = plan_download(size, entity_tag, conditions);

  if (plan.status == 416) {
    const auto message = base::make_message("quire.http.range", "The file has no byte in the range asked for.");
    auto response = parts_.api.refuse(head.target, 416, message);
    response.headers.add("Content-Range", "bytes */" + std::to_string(size));
    co_await connection_->respond(response);
    co_await release();
    co_return;
  }
  wire::Headers headers;
  headers.add("ETag", entity_tag);
  headers.add("Accept-Ranges", "bytes");
  for (const auto& [name, value] : answer_.headers.all())
    if (plan.status != 304 || !wire::same_header_name(name, "Content-Type")) headers.add(name, value);
  std::optional<MultipartRanges> multipart;
  std::uint64_t length = plan.ranges.empty() ? 0 : plan.ranges.front().length;
  if (plan.ranges.size() > 1) {
    multipart.emplace(plan, entity_tag, size);
    length = multipart->length();
    headers.replace("Content-Type", multipart->content_type());
  }
  if (plan.status == 206 && !multipart) headers.add("Content-Range", content_range(plan.ranges.front(), size));
  if (plan.status != 304) headers.add("Repr-Digest", repr_digest(file_.sha256));
  const bool with_body = !head_only && length > 0;
  auto& transport = connection_->transport();
  transport.socket().set_cork(with_body && !transport.secure());
  const bool headed = co_await connection_->respond_head(plan.status, headers, length);
  if (headed && with_body) {
    std::optional<service::CountedTransfer> counted;
    if (file_.is_download) counted.emplace(parts_.transfers.measurements().downloads);
    bool sent = false;
    if (multipart) {
      sent = co_await send_ranges(plan, *multipart);
    } else {
      sent = co_await sender_.send(plan.ranges.front());
    }
    if (sent && counted) counted->is_whole();
    if (!sent) connection_->abandon_answer();
  }
  transport.socket().set_cork(false);
  co_await release();
}

asio::awaitable<bool> DownloadExchange::send_ranges(const DownloadPlan& plan, const MultipartRanges& multipart) {
  const auto stall = parts_.settings.limits.transfer_stall_timeout;
  const std::string_view nothing;
  for (std::size_t i = 0; i < plan.ranges.size(); ++i) {
    const bool headed = co_await connection_->transport().write(multipart.head(i), nothing, stall);
    if (!headed) co_return false;
    const bool sent = co_await sender_.send(plan.ranges[i]);
    if (!sent) co_return false;
  }
  const bool ended = co_await connection_->transport().write(multipart.end(), nothing, stall);
  co_return ended;
}

/// Closes the file on the pool: it may be the last thing that keeps the bytes of a removed blob.
asio::awaitable<void> DownloadExchange::release() {
  co_await activity_.finish();
  auto call = [bytes = std::move(file_.bytes)]() mutable {
    bytes.reset();
    return true;
  };
  co_await offload(parts_.transfer_pool, std::move(call));
}

}  // namespace

wire::Response method_not_allowed(const ApiHandler& api, std::string_view target, std::string_view allowed) {
  const auto message = base::make_message("quire.http.method_not_allowed", "Only {allowed} can be used here.",
                                          {{"allowed", std::string(allowed)}});
  auto response = api.refuse(target, 405, message);
  response.headers.add("Allow", std::string(allowed));
  return response;
}

asio::awaitable<void> send_download(std::shared_ptr<HttpConnection> connection, const ServerParts& parts,
                                    const TransferTarget& target) {
  auto call = [&] { return open_blocking(parts, connection->head(), target); };
  auto opening = co_await offload(parts.call_pool, call);
  if (!opening.download) {
    co_await connection->respond(*opening.answer);
    co_return;
  }
  auto download = std::move(*opening.download);
  DownloadExchange exchange(connection, parts, std::move(download));
  co_await exchange.run();
}

asio::awaitable<void> send_file(std::shared_ptr<HttpConnection> connection, const ServerParts& parts,
                                const wire::Response& response) {
  auto copy = response;
  DownloadExchange exchange(connection, parts, std::move(copy));
  co_await exchange.run();
}

}  // namespace quire::http
