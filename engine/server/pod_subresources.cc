// Bindings of pods.
#include "engine/api/gen/corev1.h"
#include "engine/api/names.h"
#include "engine/api/pod_resources.h"
#include "engine/server/errors.h"
#include "engine/server/server.h"

namespace orrery::server {
namespace {

const Str kPodScheduled = Str::literal("PodScheduled"), kTrue = Str::literal("True");

ApiResponse binding_conflict(const Str& pod, std::string_view why) {
  ApiResponse response;
  response.status =
      Status(Code::kConflict, str_cat("Operation cannot be fulfilled on pods/binding \"", pod, "\": ", why));
  auto& details = response.details.mut();
  details.name = pod;
  details.kind = "pods/binding";
  return response;
}

}  // namespace

ApiResponse Server::check_binding(const ApiRequest& request) {
  const auto& target = request.object.get<corev1::Binding>().target;
  ApiResponse response;
  response.unclassified = true;
  std::vector<std::string> wrong;
  if (!target.kind.empty() && target.kind != "Node")
    wrong.push_back(str_cat("target.kind: Unsupported value: ", api::quoted(target.kind), ": supported values: \"Node\", \"<empty>\""));
  if (target.name.empty()) wrong.push_back("target.name: Required value");
  if (wrong.empty()) return {};
  response.status = internal_error(api::aggregate(wrong));
  return response;
}

Server::Plan Server::plan_binding(const ApiRequest& request, const api::Object& old, Time now) const {
  Plan plan;
  const auto& binding = request.object.get<corev1::Binding>();
  const auto& pod = old.get<corev1::Pod>();
  const auto refuse = [&](std::string why) {
    plan.response = binding_conflict(request.name, why);
    return std::move(plan);
  };
  plan.response = check_binding(request);
  if (!plan.response.status.is_ok()) return plan;
  const metav1::ObjectMeta& asked = *binding.metadata;
  if (!asked.uid.empty() && asked.uid != old.meta().uid)
    plan.response = refuse_precondition(request, str_cat("UID in precondition: ", asked.uid, ", UID in object meta: ", old.meta().uid));
  else if (!asked.resource_version.empty() && asked.resource_version != old.meta().resource_version)
    plan.response = refuse_precondition(request, str_cat("ResourceVersion in precondition: ", asked.resource_version,
                                                        ", ResourceVersion in object meta: ", old.meta().resource_version));
  if (!plan.response.status.is_ok()) return plan;
  if (pod.metadata->deletion_timestamp)
    return refuse(str_cat("pod ", request.name, " is being deleted, cannot be assigned to a host"));
  if (!pod.spec->node_name.empty())
    return refuse(str_cat("pod ", request.name, " is already assigned to node \"", pod.spec->node_name, "\""));
  if (!pod.spec->scheduling_gates.empty())
    return refuse(str_cat("pod ", request.name, " has non-empty .spec.schedulingGates"));
  plan.object = old;
  auto& fresh = plan.object.mut<corev1::Pod>();
  fresh.spec.mut().node_name = binding.target.name;
  for (const auto& [key, value] : binding.metadata->annotations) fresh.metadata.mut().annotations.set(key, value);
  corev1::PodCondition scheduled;
  scheduled.type = "PodScheduled";
  scheduled.status = "True";
  scheduled.last_transition_time = api::Timestamp::whole_seconds(now);
  api::set_condition(fresh.status.mut(), std::move(scheduled));
  plan.write = true;
  return plan;
}

}  // namespace orrery::server
