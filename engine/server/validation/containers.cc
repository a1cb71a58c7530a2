#include "engine/server/validation/containers.h"

#include "engine/api/reflect.h"
#include "engine/server/validation/container_parts.h"
#include "engine/server/validation/pod_security.h"

namespace orrery::server {
namespace {

template <typename C>
bool is_privileged(const C& c) {
  return c.security_context && c.security_context->privileged.value_or(false);
}

void check_resize_policy(const List<corev1::ContainerResizePolicy>& policies, const Str& restart_policy, const Path& at,
                         Findings& findings) {
  Seen names;
  for (size_t i = 0; i < policies.size(); ++i) {
    const auto& p = policies[i];
    if (!names.insert(p.resource_name)) findings.duplicate(at.index(i), p.resource_name);
    findings.one_of(p.resource_name, at, {"cpu", "memory"});
    findings.one_of(p.restart_policy, at, {"NotRequired", "RestartContainer"});
    if (restart_policy == "Never" && p.restart_policy != "NotRequired")
      findings.invalid(at, p.restart_policy, "must be 'NotRequired' when `restartPolicy` is 'Never'");
  }
}

template <typename C>
void check_common(const C& c, const ContainerContext& context, const Path& at, Findings& findings) {
  if (c.name.empty()) findings.required(at.child("name"));
  else check_label(c.name, at.child("name"), findings);
  if (c.image.empty()) findings.required(at.child("image"));
  findings.one_of(c.termination_message_policy, at.child("terminationMessagePolicy"), {"File", "FallbackToLogsOnError"});
  check_container_ports(c.ports, at.child("ports"), findings);
  check_environment(c.env, at.child("env"), findings);
  check_environment_sources(c.env_from, at.child("envFrom"), findings);
  check_mounts(c.volume_mounts, c.volume_devices, context.volumes, is_privileged(c), at.child("volumeMounts"), findings);
  check_devices(c.volume_devices, c.volume_mounts, context.volumes, at.child("volumeDevices"), findings);
  findings.one_of(c.image_pull_policy, at.child("imagePullPolicy"), {"Always", "IfNotPresent", "Never"});
  check_resource_requirements(c.resources, context.claim_names, context.resources, at.child("resources"), findings);
  check_resize_policy(c.resize_policy, context.pod.restart_policy, at.child("resizePolicy"), findings);
  if (c.security_context)
    check_security_context(*c.security_context, context.pod.host_users.value_or(true), context.allow_privileged,
                           at.child("securityContext"), findings);
}

// Host ports that are taken twice.
class HostPorts {
 public:
  void check(const corev1::Container& c, const Path& at, Findings& findings) {
    for (size_t i = 0; i < c.ports.size(); ++i) {
      const auto& port = c.ports[i];
      if (port.host_port == 0) continue;
      const std::string text = str_cat(port.protocol, "/", port.host_ip, "/", int{port.host_port});
      const Path here = at.child("ports", i);
      if (!taken_.insert(text).second) findings.duplicate(here.child("hostPort"), text);
    }
  }

