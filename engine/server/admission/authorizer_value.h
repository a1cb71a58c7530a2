#pragma once

#include "engine/api/cel/value.h"
#include "engine/server/admission/chain.h"

namespace orrery::server {

/// `authorizer` in expressions: asks what the user of the request may do, by
/// authorizer.group(g).resource(r).subresource(s).namespace(n).name(n).check(verb).allowed(),
/// authorizer.path(p).check(verb), or for a service account. `authorizer` outlives the value.
/// Source: Kubernetes v1.32 apiserver/pkg/cel/library/authz.go.
api::cel::Value authorizer_value(const Authorizer& authorizer, const AdmissionRequest& request);
/// `authorizer.requestResource`: the resource of the request itself.
api::cel::Value request_resource_value(const Authorizer& authorizer, const AdmissionRequest& request);

}  // namespace orrery::server
