// JSON patch. Source of rules and texts: evanphx/json-patch v4.12, which Kubernetes v1.32 uses.
#include <algorithm>
#include <charconv>

#include "engine/api/names.h"
#include "engine/api/patch.h"

namespace orrery::api {
namespace {

// What lies behind the first '/', at each '/'. Text before the first one does not count.
std::vector<std::string> pointer_parts(std::string_view pointer) {
  std::vector<std::string> parts;
  pointer.remove_prefix(std::min(pointer.find('/'), pointer.size()));
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

// What encoding/json calls a value.
std::string_view json_type(const Json& value) {
  switch (value.type()) {
    case Json::Type::kString: return "string";
    case Json::Type::kBool: return "bool";
    case Json::Type::kArray: return "array";
    case Json::Type::kObject: return "object";
    default: return "number";
  }
}

// As Go's Atoi reads numbers.
Result<int64_t> parse_index(std::string_view part) {
  std::string_view digits = part;
  if (digits.starts_with('+') || digits.starts_with('-')) digits.remove_prefix(1);
  const bool valid = !digits.empty() && digits.find_first_not_of("0123456789") == digits.npos;
  const std::string_view number = part.starts_with('+') ? digits : part;
  int64_t index = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), index);
  if (valid && error == std::errc() && end == number.data() + number.size()) return index;
  return invalid(str_cat("strconv.Atoi: parsing ", quoted(part), ": ", valid ? "value out of range" : "invalid syntax"));
}

// Negative numbers count from the end of `size` items.
Result<size_t> index_of(std::string_view key, size_t size) {
  ORRERY_ASSIGN(const int64_t named, parse_index(key));
  const int64_t index = named < 0 ? named + static_cast<int64_t>(size) : named;
  if (index >= 0 && index < static_cast<int64_t>(size)) return static_cast<size_t>(index);
  return invalid(str_cat("Unable to access invalid index: ", named, ": invalid index referenced"));
}

// Scalars compare as their texts: 1 and 1.0 differ.
bool same_text(const Json& a, const Json& b) {
  if (a.is_array() && b.is_array())
    return std::equal(a.items().begin(), a.items().end(), b.items().begin(), b.items().end(), same_text);
  if (!a.is_object() || !b.is_object()) return a.type() == b.type() && a == b;
  return a.size() == b.size() && std::all_of(a.members().begin(), a.members().end(), [&](const Json::Member& member) {
           const Json* other = b.find(member.key);
           return other && same_text(member.value, *other);
         });
}

Status wrapped(const Status& inner, std::string_view context) { return invalid(str_cat(context, ": ", inner.message())); }
Status wrapped_unless_ok(const Status& status, std::string_view context) {
  return status.is_ok() ? status : wrapped(status, context);
}
Status missing(std::string_view what) { return invalid(str_cat(what, ": missing value")); }

Result<std::string> text_of(const Json& op, std::string_view member, std::string_view absent) {
  const Json* text = op.find(member);
  if (!text || text->is_null()) return missing(absent);
  if (!text->is_string())
    return invalid(str_cat("json: cannot unmarshal ", json_type(*text), " into Go value of type string"));
  return text->as_string().str();
}
Result<std::string> path_of(const Json& op) { return text_of(op, "path", "operation missing path field"); }
Result<std::string> from_of(const Json& op) { return text_of(op, "from", "operation, missing from field"); }

/// Where a path ends: a container that exists (else nullptr), and the last step.
struct Place {
  Json* container = nullptr;
  std::string key;
};

// nullptr: there is no such member.
Result<Json*> get(const Place& place) {
  if (place.container->is_object()) return place.container->find(place.key);
  ORRERY_ASSIGN(const size_t index, index_of(place.key, place.container->size()));
  return &place.container->items()[index];
}

Status put(const Place& place, Json value) {
  if (place.container->is_object()) {
    place.container->set(place.key, std::move(value));
    return Status::ok();
  }
  auto& items = place.container->items();
  if (place.key == "-") {
    items.push_back(std::move(value));
    return Status::ok();
  }
  if (const auto number = parse_index(place.key); !number.is_ok())
    return wrapped(number.status(), str_cat("value was not a proper array index: '", place.key, "'"));
  ORRERY_ASSIGN(const size_t index, index_of(place.key, items.size() + 1));
  items.insert(items.begin() + static_cast<ptrdiff_t>(index), std::move(value));
  return Status::ok();
}

Status take(const Place& place) {
  if (place.container->is_object()) {
    if (place.container->erase(place.key)) return Status::ok();
    return missing(str_cat("Unable to remove nonexistent key: ", place.key));
  }
  auto& items = place.container->items();
  ORRERY_ASSIGN(const size_t index, index_of(place.key, items.size()));
  items.erase(items.begin() + static_cast<ptrdiff_t>(index));
  return Status::ok();
}

// As kube-apiserver sets it (JSONPatchMaxCopyBytes): copies of copies grow without bound.
constexpr size_t kCopiedBytesMax = 3 << 20;

/// Applies operations to a document; Invalid is what cannot be applied.
class JsonPatcher {
 public:
  explicit JsonPatcher(Json& document) : document_(document) {}

  Status apply(const Json& op) {
    const Json* name = op.find("op");
    const std::string kind = name && name->is_string() ? name->as_string().str() : "unknown";
    if (kind == "add") return add(op);
    if (kind == "remove") return remove(op);
    if (kind == "replace") return replace(op);
    if (kind == "test") return test(op);
    if (kind == "move") return move(op);
    if (kind == "copy") return copy(op);
    return invalid(str_cat("Unexpected kind: ", kind));
  }

