#include "engine/server/admission/plugins.h"

#include <algorithm>

#include "engine/server/admission/certificates.h"
#include "engine/server/admission/claim_resize.h"
#include "engine/server/admission/default_ingress_class.h"
#include "engine/server/admission/default_storage_class.h"
#include "engine/server/admission/default_toleration_seconds.h"
#include "engine/server/admission/event_rate_limit.h"
#include "engine/server/admission/limit_ranger.h"
#include "engine/server/admission/namespace_lifecycle.h"
#include "engine/server/admission/node_restriction.h"
#include "engine/server/admission/pod_security.h"
#include "engine/server/admission/priority.h"
#include "engine/server/admission/rbac_escalation.h"
#include "engine/server/admission/resource_quota.h"
#include "engine/server/admission/runtime_class.h"
#include "engine/server/admission/service_account.h"
#include "engine/server/admission/storage_in_use.h"
#include "engine/server/admission/taint_nodes_by_condition.h"
#include "engine/server/admission/validating_policy.h"
#include "engine/server/admission/webhooks.h"

namespace orrery::server {
namespace {

struct Entry {
  std::string_view name;
  std::unique_ptr<AdmissionPlugin> (*make)();
  bool by_default;
};

// In the order of execution.
constexpr Entry kPlugins[] = {
    {"NamespaceLifecycle", namespace_lifecycle, true},
    {"LimitRanger", limit_ranger, true},
    {"ServiceAccount", service_account, true},
    {"NodeRestriction", node_restriction, false},
    {"TaintNodesByCondition", taint_nodes_by_condition, true},
    {"PodSecurity", pod_security, true},
    {"Priority", priority, true},
    {"DefaultTolerationSeconds", default_toleration_seconds, true},
    {"EventRateLimit", event_rate_limit, false},
    {"DefaultStorageClass", default_storage_class, true},
    {"StorageObjectInUseProtection", storage_in_use, true},
    {"PersistentVolumeClaimResize", claim_resize, true},
    {"RuntimeClass", runtime_class, true},
    {"CertificateApproval", certificate_approval, true},
    {"CertificateSigning", certificate_signing, true},
    {"CertificateSubjectRestriction", certificate_subject_restriction, true},
    {"DefaultIngressClass", default_ingress_class, true},
    {"MutatingAdmissionWebhook", mutating_webhook, true},
    {"ValidatingAdmissionPolicy", validating_policy, true},
    {"ValidatingAdmissionWebhook", validating_webhook, true},
    {"ResourceQuota", resource_quota, true},
};

bool names(const std::vector<std::string>& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

}  // namespace

AdmissionChain admission_chain(const ServerOptions& options) {
  AdmissionChain chain(options.admission);
  for (const Entry& entry : kPlugins) {
    const bool wanted = entry.by_default || names(options.enable_admission_plugins, entry.name);
    if (wanted && !names(options.disable_admission_plugins, entry.name)) chain.add(entry.make());
  }
  chain.add(certificate_requester());
  chain.add(rbac_escalation());
  return chain;
}

std::vector<std::string_view> admission_plugin_names() {
  std::vector<std::string_view> all;
  for (const Entry& entry : kPlugins) all.push_back(entry.name);
  return all;
}

}  // namespace orrery::server
