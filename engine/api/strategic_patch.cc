// Strategic merge patch. Source of the rules: Kubernetes v1.32 apimachinery/pkg/util/strategicpatch.
#include <algorithm>
#include <functional>

#include "engine/api/go_format.h"
#include "engine/api/patch.h"
#include "engine/api/reflect.h"
#include "engine/api/strategic_merge.h"

namespace orrery::api {
namespace {

bool has_strategy(std::string_view strategies, std::string_view wanted) {
  while (!strategies.empty()) {
    const size_t comma = std::min(strategies.find(','), strategies.size());
    if (strategies.substr(0, comma) == wanted) return true;
    strategies.remove_prefix(std::min(comma + 1, strategies.size()));
  }
  return false;
}

}  // namespace

namespace strategic {

Result<Meta> lookup(const TypeDesc* type, std::string_view name) {
  if (!type) return Meta();
  const FieldDesc* field = find_field(*type, name);
  if (!field) return internal_error(str_cat("unable to find api field in struct ", type->name.substr(type->name.rfind('.') + 1),
                                         " for the json field \"", name, "\""));
  Meta meta;
  meta.type = field->kind == FieldKind::kStruct && field->form != Form::kMap ? field->type : nullptr;
  meta.merge_key = field->patch_merge_key;
  meta.merge = has_strategy(field->patch_strategy, "merge");
  meta.replace = has_strategy(field->patch_strategy, "replace");
  meta.retain_keys = has_strategy(field->patch_strategy, "retainKeys");
  return meta;
}

}  // namespace strategic

namespace {

using namespace strategic;

/// Lists of objects are keyed by a member, lists of scalars by the value itself.
bool same_item(const Json& a, const Json& b, std::string_view key) {
  if (key.empty()) return a == b;
  const Json* x = a.find(key);
  const Json* y = b.find(key);
  return x && y && *x == *y;
}

ptrdiff_t index_in(const Json::Array& list, const Json& item, std::string_view key) {
  for (size_t i = 0; i < list.size(); ++i)
    if (same_item(list[i], item, key)) return static_cast<ptrdiff_t>(i);
  return -1;
}

// Sorted as in `order`; items that are not in it keep their place before those after them.
void sort_like(Json::Array& items, const Json::Array& order, std::string_view key) {
  // Insertion sort: the comparison is no strict order where items are missing from `order`, and
  // the reference's stable sort of short lists does the same.
  for (size_t i = 1; i < items.size(); ++i)
    for (size_t j = i; j > 0; --j) {
      const ptrdiff_t right = index_in(order, items[j], key), left = index_in(order, items[j - 1], key);
      if (right < 0 || left < 0 || right >= left) break;
      std::swap(items[j], items[j - 1]);
    }
}

Json::Array merge_sorted(const Json::Array& server, const Json::Array& patch, const Json::Array& server_order, std::string_view key) {
  Json::Array out;
  size_t i = 0, j = 0;
  while (i < server.size() || j < patch.size()) {
    bool take_server = j >= patch.size();
    if (!take_server && i < server.size()) {
      const ptrdiff_t left = index_in(server_order, server[i], key), right = index_in(server_order, patch[j], key);
      take_server = left >= 0 && right >= 0 && left < right;
    }
    out.push_back(take_server ? server[i++] : patch[j++]);
  }
  return out;
}

Json::Array in_order(const Json::Array& merged, const Json::Array& patch_order, const Json::Array& server_order, std::string_view key) {
  Json::Array from_patch, server_only;
  for (const Json& item : merged) (index_in(patch_order, item, key) >= 0 ? from_patch : server_only).push_back(item);
  sort_like(from_patch, patch_order, key);
  sort_like(server_only, server_order, key);
  return merge_sorted(server_only, from_patch, server_order, key);
}

bool is_directive(std::string_view name) {
  return name == kDirective || name == kRetainKeys || name.starts_with(kElementOrder) || name.starts_with(kDeletePrimitives);
}

/// The value that a patch brings where there is nothing to merge it with: without nulls, without
/// the directives on lists, and without whatever has a $patch of its own (*keep is false).
Json cleaned(const Json& value, bool* keep) {
  *keep = !(value.is_object() && value.find(kDirective));
  if (value.is_array()) {
    Json out = Json::array();
    for (const Json& item : value.items()) {
      bool keep_item = true;
      Json clean = cleaned(item, &keep_item);
      if (keep_item) out.push_back(std::move(clean));
    }
    return out;
  }
  if (!value.is_object()) return value;
  Json out = Json::object();
  for (const auto& member : value.members()) {
    if (member.value.is_null() || (is_directive(member.key) && member.key != kRetainKeys)) continue;
    bool keep_member = true;
    Json clean = cleaned(member.value, &keep_member);
    if (keep_member) out.set(member.key, std::move(clean));
  }
  return out;
}

class Merger {
 public:
  explicit Merger(Mode mode) : mode_(mode) {}

