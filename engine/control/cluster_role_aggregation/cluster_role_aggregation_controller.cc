#include "engine/control/cluster_role_aggregation/cluster_role_aggregation_controller.h"

#include <algorithm>

#include "engine/api/cluster_role_aggregation.h"
#include "engine/api/codec_json.h"
#include "engine/api/semantic.h"
#include "engine/runtime/api_requests.h"

namespace orrery::control {
namespace {

using rbacv1::ClusterRole;

bool aggregates(const api::Object& role) { return bool(role.get<ClusterRole>().aggregation_rule); }

ApiRequest apply_rules(const api::Object& role, const List<rbacv1::PolicyRule>& rules) {
  ClusterRole wanted;
  wanted.metadata.mut().name = role.meta().name;
  wanted.rules = rules;
  api::Json body = api::to_json(api::Object::of(wanted));
  body.set("apiVersion", "rbac.authorization.k8s.io/v1");
  body.set("kind", "ClusterRole");
  ApiRequest request = patch_request(kind_of<ClusterRole>(), Str(), role.meta().name, PatchKind::kApply, Str(body.dump()));
  request.field_manager = "clusterrole-aggregation-controller";
  request.names_manager = true;
  request.force = true;
  return request;
}

}  // namespace

ClusterRoleAggregationController::ClusterRoleAggregationController(const Env& env,
                                                                   const ClusterRoleAggregationOptions& options)
    : Reconciler(env, "clusterrole-aggregation-controller", options) {
  add_informer({&kind_of<ClusterRole>(), {}, {}, {}});
}

// Whatever has changed, it may be chosen by any of them.
void ClusterRoleAggregationController::on_change(const Ctx&, size_t number, const Change&) {
  std::vector<Str> names;
  informer(number).for_each([&](const api::Object& role) {
    if (aggregates(role)) names.push_back(role.meta().name);
  });
  std::sort(names.begin(), names.end());
  for (const Str& name : names) enqueue(name);
}

ClusterRoleAggregationInputs ClusterRoleAggregationController::gather(const Ctx&, const Str& key) {
  ClusterRoleAggregationInputs in;
  const api::Object* role = informer(0).find({}, key);
  if (!role || !aggregates(*role)) return in;
  in.role = *role;
  informer(0).for_each([&](const api::Object& other) { in.cluster_roles.push_back(other); });
  return in;
}

Status ClusterRoleAggregationController::sync(const ClusterRoleAggregationInputs& in, WriteLog& log) {
  if (!in.role) return Status();
  const auto& role = in.role.get<ClusterRole>();
  ORRERY_ASSIGN(const List<rbacv1::PolicyRule> rules, api::aggregated_rules(role, in.cluster_roles));
  const bool same = std::equal(rules.begin(), rules.end(), role.rules.begin(), role.rules.end(),
                               [](const auto& a, const auto& b) { return api::semantic_equal(a, b); });
  if (same) return Status();
  return log.call_last([&] { return apply_rules(in.role, rules); }).status;
}

}  // namespace orrery::control
