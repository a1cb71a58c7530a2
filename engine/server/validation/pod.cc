// Pods and pod templates: new ones, and what may change.
#include <algorithm>

#include "engine/api/names.h"
#include "engine/server/validation/immutable.h"
#include "engine/server/validation/ip.h"
#include "engine/server/validation/placement.h"
#include "engine/server/validation/pod_spec.h"
#include "engine/server/validation/pod_security.h"
#include "engine/server/validation/pod_status.h"
#include "engine/server/validation/registry.h"

namespace orrery::server {
namespace {

constexpr Path kSpec("spec");
constexpr Path kAnnotations("metadata.annotations");
constexpr std::string_view kMirrorPod = "kubernetes.io/config.mirror";

void check_metadata_and_spec(const corev1::Pod& pod, const PodRules& rules, Findings& findings) {
  const auto& spec = *pod.spec;
  check_object_meta(*pod.metadata, true, name_is_subdomain, findings);
  check_pod_annotations(pod.metadata->annotations, spec, rules, kAnnotations, findings);
  check_pod_spec(spec, pod.metadata.get(), rules, kSpec, findings);
  for (size_t v = 0; v < spec.volumes.size() && spec.service_account_name.empty(); ++v) {
    if (!spec.volumes[v].projected) continue;
    const Path volume = kSpec.child("volumes", v);
    const auto& sources = spec.volumes[v].projected->sources;
    for (size_t s = 0; s < sources.size(); ++s) {
      const Path source = volume.child("projected.sources", s);
      if (sources[s].service_account_token)
        findings.forbidden(source.child("serviceAccountToken"), "must not be specified when serviceAccountName is not set");
    }
  }
  const auto trimmed = [&](const List<corev1::Container>& containers, std::string_view list) {
    for (size_t i = 0; i < containers.size(); ++i) {
      if (trim_space(containers[i].image).size() == containers[i].image.size()) continue;
      const Path here = kSpec.child(list, i);
      findings.invalid(here.child("image"), containers[i].image, "must not have leading or trailing whitespace");
    }
  };
  trimmed(spec.containers, "containers");
  trimmed(spec.init_containers, "initContainers");
}

PodRules rules_for_pods() {
  PodRules rules;
  rules.is_pod = true;
  return rules;
}

PodRules rules_replacing(const corev1::Pod& old) {
  PodRules rules = PodRules::replacing(*old.spec);
  rules.is_pod = true;
  return rules;
}

void check_create(const corev1::Pod& pod, Findings& findings) {
  static const PodRules kRules = rules_for_pods();
  check_metadata_and_spec(pod, kRules, findings);
  const auto& spec = *pod.spec;
  if (!spec.ephemeral_containers.empty()) findings.forbidden(kSpec.child("ephemeralContainers"), "cannot be set on create");
  if (!spec.node_name.empty() && !spec.scheduling_gates.empty())
    findings.forbidden(kSpec.child("nodeName"), "cannot be set until all schedulingGates have been cleared");
  check_profile_annotations(pod.metadata->annotations, spec, kSpec, findings);
}

void check_annotation_updates(const corev1::Pod& pod, const corev1::Pod& old, const PodRules& rules, Findings& findings) {
  constexpr std::string_view kAppArmor = "container.apparmor.security.beta.kubernetes.io/";
  const auto& fresh = pod.metadata->annotations;
  const auto& before = old.metadata->annotations;
  for (const auto& [key, value] : before) {
    const Str* now = fresh.find(key);
    if (now && *now == value) continue;
    if (key.view().starts_with(kAppArmor)) findings.forbidden(kAnnotations.key(key), "may not remove or update AppArmor annotations");
    if (key == kMirrorPod) findings.forbidden(kAnnotations.key(key), "may not remove or update mirror pod annotation");
  }
  for (const auto& [key, value] : fresh) {
    if (before.contains(key)) continue;
    if (key.view().starts_with(kAppArmor)) findings.forbidden(kAnnotations.key(key), "may not add AppArmor annotations");
    if (key == kMirrorPod) findings.forbidden(kAnnotations.key(key), "may not add mirror pod annotation");
  }
  check_pod_annotations(fresh, *pod.spec, rules, kAnnotations, findings);
}

// False if containers have been added or removed.
bool check_container_updates(const List<corev1::Container>& fresh, const List<corev1::Container>& old, std::string_view list,
                             Findings& findings) {
  if (fresh.size() != old.size()) {
    findings.forbidden(kSpec.child(list), "pod updates may not add or remove containers");
    return false;
  }
  for (size_t i = 0; i < fresh.size(); ++i) {
    const Path here = kSpec.child(list, i);
    if (fresh[i].image.empty()) findings.required(here.child("image"));
    if (trim_space(fresh[i].image).size() != fresh[i].image.size())
      findings.invalid(here.child("image"), fresh[i].image, "must not have leading or trailing whitespace");
  }
  return true;
}

// False if nothing more is to be said.
bool check_deadline_update(const Opt<int64_t>& fresh, const Opt<int64_t>& old, Findings& findings) {
  const Path at = kSpec.child("activeDeadlineSeconds");
  if (!fresh) {
    if (old) findings.invalid(at, "null", "must not update from a positive integer to nil value");
    return true;
  }
  if (*fresh < 0 || *fresh > INT32_MAX) {
    findings.invalid(at, *fresh, between(0, INT32_MAX));
    return false;
  }
  if (old && *old < *fresh) {
    findings.invalid(at, *fresh, "must be less than or equal to previous value");
    return false;
  }
  return true;
}

bool same_but_seconds(const corev1::Toleration& a, const corev1::Toleration& b) {
  return a.key == b.key && a.operator_ == b.operator_ && a.value == b.value && a.effect == b.effect;
}

void check_toleration_updates(const List<corev1::Toleration>& fresh, const List<corev1::Toleration>& old, Findings& findings) {
  const Path at = kSpec.child("tolerations");
  for (const auto& before : old) {
    const bool kept = std::any_of(fresh.begin(), fresh.end(), [&](const auto& t) { return same_but_seconds(t, before); });
    if (!kept) return findings.forbidden(at, "existing toleration can not be modified except its tolerationSeconds");
  }
  check_tolerations(fresh, at, findings);
}

void check_gate_updates(const List<corev1::PodSchedulingGate>& fresh, const List<corev1::PodSchedulingGate>& old, Findings& findings) {
  for (size_t i = 0; i < fresh.size(); ++i) {
    const bool known = std::any_of(old.begin(), old.end(), [&](const auto& g) { return g.name == fresh[i].name; });
    if (known) continue;
    const Path here = kSpec.child("schedulingGates", i);
    findings.forbidden(here.child("name"), str_cat("only deletion is allowed, but found new scheduling gate '", fresh[i].name, "'"));
  }
}

// While gated, the places where the pod may go can be narrowed.
void take_narrowed_placement(corev1::PodSpec& munged, const corev1::PodSpec& old, Findings& findings) {
  if (!(munged.node_selector == old.node_selector)) {
    for (const auto& [key, value] : old.node_selector) {
      const Str* now = munged.node_selector.find(key);
      if (now && *now == value) continue;
      findings.invalid(kSpec.child("nodeSelector"), Shown::map(munged.node_selector),
                       "only additions to spec.nodeSelector are allowed (no mutations or deletions)");
      break;
    }
    munged.node_selector = old.node_selector;
  }
  const auto* before = old.affinity ? old.affinity->node_affinity.get() : nullptr;
  const auto* after = munged.affinity ? munged.affinity->node_affinity.get() : nullptr;
  const bool same = before && after ? api::semantic_equal(*before, *after) : before == after;
  if (same) return;
  check_node_affinity_narrowed(after, before, kSpec.child("affinity.nodeAffinity"), findings);
  if (!munged.affinity) {
    munged.affinity.mut().node_affinity = old.affinity->node_affinity;
  } else if (!old.affinity && !munged.affinity->pod_affinity && !munged.affinity->pod_anti_affinity) {
    munged.affinity.reset();
  } else {
    munged.affinity.mut().node_affinity = old.affinity ? old.affinity->node_affinity : Ref<corev1::NodeAffinity>();
  }
}

void check_spec_unchanged(const corev1::PodSpec& fresh, const corev1::PodSpec& old, Findings& findings) {
  if (api::semantic_equal(fresh, old)) return;
  corev1::PodSpec munged = fresh;
  for (size_t i = 0; i < munged.containers.size(); ++i) munged.containers.mut(i).image = old.containers[i].image;
  for (size_t i = 0; i < munged.init_containers.size(); ++i) munged.init_containers.mut(i).image = old.init_containers[i].image;
  munged.active_deadline_seconds = old.active_deadline_seconds;
  munged.scheduling_gates = old.scheduling_gates;
  munged.tolerations = old.tolerations;
  if (old.termination_grace_period_seconds.value_or(0) < 0 && munged.termination_grace_period_seconds.value_or(0) == 1)
    munged.termination_grace_period_seconds = old.termination_grace_period_seconds;
  if (!old.scheduling_gates.empty()) take_narrowed_placement(munged, old, findings);
  if (api::semantic_equal(munged, old)) return;
  findings.forbidden(kSpec, str_cat("pod updates may not change fields other than `spec.containers[*].image`,"
                                    "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,"
                                    "`spec.tolerations` (only additions to existing tolerations),"
                                    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)\n",
                                    difference_text(old, munged)));
}

void check_update(const corev1::Pod& pod, const corev1::Pod& old, Findings& findings) {
  const PodRules rules = rules_replacing(old);
  check_object_meta_update(*pod.metadata, *old.metadata, findings);
  check_metadata_and_spec(pod, rules, findings);
  check_annotation_updates(pod, old, rules, findings);
  const auto& fresh = *pod.spec;
  const auto& before = *old.spec;
  if (!check_container_updates(fresh.containers, before.containers, "containers", findings)) return;
  if (!check_container_updates(fresh.init_containers, before.init_containers, "initContainers", findings)) return;
  if (!check_deadline_update(fresh.active_deadline_seconds, before.active_deadline_seconds, findings)) return;
  check_toleration_updates(fresh.tolerations, before.tolerations, findings);
  check_gate_updates(fresh.scheduling_gates, before.scheduling_gates, findings);
  check_spec_unchanged(fresh, before, findings);
}

void check_status(const corev1::Pod& pod, const corev1::Pod& old, Findings& findings) {
  constexpr Path kStatus("status");
  const auto& fresh = *pod.status;
  check_object_meta_update(*pod.metadata, *old.metadata, findings);
  check_annotation_updates(pod, old, rules_replacing(old), findings);
  constexpr Path kConditions("metadata.conditions");
  for (size_t i = 0; i < fresh.conditions.size(); ++i) {
    const Path here = kConditions.index(i);
    if (!is_one_of(fresh.conditions[i].type, {"PodScheduled", "Ready", "Initialized"}))
      check_qualified(fresh.conditions[i].type, here.child("Type"), findings);
  }
  if (pod.spec->node_name != old.spec->node_name) findings.forbidden(kStatus.child("nodeName"), "may not be changed directly");
  if (fresh.nominated_node_name != old.status->nominated_node_name && !fresh.nominated_node_name.empty())
    check_subdomain(fresh.nominated_node_name, kStatus.child("nominatedNodeName"), findings);
  check_immutable(fresh.qos_class, old.status->qos_class, kStatus.child("qosClass"), fresh.qos_class, findings);
  check_pod_status_parts(pod, old, findings);
}

void check_ephemeral_update(const corev1::Pod& pod, const corev1::Pod& old, Findings& findings) {
  constexpr Path kContainers("spec.ephemeralContainers");
  if (old.metadata->annotations.contains(kMirrorPod)) return findings.forbidden(Path("[]"), "static pods do not support ephemeral containers");
  const PodRules rules = rules_replacing(old);
  check_object_meta_update(*pod.metadata, *old.metadata, findings);
  check_metadata_and_spec(pod, rules, findings);
  check_annotation_updates(pod, old, rules, findings);
  for (const auto& before : old.spec->ephemeral_containers) {
    const auto& list = pod.spec->ephemeral_containers;
    const auto* now = std::find_if(list.begin(), list.end(), [&](const auto& c) { return c.name == before.name; });
    if (now == list.end())
      findings.forbidden(kContainers, str_cat("existing ephemeral containers ", api::quoted(before.name), " may not be removed\n"));
    else if (!api::semantic_equal(*now, before))
      findings.forbidden(kContainers, str_cat("existing ephemeral containers ", api::quoted(before.name), " may not be changed\n",
                                              difference_text(before, *now)));
  }
}

void check_template_create(const corev1::PodTemplate& tmpl, Findings& findings) {
  check_object_meta(*tmpl.metadata, true, name_is_subdomain, findings);
  check_pod_template(*tmpl.template_, {}, Path("template"), findings);
}

void check_template_update(const corev1::PodTemplate& tmpl, const corev1::PodTemplate& old, Findings& findings) {
  check_object_meta_update(*tmpl.metadata, *old.metadata, findings);
  check_pod_template(*tmpl.template_, PodRules::replacing(*old.template_->spec), Path("template"), findings);
}

constexpr CheckRow kRows[] = {
    check_row<corev1::Pod, check_create, check_update, check_status, check_ephemeral_update>(),
    check_row<corev1::PodTemplate, check_template_create, check_template_update>(),
};

}  // namespace

std::span<const CheckRow> pod_checks() { return kRows; }

}  // namespace orrery::server
