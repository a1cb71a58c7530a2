#pragma once

#include <optional>
#include <string>

#include "engine/api/gen/metav1.h"
#include "engine/ports/audit_sink.h"
#include "engine/ports/http.h"
#include "engine/server/auth/attributes.h"

namespace orrery::server {

/// How much of a request is written down: who did what to which object; its body too; the answer's
/// body too.
enum class AuditLevel : uint8_t { kNone, kMetadata, kRequest, kRequestResponse };

/// What is known of one request. Bodies and the answer are filled in as they become known.
struct AuditEntry {
  Str id;              // a UUID, also sent as the header Audit-Id
  Attributes request;  // its user: who sent it
  std::optional<ApiUser> impersonated;
  Str request_uri;  // path and query as sent
  Str user_agent;
  List<Str> source_ips;
  Time received;
  std::optional<Decision> decision;
  api::Object request_object;
  api::Object response_object;
  metav1::Status response;  // code, and of failures status, reason and message
};

/// The parts of an entry that the HTTP request gives: id (Audit-Id, if the client has sent one),
/// URI, agent, and the addresses X-Forwarded-For, X-Real-Ip and the peer's own, without
/// repetitions.
AuditEntry audit_entry(const HttpRequest& http, Time received);

enum class AuditStage : uint8_t { kRequestReceived, kResponseStarted, kResponseComplete, kPanic };

/// Writes events of audit.k8s.io/v1, one line each. There is no policy: every request is written at
/// one level, but no bodies of secrets, config maps, tokens and token reviews.
/// Source: Kubernetes v1.32 apiserver/pkg/audit.
class AuditLog {
 public:
  /// `sink` outlives this.
  AuditLog(AuditLevel level, AuditSink* sink) : level_(level), sink_(sink) {}
  void write(const AuditEntry& entry, AuditStage stage, Time now) const;

 private:
  AuditLevel level_;
  AuditSink* sink_;
};

/// The event as JSON text without a newline.
std::string audit_event_json(const AuditEntry& entry, AuditLevel level, AuditStage stage, Time now);

}  // namespace orrery::server
