// What the audit log learns of a request.
#include "engine/api/yaml.h"
#include "engine/server/rest/rest.h"
#include "engine/server/rest/setup.h"

namespace orrery::server {

void Rest::begin_audit(Exchange& exchange, const HttpRequest& http, const ApiUser& user, Time now) {
  if (audit_ == nullptr) return;
  exchange.audit = std::make_unique<AuditEntry>(audit_entry(http, now));
  AuditEntry& entry = *exchange.audit;
  entry.id = exchange.audit_id;
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
  entry.request.path = info.path;
  entry.wanted = audit_->decide(entry.request);
  audit_->write(entry, AuditStage::kRequestReceived, now);
}

// Bodies are told as the API's objects, whatever form the client has given or wants them.
void Rest::audit_request(Exchange& exchange, const ApiRequest& request) {
  if (!exchange.audit) return;
  AuditEntry& entry = *exchange.audit;
  entry.request_object = request.object;
  if (entry.wanted.level < AuditLevel::kRequest) return;
  if (request.object && request.object.kind()) entry.request_body = encode_object({{}, request.object.kind(), {}, ""}, request.object);
  if (request.patch.empty()) return;
  if (const auto patch = api::parse_yaml_body(request.patch); patch.is_ok()) entry.request_body = patch->dump();
}

void Rest::audit_answer(Exchange& exchange, const ApiResponse& response, Time now) {
  if (!exchange.audit || exchange.audit->wanted.level != AuditLevel::kRequestResponse) return;
  const Encoding encoding{{}, exchange.kind, now, ""};
  std::string& body = exchange.audit->response_body;
  if (exchange.verb == ApiVerb::kList || exchange.verb == ApiVerb::kDeleteCollection) {
    body = encode_list(encoding, response);
  } else if (response.object) {
    body = encode_object(encoding, response.object);
  }
}

void Rest::audit(Exchange& exchange, AuditStage stage, int code) {
  if (!exchange.audit) return;
  exchange.audit->response.code = code;
  audit_->write(*exchange.audit, stage, timers_->now());
}

}  // namespace orrery::server
