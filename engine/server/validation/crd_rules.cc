// Rules of schemas: what can be said of them before there is an object.
// Source: Kubernetes v1.32 apiextensions-apiserver pkg/apis/apiextensions/validation, pkg/apiserver/schema/cel.
#include <algorithm>
#include <array>
#include <cstdio>

#include "engine/api/cel/checker.h"
#include "engine/api/cel/cost.h"
#include "engine/api/cel/schema_size.h"
#include "engine/api/cel/typed_json.h"
#include "engine/server/validation/crd_schema.h"
#include "engine/server/validation/crd_structural.h"
#include "engine/server/validation/field_path.h"
#include "engine/server/validation/text_rules.h"

namespace orrery::server {
namespace {

using api::Json;
using api::cel::Type;

constexpr uint64_t kRuleCostMax = 10'000'000, kAllCostMax = 100'000'000;
constexpr std::string_view kRules = "x-kubernetes-validations";

/// What one schema says of its rules' surroundings.
struct Place {
  const Json& schema;
  bool resource;
  Type type;
  bool optional_old = false;

  std::vector<api::cel::Declaration> names() const { return {{"self", type}, {"oldSelf", optional_old ? Type::optional(type) : type}}; }
};

// The type, or what is wrong; trimmed sources would lose their columns.
Result<Type> compile(std::string_view source, const Place& place, std::unique_ptr<api::cel::Expression>& expression, uint64_t& cost) {
  auto parsed = api::cel::parse(source);
  if (!parsed.is_ok()) return parsed.status();
  expression = std::move(*parsed);
  api::cel::CheckedParts parts;
  auto type = api::cel::check(*expression, source, place.names(), &parts);
  if (type.is_ok()) cost = api::cel::estimated_cost(*expression, parts, place.schema, place.resource);
  return type;
}

void check_cost(uint64_t cost, std::string_view what, const Path& at, RuleCosts& costs, Findings& findings) {
  if (cost > kRuleCostMax) findings.forbidden(at, cost_message(what, cost, kRuleCostMax));
  costs.add(at.text(), cost);
}

void check_message(const Json& rule, const Place& place, const Path& at, RuleCosts& costs, Findings& findings) {
  const std::string_view message = rule["messageExpression"].text();
  if (message.empty()) return;
  const Shown shown = Shown::raw(rule.dump());
  std::unique_ptr<api::cel::Expression> expression;
  uint64_t cost = 0;
  const Result<Type> type = compile(message, place, expression, cost);
  if (!type.is_ok()) findings.invalid(at, shown, str_cat("messageExpression compilation failed: ", type.status().message()));
  else if (type->kind != Type::Kind::kString) findings.invalid(at, shown, "messageExpression must evaluate to a string");
  else check_cost(cost, "estimated messageExpression cost", at, costs, findings);
}

// Whether the rule uses the old value.
bool check_rule(const Json& rule, const Place& place, const Path& here, RuleCosts& costs, Findings& findings) {
  const Shown shown = Shown::raw(rule.dump());
  const Path at = here.child("rule");
  std::unique_ptr<api::cel::Expression> expression;
  uint64_t cost = 0;
  const Result<Type> type = compile(rule["rule"].text(), place, expression, cost);
  if (!type.is_ok()) {
    findings.invalid(at, shown, str_cat("compilation failed: ", type.status().message()));
    return false;
  }
  if (type->kind != Type::Kind::kBool) {
    findings.invalid(at, shown, "cel expression must evaluate to a bool");
    return false;
  }
  const uint64_t occurrences = costs.bounded ? costs.cardinality : api::cel::occurrences_max(place.schema);
  check_cost(api::cel::times(cost, occurrences), "estimated rule cost", at, costs, findings);
  const bool uses_old = api::cel::uses(*expression, "oldSelf");
  check_message(rule, place, here.child("messageExpression"), costs, findings);
  if (!costs.correlatable && uses_old)
    findings.invalid(at, rule["rule"].text(), str_cat("oldSelf cannot be used on the uncorrelatable portion of the schema within ", costs.uncorrelated_at));
  return uses_old;
}

bool has_line_break(std::string_view text) { return text.find_first_of("\n\r") != text.npos; }

void check_form(const Json& rule, const Json& schema, const Path& here, Findings& findings) {
  const std::string_view source = trim_space(rule["rule"].text());
  const std::string_view message = rule["message"].text(), trimmed = trim_space(message);
  if (source.empty()) findings.required(here.child("rule"), "rule is not specified");
  else if (!message.empty() && trimmed.empty()) findings.invalid(here.child("message"), message, "message must be non-empty if specified");
  else if (has_line_break(trimmed)) findings.invalid(here.child("message"), message, "message must not contain line breaks");
  else if (has_line_break(source) && trimmed.empty())
    findings.required(here.child("message"), "message must be specified if rule contains line breaks");
  const std::string_view made = rule["messageExpression"].text();
  if (!made.empty() && trim_space(made).empty())
    findings.required(here.child("messageExpression"), "messageExpression must be non-empty if specified");
  const auto kReasons = {std::string_view("FieldValueDuplicate"), std::string_view("FieldValueForbidden"),
                         std::string_view("FieldValueInvalid"), std::string_view("FieldValueRequired")};
  if (const Json* reason = rule.find("reason"); reason && !is_one_of(reason->text(), kReasons))
    findings.not_supported(here.child("reason"), reason->text(), kReasons);
  const std::string_view path = rule["fieldPath"].text();
  const Path path_at = here.child("fieldPath");
  if (path.empty()) return;
  if (trim_space(path).empty()) findings.invalid(path_at, path, "fieldPath must be non-empty if specified");
  if (has_line_break(path)) findings.invalid(path_at, path, "fieldPath must not contain line breaks");
  if (structural_error(schema).empty() && !find_schema_place(path, schema, true).error.empty())
    findings.invalid(path_at, path, "fieldPath must be a valid path");
}

}  // namespace

void RuleCosts::add(std::string place, uint64_t cost) {
  constexpr size_t kShownMax = 4;
  total = api::cel::plus(total, cost);
  if (cost < kAllCostMax / 100) return;
  expensive.emplace_back(std::move(place), cost);
  std::stable_sort(expensive.begin(), expensive.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  if (expensive.size() > kShownMax) expensive.pop_back();
}

std::string cost_message(std::string_view what, uint64_t cost, uint64_t max) {
  constexpr double kManyTimes = 100, kBarely = 1.5;
  const double factor = static_cast<double>(cost) / static_cast<double>(max);
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), factor < kBarely ? "%fx" : "%.1fx", factor);
  return str_cat(what, " exceeds budget by factor of ", factor > kManyTimes ? "more than 100x" : text.data(),
                 " (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)");
}

void check_rule_forms(const Json& schema, const Path& at, Findings& findings) {
  size_t index = 0;
  for (const Json& rule : schema[kRules].items()) check_form(rule, schema, at.child(kRules, index++), findings);
}

void check_schema_rules(const Json& schema, bool root, const Path& at, RuleCosts& costs, Findings& findings) {
  const Json& rules = schema[kRules];
  if (rules.size() == 0) return;
  Place place{schema, root || schema["x-kubernetes-embedded-resource"].is_true(), {}};
  if (!api::cel::type_of_schema(schema, place.resource, &place.type))
    return findings.add_found(at.child(kRules).text(), "InternalError",
                              "Internal error: internal error: failed to construct type information for x-kubernetes-validations rules: "
                              "unable to convert structural schema to CEL declarations");
  size_t index = 0;
  for (const Json& rule : rules.items()) {
    const Path here = at.child(kRules, index++);
    place.optional_old = rule["optionalOldSelf"].is_true();
    if (check_rule(rule, place, here, costs, findings)) continue;
    if (const Json* optional = rule.find("optionalOldSelf"))
      findings.invalid(here.child("optionalOldSelf"), optional->is_true(), "may not be set if oldSelf is not used in rule");
  }
}

}  // namespace orrery::server
