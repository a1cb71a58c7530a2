#include <algorithm>
#include <optional>

#include "engine/api/pod_resources.h"
#include "engine/api/semantic.h"
#include "engine/server/strategy/strategies.h"

namespace orrery::server {
namespace {

template <typename F>
bool any_container(const corev1::PodSpec& spec, F is) {
  return std::any_of(spec.containers.begin(), spec.containers.end(), is) ||
         std::any_of(spec.init_containers.begin(), spec.init_containers.end(), is) ||
         std::any_of(spec.ephemeral_containers.begin(), spec.ephemeral_containers.end(), is);
}

bool has_trust_bundle(const corev1::Volume& v) {
  return v.projected && std::any_of(v.projected->sources.begin(), v.projected->sources.end(),
                                    [](const auto& source) { return static_cast<bool>(source.cluster_trust_bundle); });
}

// Which of the features that are off a spec has fields of, whatever they say.
struct Disabled {
  bool host_users = false, resources = false, claims = false, groups_policy = false, selinux_policy = false;
  bool resize = false, proc_mount = false, images = false, trust_bundles = false;

  explicit Disabled(const corev1::PodSpec& spec) {
    const auto* context = spec.security_context.get();
    host_users = spec.host_users.has_value();
    resources = static_cast<bool>(spec.resources);
    claims = !spec.resource_claims.empty() || any_container(spec, [](const auto& c) { return !c.resources.claims.empty(); });
    groups_policy = context && context->supplemental_groups_policy;
    selinux_policy = context && context->se_linux_change_policy;
    resize = any_container(spec, [](const auto& c) { return !c.resize_policy.empty(); });
    proc_mount = any_container(spec, [](const auto& c) { return c.security_context && c.security_context->proc_mount; });
    images = std::any_of(spec.volumes.begin(), spec.volumes.end(), [](const auto& v) { return static_cast<bool>(v.image); });
    trust_bundles = std::any_of(spec.volumes.begin(), spec.volumes.end(), has_trust_bundle);
  }

  // Without what `old` uses already.
  void keep_used_by(const corev1::PodSpec& old) {
    const Disabled used(old);
    host_users = host_users && !used.host_users;
    resources = resources && (!old.resources || (old.resources->limits.empty() && old.resources->requests.empty()));
    claims = claims && old.resource_claims.empty();
    groups_policy = groups_policy && !used.groups_policy;
    selinux_policy = selinux_policy && !used.selinux_policy;
    resize = resize && !used.resize;
    proc_mount = proc_mount && !any_container(old, [](const auto& c) {
                   return c.security_context && c.security_context->proc_mount && *c.security_context->proc_mount != "Default";
                 });
    images = images && !used.images;
    trust_bundles = trust_bundles && !used.trust_bundles;
  }

