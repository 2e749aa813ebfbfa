#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/type.h"
#include "base/time.h"
#include "content/event.h"
#include "content/update_session.h"

/// What those who follow the events read (docs/events.md): the `data` of a message of the stream, and the body that a
/// webhook gets. Written by service::event_json(), service::progress_json() and wire::lost_text(); described here for
/// clients.
namespace quire::api {

struct EventMessage {
  static constexpr std::string_view canonical_name = "com.quire.events.event";
  std::int64_t number = 0;
  base::Time time;
  content::EventKind kind = content::EventKind::library_created;
  std::optional<std::string> library;
  std::optional<std::string> item;
  std::optional<std::string> subject;
  std::string actor;
  // And `details`, an object of what the kind tells besides; it has no type that structures could have.
};
struct EventsLost {
  static constexpr std::string_view canonical_name = "com.quire.events.lost";
  std::int64_t after = 0;
  std::int64_t oldest = 0;
};

/// `update_session.progress`, for who asks with `progress=true`.
struct FileProgressDetails {
  static constexpr std::string_view canonical_name = "com.quire.events.file_progress";
  std::string name;
  content::TransferStatus status = content::TransferStatus::WAITING_FOR_TRANSFER;
  std::int64_t bytes_transferred = 0;
  std::optional<std::int64_t> size;
};
struct SessionProgressDetails {
  static constexpr std::string_view canonical_name = "com.quire.events.update_session_progress_details";
  std::int64_t client_progress = 0;
  base::Time expiration_time;
  std::vector<FileProgressDetails> files;
};
struct SessionProgressMessage {
  static constexpr std::string_view canonical_name = "com.quire.events.update_session_progress";
  base::Time time;
  std::string kind;
  std::string library;
  std::string item;
  std::string subject;
  SessionProgressDetails details;
};

/// `task.progress`, likewise.
struct TaskProgressDetails {
  static constexpr std::string_view canonical_name = "com.quire.events.task_progress_details";
  std::int64_t completed = 0;
  std::int64_t total = 0;
};
struct TaskProgressMessage {
  static constexpr std::string_view canonical_name = "com.quire.events.task_progress";
  base::Time time;
  std::string kind;
  std::string subject;
  TaskProgressDetails details;
};

const Type& event_message_type();
const Type& events_lost_type();
const Type& event_kind_type();
const Type& session_progress_type();
const Type& task_progress_type();

}  // namespace quire::api
