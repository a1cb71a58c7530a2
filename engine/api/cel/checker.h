#pragma once

#include <map>
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

/// What the checker has found out about a part of an expression.
struct Checked {
  Type type;
  std::vector<std::string_view> overloads;  // that fit, of its function, as declared: ".string,string:bool"
};
using CheckedParts = std::map<const Expression*, Checked>;

/// The type of what an expression gives. BadRequest: it cannot be right whatever the values are; the
/// message has all findings by place, in cel-go's words ("ERROR: <input>:1:1: undeclared reference to ...").
/// `source` is what the expression was parsed from; `parts` gets all that it is made of.
Result<Type> check(const Expression& expression, std::string_view source, const std::vector<Declaration>& declarations,
                   CheckedParts* parts = nullptr);

}  // namespace orrery::api::cel
