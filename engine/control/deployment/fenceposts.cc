#include "engine/control/deployment/fenceposts.h"

#include <algorithm>

#include "engine/control/deployment/revisions.h"

namespace orrery::control {
namespace {

template <typename Read>
int32_t sum(std::span<const api::Object> replica_sets, Read read) {
  int32_t total = 0;
  for (const api::Object& object : replica_sets)
    if (object) total += read(object.get<appsv1::ReplicaSet>());
  return total;
}

/// The change that keeps the ReplicaSet's share of the Deployment.
int32_t fraction(const api::Object& replica_set, const appsv1::Deployment& deployment) {
  const int32_t size = replicas_of(replica_set);
  const auto& spec = *deployment.spec;
  if (spec.replicas.value_or(0) == 0) return -size;
  const int32_t max_now = spec.replicas.value_or(0) + max_surge(spec);
  int32_t max_before = max_replicas_annotation(replica_set).value_or(0);
  if (max_before == 0) max_before = deployment.status->replicas;
  if (max_before == 0) return 0;
  const double scaled = static_cast<double>(size * max_now) / static_cast<double>(max_before);
  return static_cast<int32_t>(scaled < 0 ? scaled - 0.5 : scaled + 0.5) - size;
}

}  // namespace

Result<Fenceposts> resolve_fenceposts(const appsv1::RollingUpdateDeployment& strategy,
                                      int32_t replicas) {
  ORRERY_ASSIGN(const int64_t surge,
                api::scaled_int_or_percent(strategy.max_surge.value_or(0), replicas, true));
  ORRERY_ASSIGN(const int64_t unavailable,
                api::scaled_int_or_percent(strategy.max_unavailable.value_or(0), replicas, false));
  Fenceposts posts{static_cast<int32_t>(surge), static_cast<int32_t>(unavailable)};
  // Validation forbids both to be 0, but a percentage may come to 0; no rollout would ever move.
  if (posts.max_surge == 0 && posts.max_unavailable == 0) posts.max_unavailable = 1;
  return posts;
}

bool is_rolling_update(const appsv1::DeploymentSpec& spec) {
  return spec.strategy.type == "RollingUpdate";
}

int32_t max_surge(const appsv1::DeploymentSpec& spec) {
  if (!is_rolling_update(spec)) return 0;
  const auto posts = resolve_fenceposts(*spec.strategy.rolling_update, spec.replicas.value_or(0));
  return posts ? posts->max_surge : 0;
}

int32_t max_unavailable(const appsv1::DeploymentSpec& spec) {
  const int32_t replicas = spec.replicas.value_or(0);
  if (!is_rolling_update(spec) || replicas == 0) return 0;
  const auto posts = resolve_fenceposts(*spec.strategy.rolling_update, replicas);
  return posts ? std::min(posts->max_unavailable, replicas) : 0;
}

int32_t replicas_of(const api::Object& replica_set) {
  return replica_set.get<appsv1::ReplicaSet>().spec->replicas.value_or(0);
}

int32_t spec_replicas(std::span<const api::Object> replica_sets) {
  return sum(replica_sets, [](const auto& rs) { return rs.spec->replicas.value_or(0); });
}

int32_t actual_replicas(std::span<const api::Object> replica_sets) {
  return sum(replica_sets, [](const auto& rs) { return rs.status->replicas; });
}

int32_t ready_replicas(std::span<const api::Object> replica_sets) {
  return sum(replica_sets, [](const auto& rs) { return rs.status->ready_replicas; });
}

int32_t available_replicas(std::span<const api::Object> replica_sets) {
  return sum(replica_sets, [](const auto& rs) { return rs.status->available_replicas; });
}

Result<int32_t> new_replicas(const appsv1::DeploymentSpec& spec, int32_t total, int32_t current) {
  const int32_t wanted = spec.replicas.value_or(0);
  if (spec.strategy.type == "Recreate") return wanted;
  if (!is_rolling_update(spec))
    return invalid(str_cat("deployment type ", spec.strategy.type, " isn't supported"));
  const auto& strategy = *spec.strategy.rolling_update;
  ORRERY_ASSIGN(const int64_t surge,
                api::scaled_int_or_percent(strategy.max_surge.value_or(0), wanted, true));
  const int32_t total_max = wanted + static_cast<int32_t>(surge);
  if (total >= total_max) return current;
  return current + std::min(total_max - total, wanted - current);
}

int32_t proportion(const api::Object& replica_set, const appsv1::Deployment& deployment,
                   int32_t to_add, int32_t added) {
  if (replicas_of(replica_set) == 0 || to_add == 0 || to_add == added) return 0;
  const int32_t share = fraction(replica_set, deployment);
  const int32_t allowed = to_add - added;
  return to_add > 0 ? std::min(share, allowed) : std::max(share, allowed);
}

}  // namespace orrery::control
