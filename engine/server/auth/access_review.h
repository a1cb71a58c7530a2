#pragma once

#include "engine/api/object.h"
#include "engine/base/time.h"
#include "engine/server/auth/authenticator.h"
#include "engine/server/auth/authorizer.h"

namespace orrery::server {

/// The kinds that are asked instead of stored: the request's object with its answer, or a refusal.
struct Review {
  Refusal refusal;
  api::Object object;
};

/// authorization.k8s.io/v1 SelfSubjectAccessReview, SubjectAccessReview, LocalSubjectAccessReview
/// (`ns`: of the request's path) and SelfSubjectRulesReview. The caller has authorized `user` to
/// create it. CHECK: another kind.
Review access_review(const api::Object& request, const ApiUser& user, std::string_view ns,
                     const Authorizer& authorizer);

/// authentication.k8s.io/v1 SelfSubjectReview (creationTimestamp: now) and TokenReview.
Review self_review(const api::Object& request, const ApiUser& user, Time now);
Review token_review(const api::Object& request, const Authenticator& authenticator, Time now);

}  // namespace orrery::server
