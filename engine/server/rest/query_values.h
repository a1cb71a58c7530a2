#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "engine/ports/api.h"
#include "engine/server/errors.h"
#include "engine/server/rest/request_info.h"

namespace orrery::server {

/// An integer as strconv.ParseInt reads it; nothing if the text is none or beyond 64 bits.
Opt<int64_t> parse_integer(std::string_view text);

/// BadRequest with strconv's words if a parameter of these names is there and no integer.
ApiResponse check_integers(const Query& query, std::initializer_list<std::string_view> names);

/// Adds a finding unless every value is "All".
void check_dry_run(const std::vector<std::string>& values, FieldErrors& errors);

}  // namespace orrery::server
