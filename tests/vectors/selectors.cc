// Selectors, node affinity and tolerations against controllers/02-selectors; template hashes
// against controllers/05-deployment.
#include "engine/api/codec_json.h"
#include "engine/api/field_selector.h"
#include "engine/api/label_selector.h"
#include "engine/api/node_affinity.h"
#include "engine/api/semantic.h"
#include "engine/api/template_hash.h"
#include "tests/support/vectors.h"

namespace orrery::test {
namespace {

using api::Json;

api::Labels labels_of(const Json& json) {
  api::Labels labels;
  for (const auto& m : json.members()) labels.set(m.key, m.value.as_string());
  return labels;
}

template <typename T>
T decoded(const Json& json) {
  auto value = api::struct_from_json<T>(json);
  if (!value.is_ok()) std::printf("cannot decode: %s\n", value.status().message().c_str());
  return value.is_ok() ? std::move(*value) : T();
}

Json matches_of(const api::Selector& selector, const Json& sets) {
  Json out = Json::array();
  for (const Json& set : sets.items()) out.push_back(selector.matches(labels_of(set)));
  return out;
}

std::string compare_all(const Json& expected, const Json& actual) {
  for (const auto& member : expected.members())
    if (const auto d = expect_equal(member.key.str(), member.value, actual[member.key]); !d.empty()) return d;
  return expected["error"].is_null() == actual["error"].is_null() ? "" : "error: " + actual["error"].dump();
}

std::string label_parse_case(const Json& one) {
  const Json& input = one["input"];
  const auto parsed = api::Selector::parse(input["selector"].as_string());
  Json out = Json::object();
  if (!parsed.is_ok()) {
    out.set("error", parsed.status().message());
    return compare_all(one["expect"], out);
  }
  Json requirements = Json::array();
  for (const auto& r : parsed->requirements()) {
    Json item = Json::object(), values = Json::array();
    for (const Str& v : r.values()) values.push_back(v);
    item.set("key", r.key());
    item.set("operator", api::selector_op_text(r.op()));
    item.set("values", values);
    requirements.push_back(item);
  }
  out.set("requirements", requirements);
  out.set("string", parsed->to_string());
  out.set("empty", parsed->empty());
  out.set("matches", matches_of(*parsed, input["labelSets"]));
  if (const auto exact = parsed->exact_match("app")) out.set("requiresExactMatchApp", *exact);
  return compare_all(one["expect"], out);
}

std::string label_selector_case(const Json& one) {
  const Json& input = one["input"];
  const auto value = decoded<metav1::LabelSelector>(input["labelSelector"]);
  const metav1::LabelSelector* selector = input["labelSelector"].is_null() ? nullptr : &value;
  Json out = Json::object();
  const auto parsed = api::Selector::of(selector);
  if (parsed.is_ok()) {
    out.set("string", parsed->to_string());
    out.set("empty", parsed->empty());
    out.set("matches", matches_of(*parsed, input["labelSets"]));
  } else {
    out.set("error", parsed.status().message());
  }
  out.set("format", api::format_label_selector(selector));
  const auto map = api::label_selector_as_map(selector);
  if (map.is_ok()) {
    Json pairs = Json::object();
    for (const auto& [k, v] : *map) pairs.set(k, v);
    out.set("asMap", selector ? pairs : Json());
  } else {
    out.set("asMapError", map.status().message());
  }
  return compare_all(one["expect"], out);
}

std::string field_case(const Json& one) {
  const Json& input = one["input"];
  Json out = Json::object();
  const std::string_view op = input["op"].as_string();
  if (op == "fields.escape") {
    out.set("escaped", api::FieldSelector::escape(input["value"].as_string()));
  } else if (op == "fields.unescape") {
    const auto text = api::FieldSelector::unescape(input["value"].as_string());
    out.set(text.is_ok() ? "unescaped" : "error", text.is_ok() ? *text : text.status().message());
  } else {
    const auto parsed = api::FieldSelector::parse(input["selector"].as_string());
    if (!parsed.is_ok()) {
      out.set("error", parsed.status().message());
      return compare_all(one["expect"], out);
    }
    Json requirements = Json::array(), matches = Json::array();
    for (const auto& t : parsed->terms()) {
      Json item = Json::object();
      item.set("field", t.field);
      item.set("operator", t.equal ? "=" : "!=");
      item.set("value", t.value);
      requirements.push_back(item);
    }
    for (const Json& set : input["fieldSets"].items()) {
      const auto values = labels_of(set);
      matches.push_back(parsed->matches([&](const Str& f) { return values.get(f); }));
    }
    out.set("requirements", requirements);
    out.set("string", parsed->to_string());
    out.set("empty", parsed->empty());
    out.set("matches", matches);
    if (const auto exact = parsed->exact_match("metadata.name")) out.set("requiresExactMatchMetadataName", *exact);
  }
  return compare_all(one["expect"], out);
}

std::string node_affinity_case(const Json& one) {
  const Json& input = one["input"];
  corev1::PodSpec spec;
  spec.node_selector = labels_of(input["nodeSelector"]);
  auto& affinity = spec.affinity.mut().node_affinity.mut();
  Json out = Json::object();
  if (!input["required"].is_null()) {
    auto& required = affinity.required_during_scheduling_ignored_during_execution.mut();
    required = decoded<corev1::NodeSelector>(input["required"]);
    const std::string error = api::NodeSelector(required).error();
    if (!error.empty()) out.set("newError", error);
  }
  List<corev1::PreferredSchedulingTerm> terms;
  for (const Json& term : input["preferred"].items()) terms.push_back(decoded<corev1::PreferredSchedulingTerm>(term));
  const api::RequiredNodeAffinity required(spec);
  const api::PreferredNodeAffinity preferred(terms);
  Json verdicts = Json::array(), scores = Json::array();
  for (const Json& node : input["nodes"].items()) {
    std::string error;
    Json verdict = Json::object();
    verdict.set("match", required.matches(labels_of(node["labels"]), node["name"].as_string(), &error));
    if (!error.empty()) verdict.set("error", error);
    verdicts.push_back(verdict);
    scores.push_back(preferred.score(labels_of(node["labels"]), node["name"].as_string()));
  }
  out.set("required", verdicts);
  if (!preferred.error().empty()) {
    out.set("preferredError", preferred.error());
  } else if (input["preferred"].is_array()) {
    out.set("score", scores);
  }
  return compare_all(one["expect"], out);
}

std::string tolerations_case(const Json& one) {
  const Json& input = one["input"];
  Json out = Json::object();
  List<corev1::Taint> taints;
  for (const Json& t : input["taints"].items()) taints.push_back(decoded<corev1::Taint>(t));
  if (input["op"].as_string() == "toleratesTaint") {
    const auto toleration = decoded<corev1::Toleration>(input["toleration"]);
    Json verdicts = Json::array();
    for (const auto& t : taints) verdicts.push_back(api::tolerates(toleration, t));
    out.set("tolerates", verdicts);
    return compare_all(one["expect"], out);
  }
  List<corev1::Toleration> tolerations;
  for (const Json& t : input["tolerations"].items()) tolerations.push_back(decoded<corev1::Toleration>(t));
  const corev1::Taint* found = nullptr;
  for (const auto& taint : taints) {
    bool considered = false;
    for (const Json& e : input["effects"].items()) considered = considered || taint.effect == e.as_string();
    if (considered && !found && !api::tolerates(tolerations, taint)) found = &taint;
  }
  out.set("untolerated", found != nullptr);
  if (found) out.set("taint", api::to_json(corev1::Taint::descriptor(), found));
  return expect_equal("untolerated", one["expect"]["untolerated"], out["untolerated"]) +
         (found ? expect_equal("key", one["expect"]["taint"]["key"].as_string().str(), found->key.str()) : "");
}

std::string template_hash_case(const Json& one) {
  const Json& input = one["input"];
  const auto tmpl = decoded<corev1::PodTemplateSpec>(input["template"]);
  if (const auto d = expect_equal("dump", one["expect"]["dump"].as_string().str(), api::template_dump(tmpl)); !d.empty()) return d;
  Opt<int32_t> count;
  if (input["collisionCount"].is_int()) count = static_cast<int32_t>(input["collisionCount"].as_int());
  return expect_equal("hash", one["expect"]["hash"].as_string().str(), api::template_hash(tmpl, count));
}

std::string template_equal_case(const Json& one) {
  auto a = decoded<corev1::PodTemplateSpec>(one["input"]["a"]);
  auto b = decoded<corev1::PodTemplateSpec>(one["input"]["b"]);
  a.metadata.mut().labels.erase("pod-template-hash");
  b.metadata.mut().labels.erase("pod-template-hash");
  return expect_equal("equal", one["expect"]["equal"], Json(api::semantic_equal(a, b)));
}

std::function<int()> family(const std::string& name, const std::string& path, std::string (*check)(const Json&)) {
  return [=] { return run_family(name, read_vectors(path), check); };
}

}  // namespace
}  // namespace orrery::test

int main(int argc, char** argv) {
  using namespace orrery::test;
  const std::string at = "controllers/02-selectors/", deployment = "controllers/05-deployment/";
  return run_program(argc, argv,
                     {{"label-parse", family("label-parse", at + "label-parse.jsonl.gz", label_parse_case)},
                      {"label-selector", family("label-selector", at + "label-selector.jsonl.gz", label_selector_case)},
                      {"field-parse", family("field-parse", at + "field-parse.jsonl.gz", field_case)},
                      {"node-affinity", family("node-affinity", at + "node-affinity.jsonl.gz", node_affinity_case)},
                      {"tolerations", family("tolerations", at + "tolerations.jsonl.gz", tolerations_case)},
                      {"template-hash", family("template-hash", deployment + "template-hash.jsonl.gz", template_hash_case)},
                      {"template-equal", family("template-equal", deployment + "template-equal.jsonl.gz", template_equal_case)}});
}
