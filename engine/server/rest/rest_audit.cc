// What the audit log learns of a request.
#include "engine/server/rest/rest.h"
#include "engine/server/rest/setup.h"

namespace orrery::server {

void Rest::begin_audit(Exchange& exchange, const HttpRequest& http, const ApiUser& user, Time now) {
  if (audit_ == nullptr) return;
  exchange.audit = std::make_unique<AuditEntry>(audit_entry(http, now));
  AuditEntry& entry = *exchange.audit;
  if (entry.id.empty()) entry.id = random_uid(rng_);
  const RequestInfo& info = exchange.info;
  entry.request.user = user;
  entry.request.verb = info.verb;
  entry.request.is_resource = info.is_resource;
  entry.request.group = info.group;
  entry.request.version = info.version;
  entry.request.resource = info.resource;
  entry.request.subresource = info.subresource;
  entry.request.ns = info.ns;
  entry.request.name = info.name;
  audit_->write(entry, AuditStage::kRequestReceived, now);
}

void Rest::audit(Exchange& exchange, AuditStage stage, int code) {
  if (!exchange.audit) return;
  exchange.audit->response.code = code;
  audit_->write(*exchange.audit, stage, timers_->now());
}

}  // namespace orrery::server
