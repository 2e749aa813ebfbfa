#include "client/part_upload.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <thread>

#include "base/decimal.h"
#include "base/hex.h"
#include "client/failure.h"

namespace quire::client {
namespace {

using base::Error;
using base::ErrorKind;
using base::Result;
using content::ByteRange;

/// The bytes of one request, counted as they go out.
class PartBody final : public BodySource {
 public:
  PartBody(const UploadBytes& bytes, std::int64_t first, std::optional<std::int64_t> end, Progress& progress,
           const std::atomic<bool>& over)
      : bytes_(bytes), first_(first), end_(end), position_(first), progress_(progress), over_(over) {}

  Result<std::size_t> read(std::span<char> into) override {
    if (over_) return interrupted();
    if (end_) into = into.first(std::min<std::size_t>(into.size(), static_cast<std::size_t>(*end_ - position_)));
    if (into.empty()) return std::size_t{0};
    auto got = bytes_.read_at(position_, into);
    if (!got) return got;
    if (*got == 0 && end_) return local_error("the file became shorter while it was sent");
    position_ += static_cast<std::int64_t>(*got);
    progress_.add(static_cast<std::int64_t>(*got));
    return got;
  }

  bool rewind() override {
    take_back();
    return true;
  }

  /// What went out does not count: it was not acknowledged.
  void take_back() {
    progress_.add(first_ - position_);
    position_ = first_;
  }

