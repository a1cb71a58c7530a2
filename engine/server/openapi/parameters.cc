#include "engine/server/openapi/parameters.h"

#include <algorithm>

namespace orrery::server {
namespace {

using api::Json;

constexpr Parameter kGet[] = {{"resourceVersion", "string"}};
constexpr Parameter kList[] = {{"allowWatchBookmarks", "boolean"},
                               {"continue", "string"},
                               {"fieldSelector", "string"},
                               {"labelSelector", "string"},
                               {"limit", "integer"},
                               {"resourceVersion", "string"},
                               {"resourceVersionMatch", "string"},
                               {"sendInitialEvents", "boolean"},
                               {"timeoutSeconds", "integer"},
                               {"watch", "boolean"}};
constexpr Parameter kWrite[] = {
    {"dryRun", "string"}, {"fieldManager", "string"}, {"fieldValidation", "string"}};
constexpr Parameter kPatch[] = {{"dryRun", "string"},
                                {"fieldManager", "string"},
                                {"fieldValidation", "string"},
                                {"force", "boolean"}};
constexpr Parameter kDelete[] = {{"dryRun", "string"},
                                 {"gracePeriodSeconds", "integer"},
                                 {"ignoreStoreReadErrorWithClusterBreakingPotential", "boolean"},
                                 {"orphanDependents", "boolean"},
                                 {"propagationPolicy", "string"}};
constexpr Parameter kDeleteCollection[] = {
    {"continue", "string"},
    {"dryRun", "string"},
    {"fieldSelector", "string"},
    {"gracePeriodSeconds", "integer"},
    {"ignoreStoreReadErrorWithClusterBreakingPotential", "boolean"},
    {"labelSelector", "string"},
    {"limit", "integer"},
    {"orphanDependents", "boolean"},
    {"propagationPolicy", "string"},
    {"resourceVersion", "string"},
    {"resourceVersionMatch", "string"},
    {"sendInitialEvents", "boolean"},
    {"timeoutSeconds", "integer"}};

bool contains(const Parameters& parameters, const Parameter& one) {
  return std::any_of(parameters.begin(), parameters.end(), [&](const Parameter& p) {
    return p.name == one.name && p.in_path == one.in_path;
  });
}

Json written(Parameters parameters) {
  std::sort(parameters.begin(), parameters.end(), [](const Parameter& a, const Parameter& b) {
    return std::pair(a.name, !a.in_path) < std::pair(b.name, !b.in_path);
  });
  Json out = Json::array();
  for (const Parameter& parameter : parameters) {
    Json& entry = out.push_back(Json::object());
    entry.set("name", parameter.name);
    entry.set("in", parameter.in_path ? "path" : "query");
    if (parameter.in_path) entry.set("required", true);
    Json& schema = entry.set("schema", Json::object());
    schema.set("type", parameter.type);
    schema.set("uniqueItems", true);
  }
  return out;
}

}  // namespace

std::span<const Parameter> query_parameters(std::string_view action, bool custom) {
  if (custom && action == "get") return kGet;
  if (custom && action == "deletecollection") return kList;
  if (action == "list" || action == "watch" || action == "watchlist") return kList;
  if (action == "post" || action == "put") return kWrite;
  if (action == "patch") return kPatch;
  if (action == "delete") return kDelete;
  if (action == "deletecollection") return kDeleteCollection;
  return {};
}

Parameters option_parameters(const api::TypeDesc& options) {
  Parameters out;
  for (const api::FieldDesc& field : options.fields) {
    // Times cannot be told. Source: Kubernetes v1.32 apiserver/pkg/endpoints, AddObjectParams.
    if (field.form == api::Form::kInline || field.kind == api::FieldKind::kTime) continue;
    const bool number =
        field.kind == api::FieldKind::kInt32 || field.kind == api::FieldKind::kInt64;
    out.push_back({field.json, number                                ? "integer"
                               : field.kind == api::FieldKind::kBool ? "boolean"
                                                                     : "string"});
  }
  return out;
}

void place_parameters(Json& methods, const std::vector<Parameters>& parameters) {
  Parameters common;
  for (const Parameter& parameter : parameters.front())
    if (std::all_of(parameters.begin(), parameters.end(),
                    [&](const Parameters& p) { return contains(p, parameter); }))
      common.push_back(parameter);
  for (size_t i = 0; i < parameters.size(); i++) {
    Parameters own;
    for (const Parameter& parameter : parameters[i])
      if (!contains(common, parameter)) own.push_back(parameter);
    if (!own.empty()) methods.members()[i].value.set("parameters", written(std::move(own)));
  }
  if (!common.empty()) methods.set("parameters", written(std::move(common)));
}

}  // namespace orrery::server
