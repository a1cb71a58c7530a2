#pragma once

#include <optional>

#include "engine/ports/http.h"
#include "engine/server/auth/authorizer.h"

namespace orrery::server {

/// Who the request is to be carried out as. No Impersonate- header: the user as it is. Each name,
/// group, uid and extra value needs the verb impersonate on users, groups, serviceaccounts, uids
/// or userextras/KEY. The answer without a name of a user is InternalError with Kubernetes' text.
/// Source: Kubernetes v1.32 apiserver filters/impersonation.go.
struct Impersonation {
  Refusal refusal;  // OK: `user` may be used
  ApiUser user;
  bool impersonated = false;  // then the Impersonate- headers are no business of later stages
};
Impersonation impersonate(const HttpRequest& request, const ApiUser& user,
                          const Authorizer& authorizer);

}  // namespace orrery::server
