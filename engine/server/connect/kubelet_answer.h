#pragma once

#include <string_view>

#include "engine/ports/api.h"
#include "engine/ports/http.h"

namespace orrery::server {

/// What a client of pods/log is told when a kubelet has refused.
/// Source: Kubernetes v1.32 apiserver/pkg/registry/generic/rest/response_checker.go and
/// apimachinery/pkg/api/errors NewGenericServerResponse.
ApiResponse refused_log(const HttpResponse& from_kubelet, std::string_view pod);

/// NotFound of an object that the request does not name itself.
ApiResponse missing_object(const api::KindDesc& kind, std::string_view name);
/// A failure without a reason of its own: 500.
ApiResponse plain_failure(std::string_view why);

}  // namespace orrery::server
