#pragma once

#include <map>
#include <memory>
#include <unordered_map>
#include <vector>

#include "engine/api/field_selector.h"
#include "engine/api/label_selector.h"
#include "engine/api/object.h"
#include "engine/ports/api.h"

namespace orrery::server {

/// The value of a field that ?fieldSelector= may name; nullopt where the kind has no such field.
/// Source: Kubernetes v1.32 registry strategies (SelectableFields, ToSelectableFields).
std::optional<Str> selectable_field(const api::Object& object, std::string_view field);
bool is_selectable_field(const api::KindDesc& kind, std::string_view field);

/// What a list or watch selects.
struct Selection {
  Str ns;  // "": all
  api::Selector labels;
  api::FieldSelector fields;
  bool matches(const api::Object& object) const;
  /// BadRequest if a selector cannot be parsed or names an unknown field.
  static Result<Selection> make(const api::KindDesc& kind, Str ns, std::string_view labels, std::string_view fields);
};

/// The newest state of one kind, as the store's watch tells it, and who watches it. Watches by
/// spec.nodeName or metadata.name are found by hash: a change costs nothing for those of other
/// nodes or names. Plain copyable state.
class WatchCache {
 public:
  struct Entry {
    api::Object object;
    int64_t revision = 0;
  };

  const Entry* find(const Str& key) const;
  size_t size() const { return objects_.size(); }
  /// All keys, sorted.
  std::vector<Str> keys() const;
  /// Matching objects in the order of their keys.
  std::vector<api::Object> list(const Selection& selection) const;

  /// One change from the store; a null object: the key was deleted. Appends what watchers are to
  /// be told as (watch id, event).
  using Deliveries = std::vector<std::pair<uint64_t, WatchEvent>>;
  void apply(const Str& key, const api::Object& object, int64_t revision, Deliveries& out);

  void add_watch(uint64_t id, Selection selection);
  bool remove_watch(uint64_t id);
  const Selection* selection(uint64_t id) const;

 private:
  enum class IndexKind : uint8_t { kAll, kNode, kName };
  struct Watcher {
    Selection selection;
    IndexKind index = IndexKind::kAll;
    Str value;
  };
  using Index = std::unordered_map<Str, std::vector<uint64_t>>;

  void tell(uint64_t id, const api::Object& before, const api::Object& after, Deliveries& out) const;
  void tell_index(const Index& index, const Str& before, const Str& after, const api::Object& old,
                  const api::Object& fresh, Deliveries& out) const;

  std::unordered_map<Str, Entry> objects_;
  std::map<uint64_t, Watcher> watchers_;
  std::vector<uint64_t> unindexed_;
  Index by_node_;
  Index by_name_;
};

}  // namespace orrery::server
