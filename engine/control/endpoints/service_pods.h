#pragma once

#include <map>
#include <optional>
#include <vector>

#include "engine/api/gen/corev1.h"
#include "engine/base/time.h"
#include "engine/runtime/informer.h"

namespace orrery::control {

/// What Endpoints and EndpointSlices have in common: which pods a Service leads to, and where.
/// Source: Kubernetes v1.32 endpointslice/util/controller_utils.go and trigger_time_tracker.go.

/// A pod that runs, or will run, and has an address; one that is being deleted only if asked for.
bool has_endpoint(const corev1::Pod& pod, bool while_deleted);
/// The pod has a DNS name of its own under the Service.
bool has_own_name(const corev1::Pod& pod, const corev1::Service& service);
/// The port of the pod that the Service's port stands for; nullopt: it has no port of that name.
/// Ports of sidecars have names for Endpoints only.
std::optional<int32_t> find_port(const corev1::Pod& pod, const corev1::ServicePort& port, bool sidecars);
bool is_ipv6(std::string_view address);
/// "" and None are none.
bool has_cluster_ip(const corev1::Service& service);
bool selects_pod(const corev1::Service& service, const metav1::ObjectMeta& pod);
/// The selected pods of an informer that is indexed by namespace, by name.
std::vector<api::Object> pods_of(const corev1::Service& service, const Informer& pods, size_t namespaces);
/// Keys of the Services whose endpoints a change of a pod may change.
std::vector<Str> services_of_change(const Change& change, const Informer& services, size_t namespaces);

/// Since when what is about to be written has been due: of a Service that was not known before its
/// creation, else the earliest change since the last time. Plain state of a controller.
class TriggerTimes {
 public:
  /// nullopt: nothing has changed. To be called once for each sync.
  std::optional<Time> next(const Str& key, const corev1::Service& service, const std::vector<api::Object>& pods);
  void forget(const Str& key) { services_.erase(key); }

 private:
  struct Seen {
    std::optional<Time> service;
    std::map<Str, Time> pods;  // since when they are, or are not, ready
  };
  std::map<Str, Seen> services_;
};

}  // namespace orrery::control
