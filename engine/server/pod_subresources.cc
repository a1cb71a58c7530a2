// Bindings of pods.
#include "engine/api/gen/corev1.h"
#include "engine/api/names.h"
#include "engine/api/pod_resources.h"
#include "engine/server/errors.h"
#include "engine/server/server.h"

namespace orrery::server {
namespace {

const Str kPodScheduled = Str::literal("PodScheduled"), kTrue = Str::literal("True");

}  // namespace

namespace {

Status check_binding(const corev1::Binding& binding) {
  const std::string no_name = "target.name: Required value";
  const bool named = !binding.target.name.empty();
  if (binding.target.kind.empty() || binding.target.kind == "Node") return named ? Status::ok() : internal_error(no_name);
  const std::string wrong =
      str_cat("target.kind: Unsupported value: ", api::quoted(binding.target.kind), ": supported values: \"Node\", \"<empty>\"");
  return internal_error(named ? wrong : str_cat("[", wrong, ", ", no_name, "]"));
}

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

Server::Plan Server::plan_binding(const ApiRequest& request, const api::Object& old, Time now) const {
  Plan plan;
  const auto& binding = request.object.get<corev1::Binding>();
  const auto& pod = old.get<corev1::Pod>();
  const auto refuse = [&](std::string why) {
    plan.response = binding_conflict(request.name, why);
    return std::move(plan);
  };
  plan.response.status = check_binding(binding);
  plan.response.unclassified = true;
  if (!plan.response.status.is_ok()) return plan;
  plan.response.unclassified = false;
  const Str& uid = binding.metadata->uid;
  if (!uid.empty() && uid != old.meta().uid)
    return refuse(str_cat("Precondition failed: UID in precondition: ", uid, ", UID in object meta: ", old.meta().uid));
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
