#include "engine/api/cel/evaluator.h"

#include <cmath>

#include "engine/api/cel/functions.h"

namespace orrery::api::cel {
namespace {

using Kind = Expression::Kind;

Result<Value> boolean(bool value) { return Value::of(Json(value)); }

Status spent() { return Status(Code::kTooManyRequests, "operation cancelled: actual cost limit exceeded"); }

/// Keys of maps as JSON has them.
std::string key_text(const Value& key) { return key.is_string() ? std::string(key.string()) : key.json->dump(); }

Result<Value> whole(std::string_view op, int64_t a, int64_t b) {
  int64_t out = 0;
  bool overflow = false;
  if (op == "+") overflow = __builtin_add_overflow(a, b, &out);
  if (op == "-") overflow = __builtin_sub_overflow(a, b, &out);
  if (op == "*") overflow = __builtin_mul_overflow(a, b, &out);
  if (op == "/" || op == "%") {
    if (b == 0) return bad_request(op == "/" ? "division by zero" : "modulus by zero");
    overflow = a == INT64_MIN && b == -1;
    if (!overflow) out = op == "/" ? a / b : a % b;
  }
  if (overflow) return bad_request("integer overflow");
  return Value::of(Json(out));
}

Result<Value> arithmetic(std::string_view op, const Value& a, const Value& b) {
  if (a.is_int() && b.is_int()) return whole(op, a.json->as_int(), b.json->as_int());
  if (a.is_number() && b.is_number() && op != "%") {
    const double x = a.json->as_double(), y = b.json->as_double();
    return Value::of(Json(op == "+" ? x + y : op == "-" ? x - y : op == "*" ? x * y : x / y));
  }
  if (op == "+" && a.is_string() && b.is_string()) return Value::of(Json(str_cat(a.string(), b.string())));
  if (op == "+" && a.is_list() && b.is_list()) {
    Json out = *a.json;
    for (const Json& item : b.json->items()) out.push_back(item);
    return Value::of(std::move(out));
  }
  const bool a_time = a.kind == Value::Kind::kTimestamp, b_time = b.kind == Value::Kind::kTimestamp;
  const bool a_span = a.kind == Value::Kind::kDuration, b_span = b.kind == Value::Kind::kDuration;
  if (op == "+" && (a_time || a_span) && (b_time || b_span) && !(a_time && b_time))
    return a_time || b_time ? Value::timestamp(a.ns + b.ns) : Value::duration(a.ns + b.ns);
  if (op == "-" && a_time && b_time) return Value::duration(a.ns - b.ns);
  if (op == "-" && (a_time || a_span) && b_span) return a_time ? Value::timestamp(a.ns - b.ns) : Value::duration(a.ns - b.ns);
  return no_overload(op);
}

Result<Value> contained(const Value& item, const Value& in) {
  if (in.is_map()) return boolean(item.is_json() && in.json->find(key_text(item)) != nullptr);
  if (!in.is_list()) return no_overload("in");
  for (const Json& each : in.json->items())
    if (equal(item, in.part(each))) return boolean(true);
  return boolean(false);
}

Result<Value> relation(std::string_view op, const Value& a, const Value& b) {
  if (op == "==") return boolean(equal(a, b));
  if (op == "!=") return boolean(!equal(a, b));
  if (op == "in") return contained(a, b);
  int order = 0;
  if (!compare(a, b, &order)) return no_overload(op);
  if (op == "<") return boolean(order < 0);
  if (op == "<=") return boolean(order <= 0);
  if (op == ">") return boolean(order > 0);
  return boolean(order >= 0);
}

int64_t cost_of(const Value& value) {
  constexpr int64_t kBytesPerStep = 10;
  if (value.is_string()) return static_cast<int64_t>(value.string().size()) / kBytesPerStep;
  return value.is_list() || value.is_map() ? static_cast<int64_t>(value.json->size()) : 0;
}

class Evaluator {
 public:
  Evaluator(std::vector<Variable> variables, Budget& budget) : variables_(std::move(variables)), budget_(budget) {}

  Result<Value> run(const Expression& e) {
    if (!budget_.spend(1)) return spent();
    switch (e.kind) {
      case Kind::kLiteral: return Value::view(e.value);
      case Kind::kName: return name(e);
      case Kind::kSelect: return select(e);
      case Kind::kHas: return has(e);
      case Kind::kIndex: return index(e);
      case Kind::kCall: return call(e);
      case Kind::kMethod: return method(e);
      case Kind::kUnary: return unary(e);
      case Kind::kBinary: return binary(e);
      case Kind::kTernary: return ternary(e);
      case Kind::kList: return list(e);
      case Kind::kMap: return map(e);
      case Kind::kMacro: return macro(e);
    }
    return no_overload("");
  }

