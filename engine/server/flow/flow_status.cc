#include "engine/server/flow/flow_status.h"

#include "engine/api/json_value.h"
#include "engine/api/names.h"
#include "engine/api/scalars.h"

namespace orrery::server {

using api::Json;

std::optional<ApiRequest> dangling_update(const flowcontrolv1::FlowSchema& schema, bool has_level, Time now) {
  const std::string_view status = has_level ? "False" : "True", reason = has_level ? "Found" : "NotFound";
  const std::string message =
      str_cat("This FlowSchema references the PriorityLevelConfiguration object named ",
              api::quoted(schema.spec->priority_level_configuration.name), has_level ? " and it exists" : " but there is no such object");
  for (const auto& condition : schema.status->conditions)
    if (condition.type == "Dangling" && condition.status == status && condition.message == std::string_view(message)) return std::nullopt;
  Json condition = Json::object();
  condition.set("type", "Dangling");
  condition.set("status", status);
  condition.set("lastTransitionTime", api::format_time(api::Timestamp::whole_seconds(now)));
  condition.set("reason", reason);
  condition.set("message", message);
  Json body = Json::object();
  body.set("apiVersion", "flowcontrol.apiserver.k8s.io/v1");
  body.set("kind", "FlowSchema");
  body.set("metadata", Json::object()).set("name", schema.metadata->name);
  body.set("status", Json::object()).set("conditions", Json::array()).push_back(std::move(condition));
  ApiRequest request;
  request.verb = ApiVerb::kPatch;
  request.kind = flowcontrolv1::FlowSchema::descriptor().kind;
  request.subresource = "status";
  request.name = schema.metadata->name;
  request.patch_kind = PatchKind::kApply;
  request.patch = Str(body.dump());
  request.field_manager = Str(kFlowConsumer);
  request.names_manager = true;
  request.force = true;
  return request;
}

}  // namespace orrery::server
