// Watches of ownership, and what else controllers that deal with all kinds ask at once.
#include <algorithm>

#include "engine/server/server.h"
#include "engine/server/storage.h"

namespace orrery::server {
namespace {

// Nobody owns events, and they own nothing: Kubernetes v1.32 pkg/controller/garbagecollector,
// DefaultIgnoredResources.
bool takes_part(const api::KindDesc& kind) { return kind.kind != "Event" || api::is_custom(kind); }

bool same_owners(const metav1::ObjectMeta& a, const metav1::ObjectMeta& b) {
  if (a.owner_references.same(b.owner_references)) return true;
  return std::equal(a.owner_references.begin(), a.owner_references.end(), b.owner_references.begin(),
                    b.owner_references.end(), [](const auto& one, const auto& other) {
                      return one.uid == other.uid && one.name == other.name && one.kind == other.kind &&
                             one.api_version == other.api_version &&
                             one.block_owner_deletion == other.block_owner_deletion;
                    });
}

bool begins_deletion(const api::Object& before, const api::Object& after) {
  if (!after) return static_cast<bool>(before);
  return after.meta().deletion_timestamp && (!before || !before.meta().deletion_timestamp);
}

/// What a watch of ownership is told.
bool concerns_ownership(const api::Object& before, const api::Object& after) {
  if (!after) return static_cast<bool>(before);
  const auto& meta = after.meta();
  if (!before) return meta.deletion_timestamp || !meta.owner_references.empty();
  if (meta.deletion_timestamp)
    return !before.meta().deletion_timestamp || meta.finalizers.size() != before.meta().finalizers.size() ||
           !std::equal(meta.finalizers.begin(), meta.finalizers.end(), before.meta().finalizers.begin()) ||
           !same_owners(before.meta(), meta);
  return !same_owners(before.meta(), meta);
}

}  // namespace

void Server::begin_ownership_watch(uint64_t id) {
  ownership_.push_back(id);
  for (const WatchCache& cache : caches_) {
    for (api::Object& object : cache.list(Selection())) {
      if (!takes_part(*object.kind())) break;
      if (concerns_ownership({}, object)) deliver(id, {WatchEventType::kAdded, std::move(object), {}});
    }
  }
  deliver(id, {WatchEventType::kSynced, {}, {}, revision_});
}

void Server::tell_of_ownership(const api::KindDesc& kind, const api::Object& before, const api::Object& after) {
  if (!takes_part(kind)) return;
  if (!await_deletion_.empty() && begins_deletion(before, after)) {
    for (const uint64_t id : std::exchange(await_deletion_, {})) begin_ownership_watch(id);
    if (after) return;  // it is part of the beginning
  }
  if (ownership_.empty() || !concerns_ownership(before, after)) return;
  const auto type = !after ? WatchEventType::kDeleted : before ? WatchEventType::kModified : WatchEventType::kAdded;
  for (const uint64_t id : ownership_) deliver(id, {type, after ? after : before, {}});
}

std::vector<const api::KindDesc*> Server::served_kinds() const {
  std::vector<const api::KindDesc*> kinds;
  for (const api::KindDesc* kind : api::all_kinds())
    if (!kind->plural.empty() && !storage_kind(*kind).storage_prefix.empty()) kinds.push_back(kind);
  for (const auto& [name, resource] : custom_.all())
    for (const auto& version : resource->versions)
      if (version->served) kinds.push_back(version.get());
  std::stable_sort(kinds.begin(), kinds.end(), [](const api::KindDesc* a, const api::KindDesc* b) {
    if (a->group != b->group) return a->group < b->group;
    if (a->plural != b->plural) return a->plural < b->plural;
    return version_before(a->version, b->version);
  });
  const auto repeated = std::unique(kinds.begin(), kinds.end(), [](const api::KindDesc* a, const api::KindDesc* b) {
    return a->group == b->group && a->plural == b->plural;
  });
  kinds.erase(repeated, kinds.end());
  return kinds;
}

api::Object Server::cached(const api::KindDesc& kind, const Str& ns, const Str& name) const {
  return find(storage_kind(kind), kind.namespaced ? ns : Str(), name);
}

}  // namespace orrery::server
