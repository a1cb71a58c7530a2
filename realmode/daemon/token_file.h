#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "engine/server/options.h"

namespace orrery::realmode {

/// The text of a --token-auth-file: lines of token,user,uid[,"group1,group2"] in CSV form. Invalid,
/// with the line, for fewer than three columns, an empty token or a broken quotation.
/// Source: Kubernetes v1.32 apiserver/pkg/authentication/token/tokenfile.
Result<std::vector<server::StaticToken>> parse_token_file(std::string_view text);

}  // namespace orrery::realmode
