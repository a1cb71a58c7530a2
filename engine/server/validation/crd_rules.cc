// Rules of schemas: what can be said of them before there is an object.
#include <algorithm>

#include "engine/api/cel/expression.h"
#include "engine/server/validation/crd_schema.h"

namespace orrery::server {
namespace {

using api::Json;
using api::cel::Expression;
using Kind = Expression::Kind;

std::string_view text_of(const Json& value) { return value.is_string() ? value.as_string().view() : std::string_view(); }

/// What is known of an expression's value: a schema, a type, or nothing.
struct Known {
  const Json* schema = nullptr;
  std::string type;  // of the schema or the operation; "": any
};

/// Walks an expression and finds what cannot be right whatever the object is.
class RuleChecker {
 public:
  RuleChecker(std::string_view source, const Json& schema) : source_(source), schema_(schema) {}

  Known check(const Expression& e) {
    if (!error_.empty()) return {};
    if (e.kind == Kind::kName && (e.text == "self" || e.text == "oldSelf") && hidden_ == 0) return known(schema_);
    if (e.kind == Kind::kSelect || e.kind == Kind::kHas) return select(e);
    if (e.kind == Kind::kMacro) return macro(e);
    std::vector<Known> args;
    for (const auto& arg : e.args) args.push_back(check(*arg));
    switch (e.kind) {
      case Kind::kLiteral: return {nullptr, literal(e.value)};
      case Kind::kIndex: return args[0].schema && (*args[0].schema)["items"].is_object() ? known((*args[0].schema)["items"]) : Known();
      case Kind::kUnary: return e.text == "!" ? Known{nullptr, "boolean"} : args[0];
      case Kind::kBinary: return binary(e, args);
      case Kind::kList: return {nullptr, "array"};
      case Kind::kMap: return {nullptr, "object"};
      case Kind::kCall:
      case Kind::kMethod: return {nullptr, e.text == "size" || e.text == "int" ? "integer" : e.text == "string" ? "string" : ""};
      default: return {};
    }
  }
  const std::string& error() const { return error_; }

 private:
  static std::string literal(const Json& value) {
    if (value.is_bool()) return "boolean";
    if (value.is_string()) return "string";
    return value.is_number() ? "integer" : "";
  }
  static Known known(const Json& schema) { return {&schema, std::string(text_of(schema["type"]))}; }
  static Known binary(const Expression& e, const std::vector<Known>& args) {
    const bool computes = e.text == "+" || e.text == "-" || e.text == "*" || e.text == "/" || e.text == "%";
    return computes ? Known{nullptr, args[0].type} : Known{nullptr, "boolean"};
  }
  Known select(const Expression& e) {
    const Known object = check(*e.args[0]);
    const Known flag{nullptr, "boolean"};
    if (!object.schema || !error_.empty()) return e.kind == Kind::kHas ? flag : Known();
    const Json& schema = *object.schema;
    const Json* property = schema["properties"].find(e.text);
    const bool closed = object.type == "object" && !schema.find("additionalProperties") &&
                        !schema.find("x-kubernetes-preserve-unknown-fields") && !schema.find("x-kubernetes-embedded-resource") &&
                        e.text.find("__") == e.text.npos;
    const bool of_root = &schema == &schema_ && (e.text == "metadata" || e.text == "apiVersion" || e.text == "kind");
    if (!property && closed && !of_root) error_ = api::cel::message_at(source_, e.offset, str_cat("undefined field '", e.text, "'"));
    if (e.kind == Kind::kHas) return flag;
    return property ? known(*property) : Known();
  }
  Known macro(const Expression& e) {
    check(*e.args[0]);
    const bool hides = e.variable == "self" || e.variable == "oldSelf";
    hidden_ += hides;
    for (size_t i = 1; i < e.args.size(); ++i) check(*e.args[i]);
    hidden_ -= hides;
    return {nullptr, e.text == "map" || e.text == "filter" ? "array" : "boolean"};
  }

  std::string_view source_;
  const Json& schema_;
  int hidden_ = 0;
  std::string error_;
};

void check_rule(std::string_view source, const Json& schema, const Path& at, Findings& findings) {
  const auto parsed = api::cel::parse(source);
  if (!parsed.is_ok()) return findings.invalid(at, source, str_cat("compilation failed: ", parsed.status().message()));
  RuleChecker checker(source, schema);
  const Known result = checker.check(**parsed);
  if (!checker.error().empty()) return findings.invalid(at, source, str_cat("compilation failed: ", checker.error()));
  if (!result.type.empty() && result.type != "boolean") findings.invalid(at, source, "cel expression must evaluate to a bool");
}

}  // namespace

void check_schema_rules(const Json& schema, const Path& at, Findings& findings) {
  size_t index = 0;
  for (const Json& rule : schema["x-kubernetes-validations"].items()) {
    const Path here = at.child("x-kubernetes-validations", index++);
    std::string_view source = text_of(rule["rule"]);
    while (!source.empty() && (source.back() == ' ' || source.back() == '\n' || source.back() == '\t')) source.remove_suffix(1);
    while (!source.empty() && (source.front() == ' ' || source.front() == '\n' || source.front() == '\t')) source.remove_prefix(1);
    if (source.empty()) {
      findings.required(here.child("rule"), "rule is not specified");
      continue;
    }
    if (source.find('\n') != source.npos && text_of(rule["message"]).empty())
      findings.required(here.child("message"), "message must be specified if rule contains line breaks");
    const std::string_view reason = text_of(rule["reason"]);
    if (!reason.empty() && !is_one_of(reason, {"FieldValueInvalid", "FieldValueForbidden", "FieldValueRequired", "FieldValueDuplicate"}))
      findings.not_supported(here.child("reason"), reason,
                             {"FieldValueRequired", "FieldValueInvalid", "FieldValueForbidden", "FieldValueDuplicate"});
    check_rule(source, schema, here.child("rule"), findings);
  }
}

}  // namespace orrery::server
