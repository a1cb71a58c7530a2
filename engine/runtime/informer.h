#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/api/object.h"
#include "engine/ports/api.h"
#include "engine/runtime/key_table.h"

namespace orrery {

/// The values of an index for common uses; "" means that the object is not in the index.
Str index_by_namespace(const api::Object& object);
/// uid of the controlling owner.
Str index_by_controller(const api::Object& object);
/// The namespace of objects that no owner controls: what may be adopted.
Str index_orphans_by_namespace(const api::Object& object);
/// spec.nodeName of a Pod.
Str index_by_node(const api::Object& object);

/// What happened to one object. `before`, as it was in the cache, is null for a new one; `after` is
/// null for one that is gone, and `last` then is the state in which it went.
struct Change {
  api::Object before;
  api::Object after;
  api::Object last;
  const api::Object& newest() const { return after ? after : last; }
};

/// A lane's cache of one kind, kept by one watch, with indexes. About 70 bytes an object and 15
/// more for each index, besides the object itself, which is shared with the store.
///
/// Iteration (of all objects, and of one index value) is in an order that depends on the history
/// of changes only, never on hash values or addresses; sort where an order matters.
/// Plain copyable state; the API port is passed in.
class Informer {
 public:
  using IndexFn = Str (*)(const api::Object& object);

  Informer() = default;
  explicit Informer(WatchSpec spec, std::vector<IndexFn> indexes = {});

  void start(Api& api, LaneId lane);
  bool owns(WatchId watch) const { return watch == watch_; }
  /// Everything that existed when the watch began is in the cache.
  bool synced() const { return synced_; }
  /// For a kWatch event of owns(watch): brings the cache up to date and appends what has changed.
  /// After a watch that failed (Expired) a new one is begun; objects that vanished meanwhile are
  /// reported as gone once it has caught up.
  void on_watch(Api& api, LaneId lane, std::vector<Change>& changes);
  /// As if the watch had delivered `event`.
  void apply(const WatchEvent& event, std::vector<Change>& changes);

  const api::KindDesc* kind() const { return spec_.kind; }
  size_t size() const { return by_name_.size(); }
  /// nullptr if there is none. Valid until the next on_watch().
  const api::Object* find(const Str& ns, const Str& name) const;
  const api::Object* find(std::string_view key) const;  // "namespace/name" or "name"
  template <typename T>
  const T* get(const Str& ns, const Str& name) const {
    const api::Object* object = find(ns, name);
    return object ? &object->get<T>() : nullptr;
  }

  /// fn(const api::Object&) for every object; fn must not change the cache.
  template <typename Fn>
  void for_each(Fn fn) const {
    for (const Entry& entry : entries_)
      if (entry.object) fn(entry.object);
  }
  /// The same for those whose value in index number `index` is `value`.
  template <typename Fn>
  void for_each_in(size_t index, const Str& value, Fn fn) const {
    const uint32_t bucket = indexes_[index].values.find(value);
    if (bucket == KeyTable<Str>::kNone) return;
    for (const uint32_t slot : indexes_[index].members[bucket]) fn(entries_[slot].object);
  }
  size_t count_in(size_t index, const Str& value) const;

 private:
  struct Name {
    Str ns, name;
    bool operator==(const Name&) const = default;
    friend uint64_t key_hash(const Name& n) { return hash_combine(n.ns.hash(), n.name.hash()); }
  };
  struct Entry {
    api::Object object;
    uint32_t epoch = 0;  // of the watch that has seen it
  };
  struct Place {
    uint32_t bucket = KeyTable<Str>::kNone;
    uint32_t position = 0;
  };
  struct Index {
    IndexFn value_of;
    KeyTable<Str> values;
    std::vector<std::vector<uint32_t>> members;  // by bucket: slots
    std::vector<Place> places;                   // by slot
  };

  void put(const api::Object& object, std::vector<Change>& changes);
  void remove(const api::Object& last, std::vector<Change>& changes);
  void finish_restart(std::vector<Change>& changes);
  void index_slot(Index& index, uint32_t slot, const Str& value);
  void unindex_slot(Index& index, uint32_t slot);
  void reindex(uint32_t slot, const api::Object& object);

  WatchSpec spec_;
  WatchId watch_;
  bool synced_ = false;
  uint32_t epoch_ = 0;
  KeyTable<Name> by_name_;
  std::vector<Entry> entries_;  // by slot of by_name_
  std::vector<Index> indexes_;
  std::vector<WatchEvent> arrived_;  // kept for its memory only
};

}  // namespace orrery
