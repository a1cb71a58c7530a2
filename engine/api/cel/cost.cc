#include "engine/api/cel/cost.h"

#include <algorithm>
#include <map>
#include <optional>
#include <vector>

#include "engine/api/cel/cost_of_calls.h"
#include "engine/api/cel/declarations.h"
#include "engine/api/cel/typed_json.h"

namespace orrery::api::cel {
namespace {

using Kind = Expression::Kind;
using Way = std::optional<std::vector<std::string>>;  // how to get there from a name; the name itself does not count

constexpr uint64_t kListCost = 10, kMapCost = 30;

/// The schemas of what paths lead to.
class Places {
 public:
  Places(const Json& self, bool root) : self_(self), root_(root) {
    text_.set("type", "string");
    metadata_.set("type", "object");
    Json& members = metadata_.set("properties", Json::object());
    members.set("name", text_);
    members.set("generateName", text_);
  }

  std::optional<Size> size(const Way& way) const {
    if (!way || way->empty()) return std::nullopt;
    const Json* at = &self_;
    bool resource = root_;
    for (size_t i = 1; i < way->size(); ++i) {
      if ((*way)[i] == "@keys") return is_map(*at) && i + 1 == way->size() ? std::optional<Size>(Size{0, 0}) : std::nullopt;
      at = step(*at, (*way)[i], resource);
      if (!at) return std::nullopt;
      resource = (*at)["x-kubernetes-embedded-resource"].is_true();
    }
    return Size{0, size_max(*at)};
  }

 private:
  static bool is_map(const Json& schema) { return schema["type"].text() == "object" && schema["additionalProperties"].is_object(); }
  const Json* step(const Json& schema, std::string_view name, bool resource) const {
    const bool list = schema["type"].text() == "array" && schema["items"].is_object(), map = is_map(schema);
    if (name == "@items" || name == "@values") return list ? &schema["items"] : map ? &schema["additionalProperties"] : nullptr;
    if (map || schema["type"].text() != "object") return nullptr;
    if (resource && (name == "apiVersion" || name == "kind")) return &text_;
    if (resource && name == "metadata") return &metadata_;
    const std::string member = unescaped_name(name);
    return escaped_name(member) == name ? schema["properties"].find(member) : nullptr;
  }

  const Json& self_;
  bool root_;
  Json text_ = Json::object(), metadata_ = Json::object();
};

class Estimator {
 public:
  Estimator(const CheckedParts& parts, const Json& self, bool root) : parts_(parts), places_(self, root) {}

  struct Known {
    uint64_t cost = 0;
    Way way;
    std::optional<Size> computed;
  };

  Known run(const Expression& e) {
    switch (e.kind) {
      case Kind::kLiteral: return literal(e);
      case Kind::kName: return {1, way_of_name(e.text), {}};
      case Kind::kSelect:
      case Kind::kHas: return select(e);
      case Kind::kList: return collection(e, kListCost, e.args.size());
      case Kind::kMap: return collection(e, kMapCost, e.args.size() / 2);
      case Kind::kMacro: return e.text.starts_with("opt") ? optional_macro(e) : macro(e);
      default: return call(e);
    }
  }

 private:
  const Checked& part(const Expression& e) const {
    static const Checked kNothing;
    const auto found = parts_.find(&e);
    return found == parts_.end() ? kNothing : found->second;
  }

  static Known literal(const Expression& e) {
    Known out;
    if (e.value.is_string()) out.computed = Size{e.value.text().size(), e.value.text().size()};
    else out.computed = Size{1, 1};
    return out;
  }
  Way way_of_name(const std::string& name) const {
    const auto found = locals_.find(name);
    return found == locals_.end() ? Way({name}) : found->second;
  }
  Known collection(const Expression& e, uint64_t base, size_t count) {
    Known out{base, {}, Size{count, count}};
    for (const auto& arg : e.args) out.cost = plus(out.cost, run(*arg).cost);
    return out;
  }
  static Way below(const Way& way, std::string name) {
    Way out = way ? way : Way(std::in_place);
    out->push_back(std::move(name));
    return out;
  }
  Known select(const Expression& e) {
    const Known object = run(*e.args[0]);
    if (e.kind == Kind::kHas) return {object.cost, {}, {}};
    if (e.is_optional) return {plus(object.cost, 1), {}, {}};
    const Type::Kind kind = part(*e.args[0]).type.kind;
    const bool counts = kind == Type::Kind::kMap || kind == Type::Kind::kObject || kind == Type::Kind::kParam;
    return {plus(object.cost, counts), below(object.way, e.text), {}};
  }

  Sized sized(const Expression& e, const Known& known) const {
    Sized out{part(e).type, known.computed, places_.size(known.way), {}, nullptr};
    if (known.way) out.item = places_.size(below(known.way, "@items"));
    if (e.kind == Kind::kLiteral) out.literal = &e.value;
    return out;
  }

