#include <algorithm>

#include "engine/api/names.h"
#include "engine/server/managed_fields/json_tree.h"

namespace orrery::server::managed {
namespace {

using api::Json;
using Scalar = CustomType::Scalar;
using Shape = MergeType::Shape;

// As Go's %v prints an unstructured value.
std::string go_text(const Json& value) {
  if (value.is_string()) return value.as_string().str();
  if (value.is_null()) return "<nil>";
  std::vector<std::string> parts;
  if (value.is_array()) {
    for (const Json& item : value.items()) parts.push_back(go_text(item));
    return "[" + api::join(parts, " ") + "]";
  }
  if (!value.is_object()) return value.dump();
  for (const auto& member : value.members()) parts.push_back(str_cat(member.key, ":", go_text(member.value)));
  std::sort(parts.begin(), parts.end());
  return "map[" + api::join(parts, " ") + "]";
}

// As Go's %#v.
std::string go_syntax(const Json& value) {
  if (value.is_null()) return "interface {}(nil)";
  std::vector<std::string> parts;
  if (value.is_array()) {
    for (const Json& item : value.items()) parts.push_back(go_syntax(item));
    return "[]interface {}{" + api::join(parts, ", ") + "}";
  }
  if (!value.is_object()) return value.is_string() ? api::quoted(value.as_string()) : value.dump();
  for (const auto& member : value.members()) parts.push_back(str_cat(api::quoted(member.key), ":", go_syntax(member.value)));
  std::sort(parts.begin(), parts.end());
  return "map[string]interface {}{" + api::join(parts, ", ") + "}";
}

std::string_view go_type(const Json& value) {
  if (value.is_string()) return "string";
  if (value.is_bool()) return "bool";
  return value.is_array() ? "[]interface {}" : "map[string]interface {}";
}

class Validator {
 public:
  Status run(const MergeType& type, const Json& value) {
    check(type, value, "");
    if (errors_.empty()) return Status::ok();
    if (errors_.size() == 1) return bad_request(errors_[0]);
    return bad_request("errors:\n  " + api::join(errors_, "\n  "));
  }

 private:
  void fail(const std::string& path, std::string_view what) {
    errors_.push_back(path.empty() ? std::string(what) : str_cat(path, ": ", what));
  }

  void check(const MergeType& type, const Json& value, const std::string& path) {
    if (type.shape() == Shape::kUnknown) return fail(path, "field not declared in schema");
    if (value.is_null()) return;
    switch (shape_for(type, value)) {
      case Shape::kScalar: return scalar(type.scalar(), value, path);
      case Shape::kList: return list(type, value, path);
      default: break;
    }
    if (!value.is_object()) return fail(path, str_cat("expected map, got &{", go_text(value), "}"));
    std::vector<const Json::Member*> sorted;
    for (const auto& member : value.members()) sorted.push_back(&member);
    std::sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) { return a->key < b->key; });
    for (const Json::Member* member : sorted) check(type.member(member->key), member->value, str_cat(path, ".", member->key));
  }

  void scalar(Scalar kind, const Json& value, const std::string& path) {
    switch (kind) {
      case Scalar::kString:
        if (!value.is_string())
          fail(path, str_cat("expected string, got &value.valueUnstructured{Value:", go_syntax(value), "}"));
        return;
      case Scalar::kNumber:
        if (!value.is_number()) fail(path, str_cat("expected numeric (int or float), got ", go_type(value)));
        return;
      case Scalar::kBool:
        if (!value.is_bool()) fail(path, str_cat("expected boolean, got &{", go_text(value), "}"));
        return;
      default:
        if (value.is_object() || value.is_array())
          fail(path, str_cat("expected any scalar, got &{", go_text(value), "}"));
    }
  }

  void list(const MergeType& type, const Json& value, const std::string& path) {
    if (!value.is_array()) return fail(path, str_cat("expected list, got &{", go_text(value), "}"));
    const bool atomic = atomic_for(type, Shape::kList);
    FieldSetPool pool;
    std::vector<PathElement> seen;
    for (size_t i = 0; i < value.size(); ++i) {
      std::string step = str_cat("[", uint64_t{i}, "]");
      if (!atomic) {
        const auto element = item_element(type, value[i], pool);
        if (!element.is_ok()) {
          fail(path, str_cat("element ", uint64_t{i}, ": ", element.status().message()));
          return;
        }
        step = to_string(*element);
        if (std::find(seen.begin(), seen.end(), *element) != seen.end())
          fail(path, str_cat("duplicate entries for key ", step));
        seen.push_back(*element);
      }
      check(type.element(), value[i], path + step);
    }
  }

  std::vector<std::string> errors_;
};

}  // namespace

Status validate(const MergeType& type, const Json& value) { return Validator().run(type, value); }

}  // namespace orrery::server::managed
