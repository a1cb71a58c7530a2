#include "engine/api/cel/cost.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <vector>

namespace orrery::api::cel {
namespace {

using Kind = Expression::Kind;

// Requests are not larger. Source: Kubernetes v1.32 apiserver/pkg/cel/limits.go.
constexpr uint64_t kRequestBytesMax = 3 << 20;
constexpr double kTextFactor = 0.1, kRegexFactor = 0.25;
constexpr uint64_t kListCost = 10, kMapCost = 30;


// The bytes that a value takes at least.
uint64_t bytes_min(const Json& schema) {
  const std::string_view type = schema["type"].text();
  if (schema.find("x-kubernetes-int-or-string")) return 1;
  if (type == "boolean") return 4;
  if (type == "integer" || type == "number") return 1;
  if (type != "object") return 2;
  uint64_t size = 2;
  for (const Json& name : schema["required"].items()) {
    const Json* property = schema["properties"].find(name.text());
    if (property && !property->find("default")) size += name.text().size() + bytes_min(*property) + 4;
  }
  return size;
}

uint64_t scaled(uint64_t size, double factor) {
  const double out = std::ceil(static_cast<double>(size) * factor);
  return out >= 18446744073709551615.0 ? UINT64_MAX : static_cast<uint64_t>(out);
}

/// What is known of a value: its schema, and its size where it has one.
struct Known {
  const Json* schema = nullptr;
  uint64_t size = 1;
  static Known of(const Json& schema) { return {&schema, size_max(schema)}; }
};

class Estimator {
 public:
  explicit Estimator(const Json& self) : self_(self) {}

  uint64_t run(const Expression& e, Known& out) {
    switch (e.kind) {
      case Kind::kLiteral:
        out.size = e.value.is_string() ? e.value.as_string().size() : 1;
        return 0;
      case Kind::kName: return out = named(e.text), 1;
      case Kind::kSelect:
      case Kind::kHas: return select(e, out);
      case Kind::kIndex: return index(e, out);
      case Kind::kTernary: return ternary(e, out);
      case Kind::kList: return out.size = e.args.size(), plus(kListCost, of_args(e).cost);
      case Kind::kMap: return out.size = e.args.size() / 2, plus(kMapCost, of_args(e).cost);
      case Kind::kMacro: return macro(e, out);
      default: return call(e, out);
    }
  }

 private:
  struct Args {
    uint64_t cost = 0;
    std::vector<Known> known;
    uint64_t size(size_t i) const { return i < known.size() ? known[i].size : 1; }
  };
  Args of_args(const Expression& e) {
    Args args;
    for (const auto& arg : e.args) {
      args.known.emplace_back();
      args.cost = plus(args.cost, run(*arg, args.known.back()));
    }
    return args;
  }

  Known named(const std::string& name) const {
    const auto found = locals_.find(name);
    if (found != locals_.end()) return found->second;
    return name == "self" || name == "oldSelf" ? Known::of(self_) : Known();
  }
  uint64_t select(const Expression& e, Known& out) {
    Known object;
    const uint64_t cost = run(*e.args[0], object);
    if (e.kind == Kind::kHas) return cost;
    out = below(object, e.text);
    return plus(cost, 1);
  }
  static Known below(const Known& object, std::string_view name) {
    if (!object.schema) return {};
    if (const Json* property = (*object.schema)["properties"].find(name)) return Known::of(*property);
    const Json& others = (*object.schema)["additionalProperties"];
    return others.is_object() ? Known::of(others) : Known();
  }
  static Known item_of(const Known& container) {
    if (!container.schema) return {};
    const Json &items = (*container.schema)["items"], &others = (*container.schema)["additionalProperties"];
    return items.is_object() ? Known::of(items) : others.is_object() ? Known::of(others) : Known();
  }
  uint64_t index(const Expression& e, Known& out) {
    const Args args = of_args(e);
    out = item_of(args.known[0]);
    return plus(args.cost, 1);
  }
  uint64_t ternary(const Expression& e, Known& out) {
    Known condition, no;
    const uint64_t first = run(*e.args[0], condition), yes_cost = run(*e.args[1], out), no_cost = run(*e.args[2], no);
    out.size = std::max(out.size, no.size);
    return plus(first, std::max(yes_cost, no_cost));
  }

