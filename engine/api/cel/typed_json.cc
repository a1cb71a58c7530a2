#include "engine/api/cel/typed_json.h"

#include <algorithm>

#include "engine/api/base64.h"
#include "engine/api/scalars.h"

namespace orrery::api::cel {
namespace {


Value text_by_format(Value value, std::string_view format) {
  if (format == "duration") {
    const auto parsed = parse_go_duration(value.string());
    if (parsed.is_ok()) return Value::duration(parsed->ns);
  } else if (format == "date-time" || format == "date") {
    const std::string midnight = format == "date" ? "T00:00:00Z" : "";
    const auto parsed = parse_time(str_cat(value.string(), midnight));
    if (parsed.is_ok()) return Value::timestamp(parsed->time().ns);
  } else if (format == "byte") {
    std::string bytes;
    if (base64_decode(value.string(), &bytes)) return Value::bytes(std::move(bytes));
  }
  return value;
}

constexpr std::pair<std::string_view, std::string_view> kEscapes[] = {
    {"__underscores__", "__"}, {"__dot__", "."}, {"__dash__", "-"}, {"__slash__", "/"}};
constexpr std::string_view kWords[] = {"true", "false", "null", "in", "as", "break", "const", "continue", "else", "for",
                                       "function", "if", "import", "let", "loop", "package", "namespace", "return", "var", "void", "while"};

bool object_type(const Json& schema, bool root, Type* type) {
  if (schema["additionalProperties"].is_object()) {
    Type value;
    if (!type_of_schema(schema["additionalProperties"], schema["additionalProperties"]["x-kubernetes-embedded-resource"].is_true(), &value))
      return false;
    *type = Type::map(Type::of(Type::Kind::kString), std::move(value));
    return true;
  }
  Type::Fields fields;
  for (const Json::Member& property : schema["properties"].members()) {
    const std::string name = escaped_name(property.key);
    Type field;
    const bool embedded = property.value["x-kubernetes-embedded-resource"].is_true();
    if (!name.empty() && type_of_schema(property.value, embedded, &field)) fields[name] = std::move(field);
  }
  if (root) {
    const Type text = Type::of(Type::Kind::kString);
    fields.try_emplace("apiVersion", text);
    fields.try_emplace("kind", text);
    fields["metadata"] = Type::object("object", {{"name", text}, {"generateName", text}});
  }
  *type = Type::object("object", std::move(fields));
  return true;
}

}  // namespace

Value typed(Value value) {
  const Json& schema = *value.schema;
  if (value.is_string()) {
    const std::string_view format = schema["format"].text();
    return format.empty() ? value : text_by_format(std::move(value), format);
  }
  if (value.is_int() && schema["type"].text() == "number") return Value::of(Json(value.json->as_double()));
  return value;
}

bool type_of_schema(const Json& schema, bool root, Type* type) {
  if (schema["x-kubernetes-int-or-string"].is_true()) return *type = Type(), true;
  const std::string_view name = schema["type"].text(), format = schema["format"].text();
  const auto found = [&](Type::Kind kind) { return *type = Type::of(kind), true; };
  if (name == "array") {
    Type item;
    if (!schema["items"].is_object() || !type_of_schema(schema["items"], schema["items"]["x-kubernetes-embedded-resource"].is_true(), &item))
      return false;
    *type = Type::list(std::move(item));
    return true;
  }
  if (name == "object") return object_type(schema, root, type);
  if (name == "boolean") return found(Type::Kind::kBool);
  if (name == "number") return found(Type::Kind::kDouble);
  if (name == "integer") return found(Type::Kind::kInt);
  if (name != "string") return false;
  if (format == "byte") return found(Type::Kind::kBytes);
  if (format == "duration") return found(Type::Kind::kDuration);
  return found(format == "date" || format == "date-time" ? Type::Kind::kTimestamp : Type::Kind::kString);
}

std::string escaped_name(std::string_view member) {
  if (std::find(std::begin(kWords), std::end(kWords), member) != std::end(kWords)) return str_cat("__", member, "__");
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  std::string out;
  while (!member.empty()) {
    const auto found = std::find_if(std::begin(kEscapes), std::end(kEscapes), [&](const auto& e) { return member.starts_with(e.second); });
    if (found != std::end(kEscapes)) {
      out += found->first;
      member.remove_prefix(found->second.size());
      continue;
    }
    const bool digit = member[0] >= '0' && member[0] <= '9';
    if (!is_letter(member[0]) && (!digit || out.empty())) return "";
    out += member[0];
    member.remove_prefix(1);
  }
  return out;
}

std::string unescaped_name(std::string_view identifier) {
  if (identifier.find("__") == identifier.npos) return std::string(identifier);
  for (const std::string_view word : kWords)
    if (identifier == str_cat("__", word, "__")) return std::string(word);
  std::string out;
  while (!identifier.empty()) {
    const auto found = std::find_if(std::begin(kEscapes), std::end(kEscapes), [&](const auto& e) { return identifier.starts_with(e.first); });
    if (found != std::end(kEscapes)) {
      out += found->second;
      identifier.remove_prefix(found->first.size());
      continue;
    }
    out += identifier.front();
    identifier.remove_prefix(1);
  }
  return out;
}

}  // namespace orrery::api::cel
