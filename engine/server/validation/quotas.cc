// Resource quotas and limit ranges. Source: Kubernetes v1.32 pkg/apis/core/validation/validation.go.
#include "engine/api/gen/corev1.h"
#include "engine/api/names.h"
#include "engine/server/validation/metadata.h"
#include "engine/server/validation/registry.h"
#include "engine/server/validation/resources.h"

namespace orrery::server {
namespace {

using corev1::LimitRange;
using corev1::LimitRangeItem;
using corev1::ResourceQuota;
using corev1::ResourceQuotaSpec;

constexpr Path kSpec("spec");
constexpr Path kStatus("status");

void check_amounts(const Map<api::Quantity>& amounts, const Path& at, Findings& findings) {
  for (const auto& [name, quantity] : amounts) {
    const Path here = at.key(name);
    check_quota_resource_name(name, here, findings);
    check_resource_quantity(name, quantity, here, findings);
  }
}

bool is_scope(std::string_view scope) {
  return is_one_of(scope, {"Terminating", "NotTerminating", "BestEffort", "NotBestEffort", "PriorityClass", "CrossNamespacePodAffinity"});
}

bool scope_fits(std::string_view scope, std::string_view resource) {
  if (!is_scope(scope)) return true;
  if (scope == "BestEffort") return resource == "pods";
  return is_one_of(resource, {"pods", "cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory"});
}

bool has_scope(const ResourceQuotaSpec& spec, bool of_selector, std::string_view scope) {
  if (!of_selector) return std::find(spec.scopes.begin(), spec.scopes.end(), scope) != spec.scopes.end();
  for (const auto& r : spec.scope_selector->match_expressions)
    if (r.scope_name == scope) return true;
  return false;
}

void check_conflicts(const ResourceQuotaSpec& spec, bool of_selector, const Path& at, Findings& findings) {
  const auto both = [&](std::string_view a, std::string_view b) { return has_scope(spec, of_selector, a) && has_scope(spec, of_selector, b); };
  const auto add = [&] { findings.invalid(at, Shown::list(spec.scopes, "[]core.ResourceQuotaScope"), "conflicting scopes"); };
  if (both("BestEffort", "NotBestEffort")) add();
  if (both("Terminating", "NotTerminating")) add();
}

// One finding for each limited resource that the scope does not apply to.
void check_scope_of_resources(const ResourceQuotaSpec& spec, std::string_view scope, const Path& at, const Shown& shown, Findings& findings) {
  for (const auto& entry : spec.hard)
    if (is_standard_quota_name(entry.key) && !scope_fits(scope, entry.key))
      findings.invalid(at, shown, "unsupported scope applied to resource");
}

void check_scopes(const ResourceQuotaSpec& spec, Findings& findings) {
  const Path at = kSpec.child("scopes");
  if (spec.scopes.empty()) return;
  const Shown shown = Shown::list(spec.scopes, "[]core.ResourceQuotaScope");
  for (const Str& scope : spec.scopes) {
    if (!is_scope(scope)) findings.invalid(at, shown, "unsupported scope");
    check_scope_of_resources(spec, scope, at, shown, findings);
  }
  check_conflicts(spec, false, at, findings);
}

void check_requirement(const corev1::ScopedResourceSelectorRequirement& r, const Path& at, Findings& findings) {
  if (r.scope_name != "PriorityClass" && is_scope(r.scope_name) && r.operator_ != "Exists")
    findings.invalid(at.child("operator"), r.operator_,
                     "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, "
                     "ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity");
  if (is_one_of(r.operator_, {"In", "NotIn"})) {
    if (r.values.empty())
      findings.required(at.child("values"), "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector");
  } else if (is_one_of(r.operator_, {"Exists", "DoesNotExist"})) {
    if (!r.values.empty())
      findings.invalid(at.child("values"), Shown::list(r.values), "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector");
  } else {
    findings.invalid(at.child("operator"), r.operator_, "not a valid selector operator");
  }
}

void check_scope_selector(const ResourceQuotaSpec& spec, Findings& findings) {
  constexpr Path kExpressions("spec.scopeSelector.matchExpressions");
  if (!spec.scope_selector) return;
  for (const auto& r : spec.scope_selector->match_expressions) {
    if (!is_scope(r.scope_name)) findings.invalid(kExpressions.child("scopeName"), r.scope_name, "unsupported scope");
    check_scope_of_resources(spec, r.scope_name, kExpressions, Shown::object(*spec.scope_selector), findings);
    check_requirement(r, kExpressions, findings);
  }
  check_conflicts(spec, true, kExpressions, findings);
}

void check_spec(const ResourceQuotaSpec& spec, Findings& findings) {
  check_amounts(spec.hard, kSpec.child("hard"), findings);
  check_scopes(spec, findings);
  check_scope_selector(spec, findings);
}

void check_status_amounts(const ResourceQuota& quota, Findings& findings) {
  check_amounts(quota.status->hard, kStatus.child("hard"), findings);
  check_amounts(quota.status->used, kStatus.child("used"), findings);
}

void check_create(const ResourceQuota& quota, Findings& findings) {
  check_object_meta(*quota.metadata, true, name_is_subdomain, findings);
  check_spec(*quota.spec, findings);
  check_status_amounts(quota, findings);
}

void check_update(const ResourceQuota& quota, const ResourceQuota& old, Findings& findings) {
  check_object_meta_update(*quota.metadata, *old.metadata, findings);
  check_spec(*quota.spec, findings);
  const auto &now = quota.spec->scopes, &before = old.spec->scopes;
  const auto within = [](const List<Str>& a, const List<Str>& b) {
    return std::all_of(a.begin(), a.end(), [&](const Str& s) { return std::find(b.begin(), b.end(), s) != b.end(); });
  };
  if (!within(now, before) || !within(before, now))
    findings.invalid(kSpec.child("scopes"), Shown::list(now, "[]core.ResourceQuotaScope"), Findings::kImmutable);
}

void check_status(const ResourceQuota& quota, const ResourceQuota& old, Findings& findings) {
  check_object_meta_update(*quota.metadata, *old.metadata, findings);
  if (quota.metadata->resource_version.empty()) findings.required(Path("resourceVersion"));
  check_status_amounts(quota, findings);
}

void check_limit_names(const LimitRangeItem& item, const Map<api::Quantity>& amounts, const Path& at, Findings& findings) {
  const bool of_pods = is_one_of(item.type, {"Pod", "Container"});
  for (const auto& entry : amounts)
    if (of_pods) check_container_resource_name(entry.key, at.key(entry.key), findings);
    else check_resource_name(entry.key, at.key(entry.key), findings);
}

void check_limit_type(const Str& type, const Path& at, Findings& findings) {
  if (const Messages wrong = api::check_qualified_name(type); !wrong.empty()) return findings.invalid(at, type, wrong);
  if (!contains(type, "/") && !is_one_of(type, {"Pod", "Container", "PersistentVolumeClaim"}))
    findings.invalid(at, type, "must be a standard limit type or fully qualified");
}

// The order of a resource's bounds.
struct Bounds {
  const LimitRangeItem& item;
  std::string_view resource;
  const Path& at;
  Findings& findings;

