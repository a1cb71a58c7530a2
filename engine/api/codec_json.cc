#include "engine/api/codec_json.h"

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

#include "engine/api/custom_object.h"
#include "engine/api/go_decode_text.h"
#include "engine/api/number_texts.h"
#include "engine/api/reflect.h"
#include "engine/api/wide_integers.h"

namespace orrery::api {
namespace {

constexpr size_t kDepthMax = 256;
// Source: Kubernetes' JSON decoder keeps so many strict errors, each once.
constexpr size_t kStrictErrorsMax = 100;
// Maps with more entries are sorted once instead of inserted into one by one.
constexpr size_t kInsertMax = 32;

/// The two sources of decoding, under one interface.
enum class NodeType : uint8_t { kNull, kBool, kInt, kUint, kDouble, kString, kArray, kObject };

struct TreeNode {
  const Json* json;
  const NumberTexts* numbers = nullptr;
  NodeType type() const { return static_cast<NodeType>(json->type()); }
  bool boolean() const { return json->as_bool(); }
  int64_t integer() const { return json->as_int(); }
  double number() const { return json->as_double(); }
  std::string_view text() const { return json->as_string(); }
  std::string_view number_text() const { return numbers ? numbers->of(*json) : std::string_view(); }
  std::string raw() const { return numbers ? numbers->dump(*json) : json->dump(); }
  Json tree() const { return *json; }
  uint32_t line() const { return json->line(); }
  size_t size() const { return json->size(); }
  template <typename Fn>
  bool each_item(Fn fn) const {
    for (const Json& item : json->items())
      if (!fn(TreeNode{&item, numbers})) return false;
    return true;
  }
  template <typename Fn>
  bool each_member(Fn fn) const {
    for (const Json::Member& member : json->members())
      if (!fn(member.key.view(), TreeNode{&member.value, numbers})) return false;
    return true;
  }
};

struct TextNode {
  simdjson::dom::element element;
  const NumberTexts* numbers = nullptr;
  NodeType type() const {
    switch (element.type()) {
      case simdjson::dom::element_type::ARRAY: return NodeType::kArray;
      case simdjson::dom::element_type::OBJECT: return NodeType::kObject;
      case simdjson::dom::element_type::INT64: return NodeType::kInt;
      case simdjson::dom::element_type::UINT64: return NodeType::kUint;
      case simdjson::dom::element_type::DOUBLE: return NodeType::kDouble;
      case simdjson::dom::element_type::STRING: return NodeType::kString;
      case simdjson::dom::element_type::BOOL: return NodeType::kBool;
      default: return NodeType::kNull;
    }
  }
  bool boolean() const { return element.get_bool().value_unsafe(); }
  int64_t integer() const { return element.get_int64().value_unsafe(); }
  double number() const {
    double d = 0;
    [[maybe_unused]] auto error = element.get_double().get(d);
    if (const std::string_view text = number_text(); !text.empty()) std::from_chars(text.data(), text.data() + text.size(), d);
    return d;
  }
  std::string_view text() const { return element.get_string().value_unsafe(); }
  std::string_view number_text() const {
    double index = 0;
    return numbers && element.is_double() && element.get_double().get(index) == simdjson::SUCCESS ? numbers->of_index(index) : std::string_view();
  }
  std::string raw() const { return numbers ? numbers->restored(simdjson::minify(element)) : std::string(simdjson::minify(element)); }
  Json tree() const {
    auto parsed = Json::parse(raw());
    return parsed.is_ok() ? std::move(*parsed) : Json();
  }
  uint32_t line() const { return 0; }
  // Of an object.
  size_t size() const { return element.get_object().value_unsafe().size(); }
  template <typename Fn>
  bool each_item(Fn fn) const {
    const simdjson::dom::array array = element.get_array().value_unsafe();
    for (auto item : array)
      if (!fn(TextNode{item, numbers})) return false;
    return true;
  }
  template <typename Fn>
  bool each_member(Fn fn) const {
    const simdjson::dom::object object = element.get_object().value_unsafe();
    for (auto field : object)
      if (!fn(std::string_view(field.key), TextNode{field.value, numbers})) return false;
    return true;
  }
};

std::string_view type_name(NodeType type) {
  switch (type) {
    case NodeType::kNull: return "null";
    case NodeType::kBool: return "a boolean";
    case NodeType::kString: return "a string";
    case NodeType::kArray: return "a list";
    case NodeType::kObject: return "an object";
    default: return "a number";
  }
}

// In Go's words; of a number its text too, if the number is the trouble.
template <typename Node>
std::string go_found(const Node& node, bool number_text) {
  switch (node.type()) {
    case NodeType::kNull: return "null";
    case NodeType::kBool: return "bool";
    case NodeType::kString: return "string";
    case NodeType::kArray: return "array";
    case NodeType::kObject: return "object";
    default: return number_text ? "number " + node.raw() : "number";
  }
}

// The Go type of one value of the field: of its elements if it is a list or a map.
std::string_view go_element_type(const FieldDesc& field) {
  std::string_view type = field.go_type;
  if (type.starts_with('*')) type.remove_prefix(1);
  if (field.form == Form::kList && type.starts_with("[]")) type.remove_prefix(2);
  if (field.form == Form::kMap && type.starts_with("map[")) type.remove_prefix(type.find(']') + 1);
  if (type.starts_with('*')) type.remove_prefix(1);
  return type;
}

/// Decodes one document; remembers the path it is at for the errors.
template <typename Node>
class Decoder {
 public:
  explicit Decoder(const DecodeOptions& options) : options_(options) {}

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
  /// One step into the document, on the stack for as long as the decoder is below it.
  class Step {
   public:
    /// `owner`: the struct that has the field `name`; nullptr: a key of a map, an item of a list.
    Step(Decoder& decoder, const TypeDesc* owner, std::string_view name, size_t index = 0)
        : decoder_(decoder), outer_(decoder.at_), owner_(owner), name_(name), index_(index) {
      decoder.at_ = this;
      ++decoder.depth_;
    }
    ~Step() {
      decoder_.at_ = outer_;
      --decoder_.depth_;
    }
    Step(const Step&) = delete;
    Step& operator=(const Step&) = delete;
    void append_to(std::string& text) const {
      if (outer_) outer_->append_to(text);
      if (name_.data() == nullptr) {
        text += str_cat("[", uint64_t{index_}, "]");
      } else {
        text += (text.empty() ? "" : ".") + std::string(name_.empty() ? "\"\"" : name_);
      }
    }

