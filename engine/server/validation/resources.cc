#include "engine/server/validation/resources.h"

#include "engine/api/names.h"

namespace orrery::server {
namespace {

constexpr std::string_view kHugePages = "hugepages-";

bool is_standard_resource(std::string_view name) {
  return name == "storage" || is_standard_quota_name(name);
}

bool is_counted(std::string_view name) {
  return is_one_of(name, {"pods", "resourcequotas", "services", "replicationcontrollers", "secrets", "configmaps",
                          "persistentvolumeclaims", "services.nodeports", "services.loadbalancers"}) ||
         is_extended_resource(name);
}

bool is_whole_pages(std::string_view name, const api::Quantity& quantity) {
  const auto page = api::Quantity::parse(name.substr(kHugePages.size()));
  if (!page.is_ok() || page->sign() <= 0 || page->milli_value() % 1000 != 0) return false;
  return quantity.value() % page->value() == 0;
}

// What the lists of limits and requests have in common.
struct Kinds {
  bool cpu_or_memory = false;
  bool hugepages = false;
};

void check_one(std::string_view name, const api::Quantity& quantity, ResourceRules rules, const Path& at, Kinds& kinds,
               Findings& findings) {
  if (name == "cpu" || name == "memory") {
    kinds.cpu_or_memory = true;
    return check_quantity_non_negative(quantity, at, findings);
  }
  check_container_resource_name(name, at, findings);
  check_resource_quantity(name, quantity, at, findings);
  if (!is_hugepage_name(name)) return;
  kinds.hugepages = true;
  if (!rules.any_hugepages && !is_whole_pages(name, quantity))
    findings.invalid(at, quantity.to_string(), str_cat(quantity.to_string(), " is not positive integer multiple of ", name));
}

void check_against_limit(std::string_view name, const api::Quantity& request, const corev1::ResourceRequirements& resources,
                         const Path& at, Findings& findings) {
  const api::Quantity* limit = resources.limits.find(name);
  if (!limit) {
    if (!is_overcommit_allowed(name)) findings.required(at.child("limits"), "Limit must be set for non overcommitable resources");
    return;
  }
  const int order = request.compare(*limit);
  if (order != 0 && !is_overcommit_allowed(name))
    findings.invalid(at.child("requests"), request.to_string(), str_cat("must be equal to ", name, " limit of ", limit->to_string()));
  else if (order > 0)
    findings.invalid(at.child("requests"), request.to_string(),
                     str_cat("must be less than or equal to ", name, " limit of ", limit->to_string()));
}

void check_claims(const List<corev1::ResourceClaim>& claims, const Seen& claim_names, const Path& at, Findings& findings) {
  Seen names;
  for (size_t i = 0; i < claims.size(); ++i) {
    const Str& name = claims[i].name;
    if (name.empty()) findings.required(at.index(i));
    else if (!names.insert(name)) findings.duplicate(at.index(i), name);
    const Path here = at.index(i);
    if (!claims[i].request.empty()) check_label(claims[i].request, here.child("request"), findings);
    if (!claim_names.has(name))
      findings.not_found(at.index(i), name,
                         claim_names.empty() ? "must be one of the names in pod.spec.resourceClaims which is empty"
                                             : "must be one of the names in pod.spec.resourceClaims");
  }
}

}  // namespace

bool is_hugepage_name(std::string_view name) { return name.starts_with(kHugePages); }

bool is_standard_quota_name(std::string_view name) {
  return is_one_of(name, {"cpu", "memory", "ephemeral-storage", "requests.cpu", "requests.memory", "requests.storage",
                          "requests.ephemeral-storage", "limits.cpu", "limits.memory", "limits.ephemeral-storage", "pods",
                          "resourcequotas", "services", "replicationcontrollers", "secrets", "persistentvolumeclaims",
                          "configmaps", "services.nodeports", "services.loadbalancers"}) ||
         is_hugepage_name(name) || name.starts_with("requests.hugepages-");
}

void check_resource_name(std::string_view name, const Path& at, Findings& findings) {
  if (const Messages wrong = api::check_qualified_name(name); !wrong.empty())
    return findings.invalid(at, shown_resource(name), wrong);
  if (!contains(name, "/") && !is_standard_resource(name))
    findings.invalid(at, shown_resource(name), "must be a standard resource type or fully qualified");
}

void check_container_resource_name(std::string_view name, const Path& at, Findings& findings) {
  check_resource_name(name, at, findings);
  if (!contains(name, "/")) {
    if (!is_one_of(name, {"cpu", "memory", "ephemeral-storage"}) && !is_hugepage_name(name))
      findings.invalid(at, shown_resource(name), "must be a standard resource for containers");
  } else if (!is_native_resource(name) && !is_extended_resource(name)) {
    findings.invalid(at, shown_resource(name), "doesn't follow extended resource name standard");
  }
}

void check_quota_resource_name(std::string_view name, const Path& at, Findings& findings) {
  check_resource_name(name, at, findings);
  if (!contains(name, "/") && !is_standard_quota_name(name))
    findings.invalid(at, shown_resource(name), "must be a standard resource for quota");
}

void check_quantity_non_negative(const api::Quantity& quantity, const Path& at, Findings& findings) {
  if (quantity.sign() < 0) findings.invalid(at, quantity.to_string(), Findings::kNegative);
}

void check_quantity_positive(const api::Quantity& quantity, const Path& at, Findings& findings) {
  if (quantity.sign() <= 0) findings.invalid(at, quantity.to_string(), Findings::kNotPositive);
}

void check_resource_quantity(std::string_view name, const api::Quantity& quantity, const Path& at, Findings& findings) {
  check_quantity_non_negative(quantity, at, findings);
  if (is_counted(name) && quantity.milli_value() % 1000 != 0) findings.invalid(at, quantity.to_string(), "must be an integer");
}

void check_resource_requirements(const corev1::ResourceRequirements& resources, const Seen& claim_names, ResourceRules rules,
                                 const Path& at, Findings& findings) {
  Kinds kinds;
  for (const auto& [name, quantity] : resources.limits)
    check_one(name, quantity, rules, at.child_key("limits", name), kinds, findings);
  for (const auto& [name, quantity] : resources.requests) {
    check_one(name, quantity, rules, at.child_key("requests", name), kinds, findings);
    check_against_limit(name, quantity, resources, at, findings);
  }
  if (kinds.hugepages && !kinds.cpu_or_memory) findings.forbidden(at, "HugePages require cpu or memory");
  if (!resources.claims.empty()) check_claims(resources.claims, claim_names, at.child("claims"), findings);
}

}  // namespace orrery::server
