#include "engine/api/node_affinity.h"

#include <algorithm>

#include "engine/api/names.h"

namespace orrery::api {
namespace {

std::string indexed(const std::string& path, std::string_view name, size_t index) {
  return str_cat(path, path.empty() ? "" : ".", name, "[", uint64_t{index}, "]");
}

std::string go_strings(const List<Str>& values) {
  if (values.is_nil()) return "[]string(nil)";
  std::string out = "[]string{";
  for (size_t i = 0; i < values.size(); ++i) out += (i ? ", " : "") + quoted(values[i]);
  return out + "}";
}

std::optional<SelectorOp> operator_of(const Str& text) {
  if (text == "In") return SelectorOp::kIn;
  if (text == "NotIn") return SelectorOp::kNotIn;
  if (text == "Exists") return SelectorOp::kExists;
  if (text == "DoesNotExist") return SelectorOp::kDoesNotExist;
  if (text == "Gt") return SelectorOp::kGreaterThan;
  if (text == "Lt") return SelectorOp::kLessThan;
  return std::nullopt;
}

}  // namespace

NodeSelectorTerm::NodeSelectorTerm(const corev1::NodeSelectorTerm& term, const std::string& path)
    : empty_(term.match_expressions.empty() && term.match_fields.empty()) {
  for (size_t i = 0; i < term.match_expressions.size(); ++i) {
    const auto& e = term.match_expressions[i];
    const std::string at = indexed(path, "matchExpressions", i);
    const auto op = operator_of(e.operator_);
    if (!op) {
      errors_.push_back(str_cat(at, ".operator: Unsupported value: ", quoted(e.operator_),
                                ": supported values: \"In\", \"NotIn\", \"Exists\", \"DoesNotExist\", \"Gt\", \"Lt\""));
      continue;
    }
    auto made = Requirement::make(e.key, *op, {e.values.begin(), e.values.end()}, at);
    if (made.is_ok()) {
      expressions_.push_back(std::move(*made));
    } else {
      errors_.push_back(made.status().message());
    }
  }
  for (size_t i = 0; i < term.match_fields.size(); ++i) {
    const auto& f = term.match_fields[i];
    const std::string at = indexed(path, "matchFields", i);
    if (f.operator_ != "In" && f.operator_ != "NotIn") {
      errors_.push_back(str_cat(at, ".operator: Unsupported value: ", quoted(f.operator_),
                                ": supported values: \"In\", \"NotIn\""));
    } else if (f.values.size() != 1) {
      errors_.push_back(str_cat(at, ".values: Invalid value: ", go_strings(f.values), ": must have one element"));
    } else {
      fields_.push_back({f.key, f.values[0], f.operator_ == "In"});
    }
  }
}

bool NodeSelectorTerm::matches(const Labels& labels, const Str& node_name) const {
  if (empty_ || !errors_.empty()) return false;
  for (const Requirement& r : expressions_)
    if (!r.matches(labels)) return false;
  for (const FieldTerm& f : fields_) {
    const bool same = f.key == "metadata.name" ? node_name == f.value : f.value.empty();
    if (same != f.equal) return false;
  }
  return true;
}

std::optional<std::vector<Str>> NodeSelectorTerm::node_names() const {
  std::optional<std::vector<Str>> names;
  for (const FieldTerm& f : fields_) {
    if (f.key != "metadata.name" || !f.equal) continue;
    // Several such fields are ANDed: different names leave none.
    if (names && *names != std::vector<Str>{f.value}) return std::vector<Str>();
    names = std::vector<Str>{f.value};
  }
  return names;
}

NodeSelector::NodeSelector(const corev1::NodeSelector& selector, const std::string& path) {
  for (size_t i = 0; i < selector.node_selector_terms.size(); ++i)
    terms_.emplace_back(selector.node_selector_terms[i], indexed(path, "nodeSelectorTerms", i));
}

namespace {

std::string all_errors(const std::vector<NodeSelectorTerm>& terms) {
  std::vector<std::string> errors;
  for (const NodeSelectorTerm& term : terms)
    for (const std::string& error : term.errors()) errors.push_back(error);
  return errors.empty() ? "" : aggregate(errors);
}

}  // namespace

std::string NodeSelector::error() const { return all_errors(terms_); }

bool NodeSelector::matches(const Labels& labels, const Str& node_name, std::string* error) const {
  for (const NodeSelectorTerm& term : terms_)
    if (term.matches(labels, node_name)) return true;
  if (error) *error = all_errors(terms_);
  return false;
}

RequiredNodeAffinity::RequiredNodeAffinity(const corev1::PodSpec& spec)
    : labels_(Selector::of_labels(spec.node_selector)) {
  if (!spec.affinity || !spec.affinity->node_affinity) return;
  const auto& required = spec.affinity->node_affinity->required_during_scheduling_ignored_during_execution;
  if (required) affinity_.emplace(*required);
}

bool RequiredNodeAffinity::matches(const Labels& labels, const Str& node_name, std::string* error) const {
  if (!labels_.empty() && !labels_.matches(labels)) return false;
  return !affinity_ || affinity_->matches(labels, node_name, error);
}

PreferredNodeAffinity::PreferredNodeAffinity(const List<corev1::PreferredSchedulingTerm>& terms) {
  for (size_t i = 0; i < terms.size(); ++i) {
    const auto& preferred = terms[i];
    NodeSelectorTerm term(preferred.preference, str_cat("[", uint64_t{i}, "]"));
    if (preferred.weight == 0 || term.empty()) continue;
    errors_.insert(errors_.end(), term.errors().begin(), term.errors().end());
    terms_.push_back({std::move(term), preferred.weight});
  }
}

std::string PreferredNodeAffinity::error() const { return errors_.empty() ? "" : aggregate(errors_); }

int64_t PreferredNodeAffinity::score(const Labels& labels, const Str& node_name) const {
  int64_t sum = 0;
  for (const Term& t : terms_)
    if (t.term.matches(labels, node_name)) sum += t.weight;
  return sum;
}

bool tolerates(const corev1::Toleration& toleration, const corev1::Taint& taint) {
  if (!toleration.effect.empty() && toleration.effect != taint.effect) return false;
  if (!toleration.key.empty() && toleration.key != taint.key) return false;
  if (toleration.operator_.empty() || toleration.operator_ == "Equal") return toleration.value == taint.value;
  return toleration.operator_ == "Exists";
}

bool tolerates(const List<corev1::Toleration>& tolerations, const corev1::Taint& taint) {
  return std::any_of(tolerations.begin(), tolerations.end(),
                     [&](const corev1::Toleration& t) { return tolerates(t, taint); });
}

const corev1::Taint* find_untolerated(const List<corev1::Taint>& taints, const List<corev1::Toleration>& tolerations,
                                      std::initializer_list<std::string_view> effects) {
  for (const corev1::Taint& taint : taints) {
    if (std::find(effects.begin(), effects.end(), taint.effect.view()) == effects.end()) continue;
    if (!tolerates(tolerations, taint)) return &taint;
  }
  return nullptr;
}

}  // namespace orrery::api
