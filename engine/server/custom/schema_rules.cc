#include "engine/server/custom/schema_rules.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "engine/api/cel/evaluator.h"
#include "engine/api/names.h"
#include "engine/base/ascii.h"
#include "engine/server/custom/schema_check.h"

namespace orrery::server {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

using api::Json;
namespace cel = api::cel;


struct Rule {
  std::unique_ptr<cel::Expression> expression, message_expression;
  std::string source, message, reason, field_path;
  bool is_transition = false;  // there must be an old value
  bool uses_old = false;
  bool optional_old = false;

  static Rule compile(const Json& spec) {
    Rule rule;
    rule.source = trimmed(spec["rule"].text(), kBlanks);
    rule.message = trimmed(spec["message"].text(), kBlanks);
    rule.reason = spec["reason"].text();
    rule.field_path = spec["fieldPath"].text();
    rule.optional_old = spec["optionalOldSelf"].is_bool() && spec["optionalOldSelf"].as_bool();
    if (auto parsed = cel::parse(rule.source); parsed.is_ok()) rule.expression = std::move(*parsed);
    if (auto parsed = cel::parse(spec["messageExpression"].text()); parsed.is_ok()) rule.message_expression = std::move(*parsed);
    rule.uses_old = rule.expression && cel::uses(*rule.expression, "oldSelf");
    rule.is_transition = rule.uses_old && !rule.optional_old;
    return rule;
  }
  std::string fixed_message() const { return message.empty() ? str_cat("failed rule: ", source) : message; }
};

std::string join_path(const std::string& at, std::string_view below) {
  if (at.empty() && below.starts_with('.')) below.remove_prefix(1);
  return str_cat(at, below);
}

FieldError error_for(std::string field, std::string_view reason, std::string_view type, std::string_view message) {
  if (field.empty()) field = "<nil>";
  if (reason == "FieldValueForbidden") return FieldError::forbidden(std::move(field), message);
  if (reason == "FieldValueRequired") return FieldError::required(std::move(field), message);
  if (reason == "FieldValueDuplicate") return {std::move(field), Str(reason), str_cat("Duplicate value: ", api::quoted(type))};
  return FieldError::invalid(std::move(field), api::quoted(type), message);
}

}  // namespace

/// What a walk over an object has found and has left to spend.
struct Evaluation {
  cel::Budget budget;
  FieldErrors& errors;
  std::vector<std::string>& warnings;
};

/// The rules at one place of the schema and below it; places without any are left out.
struct SchemaRules::Node {
  std::string type;
  std::shared_ptr<const Json> whole;  // keeps the schema
  const Json* schema = nullptr;       // of this place
  Json correlation;  // what tells the old item of a new one
  std::vector<Rule> rules;
  std::map<std::string, std::unique_ptr<Node>, std::less<>> properties;
  std::unique_ptr<Node> items, others;

  static std::unique_ptr<Node> compile(const Json& schema) {
    auto node = std::make_unique<Node>();
    node->schema = &schema;
    node->type = schema["type"].text();
    for (const char* name : {"x-kubernetes-list-type", "x-kubernetes-list-map-keys"})
      if (const Json* found = schema.find(name)) node->correlation.set(name, *found);
    for (const Json& rule : schema["x-kubernetes-validations"].items()) node->rules.push_back(Rule::compile(rule));
    for (const Json::Member& property : schema["properties"].members())
      if (auto below = compile(property.value)) node->properties[property.key.str()] = std::move(below);
    if (schema["items"].is_object()) node->items = compile(schema["items"]);
    if (schema["additionalProperties"].is_object()) node->others = compile(schema["additionalProperties"]);
    const bool empty = node->rules.empty() && node->properties.empty() && !node->items && !node->others;
    return empty ? nullptr : std::move(node);
  }

