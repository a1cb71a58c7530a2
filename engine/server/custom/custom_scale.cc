#include "engine/server/custom/custom_scale.h"

#include <algorithm>
#include <vector>

#include "engine/api/go_format.h"
#include "engine/server/custom/custom_kinds.h"

namespace orrery::server {
namespace {

using api::Json;

// ".spec.replicas": names only.
std::vector<std::string_view> steps_of(std::string_view path) {
  std::vector<std::string_view> steps;
  while (!path.empty()) {
    if (path.front() == '.') path.remove_prefix(1);
    const size_t end = std::min(path.find('.'), path.size());
    steps.push_back(path.substr(0, end));
    path.remove_prefix(end);
  }
  return steps;
}

const Json* value_at(const Json& root, std::string_view path) {
  const Json* at = path.empty() ? nullptr : &root;
  for (const std::string_view step : steps_of(path)) at = at ? at->find(step) : nullptr;
  return at;
}

int32_t replicas_at(const Json& root, std::string_view path) {
  const Json* value = value_at(root, path);
  return value && value->is_int() ? static_cast<int32_t>(value->as_int()) : 0;
}

void check_replicas(const Json& root, std::string_view path, FieldErrors& errors) {
  const Json* value = value_at(root, path);
  if (!value || path.empty()) return;
  if (!value->is_int()) {
    const std::string_view type = value->is_number()   ? "float64"
                                  : value->is_string() ? "string"
                                  : value->is_bool()   ? "bool"
                                  : value->is_array()  ? "[]interface {}"
                                  : value->is_null()   ? "<nil>"
                                                       : "map[string]interface {}";
    errors.push_back(FieldError::invalid(std::string(path), "0",
                                         str_cat(path, " accessor error: ", value->is_null() ? "<nil>" : api::go_text(*value),
                                                 " is of the type ", type, ", expected int64")));
  } else if (value->as_int() < 0) {
    errors.push_back(FieldError::invalid(std::string(path), str_cat(value->as_int()), "should be a non-negative integer"));
  } else if (value->as_int() > INT32_MAX) {
    errors.push_back(FieldError::invalid(std::string(path), str_cat(value->as_int()),
                                         "should be less than or equal to 2147483647"));
  }
}

}  // namespace

autoscalingv1::Scale scale_of_custom(const api::Object& object) {
  const CustomVersion& version = custom_version(*object.kind());
  const Json rest = api::custom_rest(object);
  const auto& meta = object.meta();
  autoscalingv1::Scale scale;
  auto& m = scale.metadata.mut();
  m.name = meta.name;
  m.namespace_ = meta.namespace_;
  m.uid = meta.uid;
  m.resource_version = meta.resource_version;
  m.creation_timestamp = meta.creation_timestamp;
  const bool named = value_at(rest, version.spec_replicas_path);
  scale.spec.mut().replicas = named ? replicas_at(rest, version.spec_replicas_path) : kNoReplicas;
  scale.status.mut().replicas = replicas_at(rest, version.status_replicas_path);
  const Json* selector = value_at(rest, version.label_selector_path);
  if (selector && selector->is_string()) scale.status.mut().selector = selector->as_string();
  return scale;
}

std::string_view custom_replicas_field(const api::Object& object) { return custom_version(*object.kind()).spec_replicas_path; }

void set_custom_replicas(api::Object& object, int32_t replicas) {
  Json rest = api::custom_rest(object);
  Json* at = &rest;
  const auto steps = steps_of(custom_version(*object.kind()).spec_replicas_path);
  for (size_t i = 0; i + 1 < steps.size(); ++i) {
    Json* next = at->find(steps[i]);
    at = next && next->is_object() ? next : &at->set(steps[i], Json::object());
  }
  if (!steps.empty()) at->set(steps.back(), int64_t{replicas});
  api::set_custom_rest(object, rest);
}

managed::ReplicasPath custom_replicas_path(const api::KindDesc& kind) {
  const CustomResource& resource = *custom_version(kind).resource;
  return [&resource](std::string_view api_version) -> const char* {
    for (const auto& version : resource.versions)
      if (version->api_version == api_version)
        return version->spec_replicas_path.empty() ? "" : version->spec_replicas_path.c_str() + 1;
    return nullptr;
  };
}

void check_custom_scale(const api::Object& object, FieldErrors& errors) {
  const CustomVersion& version = custom_version(*object.kind());
  if (!version.has_scale) return;
  const Json rest = api::custom_rest(object);
  check_replicas(rest, version.spec_replicas_path, errors);
  check_replicas(rest, version.status_replicas_path, errors);
}

}  // namespace orrery::server
