#include "engine/api/cel/substitution.h"

#include <algorithm>

namespace orrery::api::cel {
namespace {

using Kind = Type::Kind;

bool may_be_null(Kind kind) {
  return kind == Kind::kNull || kind == Kind::kObject || kind == Kind::kOpaque || kind == Kind::kDuration || kind == Kind::kTimestamp;
}

}  // namespace

bool Substitution::assignable(const Type& actual, const Type& wanted) {
  const auto resolve = [&](const Type& type) {
    const auto found = type.kind == Kind::kParam ? bound_.find(type.name) : bound_.end();
    return found == bound_.end() ? nullptr : &found->second;
  };
  if (actual.kind == Kind::kParam && wanted.kind == Kind::kParam && actual.name == wanted.name) return true;
  if (const Type* known = resolve(wanted)) {
    const Type now = *known;
    if (!assignable(actual, now)) return false;
    // The more general of the two stays.
    if (actual.kind == Kind::kDyn && now.kind != Kind::kDyn) bound_[wanted.name] = actual;
    return true;
  }
  if (const Type* known = resolve(actual)) {
    const Type now = *known;
    return assignable(now, wanted);
  }
  if (wanted.kind == Kind::kParam) return bind(wanted, actual);
  if (actual.kind == Kind::kParam) return bind(actual, wanted);
  if (actual.is_dyn_or_error() || wanted.is_dyn_or_error()) return true;
  if (actual.kind == Kind::kNull) return may_be_null(wanted.kind);
  if (wanted.kind == Kind::kNull) return may_be_null(actual.kind);
  if (actual.kind != wanted.kind || actual.name != wanted.name) return false;
  return actual.kind == Kind::kType || assignable_all(actual.params, wanted.params);
}

bool Substitution::assignable_all(const std::vector<Type>& actual, const std::vector<Type>& wanted) {
  return std::equal(actual.begin(), actual.end(), wanted.begin(), wanted.end(),
                    [&](const Type& a, const Type& b) { return assignable(a, b); });
}

bool Substitution::bind(const Type& param, const Type& type) {
  if (occurs(param.name, type)) return false;
  bound_[param.name] = type;
  return true;
}

bool Substitution::occurs(const std::string& param, const Type& in) const {
  if (in.kind == Kind::kParam) {
    if (in.name == param) return true;
    const auto found = bound_.find(in.name);
    return found != bound_.end() && occurs(param, found->second);
  }
  return std::any_of(in.params.begin(), in.params.end(), [&](const Type& each) { return occurs(param, each); });
}

Type Substitution::apply(const Type& type, bool unbound_is_dyn) const {
  if (type.kind == Kind::kParam) {
    const auto found = bound_.find(type.name);
    if (found != bound_.end()) return apply(found->second, unbound_is_dyn);
    return unbound_is_dyn ? Type() : type;
  }
  Type out = type;
  for (Type& param : out.params) param = apply(param, unbound_is_dyn);
  return out;
}

Type Substitution::fresh_param() {
  Type out = Type::of(Kind::kParam);
  out.name = "_var" + std::to_string(next_++);
  return out;
}

Type Substitution::fresh(const Type& type, std::map<std::string, Type>& renamed) {
  if (type.kind == Kind::kParam) {
    const auto [at, is_new] = renamed.try_emplace(type.name);
    if (is_new) at->second = fresh_param();
    return at->second;
  }
  Type out = type;
  for (Type& param : out.params) param = fresh(param, renamed);
  return out;
}

}  // namespace orrery::api::cel
