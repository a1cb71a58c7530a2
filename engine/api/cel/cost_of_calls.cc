#include "engine/api/cel/cost_of_calls.h"

#include <algorithm>
#include <cmath>

#include "engine/base/str.h"

namespace orrery::api::cel {
namespace {

constexpr double kTextFactor = 0.1, kRegexFactor = 0.25;
constexpr uint64_t kCheckCost = 350'000;  // so that an expression may ask for access twice
constexpr Size kAddressBytes{4, 16};

uint64_t scaled(uint64_t size, double factor) {
  const double out = std::ceil(static_cast<double>(size) * factor);
  return out >= 18446744073709551615.0 ? UINT64_MAX : static_cast<uint64_t>(out);
}

Size sum(Size a, Size b) { return {plus(a.min, b.min), plus(a.max, b.max)}; }
Size product(Size a, Size b) { return {times(a.min, b.min), times(a.max, b.max)}; }

// Without the rule for values of fixed size: as Kubernetes' own libraries look at it.
Size library_size(const Sized& value) {
  if (value.computed) return *value.computed;
  return value.declared.value_or(Size());
}

bool is_one_of(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_element_list(const Sized& value) { return !value.type.params.empty(); }

uint64_t regex_cost(Size text, Size regex) {
  return times(scaled(plus(text.max, 1), kTextFactor), scaled(regex.max, kRegexFactor));
}

CallCost traversal(const Sized& value) {
  const Size size = library_size(value);
  if (!is_element_list(value)) return {scaled(size.max, kTextFactor), {}};
  uint64_t each = 1;
  const Type::Kind kind = value.type.params[0].kind;
  if (kind == Type::Kind::kString || kind == Type::Kind::kBytes) each = plus(each, scaled(value.item.value_or(Size()).max, kTextFactor));
  return {times(size.max, each), {}};
}

CallCost replace(std::span<const Sized> args) {
  const Size text = library_size(args[0]), from = library_size(args[1]), to = library_size(args[2]);
  Size count{0, 0}, kept{0, 0};
  if (from.min == 0) {
    count.max = plus(text.max, 1);
    kept.max = text.max;
  } else if (to.max <= from.min) {
    kept.max = text.max;
  } else {
    count.max = scaled(text.max, 1.0 / static_cast<double>(from.min));
  }
  if (from.max == 0) {
    count.min = plus(text.min, 1);
    kept.min = text.min;
  } else if (from.max <= to.min) {
    kept.min = text.min;
  } else {
    count.min = scaled(text.min, 1.0 / static_cast<double>(from.max));
  }
  return {scaled(text.max, 2 * kTextFactor), sum(product(count, to), kept)};
}

CallCost split(std::span<const Sized> args) {
  const Size text = library_size(args[0]);
  Size pieces{0, text.max};
  if (args.size() > 2 && args[2].literal && args[2].literal->is_int()) pieces.max = static_cast<uint64_t>(args[2].literal->as_int());
  return {scaled(text.max, 2 * kTextFactor), pieces};
}

CallCost join(std::span<const Sized> args) {
  const Size list = library_size(args[0]);
  Size text = product(list, args[0].item.value_or(Size()));
  if (args.size() > 1) {
    const Size between{list.min > 0 ? list.min - 1 : 0, list.max > 0 ? list.max - 1 : 0};
    text = sum(text, product(library_size(args[1]), between));
  }
  return {scaled(text.max, kTextFactor), text};
}

CallCost contains_address(std::string_view function, std::string_view overload, std::span<const Sized> args) {
  uint64_t cost = scaled(2 * kAddressBytes.max, kTextFactor);
  if (function == "containsCIDR") cost += scaled(kAddressBytes.max, kTextFactor) + 1;
  const bool reads = overload.find(",string") != std::string_view::npos;
  return {reads ? plus(cost, scaled(library_size(args[1]).max, kTextFactor)) : cost, {}};
}

std::optional<CallCost> library_call(std::string_view function, std::string_view overload, std::span<const Sized> args) {
  if (function == "check") return CallCost{kCheckCost, {}};
  if (args.empty()) return std::nullopt;
  const uint64_t first = library_size(args[0]).max;
  if (is_one_of(function, {"isSorted", "sum", "max", "min", "indexOf", "lastIndexOf"})) return traversal(args[0]);
  if (is_one_of(function, {"url", "lowerAscii", "upperAscii", "substring", "trim"})) return CallCost{scaled(first, kTextFactor), library_size(args[0])};
  if (function == "replace") return replace(args);
  if (function == "split") return split(args);
  if (function == "join") return join(args);
  if (function == "find" || function == "findAll")
    return CallCost{regex_cost(library_size(args[0]), library_size(args[1])), Size{0, first}};
  if (function == "ip" && overload.starts_with('.')) return std::nullopt;
  if (is_one_of(function, {"cidr", "isIP", "isCIDR", "quantity", "isQuantity", "ip"})) return CallCost{scaled(first, kTextFactor), {}};
  if (function == "ip.isCanonical") return CallCost{scaled(first, 2 * kTextFactor), {}};
  if (function == "containsIP" || function == "containsCIDR") return contains_address(function, overload, args);
  constexpr double kNameRegexBytes = 128;
  if (function == "validate")
    return CallCost{scaled(scaled(library_size(args[1]).max, kTextFactor), kNameRegexBytes * kRegexFactor), {}};
  return std::nullopt;
}

// Equality of what libraries bring along costs little.
std::optional<CallCost> library_equality(std::span<const Sized> args) {
  if (!(args[0].type == args[1].type)) return std::nullopt;
  const std::string_view name = args[0].type.name;
  constexpr uint64_t kFormatMax = 64;
  if (is_one_of(name, {"net.IP", "net.CIDR", "kubernetes.Quantity"}) || name.starts_with("kubernetes.authorization.")) return CallCost{1, {}};
  if (name == "kubernetes.NamedFormat") return CallCost{scaled(kFormatMax, kTextFactor), {}};
  if (name == "kubernetes.URL") return CallCost{scaled(args[1].computed.value_or(Size{1, 1}).max, kTextFactor), {}};
  return std::nullopt;
}

CallCost set_call(std::string_view function, std::span<const Sized> args) {
  const uint64_t pairs = times(library_size(args[0]).max, library_size(args[1]).max);
  return {plus(scaled(pairs, function == "sets.equivalent" ? 2 : 1), 1), {}};
}

CallCost addition(std::string_view overload, std::span<const Sized> args) {
  const Size size = sum(known_size(args[0]), known_size(args[1]));
  if (overload.starts_with("list<")) return {1, size};
  if (overload.starts_with("string,") || overload.starts_with("bytes,")) return {scaled(size.max, kTextFactor), size};
  return {1, {}};
}

CallCost conversion(std::string_view function, std::string_view overload, const Sized& arg) {
  const Size size = known_size(arg);
  const uint64_t cost = scaled(size.max, kTextFactor);
  if (function == "bytes" && overload.starts_with("string:")) return {cost, Size{size.min, times(size.max, 4)}};
  if (function == "string" && overload.starts_with("bytes:")) return {cost, Size{size.min / 4, size.max}};
  if (function == "strings.quote") return {cost, Size{size.min + 2, plus(times(size.max, 2), 2)}};
  return {1, {}};
}

CallCost comparison(std::span<const Sized> args) { return {scaled(std::min(known_size(args[0]).max, known_size(args[1]).max), kTextFactor), {}}; }

}  // namespace

Size known_size(const Sized& value) {
  if (value.computed) return *value.computed;
  if (value.declared) return *value.declared;
  switch (value.type.kind) {
    case Type::Kind::kBool:
    case Type::Kind::kInt:
    case Type::Kind::kUint:
    case Type::Kind::kDouble:
    case Type::Kind::kDuration:
    case Type::Kind::kTimestamp: return {1, 1};
    default: return {};
  }
}

CallCost cost_of_call(std::string_view function, std::string_view overload, std::span<const Sized> args) {
  if (auto own = library_call(function, overload, args)) return *own;
  if (function.starts_with("sets.")) return set_call(function, args);
  if (function == "_==_")
    if (auto own = library_equality(args)) return *own;
  if (function == "_==_" || function == "_!=_") return comparison(args);
  const bool of_texts = overload.starts_with("string,string:") || overload.starts_with("bytes,bytes:");
  if (of_texts && is_one_of(function, {"_<_", "_<=_", "_>_", "_>=_"})) return comparison(args);
  if (function == "_+_") return addition(overload, args);
  if (function == "@in" && overload.find("list<") != std::string_view::npos) return {known_size(args[1]).max, {}};
  if (function == "startsWith" || function == "endsWith") return {scaled(known_size(args[1]).max, kTextFactor), {}};
  if (function == "matches" && overload.starts_with('.')) return {regex_cost(known_size(args[0]), known_size(args[1])), {}};
  if (function == "contains") return {times(scaled(known_size(args[0]).max, kTextFactor), scaled(known_size(args[1]).max, kTextFactor)), {}};
  if (function == "format") return {scaled(known_size(args[0]).max, kTextFactor), {}};
  if (function == "bytes" || function == "string" || function == "strings.quote") return conversion(function, overload, args[0]);
  return {1, {}};
}

}  // namespace orrery::api::cel
