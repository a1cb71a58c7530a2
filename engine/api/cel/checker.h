#pragma once

#include <string_view>
#include <vector>

#include "engine/api/cel/expression.h"
#include "engine/api/cel/type.h"

namespace orrery::api::cel {

/// A name that an expression may use; it may have dots ("authorizer.requestResource").
struct Declaration {
  std::string_view name;
  Type type;
};

/// The type of what an expression gives. BadRequest: it cannot be right whatever the values are; the
/// message has all findings by place, in cel-go's words ("ERROR: <input>:1:1: undeclared reference to ...").
/// `source` is what the expression was parsed from.
Result<Type> check(const Expression& expression, std::string_view source, const std::vector<Declaration>& declarations);

}  // namespace orrery::api::cel