  void ordered(const api::Quantity* low, std::string_view low_name, const api::Quantity* high, std::string_view high_name,
               std::string_view field, const api::Quantity* shown) const {
    if (!low || !high || *low <= *high) return;
    findings.invalid(at.child_key(field, resource), shown->to_string(),
                     str_cat(low_name, " value ", low->to_string(), " is greater than ", high_name, " value ", high->to_string()));
  }
  void check() const {
    const auto *min = item.min.find(resource), *max = item.max.find(resource);
    const bool of_pod = item.type == "Pod";
    const auto* fallback = of_pod ? nullptr : item.default_.find(resource);
    const auto* request = of_pod ? nullptr : item.default_request.find(resource);
    ordered(min, "min", max, "max", "min", min);
    ordered(min, "min", request, "default request", "defaultRequest", request);
    ordered(request, "default request", max, "max", "defaultRequest", request);
    ordered(request, "default request", fallback, "default limit", "defaultRequest", request);
    ordered(min, "min", fallback, "default", "default", min);
    ordered(fallback, "default", max, "max", "default", max);
    check_ratio(min, max);
    if (!is_overcommit_allowed(resource) && fallback && request && !(*fallback == *request))
      findings.invalid(at.child_key("defaultRequest", resource), request->to_string(),
                       str_cat("default value ", fallback->to_string(), " must equal to defaultRequest value ", request->to_string(), " in ", resource));
  }
  void check_ratio(const api::Quantity* min, const api::Quantity* max) const {
    const api::Quantity* ratio = item.max_limit_request_ratio.find(resource);
    if (!ratio) return;
    const Path here = at.child_key("maxLimitRequestRatio", resource);
    if (ratio->compare_int(1) < 0) findings.invalid(here, ratio->to_string(), str_cat("ratio ", ratio->to_string(), " is less than 1"));
    if (!min || !max) return;
    constexpr int64_t kMilliMax = INT64_MAX / 1000;
    const bool fine = ratio->value() < kMilliMax && min->value() < kMilliMax && max->value() < kMilliMax;
    const double wanted = fine ? static_cast<double>(ratio->milli_value()) / 1000 : static_cast<double>(ratio->value());
    const double least = static_cast<double>(fine ? min->milli_value() : min->value());
    const double limit = static_cast<double>(fine ? max->milli_value() : max->value()) / least;
    if (!(wanted > limit)) return;
    char text[64];
    std::snprintf(text, sizeof(text), "%f", limit);
    findings.invalid(here, ratio->to_string(), str_cat("ratio ", ratio->to_string(), " is greater than max/min = ", text));
  }
};

void check_limit(const LimitRangeItem& item, const Path& at, Findings& findings) {
  check_limit_names(item, item.max, at.child("max"), findings);
  check_limit_names(item, item.min, at.child("min"), findings);
  if (item.type == "Pod") {
    constexpr std::string_view kText = "may not be specified when `type` is 'Pod'";
    if (!item.default_.empty()) findings.forbidden(at.child("default"), kText);
    if (!item.default_request.empty()) findings.forbidden(at.child("defaultRequest"), kText);
  } else {
    check_limit_names(item, item.default_, at.child("default"), findings);
    check_limit_names(item, item.default_request, at.child("defaultRequest"), findings);
  }
  if (item.type == "PersistentVolumeClaim" && !item.min.contains("storage") && !item.max.contains("storage"))
    findings.required(at.child("limits"), "either minimum or maximum storage value is required, but neither was provided");
  check_limit_names(item, item.max_limit_request_ratio, at.child("maxLimitRequestRatio"), findings);
  Map<bool> names;
  for (const auto* amounts : {&item.max, &item.min, &item.default_, &item.default_request, &item.max_limit_request_ratio})
    for (const auto& entry : *amounts) names.set(entry.key, true);
  for (const auto& entry : names) Bounds{item, entry.key, at, findings}.check();
}

void check_create(const LimitRange& range, Findings& findings) {
  check_object_meta(*range.metadata, true, name_is_subdomain, findings);
  Seen types;
  for (size_t i = 0; i < range.spec->limits.size(); ++i) {
    const auto& item = range.spec->limits[i];
    const Path at = kSpec.child("limits", i);
    check_limit_type(item.type, at.child("type"), findings);
    if (!types.insert(item.type)) findings.duplicate(at.child("type"), item.type);
    check_limit(item, at, findings);
  }
}

void check_update(const LimitRange& range, const LimitRange&, Findings& findings) { check_create(range, findings); }

}  // namespace

std::span<const CheckRow> quota_checks() {
  static const CheckRow kRows[] = {
      check_row<LimitRange, check_create, check_update>(),
      check_row<ResourceQuota, check_create, check_update, check_status>(),
  };
  return kRows;
}

}  // namespace orrery::server
