#include "engine/api/gen/flowcontrolv1.h"
#include "engine/api/gen/nodev1.h"
#include "engine/api/gen/rbacv1.h"
#include "engine/api/gen/schedulingv1.h"
#include "engine/server/defaulting/defaults.h"

namespace orrery::server {
namespace {

void default_namespace(corev1::Namespace& ns) {
  constexpr std::string_view kNameLabel = "kubernetes.io/metadata.name";
  if (ns.status->phase.empty()) ns.status.mut().phase = "Active";
  if (!ns.metadata->name.empty() && ns.metadata->labels.get(kNameLabel) != ns.metadata->name)
    ns.metadata.mut().labels.set(Str(kNameLabel), ns.metadata->name);
}

void default_node(corev1::Node& node) {
  // The single range and the list say the same; the former leads.
  const Str& range = node.spec->pod_cidr;
  const auto& list = node.spec->pod_cidrs;
  if (range.empty() && !list.empty()) node.spec.mut().pod_cidr = list[0];
  else if (!range.empty() && (list.empty() || !(list[0] == range))) node.spec.mut().pod_cidrs = {range};
  if (node.status->allocatable.empty() && !node.status->capacity.empty()) node.status.mut().allocatable = node.status->capacity;
}

void default_secret(corev1::Secret& secret) {
  set_if_empty(secret.type, "Opaque");
  // stringData is a way of writing data only.
  for (const auto& [key, text] : secret.string_data) {
    api::Bytes bytes;
    static_cast<Str&>(bytes) = text;
    bytes.present = true;
    secret.data.set(key, bytes);
  }
  secret.string_data.reset();
}

void fill_in(Map<api::Quantity>& list, const Map<api::Quantity>& from) {
  for (const auto& [name, quantity] : from)
    if (!list.contains(name)) list.set(name, quantity);
}

void default_limit_range(corev1::LimitRange& range) {
  for (size_t i = 0; i < range.spec->limits.size(); ++i) {
    if (range.spec->limits[i].type != "Container") continue;
    auto& item = range.spec.mut().limits.mut(i);
    fill_in(item.default_, item.max);
    fill_in(item.default_request, item.default_);
    fill_in(item.default_request, item.min);
  }
}

void default_priority_class(schedulingv1::PriorityClass& pc) { set_if_absent(pc.preemption_policy, Str("PreemptLowerPriority")); }

constexpr std::string_view kRbac = "rbac.authorization.k8s.io";

template <typename B>
void default_binding(B& binding) {
  set_if_empty(binding.role_ref.api_group, kRbac);
  for (size_t i = 0; i < binding.subjects.size(); ++i) {
    const auto& subject = binding.subjects[i];
    if (subject.api_group.empty() && (subject.kind == "User" || subject.kind == "Group"))
      binding.subjects.mut(i).api_group = Str(kRbac);
  }
}

void default_flow_schema(flowcontrolv1::FlowSchema& schema) {
  constexpr int32_t kPrecedence = 1000;
  if (schema.spec->matching_precedence == 0) schema.spec.mut().matching_precedence = kPrecedence;
}

void default_priority_level(flowcontrolv1::PriorityLevelConfiguration& level) {
  constexpr int32_t kShares = 30, kHandSize = 8, kQueues = 64, kQueueLength = 50;
  auto& spec = level.spec.mut();
  if (spec.exempt) {
    set_if_absent(spec.exempt.mut().nominal_concurrency_shares, 0);
    set_if_absent(spec.exempt.mut().lendable_percent, 0);
  }
  if (!spec.limited) return;
  auto& limited = spec.limited.mut();
  set_if_absent(limited.nominal_concurrency_shares, kShares);
  set_if_absent(limited.lendable_percent, 0);
  if (!limited.limit_response.queuing) return;
  auto& queuing = limited.limit_response.queuing.mut();
  if (queuing.hand_size == 0) queuing.hand_size = kHandSize;
  if (queuing.queues == 0) queuing.queues = kQueues;
  if (queuing.queue_length_limit == 0) queuing.queue_length_limit = kQueueLength;
}

}  // namespace

std::span<const DefaultRow> cluster_defaults() {
  static constexpr DefaultRow kRows[] = {
      default_row<corev1::Namespace, default_namespace>(),
      default_row<corev1::Node, default_node>(),
      default_row<corev1::Secret, default_secret>(),
      default_row<corev1::LimitRange, default_limit_range>(),
      default_row<schedulingv1::PriorityClass, default_priority_class>(),
      default_row<rbacv1::RoleBinding, default_binding<rbacv1::RoleBinding>>(),
      default_row<rbacv1::ClusterRoleBinding, default_binding<rbacv1::ClusterRoleBinding>>(),
      default_row<flowcontrolv1::FlowSchema, default_flow_schema>(),
      default_row<flowcontrolv1::PriorityLevelConfiguration, default_priority_level>(),
  };
  return kRows;
}

}  // namespace orrery::server
