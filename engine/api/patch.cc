#include "engine/api/patch.h"

#include <charconv>
#include <optional>

#include "engine/api/names.h"

namespace orrery::api {
namespace {

std::vector<std::string> pointer_parts(std::string_view pointer) {
  std::vector<std::string> parts;
  while (!pointer.empty()) {
    pointer.remove_prefix(1);
    const size_t end = std::min(pointer.find('/'), pointer.size());
    std::string part;
    for (size_t i = 0; i < end; ++i) {
      if (pointer[i] == '~' && i + 1 < end && (pointer[i + 1] == '0' || pointer[i + 1] == '1')) {
        part += pointer[++i] == '0' ? '~' : '/';
      } else {
        part += pointer[i];
      }
    }
    parts.push_back(std::move(part));
    pointer.remove_prefix(end);
  }
  return parts;
}

/// One operation of an RFC 6902 patch on a document.
class JsonPatcher {
 public:
  explicit JsonPatcher(Json& document) : document_(document) {}

  Status apply(const Json& op) {
    const Json* name = op.find("op");
    if (!name || !name->is_string()) return unexpected("unknown");
    const std::string_view kind = name->as_string();
    ORRERY_TRY(path_of(op, "path", &path_));
    if (kind == "add") return add(path_, value_of(op));
    if (kind == "remove") return remove(path_);
    if (kind == "replace") return replace(path_, value_of(op));
    if (kind == "test") return test(path_, op);
    std::vector<std::string> from;
    ORRERY_TRY(path_of(op, "from", &from));
    if (kind != "move" && kind != "copy") return unexpected(kind);
    // A member that is not there copies as null, but cannot be moved.
    const Json* source = from.empty() ? nullptr : find(from);
    if (!source && !is_member(from)) return missing(kind, from);
    Json moved = source ? *source : Json();
    if (kind == "move") ORRERY_TRY(remove(from));
    return add(path_, std::move(moved));
  }

 private:
  static Status unexpected(std::string_view kind) { return bad_request(str_cat("Unexpected kind: ", kind)); }
  static std::string text(const std::vector<std::string>& path) { return (path.empty() ? "" : "/") + join(path, "/"); }
  static Status missing(std::string_view what, const std::vector<std::string>& path) {
    return bad_request(str_cat(what, " operation does not apply: doc is missing path: ", quoted(text(path)), ": missing value"));
  }
  static Json value_of(const Json& op) { return op["value"]; }
  static Status path_of(const Json& op, std::string_view member, std::vector<std::string>* out) {
    const Json* path = op.find(member);
    if (!path || !path->is_string()) return bad_request(str_cat("operation has no ", member));
    const std::string_view pointer = path->as_string();
    if (!pointer.empty() && pointer[0] != '/') return bad_request(str_cat("path ", quoted(pointer), " does not begin with /"));
    *out = pointer_parts(pointer);
    return Status::ok();
  }

  // The index that `part` names in an array of `size`; `size` itself is allowed for adding.
  static std::optional<size_t> index_of(const std::string& part, size_t size, bool adding) {
    if (adding && part == "-") return size;
    int64_t index = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), index);
    if (error != std::errc() || end != part.data() + part.size()) return std::nullopt;
    const auto limit = static_cast<int64_t>(size) + (adding ? 1 : 0);
    if (index < 0) index += limit;
    if (index < 0 || index >= limit) return std::nullopt;
    return static_cast<size_t>(index);
  }

  Json* find(const std::vector<std::string>& path, size_t drop = 0) {
    Json* at = &document_;
    for (size_t i = 0; i + drop < path.size(); ++i) {
      if (at->is_object()) {
        at = at->find(path[i]);
      } else if (at->is_array()) {
        const auto index = index_of(path[i], at->size(), false);
        at = index ? &at->items()[*index] : nullptr;
      } else {
        return nullptr;
      }
      if (!at) return nullptr;
    }
    return at;
  }

  Status add(const std::vector<std::string>& path, Json value) {
    Json* parent = path.empty() ? nullptr : find(path, 1);
    if (!parent || !(parent->is_object() || parent->is_array())) return missing("add", path);
    if (parent->is_object()) {
      parent->set(path.back(), std::move(value));
      return Status::ok();
    }
    const auto index = index_of(path.back(), parent->size(), true);
    if (!index) return missing("add", path);
    parent->items().insert(parent->items().begin() + static_cast<ptrdiff_t>(*index), std::move(value));
    return Status::ok();
  }

  Status remove(const std::vector<std::string>& path) {
    Json* parent = path.empty() ? nullptr : find(path, 1);
    if (!parent) return missing("remove", path);
    if (parent->is_object()) return parent->erase(path.back()) ? Status::ok() : missing("remove", path);
    const auto index = parent->is_array() ? index_of(path.back(), parent->size(), false) : std::nullopt;
    if (!index) return missing("remove", path);
    parent->items().erase(parent->items().begin() + static_cast<ptrdiff_t>(*index));
    return Status::ok();
  }

  // A member need not be there to be replaced. The whole document can, by an object or a list.
  Status replace(const std::vector<std::string>& path, Json value) {
    if (path.empty() && !value.is_object() && !value.is_array())
      return bad_request("replace operation value must be object or array");
    Json* at = find(path);
    if (at) *at = std::move(value);
    else if (is_member(path)) find(path, 1)->set(path.back(), std::move(value));
    else return missing("replace", path);
    return Status::ok();
  }

  // A missing value equals null.
  Status test(const std::vector<std::string>& path, const Json& op) {
    const Json* at = find(path);
    const Json expected = value_of(op);
    if (at ? *at == expected : (expected.is_null() && is_member(path))) return Status::ok();
    return bad_request(str_cat("testing value ", text(path), " failed: test failed"));
  }
  // Whether the path leads to a member, there or not, of an object that is there.
  bool is_member(const std::vector<std::string>& path) {
    const Json* parent = path.empty() ? nullptr : find(path, 1);
    return parent && parent->is_object();
  }

  Json& document_;
  std::vector<std::string> path_;
};

}  // namespace

Result<Json> apply_json_patch(Json document, const Json& patch) {
  if (patch.is_null()) return document;
  if (!patch.is_array()) return bad_request("a JSON patch is a list of operations");
  JsonPatcher patcher(document);
  for (const Json& op : patch.items()) ORRERY_TRY(patcher.apply(op));
  return document;
}

Result<Json> apply_patch(PatchKind kind, const TypeDesc& type, const Json& document, const Json& patch) {
  switch (kind) {
    case PatchKind::kJson: return apply_json_patch(document, patch);
    case PatchKind::kMerge: return apply_merge_patch(document, patch);
    case PatchKind::kStrategic: return apply_strategic_patch(type, document, patch);
    default: return bad_request("server-side apply is not supported");
  }
}

}  // namespace orrery::api
