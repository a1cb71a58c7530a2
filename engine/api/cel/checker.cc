#include "engine/api/cel/checker.h"

#include <algorithm>

#include "engine/api/cel/declarations.h"
#include "engine/api/cel/functions.h"
#include "engine/api/cel/substitution.h"

namespace orrery::api::cel {
namespace {

using Kind = Expression::Kind;
using Types = std::vector<Type>;

Type simple(Type::Kind kind) { return Type::of(kind); }
Type boolean() { return simple(Type::Kind::kBool); }
Type error() { return simple(Type::Kind::kError); }

std::string list_of(const Types& types, size_t begin) {
  std::string out;
  for (size_t i = begin; i < types.size(); ++i) out += (i == begin ? "" : ", ") + types[i].shown();
  return out;
}

class Checker {
 public:
  Checker(std::string_view source, const std::vector<Declaration>& declarations) : source_(source), declarations_(declarations) {}

  Type run(const Expression& e) {
    Type type = run_kind(e);
    parts_[&e].type = type;
    return type;
  }

  Result<Type> finish(Type type, CheckedParts* parts) {
    if (errors_.empty()) check_literals();
    if (errors_.empty()) {
      for (auto& [e, part] : parts_) part.type = types_.apply(part.type, true);
      if (parts) *parts = std::move(parts_);
      return types_.apply(type, true);
    }
    std::stable_sort(errors_.begin(), errors_.end(), [](const Found& a, const Found& b) { return a.offset < b.offset; });
    std::string all;
    for (const Found& found : errors_) all += (all.empty() ? "" : "\n") + message_at(source_, found.offset, found.why);
    return bad_request(all);
  }

 private:
  struct Found {
    size_t offset;
    std::string why;
  };
  struct Local {
    std::string name;
    Type type;
  };

  Type run_kind(const Expression& e) {
    switch (e.kind) {
      case Kind::kLiteral: return literal(e);
      case Kind::kName: return name(e);
      case Kind::kSelect:
      case Kind::kHas: return select(e);
      case Kind::kIndex: return overload(e, e.is_optional ? "_[?_]" : "_[_]", all(e));
      case Kind::kCall: return call(e, e.text, all(e));
      case Kind::kMethod: return method(e);
      case Kind::kUnary: return overload(e, operator_function(e.text, true), all(e));
      case Kind::kBinary: return overload(e, operator_function(e.text, false), all(e));
      case Kind::kTernary: return overload(e, "_?_:_", all(e));
      case Kind::kList: return list(e);
      case Kind::kMap: return map(e);
      case Kind::kMacro: return macro(e);
    }
    return error();
  }

  void check_format(const Expression& e) {
    const bool is_known = e.args.size() == 2 && e.args[0]->kind == Kind::kLiteral && e.args[0]->value.is_string() && e.args[1]->kind == Kind::kList;
    if (!is_known) return;
    Types types;
    for (const auto& arg : e.args[1]->args) types.push_back(types_.apply(parts_[arg.get()].type, true));
    const FormatMismatch wrong = format_mismatch(e.args[0]->value.as_string(), types);
    if (!wrong.why.empty()) errors_.push_back({wrong.arg ? e.args[1]->args[*wrong.arg]->offset : e.offset, wrong.why});
  }

  // Texts of which it is known what they must be. Source: cel-go cel/validator.go.
  void check_literals() {
    for (const auto& [e, part] : parts_) {
      if (e->kind != Kind::kCall && e->kind != Kind::kMethod) continue;
      if (e->kind == Kind::kMethod && e->text == "format") check_format(*e);
      const size_t at = e->kind == Kind::kMethod ? 1 : 0;
      const bool text = at < e->args.size() && e->args[at]->kind == Kind::kLiteral && e->args[at]->value.is_string() && !e->args[at]->is_bytes;
      if (text && !is_right_text(e->text, e->args[at]->value.as_string()))
        errors_.push_back({e->args[at]->offset, str_cat("invalid ", e->text, " argument")});
    }
  }

  Type fail(const Expression& e, std::string why) {
    errors_.push_back({e.offset, std::move(why)});
    return error();
  }
  Type undeclared(const Expression& e, std::string_view what) {
    return fail(e, str_cat("undeclared reference to '", what, "' (in container '')"));
  }

  Types all(const Expression& e) {
    Types out;
    for (const auto& arg : e.args) out.push_back(run(*arg));
    return out;
  }

  static Type literal(const Expression& e) {
    if (e.is_unsigned) return simple(Type::Kind::kUint);
    if (e.is_bytes) return simple(Type::Kind::kBytes);
    switch (e.value.type()) {
      case Json::Type::kNull: return simple(Type::Kind::kNull);
      case Json::Type::kBool: return boolean();
      case Json::Type::kString: return simple(Type::Kind::kString);
      case Json::Type::kDouble: return simple(Type::Kind::kDouble);
      default: return simple(Type::Kind::kInt);
    }
  }

