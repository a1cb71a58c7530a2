#include "engine/server/validation/text_rules.h"
#include "engine/server/validation/warnings.h"

#include "engine/api/names.h"

namespace orrery::server {
namespace {

constexpr std::string_view kNullSelector = "a null labelSelector results in matching no pod";

// What the parts of one pod are warned of.
class PodWarnings {
 public:
  PodWarnings(const corev1::PodSpec& spec, const metav1::ObjectMeta& meta, const Path& at, const Path& annotations, Warnings& out)
      : spec_(spec), meta_(meta), at_(at), annotations_(annotations), out_(out) {}

  void placement() const {
    const Path selector = at_.child("nodeSelector");
    for (const auto& entry : spec_.node_selector)
      if (const auto text = deprecated_label(entry.key); !text.empty()) warn(selector.key(entry.key), text, out_);
    if (spec_.affinity && spec_.affinity->node_affinity) node_affinity(*spec_.affinity->node_affinity);
    for (size_t i = 0; i < spec_.topology_spread_constraints.size(); ++i) {
      const auto& c = spec_.topology_spread_constraints[i];
      const Path here = at_.child("topologySpreadConstraints", i);
      if (const auto text = deprecated_label(c.topology_key); !text.empty())
        warn(here.child("topologyKey"), str_cat(c.topology_key, " is ", text), out_);
      if (!c.label_selector) warn(here.child("labelSelector"), kNullSelector, out_);
    }
  }

  void annotations() const {
    constexpr std::string_view kSysctls = "non-functional in v1.11+; use the \"sysctls\" field instead";
    deprecated("scheduler.alpha.kubernetes.io/critical-pod", "non-functional in v1.16+; use the \"priorityClassName\" field instead");
    deprecated("security.alpha.kubernetes.io/sysctls", kSysctls);
    deprecated("security.alpha.kubernetes.io/unsafe-sysctls", kSysctls);
  }

  void volumes() const {
    for (size_t i = 0; i < spec_.volumes.size(); ++i) {
      const auto& v = spec_.volumes[i];
      const Path here = at_.child("volumes", i);
      const auto old = [&](bool is, std::string_view name, std::string_view text) {
        if (is) warn(here.child(name), text, out_);
      };
      constexpr std::string_view k122 = "deprecated in v1.22, non-functional in v1.25+", k128 = "deprecated in v1.28, non-functional in v1.31+";
      old(static_cast<bool>(v.photon_persistent_disk), "photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+");
      old(static_cast<bool>(v.git_repo), "gitRepo", "deprecated in v1.11");
      old(static_cast<bool>(v.scale_io), "scaleIO", "deprecated in v1.16, non-functional in v1.22+");
      old(static_cast<bool>(v.flocker), "flocker", k122);
      old(static_cast<bool>(v.storageos), "storageOS", k122);
      old(static_cast<bool>(v.quobyte), "quobyte", k122);
      old(static_cast<bool>(v.glusterfs), "glusterfs", "deprecated in v1.25, non-functional in v1.26+");
      if (v.ephemeral && v.ephemeral->volume_claim_template)
        warn_of_claim_spec(*v.ephemeral->volume_claim_template->spec, here.child("ephemeral.volumeClaimTemplate.spec"), out_);
      old(static_cast<bool>(v.cephfs), "cephfs", k128);
      old(static_cast<bool>(v.rbd), "rbd", k128);
    }
    warn_of_volume_paths(spec_.volumes, out_);
  }

  void repeated_names() const {
    Seen ips, names;
    for (size_t i = 0; i < spec_.host_aliases.size(); ++i) {
      const Path here = at_.child("hostAliases", i);
      const Str& ip = spec_.host_aliases[i].ip;
      if (!ips.insert(ip)) warn(here.child("ip"), str_cat("duplicate ip ", api::quoted(ip)), out_);
    }
    const auto& secrets = spec_.image_pull_secrets;
    for (size_t i = 0; i < secrets.size(); ++i) {
      const Path here = at_.child("imagePullSecrets", i);
      if (!names.insert(secrets[i].name)) warn(here.child("name"), str_cat("duplicate name ", api::quoted(secrets[i].name)), out_);
    }
    for (size_t i = 0; i < secrets.size(); ++i) {
      const Path here = at_.child("imagePullSecrets", i);
      if (secrets[i].name.empty()) warn(here.child("name"), "invalid empty name \"\"", out_);
    }
  }

