#include "engine/control/pod_gc/pod_gc_controller.h"

#include <algorithm>
#include <utility>

#include "engine/api/pod_resources.h"
#include "engine/api/pod_util.h"
#include "engine/control/common/write_fresh.h"

namespace orrery::control {
namespace {

constexpr std::string_view kEndedPods =
    "status.phase!=Pending,status.phase!=Running,status.phase!=Unknown,status.phase!=";

bool has_ended(const corev1::Pod& pod) {
  const Str& phase = pod.status->phase;
  return phase != "Pending" && phase != "Running" && phase != "Unknown";
}

bool is_evicted(const corev1::Pod& pod) {
  return pod.status->phase == "Failed" && pod.status->reason == "Evicted";
}

bool goes_first(const api::Object& a, const api::Object& b) {
  const bool a_evicted = is_evicted(a.get<corev1::Pod>());
  if (a_evicted != is_evicted(b.get<corev1::Pod>())) return a_evicted;
  const auto &a_created = a.meta().creation_timestamp, &b_created = b.meta().creation_timestamp;
  return a_created == b_created ? a.meta().name < b.meta().name : a_created < b_created;
}

}  // namespace

PodGcController::PodGcController(const Env& env, const PodGcOptions& options)
    : Reconciler(env, "pod-garbage-collector", options),
      terminated_threshold_(options.terminated_threshold) {
  add_lazy_informer({&kind_of<corev1::Pod>(), {}, {}, {}});
  add_informer({&kind_of<corev1::Node>(), {}, {}, {}});
  // The first pod that ends makes it look at all pods.
  if (options.lazy_watches) add_informer({&kind_of<corev1::Pod>(), {}, {}, kEndedPods});
}

bool PodGcController::is_out_of_service(const Str& name) const {
  const api::Object* object = informer(kNodes).find({}, name);
  if (!object) return false;
  const auto& node = object->get<corev1::Node>();
  const auto* ready = api::find_condition(*node.status, "Ready");
  if (ready && ready->status == "True") return false;
  return std::any_of(node.spec->taints.begin(), node.spec->taints.end(), [](const auto& taint) {
    return taint.key == "node.kubernetes.io/out-of-service";
  });
}

/// A pass could find something to do about this pod.
bool PodGcController::concerns(const corev1::Pod& pod) const {
  const Str& node = pod.spec->node_name;
  if (node.empty()) return pod.metadata->deletion_timestamp.has_value();
  if (!informer(kNodes).find({}, node)) return true;
  return pod.metadata->deletion_timestamp && is_out_of_service(node);
}

void PodGcController::on_change(const Ctx& ctx, size_t informer_number, const Change& change) {
  if (informer_number == kEnded) return need(kPods);
  if (informer_number == kPods) {
    terminated_ += (change.after && has_ended(change.after.get<corev1::Pod>())) -
                   (change.before && has_ended(change.before.get<corev1::Pod>()));
    const bool too_many = terminated_threshold_ > 0 && terminated_ > terminated_threshold_;
    if (too_many || (change.after && concerns(change.after.get<corev1::Pod>())))
      enqueue_pass(ctx.now);
    return;
  }
  if (change.after && !is_out_of_service(change.after.meta().name)) return;
  need(kPods);
  enqueue_pass(ctx.now);
}

/// At the next time of the grid.
void PodGcController::enqueue_pass(Time now) {
  const int64_t passes = (now - origin_).ns / kPeriod.ns + 1;
  enqueue_after(pass_key(), origin_ + kPeriod * passes - now);
}

std::vector<api::Object> PodGcController::terminated() const {
  std::vector<api::Object> pods;
  informer(kPods).for_each([&](const api::Object& pod) {
    if (has_ended(pod.get<corev1::Pod>())) pods.push_back(pod);
  });
  std::sort(pods.begin(), pods.end(), goes_first);
  return pods;
}

void PodGcController::gather_terminated(PodGcInputs& in) const {
  if (terminated_threshold_ <= 0 || terminated_ <= terminated_threshold_) return;
  const auto pods = terminated();
  for (int64_t i = 0; i < terminated_ - terminated_threshold_; ++i)
    in.pods.push_back({pods[static_cast<size_t>(i)]});
}

/// Nodes that pods name and that have been missing for long enough.
void PodGcController::gather_quarantined(PodGcInputs& in) {
  std::set<Str> missing;
  informer(kPods).for_each([&](const api::Object& object) {
    const Str& node = object.get<corev1::Pod>().spec->node_name;
    if (!node.empty() && !informer(kNodes).find({}, node)) missing.insert(node);
  });
  std::erase_if(missing_nodes_, [&](const auto& entry) { return !missing.contains(entry.first); });
  for (const Str& node : missing) {
    const Time since = missing_nodes_.emplace(node, in.now).first->second;
    if (in.now - since >= kQuarantine) in.quarantined_nodes.push_back(node);
  }
}

PodGcInputs PodGcController::gather(const Ctx& ctx, const Str&) {
  PodGcInputs in;
  in.now = ctx.now;
  gather_terminated(in);
  gather_quarantined(in);
  std::vector<api::Object> out_of_service, orphans, unscheduled;
  informer(kPods).for_each([&](const api::Object& object) {
    const auto& pod = object.get<corev1::Pod>();
    const Str& node = pod.spec->node_name;
    const bool goes = pod.metadata->deletion_timestamp.has_value();
    if (node.empty()) {
      if (goes) unscheduled.push_back(object);
    } else if (std::binary_search(in.quarantined_nodes.begin(), in.quarantined_nodes.end(), node)) {
      orphans.push_back(object);
    } else if (goes && is_out_of_service(node)) {
      out_of_service.push_back(object);
    }
  });
  for (auto* group : {&out_of_service, &orphans, &unscheduled}) {
    std::sort(group->begin(), group->end(), goes_first);
    for (const api::Object& pod : *group) in.pods.push_back({pod, group == &orphans});
  }
  return in;
}

Status PodGcController::sync(const PodGcInputs& in, WriteLog& log) {
  std::set<Str> gone;
  const auto answers = log.batch(in.quarantined_nodes.size(), [&](size_t i) {
    return get_request(kind_of<corev1::Node>(), {}, in.quarantined_nodes[i]);
  });
  for (size_t i = 0; i < answers.size(); ++i)
    if (answers[i].status.code() == Code::kNotFound) gone.insert(in.quarantined_nodes[i]);
  Status failure;
  for (const auto& doomed : in.pods) {
    const Str& node = doomed.pod.get<corev1::Pod>().spec->node_name;
    if (doomed.orphan && !gone.contains(node)) continue;
    const Status removed = remove(in, doomed, log);
    if (log.pending()) return removed;
    if (!removed) failure = removed;
  }
  return failure;
}

/// The pod ends as Failed first: its kubelet will not say so any more.
Status PodGcController::remove(const PodGcInputs& in, const PodGcInputs::Doomed& doomed,
                               WriteLog& log) {
  if (!api::is_pod_terminal(doomed.pod.get<corev1::Pod>())) {
    ORRERY_TRY(write_fresh(doomed.pod, "status", log, [&](api::Object& pod) {
      auto& status = pod.mut<corev1::Pod>().status.mut();
      status.phase = "Failed";
      if (!doomed.orphan) return true;
      corev1::PodCondition condition;
      condition.type = "DisruptionTarget";
      condition.status = "True";
      condition.reason = "DeletionByPodGC";
      condition.message = "PodGC: node no longer exists";
      condition.last_transition_time = api::Timestamp::whole_seconds(in.now);
      api::set_condition(status, std::move(condition));
      return true;
    }));
  }
  ApiDeleteOptions options;
  options.grace_seconds = int64_t{0};
  const auto& meta = doomed.pod.meta();
  const Status& deleted =
      log.call([&] {
           return delete_request(*doomed.pod.kind(), meta.namespace_, meta.name, options);
         })
          .status;
  return deleted.code() == Code::kNotFound ? Status() : deleted;
}

void PodGcController::on_finished(const Ctx& ctx, const Str&, const Status& status) {
  // Quarantines run, or something is left to try again.
  if (!missing_nodes_.empty() || !status) enqueue_pass(ctx.now);
}

}  // namespace orrery::control
