#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/api/gen/corev1.h"
#include "engine/api/label_selector.h"

namespace orrery::api {

/// A compiled corev1::NodeSelectorTerm. Source: Kubernetes v1.32 component-helpers/scheduling.
class NodeSelectorTerm {
 public:
  NodeSelectorTerm() = default;
  NodeSelectorTerm(const corev1::NodeSelectorTerm& term, const std::string& path);

  /// An empty term matches no node; so does one that could not be compiled.
  bool matches(const Labels& labels, const Str& node_name) const;
  bool empty() const { return empty_; }
  const std::vector<std::string>& errors() const { return errors_; }
  /// The node names that matchFields allows (metadata.name In), if it says anything.
  std::optional<std::vector<Str>> node_names() const;

 private:
  struct FieldTerm {
    Str key;
    Str value;
    bool equal;
  };
  bool empty_ = true;
  std::vector<Requirement> expressions_;
  std::vector<FieldTerm> fields_;
  std::vector<std::string> errors_;
};

/// A compiled corev1::NodeSelector: the terms are ORed.
class NodeSelector {
 public:
  explicit NodeSelector(const corev1::NodeSelector& selector, const std::string& path = "");

  /// The error is set only if no term matches and some term that is not empty could not be compiled.
  bool matches(const Labels& labels, const Str& node_name, std::string* error = nullptr) const;
  const std::vector<NodeSelectorTerm>& terms() const { return terms_; }
  /// All compile errors as one text, "" if there are none.
  std::string error() const;

 private:
  std::vector<NodeSelectorTerm> terms_;
};

/// What a pod requires of its node: spec.nodeSelector and required node affinity.
class RequiredNodeAffinity {
 public:
  RequiredNodeAffinity() = default;
  explicit RequiredNodeAffinity(const corev1::PodSpec& spec);
  bool matches(const Labels& labels, const Str& node_name, std::string* error = nullptr) const;
  bool always() const { return labels_.empty() && !affinity_; }
  const std::optional<NodeSelector>& affinity() const { return affinity_; }

 private:
  Selector labels_;
  std::optional<NodeSelector> affinity_;
};

/// Preferred scheduling terms: the sum of the weights of those that match.
class PreferredNodeAffinity {
 public:
  PreferredNodeAffinity() = default;
  explicit PreferredNodeAffinity(const List<corev1::PreferredSchedulingTerm>& terms);
  int64_t score(const Labels& labels, const Str& node_name) const;
  bool empty() const { return terms_.empty(); }
  std::string error() const;

 private:
  struct Term {
    NodeSelectorTerm term;
    int32_t weight;
  };
  std::vector<Term> terms_;
  std::vector<std::string> errors_;
};

/// Tolerations. Effects are compared as text; an empty effect in a toleration stands for all.
bool tolerates(const corev1::Toleration& toleration, const corev1::Taint& taint);
bool tolerates(const List<corev1::Toleration>& tolerations, const corev1::Taint& taint);
/// The first taint with one of `effects` that nothing tolerates, or nullptr.
const corev1::Taint* find_untolerated(const List<corev1::Taint>& taints, const List<corev1::Toleration>& tolerations,
                                      std::initializer_list<std::string_view> effects);

}  // namespace orrery::api