    void append_fields_to(std::string& text) const {
      if (outer_) outer_->append_fields_to(text);
      if (owner_) text += (text.empty() ? "" : ".") + std::string(name_);
    }
    std::string_view struct_name() const {
      if (!owner_) return outer_ ? outer_->struct_name() : std::string_view();
      return owner_->go_type.substr(owner_->go_type.rfind('.') + 1);
    }

   private:
    Decoder& decoder_;
    const Step* outer_;
    const TypeDesc* owner_;
    std::string_view name_;  // data() is null: an item of a list
    size_t index_;
  };

  std::string path() const {
    std::string text;
    if (at_) at_->append_to(text);
    return text;
  }
  void strict_error(std::string_view what) {
    if (!options_.strict || strict_errors_.size() >= kStrictErrorsMax) return;
    std::string text = str_cat(what, " field \"", path(), "\"");
    if (std::find(strict_errors_.begin(), strict_errors_.end(), text) == strict_errors_.end()) strict_errors_.push_back(std::move(text));
  }
  bool fail(const Node& node, std::string_view what) {
    std::string message = at_ ? path() : "object";
    if (node.line() > 0) message = str_cat("line ", node.line(), ": ", message);
    error_ = bad_request(message + ": " + std::string(what));
    return false;
  }
  // A text or number whose form is wrong: `what` in our words, `go_words` in Go's.
  bool fail_value(const Node& node, std::string_view what, std::string_view go_words) {
    if (options_.wording == DecodeWording::kPath) return fail(node, what);
    error_ = bad_request(std::string(go_words));
    return false;
  }
  bool mismatch(const Node& node, std::string_view allowed, GoTarget target, std::string_view go_type, bool number_text = false) {
    if (options_.wording == DecodeWording::kPath)
      return fail(node, str_cat("found ", type_name(node.type()), ", must be ", allowed));
    GoMismatch wrong{target, go_found(node, number_text), go_type.starts_with('*') ? go_type.substr(1) : go_type, {}, {}};
    if (at_) {
      wrong.struct_name = at_->struct_name();
      at_->append_fields_to(wrong.fields);
    }
    error_ = bad_request(options_.wording == DecodeWording::kGoJson ? go_json_mismatch(wrong) : go_converter_mismatch(wrong));
    return false;
  }
  Str text(std::string_view value) const { return options_.pool ? options_.pool->intern(value) : Str(value); }

  // The field whose form the JSON value has; a struct or a list raises the flag too.
  bool decode_union(const Node& node, const TypeDesc& type, void* object) {
    const NodeType found = node.type();
    bool known = found == NodeType::kNull;
    for (const FieldDesc& field : type.fields) {
      void* at = field_at(field, object);
      if (field.kind == FieldKind::kBool) {
        *static_cast<bool*>(at) = found == NodeType::kBool ? node.boolean() : found != NodeType::kNull;
        known = known || found == NodeType::kBool;
      } else if (found == (field.form == Form::kList ? NodeType::kArray : NodeType::kObject)) {
        known = true;
        if (!decode_field(node, field, object)) return false;
      }
    }
    return known || mismatch(node, "an object, or the other form of this field", GoTarget::kStruct, type.go_type);
  }

