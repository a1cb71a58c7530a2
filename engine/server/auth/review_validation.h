#pragma once

#include "engine/api/gen/authorizationv1.h"
#include "engine/server/auth/attributes.h"

namespace orrery::server {

/// Findings about access reviews. Source: Kubernetes v1.32 pkg/apis/authorization/validation.
FieldErrors validate_review(const authorizationv1::SelfSubjectAccessReview& review);
FieldErrors validate_review(const authorizationv1::SubjectAccessReview& review);
/// `ns`: of the request's path.
FieldErrors validate_review(const authorizationv1::LocalSubjectAccessReview& review,
                            std::string_view ns);

/// What was left out of the selectors that a review asks about, as its evaluationError says it; the
/// field selector goes into `attributes` as far as it can be read.
std::vector<std::string> ask_selectors(const authorizationv1::ResourceAttributes& asked,
                                       Attributes& attributes);

}  // namespace orrery::server