  void overhead_and_seccomp() const {
    warn_of_fraction(spec_.overhead, "memory", at_.child("overhead"), out_);
    warn_of_fraction(spec_.overhead, "ephemeral-storage", at_.child("overhead"), out_);
    constexpr std::string_view kSeccomp = "seccomp.security.alpha.kubernetes.io/pod";
    if (!spec_.security_context || !spec_.security_context->seccomp_profile)
      deprecated(kSeccomp, "non-functional in v1.27+; use the \"seccompProfile\" field instead");
  }

  template <typename C>
  void container(const C& c, const Path& here, bool is_template) const {
    const auto* context = c.security_context.get();
    if (!meta_.annotations.empty()) {
      if (!context || !context->seccomp_profile)
        deprecated(str_cat("container.seccomp.security.alpha.kubernetes.io/", c.name),
                   "non-functional in v1.27+; use the \"seccompProfile\" field instead");
      const bool profiled = (spec_.security_context && spec_.security_context->app_armor_profile) || (context && context->app_armor_profile);
      if (is_template && !profiled)
        deprecated(str_cat("container.apparmor.security.beta.kubernetes.io/", c.name),
                   "deprecated since v1.30; use the \"appArmorProfile\" field instead");
    }
    const Path limits = here.child("resources.limits"), requests = here.child("resources.requests");
    for (const std::string_view resource : {"memory", "ephemeral-storage"}) {
      warn_of_fraction(c.resources.limits, resource, limits, out_);
      warn_of_fraction(c.resources.requests, resource, requests, out_);
    }
    repeated_env(c.env, here);
  }

  void pod_affinity() const {
    if (!spec_.affinity) return;
    const Path affinity = at_.child("affinity");
    if (spec_.affinity->pod_affinity) affinity_terms(*spec_.affinity->pod_affinity, affinity.child("podAffinity"));
    if (spec_.affinity->pod_anti_affinity) affinity_terms(*spec_.affinity->pod_anti_affinity, affinity.child("podAntiAffinity"));
  }

 private:
  void node_affinity(const corev1::NodeAffinity& affinity) const {
    const Path here = at_.child("affinity.nodeAffinity");
    const Path terms = here.child("requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms");
    if (const auto& required = affinity.required_during_scheduling_ignored_during_execution)
      for (size_t i = 0; i < required->node_selector_terms.size(); ++i) warn_of_node_term(required->node_selector_terms[i], terms.index(i), out_);
    const auto& preferred = affinity.preferred_during_scheduling_ignored_during_execution;
    for (size_t i = 0; i < preferred.size(); ++i) {
      const Path term = here.child("preferredDuringSchedulingIgnoredDuringExecution", i);
      warn_of_node_term(preferred[i].preference, term.child("preference"), out_);
    }
  }

  template <typename A>
  void affinity_terms(const A& affinity, const Path& here) const {
    const auto& required = affinity.required_during_scheduling_ignored_during_execution;
    for (size_t i = 0; i < required.size(); ++i) {
      const Path term = here.child("requiredDuringSchedulingIgnoredDuringExecution", i);
      if (!required[i].label_selector) warn(term.child("labelSelector"), kNullSelector, out_);
    }
    const auto& preferred = affinity.preferred_during_scheduling_ignored_during_execution;
    for (size_t i = 0; i < preferred.size(); ++i) {
      const Path term = here.child("preferredDuringSchedulingIgnoredDuringExecution", i);
      if (!preferred[i].pod_affinity_term.label_selector) warn(term.child("podAffinityTerm.labelSelector"), kNullSelector, out_);
    }
  }

