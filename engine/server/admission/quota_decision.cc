#include "engine/server/admission/quota_decision.h"

#include <algorithm>

#include "engine/api/gen/corev1.h"

namespace orrery::server {
namespace {

using api::QuotaScope;
using api::ResourceList;
using Operation = AdmissionRequest::Operation;

// "a=1,b=2Gi"
std::string shown(const ResourceList& all) {
  std::string out;
  for (const auto& [name, amount] : all) out += str_cat(out.empty() ? "" : ",", name, "=", amount.to_string());
  return out;
}

std::string shown(const std::vector<Str>& names) {
  std::string out;
  for (const Str& name : names) out += str_cat(out.empty() ? "" : ",", name);
  return out;
}

// As Go prints the structs: "[{PriorityClass In [a b]}]".
std::string shown(const std::vector<QuotaScope>& scopes) {
  std::string out = "[";
  for (const QuotaScope& scope : scopes) {
    out += str_cat(out.size() > 1 ? " " : "", "{", scope.scope_name, " ", scope.operator_, " [");
    for (size_t i = 0; i < scope.values.size(); ++i) out += str_cat(i > 0 ? " " : "", scope.values[i]);
    out += "]}";
  }
  return out + "]";
}

Refusal refuse(const AdmissionRequest& request, std::string_view why) {
  return forbidden(request.kind->group, request.kind->plural, request.object.meta().name, why);
}

// Pods are counted when they come only: nothing that counts can change later.
bool is_counted(const AdmissionRequest& request) {
  if (request.operation == Operation::kCreate) return true;
  return request.operation == Operation::kUpdate &&
         (request.object.is<corev1::Service>() || request.object.is<corev1::PersistentVolumeClaim>());
}

bool has(const std::vector<Str>& names, const Str& name) { return std::find(names.begin(), names.end(), name) != names.end(); }

/// One request against the quotas of its namespace.
class Check {
 public:
  Check(const AdmissionRequest& request, const std::vector<api::Object>& quotas, Time now)
      : request_(request), quotas_(quotas), now_(now) {}

  QuotaDecision run(const std::vector<LimitedResource>& limited) {
    QuotaDecision decision;
    decision.refusal = find_interesting();
    if (!decision.refusal.is_ok()) return decision;
    const ResourceList usage = api::quota_usage(request_.object, now_);
    decision.refusal = check_negative(usage);
    if (!decision.refusal.is_ok()) return decision;
    const ResourceList delta = charged(usage);
    if (delta.empty()) return decision;
    decision.refusal = check_covered(usage, limited);
    if (decision.refusal.is_ok()) charge(delta, decision);
    return decision;
  }

 private:
  const corev1::ResourceQuota& quota(size_t i) const { return quotas_[i].get<corev1::ResourceQuota>(); }

  // The quotas that the object falls under; all that is counted must be known.
  Refusal find_interesting() {
    for (size_t i = 0; i < quotas_.size(); ++i) {
      const auto scopes = api::matching_quota_scopes(api::quota_scopes(*quota(i).spec), request_.object);
      if (!scopes.is_ok()) return plain_refusal(scopes.status());
      covered_scopes_.insert(covered_scopes_.end(), scopes->begin(), scopes->end());
      const auto matches = api::quota_matches(*quota(i).spec, quota(i).status->hard, request_.object);
      if (!matches.is_ok()) return plain_refusal(matches.status());
      if (!*matches) continue;
      const std::vector<Str> names = api::quota_names_of(*request_.kind, quota(i).status->hard);
      const Str& name = quota(i).metadata->name;
      const std::string unsaid = api::quota_constraints(names, request_.object);
      if (!unsaid.empty()) return refuse(request_, str_cat("failed quota: ", name, ": ", unsaid));
      for (const Str& counted : names)
        if (!quota(i).status->used.contains(counted))
          return refuse(request_, str_cat("status unknown for quota: ", name, ", resources: ", shown(names)));
      interesting_.push_back(i);
      covered_.insert(covered_.end(), names.begin(), names.end());
    }
    return {};
  }

