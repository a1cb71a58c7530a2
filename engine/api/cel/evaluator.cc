#include "engine/api/cel/evaluator.h"

#include "engine/api/cel/functions.h"
#include "engine/api/cel/operators.h"
#include "engine/api/cel/typed_json.h"

namespace orrery::api::cel {
namespace {

using Kind = Expression::Kind;

Status spent() { return Status(Code::kTooManyRequests, "operation cancelled: actual cost limit exceeded"); }

int64_t cost_of(const Value& value) {
  constexpr int64_t kBytesPerStep = 10;
  if (value.is_string()) return static_cast<int64_t>(value.string().size()) / kBytesPerStep;
  return value.is_list() || value.is_map() ? static_cast<int64_t>(value.size()) : 0;
}

bool is_missing(const Status& status) {
  return status.message().starts_with("no such key: ") || status.message().starts_with("index out of bounds: ");
}

class Evaluator {
 public:
  Evaluator(const std::vector<Variable>& variables, Budget& budget) : variables_(variables), budget_(budget) {}

  Result<Value> run(const Expression& e) {
    if (!budget_.spend(1)) return spent();
    switch (e.kind) {
      case Kind::kLiteral: return literal(e);
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
  static Result<Value> literal(const Expression& e) {
    if (e.is_unsigned) return Value::uint(e.value.as_uint());
    return e.is_bytes ? Value::bytes(e.value.as_string().str()) : Value::of(e.value);
  }

  const Value* variable(std::string_view name) const {
    for (size_t i = variables_.size(); i-- > 0;)
      if (variables_[i].name == name) return &variables_[i].value;
    return nullptr;
  }
  // "a.b", or "" if it is no such thing.
  static std::string qualified(const Expression& e) {
    if (e.kind == Kind::kName) return e.text;
    if (e.kind != Kind::kSelect || e.is_optional) return "";
    const std::string object = qualified(*e.args[0]);
    return object.empty() ? "" : str_cat(object, ".", e.text);
  }

  Result<Value> name(const Expression& e) {
    if (const Value* found = variable(e.text)) return *found;
    static constexpr std::string_view kTypes[] = {"bool", "bytes", "double", "int", "list", "map", "null_type", "string", "type", "uint"};
    for (const std::string_view type : kTypes)
      if (type == e.text) return Value::type_named(type);
    return bad_request(str_cat("undeclared reference to '", e.text, "' (in container '')"));
  }

  static Status not_in_list() { return bad_request("unsupported index type 'string' in list"); }
  static Result<Value> member_of(const Value& object, const Expression& e) {
    if (object.kind == Value::Kind::kOpaque) return object.opaque->member(e.text);
    if (object.is_list()) return not_in_list();
    if (!object.is_map()) return bad_request(str_cat("no such key: ", e.text));
    auto found = object.find(unescaped_name(e.text));
    if (!found) return bad_request(str_cat("no such key: ", e.text));
    return std::move(*found);
  }
  // Of a value that may be there or not, and with an outcome that may be there or not.
  template <typename Get>
  static Result<Value> optionally(const Value& object, bool optional, Get get) {
    const bool was_optional = object.kind == Value::Kind::kOptional;
    if (was_optional && object.items->empty()) return object;
    Result<Value> found = get(was_optional ? object.items->front() : object);
    if (!optional && !was_optional) return found;
    if (!found.is_ok()) return is_missing(found.status()) ? Result<Value>(Value::none()) : found;
    return found->kind == Value::Kind::kOptional ? found : Value::some(std::move(*found));
  }
  Result<Value> select(const Expression& e) {
    if (const std::string whole = qualified(e); !whole.empty())
      if (const Value* found = variable(whole)) return *found;
    ORRERY_ASSIGN(Value object, run(*e.args[0]));
    return optionally(object, e.is_optional, [&](const Value& inside) { return member_of(inside, e); });
  }
  Result<Value> has(const Expression& e) {
    ORRERY_ASSIGN(Value object, run(*e.args[0]));
    if (object.kind == Value::Kind::kOptional) {
      if (object.items->empty()) return Value::flag(false);
      object = Value(object.items->front());
    }
    if (object.kind == Value::Kind::kOpaque) return Value::flag(object.opaque->member(e.text).is_ok());
    if (object.is_list()) return not_in_list();
    if (!object.is_map()) return Value::flag(false);
    return Value::flag(object.find(unescaped_name(e.text)).has_value());
  }
  Result<Value> index(const Expression& e) {
    ORRERY_ASSIGN(Value object, run(*e.args[0]));
    ORRERY_ASSIGN(Value key, run(*e.args[1]));
    return optionally(object, e.is_optional, [&](const Value& inside) { return value_at(inside, key); });
  }

  Result<std::vector<Value>> arguments(const Expression& e, size_t begin) {
    std::vector<Value> args;
    int64_t cost = 0;
    for (size_t i = begin; i < e.args.size(); ++i) {
      ORRERY_ASSIGN(Value value, run(*e.args[i]));
      cost += cost_of(value);
      args.push_back(std::move(value));
    }
    if (!budget_.spend(cost)) return spent();
    return args;
  }
  Result<Value> call(const Expression& e) {
    ORRERY_ASSIGN(std::vector<Value> args, arguments(e, 0));
    return call_function(e.text, args);
  }
  Result<Value> method(const Expression& e) {
    // Names with dots are functions of a library.
    if (const Expression& target = *e.args[0]; target.kind == Kind::kName && is_namespace(target.text) && !variable(target.text)) {
      ORRERY_ASSIGN(std::vector<Value> args, arguments(e, 1));
      return call_function(str_cat(target.text, ".", e.text), args);
    }
    // Only what is there decides which of the two is evaluated.
    if (e.text == "or" || e.text == "orValue") return alternative(e);
    ORRERY_ASSIGN(std::vector<Value> args, arguments(e, 0));
    return call_method(e.text, args);
  }
  Result<Value> alternative(const Expression& e) {
    ORRERY_ASSIGN(Value first, run(*e.args[0]));
    if (first.kind != Value::Kind::kOptional || e.args.size() != 2) return no_overload(e.text);
    if (first.items->empty()) return run(*e.args[1]);
    return e.text == "or" ? first : first.items->front();
  }

  Result<Value> unary(const Expression& e) {
    ORRERY_ASSIGN(Value value, run(*e.args[0]));
    return apply_unary(e.text, value);
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
    return Value::flag(!decisive);
  }
  Result<Value> binary(const Expression& e) {
    if (e.text == "||" || e.text == "&&") return logic(e);
    ORRERY_ASSIGN(Value left, run(*e.args[0]));
    ORRERY_ASSIGN(Value right, run(*e.args[1]));
    if (!budget_.spend(cost_of(left) + cost_of(right))) return spent();
    return apply_binary(e.text, left, right);
  }
  Result<Value> ternary(const Expression& e) {
    ORRERY_ASSIGN(Value condition, run(*e.args[0]));
    if (!condition.is_bool()) return no_overload("_?_:_");
    return run(*e.args[condition.is_true() ? 1 : 2]);
  }

  // False: an element that may be left out, and is.
  static bool unwrap(const Expression& e, size_t i, Value& value) {
    if (e.optional_args.empty() || !e.optional_args[i] || value.kind != Value::Kind::kOptional) return true;
    if (value.items->empty()) return false;
    value = Value(value.items->front());
    return true;
  }
  Result<Value> list(const Expression& e) {
    std::vector<Value> items;
    for (size_t i = 0; i < e.args.size(); ++i) {
      ORRERY_ASSIGN(Value item, run(*e.args[i]));
      if (unwrap(e, i, item)) items.push_back(std::move(item));
    }
    return Value::list(std::move(items));
  }
  Result<Value> map(const Expression& e) {
    std::vector<Value> members;
    for (size_t i = 0; i + 1 < e.args.size(); i += 2) {
      ORRERY_ASSIGN(Value key, run(*e.args[i]));
      ORRERY_ASSIGN(Value value, run(*e.args[i + 1]));
      if (!key.is_string() && !key.is_number() && !key.is_bool()) return bad_request("unsupported key type");
      for (size_t k = 0; k < members.size(); k += 2)
        if (equal(members[k], key)) return bad_request(str_cat("Failed with repeated key: ", key.to_json().dump()));
      if (!unwrap(e, i, value)) continue;
      members.push_back(std::move(key));
      members.push_back(std::move(value));
    }
    return Value::map(std::move(members));
  }

  Result<Value> with(const Expression& e, const Value& item, const Expression& body) {
    variables_.push_back({e.variable, item});
    Result<Value> out = run(body);
    variables_.pop_back();
    return out;
  }
  Result<Value> macro(const Expression& e) {
    ORRERY_ASSIGN(Value over, run(*e.args[0]));
    if (e.text.starts_with("opt")) return optional_macro(e, over);
    if (!over.is_list() && !over.is_map()) return no_overload(e.text);
    const std::vector<Value> range = over.range();
    if (e.text == "all" || e.text == "exists") return quantified(e, range);
    if (e.text == "exists_one") return exists_one(e, range);
    return collected(e, range);
  }
  Result<Value> optional_macro(const Expression& e, const Value& over) {
    if (over.kind != Value::Kind::kOptional) return no_overload(e.text);
    if (over.items->empty()) return over;
    ORRERY_ASSIGN(Value made, with(e, over.items->front(), *e.args[1]));
    return e.text == "optMap" ? Value::some(std::move(made)) : std::move(made);
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
        return Value::flag(decisive);
      }
    }
    return failure.is_ok() ? Value::flag(!decisive) : Result<Value>(failure);
  }
  Result<Value> exists_one(const Expression& e, const std::vector<Value>& range) {
    int count = 0;
    for (const Value& item : range) {
      ORRERY_ASSIGN(Value holds, with(e, item, *e.args[1]));
      if (holds.is_true()) ++count;
    }
    return Value::flag(count == 1);
  }
  // filter, and map with and without a condition.
  Result<Value> collected(const Expression& e, const std::vector<Value>& range) {
    std::vector<Value> out;
    const bool conditional = e.text == "filter" || e.args.size() == 3;
    for (const Value& item : range) {
      if (conditional) {
        ORRERY_ASSIGN(Value keep, with(e, item, *e.args[1]));
        if (!keep.is_bool()) return no_overload(e.text);
        if (!keep.is_true()) continue;
      }
      if (e.text == "filter") {
        out.push_back(item);
        continue;
      }
      ORRERY_ASSIGN(Value mapped, with(e, item, *e.args.back()));
      out.push_back(std::move(mapped));
    }
    return Value::list(std::move(out));
  }

  std::vector<Variable> variables_;
  Budget& budget_;
};

}  // namespace

Result<Value> evaluate(const Expression& expression, const std::vector<Variable>& variables, Budget& budget) {
  return Evaluator(variables, budget).run(expression);
}

}  // namespace orrery::api::cel
