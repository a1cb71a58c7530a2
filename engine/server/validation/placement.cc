#include "engine/server/validation/placement.h"

#include <algorithm>
#include <map>
#include <set>

#include "engine/api/names.h"

namespace orrery::server {
namespace {

void check_node_requirement(const corev1::NodeSelectorRequirement& r, const Path& at, Findings& findings) {
  if (is_one_of(r.operator_, {"In", "NotIn"})) {
    if (r.values.empty()) findings.required(at.child("values"), "must be specified when `operator` is 'In' or 'NotIn'");
  } else if (is_one_of(r.operator_, {"Exists", "DoesNotExist"})) {
    if (!r.values.empty())
      findings.forbidden(at.child("values"), "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
  } else if (is_one_of(r.operator_, {"Gt", "Lt"})) {
    if (r.values.size() != 1)
      findings.required(at.child("values"), "must be specified single value when `operator` is 'Lt' or 'Gt'");
  } else {
    findings.invalid(at.child("operator"), r.operator_, "not a valid selector operator");
  }
  check_qualified(r.key, at.child("key"), findings);
}

void check_field_requirement(const corev1::NodeSelectorRequirement& r, const Path& at, Findings& findings) {
  if (!is_one_of(r.operator_, {"In", "NotIn"}))
    findings.invalid(at.child("operator"), r.operator_, "not a valid selector operator");
  else if (r.values.size() != 1)
    findings.required(at.child("values"), "must be only one value when `operator` is 'In' or 'NotIn' for node field selector");
  if (r.key != "metadata.name") return findings.invalid(at.child("key"), r.key, "not a valid field selector key");
  for (size_t i = 0; i < r.values.size(); ++i) check_subdomain(r.values[i], at.child("values", i), findings);
}

void check_node_term(const corev1::NodeSelectorTerm& term, const Path& at, Findings& findings) {
  for (size_t i = 0; i < term.match_expressions.size(); ++i)
    check_node_requirement(term.match_expressions[i], at.child("matchExpressions", i), findings);
  for (size_t i = 0; i < term.match_fields.size(); ++i)
    check_field_requirement(term.match_fields[i], at.child("matchFields", i), findings);
}

void check_weight(int32_t weight, const Path& at, Findings& findings) {
  if (weight <= 0 || weight > 100) findings.invalid(at.child("weight"), weight, "must be in the range 1-100");
}

void check_label_keys(const List<Str>& keys, const metav1::LabelSelector* selector, const Path& at, Findings& findings) {
  if (keys.empty()) return;
  if (!selector) return findings.forbidden(at, "must not be specified when labelSelector is not set");
  for (size_t i = 0; i < keys.size(); ++i) check_qualified(keys[i], at.index(i), findings);
}

bool in_list(const List<Str>& list, const Str& value) { return std::find(list.begin(), list.end(), value) != list.end(); }

void check_match_keys(const corev1::PodAffinityTerm& term, const Path& at, Findings& findings) {
  const auto* selector = term.label_selector.get();
  check_label_keys(term.match_label_keys, selector, at.child("matchLabelKeys"), findings);
  check_label_keys(term.mismatch_label_keys, selector, at.child("mismatchLabelKeys"), findings);
  if (selector && !term.match_label_keys.empty()) {
    Seen used;
    for (const auto& [key, value] : selector->match_labels) used.insert(key);
    for (const auto& expression : selector->match_expressions) {
      const auto* key = std::find(term.match_label_keys.begin(), term.match_label_keys.end(), expression.key);
      if (key != term.match_label_keys.end() && used.has(expression.key))
        findings.invalid(at.index(static_cast<size_t>(key - term.match_label_keys.begin())), expression.key,
                         "exists in both matchLabelKeys and labelSelector");
      used.insert(expression.key);
    }
  }
  for (size_t i = 0; i < term.match_label_keys.size(); ++i)
    if (in_list(term.mismatch_label_keys, term.match_label_keys[i]))
      findings.invalid(at.child("matchLabelKeys", i), term.match_label_keys[i],
                       "exists in both matchLabelKeys and mismatchLabelKeys");
}

void check_pod_term(const corev1::PodAffinityTerm& term, SelectorRules rules, const Path& at, Findings& findings) {
  check_label_selector(term.label_selector.get(), at.child("labelSelector"), findings, rules);
  check_label_selector(term.namespace_selector.get(), at.child("namespaceSelector"), findings, rules);
  for (const Str& name : term.namespaces) check_label(name, at.child("namespace"), findings);
  check_match_keys(term, at, findings);
  if (term.topology_key.empty()) findings.required(at.child("topologyKey"), "can not be empty");
  check_qualified(term.topology_key, at.child("topologyKey"), findings);
}

template <typename A>
void check_pod_affinity(const A& affinity, SelectorRules rules, const Path& at, Findings& findings) {
  const auto& required = affinity.required_during_scheduling_ignored_during_execution;
  for (size_t i = 0; i < required.size(); ++i)
    check_pod_term(required[i], rules, at.child("requiredDuringSchedulingIgnoredDuringExecution", i), findings);
  const auto& preferred = affinity.preferred_during_scheduling_ignored_during_execution;
  for (size_t i = 0; i < preferred.size(); ++i) {
    const Path here = at.child("preferredDuringSchedulingIgnoredDuringExecution", i);
    check_weight(preferred[i].weight, here, findings);
    check_pod_term(preferred[i].pod_affinity_term, rules, here.child("podAffinityTerm"), findings);
  }
}

void check_node_affinity(const corev1::NodeAffinity& affinity, const Path& at, Findings& findings) {
  const auto& required = affinity.required_during_scheduling_ignored_during_execution;
  if (required) check_node_selector(*required, at.child("requiredDuringSchedulingIgnoredDuringExecution"), findings);
  const auto& preferred = affinity.preferred_during_scheduling_ignored_during_execution;
  for (size_t i = 0; i < preferred.size(); ++i) {
    const Path here = at.child("preferredDuringSchedulingIgnoredDuringExecution", i);
    check_weight(preferred[i].weight, here, findings);
    check_node_term(preferred[i].preference, here.child("preference"), findings);
  }
}

void check_effect(const Str& effect, const Path& at, Findings& findings) {
  findings.one_of(effect, at, {"NoSchedule", "PreferNoSchedule", "NoExecute"});
}

bool extends(const List<corev1::NodeSelectorRequirement>& fresh, const List<corev1::NodeSelectorRequirement>& old) {
  if (fresh.size() < old.size()) return false;
  return std::equal(old.begin(), old.end(), fresh.begin(), [](const auto& a, const auto& b) { return api::semantic_equal(a, b); });
}

bool only_adds(const corev1::NodeSelectorTerm& fresh, const corev1::NodeSelectorTerm& old) {
  if (old.match_expressions.empty() && old.match_fields.empty())
    return fresh.match_expressions.empty() && fresh.match_fields.empty();
  return extends(fresh.match_expressions, old.match_expressions) && extends(fresh.match_fields, old.match_fields);
}

void check_spread_keys(const corev1::TopologySpreadConstraint& c, const Path& at, Findings& findings) {
  if (c.match_label_keys.empty()) return;
  Seen used;
  if (c.label_selector) {
    for (const auto& [key, value] : c.label_selector->match_labels) used.insert(key);
    for (const auto& expression : c.label_selector->match_expressions) used.insert(expression.key);
  } else {
    findings.forbidden(at, "must not be specified when labelSelector is not set");
  }
  for (size_t i = 0; i < c.match_label_keys.size(); ++i) {
    check_qualified(c.match_label_keys[i], at.index(i), findings);
    if (used.has(c.match_label_keys[i]))
      findings.invalid(at.index(i), c.match_label_keys[i], "exists in both matchLabelKeys and labelSelector");
  }
}

void check_inclusion_policy(const Opt<Str>& policy, const Path& at, Findings& findings) {
  if (policy && !is_one_of(*policy, {"Honor", "Ignore"})) findings.not_supported(at, *policy, {"Honor", "Ignore"});
}

void check_spread_constraint(const corev1::TopologySpreadConstraint& c, const Path& at, Findings& findings) {
  if (c.max_skew <= 0) findings.invalid(at.child("maxSkew"), c.max_skew, Findings::kNotPositive);
  if (c.topology_key.empty()) findings.required(at.child("topologyKey"), "can not be empty");
  if (!is_one_of(c.when_unsatisfiable, {"DoNotSchedule", "ScheduleAnyway"}))
    findings.not_supported(at.child("whenUnsatisfiable"), c.when_unsatisfiable, {"DoNotSchedule", "ScheduleAnyway"});
}

std::map<std::string_view, std::set<std::string_view>> values_by_key(const corev1::TopologySelectorTerm& term) {
  std::map<std::string_view, std::set<std::string_view>> values;
  for (const auto& expression : term.match_label_expressions) {
    auto& of_key = values[expression.key];
    of_key.clear();
    for (const Str& value : expression.values) of_key.insert(value);
  }
  return values;
}

}  // namespace

void check_node_selector(const corev1::NodeSelector& selector, const Path& at, Findings& findings) {
  if (selector.node_selector_terms.empty())
    return findings.required(at.child("nodeSelectorTerms"), "must have at least one node selector term");
  for (size_t i = 0; i < selector.node_selector_terms.size(); ++i)
    check_node_term(selector.node_selector_terms[i], at.child("nodeSelectorTerms", i), findings);
}

void check_affinity(const corev1::Affinity& affinity, SelectorRules rules, const Path& at, Findings& findings) {
  if (affinity.node_affinity) check_node_affinity(*affinity.node_affinity, at.child("nodeAffinity"), findings);
  if (affinity.pod_affinity) check_pod_affinity(*affinity.pod_affinity, rules, at.child("podAffinity"), findings);
  if (affinity.pod_anti_affinity) check_pod_affinity(*affinity.pod_anti_affinity, rules, at.child("podAntiAffinity"), findings);
}

void check_tolerations(const List<corev1::Toleration>& tolerations, const Path& at, Findings& findings) {
  for (size_t i = 0; i < tolerations.size(); ++i) {
    const auto& t = tolerations[i];
    const Path here = at.index(i);
    if (!t.key.empty()) check_qualified(t.key, here.child("key"), findings);
    else if (t.operator_ != "Exists")
      findings.invalid(here.child("operator"), t.operator_,
                       "operator must be Exists when `key` is empty, which means \"match all values and all keys\"");
    if (t.toleration_seconds && t.effect != "NoExecute")
      findings.invalid(here.child("effect"), t.effect, "effect must be 'NoExecute' when `tolerationSeconds` is set");
    if (t.operator_ == "Exists") {
      if (!t.value.empty()) findings.invalid(here.child("operator"), t.value, "value must be empty when `operator` is 'Exists'");
    } else if (t.operator_.empty() || t.operator_ == "Equal") {
      if (const Messages wrong = api::check_label_value(t.value); !wrong.empty())
        findings.invalid(here.child("operator"), t.value, api::join(wrong, ";"));
    } else {
      findings.not_supported(here.child("operator"), t.operator_, {"Equal", "Exists"});
    }
    if (!t.effect.empty()) check_effect(t.effect, here.child("effect"), findings);
  }
}

void check_taints(const List<corev1::Taint>& taints, const Path& at, Findings& findings) {
  for (size_t i = 0; i < taints.size(); ++i) {
    const auto& taint = taints[i];
    const Path here = at.index(i);
    check_qualified(taint.key, here.child("key"), findings);
    if (const Messages wrong = api::check_label_value(taint.value); !wrong.empty())
      findings.invalid(here.child("value"), taint.value, api::join(wrong, ";"));
    check_effect(taint.effect, here.child("effect"), findings);
    const bool repeated = std::any_of(taints.begin(), taints.begin() + i, [&](const corev1::Taint& t) {
      return t.key == taint.key && t.effect == taint.effect;
    });
    if (repeated) findings.duplicate(here, Shown::object(taint), "taints must be unique by key and effect pair");
  }
}

void check_spread_constraints(const List<corev1::TopologySpreadConstraint>& constraints, bool check_selectors, const Path& at,
                              Findings& findings) {
  for (size_t i = 0; i < constraints.size(); ++i) {
    const auto& c = constraints[i];
    const Path here = at.index(i);
    check_spread_constraint(c, here, findings);
    const bool repeated = std::any_of(constraints.begin() + i + 1, constraints.end(), [&](const auto& other) {
      return other.topology_key == c.topology_key && other.when_unsatisfiable == c.when_unsatisfiable;
    });
    if (repeated)
      findings.duplicate(here.child("{topologyKey, whenUnsatisfiable}"), str_cat("{", c.topology_key, ", ", c.when_unsatisfiable, "}"));
    if (c.min_domains && *c.min_domains <= 0) findings.invalid(here.child("minDomains"), *c.min_domains, Findings::kNotPositive);
    if (c.min_domains && c.when_unsatisfiable != "DoNotSchedule")
      findings.invalid(here.child("minDomains"), *c.min_domains,
                       str_cat("can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ", c.when_unsatisfiable));
    check_inclusion_policy(c.node_affinity_policy, here.child("nodeAffinityPolicy"), findings);
    check_inclusion_policy(c.node_taints_policy, here.child("nodeTaintsPolicy"), findings);
    check_spread_keys(c, here.child("matchLabelKeys"), findings);
    if (check_selectors) check_label_selector(c.label_selector.get(), here.child("labelSelector"), findings);
  }
}

void check_topology_terms(const List<corev1::TopologySelectorTerm>& terms, const Path& at, Findings& findings) {
  for (size_t i = 0; i < terms.size(); ++i) {
    const Path term = at.index(i);
    Seen keys;
    const auto& expressions = terms[i].match_label_expressions;
    for (size_t k = 0; k < expressions.size(); ++k) {
      const Path here = term.child("matchLabelExpressions", k);
      if (expressions[k].values.empty()) findings.required(here.child("values"));
      Seen values;
      for (size_t v = 0; v < expressions[k].values.size(); ++v)
        if (!values.insert(expressions[k].values[v])) findings.duplicate(here.child("values", v), expressions[k].values[v]);
      check_qualified(expressions[k].key, here.child("key"), findings);
      if (!keys.insert(expressions[k].key)) findings.duplicate(here.child("key"), expressions[k].key);
    }
    // A term without expressions is like each of the places that are still empty, one for each term.
    size_t repeated = expressions.empty() ? terms.size() : 0;
    for (size_t t = 0; t < i; ++t) repeated += values_by_key(terms[t]) == values_by_key(terms[i]) ? 1 : 0;
    for (size_t n = 0; n < repeated; ++n) findings.duplicate(term.child("matchLabelExpressions"), "");
  }
}

void check_node_affinity_narrowed(const corev1::NodeAffinity* fresh, const corev1::NodeAffinity* old, const Path& at, Findings& findings) {
  if (!old || !old->required_during_scheduling_ignored_during_execution) return;
  const auto& before = old->required_during_scheduling_ignored_during_execution->node_selector_terms;
  static const List<corev1::NodeSelectorTerm> kNone;
  const auto& after = fresh && fresh->required_during_scheduling_ignored_during_execution
                          ? fresh->required_during_scheduling_ignored_during_execution->node_selector_terms
                          : kNone;
  const Path terms = at.child("requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms");
  if (!before.empty() && before.size() != after.size())
    return findings.invalid(terms, Shown::raw("[]"), "no additions/deletions to non-empty NodeSelectorTerms list are allowed");
  for (size_t i = 0; i < before.size(); ++i)
    if (!only_adds(after[i], before[i]))
      findings.invalid(terms.index(i), Shown::object(after[i]), "only additions are allowed (no mutations or deletions)");
}

}  // namespace orrery::server
