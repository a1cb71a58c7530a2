#pragma once

#include <cmath>
#include <string>
#include <utility>

#include "engine/api/base64.h"
#include "engine/api/node_errors.h"
#include "engine/api/reflect.h"

namespace orrery::api {

/// Decodes values that are no structs, lists or maps.
template <typename Node>
class ScalarDecoder : protected NodeErrors<Node> {
 protected:
  using Errors = NodeErrors<Node>;
  using Errors::fail;
  using Errors::fail_value;
  using Errors::mismatch;
  using Errors::options_;

  explicit ScalarDecoder(const DecodeOptions& options) : Errors(options) {}

  // The Go type of one value of the field: of its elements if it is a list or a map.
  static std::string_view go_element_type(const FieldDesc& field) {
    std::string_view type = field.go_type;
    if (type.starts_with('*')) type.remove_prefix(1);
    if (field.form == Form::kList && type.starts_with("[]")) type.remove_prefix(2);
    if (field.form == Form::kMap && type.starts_with("map[")) type.remove_prefix(type.find(']') + 1);
    if (type.starts_with('*')) type.remove_prefix(1);
    return type;
  }

  Str text(std::string_view value) const { return options_.pool ? options_.pool->intern(value) : Str(value); }

  bool decode_integer(const Node& node, GoTarget target, std::string_view go_type, int64_t low, int64_t high, int64_t* out) {
    if (node.type() == NodeType::kInt) {
      *out = node.integer();
    } else if (!node.number_text().empty()) {
      return mismatch(node, "a whole number", target, go_type, true);
    } else if (node.type() == NodeType::kDouble && std::fabs(node.number()) < 0x1p63 && std::trunc(node.number()) == node.number()) {
      *out = static_cast<int64_t>(node.number());
    } else {
      return mismatch(node, "a whole number", target, go_type, true);
    }
    if (*out >= low && *out <= high) return true;
    if (options_.wording == DecodeWording::kGoConverter && target == GoTarget::kScalar) {
      *out = static_cast<int32_t>(*out);  // as Go's reflect converts
      return true;
    }
    if (options_.wording != DecodeWording::kPath) return mismatch(node, {}, target, go_type, true);
    return fail(node, str_cat("found ", *out, ", must be in ", low, "..", high));
  }