 private:
  Result<Value> name(const Expression& e) {
    for (size_t i = variables_.size(); i-- > 0;)
      if (variables_[i].name == e.text) return variables_[i].value;
    static constexpr std::string_view kTypes[] = {"bool", "bytes", "double", "int", "list", "map", "null_type", "string", "type", "uint"};
    for (const std::string_view type : kTypes)
      if (type == e.text) return Value::type_named(type);
    return bad_request(str_cat("undeclared reference to '", e.text, "' (in container '')"));
  }

  Result<Value> select(const Expression& e) {
    ORRERY_ASSIGN(Value object, run(*e.args[0]));
    if (!object.is_map()) return bad_request(str_cat("no such key: ", e.text));
    const std::string member = unescaped_name(e.text);
    const Json* found = object.json->find(member);
    if (!found) return bad_request(str_cat("no such key: ", member));
    return object.part(*found);
  }

  Result<Value> has(const Expression& e) {
    ORRERY_ASSIGN(Value object, run(*e.args[0]));
    if (!object.is_map()) return bad_request(str_cat("no such key: ", e.text));
    return boolean(object.json->find(unescaped_name(e.text)) != nullptr);
  }

  Result<Value> index(const Expression& e) {
    ORRERY_ASSIGN(Value object, run(*e.args[0]));
    ORRERY_ASSIGN(Value key, run(*e.args[1]));
    if (object.is_map() && key.is_json()) {
      const Json* found = object.json->find(key_text(key));
      if (found) return object.part(*found);
      return bad_request(str_cat("no such key: ", key_text(key)));
    }
    if (!object.is_list() || !key.is_number()) return no_overload("_[_]");
    const int64_t at = key.is_int() ? key.json->as_int() : static_cast<int64_t>(key.json->as_double());
    if (at < 0 || static_cast<size_t>(at) >= object.json->size()) return bad_request(str_cat("index out of bounds: ", at));
    return object.part((*object.json)[static_cast<size_t>(at)]);
  }

  Result<std::vector<Value>> arguments(const Expression& e) {
    std::vector<Value> args;
    int64_t cost = 0;
    for (const auto& arg : e.args) {
      ORRERY_ASSIGN(Value value, run(*arg));
      cost += cost_of(value);
      args.push_back(std::move(value));
    }
    if (!budget_.spend(cost)) return spent();
    return args;
  }
  Result<Value> call(const Expression& e) {
    ORRERY_ASSIGN(std::vector<Value> args, arguments(e));
    return call_function(e.text, args);
  }
  Result<Value> method(const Expression& e) {
    // Names with dots are functions of a library.
    if (e.args[0]->kind == Kind::kName && (e.args[0]->text == "optional" || e.args[0]->text == "sets")) {
      std::vector<Value> args;
      for (size_t i = 1; i < e.args.size(); ++i) {
        ORRERY_ASSIGN(Value value, run(*e.args[i]));
        args.push_back(std::move(value));
      }
      return call_function(str_cat(e.args[0]->text, ".", e.text), args);
    }
    ORRERY_ASSIGN(std::vector<Value> args, arguments(e));
    return call_method(e.text, args);
  }

  Result<Value> unary(const Expression& e) {
    ORRERY_ASSIGN(Value value, run(*e.args[0]));
    if (e.text == "!") return value.is_bool() ? boolean(!value.json->as_bool()) : Result<Value>(no_overload("!_"));
    if (value.is_int()) return whole("-", 0, value.json->as_int());
    if (value.is_double()) return Value::of(Json(-value.json->as_double()));
    return no_overload("-_");
  }

  // Either side may decide; what fails then does not matter.
  Result<Value> logic(const Expression& e) {
    const bool decisive = e.text == "||";
    Result<Value> left = run(*e.args[0]);
    if (left.is_ok() && left->is_bool() && left->is_true() == decisive) return left;
    Result<Value> right = run(*e.args[1]);
    if (right.is_ok() && right->is_bool() && right->is_true() == decisive) return right;
    if (!left.is_ok()) return left;
    if (!right.is_ok()) return right;
    if (!left->is_bool() || !right->is_bool()) return no_overload(e.text);
    return boolean(!decisive);
  }
  Result<Value> binary(const Expression& e) {
    if (e.text == "||" || e.text == "&&") return logic(e);
    ORRERY_ASSIGN(Value left, run(*e.args[0]));
    ORRERY_ASSIGN(Value right, run(*e.args[1]));
    if (!budget_.spend(cost_of(left) + cost_of(right))) return spent();
    const bool computes = e.text == "+" || e.text == "-" || e.text == "*" || e.text == "/" || e.text == "%";
    return computes ? arithmetic(e.text, left, right) : relation(e.text, left, right);
  }
  Result<Value> ternary(const Expression& e) {
    ORRERY_ASSIGN(Value condition, run(*e.args[0]));
    if (!condition.is_bool()) return no_overload("_?_:_");
    return run(*e.args[condition.is_true() ? 1 : 2]);
  }

