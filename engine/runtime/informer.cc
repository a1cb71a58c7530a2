#include "engine/runtime/informer.h"

#include <utility>

#include "engine/api/gen/corev1.h"

namespace orrery {

Str index_by_namespace(const api::Object& object) { return object.meta().namespace_; }

Str index_by_controller(const api::Object& object) {
  const auto* owner = api::controller_of(object.meta());
  return owner ? owner->uid : Str();
}

Str index_orphans_by_namespace(const api::Object& object) {
  return api::controller_of(object.meta()) ? Str() : object.meta().namespace_;
}

Str index_by_node(const api::Object& object) { return object.get<corev1::Pod>().spec->node_name; }

Informer::Informer(WatchSpec spec, std::vector<IndexFn> indexes) : spec_(std::move(spec)) {
  for (IndexFn fn : indexes) indexes_.push_back({fn, {}, {}, {}});
}

void Informer::start(Api& api, LaneId lane) {
  CHECK(!watch_) << "informer started twice";
  ++epoch_;
  watch_ = api.watch(lane, spec_);
}

void Informer::on_watch(Api& api, LaneId lane, std::vector<Change>& changes) {
  arrived_.clear();
  api.drain(watch_, arrived_);
  for (const WatchEvent& event : arrived_) {
    if (event.type == WatchEventType::kError) {
      watch_ = WatchId{};
      start(api, lane);
      break;
    }
    apply(event, changes);
  }
  forget(arrived_);
}

void Informer::apply(const WatchEvent& event, std::vector<Change>& changes) {
  switch (event.type) {
    case WatchEventType::kAdded:
    case WatchEventType::kModified:
      return put(event.object, changes);
    case WatchEventType::kDeleted:
      return remove(event.object, changes);
    case WatchEventType::kSynced:
      return finish_restart(changes);
    case WatchEventType::kBookmark:
    case WatchEventType::kError:
      break;
  }
}

void Informer::put(const api::Object& object, std::vector<Change>& changes) {
  const auto& meta = object.meta();
  const auto [slot, fresh] = by_name_.insert({meta.namespace_, meta.name});
  if (slot >= entries_.size()) {
    entries_.resize(slot + 1);
    for (Index& index : indexes_) index.places.resize(slot + 1);
  }
  Entry& entry = entries_[slot];
  entry.epoch = epoch_;
  // A watch that starts again repeats what is known already.
  const bool repeated = !fresh && !meta.resource_version.empty() &&
                        entry.object.meta().resource_version == meta.resource_version;
  if (repeated) return;
  changes.push_back({std::exchange(entry.object, object), object, {}});
  reindex(slot, object);
}

void Informer::remove(const api::Object& last, std::vector<Change>& changes) {
  const auto& meta = last.meta();
  const uint32_t slot = by_name_.find({meta.namespace_, meta.name});
  if (slot == KeyTable<Name>::kNone) return;
  for (Index& index : indexes_) unindex_slot(index, slot);
  changes.push_back({std::move(entries_[slot].object), {}, last});
  by_name_.erase(slot);
}

void Informer::finish_restart(std::vector<Change>& changes) {
  synced_ = true;
  for (size_t slot = 0; slot < entries_.size(); ++slot) {
    if (!entries_[slot].object || entries_[slot].epoch == epoch_) continue;
    remove(api::Object(entries_[slot].object), changes);
  }
}

void Informer::reindex(uint32_t slot, const api::Object& object) {
  for (Index& index : indexes_) {
    const Str value = index.value_of(object);
    const uint32_t bucket = index.places[slot].bucket;
    if (bucket != KeyTable<Str>::kNone && index.values.key(bucket) == value) continue;
    unindex_slot(index, slot);
    if (!value.empty()) index_slot(index, slot, value);
  }
}

void Informer::index_slot(Index& index, uint32_t slot, const Str& value) {
  const uint32_t bucket = index.values.insert(value).first;
  if (bucket >= index.members.size()) index.members.resize(bucket + 1);
  auto& members = index.members[bucket];
  index.places[slot] = {bucket, static_cast<uint32_t>(members.size())};
  members.push_back(slot);
}

void Informer::unindex_slot(Index& index, uint32_t slot) {
  const Place place = std::exchange(index.places[slot], Place{});
  if (place.bucket == KeyTable<Str>::kNone) return;
  auto& members = index.members[place.bucket];
  const uint32_t last = members.back();
  members.pop_back();
  if (last != slot) {
    members[place.position] = last;
    index.places[last].position = place.position;
  }
  if (members.empty()) index.values.erase(place.bucket);
}

const api::Object* Informer::find(const Str& ns, const Str& name) const {
  const uint32_t slot = by_name_.find({ns, name});
  return slot == KeyTable<Name>::kNone ? nullptr : &entries_[slot].object;
}

const api::Object* Informer::find(std::string_view key) const {
  const size_t slash = key.find('/');
  const std::string_view ns = slash == std::string_view::npos ? "" : key.substr(0, slash);
  const std::string_view name = slash == std::string_view::npos ? key : key.substr(slash + 1);
  const uint32_t slot =
      by_name_.find(hash_combine(StrHash()(ns), StrHash()(name)),
                    [&](const Name& other) { return other.name == name && other.ns == ns; });
  return slot == KeyTable<Name>::kNone ? nullptr : &entries_[slot].object;
}

size_t Informer::count_in(size_t index, const Str& value) const {
  const uint32_t bucket = indexes_[index].values.find(value);
  return bucket == KeyTable<Str>::kNone ? 0 : indexes_[index].members[bucket].size();
}

}  // namespace orrery
