// What objects that are accepted are warned of. Source: Kubernetes v1.32 pkg/registry/*/strategy.go,
// pkg/api/*/warnings.go.
#include "engine/server/validation/warnings.h"

#include <algorithm>
#include <set>

#include "engine/api/custom_object.h"
#include "engine/api/gen/appsv1.h"
#include "engine/api/gen/batchv1.h"
#include "engine/api/gen/discoveryv1.h"
#include "engine/api/gen/networkingv1.h"
#include "engine/api/gen/nodev1.h"
#include "engine/api/gen/storagev1.h"
#include "engine/api/names.h"
#include "engine/server/object_rules.h"
#include "engine/server/validation/ip.h"
#include "engine/server/validation/metadata.h"
#include "engine/server/validation/text_rules.h"

namespace orrery::server {
namespace {

constexpr Path kSpec("spec");
constexpr Path kAnnotations("metadata.annotations");

// A name that becomes part of host names.
void warn_of_name(const Str& name, std::string_view use, Warnings& out) {
  const Messages wrong = api::check_dns1123_label(name);
  if (!wrong.empty())
    out.push_back(str_cat("metadata.name: this is used in ", use, ", which can result in surprising behavior; a DNS label is recommended: [",
                          api::join(wrong, " "), "]"));
}
constexpr std::string_view kOfPods = "Pod names and hostnames";

bool is_changed(const api::Object& object, const api::Object& old) { return !old || object.meta().generation != old.meta().generation; }

template <typename T>
void warn_of_workload(const T& workload, bool is_named, bool fresh, Warnings& out) {
  if (is_named && fresh) warn_of_name(workload.metadata->name, kOfPods, out);
  warn_of_template(*workload.spec->template_, kSpec.child("template"), out);
}

void warn_of_job_spec(const batchv1::JobSpec& spec, const Path& at, Warnings& out) {
  constexpr int32_t kCompletionsMax = 100'000, kParallelismMax = 10'000;
  if (spec.completion_mode == Str("Indexed") && spec.completions.value_or(0) > kCompletionsMax && spec.parallelism.value_or(0) > kParallelismMax)
    warn(at,
         "In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able "
         "to track completedIndexes when a big number of indexes fail",
         out);
  warn_of_template(*spec.template_, at.child("template"), out);
}

void warn_of_stateful_set(const appsv1::StatefulSet& set, bool changed, bool fresh, Warnings& out) {
  if (changed) warn_of_workload(set, false, fresh, out);
  for (size_t i = 0; i < set.spec->volume_claim_templates.size(); ++i) {
    const Path at = kSpec.child("volumeClaimTemplates", i);
    const auto& claim = *set.spec->volume_claim_templates[i].spec;
    if (fresh) warn_of_claim_spec(claim, at, out);
    else warn_of_claim_spec(claim, at.child("Spec"), out);
  }
}

void warn_of_workloads(const api::Object& object, const api::Object& old, Warnings& out) {
  const bool changed = is_changed(object, old), fresh = !old;
  if (const auto* pod = object.as<corev1::Pod>()) {
    if (!fresh) return;
    warn_of_name(pod->metadata->name, "the Pod's hostname", out);
    warn_of_pod_spec(*pod->spec, *pod->metadata, kSpec, kAnnotations, false, out);
  } else if (const auto* set = object.as<appsv1::StatefulSet>()) {
    warn_of_stateful_set(*set, changed, fresh, out);
  } else if (!changed) {
    return;
  } else if (const auto* d = object.as<appsv1::Deployment>()) {
    warn_of_workload(*d, true, fresh, out);
  } else if (const auto* rs = object.as<appsv1::ReplicaSet>()) {
    warn_of_workload(*rs, true, fresh, out);
  } else if (const auto* rc = object.as<corev1::ReplicationController>()) {
    if (rc->spec->template_) warn_of_workload(*rc, true, fresh, out);
  } else if (const auto* ds = object.as<appsv1::DaemonSet>()) {
    warn_of_workload(*ds, false, fresh, out);
  } else if (const auto* tmpl = object.as<corev1::PodTemplate>()) {
    warn_of_template(*tmpl->template_, Path("template"), out);
  } else if (const auto* job = object.as<batchv1::Job>()) {
    if (fresh) warn_of_name(job->metadata->name, kOfPods, out);
    warn_of_job_spec(*job->spec, kSpec, out);
  } else if (const auto* cron = object.as<batchv1::CronJob>()) {
    if (fresh) warn_of_name(cron->metadata->name, kOfPods, out);
    warn_of_job_spec(*cron->spec->job_template.spec, kSpec.child("jobTemplate.spec"), out);
  }
}

// What Go's crypto/tls finds wrong before it reads what the blocks hold.
void warn_of_key_pair(const corev1::Secret& secret, Warnings& out) {
  if (secret.type != "kubernetes.io/tls") return;
  const auto has_block = [&](std::string_view key) { return contains(secret.data.get(key), "-----BEGIN "); };
  if (!has_block("tls.crt")) out.push_back("tls: failed to find any PEM data in certificate input");
  else if (!has_block("tls.key")) out.push_back("tls: failed to find any PEM data in key input");
}

void warn_of_account(const corev1::ServiceAccount& account, const api::Object& old, Warnings& out) {
  constexpr std::string_view kKey = "kubernetes.io/enforce-mountable-secrets";
  const Str* value = account.metadata->annotations.find(kKey);
  if (!value) return;
  const Str* before = old ? old.meta().annotations.find(kKey) : nullptr;
  if (!before || *before != *value)
    warn(kAnnotations.key(kKey), "deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets", out);
}

std::string at_rest(std::string_view what, std::string_view rest) { return str_cat(what, " (at ", api::quoted(rest), ")"); }

// What Go's net/netip says about an IPv4 address; empty: nothing.
std::string ipv4_error(std::string_view ip) {
  int value = 0, digits = 0, dots = 0;
  for (size_t i = 0; i < ip.size(); ++i) {
    if (ip[i] >= '0' && ip[i] <= '9') {
      if (digits == 1 && value == 0) return "IPv4 field has octet with leading zero";
      value = value * 10 + (ip[i] - '0');
      ++digits;
      if (value > 255) return "IPv4 field has value >255";
    } else if (ip[i] == '.') {
      if (digits == 0 || i + 1 == ip.size()) return at_rest("IPv4 field must have at least one digit", ip.substr(i));
      if (++dots > 3) return "IPv4 address too long";
      value = digits = 0;
    } else {
      return at_rest("unexpected character", ip.substr(i));
    }
  }
  return dots < 3 ? "IPv4 address too short" : "";
}

// The same of any address; IPv6 addresses are taken as they are.
std::string ip_error(std::string_view ip) {
  const size_t first = ip.find_first_of(".:%");
  if (first == std::string_view::npos) return "unable to parse IP";
  if (ip[first] == '%') return "missing IPv6 address";
  return ip[first] == '.' ? ipv4_error(ip) : "";
}

void warn_of_ip(const Str& ip, const Path& at, Warnings& out) {
  if (ip.empty()) return;
  if (const std::string wrong = ip_error(ip); !wrong.empty())
    warn(at, str_cat("IP address was accepted, but will be invalid in a future Kubernetes release: ParseAddr(", api::quoted(ip),
                     "): ", wrong), out);
}

void warn_of_service(const corev1::Service& service, Warnings& out) {
  const auto& spec = *service.spec;
  constexpr std::string_view kHints = "service.kubernetes.io/topology-aware-hints";
  if (service.metadata->annotations.contains(kHints))
    out.push_back(str_cat("annotation ", kHints, " is deprecated, please use service.kubernetes.io/topology-mode instead"));
  for (size_t i = 0; i < spec.cluster_ips.size() && spec.cluster_ips[i] != "None"; ++i) warn_of_ip(spec.cluster_ips[i], kSpec.child("clusterIPs", i), out);
  for (size_t i = 0; i < spec.external_ips.size(); ++i) warn_of_ip(spec.external_ips[i], kSpec.child("externalIPs", i), out);
  warn_of_ip(spec.load_balancer_ip, kSpec.child("loadBalancerIP"), out);
  if (spec.type == "ExternalName" && !spec.external_ips.empty()) out.push_back("spec.externalIPs is ignored when spec.type is \"ExternalName\"");
  if (spec.type != "ExternalName" && !spec.external_name.empty())
    out.push_back("spec.externalName is ignored when spec.type is not \"ExternalName\"");
}

void warn_of_volume(const corev1::PersistentVolume& volume, Warnings& out) {
  const auto& annotations = volume.metadata->annotations;
  const auto& spec = *volume.spec;
  const auto old_key = [&](std::string_view key, std::string_view text) {
    if (annotations.contains(key)) warn(kAnnotations.key(key), text, out);
  };
  old_key("volume.beta.kubernetes.io/storage-class", "deprecated since v1.8; use \"storageClassName\" attribute instead");
  old_key("volume.beta.kubernetes.io/mount-options", "deprecated since v1.31; use \"mountOptions\" attribute instead");
  if (spec.persistent_volume_reclaim_policy == "Recycle")
    warn(kSpec.child("persistentVolumeReclaimPolicy"),
         "The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.", out);
  const Path terms = kSpec.child("nodeAffinity.required.nodeSelectorTerms");
  if (spec.node_affinity && spec.node_affinity->required)
    for (size_t i = 0; i < spec.node_affinity->required->node_selector_terms.size(); ++i)
      warn_of_node_term(spec.node_affinity->required->node_selector_terms[i], terms.index(i), out);
  const auto old_source = [&](bool is, std::string_view name, std::string_view text) {
    if (is) warn(kSpec.child(name), text, out);
  };
  old_source(static_cast<bool>(spec.cephfs), "cephfs", "deprecated in v1.28, non-functional in v1.31+");
  old_source(static_cast<bool>(spec.photon_persistent_disk), "photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+");
  old_source(static_cast<bool>(spec.scale_io), "scaleIO", "deprecated in v1.16, non-functional in v1.22+");
  old_source(static_cast<bool>(spec.storageos), "storageOS", "deprecated in v1.22, non-functional in v1.25+");
  old_source(static_cast<bool>(spec.glusterfs), "glusterfs", "deprecated in v1.25, non-functional in v1.26+");
  old_source(static_cast<bool>(spec.rbd), "rbd", "deprecated in v1.28, non-functional in v1.31+");
}

void warn_of_claim(const corev1::PersistentVolumeClaim& claim, Warnings& out) {
  constexpr std::string_view kClass = "volume.beta.kubernetes.io/storage-class";
  if (claim.metadata->annotations.contains(kClass))
    warn(kAnnotations.key(kClass), "deprecated since v1.8; use \"storageClassName\" attribute instead", out);
  warn_of_claim_spec(*claim.spec, kSpec, out);
}

void warn_of_topologies(const storagev1::StorageClass& sc, Warnings& out) {
  constexpr Path kTopologies("allowedTopologies");
  for (size_t i = 0; i < sc.allowed_topologies.size(); ++i)
    for (size_t e = 0; e < sc.allowed_topologies[i].match_label_expressions.size(); ++e) {
      const Path term = kTopologies.index(i);
      const Path at = term.child("matchLabelExpressions", e);
      const auto text = deprecated_label(sc.allowed_topologies[i].match_label_expressions[e].key);
      if (!text.empty()) warn(at.child("key"), text, out);
    }
}

void warn_of_capacity(const storagev1::CSIStorageCapacity& capacity, Warnings& out) {
  constexpr Path kTopology("nodeTopology");
  if (!capacity.node_topology) return;
  const auto& expressions = capacity.node_topology->match_expressions;
  for (size_t i = 0; i < expressions.size(); ++i) {
    const Path at = kTopology.child("matchExpressions", i);
    if (const auto text = deprecated_label(expressions[i].key); !text.empty()) warn(at.child("key"), str_cat(expressions[i].key, " is ", text), out);
  }
  const Path labels = kTopology.child("matchLabels");
  for (const auto& entry : capacity.node_topology->match_labels)
    if (const auto text = deprecated_label(entry.key); !text.empty()) warn(labels.child(entry.key), text, out);
}

void warn_of_node(const corev1::Node& node, Warnings& out) {
  if (node.spec->config_source) out.push_back("spec.configSource: the feature is removed");
  if (!node.spec->external_id.empty()) out.push_back("spec.externalID: this field is deprecated, and is unused by Kubernetes");
}

void warn_of_others(const api::Object& object, const api::Object& old, Warnings& out) {
  if (const auto* secret = object.as<corev1::Secret>()) warn_of_key_pair(*secret, out);
  else if (const auto* account = object.as<corev1::ServiceAccount>()) warn_of_account(*account, old, out);
  else if (const auto* service = object.as<corev1::Service>()) warn_of_service(*service, out);
  else if (const auto* volume = object.as<corev1::PersistentVolume>()) warn_of_volume(*volume, out);
  else if (const auto* claim = object.as<corev1::PersistentVolumeClaim>()) warn_of_claim(*claim, out);
  else if (const auto* node = object.as<corev1::Node>()) warn_of_node(*node, out);
  else if (const auto* sc = object.as<storagev1::StorageClass>()) warn_of_topologies(*sc, out);
  else if (const auto* capacity = object.as<storagev1::CSIStorageCapacity>()) warn_of_capacity(*capacity, out);
  if (const auto* cron = object.as<batchv1::CronJob>(); cron && old && contains(cron->spec->schedule, "TZ"))
    out.push_back("cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see "
                  "https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details");
  if (const auto* slice = object.as<discoveryv1::EndpointSlice>(); slice && !old && slice->address_type == "FQDN")
    out.push_back("spec.addressType: FQDN endpoints are deprecated");
  if (const auto* ingress = object.as<networkingv1::Ingress>(); ingress && !old) {
    if (ingress->metadata->annotations.contains("kubernetes.io/ingress.class") && !ingress->spec->ingress_class_name)
      out.push_back("annotation \"kubernetes.io/ingress.class\" is deprecated, please use 'spec.ingressClassName' instead");
  }
  if (const auto* rc = object.as<nodev1::RuntimeClass>(); rc && rc->scheduling)
    for (const auto& entry : rc->scheduling->node_selector)
      if (const auto text = deprecated_label(entry.key); !text.empty()) out.push_back(str_cat("scheduling.nodeSelector: ", text));
}

}  // namespace

// Of custom resources only new finalizers, which are not refused for their form.
// Source: Kubernetes v1.32 apiextensions-apiserver pkg/registry/customresource/strategy.go.
void warn_of_finalizers(const metav1::ObjectMeta& meta, const api::Object& old, Warnings& out) {
  constexpr Path kFinalizers("metadata.finalizers");
  std::set<Str> fresh(meta.finalizers.begin(), meta.finalizers.end());
  if (old)
    for (const Str& finalizer : old.meta().finalizers) fresh.erase(finalizer);
  for (const Str& finalizer : fresh) {
    for (const std::string& wrong : api::check_qualified_name(finalizer))
      warn(kFinalizers, str_cat(api::quoted(finalizer), ": ", wrong), out);
    Findings findings;
    check_kube_finalizer(finalizer, kFinalizers, findings);
    if (!findings.take().empty())
      warn(kFinalizers, str_cat(api::quoted(finalizer), ": prefer a domain-qualified finalizer name to avoid accidental conflicts "
                                "with other finalizer writers"), out);
  }
}

std::vector<std::string> warnings_for(const api::Object& object, const api::Object& old) {
  Warnings out;
  if (api::is_custom(*object.kind())) warn_of_finalizers(object.meta(), old, out);
  warn_of_workloads(object, old, out);
  warn_of_others(object, old, out);
  // Each text is told once.
  Warnings distinct;
  for (std::string& text : out)
    if (std::find(distinct.begin(), distinct.end(), text) == distinct.end()) distinct.push_back(std::move(text));
  return distinct;
}

}  // namespace orrery::server
