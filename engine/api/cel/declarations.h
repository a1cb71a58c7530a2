#pragma once

#include <span>
#include <string_view>

namespace orrery::api::cel {

/// What a function takes and gives. `overloads` is a list "args:result; .self,args:result", where a dot
/// marks a method; capitals stand for any one type.
struct FunctionDeclaration {
  std::string_view name;
  std::string_view overloads;
};

/// The operators and functions of the language and of the libraries that Kubernetes v1.32 has for new
/// expressions. Source: cel-spec, cel-go ext, Kubernetes v1.32 apiserver/pkg/cel/{environment,library}.
std::span<const FunctionDeclaration> function_declarations();

/// Null: there is none of this name.
const FunctionDeclaration* find_function(std::string_view name);

}  // namespace orrery::api::cel
