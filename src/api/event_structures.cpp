#include "api/event_structures.h"

#include "api/event_structures_described.h"
#include "api/structures_described.h"

namespace quire::api {

BOOST_DESCRIBE_STRUCT(EventMessage, (), (number, time, kind, library, item, subject, actor))
BOOST_DESCRIBE_STRUCT(EventsLost, (), (after, oldest))
BOOST_DESCRIBE_STRUCT(FileProgressDetails, (), (name, status, bytes_transferred, size))
BOOST_DESCRIBE_STRUCT(SessionProgressDetails, (), (client_progress, expiration_time, files))
BOOST_DESCRIBE_STRUCT(SessionProgressMessage, (), (time, kind, library, item, subject, details))
BOOST_DESCRIBE_STRUCT(TaskProgressDetails, (), (completed, total))
BOOST_DESCRIBE_STRUCT(TaskProgressMessage, (), (time, kind, subject, details))

const Type& event_message_type() { return type_of<EventMessage>(); }
const Type& events_lost_type() { return type_of<EventsLost>(); }
const Type& event_kind_type() { return type_of<content::EventKind>(); }
const Type& session_progress_type() { return type_of<SessionProgressMessage>(); }
const Type& task_progress_type() { return type_of<TaskProgressMessage>(); }

}  // namespace quire::api
