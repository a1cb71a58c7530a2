#pragma once

#include <string>
#include <string_view>

#include "engine/api/gen/auditv1.h"
#include "engine/base/status.h"
#include "engine/server/auth/attributes.h"

namespace orrery::server {

/// How much of a request is written down: who did what to which object; its body too; the answer's
/// body too.
enum class AuditLevel : uint8_t { kNone, kMetadata, kRequest, kRequestResponse };

enum class AuditStage : uint8_t { kRequestReceived, kResponseStarted, kResponseComplete, kPanic };

/// What is written down of one request.
struct AuditDecision {
  AuditLevel level = AuditLevel::kMetadata;
  uint8_t omitted = 0;  // stages, one bit each
  bool omit_managed_fields = false;
  bool writes(AuditStage stage) const {
    return level != AuditLevel::kNone && !(omitted >> static_cast<int>(stage) & 1);
  }
};

/// A Policy of audit.k8s.io/v1: the first rule that matches decides; none: nothing is written.
/// Source: Kubernetes v1.32 apiserver/pkg/audit/policy.
class AuditPolicy {
 public:
  /// Everything at one level.
  explicit AuditPolicy(AuditLevel level);
  /// Invalid, with file, line and field, for what kube-apiserver refuses.
  static Result<AuditPolicy> parse(std::string_view text, const std::string& file);
  /// `request` with the user who has sent it, not one that is impersonated.
  AuditDecision decide(const Attributes& request) const;

 private:
  auditv1::Policy policy_;
};

}  // namespace orrery::server
