#include "service/workers.h"

#include "service/transaction/find.h"

namespace quire::service {

base::Result<std::vector<WorkerStatus>> Workers::list(const content::Caller& caller) const {
  QUIRE_RETURN_IF_ERROR(check_privilege(caller, content::Privilege::Global_Diagnostics));
  return ask_ ? ask_() : std::vector<WorkerStatus>();
}

}  // namespace quire::service
