#include "engine/server/custom/schema_check.h"

#include <algorithm>
#include <cmath>

#include "engine/api/go_format.h"
#include "engine/api/names.h"
#include "engine/api/regex.h"

namespace orrery::server {
namespace {

using api::Json;


std::string child(const std::string& at, std::string_view name) { return at.empty() ? std::string(name) : str_cat(at, ".", name); }


std::string shown(const Json& value) { return api::go_syntax(value); }

std::string_view schema_type_of(const Json& value) {
  if (value.is_object()) return "object";
  if (value.is_array()) return "array";
  if (value.is_string()) return "string";
  if (value.is_bool()) return "boolean";
  if (value.is_null()) return "null";
  return value.type() == Json::Type::kDouble ? "number" : "integer";
}

// The format that upstream infers from the Go type.
std::string_view go_format_of(const Json& value) {
  if (!value.is_number()) return "";
  return value.type() == Json::Type::kDouble ? "float64" : "int64";
}

bool is_whole(const Json& value) { return value.is_number() && std::floor(value.as_double()) == value.as_double(); }

size_t count_runes(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

/// Checks of one value; the order is that of upstream's validators.
class Checker {
 public:
  Checker(const Json& value, const Json& schema, const std::string& at, FieldErrors& errors)
      : value_(value), schema_(schema), at_(at), errors_(errors) {}

  // A failure does not keep the other checks from being made.
  void type() {
    if (value_.is_null()) {
      if (!schema_["nullable"].is_true()) fail_type(wanted_type(), "null");
      return;
    }
    const std::string wanted = wanted_type();
    const std::string_view found = schema_type_of(value_), format = schema_["format"].text();
    const bool of_numbers = wanted == "integer" || wanted == "number";
    if (!format.empty() && !of_numbers && (value_.is_string() || value_.is_array())) return;  // the format is checked instead
    if (wanted.empty() || has_type(wanted, found)) return;
    if (!format.empty() && !value_.is_string() && !value_.is_array()) return fail_type(format, go_format_of(value_));
    fail_type(wanted, found);
  }
  void text() {
    if (!value_.is_string()) return;
    const std::string_view value = value_.as_string();
    const auto runes = static_cast<int64_t>(count_runes(value));
    if (const Json* max = schema_.find("maxLength"); max && runes > max->as_int())
      add("FieldValueTooLong", str_cat("Too long: may not be more than ", max->as_int(), " bytes"));
    if (const Json* min = schema_.find("minLength"); min && runes < min->as_int())
      invalid(str_cat("should be at least ", min->as_int(), " chars long"));
    if (const std::string_view pattern = schema_["pattern"].text(); !pattern.empty()) {
      const auto regex = api::Regex::compile(pattern);
      if (!regex.is_ok() || !regex->found_in(value)) invalid(str_cat("should match '", pattern, "'"));
    }
    const std::string_view format = schema_["format"].text();
    if (!format.empty() && !fits_format(format, value))
      add("FieldValueTypeInvalid",
          str_cat("Invalid value: ", shown(value_), ": ", at_, " in body must be of type ", format, ": ", shown(value_)));
  }
  void number() {
    if (!value_.is_number()) return;
    multiple_of();
    bound("maximum", "exclusiveMaximum", "less", [](double value, double limit) { return value > limit; });
    bound("minimum", "exclusiveMinimum", "greater", [](double value, double limit) { return value < limit; });
  }
  void list() {
    if (!value_.is_array()) return;
    const auto count = static_cast<int64_t>(value_.size());
    if (const Json* min = schema_.find("minItems"); min && count < min->as_int())
      invalid_size(count, str_cat("should have at least ", min->as_int(), " items"));
    if (const Json* max = schema_.find("maxItems"); max && count > max->as_int()) too_many(count, max->as_int());
    if (!schema_["uniqueItems"].is_true()) return;
    for (size_t i = 0; i < value_.size(); ++i)
      for (size_t k = 0; k < i; ++k)
        if (value_[i] == value_[k]) return invalid("shouldn't contain duplicates");
  }
  void members() {
    if (!value_.is_object()) return;
    const auto count = static_cast<int64_t>(value_.size());
    if (const Json* min = schema_.find("minProperties"); min && count < min->as_int())
      invalid_size(count, str_cat("should have at least ", min->as_int(), " properties"));
    if (const Json* max = schema_.find("maxProperties"); max && count > max->as_int()) too_many(count, max->as_int());
  }
  void required() {
    if (!value_.is_object()) return;
    for (const Json& name : schema_["required"].items())
      if (!value_.find(name.as_string()))
        errors_.push_back(FieldError::required(child(at_, name.as_string())));
  }
  void one_of_values() {
    const Json* allowed = schema_.find("enum");
    if (!allowed) return;
    std::vector<std::string> texts;
    for (const Json& each : allowed->items()) {
      if (each == value_) return;
      texts.push_back(api::quoted(each.is_string() ? each.as_string().str() : each.dump()));
    }
    add("FieldValueNotSupported", str_cat("Unsupported value: ", shown(value_), ": supported values: ", api::join(texts, ", ")));
  }
  void combinations() {
    any_of();
    one_of();
    all_of();
    if (const Json* other = schema_.find("not"); other && other->is_object() && fits(*other))
      no_value("must not validate the schema (not)");
  }

 private:
  void add(std::string_view reason, std::string detail) { errors_.push_back({at_.empty() ? "<nil>" : at_, Str(reason), std::move(detail)}); }
  void invalid(std::string_view why) { add("FieldValueInvalid", str_cat("Invalid value: ", shown(value_), ": ", at_, " in body ", why)); }
  void invalid_size(int64_t size, std::string_view why) {
    add("FieldValueInvalid", str_cat("Invalid value: ", size, ": ", at_, " in body ", why));
  }
  // Upstream gives such findings no field.
  void no_value(std::string_view why) {
    errors_.push_back({"<nil>", "FieldValueInvalid", str_cat("Invalid value: \"\": ", api::quoted(at_), " ", why)});
  }
  void too_many(int64_t count, int64_t max) {
    add("FieldValueTooMany", str_cat("Too many: ", count, ": must have at most ", max, " items"));
  }
  std::string wanted_type() const {
    if (schema_["x-kubernetes-int-or-string"].is_true()) return "integer,string";
    return std::string(schema_["type"].text());
  }
  bool has_type(std::string_view wanted, std::string_view found) const {
    if (schema_["x-kubernetes-int-or-string"].is_true()) return found == "integer" || found == "string" || is_whole(value_);
    return wanted == found || (wanted == "number" && found == "integer") || (wanted == "integer" && is_whole(value_));
  }
  void fail_type(std::string_view wanted, std::string_view found) {
    const std::string shown_type = api::quoted(found);
    add("FieldValueTypeInvalid", str_cat("Invalid value: ", shown_type, ": ", at_, " in body must be of type ", wanted, ": ", shown_type));
  }
  bool fits(const Json& schema) const {
    FieldErrors found;
    check_by_schema(value_, nullptr, schema, at_, found);
    return found.empty();
  }
  void append_findings(const Json& schema) { check_by_schema(value_, nullptr, schema, at_, errors_); }

  void any_of() {
    const Json& schemas = schema_["anyOf"];
    if (schemas.size() == 0) return;
    for (const Json& schema : schemas.items())
      if (fits(schema)) return;
    no_value("must validate at least one schema (anyOf)");
    append_findings(schemas[size_t{0}]);
  }
  void one_of() {
    const Json& schemas = schema_["oneOf"];
    if (schemas.size() == 0) return;
    const auto count = std::count_if(schemas.items().begin(), schemas.items().end(), [&](const Json& s) { return fits(s); });
    if (count == 1) return;
    no_value(str_cat("must validate one and only one schema (oneOf). ",
                     count == 0 ? std::string("Found none valid") : str_cat("Found ", int64_t{count}, " valid alternatives")));
    if (count == 0) append_findings(schemas[size_t{0}]);
  }
  void all_of() {
    const Json& schemas = schema_["allOf"];
    const auto count = std::count_if(schemas.items().begin(), schemas.items().end(), [&](const Json& s) { return fits(s); });
    if (static_cast<size_t>(count) == schemas.size()) return;
    for (const Json& schema : schemas.items()) append_findings(schema);
    no_value(str_cat("must validate all the schemas (allOf)", count == 0 ? ". None validated" : ""));
  }
  // Whole numbers are divided as whole numbers, also by a factor below 1.
  void multiple_of() {
    const Json* factor = schema_.find("multipleOf");
    if (!factor) return;
    if (value_.is_int()) {
      const auto whole = static_cast<int64_t>(factor->as_double());
      if (whole <= 0)
        return add("FieldValueInvalid", str_cat("Invalid value: ", shown(value_), ": factor MultipleOf declared for ", at_, " must be positive: ", whole));
      if (value_.as_int() % whole == 0) return;
    } else {
      const double ratio = value_.as_double() / factor->as_double();
      if (std::floor(ratio) == ratio) return;
    }
    invalid(str_cat("should be a multiple of ", api::go_text(*factor)));
  }
  template <typename Beyond>
  void bound(std::string_view member, std::string_view exclusive, std::string_view word, Beyond beyond) {
    const Json* limit = schema_.find(member);
    if (!limit) return;
    const bool strict = schema_[exclusive].is_true();
    const double value = value_.as_double(), edge = limit->as_double();
    if (!beyond(value, edge) && !(strict && value == edge)) return;
    invalid(str_cat("should be ", word, " than ", strict ? "" : "or equal to ", api::go_text(*limit)));
  }

  const Json& value_;
  const Json& schema_;
  const std::string& at_;
  FieldErrors& errors_;
};

const Json* member_of(const Json* object, std::string_view name) { return object ? object->find(name) : nullptr; }

void check_below(const Json& value, const Json* old, const Json& schema, const std::string& at, FieldErrors& errors) {
  if (value.is_array() && schema["items"].is_object()) {
    size_t index = 0;
    for (const Json& item : value.items())
      check_by_schema(item, item_of_old(item, old, schema), schema["items"], str_cat(at, "[", index++, "]"), errors);
  }
  if (!value.is_object()) return;
  for (const Json::Member& member : value.members()) {
    const Json* property = schema["properties"].find(member.key);
    if (!property && schema["additionalProperties"].is_object()) property = &schema["additionalProperties"];
    if (property) check_by_schema(member.value, member_of(old, member.key), *property, child(at, member.key), errors);
  }
}

bool same_keys(const Json& a, const Json& b, const Json& schema) {
  for (const Json& key : schema["x-kubernetes-list-map-keys"].items())
    if (!(a[key.as_string()] == b[key.as_string()])) return false;
  return true;
}

}  // namespace

const Json* item_of_old(const Json& item, const Json* old, const Json& schema) {
  if (!old || !old->is_array() || schema["x-kubernetes-list-type"].text() != "map") return nullptr;
  for (const Json& candidate : old->items())
    if (same_keys(item, candidate, schema)) return &candidate;
  return nullptr;
}

bool is_unchanged(const Json& value, const Json& old, const Json& schema) {
  if (value == old) return true;
  if (value.is_array() && old.is_array()) {
    return value.size() == old.size() && std::all_of(value.items().begin(), value.items().end(), [&](const Json& item) {
      const Json* before = item_of_old(item, &old, schema);
      return before && is_unchanged(item, *before, schema["items"]);
    });
  }
  if (!value.is_object() || !old.is_object() || value.size() != old.size()) return false;
  return std::all_of(value.members().begin(), value.members().end(), [&](const Json::Member& member) {
    const Json* before = old.find(member.key);
    const Json* property = schema["properties"].find(member.key);
    return before && is_unchanged(member.value, *before, property ? *property : schema["additionalProperties"]);
  });
}

void check_by_schema(const Json& value, const Json* old, const Json& schema, const std::string& at, FieldErrors& errors) {
  if (old && is_unchanged(value, *old, schema)) return;
  Checker checker(value, schema, at, errors);
  checker.type();
  if (value.is_null()) return;
  checker.combinations();
  checker.text();
  checker.number();
  checker.list();
  checker.one_of_values();
  checker.members();
  check_below(value, old, schema, at, errors);
  checker.required();
}

void check_unique_items(const Json& value, const Json& schema, const std::string& at, FieldErrors& errors) {
  if (value.is_array()) {
    const std::string_view type = schema["x-kubernetes-list-type"].text();
    for (size_t i = 0; i < value.size(); ++i) {
      bool duplicate = false;
      for (size_t k = 0; k < i && !duplicate; ++k)
        duplicate = type == "set" ? value[k] == value[i] : type == "map" && same_keys(value[k], value[i], schema);
      const std::string here = str_cat(at, "[", i, "]");
      if (duplicate) {
        Json keys = value[i];
        if (type == "map") {
          keys = Json::object();
          for (const Json& key : schema["x-kubernetes-list-map-keys"].items())
            if (const Json* found = value[i].find(key.as_string())) keys.set(key.as_string(), *found);
        }
        errors.push_back({here, "FieldValueDuplicate", str_cat("Duplicate value: ", shown(keys))});
      }
      check_unique_items(value[i], schema["items"], here, errors);
    }
  }
  if (!value.is_object()) return;
  for (const Json::Member& member : value.members()) {
    const Json* property = schema["properties"].find(member.key);
    if (!property) property = &schema["additionalProperties"];
    if (property->is_object()) check_unique_items(member.value, *property, child(at, member.key), errors);
  }
}

void check_embedded(const Json& value, const Json& schema, const std::string& at, FieldErrors& errors) {
  if (value.is_object() && schema["x-kubernetes-embedded-resource"].is_true()) {
    for (const char* name : {"apiVersion", "kind"})
      if (value[name].text().empty()) errors.push_back(FieldError::required(child(at, name), "must not be empty"));
  }
  size_t index = 0;
  for (const Json& item : value.items()) check_embedded(item, schema["items"], str_cat(at, "[", index++, "]"), errors);
  for (const Json::Member& member : value.members()) {
    const Json* property = schema["properties"].find(member.key);
    if (!property) property = &schema["additionalProperties"];
    if (property->is_object()) check_embedded(member.value, *property, child(at, member.key), errors);
  }
}

}  // namespace orrery::server