  bool decode_scalar(const Node& node, const FieldDesc& field, void* at) {
    const bool is_text = node.type() == NodeType::kString;
    switch (field.kind) {
      case FieldKind::kString:
        if (!is_text) {
          const std::string_view type = go_element_type(field);
          return mismatch(node, "a string", GoTarget::kScalar, type.empty() ? "string" : type);
        }
        *static_cast<Str*>(at) = text(node.text());
        return true;
      case FieldKind::kBytes: return decode_bytes(node, static_cast<Bytes*>(at));
      case FieldKind::kBool:
        if (node.type() != NodeType::kBool) return mismatch(node, "true or false", GoTarget::kScalar, "bool");
        *static_cast<bool*>(at) = node.boolean();
        return true;
      case FieldKind::kInt32: {
        int64_t value = 0;
        if (!decode_integer(node, GoTarget::kScalar, "int32", INT32_MIN, INT32_MAX, &value)) return false;
        *static_cast<int32_t*>(at) = static_cast<int32_t>(value);
        return true;
      }
      case FieldKind::kInt64: return decode_integer(node, GoTarget::kScalar, "int64", INT64_MIN, INT64_MAX, static_cast<int64_t*>(at));
      case FieldKind::kFloat64:
        if (node.type() != NodeType::kInt && node.type() != NodeType::kUint && node.type() != NodeType::kDouble)
          return mismatch(node, "a number", GoTarget::kScalar, "float64");
        if (is_beyond_floats(node)) return mismatch(node, "a number", GoTarget::kScalar, "float64", true);
        *static_cast<double*>(at) = node.number();
        return true;
      case FieldKind::kRawJson:
        if (options_.wording == DecodeWording::kGoJson && !check_numbers(node)) return false;
        static_cast<RawJson*>(at)->text = Str(node.raw());
        return true;
      case FieldKind::kFieldsV1: static_cast<RawJson*>(at)->text = Str(node.raw()); return true;
      default: return decode_special(node, field.kind, at);
    }
  }
  static bool is_beyond_floats(const Node& node) {
    const std::string_view text = node.number_text();
    return !text.empty() && !fits_float(text);
  }
  // Values of any type are read into floats.
  bool check_numbers(const Node& node) {
    if (is_beyond_floats(node)) return fail_value(node, {}, go_json_number_error(node.number_text()));
    if (node.type() == NodeType::kArray) return node.each_item([&](const Node& item) { return check_numbers(item); });
    if (node.type() != NodeType::kObject) return true;
    return node.each_member([&](std::string_view, const Node& value) { return check_numbers(value); });
  }
  bool decode_bytes(const Node& node, Bytes* out) {
    std::string bytes;
    constexpr std::string_view kAllowed = "must be a base64 string";
    if (node.type() != NodeType::kString) {
      if (options_.wording == DecodeWording::kPath) return fail(node, kAllowed);
      return mismatch(node, kAllowed, GoTarget::kSlice, "[]uint8");
    }
    if (!base64_decode(node.text(), &bytes)) {
      const std::string_view context = options_.wording == DecodeWording::kGoConverter ? "error decoding from json: " : "";
      return fail_value(node, kAllowed, str_cat(context, go_base64_error(node.text())));
    }
    static_cast<Str&>(*out) = Str(bytes);
    out->present = true;
    return true;
  }
  template <typename T>
  bool keep(const Node& node, Result<T> parsed, void* at) {
    if (!parsed.is_ok()) return fail_value(node, parsed.status().message(), parsed.status().message());
    *static_cast<T*>(at) = std::move(*parsed);
    return true;
  }
  bool decode_time(const Node& node, bool micro, void* at) {
    auto parsed = micro ? parse_micro_time(node.text()) : parse_time(node.text());
    if (parsed.is_ok()) return keep(node, std::move(parsed), at);
    return fail_value(node, parsed.status().message(), go_time_error(node.text(), micro));
  }
  bool decode_special(const Node& node, FieldKind kind, void* at) {
    if (kind == FieldKind::kIntOrString) {
      auto& value = *static_cast<IntOrString*>(at);
      if (node.type() == NodeType::kString) {
        value = IntOrString(node.text());
        return true;
      }
      int64_t number = 0;
      if (!decode_integer(node, GoTarget::kUnmarshaler, "int32", INT32_MIN, INT32_MAX, &number)) return false;
      value = IntOrString(static_cast<int32_t>(number));
      return true;
    }
    if (kind == FieldKind::kQuantity) {
      std::string source;
      if (node.type() == NodeType::kString) {
        source = std::string(node.text());
        source.erase(0, source.find_first_not_of(" \t\r\n"));
        source.erase(source.find_last_not_of(" \t\r\n") + 1);
      } else if (node.type() == NodeType::kInt || node.type() == NodeType::kUint || node.type() == NodeType::kDouble) {
        source = node.raw();
      } else if (options_.wording == DecodeWording::kPath) {
        return mismatch(node, "a quantity such as 500m or 1Gi", GoTarget::kUnmarshaler, {});
      } else {
        source = "{}";  // whatever else it is, its text is no quantity
      }
      return keep(node, Quantity::parse(source), at);
    }
    if (node.type() != NodeType::kString) return mismatch(node, "a string", GoTarget::kUnmarshaler, "string");
    if (kind == FieldKind::kTime || kind == FieldKind::kMicroTime) return decode_time(node, kind == FieldKind::kMicroTime, at);
    auto duration = parse_go_duration(node.text());
    if (duration.is_ok()) return keep(node, std::move(duration), at);
    return fail_value(node, duration.status().message(), str_cat("time: invalid duration \"", node.text(), "\""));
  }
};

}  // namespace orrery::api