  Status merge_map(Json& original, Json patch, const TypeDesc* type) {
    if (const Json* directive = patch.find(kDirective)) return by_directive(original, patch, *directive);
    ORRERY_TRY(retain_keys(original, patch));
    ORRERY_TRY(merge_ordered_lists(original, patch, type));
    for (const auto& member : patch.members()) ORRERY_TRY(merge_member(original, member.key, member.value, type));
    return Status::ok();
  }

 private:
  static Status by_directive(Json& original, Json& patch, const Json& directive) {
    if (directive == Json("replace")) {
      patch.erase(kDirective);
      original = std::move(patch);
      return Status::ok();
    }
    if (directive == Json("delete")) {
      original = Json::object();
      return Status::ok();
    }
    return unknown_directive(directive, patch);
  }
  static Status unknown_directive(const Json& directive, const Json& patch) {
    const std::string shown = directive.is_string() ? go_text(directive)
                                                    : str_cat("%!s(", go_type(directive), "=", go_text(directive), ")");
    return internal_error(str_cat("unknown patch type: ", shown, " in map: ", go_text(patch)));
  }
  static Status no_list(const Json& value) {
    return internal_error(str_cat("expected a []interface {}, but received a ", go_type(value)));
  }
  static Status no_merge_key(const Json& item, std::string_view key) {
    return internal_error(str_cat("map: ", go_text(item), " does not contain declared merge key: ", key));
  }

  Status retain_keys(Json& original, Json& patch) {
    const Json* found = patch.find(kRetainKeys);
    if (!found) return Status::ok();
    if (mode_ == Mode::kCombine) return move_directive(original, patch, kRetainKeys);
    if (!found->is_array()) return bad_request("invalid patch format of retainKeys");
    const Json keys = *found;
    patch.erase(kRetainKeys);
    const auto retained = [&](const Str& name) { return index_in(keys.items(), Json(name), "") >= 0; };
    for (const auto& member : patch.members())
      if (!member.value.is_null() && !is_directive(member.key) && !retained(member.key))
        return bad_request("invalid patch format of retainKeys");
    std::erase_if(original.members(), [&](const Json::Member& m) { return !retained(m.key); });
    return Status::ok();
  }

  // Both patches must say the same, or one of them nothing.
  static Status move_directive(Json& original, Json& patch, std::string_view directive) {
    const Json value = patch[directive];
    patch.erase(directive);
    const Json* other = original.find(directive);
    if (other && !(*other == value)) return bad_request(str_cat("the two patches differ in ", directive));
    original.set(directive, value);
    return Status::ok();
  }

