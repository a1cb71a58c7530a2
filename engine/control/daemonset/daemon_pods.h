#pragma once

#include <map>
#include <span>
#include <vector>

#include "engine/api/gen/appsv1.h"
#include "engine/api/node_affinity.h"
#include "engine/api/object.h"
#include "engine/base/status.h"

namespace orrery::control {

/// A DaemonSet's pods and the nodes that they belong on. Kubernetes v1.32
/// pkg/controller/daemon/util, NodeShouldRunDaemonPod.

/// The template's tolerations and those that every daemon pod is given.
List<corev1::Toleration> daemon_tolerations(const corev1::PodSpec& spec);

/// On which nodes the pods of a template run.
class DaemonPlacement {
 public:
  explicit DaemonPlacement(const corev1::PodTemplateSpec& pod_template);
  struct Fit {
    bool should_run = false;
    bool may_stay = false;  // a pod that is there is left alone
    bool operator==(const Fit&) const = default;
  };
  Fit fit(const corev1::Node& node) const;

 private:
  Str node_name_;
  api::RequiredNodeAffinity affinity_;
  List<corev1::Toleration> tolerations_;
};

/// What fit() looks at is the same in both.
bool same_for_placement(const corev1::Node& a, const corev1::Node& b);

/// The node that the pod is on or, not scheduled yet, is made for; "": none.
Str target_node(const corev1::Pod& pod);

/// Pods by target node; without those that have ended and are being deleted. In their order.
using PodsByNode = std::map<Str, std::vector<api::Object>>;
PodsByNode pods_by_node(std::span<const api::Object> pods);

/// The oldest first; those without a node last.
void sort_by_age(std::vector<api::Object>& pods);

/// The template for pods of a revision, without their node.
corev1::PodTemplateSpec daemon_template(const appsv1::DaemonSet& ds, const Str& hash);
/// The same for one node.
corev1::PodTemplateSpec for_node(corev1::PodTemplateSpec pod_template, const Str& node);

/// The pod is of the present template: by its hash or, of an earlier age, by its generation.
bool is_updated(const appsv1::DaemonSet& ds, const api::Object& pod, const Str& hash);

/// Of a rolling update, for a number of nodes; 0 for other strategies.
Result<int64_t> surge_count(const appsv1::DaemonSetSpec& spec, int64_t nodes);
Result<int64_t> unavailable_count(const appsv1::DaemonSetSpec& spec, int64_t nodes);
bool allows_surge(const appsv1::DaemonSetSpec& spec);

}  // namespace orrery::control
