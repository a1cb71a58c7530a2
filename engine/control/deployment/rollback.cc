#include <charconv>
#include <utility>

#include "engine/control/deployment/revisions.h"
#include "engine/control/deployment/rollout.h"
#include "engine/runtime/api_requests.h"

namespace orrery::control {
namespace {

constexpr std::string_view kNotFoundReason = "DeploymentRollbackRevisionNotFound";

}  // namespace

/// The revision that the (deprecated) annotation asks for; 0: the one before the present one.
Opt<int64_t> Rollout::rollback_target() const {
  const Str text = deployment().metadata->annotations.get(kRollbackTo);
  int64_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || parsed.ec != std::errc() || parsed.ptr != text.data() + text.size())
    return {};
  return number;
}

Status Rollout::roll_back() {
  Generations generations;
  ORRERY_TRY(split(true, generations));
  const std::vector<api::Object> all = generations.all();
  int64_t target = *rollback_target();
  if (target == 0) target = last_revision(all);
  if (target == 0) {
    log_.event(in_.deployment, "Warning", kNotFoundReason, "Unable to find last revision.");
    return clear_rollback();
  }
  for (const api::Object& object : all) {
    const Result<int64_t> own = revision(object);
    if (own && *own == target) return roll_back_to(object, target);
  }
  log_.event(in_.deployment, "Warning", kNotFoundReason,
             "Unable to find the revision to rollback to.");
  return clear_rollback();
}

/// The template becomes the old one; the next sync finds that ReplicaSet to be the newest.
Status Rollout::roll_back_to(const api::Object& replica_set, int64_t target) {
  const auto& old_template = *replica_set.get<appsv1::ReplicaSet>().spec->template_;
  if (same_template(*spec().template_, old_template)) {
    log_.event(in_.deployment, "Warning", "DeploymentRollbackTemplateUnchanged",
               str_cat("The rollback revision contains the same template as current deployment \"",
                       deployment().metadata->name, '"'));
    return clear_rollback();
  }
  auto& pod_template = deployment_.mut<appsv1::Deployment>().spec.mut().template_.mut();
  pod_template = old_template;
  if (pod_template.metadata->labels.contains(kTemplateHashLabel))
    pod_template.metadata.mut().labels = without_template_hash(pod_template.metadata->labels);
  take_annotations_back(deployment_, replica_set);
  ORRERY_TRY(clear_rollback());
  log_.event(
      in_.deployment, "Normal", "DeploymentRollback",
      str_cat("Rolled back deployment \"", deployment().metadata->name, "\" to revision ", target));
  return Status();
}

Status Rollout::clear_rollback() {
  deployment_.mut_meta().annotations.erase(kRollbackTo);
  return log_.call([&] { return update_request(deployment_); }).status;
}

}  // namespace orrery::control