  const Type* local(std::string_view name) const {
    for (size_t i = locals_.size(); i-- > 0;)
      if (locals_[i].name == name) return &locals_[i].type;
    return nullptr;
  }
  const Type* declared(std::string_view name) const {
    for (const Declaration& declaration : declarations_)
      if (declaration.name == name) return &declaration.type;
    return nullptr;
  }
  // "a.b.c", or "" if it is no such thing.
  std::string qualified(const Expression& e) const {
    if (e.kind == Kind::kName) return local(e.text) ? "" : e.text;
    if (e.kind != Kind::kSelect || e.is_optional) return "";
    const std::string object = qualified(*e.args[0]);
    return object.empty() ? "" : str_cat(object, ".", e.text);
  }

  Type name(const Expression& e) {
    if (const Type* found = local(e.text)) return *found;
    if (const Type* found = declared(e.text)) return *found;
    const Type named = Type::parse(e.text);
    const bool is_type = named.kind != Type::Kind::kOpaque && named.kind != Type::Kind::kParam && named.declared().starts_with(e.text);
    return is_type ? Type{Type::Kind::kType, {}, {named}, nullptr} : undeclared(e, e.text);
  }

  Type select(const Expression& e) {
    const std::string whole = e.kind == Kind::kSelect ? qualified(e) : "";
    if (const Type* found = whole.empty() ? nullptr : declared(whole)) return *found;
    Type object = types_.apply(run(*e.args[0]), false);
    const bool was_optional = object.is_optional();
    if (was_optional) object = types_.apply(Type(object.params[0]), false);
    Type field = member(e, object);
    if (e.kind == Kind::kHas) return boolean();
    return (was_optional || e.is_optional) && !field.is_optional() ? Type::optional(field) : field;
  }
  Type member(const Expression& e, const Type& object) {
    switch (object.kind) {
      case Type::Kind::kMap: return object.params[1];
      case Type::Kind::kError:
      case Type::Kind::kDyn: return Type();
      case Type::Kind::kParam: return types_.assignable(Type(), object), Type();
      case Type::Kind::kObject: {
        auto found = object.fields->find(e.text);
        if (found == object.fields->end()) found = object.fields->find(str_cat("__", e.text, "__"));  // a word of the language
        return found == object.fields->end() ? fail(e, str_cat("undefined field '", e.text, "'")) : found->second;
      }
      default: return fail(e, str_cat("type '", object.shown(), "' does not support field selection"));
    }
  }

  Type method(const Expression& e) {
    const std::string target = qualified(*e.args[0]);
    const std::string whole = str_cat(target, ".", e.text);
    if (!target.empty() && find_function(whole)) {
      Types args;
      for (size_t i = 1; i < e.args.size(); ++i) args.push_back(run(*e.args[i]));
      return overload(e, whole, args);
    }
    mixes_ += e.text == "format";
    const Types args = all(e);
    mixes_ -= e.text == "format";
    return find_function(e.text) ? overload(e, e.text, args, true) : undeclared(e, e.text);
  }
  Type call(const Expression& e, std::string_view function, const Types& args) {
    return find_function(function) ? overload(e, function, args) : undeclared(e, function);
  }

  // "int,A:A;.string:int": tries each.
  Type overload(const Expression& e, std::string_view function, const Types& args, bool is_method = false) {
    const bool hopeless = std::any_of(args.begin(), args.end(), [](const Type& t) { return t.kind == Type::Kind::kError; });
    Type result;
    bool found = false;
    for (std::string_view rest = find_function(function)->overloads; !rest.empty();) {
      const std::string_view one = rest.substr(0, rest.find(';'));
      rest.remove_prefix(std::min(one.size() + 1, rest.size()));
      if (one.starts_with('.') != is_method) continue;
      Type given;
      if (!fits(one.substr(is_method), args, given)) continue;
      parts_[&e].overloads.push_back(one);
      if (!found) result = given;
      else if (!(types_.apply(result, false) == types_.apply(given, false))) result = Type();
      found = true;
    }
    if (found) return result;
    if (hopeless) return error();
    Types shown;
    for (const Type& arg : args) shown.push_back(types_.apply(arg, true));
    const std::string applied = is_method ? str_cat(shown[0].shown(), ".(", list_of(shown, 1), ")") : str_cat("(", list_of(shown, 0), ")");
    return fail(e, str_cat("found no matching overload for '", function, "' applied to '", applied, "'"));
  }
  bool fits(std::string_view signature, const Types& args, Type& result) {
    const Substitution before = types_;
    std::map<std::string, Type> renamed;
    size_t at = 0;
    const Type wanted = Type::parse(str_cat("args<", signature.substr(0, signature.find(':')), ">"));
    const size_t count = signature.starts_with(':') ? 0 : wanted.params.size();
    if (count != args.size()) return false;
    for (; at < count; ++at) {
      if (types_.assignable(args[at], types_.fresh(wanted.params[at], renamed))) continue;
      types_ = before;
      return false;
    }
    result = types_.fresh(Type::parse(signature.substr(signature.find(':') + 1)), renamed);
    return true;
  }