  // "sets.contains" is a function, though it looks like a method of a value.
  std::string function_of(const Expression& e, size_t* first) const {
    *first = 0;
    switch (e.kind) {
      case Kind::kIndex: return e.is_optional ? "_[?_]" : "_[_]";
      case Kind::kUnary: return operator_function(e.text, true);
      case Kind::kBinary: return operator_function(e.text, false);
      case Kind::kTernary: return "_?_:_";
      case Kind::kMethod: break;
      default: return e.text;
    }
    const Expression& target = *e.args[0];
    if (target.kind != Kind::kName || locals_.count(target.text) > 0) return e.text;
    const std::string whole = str_cat(target.text, ".", e.text);
    if (!find_function(whole)) return e.text;
    *first = 1;
    return whole;
  }

  Known call(const Expression& e) {
    size_t first = 0;
    const std::string function = function_of(e, &first);
    std::vector<Known> known;
    std::vector<Sized> args;
    Known out;
    for (size_t i = first; i < e.args.size(); ++i) {
      known.push_back(run(*e.args[i]));
      args.push_back(sized(*e.args[i], known.back()));
      out.cost = plus(out.cost, known.back().cost);
    }
    if (function == "_&&_" || function == "_||_") return out;
    if (function == "_?_:_") {
      const Size yes = known_size(args[1]), no = known_size(args[2]);
      return {plus(known[0].cost, std::max(known[1].cost, known[2].cost)), {}, Size{std::min(yes.min, no.min), std::max(yes.max, no.max)}};
    }
    uint64_t most = 0;
    for (const std::string_view overload : part(e).overloads) {
      const CallCost one = cost_of_call(function, overload, args);
      most = std::max(most, one.cost);
      if (one.result) out.computed = !out.computed ? *one.result : Size{std::min(out.computed->min, one.result->min), std::max(out.computed->max, one.result->max)};
      if (function == "_[_]" && overload.starts_with("list<")) out.way = below(known[0].way, "@items");
      if (function == "_[_]" && overload.starts_with("map<")) out.way = below(known[0].way, "@values");
    }
    out.cost = plus(out.cost, most);
    return out;
  }

  // Once around, without the body: the condition, and how the result grows.
  uint64_t around(const Expression& e, const std::vector<uint64_t>& bodies) {
    constexpr uint64_t kGrows = 1 + 1 + kListCost;  // result + [item]
    if (e.text == "all") return plus(2 + 1, bodies[0]);
    if (e.text == "exists") return plus(3 + 1, bodies[0]);
    if (e.text == "exists_one") return plus(bodies[0], 2);
    if (e.text == "filter") return plus(bodies[0], kGrows + 1);
    return bodies.size() == 1 ? plus(bodies[0], kGrows) : plus(bodies[0], plus(bodies[1], kGrows));
  }
  Known macro(const Expression& e) {
    const Known over = run(*e.args[0]);
    const Type::Kind kind = part(*e.args[0]).type.kind;
    const Way item = kind == Type::Kind::kList ? below(over.way, "@items") : kind == Type::Kind::kMap ? below(over.way, "@keys") : Way();
    const std::vector<uint64_t> bodies = within(e, item);
    const bool collects = e.text == "map" || e.text == "filter";
    const uint64_t before = collects ? kListCost : 0, after = e.text == "exists_one" ? 2 : 1;
    const Size rounds = known_size(sized(*e.args[0], over));
    return {plus(plus(over.cost, before + after), times(rounds.max, around(e, bodies))), {}, rounds};
  }
  // The costs of its bodies.
  std::vector<uint64_t> within(const Expression& e, const Way& item) {
    const auto outer = locals_.find(e.variable);
    const std::optional<Way> hidden = outer == locals_.end() ? std::nullopt : std::optional<Way>(outer->second);
    locals_[e.variable] = item;
    std::vector<uint64_t> bodies;
    for (size_t i = 1; i < e.args.size(); ++i) bodies.push_back(run(*e.args[i]).cost);
    if (hidden) locals_[e.variable] = *hidden;
    else locals_.erase(e.variable);
    return bodies;
  }
  // Whether there is a value, and what becomes of it, bound to the variable by a comprehension over nothing.
  Known optional_macro(const Expression& e) {
    const uint64_t target = plus(run(*e.args[0]).cost, 1);
    const uint64_t bound = plus(plus(target, kListCost), within(e, Way({e.variable}))[0]);
    return {plus(target, plus(bound, e.text == "optMap" ? 1 : 0)), {}, {}};
  }

  const CheckedParts& parts_;
  Places places_;
  std::map<std::string, Way> locals_;
};

}  // namespace

uint64_t estimated_cost(const Expression& expression, const CheckedParts& parts, const Json& self_schema, bool root) {
  return Estimator(parts, self_schema, root).run(expression).cost;
}

}  // namespace orrery::api::cel
