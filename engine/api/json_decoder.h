#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "engine/api/custom_object.h"
#include "engine/api/scalar_decoder.h"
#include "engine/api/wide_integers.h"

namespace orrery::api {

/// Documents that are nested more deeply are refused.
constexpr size_t kJsonDepthMax = 256;

/// Decodes one document.
template <typename Node>
class Decoder : private ScalarDecoder<Node> {
 public:
  explicit Decoder(const DecodeOptions& options) : ScalarDecoder<Node>(options) {}

  Status decode(const Node& node, const TypeDesc& type, void* object) {
    if (node.type() != NodeType::kNull) decode_struct(node, type, object);
    if (!error_.is_ok()) return error_;
    if (options_.strict_errors) {
      options_.strict_errors->insert(options_.strict_errors->end(), strict_errors_.begin(), strict_errors_.end());
      return Status::ok();
    }
    if (strict_errors_.empty()) return Status::ok();
    std::string message = "strict decoding error: ";
    for (size_t i = 0; i < strict_errors_.size(); ++i) message += (i ? ", " : "") + strict_errors_[i];
    return bad_request(std::move(message));
  }

 private:
  // Maps with more entries are sorted once instead of inserted into one by one.
  static constexpr size_t kInsertMax = 32;

  using Scalars = ScalarDecoder<Node>;
  using typename NodeErrors<Node>::Step;
  using Scalars::decode_scalar;
  using Scalars::error_;
  using Scalars::fail;
  using Scalars::fail_value;
  using Scalars::go_element_type;
  using Scalars::mismatch;
  using Scalars::options_;
  using Scalars::path_;
  using Scalars::strict_error;
  using Scalars::strict_errors_;
  using Scalars::text;

  // Whether a field of the union has the form that the JSON value has.
  static bool fits_union(const Node& node, const TypeDesc& type) {
    return std::any_of(type.fields.begin(), type.fields.end(), [&](const FieldDesc& field) {
      if (field.kind == FieldKind::kBool) return node.type() == NodeType::kBool;
      return node.type() == (field.form == Form::kList ? NodeType::kArray : NodeType::kObject);
    });
  }
  // Only where there is a flag upstream looks at what else it is; otherwise that is nothing.
  // Source: Kubernetes v1.32 apiextensions-apiserver pkg/apis/apiextensions/v1/marshal.go.
  bool pass_over(const Node& node, const TypeDesc& type) {
    if (options_.wording == DecodeWording::kPath)
      return mismatch(node, "an object, or the other form of this field", GoTarget::kStruct, type.go_type);
    const bool has_flag = std::any_of(type.fields.begin(), type.fields.end(), [](const FieldDesc& field) { return field.kind == FieldKind::kBool; });
    return !has_flag || fail_value(node, {}, "boolean or JSON schema expected");
  }
  // The field whose form the JSON value has; a struct or a list raises the flag too.
  bool decode_union(const Node& node, const TypeDesc& type, void* object) {
    if (!fits_union(node, type)) return pass_over(node, type);
    const DecodePath::Unnamed unnamed(path_);
    for (const FieldDesc& field : type.fields) {
      if (field.kind == FieldKind::kBool) {
        *static_cast<bool*>(field_at(field, object)) = node.type() != NodeType::kBool || node.boolean();
      } else if (node.type() == (field.form == Form::kList ? NodeType::kArray : NodeType::kObject)) {
        if (!decode_field(node, field, object)) return false;
      }
    }
    return true;
  }

  bool decode_struct(const Node& node, const TypeDesc& type, void* object) {
    if (type.is_union) return decode_union(node, type, object);
    if (node.type() != NodeType::kObject) return mismatch(node, "an object", GoTarget::kStruct, type.go_type);
    if (path_.depth() > kJsonDepthMax) return fail(node, "nested too deeply");
    const FieldDesc* rest = rest_field(type);
    if (rest) return decode_with_rest(node, type, *rest, object);
    size_t hint = 0;
    std::vector<const FieldDesc*> seen;
    return node.each_member([&](std::string_view key, const Node& value) {
      void* at = object;
      const FieldDesc* field = find_field(type, key, &at, &hint);
      const Step step(path_, &type, key);
      if (!field) {
        strict_error("unknown");
        return true;
      }
      if (options_.strict) note_duplicate(seen, field);
      return decode_field(value, *field, at);
    });
  }
  bool decode_with_rest(const Node& node, const TypeDesc& type, const FieldDesc& rest, void* object) {
    size_t hint = 0;
    Json others = Json::object();
    const bool ok = node.each_member([&](std::string_view key, const Node& value) {
      void* at = object;
      const FieldDesc* field = find_field(type, key, &at, &hint);
      if (!field || field == &rest) {
        others.set(key, value.tree());
        return true;
      }
      const Step step(path_, nullptr, key);  // upstream reads the metadata of these by itself
      return decode_field(value, *field, at);
    });
    auto* text = static_cast<RawJson*>(field_at(rest, object));
    widen_integers(others);
    if (others.size() > 0) text->text = Str(others.dump_sorted());
    return ok;
  }
  void note_duplicate(std::vector<const FieldDesc*>& seen, const FieldDesc* field) {
    if (std::find(seen.begin(), seen.end(), field) == seen.end()) seen.push_back(field);
    else strict_error("duplicate");
  }

