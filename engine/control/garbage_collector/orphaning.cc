// An owner goes and its dependents stay.
#include "engine/control/garbage_collector/attempts.h"
#include "engine/runtime/api_requests.h"

namespace orrery::control {
namespace {

using Dependents = std::vector<AttemptInputs::Dependent>;

/// Requests for all of `items` in flight together. `make` builds that for the item of an index; the
/// indexes of items whose kind knows no strategic patch are left in `refused`.
template <typename Make>
Status send_all(const std::vector<size_t>& items, WriteLog& log, std::vector<size_t>& refused,
                std::vector<api::Object>& objects, Make make) {
  Status failure;
  const auto answers = log.batch(items.size(), [&](size_t i) { return make(items[i]); });
  for (size_t i = 0; i < answers.size(); ++i) {
    const Status& status = answers[i].status;
    if (status.code() == Code::kUnsupportedMediaType) {
      refused.push_back(items[i]);
    } else if (!status && status.code() != Code::kNotFound) {
      failure = status;
    }
    objects.push_back(answers[i].object);
  }
  return failure;
}

/// The same by JSON merge patches of the newest states.
Status forget_by_merging(const Dependents& dependents, const std::vector<size_t>& items,
                         const std::vector<Str>& owner, WriteLog& log) {
  std::vector<size_t> found, none;
  std::vector<api::Object> newest, states, ignored;
  const Status read = send_all(items, log, none, newest, [&](size_t i) {
    const Identity& id = dependents[i].identity;
    return get_request(*dependents[i].kind, id.ns, id.name);
  });
  if (log.pending()) return read;
  for (size_t i = 0; i < items.size(); ++i) {
    if (!newest[i]) continue;
    found.push_back(items[i]);
    states.push_back(newest[i]);
  }
  size_t at = 0;
  const Status written = send_all(found, log, none, ignored, [&](size_t i) {
    const Identity& id = dependents[i].identity;
    return patch_request(*dependents[i].kind, id.ns, id.name, PatchKind::kMerge,
                         forget_owners_merge_patch(states[at++].meta(), owner));
  });
  return written ? read : written;
}

}  // namespace

Status attempt_to_orphan(const AttemptInputs& item, WriteLog& log) {
  const std::vector<Str> owner = {item.identity.uid};
  Status failure;
  std::vector<size_t> known, refused;
  for (size_t i = 0; i < item.dependents.size(); ++i) {
    const auto& dependent = item.dependents[i];
    if (dependent.kind) {
      known.push_back(i);
    } else {
      failure = unknown_kind(dependent.identity);
    }
  }
  std::vector<api::Object> ignored;
  const Status sent = send_all(known, log, refused, ignored, [&](size_t i) {
    const Identity& id = item.dependents[i].identity;
    return patch_request(*item.dependents[i].kind, id.ns, id.name, PatchKind::kStrategic,
                         forget_owners_patch(id.uid, owner));
  });
  if (log.pending()) return sent;
  const Status merged = forget_by_merging(item.dependents, refused, owner, log);
  if (log.pending()) return merged;
  ORRERY_TRY(failure);
  ORRERY_TRY(sent);
  ORRERY_TRY(merged);
  if (!item.kind) return unknown_kind(item.identity);
  return remove_finalizer(item.identity, *item.kind, "orphan", log);
}

}  // namespace orrery::control