  Refusal check_negative(const ResourceList& usage) const {
    std::vector<Str> negative;
    for (const auto& [name, amount] : usage)
      if (amount.sign() < 0) negative.push_back(name);
    if (negative.empty()) return {};
    return refuse(request_, str_cat("quota usage is negative for resource(s): ", shown(negative)));
  }

  // What a change gives back is left to the quota controller.
  ResourceList charged(const ResourceList& usage) const {
    const bool by_difference = request_.operation == Operation::kUpdate && !request_.old.meta().resource_version.empty();
    const ResourceList all = by_difference ? api::subtract_resources(usage, api::quota_usage(request_.old, now_)) : usage;
    ResourceList out;
    for (const auto& [name, amount] : all)
      if (amount.sign() > 0) out.set(name, amount);
    return out;
  }

  Refusal check_covered(const ResourceList& usage, const std::vector<LimitedResource>& limited) const {
    std::vector<Str> uncovered;
    std::vector<QuotaScope> uncovered_scopes;
    for (const LimitedResource& one : limited) {
      const auto scopes = api::matching_quota_scopes(one.match_scopes, request_.object);
      if (!scopes.is_ok()) return plain_refusal(scopes.status());
      for (const QuotaScope& scope : *scopes)
        if (!is_covered(scope)) uncovered_scopes.push_back(scope);
      if (one.group != request_.kind->group || one.resource != request_.kind->plural) continue;
      for (const auto& [name, amount] : usage)
        if (amount.sign() > 0 && matches(one, name) && !has(covered_, name) && !has(uncovered, name)) uncovered.push_back(name);
    }
    std::sort(uncovered.begin(), uncovered.end());
    if (!uncovered.empty()) return refuse(request_, str_cat("insufficient quota to consume: ", shown(uncovered)));
    if (uncovered_scopes.empty()) return {};
    return plain_refusal(internal_error(str_cat("insufficient quota to match these scopes: ", shown(uncovered_scopes))));
  }
  bool is_covered(const QuotaScope& scope) const {
    return std::any_of(covered_scopes_.begin(), covered_scopes_.end(),
                       [&](const QuotaScope& covered) { return covered.scope_name == scope.scope_name; });
  }
  static bool matches(const LimitedResource& limited, const Str& name) {
    return std::any_of(limited.match_contains.begin(), limited.match_contains.end(),
                       [&](const Str& part) { return name.view().find(part.view()) != std::string_view::npos; });
  }

  void charge(const ResourceList& delta, QuotaDecision& decision) const {
    for (const size_t i : interesting_) {
      const auto& status = *quota(i).status;
      const ResourceList requested = api::mask_resources(delta, api::resource_names(status.hard));
      const ResourceList used = api::add_resources(status.used, requested);
      std::vector<Str> exceeded;
      for (const auto& [name, amount] : requested)
        if (used.get(name) > status.hard.get(name)) exceeded.push_back(name);
      if (!exceeded.empty()) {
        decision.used.clear();
        decision.refusal = refuse(
            request_, str_cat("exceeded quota: ", quota(i).metadata->name, ", requested: ",
                              shown(api::mask_resources(requested, exceeded)), ", used: ",
                              shown(api::mask_resources(status.used, exceeded)), ", limited: ",
                              shown(api::mask_resources(status.hard, exceeded))));
        return;
      }
      if (!requested.empty()) decision.used.emplace_back(i, used);
    }
  }

  const AdmissionRequest& request_;
  const std::vector<api::Object>& quotas_;
  Time now_;
  std::vector<size_t> interesting_;
  std::vector<Str> covered_;
  std::vector<QuotaScope> covered_scopes_;
};

}  // namespace

QuotaDecision decide_quota(const AdmissionRequest& request, const std::vector<api::Object>& quotas,
                           const std::vector<LimitedResource>& limited, Time now) {
  const bool unlimited = quotas.empty() && limited.empty();
  if (unlimited || !is_counted(request)) return {};
  return Check(request, quotas, now).run(limited);
}

}  // namespace orrery::server