  void deprecated(std::string_view key, std::string_view text) const {
    if (meta_.annotations.contains(key)) warn(annotations_.key(key), text, out_);
  }

  void repeated_env(const List<corev1::EnvVar>& env, const Path& here) const {
    Seen names;
    for (size_t i = 0; i < env.size(); ++i) {
      if (names.insert(env[i].name)) continue;
      // A variable may refer to what it hides.
      const std::string ref = str_cat("$(", env[i].name, ")");
      if (env[i].value_from || env[i].value.view() == ref || !contains(env[i].value, ref))
        warn(here.child("env", i), str_cat("hides previous definition of ", api::quoted(env[i].name), ", which may be dropped when using apply"), out_);
    }
  }

  const corev1::PodSpec& spec_;
  const metav1::ObjectMeta& meta_;
  const Path &at_, &annotations_;
  Warnings& out_;
};

// A port and where it is.
struct PlacedPort {
  const corev1::ContainerPort& port;
  std::string field;
};

void warn_of_port(const corev1::ContainerPort& port, const Path& at, std::vector<PlacedPort>& ports, Warnings& out) {
  if (!port.host_ip.empty() && port.host_port == 0)
    warn(at, str_cat("hostIP set without hostPort: {Name:", port.name, " HostPort:0 ContainerPort:", int64_t{port.container_port},
                     " Protocol:", port.protocol, " HostIP:", port.host_ip, "}"), out);
  for (const auto& [other, field] : ports) {
    if (other.container_port != port.container_port || other.protocol != port.protocol) continue;
    const bool same_host_port = port.host_port == other.host_port;
    if (port.host_ip == other.host_ip && same_host_port)
      warn(at, str_cat("duplicate port definition with ", field), out);
    else if (port.host_port == 0 || other.host_port == 0)
      warn(at, str_cat("overlapping port definition with ", field), out);
    else if (same_host_port && port.host_ip.empty() != other.host_ip.empty())
      warn(at, str_cat("dangerously ambiguous port definition with ", field), out);
  }
  ports.push_back({port, at.text()});
}

// Calls `visit(container, path)` for init containers, containers and ephemeral containers.
template <typename F>
void visit_containers(const corev1::PodSpec& spec, const Path& at, F visit) {
  for (size_t i = 0; i < spec.init_containers.size(); ++i) visit(spec.init_containers[i], at.child("initContainers", i));
  for (size_t i = 0; i < spec.containers.size(); ++i) visit(spec.containers[i], at.child("containers", i));
  for (size_t i = 0; i < spec.ephemeral_containers.size(); ++i) visit(spec.ephemeral_containers[i], at.child("ephemeralContainers", i));
}

}  // namespace

void warn_of_pod_spec(const corev1::PodSpec& spec, const metav1::ObjectMeta& meta, const Path& at, const Path& annotations,
                      bool is_template, Warnings& warnings) {
  const PodWarnings of(spec, meta, at, annotations, warnings);
  of.placement();
  of.annotations();
  of.volumes();
  of.repeated_names();
  of.overhead_and_seccomp();
  visit_containers(spec, at, [&](const auto& c, const Path& here) { of.container(c, here, is_template); });
  std::vector<PlacedPort> ports;
  visit_containers(spec, at, [&](const auto& c, const Path& here) {
    for (size_t i = 0; i < c.ports.size(); ++i) warn_of_port(c.ports[i], here.child("ports", i), ports, warnings);
  });
  if (spec.termination_grace_period_seconds && *spec.termination_grace_period_seconds < 0)
    warn(at.child("terminationGracePeriodSeconds"), "must be >= 0; negative values are invalid and will be treated as 1", warnings);
  of.pod_affinity();
}

void warn_of_template(const corev1::PodTemplateSpec& tmpl, const Path& at, Warnings& warnings) {
  warn_of_pod_spec(*tmpl.spec, *tmpl.metadata, at.child("spec"), at.child("metadata.annotations"), true, warnings);
}

}  // namespace orrery::server
