// Making strategic merge patches. Source of the rules: Kubernetes v1.32
// apimachinery/pkg/util/strategicpatch.
#include <algorithm>

#include "engine/api/patch.h"
#include "engine/api/strategic_merge.h"

namespace orrery::api {
namespace {

using namespace strategic;

/// What a difference is about: with neither flag, everything.
struct Scope {
  bool element_order = false;      // write $setElementOrder
  bool no_changes = false;         // deletions only
  bool no_deletions = false;
};

// How values compare when they are sorted: by their printed form.
std::string printed(const Json& value) { return value.is_string() ? value.as_string().str() : value.dump(); }

Json sorted(Json list) {
  std::stable_sort(list.items().begin(), list.items().end(), [](const Json& a, const Json& b) { return printed(a) < printed(b); });
  return list;
}

Result<Json> sorted_by_key(Json list, std::string_view key) {
  for (const Json& item : list.items())
    if (!item.find(key)) return bad_request(str_cat("map: ", item.dump(), " does not contain declared merge key: ", key));
  // The reference's comparison calls equal keys "less" too, which turns their order around.
  std::reverse(list.items().begin(), list.items().end());
  std::stable_sort(list.items().begin(), list.items().end(),
                   [key](const Json& a, const Json& b) { return printed(a[key]) < printed(b[key]); });
  return list;
}

// Whether the elements are objects; they must be alike.
Result<bool> holds_objects(const Json& a, const Json& b) {
  bool objects = false, scalars = false;
  for (const Json* list : {&a, &b})
    for (const Json& item : list->items()) {
      if (item.is_array()) return bad_request("lists of lists are not supported");
      (item.is_object() ? objects : scalars) = true;
    }
  if (objects && scalars) return bad_request("list element types are not identical");
  return objects;
}

class Differ {
 public:
  explicit Differ(Scope scope) : scope_(scope) {}

  Result<Json> maps(const Json& original, const Json& modified, const TypeDesc* type, bool retain_keys) {
    Json patch = Json::object(), retained = Json::array();
    for (const auto& [key, after] : modified.members()) {
      if (retain_keys && !after.is_null()) retained.push_back(key);
      const Json* before = original.find(key);
      if (before && before->type() == after.type() && (after.is_object() || after.is_array())) {
        ORRERY_TRY(member(key, *before, after, type, patch));
      } else if (!scope_.no_changes && !(before && *before == after)) {
        patch.set(key, after);
      }
    }
    bool removed = false;
    for (const auto& [key, before] : original.members()) {
      if (modified.find(key)) continue;
      removed = true;
      if (!scope_.no_deletions) patch.set(key, Json());
    }
    if (retained.size() > 0 && (patch.size() > 0 || removed)) patch.set(kRetainKeys, sorted(std::move(retained)));
    return patch;
  }

 private:
  Status member(const Str& key, const Json& before, const Json& after, const TypeDesc* type, Json& patch) {
    const auto meta = lookup(type, key);
    if (!meta.is_ok()) return before == after ? Status::ok() : meta.status();
    if (after.is_array() && meta->merge) return lists(key, before, after, *meta, patch);
    if (after.is_array() || meta->replace) {
      if (!scope_.no_changes && !(before == after)) patch.set(key, after);
      return Status::ok();
    }
    ORRERY_ASSIGN(Json inner, maps(before, after, meta->type, meta->retain_keys));
    if (inner.size() > 0) patch.set(key, std::move(inner));
    return Status::ok();
  }

  Status lists(const Str& key, const Json& before, const Json& after, const Meta& meta, Json& patch) {
    if (before.size() == 0) {
      if (after.size() > 0 && !scope_.no_changes) patch.set(key, after);
      return Status::ok();
    }
    ORRERY_ASSIGN(const bool objects, holds_objects(before, after));
    return objects ? lists_of_objects(key, before, after, meta, patch) : lists_of_scalars(key, before, after, patch);
  }

