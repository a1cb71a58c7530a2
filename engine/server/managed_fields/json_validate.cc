#include <algorithm>
#include <unordered_set>

#include "engine/api/go_format.h"
#include "engine/api/names.h"
#include "engine/server/managed_fields/json_tree.h"

namespace orrery::server::managed {
namespace {

using api::go_syntax;
using api::go_text;
using api::Json;
using Scalar = CustomType::Scalar;
using Shape = MergeType::Shape;

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
        if (!value.is_number()) fail(path, str_cat("expected numeric (int or float), got ", api::go_type(value)));
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
    std::unordered_set<std::string_view> seen;
    for (size_t i = 0; i < value.size(); ++i) {
      std::string step = str_cat("[", uint64_t{i}, "]");
      if (!atomic) {
        const auto element = item_element(type, value[i], pool);
        if (!element.is_ok()) {
          fail(path, str_cat("element ", uint64_t{i}, ": ", element.status().message()));
          return;
        }
        step = to_string(*element);
        if (!seen.insert(element->text).second) fail(path, str_cat("duplicate entries for key ", step));
      }
      check(type.element(), value[i], path + step);
    }
  }

  std::vector<std::string> errors_;
};

}  // namespace

Status validate(const MergeType& type, const Json& value) { return Validator().run(type, value); }

}  // namespace orrery::server::managed
