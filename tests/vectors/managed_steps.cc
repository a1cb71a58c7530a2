// Who owns what after single requests of the apiserver recordings: the object as recorded before the
// request, and the request, give the managers recorded after it.
#include <algorithm>
#include <fstream>
#include <map>
#include <regex>

#include "engine/api/codec_json.h"
#include "engine/api/gen/autoscalingv1.h"
#include "engine/api/patch.h"
#include "engine/api/yaml.h"
#include "engine/server/defaulting.h"
#include "engine/server/managed_fields/managed_fields.h"
#include "engine/server/scale.h"
#include "tests/support/vectors.h"

namespace orrery::test {
namespace {

using api::Json;
using api::Object;
namespace managed = server::managed;

constexpr std::string_view kBefore = "2025-03-03T10:00:00Z";
constexpr Time kNow = Time::from_unix_seconds(1'740'996'001);

std::vector<Json> read_steps(const std::string& path) {
  std::ifstream file(vectors_folder() + "/" + path);
  static const std::regex kTimes(R"(\$\{[cd]?time(:[0-9]+)?\})");
  std::vector<Json> steps;
  for (std::string line; std::getline(file, line);) {
    auto step = Json::parse(std::regex_replace(line, kTimes, std::string(kBefore)));
    if (step.is_ok() && step->find("request")) steps.push_back(*std::move(step));
  }
  return steps;
}

/// A request's path, taken apart.
struct Target {
  std::string object;       // path of the object, or of the collection for a create
  std::string subresource;
  const api::KindDesc* kind = nullptr;
  std::map<std::string, std::string> query;
};

Target parse_target(std::string path) {
  Target target;
  if (const size_t mark = path.find('?'); mark != path.npos) {
    std::string query = path.substr(mark + 1);
    path.resize(mark);
    for (size_t at = 0; at < query.size();) {
      const size_t end = std::min(query.find('&', at), query.size());
      const std::string pair = query.substr(at, end - at);
      const size_t equals = std::min(pair.find('='), pair.size());
      target.query[pair.substr(0, equals)] = pair.substr(std::min(equals + 1, pair.size()));
      at = end + 1;
    }
  }
  std::vector<std::string> parts;
  for (size_t at = 1; at < path.size();) {
    const size_t end = std::min(path.find('/', at), path.size());
    parts.push_back(path.substr(at, end - at));
    at = end + 1;
  }
  if (parts.size() < 3) return target;
  const bool core = parts[0] == "api";
  const std::string group = core ? "" : parts[1], version = core ? parts[1] : parts[2];
  size_t at = core ? 2 : 3;
  if (at + 2 < parts.size() && parts[at] == "namespaces") at += 2;
  if (at >= parts.size()) return target;
  target.kind = api::find_resource(group, version, parts[at]);
  if (at + 2 < parts.size()) {
    target.subresource = parts[at + 2];
    path.resize(path.size() - target.subresource.size() - 1);
  }
  target.object = path;
  return target;
}

// Without times, but with whether there is one.
Json managers_of(const Json& entries) {
  Json out = Json::array();
  for (Json entry : entries.items()) {
    entry.set("time", entry.find("time") != nullptr);
    out.push_back(std::move(entry));
  }
  std::sort(out.items().begin(), out.items().end(), [](const Json& a, const Json& b) { return a.dump_sorted() < b.dump_sorted(); });
  return out;
}

Json managers_of(const Object& object) { return managers_of(api::to_json(object)["metadata"]["managedFields"]); }

std::string check_managers(const Json& body, const Object& object) {
  return expect_equal("managedFields", managers_of(body["metadata"]["managedFields"]), managers_of(object));
}

class Replay {
 public:
  // "": right; nullopt: the step is not about managers.
  std::optional<std::string> step(const Json& step) {
    const Json& request = step["request"];
    const Json& body = step["response"]["body"];
    const Target target = parse_target(request["path"].as_string().str());
    const auto result = target.kind ? check(request, step["response"], target) : std::nullopt;
    const bool kept = !target.query.contains("dryRun") && target.kind && body["kind"] == Json(target.kind->kind);
    if (kept) live_[object_path(target, request, body)] = body;
    return result;
  }

 private:
  static std::string object_path(const Target& target, const Json& request, const Json& body) {
    return request["method"] == Json("POST") ? target.object + "/" + body["metadata"]["name"].as_string().str() : target.object;
  }

  std::optional<std::string> check(const Json& request, const Json& response, const Target& target) {
    const Json& body = response["body"];
    const bool ok = response["code"].as_int() < 300 && body["kind"] == Json(target.kind->kind);
    const std::string method = request["method"].as_string().str();
    const std::string type = request["headers"]["Content-Type"].as_string().str();
    managed::FieldWrite write;
    write.manager = target.query.contains("fieldManager") ? Str(target.query.at("fieldManager")) : Str("vectors");
    write.subresource = Str(target.subresource);
    write.now = kNow;
    if (method == "POST") return ok && target.subresource.empty() ? created(request["body"], body, target, write) : std::nullopt;
    if (method != "PUT" && method != "PATCH") return std::nullopt;
    if (target.subresource == "scale") return scaled(request, response, target, write);
    if (target.subresource != "" && target.subresource != "status") return std::nullopt;
    if (type == "application/apply-patch+yaml") return applied(request, response, target, write);
    if (!ok || !live_.contains(target.object)) return std::nullopt;
    return updated(request, type, body, target, write);
  }

  static std::optional<Object> decode(Json json, const api::KindDesc& kind) {
    json.set("apiVersion", kind.api_version);
    json.set("kind", kind.kind);
    auto object = api::object_from_json(json);
    // Placeholders of numbers cannot be read.
    return object.is_ok() ? std::optional<Object>(*object) : std::nullopt;
  }

  std::optional<std::string> created(const Json& sent, const Json& body, const Target& target, const managed::FieldWrite& write) {
    auto object = decode(sent, *target.kind);
    if (!object) return std::nullopt;
    server::apply_defaults(*object);
    managed::update_managed_fields({}, *object, write);
    return check_managers(body, *object);
  }

  std::optional<std::string> updated(const Json& request, const std::string& type, const Json& body, const Target& target,
                                     const managed::FieldWrite& write) {
    const Json& before = live_.at(target.object);
    const auto live = decode(before, *target.kind);
    if (!live) return std::nullopt;
    Json changed = request["body"];
    if (request["method"] == Json("PATCH")) {
      const PatchKind kind = type == "application/json-patch+json"    ? PatchKind::kJson
                             : type == "application/merge-patch+json" ? PatchKind::kMerge
                                                                      : PatchKind::kStrategic;
      auto patched = api::apply_patch(kind, *target.kind->type, before, request["body"]);
      if (!patched.is_ok()) return std::nullopt;
      changed = *std::move(patched);
    }
    auto fresh = decode(changed, *target.kind);
    if (!fresh) return std::nullopt;
    server::apply_defaults(*fresh);
    managed::update_managed_fields(*live, *fresh, write);
    managed::keep_times_if_unchanged(*live, *fresh);
    return check_managers(body, *fresh);
  }

  // Through the scale subresource; what comes of it shows in later steps.
  std::optional<std::string> scaled(const Json& request, const Json& response, const Target& target,
                                    const managed::FieldWrite& write) {
    const Json& before = live_.contains(target.object) ? live_.at(target.object) : Json();
    auto live = before.is_null() ? std::nullopt : decode(before, *target.kind);
    if (!live) return std::nullopt;
    Object scale = server::managed_scale_of(*live);
    const bool apply = request["headers"]["Content-Type"] == Json("application/apply-patch+yaml");
    if (apply) {
      const bool force = target.query.contains("force");
      ApiResponse answer = managed::apply(scale, *scale.kind(), request["body"], force, write, nullptr);
      if (response["code"].as_int() >= 300)
        return expect_equal("message", response["body"]["message"].as_string().str(), answer.status.message());
      if (!answer.status.is_ok()) return answer.status.message();
      scale = answer.object;
    } else if (response["code"].as_int() < 300) {
      Object fresh = scale;
      fresh.mut<autoscalingv1::Scale>().spec.mut().replicas = static_cast<int32_t>(response["body"]["spec"]["replicas"].as_int());
      managed::update_managed_fields(scale, fresh, write);
      scale = fresh;
    } else {
      return std::nullopt;
    }
    server::set_replicas(*live, static_cast<int32_t>(response["body"]["spec"]["replicas"].as_int()));
    server::set_scale_managers(*live, scale, target.kind->api_version);
    live_[target.object] = api::to_json(*live);
    return "";
  }

  std::optional<std::string> applied(const Json& request, const Json& response, const Target& target,
                                     const managed::FieldWrite& write) {
    const Json& body = response["body"];
    const std::string message = body["message"].as_string().str();
    const bool about_managers = message.starts_with("Apply failed") || message.starts_with("failed to create typed") ||
                                message.starts_with("invalid object type") || message.starts_with("metadata.managedFields");
    if (response["code"].as_int() >= 300 && !about_managers) return std::nullopt;
    Object live;
    if (live_.contains(target.object)) {
      const auto decoded = decode(live_.at(target.object), *target.kind);
      if (!decoded) return std::nullopt;
      live = *decoded;
    }
    Json config = request["body"];
    if (request.find("bodyText")) {
      auto parsed = api::parse_yaml_body(request["bodyText"].as_string());
      if (!parsed.is_ok()) return std::nullopt;
      config = *parsed;
    }
    const bool force = target.query.contains("force") && target.query.at("force") != "false";
    ApiResponse answer = managed::apply(live, *target.kind, config, force, write, server::apply_defaults);
    if (about_managers) return expect_equal("message", message, answer.status.message());
    if (!answer.status.is_ok()) return answer.status.message();
    if (live) managed::keep_times_if_unchanged(live, answer.object);
    return check_managers(body, answer.object);
  }

  std::map<std::string, Json> live_;
};

int run(const std::string& family, const std::vector<std::string>& files, double required) {
  // Skips if there are no vectors.
  read_vectors("controllers/19-printing/durations.jsonl.gz");
  std::vector<Json> failures;
  size_t total = 0;
  for (const std::string& file : files) {
    Replay replay;
    for (const Json& step : read_steps("apiserver/" + file + ".jsonl")) {
      const auto result = replay.step(step);
      if (!result) continue;
      ++total;
      if (!result->empty()) failures.push_back(Json(file + " " + step["name"].as_string().str() + ": " + *result));
    }
  }
  for (const Json& failure : failures) std::printf("  %s\n", failure.as_string().c_str());
  std::printf("%s: %zu/%zu\n", family.c_str(), total - failures.size(), total);
  return total > 0 && static_cast<double>(total - failures.size()) >= required * static_cast<double>(total) ? 0 : 1;
}

}  // namespace
}  // namespace orrery::test

int main(int argc, char** argv) {
  using orrery::test::run;
  const auto of = [](const std::string& folder, const std::vector<std::string>& names) {
    std::vector<std::string> files;
    for (const std::string& name : names) files.push_back(folder + "/" + name);
    return files;
  };
  const auto applies = of("04-patch", {"ssa-basic", "ssa-conflicts", "ssa-lists", "ssa-subresource"});
  const auto patches = of("04-patch", {"patch-json-1", "patch-merge-1", "patch-strategic-1"});
  const auto creates = of("02-create", {"create-cluster-1", "create-config-1", "create-network-1", "create-pods-1", "create-policy-1",
                                        "create-rbac-1", "create-services-1", "create-storage-1", "create-workloads-1"});
  return orrery::test::run_program(argc, argv, {{"applies", [=] { return run("applies", applies, 1.0); }},
                                                {"patches", [=] { return run("patches", patches, 1.0); }},
                                                {"creates", [=] { return run("creates", creates, 1.0); }}});
}