 private:
  Place find(const std::string& path) {
    std::vector<std::string> parts = pointer_parts(path);
    Place place;
    if (parts.empty()) return place;
    Json* at = &document_;
    for (size_t i = 0; at && i + 1 < parts.size(); ++i) {
      if (!at->is_object() && !at->is_array()) return place;
      const auto next = get({at, parts[i]});
      at = next.is_ok() ? *next : nullptr;
    }
    if (at && (at->is_object() || at->is_array())) place = {at, std::move(parts.back())};
    return place;
  }

  Status add(const Json& op) {
    const auto path = path_of(op);
    if (!path.is_ok()) return missing("add operation failed to decode path");
    const Place place = find(*path);
    if (!place.container) return missing(str_cat("add operation does not apply: doc is missing path: \"", *path, "\""));
    return wrapped_unless_ok(put(place, op["value"]), str_cat("error in add for path: '", *path, "'"));
  }
  Status remove(const Json& op) {
    const auto path = path_of(op);
    if (!path.is_ok()) return missing("remove operation failed to decode path");
    const Place place = find(*path);
    if (!place.container) return missing(str_cat("remove operation does not apply: doc is missing path: \"", *path, "\""));
    return wrapped_unless_ok(take(place), str_cat("error in remove for path: '", *path, "'"));
  }
  Status replace(const Json& op) {
    const auto path = path_of(op);
    if (!path.is_ok()) return wrapped(path.status(), "replace operation failed to decode path");
    if (path->empty()) {
      // Other values leave the document as it is.
      if (op["value"].is_object() || op["value"].is_array()) document_ = Json(op["value"]);
      return Status::ok();
    }
    const Place place = find(*path);
    if (!place.container) return missing(str_cat("replace operation does not apply: doc is missing path: ", *path));
    const auto old = get(place);
    if (!old.is_ok()) return missing(str_cat("replace operation does not apply: doc is missing key: ", *path));
    if (!*old) return put(place, op["value"]);
    **old = Json(op["value"]);
    return Status::ok();
  }
  Status test(const Json& op) {
    const auto path = path_of(op);
    if (!path.is_ok()) return wrapped(path.status(), "test operation failed to decode path");
    const Json* wanted = op.find("value");
    const Status failed = invalid(str_cat("testing value ", *path, " failed: test failed"));
    if (path->empty()) return wanted && same_text(document_, *wanted) ? Status::ok() : failed;
    const Place place = find(*path);
    if (!place.container) return missing(str_cat("test operation does not apply: is missing path: ", *path));
    const auto found = get(place);
    if (!found.is_ok()) return wrapped(found.status(), str_cat("error in test for path: '", *path, "'"));
    // A missing value equals null.
    const bool absent = !*found || (*found)->is_null();
    const bool equal = absent ? !wanted || wanted->is_null() : wanted && same_text(**found, *wanted);
    return equal ? Status::ok() : failed;
  }
  Status move(const Json& op) {
    const auto from = from_of(op);
    if (!from.is_ok()) return wrapped(from.status(), "move operation failed to decode from");
    const Place source = find(*from);
    if (!source.container) return missing(str_cat("move operation does not apply: doc is missing from path: ", *from));
    const std::string at = str_cat("error in move for path: '", source.key, "'");
    const auto found = get(source);
    if (!found.is_ok()) return wrapped(found.status(), at);
    Json value = *found ? **found : Json();
    if (const Status removed = take(source); !removed.is_ok()) return wrapped(removed, at);
    const auto path = path_of(op);
    if (!path.is_ok()) return wrapped(path.status(), "move operation failed to decode path");
    const Place target = find(*path);
    if (!target.container)
      return missing(str_cat("move operation does not apply: doc is missing destination path: ", *path));
    return wrapped_unless_ok(put(target, std::move(value)), str_cat("error in move for path: '", *path, "'"));
  }
  Status copy(const Json& op) {
    const auto from = from_of(op);
    if (!from.is_ok()) return wrapped(from.status(), "copy operation failed to decode from");
    const Place source = find(*from);
    if (!source.container) return missing(str_cat("copy operation does not apply: doc is missing from path: ", *from));
    const auto found = get(source);
    if (!found.is_ok()) return wrapped(found.status(), str_cat("error in copy for from: '", *from, "'"));
    Json value = *found ? **found : Json();
    copied_ += value.dump().size();
    if (copied_ > kCopiedBytesMax)
      return invalid(str_cat("Unable to complete the copy, the accumulated size increase of copy is ", uint64_t{copied_},
                             ", exceeding the limit ", uint64_t{kCopiedBytesMax}));
    const auto path = path_of(op);
    if (!path.is_ok()) return missing("copy operation failed to decode path");
    const Place target = find(*path);
    if (!target.container)
      return missing(str_cat("copy operation does not apply: doc is missing destination path: ", *path));
    return wrapped_unless_ok(put(target, std::move(value)), "error while adding value during copy");
  }

  Json& document_;
  size_t copied_ = 0;
};

}  // namespace

Result<Json> apply_json_patch(Json document, const Json& patch) {
  const auto decode_error = [](const Json& value, std::string_view type) {
    return bad_request(str_cat("json: cannot unmarshal ", json_type(value), " into Go value of type jsonpatch.", type));
  };
  if (!patch.is_array() && !patch.is_null()) return decode_error(patch, "Patch");
  for (const Json& op : patch.items())
    if (!op.is_object() && !op.is_null()) return decode_error(op, "Operation");
  JsonPatcher patcher(document);
  for (const Json& op : patch.items()) ORRERY_TRY(patcher.apply(op));
  return document;
}

}  // namespace orrery::api
