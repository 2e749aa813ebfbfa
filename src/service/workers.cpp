#include "service/workers.h"

namespace quire::service {

base::Result<std::vector<WorkerStatus>> Workers::list(const content::Caller& caller) const {
  if (!caller.administrator)
    return base::Error(base::ErrorKind::unauthorized, "quire.workers.administrators_only",
                       "Only administrators may see the background workers; {user} is none.", {{"user", caller.user}});
  return ask_ ? ask_() : std::vector<WorkerStatus>();
}

}  // namespace quire::service