  // The common type of the elements of a list, keys or values of a map.
  struct Common {
    Type type;
    bool any = false;
  };
  void join(Common& common, const Expression& e, bool may_miss) {
    Type type = run(e);
    if (may_miss) {
      const Type resolved = types_.apply(type, false);
      if (!resolved.is_optional() && !resolved.is_dyn_or_error())
        type = fail(e, str_cat("expected type 'optional_type(", resolved.shown(), ")' but found '", resolved.shown(), "'"));
      else type = resolved.is_optional() ? resolved.params[0] : resolved;
    }
    if (!common.any) {
      common = {type, true};
    } else if (!types_.assignable(type, common.type)) {
      if (mixes_ > 0) {
        common.type = Type();
        return;
      }
      fail(e, str_cat("expected type '", types_.apply(common.type, true).shown(), "' but found '", types_.apply(type, true).shown(), "'"));
      common.type = error();
    }
  }
  Type list(const Expression& e) {
    Common items;
    for (size_t i = 0; i < e.args.size(); ++i) join(items, *e.args[i], !e.optional_args.empty() && e.optional_args[i]);
    return Type::list(items.any ? items.type : types_.fresh_param());
  }
  Type map(const Expression& e) {
    Common keys, values;
    for (size_t i = 0; i + 1 < e.args.size(); i += 2) {
      join(keys, *e.args[i], false);
      join(values, *e.args[i + 1], !e.optional_args.empty() && e.optional_args[i]);
    }
    if (keys.any) return Type::map(keys.type, values.type);
    Type key = types_.fresh_param();
    return Type::map(std::move(key), types_.fresh_param());
  }

  Type macro(const Expression& e) {
    const Type over = types_.apply(run(*e.args[0]), false);
    if (e.text.starts_with("opt")) return optional_macro(e, over);
    Type item;
    switch (over.kind) {
      case Type::Kind::kList:
      case Type::Kind::kMap: item = over.params[0]; break;
      case Type::Kind::kDyn:
      case Type::Kind::kError:
      case Type::Kind::kParam: break;
      default:
        item = fail(*e.args[0], str_cat("expression of type '", over.shown(),
                                        "' cannot be range of a comprehension (must be list, map, or dynamic)"));
    }
    locals_.push_back({e.variable, item});
    Types bodies;
    for (size_t i = 1; i < e.args.size(); ++i) bodies.push_back(run(*e.args[i]));
    locals_.pop_back();
    if (e.text == "all") return overload(e, "_&&_", {boolean(), bodies[0]});
    if (e.text == "exists") return overload(e, "_||_", {boolean(), bodies[0]});
    const Type number = simple(Type::Kind::kInt);
    if (e.text == "exists_one") return overload(e, "_?_:_", {bodies[0], number, number}), boolean();
    const Type result = Type::list(e.text == "map" ? bodies.back() : item);
    if (e.text == "filter" || bodies.size() == 2) overload(e, "_?_:_", {bodies[0], result, result});
    return result;
  }
  Type optional_macro(const Expression& e, const Type& over) {
    if (!over.is_optional() && !over.is_dyn_or_error())
      return fail(e, str_cat("found no matching overload for 'hasValue' applied to '", over.shown(), ".()'"));
    locals_.push_back({e.variable, over.is_optional() ? over.params[0] : Type()});
    const Type body = run(*e.args[1]);
    locals_.pop_back();
    return e.text == "optMap" ? Type::optional(body) : body;
  }

  std::string_view source_;
  const std::vector<Declaration>& declarations_;
  std::vector<Local> locals_;
  Substitution types_;
  CheckedParts parts_;
  int mixes_ = 0;  // arguments of formats need not be of one type
  std::vector<Found> errors_;
};

}  // namespace

Result<Type> check(const Expression& expression, std::string_view source, const std::vector<Declaration>& declarations, CheckedParts* parts) {
  Checker checker(source, declarations);
  Type type = checker.run(expression);
  return checker.finish(std::move(type), parts);
}

}  // namespace orrery::api::cel
