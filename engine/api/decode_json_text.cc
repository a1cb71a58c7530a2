// JSON texts -> objects.
#include <simdjson.h>

#include <charconv>

#include "engine/api/json_decoder.h"

namespace orrery::api {
namespace {

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

Status parse_text(std::string_view text, simdjson::dom::parser& parser, simdjson::dom::element* root) {
  if (parser.allocate(text.size() + 1, kJsonDepthMax * 2) != simdjson::SUCCESS)
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

Status decode_json_into(std::string_view text, const TypeDesc& type, void* object, const DecodeOptions& options) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  ORRERY_TRY(parse_text(text, parser, &root));
  return Decoder<TextNode>(options).decode(TextNode{root}, type, object);
}

Status decode_numbered_json_into(const NumberTexts& numbers, const TypeDesc& type, void* object, const DecodeOptions& options) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  ORRERY_TRY(parse_text(numbers.numbered(), parser, &root));
  return Decoder<TextNode>(options).decode(TextNode{root, &numbers}, type, object);
}

}  // namespace orrery::api
