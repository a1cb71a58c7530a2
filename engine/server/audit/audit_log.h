#pragma once

#include <optional>
#include <string>

#include "engine/api/gen/metav1.h"
#include "engine/ports/audit_sink.h"
#include "engine/ports/http.h"
#include "engine/server/audit/audit_policy.h"
#include "engine/server/auth/attributes.h"

namespace orrery::server {

/// What is known of one request. Bodies and the answer are filled in as they become known.
struct AuditEntry {
  AuditDecision wanted;
  Str id;              // a UUID, also sent as the header Audit-Id
  Attributes request;  // its user: who sent it
  std::optional<ApiUser> impersonated;
  Str request_uri;  // path and query as sent
  Str user_agent;
  List<Str> source_ips;
  Time received;
  std::optional<Decision> decision;
  Map<Str> annotations;  // besides that
  api::Object request_object;  // names what a create makes
  /// JSON texts, "" if there are none or nobody wants them.
  std::string request_body, response_body;
  metav1::Status response;  // code, and of failures status, reason and message
};

/// The parts of an entry that the HTTP request gives: URI, agent, and the addresses X-Forwarded-For, X-Real-Ip and the peer's own, without
/// repetitions.
AuditEntry audit_entry(const HttpRequest& http, Time received);

/// Writes events of audit.k8s.io/v1, one line each, as a policy says.
/// Source: Kubernetes v1.32 apiserver/pkg/audit.
class AuditLog {
 public:
  /// `sink` outlives this.
  AuditLog(AuditPolicy policy, AuditSink* sink) : policy_(std::move(policy)), sink_(sink) {}
  /// What is to be written of this request: its entry's `wanted`.
  AuditDecision decide(const Attributes& request) const { return policy_.decide(request); }
  void write(const AuditEntry& entry, AuditStage stage, Time now) const;

 private:
  AuditPolicy policy_;
  AuditSink* sink_;
};

/// The event as JSON text without a newline.
std::string audit_event_json(const AuditEntry& entry, AuditStage stage, Time now);

}  // namespace orrery::server
