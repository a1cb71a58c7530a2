#pragma once

#include <string>
#include <vector>

#include "engine/api/gen/corev1.h"
#include "engine/server/errors.h"

namespace orrery::server {

/// The Pod Security Standards. Source: Kubernetes v1.32 pod-security-admission.

enum class PodSecurityLevel : uint8_t { kPrivileged, kBaseline, kRestricted };

/// A level as it was in one minor version.
struct PodSecurityRule {
  static constexpr int kLatest = INT32_MAX;
  PodSecurityLevel level = PodSecurityLevel::kPrivileged;
  int minor = kLatest;  // of 1.x
  /// "baseline:latest", "restricted:v1.25".
  std::string to_string() const;
  friend bool operator==(const PodSecurityRule&, const PodSecurityRule&) = default;
};

/// What the labels pod-security.kubernetes.io/... of a namespace ask for. A level that cannot be read
/// enforces restricted, and neither warns nor audits; where they say nothing, `defaults` hold, but
/// who only enforces warns of the same.
struct PodSecurityPolicy {
  PodSecurityRule enforce, audit, warn;
  FieldErrors errors;  // of the labels
};
PodSecurityPolicy pod_security_policy(const Map<Str>& labels, const PodSecurityPolicy& defaults);
inline PodSecurityPolicy pod_security_policy(const Map<Str>& labels) { return pod_security_policy(labels, {}); }

/// One rule of the standards that a pod breaks: "host namespaces", "hostNetwork=true".
struct PodSecurityViolation {
  std::string reason;
  std::string detail;
};
using PodSecurityViolations = std::vector<PodSecurityViolation>;

/// In the order in which Kubernetes names them.
PodSecurityViolations pod_security_violations(const PodSecurityRule& rule, const metav1::ObjectMeta& meta,
                                              const corev1::PodSpec& spec);
/// "a (detail of a), b (detail of b)".
std::string violation_details(const PodSecurityViolations& violations);
/// "a, b".
std::string violation_reasons(const PodSecurityViolations& violations);

}  // namespace orrery::server
