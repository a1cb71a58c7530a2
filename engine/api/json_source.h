#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/api/json_value.h"
#include "engine/api/number_texts.h"

namespace orrery::api {

/// The types of JSON values, integers told apart from other numbers; in the order of Json::Type.
enum class NodeType : uint8_t { kNull, kBool, kInt, kUint, kDouble, kString, kArray, kObject };

/// "a string", "a number", ...: how our own errors call it.
std::string_view type_name(NodeType type);

/// A value of a tree, as decoders see it. Values of JSON texts have the same interface
/// (decode_json_text.cc).
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

}  // namespace orrery::api
