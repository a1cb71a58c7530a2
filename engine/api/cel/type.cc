#include "engine/api/cel/type.h"

#include <iterator>

namespace orrery::api::cel {
namespace {

using Kind = Type::Kind;

struct Name {
  Kind kind;
  std::string_view declared, shown;
};
constexpr Name kNames[] = {
    {Kind::kDyn, "dyn", "dyn"},
    {Kind::kError, "*error*", "!error!"},
    {Kind::kNull, "null_type", "null"},
    {Kind::kBool, "bool", "bool"},
    {Kind::kInt, "int", "int"},
    {Kind::kUint, "uint", "uint"},
    {Kind::kDouble, "double", "double"},
    {Kind::kString, "string", "string"},
    {Kind::kBytes, "bytes", "bytes"},
    {Kind::kDuration, "google.protobuf.Duration", "duration"},
    {Kind::kTimestamp, "google.protobuf.Timestamp", "timestamp"},
    {Kind::kList, "list", "list"},
    {Kind::kMap, "map", "map"},
    {Kind::kType, "type", "type"},
};

std::string written(const Type& type, std::string_view Name::* style) {
  std::string out = type.name;
  for (const Name& name : kNames)
    if (name.kind == type.kind) out = name.*style;
  if (type.params.empty()) return out;
  for (size_t i = 0; i < type.params.size(); ++i) {
    out += i == 0 ? "(" : ", ";
    out += written(type.params[i], style);
  }
  return out + ")";
}

/// Reads one type off the front.
Type read(std::string_view& text) {
  const size_t end = std::min(text.find_first_of("<,>"), text.size());
  Type type = Type::opaque(std::string(text.substr(0, end)));
  text.remove_prefix(end);
  for (const Name& name : kNames)
    if (name.declared == type.name || name.shown == type.name) type = Type::of(name.kind);
  if (type.name.size() == 1) type.kind = Kind::kParam;
  if (!text.starts_with('<')) return type;
  do {
    text.remove_prefix(1);
    type.params.push_back(read(text));
  } while (text.starts_with(','));
  text.remove_prefix(1);
  return type;
}

}  // namespace

Type Type::parse(std::string_view text) { return read(text); }

std::string Type::declared() const { return written(*this, &Name::declared); }

std::string Type::shown() const { return written(*this, &Name::shown); }

}  // namespace orrery::api::cel
