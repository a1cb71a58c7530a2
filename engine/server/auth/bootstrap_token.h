#pragma once

#include <optional>
#include <string_view>

#include "engine/base/time.h"
#include "engine/ports/api.h"
#include "engine/server/auth/object_reader.h"

namespace orrery::server {

/// The user system:bootstrap:ID of a token ID.SECRET, if the secret bootstrap-token-ID of
/// kube-system says so: type bootstrap.kubernetes.io/token, not expired, usage for authentication.
/// Source: Kubernetes v1.32 plugin/pkg/auth/authenticator/token/bootstrap.
std::optional<ApiUser> bootstrap_token_user(std::string_view token, const ObjectReader& objects,
                                            Time now);

}  // namespace orrery::server
