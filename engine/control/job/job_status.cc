#include "engine/control/job/job_status.h"

namespace orrery::control {

const batchv1::JobCondition* job_condition(const batchv1::JobStatus& status,
                                           std::string_view type) {
  for (const auto& condition : status.conditions)
    if (condition.type == type) return &condition;
  return nullptr;
}

const batchv1::JobCondition* true_condition(const batchv1::JobStatus& status,
                                            std::string_view type) {
  const auto* condition = job_condition(status, type);
  return condition && condition->status == "True" ? condition : nullptr;
}

const batchv1::JobCondition* job_end(const batchv1::JobStatus& status) {
  for (const auto& condition : status.conditions)
    if ((condition.type == "Complete" || condition.type == "Failed") && condition.status == "True")
      return &condition;
  return nullptr;
}

batchv1::JobCondition make_job_condition(std::string_view type, std::string_view status,
                                         std::string_view reason, std::string_view message,
                                         Time now) {
  batchv1::JobCondition condition;
  condition.type = type;
  condition.status = status;
  condition.reason = reason;
  condition.message = message;
  condition.last_probe_time = api::Timestamp::whole_seconds(now);
  condition.last_transition_time = condition.last_probe_time;
  return condition;
}

bool ensure_job_condition(batchv1::JobStatus& status, const batchv1::JobCondition& condition) {
  for (size_t i = 0; i < status.conditions.size(); ++i) {
    const auto& old = status.conditions[i];
    if (old.type != condition.type) continue;
    if (old.status == condition.status && old.reason == condition.reason &&
        old.message == condition.message)
      return false;
    status.conditions.mut(i) = condition;
    return true;
  }
  if (condition.status == "False") return false;
  status.conditions.push_back(condition);
  return true;
}

}  // namespace orrery::control
