#pragma once

#include <map>
#include <string>

#include "engine/api/cel/type.h"

namespace orrery::api::cel {

/// What type parameters stand for so far. Source of the rules: cel-go checker/types.go.
class Substitution {
 public:
  /// True if a value of type `actual` may be where `wanted` is; parameters are bound on the way.
  bool assignable(const Type& actual, const Type& wanted);
  /// With parameters replaced; unbound ones become dyn if `unbound_is_dyn`.
  Type apply(const Type& type, bool unbound_is_dyn) const;
  /// The same with parameters that are used nowhere else.
  Type fresh(const Type& type, std::map<std::string, Type>& renamed);
  Type fresh_param();

 private:
  bool assignable_all(const std::vector<Type>& actual, const std::vector<Type>& wanted);
  bool bind(const Type& param, const Type& type);
  bool occurs(const std::string& param, const Type& in) const;

  std::map<std::string, Type> bound_;
  int next_ = 0;
};

}  // namespace orrery::api::cel
