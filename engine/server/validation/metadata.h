#pragma once

#include "engine/api/gen/metav1.h"
#include "engine/api/semantic.h"
#include "engine/server/validation/text_rules.h"

namespace orrery::server {

/// Checks that all kinds share. Source: Kubernetes v1.32 apimachinery/pkg/api/validation/objectmeta.go,
/// apimachinery/pkg/apis/meta/v1/validation.

/// Metadata of a new object, at "metadata". `kube_finalizers`: a finalizer without a domain must be
/// one of Kubernetes' own (the built-in kinds' rule).
void check_object_meta(const metav1::ObjectMeta& meta, bool namespaced, NameRule rule, Findings& findings, bool kube_finalizers = true);
/// Metadata of an update.
void check_object_meta_update(const metav1::ObjectMeta& meta, const metav1::ObjectMeta& old, Findings& findings,
                              bool kube_finalizers = true);

void check_labels(const Map<Str>& labels, const Path& at, Findings& findings);
void check_annotations(const Map<Str>& annotations, const Path& at, Findings& findings);
/// A finalizer without a domain must be one of Kubernetes' own.
void check_kube_finalizer(std::string_view finalizer, const Path& at, Findings& findings);

struct SelectorRules {
  bool any_values = false;  // values need not be valid label values (old objects may have them)
};
void check_label_selector(const metav1::LabelSelector* selector, const Path& at, Findings& findings, SelectorRules rules = {});
/// True if an expression of `selector` has a value that is no label value.
bool has_invalid_label_value(const metav1::LabelSelector* selector);

/// metav1.Condition lists.
void check_conditions(const List<metav1::Condition>& conditions, const Path& at, Findings& findings);

/// "field is immutable" unless both are equal.
template <typename T>
void check_immutable(const T& value, const T& old, const Path& at, const Shown& shown, Findings& findings) {
  if (!(value == old)) findings.invalid(at, shown, Findings::kImmutable);
}
/// The same for structs (semantic equality).
template <typename T>
void check_immutable_struct(const T& value, const T& old, const Path& at, Findings& findings) {
  if (!api::semantic_equal(value, old)) findings.invalid(at, Shown::object(value), Findings::kImmutable);
}
/// ... that may be absent.
template <typename T>
void check_immutable_struct(const Ref<T>& value, const Ref<T>& old, const Path& at, Findings& findings) {
  const bool same = static_cast<bool>(value) == static_cast<bool>(old) && (!value || api::semantic_equal(*value, *old));
  if (!same) findings.invalid(at, value ? Shown::object(*value) : Shown("null"), Findings::kImmutable);
}

}  // namespace orrery::server