  Status merge_ordered_lists(Json& original, Json& patch, const TypeDesc* type) {
    Json::Members orders;
    for (const auto& member : patch.members())
      if (member.key.view().starts_with(kElementOrder)) orders.push_back(member);
    for (const auto& [directive, order] : orders) {
      if (mode_ == Mode::kCombine) ORRERY_TRY(move_directive(original, patch, directive));
      patch.erase(directive);
      const std::string_view name = directive.view().substr(kElementOrder.size());
      if (!order.is_array()) return no_list(order);
      ORRERY_TRY(merge_ordered_list(original, patch, Str(name), order, type));
    }
    return Status::ok();
  }

  Status merge_ordered_list(Json& original, Json& patch, const Str& name, const Json& order, const TypeDesc* type) {
    ORRERY_ASSIGN(const Meta meta, lookup(type, name));
    const Json* old = original.find(name);
    const Json* found = patch.find(name);
    if (!old && !found) return Status::ok();
    if (old && !old->is_array()) return no_list(*old);
    if (found && !found->is_array() && !found->is_null()) return no_list(*found);
    if (found) ORRERY_TRY(check_order(*found, order, meta.merge_key));
    const bool erased = found && found->is_null();
    const Json::Array server_order = old ? old->items() : Json::Array();
    Json merged = old ? *old : Json::array();
    if (found && !erased) {
      bool keep = true;
      if (!old) merged = mode_ == Mode::kApply ? cleaned(*found, &keep) : *found;
      else ORRERY_TRY(merge_slice(merged, *found, meta, false));
    }
    patch.erase(name);
    if (erased) {
      original.erase(name);
      return Status::ok();
    }
    for (const Json& item : merged.items()) ORRERY_TRY(check_keys(order.items(), item, meta.merge_key));
    merged.items() = in_order(merged.items(), order.items(), server_order, meta.merge_key);
    original.set(name, std::move(merged));
    return Status::ok();
  }

  // What is looked through to find `item` must have keys.
  static Status check_keys(const Json::Array& order, const Json& item, std::string_view key) {
    if (key.empty()) return Status::ok();
    for (size_t i = 0; i < order.size(); ++i) {
      if (!order[i].is_object()) return internal_error(str_cat("value for key ", uint64_t{i}, " is not a map"));
      if (!order[i].find(key)) return no_merge_key(order[i], key);
      if (same_item(order[i], item, key)) break;
    }
    return Status::ok();
  }

  // Every element that the patch sets must stand in the order list, in the same sequence.
  static Status check_order(const Json& list, const Json& order, std::string_view key) {
    if (order.size() == 0) return Status::ok();
    size_t at = 0;
    for (const Json& item : list.items()) {
      if (item.is_object() && item.find(kDirective)) continue;
      while (at < order.size() && !same_item(order[at], item, key)) ++at;
      if (at == order.size()) return internal_error(str_cat("The order in patch list:\n", go_text(list), "\n doesn't match $setElementOrder list:\n",
                                      go_text(order), "\n"));
      ++at;
    }
    return Status::ok();
  }

  Status merge_member(Json& original, const Str& name, const Json& value, const TypeDesc* type) {
    const bool deletes = name.view().starts_with(kDeletePrimitives);
    const std::string_view field = deletes ? name.view().substr(kDeletePrimitives.size()) : name.view();
    if (deletes && mode_ == Mode::kCombine) {
      original.set(name, value);
      return Status::ok();
    }
    if (value.is_null() && mode_ == Mode::kApply) {
      original.erase(field);
      return Status::ok();
    }
    Json* old = original.find(field);
    const bool mergeable = old && old->type() == value.type() && (value.is_object() || value.is_array());
    if (!mergeable) {
      if (!deletes) take(original, field, value);
      return Status::ok();
    }
    ORRERY_ASSIGN(const Meta meta, lookup(type, field));
    if (value.is_array()) return merge_list(*old, value, meta, deletes);
    if (meta.replace) {
      *old = value;
      return Status::ok();
    }
    return merge_map(*old, value, meta.type);
  }