  bool decode_struct(const Node& node, const TypeDesc& type, void* object) {
    if (type.is_union) return decode_union(node, type, object);
    if (node.type() != NodeType::kObject) return mismatch(node, "an object", GoTarget::kStruct, type.go_type);
    if (depth_ > kDepthMax) return fail(node, "nested too deeply");
    const FieldDesc* rest = rest_field(type);
    if (rest) return decode_with_rest(node, type, *rest, object);
    size_t hint = 0;
    std::vector<const FieldDesc*> seen;
    return node.each_member([&](std::string_view key, const Node& value) {
      void* at = object;
      const FieldDesc* field = find_field(type, key, &at, &hint);
      const Step step(*this, &type, key);
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
      const Step step(*this, nullptr, key);  // upstream reads the metadata of these by itself
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
    if (field.kind == FieldKind::kStruct) return decode_struct(node, *field.type, mut_struct_at(field, object));
    return decode_scalar(node, field, at);
  }
  bool decode_list(const Node& node, const FieldDesc& field, void* list) {
    if (node.type() != NodeType::kArray) return mismatch(node, "a list", GoTarget::kSlice, field.go_type);
    list_make_empty(field, list);
    size_t index = 0;
    return node.each_item([&](const Node& item) {
      const Step step(*this, nullptr, {}, index++);
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
    const Step step(*this, nullptr, key);
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
        if (!is_text) return mismatch(node, "a string", GoTarget::kScalar, go_element_type(field));
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

  const DecodeOptions& options_;
  const Step* at_ = nullptr;
  size_t depth_ = 0;
  std::vector<std::string> strict_errors_;
  Status error_;
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

Status parse_text(std::string_view text, simdjson::dom::parser& parser, simdjson::dom::element* root) {
  if (parser.allocate(text.size() + 1, kDepthMax * 2) != simdjson::SUCCESS)
    return Status(Code::kRequestTooLarge, "JSON text is too large");
  auto error = parser.parse(text.data(), text.size()).get(*root);
  if (error == simdjson::NUMBER_ERROR) error = parser.parse(with_wide_integers(text)).get(*root);
  if (error == simdjson::SUCCESS) return Status::ok();
  return bad_request(str_cat("invalid JSON: ", simdjson::error_message(error)));
}

}  // namespace

Result<Object> decode_json(std::string_view text, const DecodeOptions& options) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  ORRERY_TRY(parse_text(text, parser, &root));
  return decode_object(TextNode{root}, options);
}

Result<Object> object_from_json(const Json& json, const DecodeOptions& options) {
  return decode_object(TreeNode{&json}, options);
}

Status decode_json_into(std::string_view text, const TypeDesc& type, void* object, const DecodeOptions& options) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  ORRERY_TRY(parse_text(text, parser, &root));
  return Decoder<TextNode>(options).decode(TextNode{root}, type, object);
}

Status from_json(const Json& json, const TypeDesc& type, void* object, const DecodeOptions& options) {
  return Decoder<TreeNode>(options).decode(TreeNode{&json}, type, object);
}

Status from_json(const Json& json, const TypeDesc& type, void* object, const DecodeOptions& options, const NumberTexts& numbers) {
  return Decoder<TreeNode>(options).decode(TreeNode{&json, &numbers}, type, object);
}

Status decode_numbered_json_into(const NumberTexts& numbers, const TypeDesc& type, void* object, const DecodeOptions& options) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  ORRERY_TRY(parse_text(numbers.numbered(), parser, &root));
  return Decoder<TextNode>(options).decode(TextNode{root, &numbers}, type, object);
}

std::string base64_encode(std::string_view bytes) {
  static constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t word = 0;
    for (size_t k = 0; k < 3; ++k)
      word = word << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0);
    for (size_t k = 0; k < 4; ++k)
      out += i + k <= bytes.size() ? kAlphabet[word >> (18 - 6 * k) & 63] : '=';
  }
  return out;
}

bool base64_decode(std::string_view text, std::string* bytes) {
  bytes->clear();
  uint32_t word = 0;
  size_t bits = 0, symbols = 0, padding = 0;
  for (char c : text) {
    if (c == '\n' || c == '\r') continue;
    uint32_t value;
    if (c >= 'A' && c <= 'Z') value = static_cast<uint32_t>(c - 'A');
    else if (c >= 'a' && c <= 'z') value = static_cast<uint32_t>(c - 'a' + 26);
    else if (c >= '0' && c <= '9') value = static_cast<uint32_t>(c - '0' + 52);
    else if (c == '+') value = 62;
    else if (c == '/') value = 63;
    else if (c == '=') { ++padding; ++symbols; continue; }
    else return false;
    if (padding > 0) return false;
    ++symbols;
    word = word << 6 | value;
    if ((bits += 6) >= 8) *bytes += static_cast<char>(word >> (bits -= 8) & 0xff);
  }
  return symbols % 4 == 0 && padding <= 2;
}

}  // namespace orrery::api
