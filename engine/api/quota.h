#pragma once

#include <span>
#include <string>
#include <vector>

#include "engine/api/object.h"
#include "engine/api/pod_resources.h"

namespace orrery::api {

/// What objects count against resource quotas.
/// Source: Kubernetes v1.32 pkg/quota/v1/evaluator/core and apiserver/pkg/quota/v1.

using QuotaScope = corev1::ScopedResourceSelectorRequirement;

/// All that an object counts for, whether or not a quota limits it. A pod that has ended, or whose
/// deletion is overdue, counts for count/pods only.
ResourceList quota_usage(const Object& object, Time now);

/// Of the names that a quota limits, those that objects of the kind may count for, sorted.
std::vector<Str> quota_names_of(const KindDesc& kind, const ResourceList& hard);

/// spec.scopes and spec.scopeSelector as one list.
std::vector<QuotaScope> quota_scopes(const corev1::ResourceQuotaSpec& spec);

/// The scopes that an object lies in; only pods have any. Fails where a selector makes no sense.
Result<bool> in_quota_scope(const QuotaScope& scope, const Object& object);
Result<std::vector<QuotaScope>> matching_quota_scopes(const std::vector<QuotaScope>& scopes, const Object& object);

/// The quota limits something that the object may count for, and the object lies in all its scopes.
Result<bool> quota_matches(const corev1::ResourceQuotaSpec& spec, const ResourceList& hard, const Object& object);

/// Why the object may not be counted: the containers of a pod must say how much CPU and memory they
/// want where a quota limits it. "" if it may.
std::string quota_constraints(const std::vector<Str>& names, const Object& object);

/// status.used of a quota over the objects of its namespace: an amount for each name in spec.hard
/// that one of the kinds counts for.
ResourceList quota_used(const corev1::ResourceQuotaSpec& spec, std::span<const KindDesc* const> kinds,
                        const std::vector<Object>& objects, Time now);

/// Sums by name; what only one side has counts too.
ResourceList add_resources(const ResourceList& a, const ResourceList& b);
ResourceList subtract_resources(const ResourceList& a, const ResourceList& b);
/// The amounts of these names.
ResourceList mask_resources(const ResourceList& all, const std::vector<Str>& names);
std::vector<Str> resource_names(const ResourceList& all);

}  // namespace orrery::api