 private:
  std::unordered_set<std::string> taken_;
};

bool has_host_ports(const corev1::Container& c) {
  for (const auto& port : c.ports)
    if (port.host_port != 0) return true;
  return false;
}

void check_start_only(const corev1::Container& c, const Path& at, Findings& findings) {
  constexpr std::string_view kText = "may not be set for init containers without restartPolicy=Always";
  if (c.lifecycle) findings.forbidden(at.child("lifecycle"), kText);
  if (c.liveness_probe) findings.forbidden(at.child("livenessProbe"), kText);
  if (c.readiness_probe) findings.forbidden(at.child("readinessProbe"), kText);
  if (c.startup_probe) findings.forbidden(at.child("startupProbe"), kText);
}

void check_trimmed_image(const Str& image, const Path& at, Findings& findings) {
  if (trim_space(image).size() != image.size())
    findings.invalid(at.child("image"), image, "must not have leading or trailing whitespace");
}

void check_ephemeral_fields(const corev1::EphemeralContainer& c, const Path& at, Findings& findings) {
  constexpr std::string_view kText = "cannot be set for an Ephemeral Container";
  if (!c.ports.empty()) findings.forbidden(at.child("ports"), kText);
  const bool resources = !c.resources.limits.empty() || !c.resources.requests.empty() || !c.resources.claims.empty();
  if (resources) findings.forbidden(at.child("resources"), kText);
  if (!c.resize_policy.empty()) findings.forbidden(at.child("resizePolicy"), kText);
  if (c.restart_policy) findings.forbidden(at.child("restartPolicy"), kText);
  if (c.liveness_probe) findings.forbidden(at.child("livenessProbe"), kText);
  if (c.readiness_probe) findings.forbidden(at.child("readinessProbe"), kText);
  if (c.startup_probe) findings.forbidden(at.child("startupProbe"), kText);
  if (c.lifecycle) findings.forbidden(at.child("lifecycle"), kText);
  for (size_t i = 0; i < c.volume_mounts.size(); ++i) {
    const Path mount = at.child("volumeMounts", i);
    if (!c.volume_mounts[i].sub_path.empty()) findings.forbidden(mount.child("subPath"), kText);
    if (!c.volume_mounts[i].sub_path_expr.empty()) findings.forbidden(mount.child("subPathExpr"), kText);
  }
}

}  // namespace

void check_containers(const ContainerContext& context, const Path& at, Findings& findings) {
  const auto& containers = context.pod.containers;
  if (containers.empty()) return findings.required(at);
  Seen names;
  bool host_ports = false;
  for (size_t i = 0; i < containers.size(); ++i) {
    const auto& c = containers[i];
    const Path here = at.index(i);
    check_common(c, context, here, findings);
    if (!names.insert(c.name)) findings.duplicate(here.child("name"), c.name);
    if (c.lifecycle) check_lifecycle(*c.lifecycle, context.pod.termination_grace_period_seconds, here.child("lifecycle"), findings);
    check_probes(c.liveness_probe, c.readiness_probe, c.startup_probe, here, findings);
    if (c.restart_policy) findings.forbidden(here.child("restartPolicy"), "may not be set for non-init containers");
    host_ports = host_ports || has_host_ports(c);
  }
  if (!host_ports) return;
  HostPorts taken;
  for (size_t i = 0; i < containers.size(); ++i) taken.check(containers[i], at.index(i), findings);
}

void check_init_containers(const ContainerContext& context, const Path& at, Findings& findings) {
  const auto& containers = context.pod.init_containers;
  if (containers.empty()) return;
  Seen names;
  for (const auto& c : context.pod.containers) names.insert(c.name);
  for (size_t i = 0; i < containers.size(); ++i) {
    const auto& c = containers[i];
    const Path here = at.index(i);
    check_common(c, context, here, findings);
    const bool restarts = c.restart_policy == Str("Always");
    if (c.restart_policy && !restarts) findings.not_supported(here.child("restartPolicy"), *c.restart_policy, {"Always"});
    if (names.has(c.name)) findings.duplicate(here.child("name"), c.name);
    else if (!c.name.empty()) names.insert(c.name);
    if (has_host_ports(c)) HostPorts().check(c, at.index(0), findings);
    if (!restarts) {
      check_start_only(c, here, findings);
    } else {
      if (c.lifecycle) check_lifecycle(*c.lifecycle, context.pod.termination_grace_period_seconds, here.child("lifecycle"), findings);
      check_probes(c.liveness_probe, c.readiness_probe, c.startup_probe, here, findings);
    }
    if (!c.resize_policy.empty())
      findings.invalid(here.child("resizePolicy"), Shown::object(c.resize_policy[0]), "must not be set for init containers");
  }
}

void check_ephemeral_containers(const ContainerContext& context, const Path& at, Findings& findings) {
  const auto& containers = context.pod.ephemeral_containers;
  if (containers.empty()) return;
  Seen others, names;
  for (const auto* list : {&context.pod.containers, &context.pod.init_containers})
    for (const auto& c : *list) others.insert(c.name), names.insert(c.name);
  for (size_t i = 0; i < containers.size(); ++i) {
    const auto& c = containers[i];
    const Path here = at.index(i);
    check_common(c, context, here, findings);
    check_trimmed_image(c.image, here, findings);
    if (!names.insert(c.name)) findings.duplicate(here.child("name"), c.name);
    if (!c.target_container_name.empty() && !others.has(c.target_container_name))
      findings.not_found(here.child("targetContainerName"), c.target_container_name);
    check_ephemeral_fields(c, here, findings);
  }
}

}  // namespace orrery::server
