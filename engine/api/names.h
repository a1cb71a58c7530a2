#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace orrery::api {

/// What is wrong with a name, in Kubernetes' words; empty: nothing.
/// Source of rules and texts: Kubernetes v1.32 apimachinery/pkg/util/validation.
std::vector<std::string> check_qualified_name(std::string_view name);   // label keys
std::vector<std::string> check_label_value(std::string_view value);
std::vector<std::string> check_dns1123_label(std::string_view name);
std::vector<std::string> check_dns1123_subdomain(std::string_view name);

/// "a; b; c".
std::string join(const std::vector<std::string>& texts, std::string_view separator);
/// One text as it is, several as "[a, b]", without repetitions: how Kubernetes prints a list of errors.
std::string aggregate(const std::vector<std::string>& errors);
/// A Go-quoted string: "a\"b".
std::string quoted(std::string_view text);

}  // namespace orrery::api
