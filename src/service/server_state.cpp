#include "service/server_state.h"

#include "service/transaction/find.h"

namespace quire::service {

base::Result<ServerStateNow> ServerState::get(const content::Caller& caller) const {
  QUIRE_RETURN_IF_ERROR(check_privilege(caller, content::Privilege::Global_Diagnostics));
  QUIRE_ASSIGN_OR_RETURN(auto state, read(context_, caller, [&](View view) -> base::Result<ServerStateNow> {
                           ServerStateNow counted;
                           counted.logins = view->login_count();
                           counted.update_sessions = view->update_session_count(content::UpdateSessionState::ACTIVE);
                           counted.download_sessions = view->download_session_count();
                           counted.pulls = view->pending_pulls(pulls_counted_max).size();
                           counted.tasks = view->active_task_count();
                           counted.webhook_deliveries_waiting =
                               view->webhook_delivery_count(content::DeliveryState::PENDING);
                           counted.webhook_deliveries_dead = view->webhook_delivery_count(content::DeliveryState::DEAD);
                           return counted;
                         }));
  state.facts = facts_;
  state.now = context_.clock.now();
  state.storages = datastores(context_.storages);
  return state;
}

}  // namespace quire::service
