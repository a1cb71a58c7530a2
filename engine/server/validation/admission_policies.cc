// Validating admission policies and their bindings.
// Source: Kubernetes v1.32 pkg/apis/admissionregistration/validation.
#include "engine/api/names.h"
#include "engine/server/validation/admission_rules.h"

namespace orrery::server {
namespace {

using namespace admissionregistrationv1;

constexpr Path kSpec("spec");

void check_param_kind(const ParamKind& kind, const Path& at, Findings& findings) {
  const Path version_at = at.child("apiVersion"), kind_at = at.child("kind");
  const std::string_view text = kind.api_version;
  const auto parts = split(text, '/');
  if (text.empty()) {
    findings.required(version_at);
  } else if (parts.size() > 2) {
    findings.invalid(version_at, text, str_cat("unexpected GroupVersion string: ", text));
  } else {
    const std::string_view group = parts.size() == 2 ? parts[0] : std::string_view(), version = parts.back();
    if (!group.empty())
      if (const Messages wrong = name_is_subdomain(group, false); !wrong.empty()) findings.invalid(version_at, group, api::join(wrong, ","));
    if (version.empty()) findings.invalid(version_at, text, "version must be specified");
    else if (const Messages wrong = check_dns1035_label(version); !wrong.empty()) findings.invalid(version_at, version, api::join(wrong, ","));
  }
  if (kind.kind.empty()) return findings.required(kind_at);
  if (const Messages wrong = check_dns1035_label(lower(kind.kind)); !wrong.empty())
    findings.invalid(kind_at, kind.kind, str_cat("may have mixed case, but should otherwise match: ", api::join(wrong, ",")));
}

void check_named_rules(const List<NamedRuleWithOperations>& rules, const Path& at, Findings& findings) {
  for (size_t i = 0; i < rules.size(); ++i) {
    const Path here = at.index(i);
    Seen names;
    for (size_t n = 0; n < rules[i].resource_names.size(); ++n) {
      const Str& name = rules[i].resource_names[n];
      const Path name_at = here.child("resourceNames", n);
      findings.invalid(name_at, name, check_path_segment(name));
      if (!names.insert(name)) findings.duplicate(name_at, name);
    }
    check_admission_rule(rules[i], here, findings);
  }
}

void check_selector(const Ref<metav1::LabelSelector>& selector, const Path& at, Findings& findings) {
  if (!selector) return findings.required(at);
  check_label_selector(selector.get(), at, findings);
}

void check_match_resources(const MatchResources& match, const Path& at, Findings& findings) {
  const Path policy = at.child("matchPolicy");
  if (!match.match_policy) findings.required(policy);
  else if (!is_one_of(*match.match_policy, {"Equivalent", "Exact"})) findings.not_supported(policy, *match.match_policy, {"Equivalent", "Exact"});
  check_selector(match.namespace_selector, at.child("namespaceSelector"), findings);
  check_selector(match.object_selector, at.child("objectSelector"), findings);
  check_named_rules(match.resource_rules, at.child("resourceRules"), findings);
  check_named_rules(match.exclude_resource_rules, at.child("excludeResourceRules"), findings);
}

bool is_cel_identifier(std::string_view name) {
  constexpr std::string_view kReserved[] = {"true", "false",  "null", "in",       "as",     "break", "const", "continue", "else",  "for",  "function",
                                            "if",   "import", "let",  "loop",     "package", "namespace", "return", "var", "void", "while"};
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  if (name.empty() || !is_letter(name[0])) return false;
  if (!std::all_of(name.begin(), name.end(), [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); })) return false;
  return std::find(std::begin(kReserved), std::end(kReserved), name) == std::end(kReserved);
}

using Kind = api::cel::Type::Kind;
using VariableTypes = std::vector<std::pair<std::string, api::cel::Type>>;

void check_variable(const Variable& variable, bool params, VariableTypes& types, const Path& at, Findings& findings) {
  if (trim_space(variable.name).empty()) findings.required(at.child("name"), "name is not specified");
  else if (!is_cel_identifier(variable.name)) findings.invalid(at.child("name"), variable.name, "name is not a valid CEL identifier");
  if (trim_space(variable.expression).empty()) return findings.required(at.child("expression"), "expression is not specified");
  const ExpressionNames names{params, true, &types};
  types.emplace_back(variable.name.str(), check_expression(variable.expression, names, {}, at.child("expression"), findings));
}

void check_validation(const Validation& validation, ExpressionNames names, const Path& at, Findings& findings) {
  if (trim_space(validation.expression).empty()) findings.required(at.child("expression"), "expression is not specified");
  else check_expression(validation.expression, names, {Kind::kBool}, at.child("expression"), findings);
  names.authorizer = false;
  const Path message_at = at.child("messageExpression");
  if (!trim_space(validation.message_expression).empty())
    check_expression(validation.message_expression, names, {Kind::kString}, message_at, findings);
  else if (!validation.message_expression.empty())
    findings.invalid(message_at, validation.message_expression, "must be non-empty if specified");
  const std::string_view message = trim_space(validation.message);
  if (!validation.message.empty() && message.empty())
    findings.invalid(at.child("message"), validation.message, "message must be non-empty if specified");
  else if (message.find_first_of("\n\r") != std::string_view::npos)
    findings.invalid(at.child("message"), validation.message, "message must not contain line breaks");
  if (validation.reason && !is_one_of(*validation.reason, {"Forbidden", "Invalid", "RequestEntityTooLarge"}))
    findings.not_supported(at.child("reason"), *validation.reason, {"Forbidden", "Invalid", "RequestEntityTooLarge"});
}

void check_audit_annotation(const AuditAnnotation& annotation, const Str& policy, const ExpressionNames& names, const Path& at,
                            Findings& findings) {
  constexpr size_t kExpressionMax = 5 * 1024;
  if (policy.empty()) findings.invalid(at.child("key"), annotation.key, "requires metadata.name be non-empty");
  else check_qualified(str_cat(policy, "/", annotation.key), at.child("key"), findings);
  const std::string_view expression = trim_space(annotation.value_expression);
  if (expression.empty()) findings.required(at.child("valueExpression"), "valueExpression is not specified");
  else if (expression.size() > kExpressionMax) findings.required(at.child("valueExpression"), "must not exceed 5120 bytes in length");
  else check_expression(annotation.value_expression, names, {Kind::kString, Kind::kNull}, at.child("valueExpression"), findings);
}

void check_results(const ValidatingAdmissionPolicy& policy, const ExpressionNames& names, Findings& findings) {
  constexpr size_t kAnnotationsMax = 20;
  const auto& spec = *policy.spec;
  const Path validations = kSpec.child("validations"), annotations = kSpec.child("auditAnnotations");
  if (spec.validations.empty() && spec.audit_annotations.empty()) {
    constexpr std::string_view kText = "validations or auditAnnotations must contain at least one item";
    findings.required(validations, kText);
    findings.required(annotations, kText);
    return;
  }
  for (size_t i = 0; i < spec.validations.size(); ++i) check_validation(spec.validations[i], names, validations.index(i), findings);
  if (spec.audit_annotations.size() > kAnnotationsMax)
    findings.invalid(annotations, Shown::object(spec), "must not have more than 20 auditAnnotations");
  Seen keys;
  for (size_t i = 0; i < spec.audit_annotations.size(); ++i) {
    const Path at = annotations.index(i);
    check_audit_annotation(spec.audit_annotations[i], policy.metadata->name, names, at, findings);
    if (!keys.insert(spec.audit_annotations[i].key)) findings.duplicate(at.child("key"), spec.audit_annotations[i].key);
  }
}

void check_policy(const ValidatingAdmissionPolicy& policy, bool any_conditions, Findings& findings) {
  const auto& spec = *policy.spec;
  check_object_meta(*policy.metadata, false, name_is_subdomain, findings, false);
  const Path failure = kSpec.child("failurePolicy"), constraints = kSpec.child("matchConstraints");
  if (!spec.failure_policy) findings.required(failure);
  else if (!is_one_of(*spec.failure_policy, {"Fail", "Ignore"})) findings.not_supported(failure, *spec.failure_policy, {"Fail", "Ignore"});
  if (spec.param_kind) check_param_kind(*spec.param_kind, kSpec.child("paramKind"), findings);
  if (!spec.match_constraints) {
    findings.required(constraints);
  } else {
    check_match_resources(*spec.match_constraints, constraints, findings);
    if (spec.match_constraints->resource_rules.empty()) findings.required(constraints.child("resourceRules"));
  }
  const bool params = static_cast<bool>(spec.param_kind);
  if (!any_conditions) check_match_conditions(spec.match_conditions, params, kSpec.child("matchConditions"), findings);
  VariableTypes types;
  for (size_t i = 0; i < spec.variables.size(); ++i) check_variable(spec.variables[i], params, types, kSpec.child("variables", i), findings);
  check_results(policy, {params, true, spec.variables.empty() ? nullptr : &types}, findings);
}

void check_create(const ValidatingAdmissionPolicy& policy, Findings& findings) { check_policy(policy, false, findings); }

void check_update(const ValidatingAdmissionPolicy& policy, const ValidatingAdmissionPolicy& old, Findings& findings) {
  const auto &now = policy.spec->match_conditions, &before = old.spec->match_conditions;
  const auto &kind = policy.spec->param_kind, &old_kind = old.spec->param_kind;
  const bool same_kind = static_cast<bool>(kind) == static_cast<bool>(old_kind) && (!kind || api::semantic_equal(*kind, *old_kind));
  const bool same = same_kind && std::equal(now.begin(), now.end(), before.begin(), before.end(),
                                            [](const MatchCondition& a, const MatchCondition& b) { return api::semantic_equal(a, b); });
  check_policy(policy, same, findings);
}

void check_status(const ValidatingAdmissionPolicy& policy, const ValidatingAdmissionPolicy&, Findings& findings) {
  constexpr Path kWarnings("status.typeChecking.expressionWarnings");
  const auto& status = *policy.status;
  for (size_t i = 0; status.type_checking && i < status.type_checking->expression_warnings.size(); ++i) {
    const auto& warning = status.type_checking->expression_warnings[i];
    const Path at = kWarnings.index(i);
    if (trim_space(warning.warning).empty()) findings.required(at.child("warning"));
    if (trim_space(warning.field_ref).empty()) findings.required(at.child("fieldRef"));
  }
  check_conditions(status.conditions, Path("status.conditions"), findings);
}

void check_param_ref(const ParamRef& ref, const Path& at, Findings& findings) {
  constexpr std::string_view kBoth = "name and selector are mutually exclusive";
  if (!ref.name.empty()) {
    findings.invalid(at.child("name"), ref.name, check_path_segment(ref.name));
    if (ref.selector) findings.forbidden(at.child("name"), kBoth);
  }
  if (ref.selector) {
    check_label_selector(ref.selector.get(), at.child("selector"), findings);
    if (!ref.name.empty()) findings.forbidden(at.child("selector"), kBoth);
  }
  if (ref.name.empty() && !ref.selector) findings.required(at, "one of name or selector must be specified");
  findings.one_of(ref.parameter_not_found_action.value_or(Str()), at.child("parameterNotFoundAction"), {"Deny", "Allow"});
}

void check_actions(const List<Str>& actions, const Path& at, Findings& findings) {
  Seen seen;
  for (size_t i = 0; i < actions.size(); ++i) {
    if (!is_one_of(actions[i], {"Audit", "Deny", "Warn"})) findings.not_supported(at.index(i), actions[i], {"Audit", "Deny", "Warn"});
    if (!seen.insert(actions[i])) findings.duplicate(at.index(i), actions[i]);
  }
  if (seen.has("Deny") && seen.has("Warn"))
    findings.invalid(at, Shown::list(actions, "[]admissionregistration.ValidationAction"),
                     "must not contain both Deny and Warn (repeating the same validation failure information in the API response and "
                     "headers serves no purpose)");
  if (actions.empty()) findings.required(at, "at least one validation action is required");
}

void check_create(const ValidatingAdmissionPolicyBinding& binding, Findings& findings) {
  const auto& spec = *binding.spec;
  check_object_meta(*binding.metadata, false, name_is_subdomain, findings, false);
  if (spec.policy_name.empty()) findings.required(kSpec.child("policyName"));
  else check_subdomain(spec.policy_name, kSpec.child("policyName"), findings);
  if (spec.param_ref) check_param_ref(*spec.param_ref, kSpec.child("paramRef"), findings);
  if (spec.match_resources) check_match_resources(*spec.match_resources, kSpec.child("matchResources"), findings);
  check_actions(spec.validation_actions, kSpec.child("validationActions"), findings);
}
void check_update(const ValidatingAdmissionPolicyBinding& binding, const ValidatingAdmissionPolicyBinding&, Findings& findings) {
  check_create(binding, findings);
}

}  // namespace

std::span<const CheckRow> admission_policy_checks() {
  static const CheckRow kRows[] = {
      check_row<ValidatingAdmissionPolicy, check_create, check_update, check_status>(),
      check_row<ValidatingAdmissionPolicyBinding, check_create, check_update>(),
  };
  return kRows;
}

}  // namespace orrery::server
