#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace orrery::api::cel {

/// The type of an expression, as the checker knows it before there are values.
struct Type {
  enum class Kind : uint8_t {
    kDyn,  // anything, known at run time
    kError,
    kNull,
    kBool,
    kInt,
    kUint,
    kDouble,
    kString,
    kBytes,
    kDuration,
    kTimestamp,
    kList,    // of params[0]
    kMap,     // params[0] -> params[1]
    kType,    // the type of a type
    kObject,  // name, and fields
    kOpaque,  // name, and params: optional_type, net.IP, ...
    kParam,   // name: any one type, the same at all places
  };
  using Fields = std::map<std::string, Type, std::less<>>;

  Kind kind = Kind::kDyn;
  std::string name;
  std::vector<Type> params;
  std::shared_ptr<const Fields> fields;

  static Type of(Kind kind) { return Type{kind, {}, {}, nullptr}; }
  static Type list(Type item) { return Type{Kind::kList, {}, {std::move(item)}, nullptr}; }
  static Type map(Type key, Type value) { return Type{Kind::kMap, {}, {std::move(key), std::move(value)}, nullptr}; }
  static Type object(std::string name, Fields fields) {
    return Type{Kind::kObject, std::move(name), {}, std::make_shared<const Fields>(std::move(fields))};
  }
  static Type opaque(std::string name) { return Type{Kind::kOpaque, std::move(name), {}, nullptr}; }
  static Type optional(Type value) { return Type{Kind::kOpaque, "optional_type", {std::move(value)}, nullptr}; }
  /// From its name in declarations: "list<map<string,dyn>>", "net.IP"; single capitals are parameters.
  static Type parse(std::string_view text);

  bool is_dyn_or_error() const { return kind == Kind::kDyn || kind == Kind::kError; }
  bool is_optional() const { return kind == Kind::kOpaque && name == "optional_type"; }
  /// Names as in the language: "map(string, int)", "google.protobuf.Timestamp", "null_type".
  std::string declared() const;
  /// As messages of the checker show it: "timestamp", "null".
  std::string shown() const;

  friend bool operator==(const Type& a, const Type& b) { return a.kind == b.kind && a.name == b.name && a.params == b.params; }
};

}  // namespace orrery::api::cel
