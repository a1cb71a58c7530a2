#include "engine/server/admission/limits.h"

#include <algorithm>
#include <cstdio>

#include "engine/api/pod_resources.h"

namespace orrery::server {
namespace {

using api::Quantity;
using api::ResourceList;
using corev1::LimitRangeItem;
using Errors = std::vector<std::string>;

// Adds what is missing; the names that were added, joined.
std::string add_missing(ResourceList& to, const ResourceList& defaults) {
  std::string added;
  for (const auto& [name, amount] : defaults) {
    if (to.contains(name)) continue;
    to.set(name, amount);
    if (!added.empty()) added += ", ";
    added += name.view();
  }
  return added;
}

void set_defaults(corev1::Container& container, const ResourceList& requests, const ResourceList& limits,
                  std::string_view what, std::string& told) {
  const auto tell = [&](const std::string& added, std::string_view where) {
    if (added.empty()) return;
    told += str_cat(told.empty() ? "" : "; ", added, " ", where, " for ", what, " ", container.name);
  };
  tell(add_missing(container.resources.requests, requests), "request");
  tell(add_missing(container.resources.limits, limits), "limit");
}

/// One bound of a limit, with what the container, pod or claim asks for.
struct Asked {
  std::string_view type, name;
  const Quantity& bound;
  const Quantity* request;
  const Quantity* limit;

  // Whole units, or thousandths where all three are small enough for them.
  int64_t amount(const Quantity* of) const { return !of ? 0 : in_thousandths() ? of->milli_value() : of->value(); }
  std::string text(std::string_view rule, std::string_view found) const {
    return str_cat(rule, " usage per ", type, " is ", bound.to_string(), found);
  }

 private:
  bool in_thousandths() const {
    constexpr int64_t kMilliMax = INT64_MAX / 1000;
    const auto small = [](const Quantity* q) { return !q || q->value() <= kMilliMax; };
    return small(&bound) && small(request) && small(limit);
  }
};

std::string below_min(const Asked& a) {
  const std::string rule = str_cat("minimum ", a.name);
  if (!a.request) return a.text(rule, ".  No request is specified");
  if (a.amount(a.request) < a.amount(&a.bound)) return a.text(rule, str_cat(", but request is ", a.request->to_string()));
  if (a.limit && a.amount(a.limit) < a.amount(&a.bound)) return a.text(rule, str_cat(", but limit is ", a.limit->to_string()));
  return {};
}

std::string above_max(const Asked& a) {
  const std::string rule = str_cat("maximum ", a.name);
  if (!a.limit) return a.text(rule, ".  No limit is specified");
  if (a.amount(a.limit) > a.amount(&a.bound)) return a.text(rule, str_cat(", but limit is ", a.limit->to_string()));
  if (a.request && a.amount(a.request) > a.amount(&a.bound))
    return a.text(rule, str_cat(", but request is ", a.request->to_string()));
  return {};
}

std::string above_max_request(const Asked& a) {
  const std::string rule = str_cat("maximum ", a.name);
  if (!a.request) return a.text(rule, ".  No request is specified");
  if (a.amount(a.request) > a.amount(&a.bound)) return a.text(rule, str_cat(", but request is ", a.request->to_string()));
  return {};
}

std::string above_ratio(const Asked& a) {
  const auto fail = [&](std::string_view found) {
    return str_cat(a.name, " max limit to request ratio per ", a.type, " is ", a.bound.to_string(), ", but ", found);
  };
  if (!a.request || a.amount(a.request) == 0) return fail("no request is specified or request is 0");
  if (!a.limit || a.amount(a.limit) == 0) return fail("no limit is specified or limit is 0");
  const double ratio = static_cast<double>(a.amount(a.limit)) / static_cast<double>(a.amount(a.request));
  constexpr int64_t kMilliMax = INT64_MAX / 1000;
  const bool exact = a.bound.value() <= kMilliMax;
  const double allowed = static_cast<double>(exact ? a.bound.milli_value() : a.bound.value());
  if ((exact ? ratio * 1000 : ratio) <= allowed) return {};
  char shown[64];
  std::snprintf(shown, sizeof(shown), "provided ratio is %f", ratio);
  return fail(shown);
}

using Rule = std::string (*)(const Asked&);

void check(const LimitRangeItem& item, const ResourceList& bounds, Rule rule, const ResourceList& requests,
           const ResourceList& limits, Errors& errors) {
  for (const auto& [name, bound] : bounds) {
    std::string error = rule({item.type, name, bound, requests.find(name), limits.find(name)});
    if (!error.empty()) errors.push_back(std::move(error));
  }
}

void check_all(const LimitRangeItem& item, const ResourceList& requests, const ResourceList& limits, Errors& errors) {
  check(item, item.min, below_min, requests, limits, errors);
  check(item, item.max, above_max, requests, limits, errors);
  check(item, item.max_limit_request_ratio, above_ratio, requests, limits, errors);
}

}  // namespace

void apply_limit_defaults(const corev1::LimitRange& range, corev1::Pod& pod) {
  ResourceList requests, limits;
  for (const LimitRangeItem& item : range.spec->limits) {
    if (item.type != "Container") continue;
    for (const auto& [name, amount] : item.default_request) requests.set(name, amount);
    for (const auto& [name, amount] : item.default_) limits.set(name, amount);
  }
  if (requests.empty() && limits.empty()) return;
  std::string told;
  corev1::PodSpec& spec = pod.spec.mut();
  for (size_t i = 0; i < spec.containers.size(); ++i)
    set_defaults(spec.containers.mut(i), requests, limits, "container", told);
  for (size_t i = 0; i < spec.init_containers.size(); ++i)
    set_defaults(spec.init_containers.mut(i), requests, limits, "init container", told);
  if (told.empty()) return;
  pod.metadata.mut().annotations.set("kubernetes.io/limit-ranger", str_cat("LimitRanger plugin set: ", told));
}

std::vector<std::string> check_limits(const corev1::LimitRange& range, const corev1::Pod& pod) {
  Errors errors;
  // The bounds of a pod are for what its containers ask for.
  corev1::PodSpec without_overhead = *pod.spec;
  without_overhead.overhead.reset();
  for (const LimitRangeItem& item : range.spec->limits) {
    if (item.type == "Container") {
      for (const auto& c : pod.spec->containers) check_all(item, c.resources.requests, c.resources.limits, errors);
      for (const auto& c : pod.spec->init_containers) check_all(item, c.resources.requests, c.resources.limits, errors);
    }
    if (item.type == "Pod") check_all(item, api::pod_requests(without_overhead), api::pod_limits(without_overhead), errors);
  }
  return errors;
}

std::vector<std::string> check_limits(const corev1::LimitRange& range, const corev1::PersistentVolumeClaim& claim) {
  Errors errors;
  const ResourceList& requests = claim.spec->resources.requests;
  for (const LimitRangeItem& item : range.spec->limits) {
    if (item.type != "PersistentVolumeClaim") continue;
    check(item, item.min, below_min, requests, {}, errors);
    check(item, item.max, above_max_request, requests, {}, errors);
  }
  return errors;
}

}  // namespace orrery::server
