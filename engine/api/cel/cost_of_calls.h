#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "engine/api/cel/schema_size.h"
#include "engine/api/cel/type.h"

namespace orrery::api::cel {

/// How many elements or bytes a value may have.
struct Size {
  uint64_t min = 0, max = UINT64_MAX;
};

/// What is known of an argument of a call, or of what the call gives, when the call is priced.
struct Sized {
  Type type;
  std::optional<Size> computed;  // from the expression
  std::optional<Size> declared;  // from the schema
  std::optional<Size> item;      // of the elements of a list, from the schema
  const Json* literal = nullptr;
};

struct CallCost {
  uint64_t cost = 0;  // without that of the arguments
  std::optional<Size> result;
};

/// The price of one overload of a function; a method has its object as the first argument.
CallCost cost_of_call(std::string_view function, std::string_view overload, std::span<const Sized> args);

/// The size of a value; one of fixed size counts as 1.
Size known_size(const Sized& value);

}  // namespace orrery::api::cel
