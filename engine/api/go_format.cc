#include "engine/api/go_format.h"

#include <algorithm>
#include <vector>

#include "engine/api/names.h"

namespace orrery::api {
namespace {

template <typename Print>
std::string sorted_members(const Json& value, std::string_view separator, Print print) {
  std::vector<const Json::Member*> members;
  for (const auto& member : value.members()) members.push_back(&member);
  std::sort(members.begin(), members.end(), [](const auto* a, const auto* b) { return a->key < b->key; });
  std::vector<std::string> parts;
  for (const Json::Member* member : members) parts.push_back(print(*member));
  return join(parts, separator);
}

template <typename Print>
std::string items(const Json& value, std::string_view separator, Print print) {
  std::vector<std::string> parts;
  for (const Json& item : value.items()) parts.push_back(print(item));
  return join(parts, separator);
}

}  // namespace

std::string go_text(const Json& value) {
  if (value.is_string()) return value.as_string().str();
  if (value.is_null()) return "<nil>";
  if (value.is_array()) return "[" + items(value, " ", go_text) + "]";
  if (!value.is_object()) return value.dump();
  return "map[" + sorted_members(value, " ", [](const Json::Member& m) { return str_cat(m.key, ":", go_text(m.value)); }) + "]";
}

std::string go_syntax(const Json& value) {
  if (value.is_string()) return quoted(value.as_string());
  if (value.is_null()) return "interface {}(nil)";
  if (value.is_array()) return "[]interface {}{" + items(value, ", ", go_syntax) + "}";
  if (!value.is_object()) return value.dump();
  const auto member = [](const Json::Member& m) { return str_cat(quoted(m.key), ":", go_syntax(m.value)); };
  return "map[string]interface {}{" + sorted_members(value, ", ", member) + "}";
}

std::string_view go_type(const Json& value) {
  switch (value.type()) {
    case Json::Type::kString: return "string";
    case Json::Type::kBool: return "bool";
    case Json::Type::kArray: return "[]interface {}";
    case Json::Type::kObject: return "map[string]interface {}";
    case Json::Type::kDouble: return "float64";
    case Json::Type::kNull: return "<nil>";
    default: return "int64";
  }
}

}  // namespace orrery::api
