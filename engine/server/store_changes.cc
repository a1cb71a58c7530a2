// What the store tells, at the start and from then on, goes into the caches and from there to the watches.
#include <unordered_set>

#include "engine/api/custom_object.h"
#include "engine/api/storage.h"
#include "engine/server/server.h"
#include "engine/server/storage.h"

namespace orrery::server {
namespace {

constexpr Duration kRetryDelay = Duration::seconds(1);

}  // namespace

// The kind that a key of the store belongs to, nullptr if none of ours.
const api::KindDesc* Server::kind_of_key(std::string_view key) const {
  for (const api::KindDesc* kind : api::all_kinds())
    if (!kind->storage_prefix.empty() && key.starts_with(kind->storage_prefix)) return kind;
  return custom_.kind_of_key(key);
}

void Server::on_initial_range(const StoreOutcome& outcome) {
  if (!outcome.status.is_ok() && options_.shares_store) {
    timers_->arm(lane_, timers_->now() + kRetryDelay, {EventKind::kUser, kReadStore, 0, 0});
    return;
  }
  CHECK(outcome.status.is_ok()) << "the store cannot be read: " << outcome.status.message();
  revision_ = outcome.revision;
  unreadable_.clear();
  drop_missing(outcome);
  for (const KeyValue& kv : outcome.range.kvs) services_.note(kv);
  // Definitions first: they tell what the other keys are.
  const api::KindDesc* definitions = apiextensionsv1::CustomResourceDefinition::descriptor().kind;
  for (const bool of_definitions : {true, false}) {
    for (const KeyValue& kv : outcome.range.kvs) {
      const api::KindDesc* kind = kind_of_key(kv.key);
      if (kind && (kind == definitions) == of_definitions) take_in(*kind, kv);
    }
  }
  for (WatchCache& cache : caches_) cache.begin_history(outcome.revision);
  watch_store(outcome.revision + 1);
  ready_ = true;
  for (const auto& [id, spec] : unborn_watches_) lanes_->post(lane_, {EventKind::kUser, kBeginWatch, id, 0});
  for (uint64_t id : early_) lanes_->post(lane_, {EventKind::kUser, kBegin, id, 0});
  early_.clear();
  finish_waiting();
}

// After a lost watch: what the caches hold and the store does not is gone.
void Server::drop_missing(const StoreOutcome& outcome) {
  std::unordered_set<Str> present;
  for (const KeyValue& kv : outcome.range.kvs) present.insert(kv.key);
  const auto drop = [&](const api::KindDesc& kind) {
    for (const Str& key : std::vector<Str>(caches_[kind.id].keys()))
      if (!present.contains(key)) publish(kind, key, {}, outcome.revision);
  };
  const auto custom = custom_.all();
  for (const auto& [name, resource] : custom) drop(*resource->storage);
  for (const api::KindDesc* kind : api::all_kinds()) drop(*kind);
}

void Server::on_store_watch() {
  std::vector<StoreWatchEvent> events;
  store_->drain(store_watch_, events);
  for (StoreWatchEvent& event : events) {
    if (event.kind == StoreWatchEvent::Kind::kError) {
      // The cache may have missed changes: read everything again.
      ready_ = false;
      if (event.error.code() == Code::kForbidden) may_watch_all_ = false;
      if (options_.serves_clients) end_watches();
      store_->unwatch(store_watch_);
      return read_store();
    }
    revision_ = event.revision;
    if (event.kind == StoreWatchEvent::Kind::kProgress) continue;
    const api::Object& given = event.kv.value.object;
    const api::KindDesc* kind = given && !api::is_custom(*given.kind()) ? given.kind() : kind_of_key(event.kv.key);
    if (services_.note(event.kv)) continue;
    if (kind) take_in(*kind, event.kv);
  }
  finish_waiting();
}

// Kinds that are stored as JSON tell nil lists from empty ones.
void Server::share_parts(api::Object& object) {
  const api::KindDesc& kind = *object.kind();
  if (options_.serves_clients && !api::is_custom(kind) && !api::is_stored_as_json(kind)) parts_.share(object);
}

void Server::publish(const api::KindDesc& kind, const Str& key, const api::Object& object, int64_t revision) {
  WatchCache& cache = caches_[kind.id];
  const WatchCache::Entry* known = cache.find(key);
  if (known && object && known->revision >= revision) return;
  api::Object versioned = object;
  if (const std::string version = str_cat(revision); versioned && versioned.meta().resource_version.view() != version)
    versioned.mut_meta().resource_version = Str(version);
  const api::Object before = known ? known->object : api::Object();
  if (kind.type == &apiextensionsv1::CustomResourceDefinition::descriptor()) on_definition(before, versioned);
  if (observer_) observer_->on_change(kind, before, versioned);
  WatchCache::Deliveries deliveries;
  cache.apply(key, versioned, revision, deliveries);
  for (auto& [id, event] : deliveries) deliver(id, std::move(event));
  if (!ownership_.empty() || !await_deletion_.empty()) tell_of_ownership(kind, before, versioned);
  if (kind.type == &apiextensionsv1::CustomResourceDefinition::descriptor()) {
    if (versioned) tend_definition(versioned.meta().name);
    else if (before) tend_definitions_of(before.get<apiextensionsv1::CustomResourceDefinition>().spec->group);
  }
  if (api::is_custom(kind) && !versioned) tend_definition(custom_version(kind).resource->definition);
}

}  // namespace orrery::server