  Status lists_of_scalars(const Str& key, const Json& before, const Json& after, Json& patch) {
    const Json old_sorted = sorted(before), new_sorted = sorted(after);
    Json added = Json::array(), deleted = Json::array();
    size_t i = 0, j = 0;
    while (i < old_sorted.size() || j < new_sorted.size()) {
      const bool has_old = i < old_sorted.size(), has_new = j < new_sorted.size();
      const int order = !has_old ? 1 : (!has_new ? -1 : printed(old_sorted[i]).compare(printed(new_sorted[j])));
      if (order > 0 && !scope_.no_changes) added.push_back(new_sorted[j]);
      if (order < 0 && !scope_.no_deletions && !contains(deleted, old_sorted[i])) deleted.push_back(old_sorted[i]);
      i += order <= 0;
      j += order >= 0;
    }
    // The reference has sorted the old list by now: a list that is not in order always counts as changed.
    const bool ordered = scope_.element_order && after.size() > 0 &&
                         ((!scope_.no_deletions && deleted.size() > 0) || (!scope_.no_changes && !(old_sorted == after)));
    if (added.size() > 0) patch.set(key, in_order_of(added, after, ""));
    if (deleted.size() > 0) patch.set(str_cat(kDeletePrimitives, key), std::move(deleted));
    if (ordered) patch.set(str_cat(kElementOrder, key), after);
    return Status::ok();
  }

  Status lists_of_objects(const Str& key, const Json& before, const Json& after, const Meta& meta, Json& patch) {
    const std::string_view merge_key = meta.merge_key;
    ORRERY_ASSIGN(const Json old_sorted, sorted_by_key(before, merge_key));
    ORRERY_ASSIGN(const Json new_sorted, sorted_by_key(after, merge_key));
    Json changed = Json::array(), deleted = Json::array();
    size_t i = 0, j = 0;
    while (i < old_sorted.size() || j < new_sorted.size()) {
      const bool has_old = i < old_sorted.size(), has_new = j < new_sorted.size();
      const int order = !has_old ? 1 : (!has_new ? -1 : printed(old_sorted[i][merge_key]).compare(printed(new_sorted[j][merge_key])));
      if (order == 0) {
        ORRERY_ASSIGN(Json inner, maps(old_sorted[i], new_sorted[j], meta.type, meta.retain_keys));
        if (inner.size() > 0) {
          inner.set(merge_key, new_sorted[j][merge_key]);
          changed.push_back(std::move(inner));
        }
      } else if (order > 0 && !scope_.no_changes) {
        changed.push_back(new_sorted[j]);
      } else if (order < 0 && !scope_.no_deletions) {
        Json& item = deleted.push_back(Json::object());
        item.set(merge_key, old_sorted[i][merge_key]);
        item.set(kDirective, "delete");
      }
      i += order <= 0;
      j += order >= 0;
    }
    Json list = in_order_of(changed, after, merge_key);
    for (Json& item : deleted.items()) list.push_back(std::move(item));
    const bool ordered = (!scope_.no_changes && (list.size() > 0 || !same_order(before, after, merge_key))) ||
                         (!scope_.no_deletions && list.size() > 0);
    if (list.size() > 0) patch.set(key, std::move(list));
    if (scope_.element_order && ordered && after.size() > 0) patch.set(str_cat(kElementOrder, key), keys_of(after, merge_key));
    return Status::ok();
  }

  static bool contains(const Json& list, const Json& value) {
    return std::find(list.items().begin(), list.items().end(), value) != list.items().end();
  }
  static bool same(const Json& a, const Json& b, std::string_view key) { return key.empty() ? a == b : a[key] == b[key]; }
  static Json in_order_of(Json list, const Json& order, std::string_view key) {
    const auto place = [&](const Json& item) {
      return std::find_if(order.items().begin(), order.items().end(), [&](const Json& o) { return same(o, item, key); }) - order.items().begin();
    };
    std::stable_sort(list.items().begin(), list.items().end(), [&](const Json& a, const Json& b) { return place(a) < place(b); });
    return list;
  }
  static bool same_order(const Json& a, const Json& b, std::string_view key) {
    return std::equal(a.items().begin(), a.items().end(), b.items().begin(), b.items().end(),
                      [&](const Json& x, const Json& y) { return same(x, y, key); });
  }
  static Json keys_of(const Json& list, std::string_view key) {
    Json out = Json::array();
    for (const Json& item : list.items()) out.push_back(Json::object()).set(key, item[key]);
    return out;
  }