  // A value that has nothing to merge with.
  void take(Json& original, std::string_view field, const Json& value) const {
    bool keep = true;
    Json taken = mode_ == Mode::kApply ? cleaned(value, &keep) : value;
    if (keep) original.set(field, std::move(taken));
    else original.erase(field);
  }

  Status merge_list(Json& original, const Json& patch, const Meta& meta, bool deletes) {
    if (!meta.merge && !deletes) {
      original = patch;
      return Status::ok();
    }
    return merge_slice(original, patch, meta, deletes);
  }

  Status merge_slice(Json& original, const Json& patch, const Meta& meta, bool deletes) {
    if (original.size() == 0 && patch.size() == 0) return Status::ok();
    const Json& sample = original.size() > 0 ? original.items()[0] : patch.items()[0];
    if (sample.is_array()) return invalid("lists of lists are not supported");
    const auto mixed = [&](const Json& item) { return go_type(item) != go_type(sample); };
    for (const Json* list : {static_cast<const Json*>(&original), &patch})
      if (std::any_of(list->items().begin(), list->items().end(), mixed))
        return internal_error(str_cat("list element types are not identical: [", go_text(original), " ", go_text(patch), "]"));
    const Json::Array server_order = original.items();
    if (!sample.is_object()) return merge_scalars(original, patch, deletes);
    if (meta.merge_key.empty()) return bad_request("cannot merge lists without merge key");
    Json::Array plain;
    bool replace = false;
    for (const Json& item : patch.items()) {
      const Json* directive = item.find(kDirective);
      if (!directive) {
        plain.push_back(item);
      } else if (*directive == Json("delete")) {
        if (!item.find(meta.merge_key)) return no_merge_key(item, meta.merge_key);
        std::erase_if(original.items(), [&](const Json& o) { return same_item(o, item, meta.merge_key); });
      } else if (*directive == Json("replace")) {
        replace = true;
      } else if (*directive == Json("merge")) {
        return internal_error("merging lists cannot yet be specified in the patch");
      } else {
        return unknown_directive(*directive, item);
      }
    }
    if (replace) {
      original.items() = std::move(plain);
      return Status::ok();
    }
    for (Json& item : plain) {
      if (!item.find(meta.merge_key)) return no_merge_key(item, meta.merge_key);
      const ptrdiff_t at = index_in(original.items(), item, meta.merge_key);
      if (at >= 0) {
        ORRERY_TRY(merge_map(original.items()[static_cast<size_t>(at)], item, meta.type));
      } else {
        bool keep = true;
        original.items().push_back(mode_ == Mode::kApply ? cleaned(item, &keep) : item);
      }
    }
    original.items() = in_order(original.items(), plain, server_order, meta.merge_key);
    return Status::ok();
  }

  static Status merge_scalars(Json& original, const Json& patch, bool deletes) {
    if (deletes) {
      std::erase_if(original.items(), [&](const Json& o) { return index_in(patch.items(), o, "") >= 0; });
      return Status::ok();
    }
    const Json::Array server_order = original.items();
    Json::Array all;
    for (const Json* list : {static_cast<const Json*>(&original), &patch})
      for (const Json& item : list->items())
        if (index_in(all, item, "") < 0) all.push_back(item);
    original.items() = in_order(all, patch.items(), server_order, "");
    return Status::ok();
  }

  Mode mode_;
};

}  // namespace

namespace strategic {

Status merge(Json& original, const Json& patch, const TypeDesc* type, Mode mode) { return Merger(mode).merge_map(original, patch, type); }

}  // namespace strategic

Result<Json> apply_strategic_patch(const TypeDesc& type, const Json& document, const Json& patch) {
  if (!document.is_object() || !patch.is_object()) return bad_request("invalid JSON document");
  Json out = document;
  ORRERY_TRY(strategic::merge(out, patch, &type, strategic::Mode::kApply));
  return out;
}

}  // namespace orrery::api
