// Recorded creates and updates of built-in kinds through the server's rules alone: defaults, what the
// kind's strategy does, validation. No server runs; what admission would add is made up here.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>

#include "engine/api/codec_json.h"
#include "engine/api/gen/corev1.h"
#include "engine/api/names.h"
#include "engine/api/patch.h"
#include "engine/server/defaulting.h"
#include "engine/server/errors.h"
#include "engine/server/object_rules.h"
#include "engine/server/service_allocation.h"
#include "engine/server/storage.h"
#include "tests/support/vectors.h"

namespace orrery {
namespace {

using api::Json;
using api::Object;
using namespace test;

constexpr const char* kTime = "2024-01-01T00:00:00Z";
constexpr const char* kUid = "01234567-89ab-4def-8123-456789abcdef";

std::string fixed_text(std::string_view placeholder) {
  const size_t colon = placeholder.find(':');
  const std::string_view kind = placeholder.substr(0, colon);
  const std::string_view number = colon == std::string_view::npos ? "1" : placeholder.substr(colon + 1);
  if (kind == "ns") return "vectors-1";
  if (kind == "cabundle") return "Q0E=";
  if (kind == "webhook") return "https://127.0.0.1:8443";
  if (kind == "uid") return kUid;
  if (kind == "ctime" || kind == "time" || kind == "dtime") return kTime;
  if (kind == "ip") return str_cat("10.96.0.", number);
  if (kind == "gen") return str_cat("abcd", number.substr(0, 1));
  if (kind == "rv" || kind == "int") return std::string(number);
  if (kind != "repeat") return str_cat("${", placeholder, "}");
  const size_t last = number.rfind(':');
  const std::string text(number.substr(0, last));
  std::string repeated;
  for (int n = std::atoi(std::string(number.substr(last + 1)).c_str()); n > 0; --n) repeated += text;
  return repeated;
}

std::string fill(const std::string& text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const size_t begin = text.find("${", at), end = begin == std::string::npos ? begin : text.find('}', begin);
    if (end == std::string::npos) return out + text.substr(at);
    out += text.substr(at, begin - at) + fixed_text(std::string_view(text).substr(begin + 2, end - begin - 2));
    at = end + 1;
  }
  return out;
}

// A recorded value made definite.
Json fill(const Json& value) {
  if (value.is_string()) {
    const std::string text = value.as_string().str();
    if (text.starts_with("${nodeport:")) return Json(int64_t{30000 + std::atoi(text.c_str() + 11)});
    return Json(fill(text));
  }
  Json out = value;
  if (out.is_array())
    for (Json& item : out.items()) item = fill(item);
  if (out.is_object()) {
    out = Json::object();
    for (const auto& member : value.members()) out.set(fill(member.key.str()), fill(member.value));
  }
  return out;
}

// `pattern` may have ${...}, which match anything.
bool matches(std::string_view pattern, std::string_view text) {
  const size_t begin = pattern.find("${");
  if (begin == std::string_view::npos) return pattern == text;
  if (!text.starts_with(pattern.substr(0, begin))) return false;
  const std::string_view rest = pattern.substr(pattern.find('}', begin) + 1);
  for (size_t at = begin; at <= text.size(); ++at)
    if (matches(rest, text.substr(at))) return true;
  return false;
}

bool is_wild(const Json& expected) { return expected.is_string() && expected.as_string().str().find("${") != std::string::npos; }

// The first member that differs, with both values.
std::string difference(const std::string& at, const Json& expected, const Json& actual) {
  if (is_wild(expected)) {
    const bool fits = !actual.is_string() || matches(expected.as_string(), actual.as_string());
    return fits ? "" : expect_equal(at, expected, actual);
  }
  if (expected.is_object() && actual.is_object()) {
    for (const auto& member : expected.members()) {
      const Json* other = actual.find(member.key);
      if (!other) return at + "." + member.key.str() + " is missing: " + member.value.dump();
      std::string inner = difference(at + "." + member.key.str(), member.value, *other);
      if (!inner.empty()) return inner;
    }
    for (const auto& member : actual.members())
      if (!expected.find(member.key)) return at + "." + member.key.str() + " is too much: " + member.value.dump();
    return "";
  }
  if (expected.is_array() && actual.is_array() && expected.size() == actual.size()) {
    for (size_t i = 0; i < expected.size(); ++i) {
      std::string inner = difference(str_cat(at, "[", uint64_t{i}, "]"), expected[i], actual[i]);
      if (!inner.empty()) return inner;
    }
    return "";
  }
  return expect_equal(at, expected, actual);
}

// What a request path says.
struct Target {
  const api::KindDesc* kind = nullptr;
  std::string ns, name, subresource;
};

Target target_of(const std::string& path) {
  std::vector<std::string> steps;
  for (size_t at = 1; at <= path.size();) {
    size_t end = std::min(path.find_first_of("/?", at), path.size());
    steps.push_back(path.substr(at, end - at));
    if (end < path.size() && path[end] == '?') break;
    at = end + 1;
  }
  size_t i = steps.empty() || steps[0] == "apis" ? 3 : 2;
  Target target;
  if (steps.size() <= i) return target;
  const std::string group = i == 3 ? steps[1] : "", version = steps[i - 1];
  if (steps[i] == "namespaces" && steps.size() > i + 2 && steps[i + 2] != "status" && steps[i + 2] != "finalize") {
    target.ns = steps[i + 1];
    i += 2;
  }
  target.kind = api::find_resource(group, version, steps[i]);
  if (steps.size() > i + 1) target.name = steps[i + 1];
  if (steps.size() > i + 2) target.subresource = steps[i + 2];
  return target;
}

server::FieldErrors allocate(Object& object, const Object& old) {
  if (!object.is<corev1::Service>()) return {};
  RngStream rng(1, "services");
  return server::allocate_service(object.mut<corev1::Service>(), old ? &old.get<corev1::Service>() : nullptr,
                                  {"10.96.0.0/16", 30000, 32767}, {}, rng);
}

// What admission adds to new objects on the recorded server.
void admit(Object& object) {
  if (object.is<corev1::Pod>()) {
    auto& pod = object.mut<corev1::Pod>();
    auto& spec = pod.spec.mut();
    if (spec.service_account_name.empty()) spec.service_account_name = "default";
    spec.service_account = spec.service_account_name;
    server::admit_new_pod(pod, server::usual_tolerations());
  }
  const bool volume = object.is<corev1::PersistentVolume>(), claim = object.is<corev1::PersistentVolumeClaim>();
  if (volume || claim) {
    const Str finalizer(volume ? "kubernetes.io/pv-protection" : "kubernetes.io/pvc-protection");
    auto& list = object.mut_meta().finalizers;
    if (std::find(list.begin(), list.end(), finalizer) == list.end()) list.push_back(finalizer);
  }
  if (object.is<corev1::Node>()) {
    corev1::Taint taint;
    taint.key = "node.kubernetes.io/not-ready";
    taint.effect = "NoSchedule";
    object.mut<corev1::Node>().spec.mut().taints.push_back(taint);
  }
}

server::FieldErrors create(Object& object, const api::KindDesc& sent) {
  server::apply_defaults(object);
  admit(object);
  auto& meta = object.mut_meta();
  if (meta.name.empty() && !meta.generate_name.empty()) meta.name = Str(meta.generate_name.str() + "abcde");
  meta.uid = kUid;
  meta.creation_timestamp = *api::parse_time(kTime);
  meta.self_link = Str();
  meta.deletion_timestamp.reset();
  meta.deletion_grace_period_seconds.reset();
  server::prepare_for_create(object);
  server::apply_defaults(object);
  server::default_after_create(object);
  server::FieldErrors errors = allocate(object, {});
  return errors.empty() ? server::validate_create(object, &sent) : errors;
}

server::FieldErrors update(Object& object, const Object& old, const std::string& subresource) {
  auto& meta = object.mut_meta();
  if (meta.name.empty()) meta.name = old.meta().name;
  if (meta.namespace_.empty()) meta.namespace_ = old.meta().namespace_;
  meta.resource_version = old.meta().resource_version;
  server::apply_defaults(object);
  if (object.is<corev1::Pod>()) server::admit_new_pod(object.mut<corev1::Pod>(), server::usual_tolerations());
  server::prepare_for_update(object, old, subresource, Time());
  if (subresource != "status") server::apply_defaults(object);
  server::FieldErrors errors = subresource.empty() ? allocate(object, old) : server::FieldErrors{};
  return errors.empty() ? server::validate_update(object, old, subresource) : errors;
}

bool has_transform(const Json& one, std::string_view name) {
  for (const Json& transform : one["transform"].items())
    if (transform.is_string() && transform.as_string().view() == name) return true;
  return false;
}

// "text [a, b]" without, or with sorted, parts.
std::string with_list(const std::string& message, bool sorted) {
  const size_t begin = message.find('['), end = message.rfind(']');
  if (begin == std::string::npos || end == std::string::npos || end < begin) return message;
  std::string inner = message.substr(begin + 1, end - begin - 1);
  if (!sorted) return message.substr(0, begin) + "[...]" + message.substr(end + 1);
  std::vector<std::string> parts;
  for (size_t at = 0; at <= inner.size();) {
    const size_t next = std::min(inner.find(", ", at), inner.size());
    parts.push_back(inner.substr(at, next - at));
    at = next + 2;
  }
  std::sort(parts.begin(), parts.end());
  inner.clear();
  for (const std::string& part : parts) inner += (inner.empty() ? "" : ", ") + part;
  return message.substr(0, begin) + "[" + inner + "]" + message.substr(end + 1);
}

std::string compare_failure(const Json& one, const Json& expected, const ApiResponse& got) {
  Json causes = Json::array();
  for (const auto& cause : got.causes) {
    Json json = Json::object();
    if (!cause.reason.empty()) json.set("reason", cause.reason);
    if (!cause.message.empty()) json.set("message", cause.message);
    if (!cause.field.empty()) json.set("field", cause.field);
    causes.push_back(json);
  }
  std::string message = got.status.message();
  if (has_transform(one, "sort-causes")) {
    const auto key = [](const Json& c) { return str_cat(c["field"].as_string(), "\n", c["message"].as_string(), "\n", c["reason"].as_string()); };
    std::stable_sort(causes.items().begin(), causes.items().end(), [&](const Json& a, const Json& b) { return key(a) < key(b); });
    message = with_list(message, false);
  }
  if (has_transform(one, "sort-message")) message = with_list(message, true);
  const Json& wanted = expected["details"]["causes"];
  std::string found = difference("causes", wanted.is_array() ? wanted : Json::array(), causes);
  if (found.empty()) found = difference("message", expected["message"], Json(message));
  return found;
}

// Without what is not compared.
Json bare(Json object) {
  if (Json* meta = object.find("metadata"))
    for (const char* member : {"uid", "resourceVersion", "creationTimestamp", "managedFields"}) meta->erase(member);
  Json* spec = object.find("spec");
  if (object["kind"] == Json("CertificateSigningRequest"))
    for (const char* member : {"username", "groups", "uid", "extra"}) spec->erase(member);
  if (object["kind"] != Json("Pod")) return object;
  spec->erase("priority");
  const auto drop = [](Json* holder, const char* list) {
    if (!holder || !holder->find(list)) return;
    auto& items = holder->find(list)->items();
    const auto token = [](const Json& item) { return item["name"].as_string().view().starts_with("kube-api-access-"); };
    items.erase(std::remove_if(items.begin(), items.end(), token), items.end());
    if (items.empty()) holder->erase(list);
  };
  drop(spec, "volumes");
  for (const char* list : {"containers", "initContainers", "ephemeralContainers"})
    if (Json* containers = spec->find(list))
      for (Json& container : containers->items()) drop(&container, "volumeMounts");
  return object;
}

Result<Object> sent_object(const Json& one, const Target& target, const Json& old) {
  Json body = fill(one["request"]["body"]);
  if (one["request"]["method"] == Json("PATCH")) {
    const std::string type = one["request"]["headers"]["Content-Type"].as_string().str();
    const PatchKind kind = type.find("strategic") != std::string::npos ? PatchKind::kStrategic
                           : type.find("merge") != std::string::npos   ? PatchKind::kMerge
                                                                       : PatchKind::kJson;
    auto patched = api::apply_patch(kind, *target.kind->type, old, body);
    if (!patched.is_ok()) return patched.status();
    body = *patched;
  }
  body.set("apiVersion", target.kind->api_version);
  body.set("kind", target.kind->kind);
  auto object = api::object_from_json(body);
  if (!object.is_ok()) return object.status();
  if (target.kind->namespaced && object->meta().namespace_.empty()) object->mut_meta().namespace_ = Str(fill(target.ns));
  return server::convert(*object, server::storage_kind(*target.kind));
}

// All that are expected, but for those about the request itself and those of admission, and no others.
std::string compare_warnings(const Json& expected, const std::vector<std::string>& warnings) {
  std::string missing;
  size_t fit = 0;
  for (const Json& header : expected.items()) {
    const std::string_view text = header.as_string();
    const bool there = std::any_of(warnings.begin(), warnings.end(), [&](const std::string& warning) {
      return matches(text, str_cat("299 - ", api::quoted(warning)));
    });
    fit += there ? 1 : 0;
    for (const char* other : {"unknown field", "duplicate field", "line ", ".metadata.ownerReferences", "would violate", "Validation failed"})
      if (text.find(other) != std::string_view::npos) missing += there ? "" : " ";
    if (!there && missing.empty()) return str_cat("no warning ", text);
    missing.clear();
  }
  return fit == warnings.size() ? "" : str_cat("unexpected warning among: ", api::join(warnings, "; "));
}

std::string check(const Json& one) {
  const Target target = target_of(one["request"]["path"].as_string().str());
  const Json& expected = one["response"]["body"];
  auto object = sent_object(one, target, one["old"]);
  if (!object.is_ok()) return str_cat("cannot read: ", object.status().message());
  server::FieldErrors errors;
  if (one["request"]["method"] == Json("POST")) {
    errors = create(*object, *target.kind);
  } else {
    auto old = api::object_from_json(one["old"]);
    if (!old.is_ok()) return str_cat("cannot read the old: ", old.status().message());
    errors = update(*object, server::convert(*old, server::storage_kind(*target.kind)), target.subresource);
  }
  const ApiResponse got = errors.empty() ? ApiResponse() : server::invalid_response(*target.kind, object->meta().name, errors);
  if (one["response"]["code"] == Json(422)) return compare_failure(one, expected, got);
  if (!errors.empty()) return "not valid: " + got.status.message();
  if (one["request"]["method"] == Json("POST")) {
    const std::string found = compare_warnings(one["response"]["headers"]["Warning"], server::warnings_for(*object));
    if (!found.empty()) return found;
  }
  if (!one["transform"].items().empty() || !expected.is_object()) return "";
  Json shown = api::to_json(server::convert(*object, *target.kind));
  shown.set("apiVersion", target.kind->api_version);
  shown.set("kind", target.kind->kind);
  return difference("", bare(expected), bare(shown));
}

// True for refusals of the request rather than of the object.
bool of_request(const Json& answer) {
  const Json& causes = answer["details"]["causes"];
  if (!causes.is_array() || causes.items().empty()) return false;
  const std::string field = causes.items()[0]["field"].as_string().str();
  return field == "patch" || field == "fieldValidation" || field == "dryRun" || field == "fieldManager";
}

// The steps of a scenario that this can check, each with the object it replaces.
void add_cases(const std::string& scenario, std::vector<Json>& cases) {
  std::map<std::string, Json> stored;
  for (Json step : read_vectors("apiserver/" + scenario)) {
    const Json& request = step["request"];
    const Json& code = step["response"]["code"];
    const std::string method = request["method"].as_string().str();
    const Target target = target_of(request["path"].as_string().str());
    if (!target.kind || target.kind->storage_prefix.empty()) continue;
    const Json& answer = step["response"]["body"];
    const bool posts = method == "POST", known = code == Json(200) || code == Json(201) || code == Json(422);
    const std::string name = posts ? answer["metadata"]["name"].as_string().str() : target.name;
    const std::string key = str_cat(target.kind->group, " ", target.kind->plural, " ", target.ns, " ", name);
    const bool applied = request["headers"]["Content-Type"].as_string().view().find("apply-patch") != std::string_view::npos;
    const bool writes = (posts && target.name.empty()) || method == "PUT" || (method == "PATCH" && !applied);
    const std::string& sub = target.subresource;
    const bool of_object = sub.empty() || sub == "status" || sub == "approval" || sub == "ephemeralcontainers" || sub == "finalize";
    if (writes && known && of_object && (request["body"].is_object() || request["body"].is_array()) && (posts || stored.contains(key)) &&
        !step["opts"]["setup"].as_bool() && !of_request(answer)) {
      step.set("name", scenario.substr(scenario.find('/') + 1) + " " + step["name"].as_string().str());
      step.set("old", posts ? Json::object() : stored[key]);
      step.set("transform", step["opts"]["transform"].is_array() ? step["opts"]["transform"] : Json::array());
      cases.push_back(step);
    }
    if ((code == Json(200) || code == Json(201)) && of_object && answer["metadata"].find("name")) stored[key] = fill(answer);
  }
}

int run(const std::string& family, const std::string& folder, double required, std::string_view group = "*") {
  std::vector<std::string> names;
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(vectors_folder() + "/apiserver/" + folder, failed))
    names.push_back(folder + "/" + entry.path().filename().string());
  std::sort(names.begin(), names.end());
  std::vector<Json> cases;
  for (const std::string& name : names) add_cases(name, cases);
  const auto elsewhere = [&](const Json& one) { return target_of(one["request"]["path"].as_string().str()).kind->group != group; };
  if (group != "*") cases.erase(std::remove_if(cases.begin(), cases.end(), elsewhere), cases.end());
  return run_family(family, cases, check, required);
}

}  // namespace
}  // namespace orrery

int main(int argc, char** argv) {
  constexpr std::string_view kAdmission = "admissionregistration.k8s.io";
  return orrery::test::run_program(argc, argv, {{"admission", [] { return orrery::run("admission", "11-admission", 0.86, kAdmission); }},
                                                {"subresource", [] { return orrery::run("subresource", "08-subresource", 1.0); }},
                                                {"create", [] { return orrery::run("create", "02-create", 0.99); }},
                                                {"validation", [] { return orrery::run("validation", "03-validation", 0.88); }}});
}