  bool any_of_containers() const { return claims || resize || proc_mount; }
};

template <typename F>
void for_all_containers(corev1::PodSpec& spec, F change) {
  for (size_t i = 0; i < spec.containers.size(); ++i) change(spec.containers.mut(i));
  for (size_t i = 0; i < spec.init_containers.size(); ++i) change(spec.init_containers.mut(i));
  for (size_t i = 0; i < spec.ephemeral_containers.size(); ++i) change(spec.ephemeral_containers.mut(i));
}

void drop_image_volumes(corev1::PodSpec& spec) {
  std::vector<Str> names;
  for (const auto& v : spec.volumes)
    if (v.image) names.push_back(v.name);
  if (names.empty()) return;
  spec.volumes.erase_if([](const corev1::Volume& v) { return static_cast<bool>(v.image); });
  for_all_containers(spec, [&](auto& c) {
    c.volume_mounts.erase_if([&](const corev1::VolumeMount& m) { return std::find(names.begin(), names.end(), m.name) != names.end(); });
  });
}

// matchLabelKeys and mismatchLabelKeys become requirements on the pod's own values.
void apply_label_keys(metav1::LabelSelector& selector, const List<Str>& keys, std::string_view op, const Map<Str>& labels) {
  for (const Str& key : keys) {
    const Str* value = labels.find(key);
    if (!value) continue;
    metav1::LabelSelectorRequirement requirement;
    requirement.key = key;
    requirement.operator_ = Str(op);
    requirement.values.push_back(*value);
    selector.match_expressions.push_back(std::move(requirement));
  }
}

void apply_match_keys(corev1::PodAffinityTerm& term, const Map<Str>& labels) {
  if (!term.label_selector || (term.match_label_keys.empty() && term.mismatch_label_keys.empty())) return;
  apply_label_keys(term.label_selector.mut(), term.match_label_keys, "In", labels);
  apply_label_keys(term.label_selector.mut(), term.mismatch_label_keys, "NotIn", labels);
}

template <typename A>
void apply_match_keys_of(Ref<A>& ref, const Map<Str>& labels) {
  if (!ref) return;
  for (size_t i = 0; i < ref->preferred_during_scheduling_ignored_during_execution.size(); ++i)
    apply_match_keys(ref.mut().preferred_during_scheduling_ignored_during_execution.mut(i).pod_affinity_term, labels);
  for (size_t i = 0; i < ref->required_during_scheduling_ignored_during_execution.size(); ++i)
    apply_match_keys(ref.mut().required_during_scheduling_ignored_during_execution.mut(i), labels);
}

void begin_gated(corev1::Pod& pod) {
  corev1::PodCondition gated;
  gated.type = "PodScheduled";
  gated.status = "False";
  gated.reason = "SchedulingGated";
  gated.message = "Scheduling is blocked due to non-empty scheduling gates";
  gated.last_transition_time = pod.metadata->creation_timestamp;
  pod.status.mut().conditions.push_back(std::move(gated));
}

std::string app_armor_annotation(const corev1::AppArmorProfile& profile) {
  if (profile.type == "Unconfined") return "unconfined";
  if (profile.type == "RuntimeDefault") return "runtime/default";
  if (profile.type == "Localhost" && profile.localhost_profile) return str_cat("localhost/", *profile.localhost_profile);
  return "";
}

std::optional<corev1::AppArmorProfile> app_armor_field(std::string_view annotation) {
  constexpr std::string_view kLocal = "localhost/";
  corev1::AppArmorProfile profile;
  if (annotation == "unconfined") profile.type = "Unconfined";
  else if (annotation == "runtime/default") profile.type = "RuntimeDefault";
  else if (annotation.starts_with(kLocal) && annotation.size() > kLocal.size()) {
    profile.type = "Localhost";
    profile.localhost_profile = Str(annotation.substr(kLocal.size()));
  } else return std::nullopt;
  return profile;
}

// The old annotation and the new field of AppArmor profiles say the same.
template <typename C>
void sync_app_armor(List<C>& containers, corev1::Pod& pod, const corev1::AppArmorProfile* of_pod) {
  constexpr std::string_view kPrefix = "container.apparmor.security.beta.kubernetes.io/";
  for (size_t i = 0; i < containers.size(); ++i) {
    const corev1::AppArmorProfile* profile =
        containers[i].security_context ? containers[i].security_context->app_armor_profile.get() : nullptr;
    if (!profile && !of_pod && pod.metadata->annotations.empty()) continue;
    const std::string key = str_cat(kPrefix, containers[i].name);
    if (const Str* annotation = pod.metadata->annotations.find(key)) {
      const auto field = app_armor_field(*annotation);
      const bool as_pod = field && of_pod && api::semantic_equal(*field, *of_pod);
      if (!profile && field && !as_pod) containers.mut(i).security_context.mut().app_armor_profile.mut() = *field;
      continue;
    }
    const std::string value = profile ? app_armor_annotation(*profile) : of_pod ? app_armor_annotation(*of_pod) : "";
    if (!value.empty()) pod.metadata.mut().annotations.set(Str(key), Str(value));
  }
}

void create_pod(corev1::Pod& pod) {
  static const Str kPending = Str::literal("Pending");
  // Who makes a pod may say what its class is, and nothing else of its status.
  const Str given = pod.status->qos_class;
  auto& status = pod.status.mut();
  status = {};
  status.phase = kPending;
  status.qos_class = given.empty() ? api::qos_class(*pod.spec) : given;
  drop_disabled_fields(pod.spec.mut(), nullptr);
  if (!pod.spec->scheduling_gates.empty()) begin_gated(pod);
  if (pod.spec->affinity) {
    const Map<Str> labels = pod.metadata->labels;
    auto& affinity = pod.spec.mut().affinity.mut();
    apply_match_keys_of(affinity.pod_affinity, labels);
    apply_match_keys_of(affinity.pod_anti_affinity, labels);
  }
  auto& spec = pod.spec.mut();
  const auto* profile = spec.security_context ? spec.security_context->app_armor_profile.get() : nullptr;
  if (spec.os && spec.os->name == "windows") return;
  sync_app_armor(spec.init_containers, pod, profile);
  sync_app_armor(spec.containers, pod, profile);
}

void update_pod(corev1::Pod& pod, const corev1::Pod& old, const Update& update) {
  if (update.subresource == "status") {
    pod.metadata.mut().owner_references = old.metadata->owner_references;
    if (pod.status->qos_class.empty()) pod.status.mut().qos_class = old.status->qos_class;
    return;
  }
  if (update.subresource == "ephemeralcontainers") {
    const auto containers = pod.spec->ephemeral_containers;
    pod.metadata = old.metadata;
    pod.spec = old.spec;
    pod.spec.mut().ephemeral_containers = containers;
  }
  drop_disabled_fields(pod.spec.mut(), old.spec.get());
}

}  // namespace

void drop_disabled_fields(corev1::PodSpec& spec, const corev1::PodSpec* old) {
  Disabled drop(spec);
  if (old) drop.keep_used_by(*old);
  if (drop.host_users) spec.host_users.reset();
  if (drop.resources) spec.resources.reset();
  if (drop.claims) spec.resource_claims.reset();
  if (drop.groups_policy) spec.security_context.mut().supplemental_groups_policy.reset();
  if (drop.selinux_policy) spec.security_context.mut().se_linux_change_policy.reset();
  if (drop.any_of_containers())
    for_all_containers(spec, [&](auto& c) {
      if (drop.resize) c.resize_policy.reset();
      if (drop.claims) c.resources.claims.reset();
      if (drop.proc_mount && c.security_context && c.security_context->proc_mount) c.security_context.mut().proc_mount = Str("Default");
    });
  if (drop.images) drop_image_volumes(spec);
  if (!drop.trust_bundles) return;
  for (size_t v = 0; v < spec.volumes.size(); ++v)
    for (size_t s = 0; spec.volumes[v].projected && s < spec.volumes[v].projected->sources.size(); ++s)
      if (spec.volumes[v].projected->sources[s].cluster_trust_bundle)
        spec.volumes.mut(v).projected.mut().sources.mut(s).cluster_trust_bundle.reset();
}

std::span<const StrategyRow> pod_strategies() {
  static constexpr StrategyRow kRows[] = {
      {&corev1::Pod::descriptor, {create_as<corev1::Pod, create_pod>, update_as<corev1::Pod, update_pod>}},
  };
  return kRows;
}

}  // namespace orrery::server