  bool decode_field(const Node& node, const FieldDesc& field, void* object) {
    // null leaves the zero value.
    if (node.type() == NodeType::kNull) return true;
    void* at = field_at(field, object);
    switch (field.form) {
      case Form::kList: return decode_list(node, field, at);
      case Form::kMap: return decode_map(node, field, at);
      case Form::kPointer:
        if (field.kind != FieldKind::kStruct) opt_set_present(field, object);
        break;
      default: break;
    }
    if (field.kind != FieldKind::kStruct) return decode_scalar(node, field, at);
    if (field.type->is_union && !fits_union(node, *field.type)) return pass_over(node, *field.type);
    return decode_struct(node, *field.type, mut_struct_at(field, object));
  }
  bool decode_list(const Node& node, const FieldDesc& field, void* list) {
    if (node.type() != NodeType::kArray) return mismatch(node, "a list", GoTarget::kSlice, field.go_type);
    list_make_empty(field, list);
    size_t index = 0;
    return node.each_item([&](const Node& item) {
      const Step step(path_, nullptr, {}, index++);
      return decode_element(item, field, list_append(field, list));
    });
  }
  bool decode_map(const Node& node, const FieldDesc& field, void* map) {
    if (node.type() != NodeType::kObject) return mismatch(node, "an object", GoTarget::kMap, field.go_type);
    if (list_is_nil(map)) list_make_empty(field, map);
    if (node.size() > kInsertMax) return decode_large_map(node, field, map);
    return node.each_member([&](std::string_view key, const Node& value) { return decode_entry(key, value, field, map); });
  }
  // In order of the keys, so that each entry is added at the end; equal keys stay in their order.
  bool decode_large_map(const Node& node, const FieldDesc& field, void* map) {
    std::vector<std::pair<std::string_view, Node>> entries;
    node.each_member([&](std::string_view key, const Node& value) {
      entries.emplace_back(key, value);
      return true;
    });
    std::stable_sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    return std::all_of(entries.begin(), entries.end(), [&](const auto& entry) { return decode_entry(entry.first, entry.second, field, map); });
  }
  bool decode_entry(std::string_view key, const Node& value, const FieldDesc& field, void* map) {
    const Step step(path_, nullptr, key);
    bool existed = false;
    void* at = map_insert(field, map, text(key), &existed);
    if (existed) strict_error("duplicate");
    return decode_element(value, field, at);
  }
  bool decode_element(const Node& node, const FieldDesc& field, void* at) {
    if (node.type() == NodeType::kNull) return true;
    if (field.kind == FieldKind::kStruct) return decode_struct(node, *field.type, at);
    if (field.kind != FieldKind::kStringList) return decode_scalar(node, field, at);
    if (node.type() != NodeType::kArray) return mismatch(node, "a list of strings", GoTarget::kSlice, go_element_type(field));
    auto& list = *static_cast<List<Str>*>(at);
    list.clear();
    return node.each_item([&](const Node& item) {
      if (item.type() != NodeType::kString) return mismatch(item, "a string", GoTarget::kScalar, "string");
      list.push_back(text(item.text()));
      return true;
    });
  }
};

template <typename Node>
Result<Object> decode_object(const Node& node, const DecodeOptions& options) {
  if (node.type() != NodeType::kObject) return bad_request("found " + std::string(type_name(node.type())) + ", must be an object with apiVersion and kind");
  std::string_view api_version, kind;
  node.each_member([&](std::string_view key, const Node& value) {
    if (value.type() != NodeType::kString) return true;
    if (key == "apiVersion") api_version = value.text();
    if (key == "kind") kind = value.text();
    return true;
  });
  if (kind.empty()) return bad_request("Object 'Kind' is missing");
  if (api_version.empty()) return bad_request("Object 'apiVersion' is missing");
  const KindDesc* desc = find_kind(api_version, kind);
  if (!desc) return bad_request(str_cat("no kind \"", kind, "\" is registered for version \"", api_version, "\""));
  Object object = Object::make(*desc->type);
  ORRERY_TRY(Decoder<Node>(options).decode(node, *desc->type, object.mut_data()));
  return object;
}

}  // namespace orrery::api
