#include "engine/control/garbage_collector/attempts.h"

#include <algorithm>

#include "engine/runtime/api_requests.h"

namespace orrery::control {
namespace {

constexpr std::string_view kNoSuchItem = "enqueued virtual delete event";
constexpr std::string_view kImpossibleOwner =
    "cluster-scoped objects cannot refer to namespaced owners";
constexpr std::string_view kForeground = "foregroundDeletion";

Status impossible_owner() { return Status(Code::kInvalid, std::string(kImpossibleOwner)); }

/// The owner as it is now; a null object: it does not exist.
Result<api::Object> look_up(const AttemptInputs& item, const metav1::OwnerReference& reference,
                            WriteLog& log, AttemptEffects& effects) {
  const api::KindDesc* kind = nullptr;
  for (const auto& owner : item.owner_kinds) {
    if (owner.reference.uid != reference.uid) continue;
    if (owner.known_absent) return api::Object();
    kind = owner.kind;
  }
  if (!kind) kind = api::find_kind(reference.api_version, reference.kind);
  if (!kind) return unknown_kind(Identity::of(reference, Str()));
  if (kind->namespaced && item.identity.ns.empty()) return impossible_owner();
  const Str ns = kind->namespaced ? item.identity.ns : Str();
  const ApiResponse& found = log.call([&] { return get_request(*kind, ns, reference.name); });
  if (!found.status && found.status.code() != Code::kNotFound) return found.status;
  if (found.status && found.object.meta().uid == reference.uid) return found.object;
  log.once([&] { effects.on_absent(Identity::of(reference, ns)); });
  return api::Object();
}

/// Strategic patch, or a JSON merge patch of the newest state where the kind knows no other.
template <typename Make>
Status patch(const AttemptInputs::Dependent& item, const Str& strategic, WriteLog& log, Make make) {
  const Identity& id = item.identity;
  if (!item.kind) return unknown_kind(id);
  const Status& patched =
      log.call([&] {
           return patch_request(*item.kind, id.ns, id.name, PatchKind::kStrategic, strategic);
         })
          .status;
  if (patched.code() != Code::kUnsupportedMediaType) return patched;
  const ApiResponse& newest = log.call([&] { return get_request(*item.kind, id.ns, id.name); });
  if (!newest.status) return newest.status;
  return log
      .call([&] {
        return patch_request(*item.kind, id.ns, id.name, PatchKind::kMerge,
                             make(newest.object.meta()));
      })
      .status;
}

Status forget_owners(const AttemptInputs::Dependent& item, const std::vector<Str>& owners,
                     WriteLog& log) {
  return patch(item, forget_owners_patch(item.identity.uid, owners), log,
               [&](const auto& newest) { return forget_owners_merge_patch(newest, owners); });
}

Status delete_item(const AttemptInputs& item, std::string_view policy, WriteLog& log) {
  const Identity& id = item.identity;
  return log
      .call([&] {
        ApiDeleteOptions options;
        options.uid = id.uid;
        options.propagation_policy = policy;
        return delete_request(*item.kind, id.ns, id.name, options);
      })
      .status;
}

Status end_foreground_deletion(const AttemptInputs& item, WriteLog& log, AttemptEffects& effects) {
  if (item.dependents.empty()) return remove_finalizer(item.identity, *item.kind, kForeground, log);
  for (const auto& dependent : item.dependents)
    if (!dependent.deletes_dependents)
      log.once([&] { effects.on_blocking(dependent.identity); });
  return Status();
}

std::string_view policy_of(const metav1::ObjectMeta& meta) {
  if (api::has_finalizer(meta, "orphan")) return "Orphan";
  return api::has_finalizer(meta, kForeground) ? "Foreground" : "Background";
}

}  // namespace

Status unknown_kind(const Identity& object) {
  return Status(Code::kInternal, str_cat("unable to get REST mapping for ", object.api_version, '/',
                                         object.kind, '.'));
}

bool is_final(const Status& failure) {
  return failure.message() == kNoSuchItem || failure.message() == kImpossibleOwner;
}

Status classify_owners(const AttemptInputs& item, const OwnerReferences& references, WriteLog& log,
                       AttemptEffects& effects, OwnerClasses& classes) {
  for (const auto& reference : references) {
    ORRERY_ASSIGN(const api::Object owner, look_up(item, reference, log, effects));
    const bool waits =
        owner && owner.meta().deletion_timestamp && api::has_finalizer(owner.meta(), kForeground);
    (!owner ? classes.dangling : waits ? classes.waiting : classes.solid).push_back(reference.uid);
  }
  return Status();
}

Status attempt_to_delete(const AttemptInputs& item, WriteLog& log, AttemptEffects& effects) {
  // What is being deleted goes one day; its dependents are looked at then.
  if (item.going && !item.deletes_dependents) return Status();
  const Identity& id = item.identity;
  if (!item.kind) return unknown_kind(id);
  if (item.kind->namespaced && id.ns.empty()) return impossible_owner();
  const Str ns = item.kind->namespaced ? id.ns : Str();
  const ApiResponse& newest = log.call([&] { return get_request(*item.kind, ns, id.name); });
  if (!newest.status && newest.status.code() != Code::kNotFound) return newest.status;
  if (!newest.status || newest.object.meta().uid != id.uid) {
    log.once([&] { effects.on_not_found(id); });
    return Status(Code::kGone, std::string(kNoSuchItem));
  }
  if (item.deletes_dependents) return end_foreground_deletion(item, log, effects);
  const metav1::ObjectMeta& meta = newest.object.meta();
  if (meta.owner_references.empty()) return Status();
  OwnerClasses owners;
  ORRERY_TRY(classify_owners(item, meta.owner_references, log, effects, owners));
  const AttemptInputs::Dependent self{id, item.kind, false};
  if (!owners.solid.empty()) {
    std::vector<Str> dead = owners.dangling;
    dead.insert(dead.end(), owners.waiting.begin(), owners.waiting.end());
    return dead.empty() ? Status() : forget_owners(self, dead, log);
  }
  if (owners.waiting.empty() || !item.has_dependents)
    return delete_item(item, policy_of(meta), log);
  // Two that wait for each other's deletion would wait for ever.
  if (item.dependent_deletes)
    ORRERY_TRY(patch(self, unblock_owners_patch(id.uid, item.owners), log,
                     [&](const auto& now) { return unblock_owners_merge_patch(now, item.owners); }));
  return delete_item(item, "Foreground", log);
}

Status remove_finalizer(const Identity& object, const api::KindDesc& kind,
                        std::string_view finalizer, WriteLog& log) {
  constexpr int kAttempts = 4;  // client-go's retry.DefaultBackoff
  const Str ns = kind.namespaced ? object.ns : Str();
  for (int attempt = 1;; ++attempt) {
    const ApiResponse& newest = log.call([&] { return get_request(kind, ns, object.name); });
    if (newest.status.code() == Code::kNotFound) return Status();
    if (!newest.status) return newest.status;
    const auto& meta = newest.object.meta();
    if (!api::has_finalizer(meta, finalizer)) return Status();
    const Status& patched =
        log.call([&] {
             return patch_request(kind, ns, object.name, PatchKind::kMerge,
                                  drop_finalizer_patch(meta, finalizer));
           })
            .status;
    if (patched.code() != Code::kConflict || attempt == kAttempts) return patched;
  }
}

}  // namespace orrery::control
