#include "engine/control/garbage_collector/garbage_collector.h"

#include <utility>

namespace orrery::control {
namespace {

constexpr std::string_view kOrphanPrefix = "orphan/";

/// What an event about an object names of it; null: an object of an unknown kind.
api::Object reference_to(const Identity& id, const api::KindDesc* kind) {
  if (!kind) return {};
  api::Object object = api::Object::make(*kind->type);
  auto& meta = object.mut_meta();
  meta.namespace_ = id.ns;
  meta.name = id.name;
  meta.uid = id.uid;
  return object;
}

}  // namespace

GarbageCollector::GarbageCollector(const Env& env, const GarbageCollectorOptions& options)
    : Reconciler(env, "garbage-collector-controller", options) {
  WatchSpec ownership;
  ownership.from_first_deletion = true;
  if (options.lazy_watches) watch_ = env.api->watch(lane(), ownership);
}

void GarbageCollector::on_start(const Ctx&) {
  if (!watch_) watch_ = env().api->watch(lane(), WatchSpec());
}

void GarbageCollector::on_own_watch(const Ctx& ctx, WatchId watch) {
  arrived_.clear();
  env().api->drain(watch, arrived_);
  const OwnerGraph::Lookup lookup = [this](const metav1::OwnerReference& owner, const Str& ns) {
    const api::KindDesc* kind = env().api->find_kind(owner.api_version, owner.kind);
    api::Object object = kind ? env().api->cached(*kind, ns, owner.name) : api::Object();
    return object && object.meta().uid == owner.uid ? object : api::Object();
  };
  for (const WatchEvent& event : arrived_) {
    if (event.type == WatchEventType::kDeleted) {
      graph_.gone(event.object);
    } else if (event.object) {
      graph_.seen(event.object, lookup);
    }
  }
  arrived_.clear();
  act_on_graph(ctx.now);
}

void GarbageCollector::act_on_graph(Time now) {
  for (const auto& wish : graph_.take_wishes()) {
    if (wish.later) {
      enqueue_rate_limited(wish.uid);
    } else {
      enqueue(wish.orphan ? Str(str_cat(kOrphanPrefix, wish.uid)) : wish.uid);
    }
  }
  for (const auto& wrong : graph_.take_wrong_namespaces()) {
    const Identity& id = wrong.dependent;
    const api::Object about =
        reference_to(id, env().api->find_kind(id.api_version, id.kind));
    if (!about) continue;
    report(now, {about, "Warning", "OwnerRefInvalidNamespace",
                 Str(str_cat("ownerRef ", wrong.owner.text(), " does not exist in namespace \"",
                             id.ns, '"'))});
  }
}

// The graph learns of it after the attempt, as of everything else that happens.
void GarbageCollector::on_not_found(const Identity& item) {
  not_found_.push_back(item);
  env().lanes->post(lane(), {EventKind::kUser, kFirstTimerArg, 0, 0});
}

void GarbageCollector::on_event(const Ctx& ctx, const Event&) {
  for (const Identity& item : std::exchange(not_found_, {})) graph_.not_found(item);
  act_on_graph(ctx.now);
}

AttemptInputs GarbageCollector::gather(const Ctx&, const Str& key) {
  AttemptInputs item;
  item.orphan = key.view().starts_with(kOrphanPrefix);
  const uint32_t slot =
      graph_.find(item.orphan ? Str(key.view().substr(kOrphanPrefix.size())) : key);
  if (slot == OwnerGraph::kNone) return item;
  const OwnerGraph::Node& node = graph_.node(slot);
  const Api& api = *env().api;
  item.in_graph = true;
  item.identity = node.identity;
  item.kind = api.find_kind(node.identity.api_version, node.identity.kind);
  item.is_virtual = node.is_virtual;
  item.going = node.going;
  item.deletes_dependents = node.deletes_dependents;
  item.owners = node.owners;
  for (const auto& reference : node.owners) {
    const api::KindDesc* kind = api.find_kind(reference.api_version, reference.kind);
    const bool absent = graph_.absent().has(Identity::of(reference, Str())) ||
                        graph_.absent().has(Identity::of(reference, node.identity.ns));
    item.owner_kinds.push_back({reference, kind, absent});
  }
  add_dependents(node, item);
  return item;
}

void GarbageCollector::add_dependents(const OwnerGraph::Node& node, AttemptInputs& item) const {
  item.has_dependents = !node.dependents.empty();
  for (const uint32_t slot : node.dependents)
    item.dependent_deletes |= graph_.node(slot).deletes_dependents;
  if (!item.orphan && !item.deletes_dependents) return;
  for (const uint32_t slot : item.orphan ? node.dependents : graph_.blocking_dependents(node)) {
    const OwnerGraph::Node& dependent = graph_.node(slot);
    const Identity& id = dependent.identity;
    item.dependents.push_back(
        {id, env().api->find_kind(id.api_version, id.kind), dependent.deletes_dependents});
  }
}

Status GarbageCollector::sync(const AttemptInputs& item, WriteLog& log) {
  if (!item.in_graph) return Status();
  return item.orphan ? attempt_to_orphan(item, log) : attempt_to_delete(item, log, *this);
}

// An owner that nobody has seen is asked for until it is seen or known not to be.
void GarbageCollector::on_finished(const Ctx&, const Str& key, const Status& status) {
  const uint32_t slot = graph_.find(key);
  const bool unseen = slot != OwnerGraph::kNone && graph_.node(slot).is_virtual;
  if (is_final(status) || (status && !unseen)) return forget(key);
  enqueue_rate_limited(key);
}

}  // namespace orrery::control