 private:
  const UploadBytes& bytes_;
  const std::int64_t first_;
  const std::optional<std::int64_t> end_;
  std::int64_t position_;
  Progress& progress_;
  const std::atomic<bool>& over_;
};

/// The server has said no, and would again.
Error refusal_of(const UploadPart& part, const HttpResponse& answer) {
  auto error = error_of(answer);
  if (answer.status == 400 || answer.status == 413 || answer.status == 415 || answer.status == 422)
    return content_refused(part.name + " was refused: " + full_text(error));
  if (answer.status == 507) return {ErrorKind::unable_to_allocate_resource, error.messages().front()};
  return error;
}

}  // namespace

EndpointState endpoint_state(const HttpHead& head) {
  EndpointState state;
  const auto offset = head.find("upload-offset");
  if (!head.is_success() || !offset) return state;
  state.takes_parts = true;
  state.complete = head.find("upload-complete") == "?1";
  if (const auto prefix = base::parse_decimal(*offset)) state.received.add({0, *prefix});
  std::string_view ranges;
  const auto field = head.find("upload-ranges").value_or("");
  if (field.starts_with("bytes=")) ranges = std::string_view(field).substr(6);
  while (!ranges.empty()) {
    const auto comma = std::min(ranges.find(','), ranges.size());
    const auto range = ranges.substr(0, comma);
    const auto dash = std::min(range.find('-'), range.size() - 1);
    const auto first = base::parse_decimal(range.substr(0, dash));
    const auto last = base::parse_decimal(range.substr(dash + 1));
    if (first && last && *first <= *last) state.received.add({*first, *last + 1});
    ranges.remove_prefix(std::min(comma + 1, ranges.size()));
  }
  return state;
}

Result<EndpointState> ask_endpoint(HttpClient& http, const Api& api, const std::string& uri) {
  HttpRequest request;
  request.method = "HEAD";
  request.url = uri;
  request.fields = api.transfer_fields(uri);
  QUIRE_ASSIGN_OR_RETURN(const auto answer, http.send(request));
  if (answer.status == 410)
    return Error(ErrorKind::not_found, "quire.client.session_ended", "The update session has ended.");
  if (may_try_again(answer.status))
    return network_error("the server answered with status " + std::to_string(answer.status));
  return endpoint_state(answer);
}

std::vector<ByteRange> missing_parts(const content::ReceivedRanges& received, ByteRange range) {
  std::vector<ByteRange> missing;
  auto position = range.first;
  for (const auto& there : received.ranges()) {
    if (there.end <= position) continue;
    if (there.first >= range.end) break;
    if (there.first > position) missing.push_back({position, there.first});
    position = there.end;
  }
  if (position < range.end) missing.push_back({position, range.end});
  return missing;
}

Result<HttpResponse> PartSender::put(HttpClient& http, const UploadPart& part, ByteRange range, bool whole) {
  const bool ends = !whole || part.file_length.has_value();
  PartBody body(*part.bytes, range.first, ends ? std::optional(range.end) : std::nullopt, progress_, over_);
  HttpRequest request;
  request.method = "PUT";
  request.url = part.uri;
  request.source = &body;
  if (ends) request.length = range.size();
  // Bytes that wait in the buffers of a network that stands still look as if they were sent. The answer to a part comes
  // soon; only to the last one of an archive, which is unpacked then, it does not.
  constexpr int stalls = 4;
  if (part.in_parts && !base::to_lower(part.name).ends_with(".ova"))
    request.answer_within = std::min(api_.transport().answer_timeout, stalls * api_.transport().stall_timeout);
  request.fields = api_.transfer_fields(part.uri);
  request.fields.emplace_back("Content-Type", "application/octet-stream");
  if (!whole) {
    const auto length = part.file_length ? std::to_string(*part.file_length) : std::string("*");
    request.fields.emplace_back("Content-Range", fmt::format("bytes {}-{}/{}", range.first, range.end - 1, length));
  }
  auto answer = http.send(request);
  if (!answer || !answer->is_success()) body.take_back();
  return answer;
}

/// After a break: what of `left` has not arrived. Progress counts what has.
Result<void> PartSender::ask_what_is_left(HttpClient& http, const UploadPart& part, std::vector<ByteRange>& left) {
  QUIRE_ASSIGN_OR_RETURN(const auto state, ask_endpoint(http, api_, part.uri));
  std::vector<ByteRange> missing;
  std::int64_t arrived = 0;
  for (const auto& range : left) {
    arrived += range.size();
    if (state.complete) continue;
    if (range.size() == 0) missing.push_back(range);  // an empty file has arrived when it is complete
    for (const auto& gap : missing_parts(state.received, range)) {
      missing.push_back(gap);
      arrived -= gap.size();
    }
  }
  progress_.add(arrived);
  if (arrived > 0) patience_.advanced();
  left = std::move(missing);
  return {};
}

/// One part until it is acknowledged.
Result<void> PartSender::send(HttpClient& http, const UploadPart& part) {
  std::vector<ByteRange> left = {part.range};
  int failures = 0;
  while (!left.empty()) {
    const auto range = left.front();
    const bool whole = !part.in_parts || (range.first == 0 && part.file_length == range.end);
    const auto answer = put(http, part, range, whole);
    if (answer && answer->is_success()) {
      patience_.advanced();
      failures = 0;
      left.erase(left.begin());
      continue;
    }
    if (!answer && !may_try_again(answer.error())) return answer.error();
    if (answer && !may_try_again(answer->status)) return refusal_of(part, *answer);
    const auto reason = answer ? error_of(*answer) : answer.error();
    if (!part.bytes->is_repeatable()) return network_error(full_text(reason) + "; what is piped cannot be sent again");
    // An attempt may have lasted longer than the patience; that counts from its end.
    if (failures == 0) patience_.advanced();
    bool asked = false;
    while (!asked) {
      if (!patience_.wait(++failures, over_))
        return api_.transport().stopped() || over_ ? interrupted() : network_error(full_text(reason));
      if (!part.in_parts) break;
      const auto before = left;
      const auto known = ask_what_is_left(http, part, left);
      if (!known && !may_try_again(known.error())) return known.error();
      asked = static_cast<bool>(known);
      if (asked && left != before) failures = 0;
    }
  }
  return {};
}

Result<std::optional<UploadPart>> PartSender::take(const PartQueue& queue) {
  const std::lock_guard lock(mutex_);
  if (over_) return std::optional<UploadPart>();
  return queue();
}

void PartSender::fail(const Error& error) {
  const std::lock_guard lock(mutex_);
  if (!failure_) failure_ = error;
  over_ = true;
}

void PartSender::work(const PartQueue& queue) {
  HttpClient http(api_.transport());
  while (!over_) {
    const auto part = take(queue);
    if (!part) {
      fail(part.error());
      break;
    }
    if (!*part) break;
    if (const auto sent = send(http, **part); !sent) fail(sent.error());
  }
  const std::lock_guard lock(mutex_);
  --working_;
  ended_.notify_all();
}

Result<void> PartSender::run(const PartQueue& queue, const std::function<void()>& tick) {
  std::vector<std::thread> threads;
  working_ = std::max(1, settings_.connections);
  for (int i = 0; i < std::max(1, settings_.connections); ++i) threads.emplace_back([this, &queue] { work(queue); });
  while (true) {
    tick();
    std::unique_lock lock(mutex_);
    if (ended_.wait_for(lock, tick_after, [this] { return working_ == 0; })) break;
  }
  for (auto& thread : threads) thread.join();
  if (failure_) return *failure_;
  if (api_.transport().stopped()) return interrupted();
  return {};
}

}  // namespace quire::client
