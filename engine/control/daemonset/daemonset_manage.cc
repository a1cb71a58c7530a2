#include <algorithm>
#include <iterator>

#include "engine/api/pod_util.h"
#include "engine/control/common/controller_revisions.h"
#include "engine/control/common/pod_control.h"
#include "engine/control/common/slow_start.h"
#include "engine/control/daemonset/daemonset_sync.h"
#include "engine/runtime/api_requests.h"

namespace orrery::control {

/// One pod on each node that should have one, none elsewhere.
Status DaemonSetSync::manage() {
  ORRERY_TRY(place_pods());
  for (size_t i = 0; i < nodes().size(); ++i) plan_node(i);
  // A pod that waits for a node that is gone is never scheduled.
  auto node = nodes().begin();
  for (const auto& [name, on_node] : pods_) {
    while (node != nodes().end() && node->meta().name < name) ++node;
    if (node != nodes().end() && node->meta().name == name) continue;
    for (const api::Object& pod : on_node)
      if (pod.get<corev1::Pod>().spec->node_name.empty())
        pods_to_delete_.push_back(pod.meta().name);
  }
  log_.once([&] { memory_.backoffs[in_.key] = backoff_; });
  return sync_nodes();
}

void DaemonSetSync::plan_node(size_t node) {
  const Str& name = nodes()[node].meta().name;
  const DaemonPlacement::Fit fit = fits_[node];
  const auto found = pods_.find(name);
  if (found == pods_.end()) {
    if (fit.should_run) nodes_needing_.push_back(name);
    return;
  }
  if (!fit.may_stay) {
    for (const api::Object& pod : found->second)
      if (!pod.meta().deletion_timestamp) pods_to_delete_.push_back(pod.meta().name);
    return;
  }
  std::vector<api::Object> running = remove_ended(found->second, name);
  if (!allows_surge(*ds().spec)) return remove_surplus(std::move(running));
  if (running.empty() && fit.should_run) nodes_needing_.push_back(name);
  if (running.size() > 1) remove_surplus_of_surge(std::move(running));
}

/// The pods that have neither ended nor are being deleted. One that fails again and again is
/// deleted at longer and longer intervals.
std::vector<api::Object> DaemonSetSync::remove_ended(const std::vector<api::Object>& pods,
                                                     const Str& node) {
  std::vector<api::Object> running;
  for (const api::Object& pod : pods) {
    const auto& meta = pod.meta();
    if (meta.deletion_timestamp) continue;
    const Str& phase = pod.get<corev1::Pod>().status->phase;
    const auto found = [&](std::string_view how, std::string_view act) {
      return str_cat("Found ", how, " daemon pod ", meta.namespace_, '/', meta.name, " on node ",
                     node, ", will try to ", act, " it");
    };
    if (phase == "Failed") {
      const Str key = str_cat(ds().metadata->uid, '/', ds().status->observed_generation, '/', node);
      if (const auto wait = backoff_.waits(key, in_.now)) {
        log_.requeue_after(*wait);
        continue;
      }
      backoff_.next(key, in_.now);
      log_.event(in_.ds, "Warning", "FailedDaemonPod", [&] { return found("failed", "kill"); });
      pods_to_delete_.push_back(meta.name);
    } else if (phase == "Succeeded") {
      log_.event(in_.ds, "Normal", "SucceededDaemonPod",
                 [&] { return found("succeeded", "delete"); });
      pods_to_delete_.push_back(meta.name);
    } else {
      running.push_back(pod);
    }
  }
  return running;
}

void DaemonSetSync::remove_surplus(std::vector<api::Object> running) {
  sort_by_age(running);
  for (size_t i = 1; i < running.size(); ++i) pods_to_delete_.push_back(running[i].meta().name);
}

/// Two may be there: an old one that is ready, and a new one that is not available yet.
void DaemonSetSync::remove_surplus_of_surge(std::vector<api::Object> running) {
  sort_by_age(running);
  const api::Object* updated = nullptr;
  const api::Object* old = nullptr;
  for (const api::Object& pod : running) {
    const bool is_new = pod.meta().labels.get(kRevisionHashLabel) == hash_;
    const api::Object*& oldest = is_new ? updated : old;
    if (oldest) {
      pods_to_delete_.push_back(pod.meta().name);
    } else {
      oldest = &pod;
    }
  }
  if (updated && old && (!api::is_pod_ready(old->get<corev1::Pod>()) || is_available(*updated)))
    pods_to_delete_.push_back(old->meta().name);
}

/// Creates and deletes what has been planned, up to a limit each.
Status DaemonSetSync::sync_nodes() {
  const int64_t creations = std::min<int64_t>(std::ssize(nodes_needing_), kBurst);
  const auto deleted = static_cast<size_t>(std::min<int64_t>(std::ssize(pods_to_delete_), kBurst));
  const std::span<const Str> doomed(pods_to_delete_.data(), deleted);
  log_.once([&] {
    std::vector<Str> keys;
    for (const Str& name : doomed) keys.push_back(str_cat(ds().metadata->namespace_, '/', name));
    memory_.expectations.forget(in_.key);
    memory_.expectations.raise(in_.key, creations, keys, in_.now);
  });
  const Status created = create_pods(creations);
  if (log_.pending()) return created;
  const Status gone = delete_pods(doomed);
  nodes_needing_.clear();
  pods_to_delete_.clear();
  return created ? gone : created;
}

Status DaemonSetSync::create_pods(int64_t count) {
  if (count == 0) return Status();
  const auto pod_template = daemon_template(ds(), hash_);
  const SlowStartResult made = slow_start(
      log_, count,
      [&](int64_t i) {
        const Str& node = nodes_needing_[static_cast<size_t>(i)];
        return create_pod_request(in_.ds, pod_from_template(for_node(pod_template, node), in_.ds));
      },
      [&](int64_t, const ApiResponse& response) {
        const Status status = judge_pod_creation(in_.ds, response, log_);
        // Whatever is created there now would be deleted with the namespace.
        return namespace_terminating(response) ? Status() : status;
      });
  if (log_.pending()) return Status();
  outstanding_ |= made.successes > 0;
  log_.once([&] {
    for (int64_t i = made.successes; i < count; ++i)
      memory_.expectations.creation_observed(in_.key);
  });
  return made.error;
}

Status DaemonSetSync::delete_pods(std::span<const Str> names) {
  const Str& ns = ds().metadata->namespace_;
  const auto answers = log_.batch(
      names.size(), [&](size_t i) { return delete_request(kind_of<corev1::Pod>(), ns, names[i]); });
  Status first_failure;
  for (size_t i = 0; i < answers.size(); ++i) {
    const Status status = judge_pod_deletion(in_.ds, names[i], answers[i], log_);
    outstanding_ |= status.is_ok();
    if (status) continue;
    log_.once([&] { memory_.expectations.deletion_observed(in_.key, str_cat(ns, '/', names[i])); });
    if (status.code() != Code::kNotFound && first_failure) first_failure = status;
  }
  return first_failure;
}

}  // namespace orrery::control
