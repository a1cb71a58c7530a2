#include "engine/control/replicaset/scale_down.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <unordered_map>

#include "engine/api/pod_util.h"
#include "engine/control/common/pdq_sort.h"

namespace orrery::control {
namespace {

constexpr std::string_view kDeletionCost = "controller.kubernetes.io/pod-deletion-cost";

/// What the order looks at, gathered once for each pod.
struct Ranked {
  const api::Object* object;
  bool assigned;
  int phase;
  bool ready;
  int32_t cost;
  int64_t related_on_node;
  api::Timestamp ready_since;
  int32_t restarts;
  int32_t sidecar_restarts;
  const Str& uid() const { return object->meta().uid; }
  const api::Timestamp& created() const { return object->meta().creation_timestamp; }
};

int phase_order(const Str& phase) {
  if (phase == "Unknown") return 1;
  return phase == "Running" ? 2 : 0;
}

void count_restarts(const corev1::Pod& pod, Ranked& ranked) {
  for (const auto& status : pod.status->container_statuses)
    ranked.restarts = std::max(ranked.restarts, status.restart_count);
  for (const auto& container : pod.spec->init_containers) {
    if (container.restart_policy.value_or(Str()) != "Always") continue;
    for (const auto& status : pod.status->init_container_statuses)
      if (status.name == container.name)
        ranked.sidecar_restarts = std::max(ranked.sidecar_restarts, status.restart_count);
  }
}

/// log2 of an age in nanoseconds, cut to whole numbers; -1 for no age at all.
int64_t age_bucket(const api::Timestamp& since, Time now) {
  const int64_t age = (now - since.time()).ns;
  return age > 0 ? static_cast<int64_t>(std::log2(static_cast<double>(age))) : -1;
}

/// Negative: a goes first. 0 never, for different times.
int compare_times(const api::Timestamp& a, const api::Timestamp& b, const Ranked& ra,
                  const Ranked& rb, Time now) {
  if (a.is_zero() || b.is_zero()) return a.is_zero() ? -1 : 1;
  const int64_t difference = age_bucket(a, now) - age_bucket(b, now);
  if (difference == 0) return ra.uid() < rb.uid() ? -1 : 1;
  return difference < 0 ? -1 : 1;
}

bool goes_first(const Ranked& a, const Ranked& b, Time now) {
  if (a.assigned != b.assigned) return !a.assigned;
  if (a.phase != b.phase) return a.phase < b.phase;
  if (a.ready != b.ready) return !a.ready;
  if (a.cost != b.cost) return a.cost < b.cost;
  if (a.related_on_node != b.related_on_node) return a.related_on_node > b.related_on_node;
  if (a.ready && b.ready && a.ready_since != b.ready_since)
    return compare_times(a.ready_since, b.ready_since, a, b, now) < 0;
  if (a.restarts != b.restarts) return a.restarts > b.restarts;
  if (a.sidecar_restarts != b.sidecar_restarts) return a.sidecar_restarts > b.sidecar_restarts;
  if (a.created() != b.created()) return compare_times(a.created(), b.created(), a, b, now) < 0;
  return false;
}

}  // namespace

int32_t deletion_cost(const metav1::ObjectMeta& meta) {
  const Str* text = meta.annotations.find(kDeletionCost);
  if (!text || text->empty()) return 0;
  const char first = text->data()[0];
  const bool canonical =
      first == '-' || (first == '0' && text->size() == 1) || (first >= '1' && first <= '9');
  int32_t cost = 0;
  const char* end = text->data() + text->size();
  const auto parsed = std::from_chars(text->data(), end, cost);
  return canonical && parsed.ec == std::errc() && parsed.ptr == end ? cost : 0;
}

std::vector<api::Object> pods_to_delete(std::span<const api::Object> pods,
                                        std::span<const api::Object> related, size_t count,
                                        Time now) {
  if (count >= pods.size()) return {pods.begin(), pods.end()};
  std::unordered_map<Str, int64_t> on_node;  // never iterated
  for (const api::Object& object : related) {
    const auto& pod = object.get<corev1::Pod>();
    if (api::is_pod_active(pod)) ++on_node[pod.spec->node_name];
  }
  std::vector<Ranked> ranked;
  ranked.reserve(pods.size());
  for (const api::Object& object : pods) {
    const auto& pod = object.get<corev1::Pod>();
    const auto found = on_node.find(pod.spec->node_name);
    const bool ready = api::is_pod_ready(pod);
    ranked.push_back(
        {&object, !pod.spec->node_name.empty(), phase_order(pod.status->phase), ready,
         deletion_cost(*pod.metadata), found == on_node.end() ? 0 : found->second,
         ready ? api::pod_condition(pod, "Ready")->last_transition_time : api::Timestamp(), 0, 0});
    count_restarts(pod, ranked.back());
  }
  pdq_sort(std::span<Ranked>(ranked),
           [now](const Ranked& a, const Ranked& b) { return goes_first(a, b, now); });
  std::vector<api::Object> out;
  for (size_t i = 0; i < count; ++i) out.push_back(*ranked[i].object);
  return out;
}

}  // namespace orrery::control
