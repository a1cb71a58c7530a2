// Limit ranges and resource quotas against controllers/13-quota-limitrange.
#include "engine/api/codec_json.h"
#include "engine/api/names.h"
#include "engine/api/quota.h"
#include "engine/server/admission/limits.h"
#include "engine/server/admission/quota_decision.h"
#include "tests/support/vectors.h"

namespace orrery {
namespace {

using api::Json;
using api::Object;
using namespace test;

constexpr const char* kFolder = "controllers/13-quota-limitrange/";

// Recorded objects do not say what they are.
Object object_of(Json json, std::string_view kind) {
  json.set("apiVersion", "v1");
  json.set("kind", kind);
  auto object = api::object_from_json(json);
  CHECK(object.is_ok()) << object.status().message();
  return std::move(*object);
}

Json resources_of(const corev1::Pod& pod) {
  Json out = Json::object();
  const auto add = [&](const corev1::Container& container) {
    Json one = Json::object();
    const Json all = api::to_json(corev1::ResourceRequirements::descriptor(), &container.resources);
    for (const char* part : {"limits", "requests"})
      one.set(part, all[part].is_object() ? all[part] : Json::object());
    out.set(container.name, one);
  };
  for (const auto& container : pod.spec->containers) add(container);
  for (const auto& container : pod.spec->init_containers) add(container);
  return out;
}

// The recorded inputs have the defaults already: takes away what the annotation says was set, e.g.
// "LimitRanger plugin set: cpu, memory request for container c0; cpu limit for init container i0".
void take_defaults_away(corev1::Pod& pod, std::string told) {
  std::string_view rest = told;
  rest.remove_prefix(std::min(rest.size(), rest.find(": ") + 2));
  while (!rest.empty()) {
    const std::string_view part = rest.substr(0, rest.find("; "));
    rest.remove_prefix(std::min(rest.size(), part.size() + 2));
    const bool requests = part.find(" request for ") != std::string_view::npos;
    const size_t names_end = part.find(requests ? " request for " : " limit for ");
    const std::string names = str_cat(", ", part.substr(0, names_end), ", ");
    const bool init = part.find(" for init ") != std::string_view::npos;
    auto& containers = init ? pod.spec.mut().init_containers : pod.spec.mut().containers;
    for (size_t i = 0; i < containers.size(); ++i) {
      if (part.substr(part.rfind(' ') + 1) != containers[i].name.view()) continue;
      auto& all = requests ? containers.mut(i).resources.requests : containers.mut(i).resources.limits;
      const auto before = all;
      for (const auto& [name, amount] : before)
        if (names.find(str_cat(", ", name, ", ")) != std::string::npos) all.erase(name);
    }
  }
}

// The first range that refuses the object, with its message.
void check_ranges(const std::vector<Object>& ranges, const Object& object, Json& out) {
  out.set("allowed", true);
  for (const Object& range : ranges) {
    const auto& limits = range.get<corev1::LimitRange>();
    const auto* pod = object.as<corev1::Pod>();
    const auto errors = pod ? server::check_limits(limits, *pod)
                            : server::check_limits(limits, object.get<corev1::PersistentVolumeClaim>());
    if (errors.empty()) continue;
    out.set("allowed", false);
    out.set("message", api::aggregate(errors));
    out.set("limitRange", range.meta().name);
    return;
  }
}

std::string limitranger_case(const Json& one) {
  const Json& input = one["input"];
  Object object = object_of(input["object"], input["kind"].as_string());
  std::vector<Object> ranges;
  for (const Json& range : input["limitRanges"].items()) ranges.push_back(object_of(range, "LimitRange"));
  Json out = Json::object();
  if (object.is<corev1::Pod>()) {
    auto& pod = object.mut<corev1::Pod>();
    take_defaults_away(pod, one["expect"]["annotation"].as_string().str());
    for (const Object& range : ranges) server::apply_limit_defaults(range.get<corev1::LimitRange>(), pod);
    out.set("resources", resources_of(pod));
    const Str told = pod.metadata->annotations.get("kubernetes.io/limit-ranger");
    if (!told.empty()) out.set("annotation", told);
  }
  check_ranges(ranges, object, out);
  for (const char* part : {"resources", "annotation", "allowed", "message", "limitRange"}) {
    const std::string difference = expect_equal(part, one["expect"][part], out[part]);
    if (!difference.empty()) return difference;
  }
  return "";
}

// Quantities by their canonical texts.
Json amounts(const api::ResourceList& all) {
  Json out = Json::object();
  for (const auto& [name, amount] : all) out.set(name, amount.to_string());
  return out;
}

Time now() {
  return api::parse_time("2025-03-03T10:00:00Z")->time();
}

corev1::ResourceQuotaSpec spec_of(const Json& json) {
  auto spec = api::struct_from_json<corev1::ResourceQuotaSpec>(json);
  CHECK(spec.is_ok()) << spec.status().message();
  return std::move(*spec);
}

std::string usage_case(const Json& one) {
  const Json &input = one["input"], &expected = one["expect"];
  const Object object = object_of(input["object"], input["kind"].as_string());
  const corev1::ResourceQuotaSpec spec = spec_of(input["quotaSpec"]);
  Json out = Json::object();
  out.set("usage", amounts(api::quota_usage(object, now())));
  const auto matches = api::quota_matches(spec, spec.hard, object);
  out.set("matches", matches.is_ok() && *matches);
  if (!matches.is_ok()) out.set("matchError", matches.status().message());
  const std::vector<Str> names = api::quota_names_of(*object.kind(), spec.hard);
  Json& counted = out.set("matchingResources", Json::array());
  for (const Str& name : names) counted.push_back(name);
  const std::string unsaid = api::quota_constraints(names, object);
  if (!unsaid.empty()) out.set("constraintsError", unsaid);
  for (const char* part : {"usage", "matches", "matchError", "matchingResources", "constraintsError"}) {
    const std::string difference = expect_equal(part, expected[part], out[part]);
    if (!difference.empty()) return difference;
  }
  return "";
}

std::string calculate_case(const Json& one) {
  std::vector<Object> objects;
  for (const Json& object : one["input"]["objects"].items()) {
    Object made = object_of(object["object"], object["kind"].as_string());
    if (made.meta().namespace_ == "ns1") objects.push_back(std::move(made));
  }
  const auto used = api::quota_used(spec_of(one["input"]["quotaSpec"]), api::all_kinds(), objects, now());
  return expect_equal("used", one["expect"]["used"], amounts(used));
}

std::vector<server::LimitedResource> limited_of(const Json& json) {
  std::vector<server::LimitedResource> out;
  for (const Json& one : json.items()) {
    server::LimitedResource limited;
    limited.resource = one["resource"].as_string();
    for (const Json& part : one["matchContains"].items()) limited.match_contains.push_back(part.as_string());
    for (const Json& scope : one["matchScopes"].items())
      limited.match_scopes.push_back(*api::struct_from_json<api::QuotaScope>(scope));
    out.push_back(std::move(limited));
  }
  return out;
}

std::string admission_case(const Json& one) {
  const Json &input = one["input"], &expected = one["expect"];
  server::AdmissionRequest request;
  const bool creates = input["operation"].as_string() == "CREATE";
  request.operation = creates ? server::AdmissionRequest::Operation::kCreate : server::AdmissionRequest::Operation::kUpdate;
  request.object = object_of(input["object"], input["kind"].as_string());
  request.kind = request.object.kind();
  request.ns = "ns1";
  if (!creates) request.old = object_of(input["oldObject"], input["kind"].as_string());
  std::vector<Object> quotas;
  for (const Json& quota : input["quotas"].items()) quotas.push_back(object_of(quota, "ResourceQuota"));
  const auto decision = server::decide_quota(request, quotas, limited_of(input["limitedResources"]), now());
  Json out = Json::object();
  out.set("allowed", decision.refusal.is_ok());
  if (!decision.refusal.is_ok()) out.set("message", decision.refusal.status.message());
  for (const auto& [i, used] : decision.used) {
    if (out["used"].is_null()) out.set("used", Json::object());
    out.find("used")->set(quotas[i].meta().name, amounts(used));
  }
  for (const char* part : {"allowed", "message", "used"}) {
    const std::string difference = expect_equal(part, expected[part], out[part]);
    if (!difference.empty()) return difference;
  }
  return "";
}

std::function<int()> family(const char* name, std::string (*check)(const Json&)) {
  return [name, check] { return run_family(name, read_vectors(str_cat(kFolder, name, ".jsonl.gz")), check); };
}

}  // namespace
}  // namespace orrery

int main(int argc, char** argv) {
  return orrery::test::run_program(argc, argv,
                                   {{"admission", orrery::family("admission", orrery::admission_case)},
                                    {"calculate", orrery::family("calculate", orrery::calculate_case)},
                                    {"limitranger", orrery::family("limitranger", orrery::limitranger_case)},
                                    {"usage", orrery::family("usage", orrery::usage_case)}});
}
