#include "engine/api/cel/functions.h"
#include "engine/api/cel/operators.h"

namespace orrery::api::cel {
namespace {

Result<Value> joined(const Value& list, std::string_view by) {
  std::string out;
  for (size_t i = 0; i < list.size(); ++i) {
    const Value item = list.at(i);
    if (!item.is_string()) return no_overload("join");
    if (i > 0) out += by;
    out += item.string();
  }
  return Value::string_of(std::move(out));
}

Result<Value> sum(const Value& list) {
  if (list.size() == 0) return Value::integer(0);
  Value total = list.at(0);
  for (size_t i = 1; i < list.size(); ++i) {
    ORRERY_ASSIGN(Value next, apply_binary("+", total, list.at(i)));
    total = std::move(next);
  }
  return total;
}

// `sign` -1: the least, 1: the greatest.
Result<Value> extreme(const Value& list, int sign) {
  const std::string_view name = sign < 0 ? "min" : "max";
  if (list.size() == 0) return bad_request(str_cat(name, " called on empty list"));
  Value best = list.at(0);
  for (size_t i = 1; i < list.size(); ++i) {
    int order = 0;
    const Value candidate = list.at(i);
    if (!compare(candidate, best, &order)) return no_overload(name);
    if (order * sign > 0) best = candidate;
  }
  return best;
}

Result<Value> sorted(const Value& list) {
  for (size_t i = 1; i < list.size(); ++i) {
    int order = 0;
    if (!compare(list.at(i - 1), list.at(i), &order)) return no_overload("isSorted");
    if (order > 0) return Value::flag(false);
  }
  return Value::flag(true);
}

Result<Value> place(const Value& list, const Value& item, bool last) {
  int64_t found = -1;
  for (size_t i = 0; i < list.size(); ++i)
    if ((last || found < 0) && equal(list.at(i), item)) found = static_cast<int64_t>(i);
  return Value::integer(found);
}

}  // namespace

Result<Value> list_method(std::string_view name, const std::vector<Value>& args) {
  const Value& list = args[0];
  if (args.size() == 2 && (name == "indexOf" || name == "lastIndexOf")) return place(list, args[1], name == "lastIndexOf");
  if (name == "join" && args.size() == 2 && args[1].is_string()) return joined(list, args[1].string());
  if (args.size() != 1) return no_overload(name);
  if (name == "join") return joined(list, "");
  if (name == "sum") return sum(list);
  if (name == "min") return extreme(list, -1);
  if (name == "max") return extreme(list, 1);
  if (name == "isSorted") return sorted(list);
  return no_overload(name);
}

}  // namespace orrery::api::cel
