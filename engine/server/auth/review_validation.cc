#include "engine/server/auth/review_validation.h"

#include "engine/api/codec_json.h"
#include "engine/api/label_selector.h"
#include "engine/api/names.h"
#include "engine/api/semantic.h"

namespace orrery::server {
namespace {

namespace authz = authorizationv1;
constexpr std::string_view kAttributes = "spec.resourceAttributes";

bool takes_values(std::string_view op) { return op == "In" || op == "NotIn"; }
bool takes_none(std::string_view op) { return op == "Exists" || op == "DoesNotExist"; }

// Operators of the future are left to the authorizer.
void check_values(const std::string& path, std::string_view op, size_t values,
                  FieldErrors& errors) {
  if (takes_values(op) && values == 0)
    errors.push_back(FieldError::required(path + ".values",
                                          "must be specified when `operator` is 'In' or 'NotIn'"));
  if (takes_none(op) && values > 0)
    errors.push_back(FieldError::forbidden(
        path + ".values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
}

void check_raw(const std::string& path, const Str& raw, bool has_requirements,
               FieldErrors& errors) {
  if (!raw.empty() && has_requirements)
    errors.push_back(FieldError::invalid(path + ".rawSelector", api::quoted(raw),
                                         "may not specified at the same time as requirements"));
  if (raw.empty() && !has_requirements)
    errors.push_back(FieldError::required(
        path + ".requirements",
        str_cat("when ", path, " is specified, requirements or rawSelector is required")));
}

void check_fields(const authz::FieldSelectorAttributes& selector, FieldErrors& errors) {
  const std::string path = str_cat(kAttributes, ".fieldSelector");
  check_raw(path, selector.raw_selector, !selector.requirements.empty(), errors);
  for (size_t i = 0; i < selector.requirements.size(); ++i) {
    const metav1::FieldSelectorRequirement& one = selector.requirements[i];
    const std::string at = str_cat(path, ".requirements[", i, "]");
    if (one.key.empty()) errors.push_back(FieldError::required(at + ".key", "must be specified"));
    check_values(at, one.operator_, one.values.size(), errors);
  }
}

void check_labels(const authz::LabelSelectorAttributes& selector, FieldErrors& errors) {
  const std::string path = str_cat(kAttributes, ".labelSelector");
  check_raw(path, selector.raw_selector, !selector.requirements.empty(), errors);
  for (size_t i = 0; i < selector.requirements.size(); ++i) {
    const metav1::LabelSelectorRequirement& one = selector.requirements[i];
    const std::string at = str_cat(path, ".requirements[", i, "]");
    check_values(at, one.operator_, one.values.size(), errors);
    for (const std::string& why : api::check_qualified_name(one.key))
      errors.push_back(FieldError::invalid(at + ".key", api::quoted(one.key), why));
    for (size_t v = 0; v < one.values.size(); ++v)
      for (const std::string& why : api::check_label_value(one.values[v]))
        errors.push_back(
            FieldError::invalid(str_cat(at, ".values[", v, "]"), api::quoted(one.values[v]), why));
  }
}

template <typename Spec>
FieldErrors check_attributes(const Spec& spec) {
  FieldErrors errors;
  if (spec.resource_attributes && spec.non_resource_attributes)
    errors.push_back(FieldError::invalid(
        "spec.nonResourceAttributes", api::encode_json_struct(*spec.non_resource_attributes),
        "cannot be specified in combination with resourceAttributes"));
  if (!spec.resource_attributes && !spec.non_resource_attributes)
    errors.push_back(FieldError::invalid(
        std::string(kAttributes), "\"null\"",
        "exactly one of nonResourceAttributes or resourceAttributes must be specified"));
  return errors;
}

template <typename Spec>
void check_selectors(const Spec& spec, FieldErrors& errors) {
  if (!spec.resource_attributes) return;
  if (spec.resource_attributes->field_selector)
    check_fields(*spec.resource_attributes->field_selector, errors);
  if (spec.resource_attributes->label_selector)
    check_labels(*spec.resource_attributes->label_selector, errors);
}

FieldErrors check_subject(const authz::SubjectAccessReviewSpec& spec) {
  FieldErrors errors = check_attributes(spec);
  if (spec.user.empty() && spec.groups.empty())
    errors.push_back(FieldError::invalid("spec.user", "\"\"",
                                         "at least one of user or group must be specified"));
  check_selectors(spec, errors);
  return errors;
}

void check_metadata(const Ref<metav1::ObjectMeta>& metadata, bool namespace_allowed,
                    FieldErrors& errors) {
  metav1::ObjectMeta meta = *metadata;
  meta.managed_fields.reset();
  if (namespace_allowed) meta.namespace_ = Str();
  if (api::semantic_equal(meta, metav1::ObjectMeta())) return;
  errors.push_back(FieldError::invalid(
      "metadata", api::encode_json_struct(*metadata),
      namespace_allowed ? "must be empty except for namespace" : "must be empty"));
}

// The requirements as the terms of a field selector's text: In and NotIn of one value; the rest is
// dropped.
std::string field_text(const authz::FieldSelectorAttributes& selector, bool* dropped) {
  if (selector.requirements.empty()) return selector.raw_selector.str();
  std::vector<std::string> terms;
  for (const metav1::FieldSelectorRequirement& one : selector.requirements) {
    if (one.values.size() != 1 || !takes_values(one.operator_)) {
      *dropped = true;
      continue;
    }
    terms.push_back(str_cat(
        one.key, one.operator_ == "In" ? "=" : "!=", api::FieldSelector::escape(one.values[0])));
  }
  return api::join(terms, ",");
}

std::string ignored(std::string_view selector, bool partially) {
  return str_cat(kAttributes, ".", selector, partially ? " partially" : "",
                 " ignored due to parse error");
}

// How many of the label requirements are good.
size_t good_labels(const authz::LabelSelectorAttributes& selector) {
  size_t good = 0;
  for (const metav1::LabelSelectorRequirement& one : selector.requirements) {
    metav1::LabelSelector alone;
    alone.match_expressions = {one};
    good += api::Selector::of(&alone).is_ok();
  }
  return good;
}

}  // namespace

FieldErrors validate_review(const authz::SelfSubjectAccessReview& review) {
  FieldErrors errors = check_attributes(*review.spec);
  check_selectors(*review.spec, errors);
  check_metadata(review.metadata, false, errors);
  return errors;
}

FieldErrors validate_review(const authz::SubjectAccessReview& review) {
  FieldErrors errors = check_subject(*review.spec);
  check_metadata(review.metadata, false, errors);
  return errors;
}

FieldErrors validate_review(const authz::LocalSubjectAccessReview& review, std::string_view ns) {
  const authz::SubjectAccessReviewSpec& spec = *review.spec;
  FieldErrors errors = check_subject(spec);
  check_metadata(review.metadata, true, errors);
  if (spec.resource_attributes && spec.resource_attributes->namespace_ != ns)
    errors.push_back(FieldError::invalid(str_cat(kAttributes, ".namespace"),
                                         api::quoted(spec.resource_attributes->namespace_),
                                         "must match metadata.namespace"));
  if (spec.non_resource_attributes)
    errors.push_back(FieldError::invalid("spec.nonResourceAttributes",
                                         api::encode_json_struct(*spec.non_resource_attributes),
                                         "disallowed on this kind of request"));
  return errors;
}

std::vector<std::string> ask_selectors(const authz::ResourceAttributes& asked,
                                       Attributes& attributes) {
  std::vector<std::string> problems;
  if (asked.field_selector) {
    bool dropped = false;
    auto parsed = api::FieldSelector::parse(field_text(*asked.field_selector, &dropped));
    if (parsed.is_ok()) attributes.field_selector = *parsed;
    if (!parsed.is_ok() || dropped)
      problems.push_back(ignored("fieldSelector", !attributes.field_selector.empty()));
  }
  if (asked.label_selector) {
    const authz::LabelSelectorAttributes& labels = *asked.label_selector;
    const size_t good = good_labels(labels);
    const bool raw_fails =
        labels.requirements.empty() && !api::Selector::parse(labels.raw_selector).is_ok();
    if (good < labels.requirements.size() || raw_fails)
      problems.push_back(ignored("labelSelector", good > 0));
  }
  return problems;
}

}  // namespace orrery::server
