// Nodes and namespaces. Source: Kubernetes v1.32 pkg/apis/core/validation/validation.go.
#include "engine/api/gen/corev1.h"
#include "engine/server/validation/ip.h"
#include "engine/server/validation/metadata.h"
#include "engine/server/validation/placement.h"
#include "engine/server/validation/registry.h"
#include "engine/server/validation/resources.h"

namespace orrery::server {
namespace {

using corev1::Namespace;
using corev1::Node;

constexpr Path kSpec("spec");
constexpr Path kStatus("status");
constexpr Path kTaints("metadata.taints");  // where upstream reports them

void check_amounts(const Map<api::Quantity>& amounts, const Path& at, Findings& findings) {
  for (const auto& [name, quantity] : amounts) check_resource_quantity(name, quantity, at.child(name), findings);
}

void check_node_resources(const Node& node, Findings& findings) {
  check_amounts(node.status->capacity, kStatus.child("capacity"), findings);
  check_amounts(node.status->allocatable, kStatus.child("allocatable"), findings);
}

void check_ranges(const List<Str>& ranges, Findings& findings) {
  const Path at = kSpec.child("podCIDRs");
  bool readable = true;
  size_t v6 = 0;
  for (size_t i = 0; i < ranges.size(); ++i) {
    const auto range = parse_cidr(ranges[i]);
    if (!range) check_cidr(ranges[i], at.index(i), findings);
    readable = readable && range;
    v6 += range && !range->address.is_v4 ? 1 : 0;
  }
  if (ranges.size() < 2) return;
  for (size_t i = 0; i < ranges.size() && !readable; ++i) {
    if (parse_cidr(ranges[i])) continue;
    findings.internal(at, str_cat("invalid PodCIDRs. failed to check with dual stack with error:invalid CIDR[", uint64_t{i}, "]: <nil> (invalid CIDR address: ",
                                  ranges[i], ")"));
    break;
  }
  if (!readable || v6 == 0 || v6 == ranges.size() || ranges.size() > 2)
    findings.invalid(at, Shown::list(ranges), "may specify no more than one CIDR for each IP family");
  Seen seen;
  for (size_t i = 0; i < ranges.size(); ++i)
    if (!seen.insert(ranges[i])) findings.duplicate(at.index(i), ranges[i]);
}

void check_create(const Node& node, Findings& findings) {
  check_object_meta(*node.metadata, false, name_is_subdomain, findings);
  check_taints(node.spec->taints, kTaints, findings);
  check_node_resources(node, findings);
  check_ranges(node.spec->pod_cidrs, findings);
}

void check_config_map_source(const corev1::ConfigMapNodeConfigSource& source, bool of_spec, const Path& at, Findings& findings) {
  if (of_spec) {
    if (!source.uid.empty()) findings.forbidden(at.child("uid"), "uid must not be set in spec");
    if (!source.resource_version.empty()) findings.forbidden(at.child("resourceVersion"), "resourceVersion must not be set in spec");
  } else {
    if (source.uid.empty()) findings.required(at.child("uid"), "uid must be set in status");
    if (source.resource_version.empty()) findings.required(at.child("resourceVersion"), "resourceVersion must be set in status");
  }
  if (source.namespace_.empty()) findings.required(at.child("namespace"), "namespace must be set");
  else check_label(source.namespace_, at.child("namespace"), findings);
  if (source.name.empty()) findings.required(at.child("name"), "name must be set");
  else check_subdomain(source.name, at.child("name"), findings);
  const Path key = at.child("kubeletConfigKey");
  if (source.kubelet_config_key.empty()) findings.required(key, "kubeletConfigKey must be set");
  else findings.invalid(key, source.kubelet_config_key, check_config_map_key(source.kubelet_config_key));
}

void check_config_source(const Ref<corev1::NodeConfigSource>& source, bool of_spec, const Path& at, Findings& findings) {
  if (!source) return;
  if (source->config_map) check_config_map_source(*source->config_map, of_spec, at.child("configMap"), findings);
  else findings.invalid(at, Shown::object(*source), "exactly one reference subfield must be non-nil");
}

void check_config_status(const corev1::NodeConfigStatus& config, Findings& findings) {
  const Path at = kStatus.child("config");
  check_config_source(config.assigned, false, at.child("assigned"), findings);
  check_config_source(config.active, false, at.child("active"), findings);
  check_config_source(config.last_known_good, false, at.child("lastKnownGood"), findings);
}

void check_addresses(const List<corev1::NodeAddress>& addresses, Findings& findings) {
  for (size_t i = 0; i < addresses.size(); ++i)
    for (size_t k = 0; k < i; ++k)
      if (addresses[k].type == addresses[i].type && addresses[k].address == addresses[i].address) {
        findings.duplicate(kStatus.child("addresses", i), Shown::object(addresses[i]));
        break;
      }
}

void check_ranges_kept(const List<Str>& ranges, const List<Str>& old, Findings& findings) {
  constexpr std::string_view kText = "node updates may not change podCIDR except from \"\" to valid";
  const Path at = kSpec.child("podCIDRs");
  if (old.empty()) return;
  if (old.size() != ranges.size()) return findings.forbidden(at, kText);
  for (size_t i = 0; i < old.size(); ++i)
    if (old[i] != ranges[i]) findings.forbidden(at, kText);
}

// Of status updates too.
void check_any_update(const Node& node, const Node& old, Findings& findings) {
  check_object_meta_update(*node.metadata, *old.metadata, findings);
  check_node_resources(node, findings);
  check_addresses(node.status->addresses, findings);
  check_ranges_kept(node.spec->pod_cidrs, old.spec->pod_cidrs, findings);
  if (!old.spec->provider_id.empty() && old.spec->provider_id != node.spec->provider_id)
    findings.forbidden(kSpec.child("providerID"), "node updates may not change providerID except from \"\" to valid");
  check_config_source(node.spec->config_source, true, kSpec.child("configSource"), findings);
  if (node.status->config) check_config_status(*node.status->config, findings);
  check_taints(node.spec->taints, kTaints, findings);
  if (node.spec->external_id != old.spec->external_id) findings.forbidden(kSpec.child("externalID"), "may not be updated");
}

void check_update(const Node& node, const Node& old, Findings& findings) {
  check_create(node, findings);
  check_any_update(node, old, findings);
}

void check_create(const Namespace& ns, Findings& findings) {
  constexpr Path kFinalizers("spec.finalizers");
  check_object_meta(*ns.metadata, false, name_is_label, findings);
  for (const Str& finalizer : ns.spec->finalizers) {
    check_qualified(finalizer, kFinalizers, findings);
    check_kube_finalizer(finalizer, kFinalizers, findings);
  }
}

void check_update(const Namespace& ns, const Namespace& old, Findings& findings) {
  check_create(ns, findings);
  check_object_meta_update(*ns.metadata, *old.metadata, findings);
}

void check_status(const Namespace& ns, const Namespace& old, Findings& findings) {
  check_object_meta_update(*ns.metadata, *old.metadata, findings);
  const Path phase = kStatus.child("Phase");
  if (!ns.metadata->deletion_timestamp && ns.status->phase != "Active")
    findings.invalid(phase, ns.status->phase, "may only be 'Active' if `deletionTimestamp` is empty");
  if (ns.metadata->deletion_timestamp && ns.status->phase != "Terminating")
    findings.invalid(phase, ns.status->phase, "may only be 'Terminating' if `deletionTimestamp` is not empty");
}

}  // namespace

std::span<const CheckRow> node_checks() {
  static const CheckRow kRows[] = {
      check_row<Node, check_create, check_update, check_any_update>(),
      check_row<Namespace, check_create, check_update, check_status>(),
  };
  return kRows;
}

}  // namespace orrery::server
