// Server-side apply and the tracking of updates against controllers/21-server-side-apply.
#include "engine/server/managed_fields/managed_fields.h"

#include "engine/api/codec_json.h"
#include "engine/api/patch.h"
#include "engine/server/defaulting.h"
#include "tests/support/vectors.h"

namespace orrery::test {
namespace {

using api::Json;
using api::Object;
namespace managed = server::managed;

const api::KindDesc& kind_of(const Json& input) {
  const std::string_view kind = input["kind"].as_string();
  return *api::find_kind(kind == "Deployment" ? "apps/v1" : "v1", kind);
}

// The managers without their times, in canonical order.
Json managers_of(const Object& object) {
  Json out = Json::array();
  for (const auto& entry : object.meta().managed_fields) {
    Json one = api::to_json(metav1::ManagedFieldsEntry::descriptor(), &entry);
    one.erase("time");
    one.erase("fieldsType");
    out.push_back(std::move(one));
  }
  std::sort(out.items().begin(), out.items().end(),
            [](const Json& a, const Json& b) { return a.dump_sorted() < b.dump_sorted(); });
  return out;
}

Json sorted(Json list) {
  std::sort(list.items().begin(), list.items().end(),
            [](const Json& a, const Json& b) { return a.dump_sorted() < b.dump_sorted(); });
  return list;
}

Json without_empty(const Json& value) {
  if (!value.is_object()) return value;
  Json out = Json::object();
  for (const auto& member : value.members()) {
    Json inner = without_empty(member.value);
    if (!inner.is_null() && !(inner.is_object() && inner.size() == 0)) out.set(member.key, std::move(inner));
  }
  return out;
}

// The recorded objects leave out apiVersion, kind and managedFields, and what is empty.
Json bare(const Object& object) {
  Json out = without_empty(api::to_json(object));
  out.erase("apiVersion");
  out.erase("kind");
  out.find("metadata")->erase("managedFields");
  return out;
}

// The first member that differs, with both values.
std::string difference(const std::string& at, const Json& expected, const Json& actual) {
  if (expected == actual) return "";
  if (expected.is_object() && actual.is_object()) {
    for (const auto& member : expected.members()) {
      const Json* other = actual.find(member.key);
      if (!other) return at + "." + member.key.str() + " is missing";
      std::string inner = difference(at + "." + member.key.str(), member.value, *other);
      if (!inner.empty()) return inner;
    }
    for (const auto& member : actual.members())
      if (!expected.find(member.key)) return at + "." + member.key.str() + " is too much";
  }
  if (expected.is_array() && actual.is_array() && expected.size() == actual.size())
    for (size_t i = 0; i < expected.size(); ++i)
      if (expected[i] != actual[i]) return difference(str_cat(at, "[", uint64_t{i}, "]"), expected[i], actual[i]);
  return expect_equal(at, expected, actual);
}

struct Step {
  std::string error;
  Object object;
};

Step run_step(const Object& live, const api::KindDesc& kind, const Json& step, Time now) {
  managed::FieldWrite write;
  write.manager = step["manager"].as_string();
  write.now = now;
  if (step["op"] == Json("apply")) {
    const ApiResponse response = managed::apply(live, kind, step["config"], step["force"].as_bool(), write, server::apply_defaults);
    if (!response.status.is_ok()) return {response.status.message(), {}};
    return {"", response.object};
  }
  auto object = api::object_from_json(step["object"]);
  if (!object.is_ok()) return {object.status().message(), {}};
  server::apply_defaults(*object);
  if (live) object->mut_meta().managed_fields = live.meta().managed_fields;
  managed::update_managed_fields(live, *object, write);
  return {"", *object};
}

// Recorded values may lack zero members that our writer has (status {}, creationTimestamp null).
Json normal(const Json& value, const api::KindDesc& kind) {
  Json whole = value;
  whole.set("apiVersion", kind.api_version);
  whole.set("kind", kind.kind);
  auto object = api::object_from_json(whole);
  return object.is_ok() ? bare(*object) : value;
}

std::string apply_case(const Json& one) {
  const api::KindDesc& kind = kind_of(one["input"]);
  Object live;
  Time now = Time::from_unix_seconds(1'700'000'000);
  for (size_t i = 0; i < one["input"]["steps"].size(); ++i) {
    now = now + Duration::seconds(1);
    const Json& expected = one["expect"]["steps"][i];
    const Step step = run_step(live, kind, one["input"]["steps"][i], now);
    const std::string at = str_cat("step ", uint64_t{i});
    std::string found = expect_equal(at + " error", expected["error"].is_string() ? expected["error"].as_string().str() : "", step.error);
    if (!found.empty()) return found;
    if (!step.error.empty()) continue;
    live = step.object;
    found = difference(at + " managedFields", sorted(expected["managedFields"]), managers_of(live));
    if (found.empty()) found = difference(at + " object", normal(expected["object"], kind), bare(live));
    if (!found.empty()) return found;
  }
  return "";
}

std::string compare_patch(const Json& expect, const Result<Json>& result) {
  if (!expect.find("error")) {
    if (!result.is_ok()) return "unexpected error: " + result.status().message();
    return expect_equal("result", expect["result"], *result);
  }
  if (result.is_ok()) return "expected the error " + expect["error"].dump() + ", got " + result->dump();
  const std::string found = expect_equal("error", expect["error"].as_string().str(), result.status().message());
  if (!found.empty()) return found;
  return expect_equal("code", std::to_string(expect["code"].as_int()), std::to_string(code_http(result.status().code())));
}

std::string json_patch_case(const Json& one) {
  const Json& input = one["input"];
  Result<Json> patch = input.find("patchText") ? Json::parse(input["patchText"].as_string()) : Result<Json>(input["patch"]);
  if (!patch.is_ok()) return compare_patch(one["expect"], patch);
  return compare_patch(one["expect"], api::apply_json_patch(input["doc"], *patch));
}

std::string strategic_case(const Json& one) {
  const Json& input = one["input"];
  return compare_patch(one["expect"], api::apply_strategic_patch(*kind_of(input).type, input["doc"], input["patch"]));
}

std::function<int()> family(const std::string& file, std::string (*check)(const Json&)) {
  return [=] { return run_family(file, read_vectors("controllers/21-server-side-apply/" + file + ".jsonl.gz"), check); };
}

}  // namespace
}  // namespace orrery::test

int main(int argc, char** argv) {
  using namespace orrery::test;
  return run_program(argc, argv, {{"apply", family("apply", apply_case)},
                                  {"json-patch", family("json-patch", json_patch_case)},
                                  {"strategic", family("strategic", strategic_case)}});
}