  uint64_t macro(const Expression& e, Known& out) {
    Known over;
    uint64_t cost = run(*e.args[0], over);
    const bool is_map = over.schema && (*over.schema)["type"].text() == "object";
    const auto hidden = locals_.find(e.variable) == locals_.end() ? std::nullopt : std::optional<Known>(locals_.at(e.variable));
    locals_[e.variable] = is_map ? Known{nullptr, kRequestBytesMax} : item_of(over);
    uint64_t body = 0;
    Known result;
    for (size_t i = 1; i < e.args.size(); ++i) body = plus(body, run(*e.args[i], result));
    if (hidden) locals_[e.variable] = *hidden;
    else locals_.erase(e.variable);
    // What going round costs besides: conditions, and lists that grow.
    const bool collects = e.text == "map" || e.text == "filter";
    const uint64_t around = collects ? 2 + kListCost : e.text == "exists" ? 4 : 3;
    cost = plus(cost, plus(1 + (collects ? kListCost : 0), times(over.size, plus(body, around))));
    if (collects) out.size = over.size;
    if (e.text == "filter") out.schema = over.schema;
    return cost;
  }

  uint64_t call(const Expression& e, Known& out) {
    const Args args = of_args(e);
    if (e.kind == Kind::kBinary && (e.text == "&&" || e.text == "||")) return args.cost;
    return plus(args.cost, of_function(e.text, args, out));
  }
  static uint64_t of_function(std::string_view name, const Args& args, Known& out) {
    const uint64_t first = args.size(0), second = args.size(1);
    if (name == "contains") return times(scaled(first, kTextFactor), scaled(second, kTextFactor));
    if (name == "matches" || name == "find" || name == "findAll")
      return times(scaled(plus(first, 1), kTextFactor), std::max<uint64_t>(1, scaled(second, kRegexFactor)));
    if (name == "startsWith" || name == "endsWith") return scaled(second, kTextFactor);
    if (name == "in") return first == 1 ? second : times(second, scaled(first, kTextFactor));
    if (name == "==" || name == "!=") return std::max<uint64_t>(1, scaled(std::min(first, second), kTextFactor));
    if (name == "+") return out.size = plus(first, second), std::max<uint64_t>(1, scaled(out.size, kTextFactor));
    const bool rewrites = name == "lowerAscii" || name == "upperAscii" || name == "trim" || name == "substring" || name == "replace" ||
                          name == "split" || name == "join" || name == "url" || name == "quantity" || name == "isQuantity" ||
                          name == "isURL" || name == "ip" || name == "cidr" || name == "isIP" || name == "isCIDR";
    if (rewrites) return out.size = first, std::max<uint64_t>(1, scaled(first, kTextFactor));
    if (name == "isSorted" || name == "sum" || name == "max" || name == "min" || name == "indexOf" || name == "lastIndexOf") return first;
    if (name.starts_with("sets.")) return times(first, second);
    return 1;
  }

  const Json& self_;
  std::map<std::string, Known> locals_;
};

}  // namespace

uint64_t plus(uint64_t a, uint64_t b) {
  uint64_t out = 0;
  return __builtin_add_overflow(a, b, &out) ? UINT64_MAX : out;
}

uint64_t times(uint64_t a, uint64_t b) {
  uint64_t out = 0;
  return __builtin_mul_overflow(a, b, &out) ? UINT64_MAX : out;
}

uint64_t size_max(const Json& schema) {
  const std::string_view type = schema["type"].text();
  const auto limit = [&](const char* name, uint64_t otherwise) {
    return schema[name].is_int() ? static_cast<uint64_t>(std::max<int64_t>(0, schema[name].as_int())) : otherwise;
  };
  if (type == "array") return limit("maxItems", (kRequestBytesMax - 2) / (bytes_min(schema["items"]) + 1));
  if (type == "object" && schema["additionalProperties"].is_object())
    return limit("maxProperties", (kRequestBytesMax - 2) / (bytes_min(schema["additionalProperties"]) + 6));
  if (type != "string") return 1;
  uint64_t longest = 0;
  for (const Json& allowed : schema["enum"].items()) longest = std::max<uint64_t>(longest, allowed.text().size());
  if (longest > 0) return longest;
  // Characters may take four bytes.
  return schema["maxLength"].is_int() ? times(4, limit("maxLength", 0)) : kRequestBytesMax - 2;
}

uint64_t estimated_cost(const Expression& expression, const Json& self_schema) {
  Known result;
  return Estimator(self_schema).run(expression, result);
}

}  // namespace orrery::api::cel
