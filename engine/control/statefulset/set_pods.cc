#include "engine/control/statefulset/set_pods.h"

#include <algorithm>
#include <utility>

#include "engine/api/gen/appsv1.h"
#include "engine/control/common/claim.h"
#include "engine/control/common/pod_control.h"
#include "engine/control/statefulset/claim_owners.h"
#include "engine/control/statefulset/ordinals.h"
#include "engine/control/statefulset/stateful_pod.h"
#include "engine/runtime/api_requests.h"

namespace orrery::control {
namespace {

constexpr int kUpdateAttempts = 4;  // client-go, retry.DefaultBackoff

const api::Object* find_by_name(const std::vector<api::Object>& sorted, const Str& name) {
  const auto it =
      std::lower_bound(sorted.begin(), sorted.end(), name,
                       [](const api::Object& a, const Str& b) { return a.meta().name < b; });
  return it != sorted.end() && it->meta().name == name ? &*it : nullptr;
}

std::vector<Str> claim_names(const api::Object& set, const api::Object& pod) {
  const auto& templates = set.get<appsv1::StatefulSet>().spec->volume_claim_templates;
  if (templates.empty()) return {};
  const int64_t ordinal = ordinal_of(pod.meta().name);
  std::vector<Str> names;
  for (const auto& claim : templates)
    names.push_back(claim_name(claim.metadata->name, set.meta().name, ordinal));
  return names;
}

/// "Created" of "create" and the like, as reasons of events.
std::string reason(std::string_view outcome, std::string_view verb) {
  std::string text = str_cat(outcome, verb);
  text[outcome.size()] = static_cast<char>(text[outcome.size()] - 'a' + 'A');
  return text;
}

}  // namespace

const api::Object* SetPods::find_claim(const Str& name) const {
  return find_by_name(in_.claims, name);
}

Status SetPods::create(const api::Object& set, const api::Object& pod) {
  const Str& name = pod.meta().name;
  if (const Status made = create_claims(set, pod); !made) {
    report("create", name, made);
    return made;
  }
  const Status& created = outcome([&] { return create_pod_request(set, pod.get<corev1::Pod>()); });
  if (created.code() == Code::kAlreadyExists) return created;
  if (const Status fixed = fix_claims(set, pod); !fixed) {
    report("update", name, fixed);
    return fixed;
  }
  report("create", name, created);
  return created;
}

Status SetPods::update(const api::Object& set, api::Object pod) {
  bool attempted = false;
  Status status;
  for (int attempt = 1; attempt <= kUpdateAttempts; ++attempt) {
    status = try_update(set, pod, attempted);
    if (status.code() != Code::kConflict) break;
  }
  if (attempted) report("update", pod.meta().name, status);
  return status;
}

Status SetPods::try_update(const api::Object& set, api::Object& pod, bool& attempted) {
  bool consistent = true;
  if (!identity_matches(set, pod.get<corev1::Pod>())) {
    fix_identity(set, pod.mut<corev1::Pod>());
    consistent = false;
  }
  if (!storage_matches(set, pod.get<corev1::Pod>())) {
    fix_storage(set, pod.mut<corev1::Pod>());
    consistent = false;
    if (const Status made = create_claims(set, pod); !made) {
      report("update", pod.meta().name, made);
      return made;
    }
  }
  if (!claims_fit(set, pod)) {
    if (const Status fixed = fix_claims(set, pod); !fixed) {
      report("update", pod.meta().name, fixed);
      return fixed;
    }
    consistent = false;
  }
  if (consistent) return Status();
  attempted = true;
  const Status& updated = log_.call([&] { return update_request(pod); }).status;
  if (!updated)
    if (const api::Object* cached = find_by_name(in_.pods, pod.meta().name)) pod = *cached;
  return updated;
}

Status SetPods::remove(const api::Object& pod) {
  const Status& deleted = outcome([&] { return delete_pod_request(pod); });
  report("delete", pod.meta().name, deleted);
  return deleted;
}

void SetPods::create_together(std::span<const api::Object> pods) {
  taken_ = 0;
  sent_ = log_.batch(pods.size(), [&](size_t i) {
    return create_pod_request(in_.set, pods[i].get<corev1::Pod>());
  });
}

void SetPods::remove_together(std::span<const api::Object> pods) {
  taken_ = 0;
  sent_ = log_.batch(pods.size(), [&](size_t i) { return delete_pod_request(pods[i]); });
}

Status SetPods::create_missing_claims(const api::Object& set, const api::Object& pod) {
  ORRERY_TRY(create_claims(set, pod));
  const Status fixed = fix_claims(set, pod);
  if (!fixed) report("update", pod.meta().name, fixed);
  return fixed;
}

Status SetPods::create_claims(const api::Object& set, const api::Object& pod) {
  std::vector<Status> failures;
  for (const auto& claim : claims_of_pod(set, pod.meta().name)) {
    const Str name = claim.metadata->name;
    if (const api::Object* present = find_claim(name)) {
      if (present->meta().deletion_timestamp)
        failures.push_back(Status(Code::kInternal, str_cat("pvc ", name, " is being deleted")));
      continue;
    }
    const Status& made = log_.call([&] { return create_request(api::Object::of(claim)); }).status;
    // The cause is told but not kept: a conflict here is none of the pod.
    if (!made)
      failures.push_back(
          Status(Code::kInternal, str_cat("failed to create PVC ", name, ": ", made.message())));
    if (made.code() != Code::kAlreadyExists) report_claim(name, pod.meta().name, made);
  }
  return join_failures(failures);
}

bool SetPods::claims_fit(const api::Object& set, const api::Object& pod) const {
  const std::vector<Str> names = claim_names(set, pod);
  return std::all_of(names.begin(), names.end(), [&](const Str& name) {
    const api::Object* claim = find_claim(name);
    return !claim || claim_owners_fit(*claim, set, pod);
  });
}

Status SetPods::fix_claims(const api::Object& set, const api::Object& pod) {
  for (const Str& name : claim_names(set, pod)) {
    const api::Object* claim = find_claim(name);
    if (!claim) continue;
    if (has_foreign_controller(*claim, set, pod))
      log_.event(in_.set, "Warning", "ConflictingController",
                 str_cat("PersistentVolumeClaim ", name,
                         " has a conflicting OwnerReference that acts as a manging controller, the "
                         "retention policy is ignored for this claim"));
    if (claim_owners_fit(*claim, set, pod)) continue;
    api::Object fixed = *claim;
    fix_claim_owners(fixed, set, pod);
    const Status& updated = log_.call([&] { return update_request(fixed); }).status;
    if (!updated)
      return updated.with_context(
          str_cat("could not update claim ", name, " for delete policy ownerRefs"));
  }
  return Status();
}

bool SetPods::claim_is_stale(const api::Object& set, const api::Object& pod) const {
  if (!deletes_when_scaled(set)) return false;
  const std::vector<Str> names = claim_names(set, pod);
  return std::any_of(names.begin(), names.end(), [&](const Str& name) {
    const api::Object* claim = find_claim(name);
    return claim && has_stale_owner(*claim, pod);
  });
}

void SetPods::report(std::string_view verb, const Str& pod, const Status& status) {
  const Str& set = in_.set.meta().name;
  if (status) {
    log_.event(in_.set, "Normal", reason("Successful", verb),
               [&] { return str_cat(verb, " Pod ", pod, " in StatefulSet ", set, " successful"); });
  } else {
    log_.event(in_.set, "Warning", reason("Failed", verb), [&] {
      return str_cat(verb, " Pod ", pod, " in StatefulSet ", set,
                     " failed error: ", status.message());
    });
  }
}

void SetPods::report_claim(const Str& claim, const Str& pod, const Status& status) {
  const Str& set = in_.set.meta().name;
  if (status) {
    log_.event(in_.set, "Normal", "SuccessfulCreate", [&] {
      return str_cat("create Claim ", claim, " Pod ", pod, " in StatefulSet ", set, " success");
    });
  } else {
    log_.event(in_.set, "Warning", "FailedCreate", [&] {
      return str_cat("create Claim ", claim, " for Pod ", pod, " in StatefulSet ", set,
                     " failed error: ", status.message());
    });
  }
}

}  // namespace orrery::control
