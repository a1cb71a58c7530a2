// Whether the store is there.
#include "engine/server/server.h"

namespace orrery::server {

// One question for all who ask meanwhile. The key is that of kube-apiserver's health check.
void Server::probe(Ticket ticket) {
  probes_.push_back(ticket);
  if (probes_.size() > 1) return;
  RangeRequest range;
  range.key = "/registry/health";
  store_->range({lane_, kProbe}, std::move(range));
}

void Server::on_probed(const StoreOutcome& outcome) {
  for (const Ticket& ticket : std::exchange(probes_, {})) {
    ApiResponse response;
    response.status = outcome.status;
    lanes_->post(ticket.lane, {EventKind::kDone, 0, ticket.op, responses_.put(std::move(response))});
  }
}

}  // namespace orrery::server