  Scope scope_;
};

/// Whether two patches of one document say different things about one of its places.
class Conflicts {
 public:
  static Result<bool> in_maps(const Json& left, const Json& right, const TypeDesc* type) {
    const Json* mine = left.find(kDirective);
    const Json* theirs = right.find(kDirective);
    if ((mine != nullptr) != (theirs != nullptr) || (mine && !(*mine == *theirs))) return true;
    for (const auto& [key, value] : left.members()) {
      const Json* other = right.find(key);
      if (!other || key == kDirective || key == kRetainKeys || key.view().starts_with(kElementOrder)) continue;
      if (key.view().starts_with(kDeletePrimitives)) continue;  // merging scalars never conflicts
      ORRERY_ASSIGN(const bool found, in_member(key, value, *other, type));
      if (found) return true;
    }
    return false;
  }

 private:
  static Result<bool> in_member(const Str& key, const Json& left, const Json& right, const TypeDesc* type) {
    if (!left.is_object() && !left.is_array()) return !(left == right);
    if (left.type() != right.type()) return true;
    ORRERY_ASSIGN(const Meta meta, lookup(type, key));
    if (left.is_array()) return in_lists(left, right, meta);
    if (meta.replace) return false;
    return in_maps(left, right, meta.type);
  }
  static Result<bool> in_lists(const Json& left, const Json& right, const Meta& meta) {
    ORRERY_ASSIGN(const bool objects, holds_objects(left, right));
    if (!meta.merge) return objects ? in_order(left, right, meta.type) : !(sorted(left) == sorted(right));
    if (!objects) return false;
    for (const Json& item : left.items())
      for (const Json& other : right.items()) {
        if (!(item[meta.merge_key] == other[meta.merge_key])) continue;
        ORRERY_ASSIGN(const bool found, in_maps(item, other, meta.type));
        if (found) return true;
      }
    return false;
  }
  static Result<bool> in_order(const Json& left, const Json& right, const TypeDesc* type) {
    if (left.size() != right.size()) return true;
    for (size_t i = 0; i < left.size(); ++i) {
      ORRERY_ASSIGN(const bool found, in_maps(left[i], right[i], type));
      if (found) return true;
    }
    return false;
  }
};

}  // namespace

Result<Json> make_strategic_patch(const TypeDesc& type, const Json& original, const Json& modified) {
  return Differ({.element_order = true}).maps(original, modified, &type, false);
}

Result<Json> make_three_way_strategic_patch(const TypeDesc& type, const Json& original, const Json& modified, const Json& current,
                                            bool overwrite) {
  ORRERY_ASSIGN(const Json delta, Differ({.element_order = true, .no_deletions = true}).maps(current, modified, &type, false));
  ORRERY_ASSIGN(Json patch, Differ({.element_order = true, .no_changes = true}).maps(original, modified, &type, false));
  ORRERY_TRY(strategic::merge(patch, delta, &type, Mode::kCombine));
  if (patch.find("apiVersion") || patch.find("kind") || patch["metadata"].find("name"))
    return Status(Code::kConflict, "precondition failed: apiVersion, kind and metadata.name must not change");
  if (overwrite) return patch;
  ORRERY_ASSIGN(const Json changed, Differ({}).maps(original, current, &type, false));
  ORRERY_ASSIGN(const bool conflict, Conflicts::in_maps(patch, changed, &type));
  if (conflict) return Status(Code::kConflict, "conflict: the object was changed otherwise in the meantime");
  return patch;
}

}  // namespace orrery::api
