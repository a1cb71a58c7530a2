#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <unordered_map>
#include <vector>

#include "engine/api/field_selector.h"
#include "engine/api/label_selector.h"
#include "engine/api/object.h"
#include "engine/base/sorted_keys.h"
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
  /// True if it names the one object that has this key under the prefix.
  bool is_of(std::string_view prefix, std::string_view key) const;
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
  /// The same; the key becomes the cache's own text, which is compared by its address.
  const Entry* find_sharing(Str& key) const;
  size_t size() const { return objects_.size(); }
  /// All keys, sorted.
  const std::vector<Str>& keys() const;
  /// Matching objects in the order of their keys.
  std::vector<api::Object> list(const Selection& selection) const;

  /// At most `limit` (0: all) matching objects whose keys are not before `from` and begin with `prefix`.
  struct Page {
    std::vector<api::Object> items;
    Str last;           // key of the last item
    int64_t rest = 0;   // keys after a page that is full, whether they match or not
  };
  Page page(const Selection& selection, std::string_view prefix, std::string_view from, int64_t limit) const;

  /// Remembers the last `count` changes, for watches that begin in the past.
  void keep_history(size_t count) { history_max_ = count; }
  /// Appends what a watcher would have been told of the changes after `revision`; false if they are
  /// not all known.
  bool replay(const Selection& selection, int64_t revision, std::vector<WatchEvent>& out) const;
  /// Changes up to this revision are not known any more.
  int64_t history_begin() const { return history_begin_; }
  /// The state has been read at `revision`: when it last changed before is not known.
  void begin_history(int64_t revision) {
    history_.clear();
    history_begin_ = last_change_ = revision;
  }
  /// Since this revision the state is what it is now.
  int64_t last_change() const { return last_change_; }

  /// One change from the store; a null object: the key was deleted. Appends what watchers are to
  /// be told as (watch id, event).
  using Deliveries = std::vector<std::pair<uint64_t, WatchEvent>>;
  void apply(const Str& key, const api::Object& object, int64_t revision, Deliveries& out);

  /// Every object in another form; nobody is told.
  void revise(const std::function<void(api::Object&)>& change);

  /// Told of changes after revision `after`: who has been told by another server may be ahead.
  void add_watch(uint64_t id, Selection selection, int64_t after = 0);
  bool remove_watch(uint64_t id);
  const Selection* selection(uint64_t id) const;

 private:
  enum class IndexKind : uint8_t { kAll, kNode, kName };
  struct Watcher {
    Selection selection;
    IndexKind index = IndexKind::kAll;
    Str value;
    int64_t after = 0;
  };
  using Index = std::unordered_map<Str, std::vector<uint64_t>>;

  /// One change of one object; null: it was not, or is not any more.
  struct Change {
    int64_t revision = 0;
    api::Object before;
    api::Object after;
    /// The last state with the version of its deletion; made once.
    const api::Object& last() const;
    mutable api::Object ended;
  };

  static bool event_of(const Selection& selection, const Change& change, WatchEvent& event);
  void tell(uint64_t id, const Change& change, Deliveries& out) const;
  void tell_index(const Index& index, const Str& before, const Str& after, const Change& change,
                  Deliveries& out) const;
  void remember(const Change& change);
  void note_added(const Str& key);
  std::vector<Str> keys_on_node(const Str& node) const;
  void index_node(const Str& key, const Change& change);

  std::unordered_map<Str, Entry> objects_;
  mutable SortedKeys ordered_;
  /// Keys of pods by node, kept from the first list by node on.
  mutable std::unordered_map<Str, std::set<Str>> on_node_;
  mutable bool node_lists_ = false;
  std::deque<Change> history_;
  size_t history_max_ = 0;
  int64_t history_begin_ = 0;
  int64_t last_change_ = 0;
  std::unordered_map<uint64_t, Watcher> watchers_;
  std::vector<uint64_t> unindexed_;
  Index by_node_;
  Index by_name_;
};

}  // namespace orrery::server
