#include <set>

#include "engine/api/gen/apiregistrationv1.h"
#include "engine/api/gen/coordinationv1.h"
#include "engine/api/gen/nodev1.h"
#include "engine/api/gen/schedulingv1.h"
#include "engine/api/names.h"
#include "engine/server/print/row.h"

namespace orrery::server {
namespace {

std::string node_status(const corev1::Node& node) {
  std::string status = "Unknown";
  for (const auto& condition : node.status->conditions)
    if (condition.type == "Ready") status = condition.status == "True" ? "Ready" : "NotReady";
  return node.spec->unschedulable ? status + ",SchedulingDisabled" : status;
}

std::string node_roles(const corev1::Node& node) {
  constexpr std::string_view kPrefix = "node-role.kubernetes.io/";
  std::set<std::string> roles;
  for (const auto& [name, value] : node.metadata->labels) {
    if (name.view().starts_with(kPrefix)) {
      if (name.size() > kPrefix.size()) roles.insert(std::string(name.view().substr(kPrefix.size())));
    } else if (name == "kubernetes.io/role" && !value.empty()) {
      roles.insert(value.str());
    }
  }
  return roles.empty() ? "<none>" : api::join({roles.begin(), roles.end()}, ",");
}

std::string_view address(const corev1::Node& node, std::string_view type) {
  for (const auto& one : node.status->addresses)
    if (one.type == type) return one.address;
  return "<none>";
}

void print_node(const corev1::Node& node, Row& row) {
  const auto& info = node.status->node_info;
  const auto known = [](const Str& text) { return text.empty() ? std::string_view("<unknown>") : text.view(); };
  row.add(node.metadata->name, node_status(node), node_roles(node), row.age(node.metadata->creation_timestamp),
          info.kubelet_version, address(node, "InternalIP"), address(node, "ExternalIP"), known(info.os_image),
          known(info.kernel_version), known(info.container_runtime_version));
}

void print_namespace(const corev1::Namespace& ns, Row& row) {
  row.add(ns.metadata->name, ns.status->phase, row.age(ns.metadata->creation_timestamp));
}

void print_config_map(const corev1::ConfigMap& map, Row& row) {
  row.add(map.metadata->name, map.data.size() + map.binary_data.size(), row.age(map.metadata->creation_timestamp));
}

void print_secret(const corev1::Secret& secret, Row& row) {
  row.add(secret.metadata->name, secret.type, secret.data.size(), row.age(secret.metadata->creation_timestamp));
}

void print_service_account(const corev1::ServiceAccount& account, Row& row) {
  row.add(account.metadata->name, account.secrets.size(), row.age(account.metadata->creation_timestamp));
}

void print_component_status(const corev1::ComponentStatus& component, Row& row) {
  std::string_view status = "Unknown", message, error;
  for (const auto& condition : component.conditions) {
    if (condition.type != "Healthy") continue;
    status = condition.status == "True" ? "Healthy" : "Unhealthy";
    message = condition.message;
    error = condition.error;
    break;
  }
  row.add(component.metadata->name, status, message, error);
}

void print_lease(const coordinationv1::Lease& lease, Row& row) {
  row.add(lease.metadata->name, lease.spec->holder_identity.value_or(Str()), row.age(lease.metadata->creation_timestamp));
}

void print_priority_class(const schedulingv1::PriorityClass& pc, Row& row) {
  row.add(pc.metadata->name, pc.value, pc.global_default, row.age(pc.metadata->creation_timestamp),
          pc.preemption_policy.value_or(Str()));
}

void print_runtime_class(const nodev1::RuntimeClass& rc, Row& row) {
  row.add(rc.metadata->name, rc.handler, row.age(rc.metadata->creation_timestamp));
}

void print_api_service(const apiregistrationv1::APIService& service, Row& row) {
  const auto& target = service.spec->service;
  std::string available = "Unknown";
  for (const auto& condition : service.status->conditions) {
    if (condition.type != "Available") continue;
    available = condition.status.str();
    if (available != "True" && !condition.reason.empty()) available += str_cat(" (", condition.reason, ")");
  }
  row.add(service.metadata->name, target ? str_cat(target->namespace_, "/", target->name) : "Local", available,
          row.age(service.metadata->creation_timestamp));
}

}  // namespace

std::vector<Printer> cluster_printers() {
  return {printer_of<corev1::Node, print_node>(),
          printer_of<corev1::Namespace, print_namespace>(),
          printer_of<corev1::ConfigMap, print_config_map>(),
          printer_of<corev1::Secret, print_secret>(),
          printer_of<corev1::ServiceAccount, print_service_account>(),
          printer_of<corev1::ComponentStatus, print_component_status>(),
          printer_of<coordinationv1::Lease, print_lease>(),
          printer_of<schedulingv1::PriorityClass, print_priority_class>(),
          printer_of<nodev1::RuntimeClass, print_runtime_class>(),
          printer_of<apiregistrationv1::APIService, print_api_service>()};
}

}  // namespace orrery::server