  Result<Value> list(const Expression& e) {
    Json out = Json::array();
    for (const auto& arg : e.args) {
      ORRERY_ASSIGN(Value value, run(*arg));
      if (!value.is_json()) return no_overload("[]");
      out.push_back(*value.json);
    }
    return Value::of(std::move(out));
  }
  Result<Value> map(const Expression& e) {
    Json out = Json::object();
    for (size_t i = 0; i + 1 < e.args.size(); i += 2) {
      ORRERY_ASSIGN(Value key, run(*e.args[i]));
      ORRERY_ASSIGN(Value value, run(*e.args[i + 1]));
      if (!key.is_json() || !value.is_json()) return no_overload("{}");
      out.set(key_text(key), *value.json);
    }
    return Value::of(std::move(out));
  }

  // The items of a list, or the keys of a map.
  static std::vector<Value> range_of(const Value& value) {
    std::vector<Value> out;
    if (value.is_list())
      for (const Json& item : value.json->items()) out.push_back(value.part(item));
    if (value.is_map())
      for (const Json::Member& member : value.json->members()) out.push_back(Value::of(Json(member.key)));
    return out;
  }
  Result<Value> with(const Expression& e, const Value& item, const Expression& body) {
    variables_.push_back({e.variable, item});
    Result<Value> out = run(body);
    variables_.pop_back();
    return out;
  }
  Result<Value> macro(const Expression& e) {
    ORRERY_ASSIGN(Value over, run(*e.args[0]));
    if (!over.is_list() && !over.is_map()) return no_overload(e.text);
    const std::vector<Value> range = range_of(over);
    if (e.text == "all" || e.text == "exists") return quantified(e, range);
    if (e.text == "exists_one") return exists_one(e, range);
    return collected(e, range);
  }
  Result<Value> quantified(const Expression& e, const std::vector<Value>& range) {
    const bool decisive = e.text == "exists";
    Status failure;
    for (const Value& item : range) {
      Result<Value> holds = with(e, item, *e.args[1]);
      if (holds.is_ok() && !holds->is_bool()) holds = no_overload(e.text);
      if (!holds.is_ok()) {
        if (holds.status().code() == Code::kTooManyRequests) return holds;
        failure = holds.status();
      } else if (holds->is_true() == decisive) {
        return boolean(decisive);
      }
    }
    return failure.is_ok() ? boolean(!decisive) : Result<Value>(failure);
  }
  Result<Value> exists_one(const Expression& e, const std::vector<Value>& range) {
    int count = 0;
    for (const Value& item : range) {
      ORRERY_ASSIGN(Value holds, with(e, item, *e.args[1]));
      if (holds.is_true()) ++count;
    }
    return boolean(count == 1);
  }
  // filter, and map with and without a condition.
  Result<Value> collected(const Expression& e, const std::vector<Value>& range) {
    Json out = Json::array();
    const bool conditional = e.text == "filter" || e.args.size() == 3;
    for (const Value& item : range) {
      if (conditional) {
        ORRERY_ASSIGN(Value keep, with(e, item, *e.args[1]));
        if (!keep.is_true()) continue;
      }
      Value made = item;
      if (e.text == "map") {
        ORRERY_ASSIGN(Value mapped, with(e, item, *e.args.back()));
        made = std::move(mapped);
      }
      if (!made.is_json()) return no_overload(e.text);
      out.push_back(*made.json);
    }
    return Value::of(std::move(out));
  }

  std::vector<Variable> variables_;
  Budget& budget_;
};

}  // namespace

Result<Value> evaluate(const Expression& expression, const std::vector<Variable>& variables, Budget& budget) {
  return Evaluator(variables, budget).run(expression);
}

std::string unescaped_name(std::string_view identifier) {
  static constexpr std::pair<std::string_view, std::string_view> kEscapes[] = {
      {"__underscores__", "__"}, {"__dot__", "."}, {"__dash__", "-"}, {"__slash__", "/"}};
  if (identifier.find("__") == identifier.npos) return std::string(identifier);
  static constexpr std::string_view kReserved[] = {"true", "false", "null", "in", "as", "break", "const", "continue", "else", "for",
                                                   "function", "if", "import", "let", "loop", "package", "namespace", "return"};
  for (const std::string_view word : kReserved)
    if (identifier == str_cat("__", word, "__")) return std::string(word);
  std::string out;
  while (!identifier.empty()) {
    bool found = false;
    for (const auto& [escape, text] : kEscapes) {
      if (found || !identifier.starts_with(escape)) continue;
      out += text;
      identifier.remove_prefix(escape.size());
      found = true;
    }
    if (found) continue;
    out += identifier.front();
    identifier.remove_prefix(1);
  }
  return out;
}

}  // namespace orrery::api::cel
