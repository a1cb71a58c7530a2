#include "engine/api/pod_resources.h"

namespace orrery::api {
namespace {

void add(ResourceList& sum, const ResourceList& more) {
  for (const auto& [name, quantity] : more) {
    if (const Quantity* have = sum.find(name)) {
      Quantity total = *have;
      total.add(quantity);
      sum.set(name, total);
    } else {
      sum.set(name, quantity);
    }
  }
}

void raise(ResourceList& most, const ResourceList& other) {
  for (const auto& [name, quantity] : other) {
    const Quantity* have = most.find(name);
    if (!have || quantity > *have) most.set(name, quantity);
  }
}

bool is_sidecar(const corev1::Container& c) { return c.restart_policy && *c.restart_policy == "Always"; }

template <typename Pick>
ResourceList aggregate(const corev1::PodSpec& spec, Pick pick) {
  ResourceList together, start, sidecars;
  for (const auto& c : spec.containers) add(together, pick(c));
  for (const auto& c : spec.init_containers) {
    if (is_sidecar(c)) {
      add(together, pick(c));
      add(sidecars, pick(c));
      raise(start, sidecars);
    } else {
      ResourceList step = pick(c);
      add(step, sidecars);
      raise(start, step);
    }
  }
  raise(together, start);
  return together;
}

const Str kCpu = Str::literal("cpu");
const Str kMemory = Str::literal("memory");

}  // namespace

ResourceList pod_requests(const corev1::PodSpec& spec) {
  ResourceList requests = aggregate(spec, [](const corev1::Container& c) { return c.resources.requests; });
  add(requests, spec.overhead);
  return requests;
}

ResourceList pod_limits(const corev1::PodSpec& spec) {
  ResourceList limits = aggregate(spec, [](const corev1::Container& c) { return c.resources.limits; });
  for (const auto& [name, quantity] : spec.overhead)
    if (const Quantity* have = limits.find(name)) {
      Quantity total = *have;
      total.add(quantity);
      limits.set(name, total);
    }
  return limits;
}

void pod_nonzero_requests(const corev1::PodSpec& spec, int64_t* milli_cpu, int64_t* memory_bytes) {
  ResourceList requests = aggregate(spec, [](const corev1::Container& c) {
    ResourceList list;
    const Quantity* cpu = c.resources.requests.find(kCpu);
    const Quantity* memory = c.resources.requests.find(kMemory);
    list.set(kCpu, cpu ? *cpu : Quantity::from_milli(100));
    list.set(kMemory, memory ? *memory : Quantity::from_int(200 * 1024 * 1024));
    return list;
  });
  add(requests, spec.overhead);
  *milli_cpu = requests.get(kCpu).milli_value();
  *memory_bytes = requests.get(kMemory).value();
}

Str qos_class(const corev1::PodSpec& spec) {
  static const Str kGuaranteed = Str::literal("Guaranteed"), kBurstable = Str::literal("Burstable"),
                   kBestEffort = Str::literal("BestEffort");
  bool any = false, guaranteed = true;
  ResourceList requests, limits;
  const auto visit = [&](const corev1::Container& c) {
    size_t limited = 0;
    for (const Str& name : {kCpu, kMemory}) {
      const Quantity* request = c.resources.requests.find(name);
      const Quantity* limit = c.resources.limits.find(name);
      any = any || (request && !request->is_zero()) || (limit && !limit->is_zero());
      if (limit && !limit->is_zero()) ++limited;
      if (request && (!limit || *request != *limit)) guaranteed = false;
    }
    guaranteed = guaranteed && limited == 2;
  };
  for (const auto& c : spec.containers) visit(c);
  for (const auto& c : spec.init_containers) visit(c);
  if (!any) return kBestEffort;
  return guaranteed ? kGuaranteed : kBurstable;
}

bool is_terminal(const corev1::Pod& pod) {
  return pod.status->phase == "Succeeded" || pod.status->phase == "Failed";
}

bool is_active(const corev1::Pod& pod) { return !is_terminal(pod) && !pod.metadata->deletion_timestamp; }

const corev1::PodCondition* find_condition(const corev1::PodStatus& status, std::string_view type) {
  for (const auto& c : status.conditions)
    if (c.type == type) return &c;
  return nullptr;
}

bool set_condition(corev1::PodStatus& status, corev1::PodCondition condition) {
  for (size_t i = 0; i < status.conditions.size(); ++i) {
    const auto& old = status.conditions[i];
    if (old.type != condition.type) continue;
    if (old.status == condition.status) condition.last_transition_time = old.last_transition_time;
    const bool same = old.status == condition.status && old.reason == condition.reason && old.message == condition.message &&
                      old.last_probe_time == condition.last_probe_time && old.last_transition_time == condition.last_transition_time;
    if (!same) status.conditions.mut(i) = std::move(condition);
    return !same;
  }
  status.conditions.push_back(std::move(condition));
  return true;
}

bool is_ready(const corev1::Pod& pod) {
  const auto* ready = find_condition(*pod.status, "Ready");
  return ready && ready->status == "True";
}

bool is_available(const corev1::Pod& pod, int32_t min_ready_seconds, Time now) {
  const auto* ready = find_condition(*pod.status, "Ready");
  if (!ready || ready->status != "True") return false;
  if (min_ready_seconds == 0) return true;
  return ready->last_transition_time.set &&
         ready->last_transition_time.time() + Duration::seconds(min_ready_seconds) < now;
}

const corev1::NodeCondition* find_condition(const corev1::NodeStatus& status, std::string_view type) {
  for (const auto& c : status.conditions)
    if (c.type == type) return &c;
  return nullptr;
}

}  // namespace orrery::api