  std::string message_of(const Rule& rule, const std::vector<cel::Variable>& variables, cel::Budget& budget) const {
    if (rule.message_expression) {
      const auto made = cel::evaluate(*rule.message_expression, variables, budget);
      if (made.is_ok() && made->is_string()) {
        const std::string text(trimmed(made->string(), kBlanks));
        if (!text.empty() && text.find('\n') == text.npos) return text;
      }
    }
    return rule.fixed_message();
  }

  static std::string why_failed(const Rule& rule, const Status& status, cel::Budget& budget) {
    const std::string_view shown = rule.message.empty() ? rule.source : rule.message;
    const std::string& why = status.message();
    if (budget.left < 0) return "validation failed due to running out of cost budget, no further validation rules will be run";
    if (status.code() == Code::kTooManyRequests) {
      budget.left = -1;
      return str_cat("'", why, "': no further validation rules will be run due to call cost exceeds limit for rule: ", shown);
    }
    if (why.starts_with("no such overload"))
      return str_cat("'", why, "': call arguments did not match a supported operator, function or macro signature for rule: ", shown);
    return str_cat(why, " evaluating rule: ", shown);
  }

  void check_rule(const Rule& rule, const Json& value, const Json* old, bool unchanged, const std::string& at, Evaluation& evaluation) const {
    cel::Budget& budget = evaluation.budget;
    FieldErrors& errors = evaluation.errors;
    if (!rule.expression || (rule.is_transition && !old)) return;
    std::vector<cel::Variable> variables = {{"self", cel::Value::view(value, schema)}};
    if (rule.optional_old) variables.push_back({"oldSelf", old ? cel::Value::some(cel::Value::view(*old, schema)) : cel::Value::none()});
    else if (old) variables.push_back({"oldSelf", cel::Value::view(*old, schema)});
    cel::Budget call{std::min(budget.left, cel::kCostMaxPerCall)};
    const int64_t before = call.left;
    const auto result = cel::evaluate(*rule.expression, variables, call);
    budget.left -= before - call.left;
    if (!result.is_ok()) {
      const std::string field = at.empty() ? "<nil>" : at;
      errors.push_back(FieldError::invalid(field, api::quoted(type), why_failed(rule, result.status(), budget)));
    } else if (!result->is_true()) {
      FieldError error = error_for(join_path(at, rule.field_path), rule.reason, type, message_of(rule, variables, budget));
      if (unchanged && !rule.uses_old) evaluation.warnings.push_back(str_cat(error.field, ": ", error.detail));
      else errors.push_back(std::move(error));
    }
  }

  // `unchanged`: so is the nearest value above of which the old one is known.
  void check(const Json& value, const Json* old, bool unchanged, const std::string& at, Evaluation& evaluation) const {
    if (value.is_null() || evaluation.budget.left < 0) return;
    unchanged = unchanged || (old && is_unchanged(value, *old, *schema));
    for (const Rule& rule : rules) check_rule(rule, value, old, unchanged, at, evaluation);
    size_t index = 0;
    for (const Json& item : value.items()) {
      if (!items) break;
      items->check(item, item_of_old(item, old, correlation), unchanged, str_cat(at, "[", index++, "]"), evaluation);
    }
    for (const Json::Member& member : value.members()) {
      const auto found = properties.find(member.key.view());
      const Node* below = found != properties.end() ? found->second.get() : others.get();
      if (!below) continue;
      // Members of a map are shown by key.
      const std::string path = below == others.get() ? str_cat(at, "[", member.key, "]") : join_path(at, str_cat(".", member.key));
      below->check(member.value, old ? old->find(member.key) : nullptr, unchanged, path, evaluation);
    }
  }
};

SchemaRules::SchemaRules(const Json& schema) {
  auto whole = std::make_shared<const Json>(schema);
  std::unique_ptr<Node> root = Node::compile(*whole);
  if (root) root->whole = std::move(whole);
  root_ = std::move(root);
}

void SchemaRules::check(const Json& object, const Json* old, FieldErrors& errors, std::vector<std::string>& warnings) const {
  Evaluation evaluation{{}, errors, warnings};
  root_->check(object, old, false, "", evaluation);
}

}  // namespace orrery::server
