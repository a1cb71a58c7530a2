#include <utility>

#include "engine/api/json_value.h"
#include "engine/api/pod_resources.h"
#include "engine/control/common/write_fresh.h"
#include "engine/control/node_lifecycle/node_lifecycle_controller.h"
#include "engine/runtime/api_requests.h"

namespace orrery::control {
namespace {

/// change(Node&) answers whether there is anything to write.
template <typename Change>
Status write_node(const api::Object& cached, std::string_view subresource, WriteLog& log,
                  Change change) {
  return write_fresh(cached, subresource, log,
                     [&](api::Object& node) { return change(node.mut<corev1::Node>()); });
}

}  // namespace

Status NodeLifecycleController::sync(const NodeWork& work, WriteLog& log) {
  for (const NodeAction& action : work.actions) ORRERY_TRY(run_action(work, action, log));
  if (!work.actions.empty()) {
    // The conditions that follow are looked at again with what was written.
    log.once([&] {
      auto& left = actions_[work.key];
      left.erase(left.begin(), left.begin() + static_cast<ptrdiff_t>(work.actions.size()));
      if (left.empty()) actions_.erase(work.key);
      enqueue(work.key);
    });
    return Status();
  }
  return work.node ? reconcile(work, log) : write_pods(work, log);
}

Status NodeLifecycleController::run_action(const NodeWork& work, const NodeAction& action,
                                           WriteLog& log) {
  if (!work.node) return Status();
  switch (action.kind) {
    case NodeAction::Kind::kMarkUnknown:
      return write_unknown(work, log);
    case NodeAction::Kind::kTaint:
      return write_taints(work, action.taints, log);
    case NodeAction::Kind::kMarkPodsNotReady:
      return write_pods(work, log);
  }
  return Status();
}

Status NodeLifecycleController::write_unknown(const NodeWork& work, WriteLog& log) {
  const auto* judged = api::find_condition(*work.node.get<corev1::Node>().status, "Ready");
  return write_node(work.node, "status", log, [&](corev1::Node& node) {
    const auto* ready = api::find_condition(*node.status, "Ready");
    // A sign of life since it was judged.
    if (ready && (!judged || ready->last_heartbeat_time != judged->last_heartbeat_time))
      return false;
    mark_unknown(node, work.now);
    return true;
  });
}

Status NodeLifecycleController::write_taints(const NodeWork& work, const TaintChange& change,
                                             WriteLog& log) {
  return write_node(work.node, "", log,
                    [&](corev1::Node& node) { return apply_taints(node, change, work.now); });
}

Status NodeLifecycleController::reconcile(const NodeWork& work, WriteLog& log) {
  ORRERY_TRY(write_taints(work, condition_taints(work.node.get<corev1::Node>()), log));
  return write_labels(work, log);
}

Status NodeLifecycleController::write_labels(const NodeWork& work, WriteLog& log) {
  const auto missing = missing_labels(work.node.get<corev1::Node>());
  if (missing.empty()) return Status();
  const Status& written =
      log.call([&] {
           api::Json patch = api::Json::object();
           api::Json& labels =
               patch.set("metadata", api::Json::object()).set("labels", api::Json::object());
           for (const auto& [key, value] : missing) labels.set(key, value);
           return patch_request(*work.node.kind(), {}, work.key, PatchKind::kStrategic,
                                patch.dump());
         })
          .status;
  return written.code() == Code::kNotFound ? Status() : written;
}

Status NodeLifecycleController::write_pods(const NodeWork& work, WriteLog& log) {
  std::vector<api::Object> marked;
  for (const api::Object& object : work.pods) {
    const auto& pod = object.get<corev1::Pod>();
    const auto* ready = api::find_condition(*pod.status, "Ready");
    if (!ready) continue;
    corev1::PodCondition condition = *ready;
    condition.status = "False";
    condition.last_transition_time = api::Timestamp::whole_seconds(work.now);
    api::Object copy = object;
    if (api::set_condition(copy.mut<corev1::Pod>().status.mut(), std::move(condition)))
      marked.push_back(std::move(copy));
  }
  const auto answers =
      log.batch(marked.size(), [&](size_t i) { return update_request(marked[i], "status"); });
  Status failure;
  for (size_t i = 0; i < answers.size(); ++i) {
    if (answers[i].status)
      log.event(marked[i], "Warning", "NodeNotReady", "Node is not ready");
    else if (answers[i].status.code() != Code::kNotFound)
      failure = answers[i].status;
  }
  return failure;
}

}  // namespace orrery::control
