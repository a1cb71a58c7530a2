// Rules of schemas: what can be said of them before there is an object.
// Source: Kubernetes v1.32 apiextensions-apiserver pkg/apis/apiextensions/validation, pkg/apiserver/schema/cel.
#include <algorithm>
#include <array>
#include <cstdio>

#include "engine/api/cel/checker.h"
#include "engine/api/cel/cost.h"
#include "engine/api/cel/typed_json.h"
#include "engine/server/validation/crd_schema.h"
#include "engine/server/validation/text_rules.h"

namespace orrery::server {
namespace {

using api::Json;
using api::cel::Type;

constexpr uint64_t kRuleCostMax = 10'000'000;
constexpr std::string_view kRules = "x-kubernetes-validations";


/// What one schema says of its rules' surroundings.
struct Place {
  const Json& schema;
  Type type;
  bool optional_old = false;

  std::vector<api::cel::Declaration> names() const { return {{"self", type}, {"oldSelf", optional_old ? Type::optional(type) : type}}; }
};

// The type, or what is wrong; trimmed sources would lose their columns.
Result<Type> compile(std::string_view source, const Place& place, std::unique_ptr<api::cel::Expression>& expression) {
  auto parsed = api::cel::parse(source);
  if (!parsed.is_ok()) return parsed.status();
  expression = std::move(*parsed);
  return api::cel::check(*expression, source, place.names());
}

void check_cost(const api::cel::Expression& expression, const Place& place, std::string_view what, const Path& at, RuleCosts& costs,
                Findings& findings) {
  const uint64_t one = api::cel::estimated_cost(expression, place.schema);
  const uint64_t all = api::cel::times(one, costs.cardinality);
  if (all > kRuleCostMax) findings.forbidden(at, cost_message(what, all, kRuleCostMax));
  costs.add(at.text(), all);
}

void check_rule(const Json& rule, const Place& place, const Path& here, RuleCosts& costs, Findings& findings) {
  const Shown shown = Shown::raw(rule.dump());
  const Path at = here.child("rule"), message_at = here.child("messageExpression");
  std::unique_ptr<api::cel::Expression> expression;
  const Result<Type> type = compile(rule["rule"].text(), place, expression);
  if (!type.is_ok()) {
    findings.invalid(at, shown, str_cat("compilation failed: ", type.status().message()));
    return;
  }
  if (type->kind != Type::Kind::kBool) return findings.invalid(at, shown, "cel expression must evaluate to a bool");
  check_cost(*expression, place, "estimated rule cost", at, costs, findings);
  if (!costs.correlatable && api::cel::uses(*expression, "oldSelf"))
    findings.invalid(at, rule["rule"].text(), str_cat("oldSelf cannot be used on the uncorrelatable portion of the schema within ", costs.uncorrelated_at));
  const std::string_view message = rule["messageExpression"].text();
  if (message.empty()) return;
  const Result<Type> of_message = compile(message, place, expression);
  if (!of_message.is_ok()) findings.invalid(message_at, shown, str_cat("messageExpression compilation failed: ", of_message.status().message()));
  else if (of_message->kind != Type::Kind::kString) findings.invalid(message_at, shown, "messageExpression must evaluate to a string");
  else check_cost(*expression, place, "estimated messageExpression cost", message_at, costs, findings);
}

// False: the rule is not looked at any further.
bool check_form(const Json& rule, const Path& here, Findings& findings) {
  const std::string_view source = trim_space(rule["rule"].text());
  if (source.empty()) {
    findings.required(here.child("rule"), "rule is not specified");
    return false;
  }
  const std::string_view message = rule["message"].text(), trimmed = trim_space(message);
  if (!message.empty() && trimmed.empty()) findings.invalid(here.child("message"), message, "message must be non-empty if specified");
  else if (trimmed.find('\n') != trimmed.npos) findings.invalid(here.child("message"), message, "message must not contain line breaks");
  else if (source.find('\n') != source.npos && trimmed.empty())
    findings.required(here.child("message"), "message must be specified if rule contains line breaks");
  const std::string_view made = rule["messageExpression"].text();
  if (!made.empty() && trim_space(made).empty())
    findings.required(here.child("messageExpression"), "messageExpression must be non-empty if specified");
  const std::string_view reason = rule["reason"].text();
  if (!reason.empty() && !is_one_of(reason, {"FieldValueInvalid", "FieldValueForbidden", "FieldValueRequired", "FieldValueDuplicate"}))
    findings.not_supported(here.child("reason"), reason,
                           {"FieldValueRequired", "FieldValueInvalid", "FieldValueForbidden", "FieldValueDuplicate"});
  return true;
}

}  // namespace

void RuleCosts::add(std::string place, uint64_t cost) {
  constexpr size_t kShownMax = 5;
  total = api::cel::plus(total, cost);
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

void check_schema_rules(const Json& schema, bool root, const Path& at, RuleCosts& costs, Findings& findings) {
  const Json& rules = schema[kRules];
  if (rules.size() == 0) return;
  Place place{schema, {}};
  const bool visible = api::cel::type_of_schema(schema, root || schema["x-kubernetes-embedded-resource"].is_true(), &place.type);
  size_t index = 0;
  for (const Json& rule : rules.items()) {
    const Path here = at.child(kRules, index++);
    place.optional_old = rule["optionalOldSelf"].is_true();
    if (check_form(rule, here, findings) && visible) check_rule(rule, place, here, costs, findings);
  }
}

}  // namespace orrery::server
