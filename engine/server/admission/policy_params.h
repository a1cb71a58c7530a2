#pragma once

#include "engine/api/gen/admissionregistrationv1.h"
#include "engine/server/admission/chain.h"

namespace orrery::server {

/// The objects that a policy is evaluated with, once for each; a null object: without one.
struct PolicyParams {
  std::vector<api::Object> objects;
  std::string error;  // why there are none, with the words of upstream
};

/// Source: Kubernetes v1.32 apiserver/pkg/admission/plugin/policy/generic/policy_dispatcher.go, CollectParams.
PolicyParams policy_params(const admissionregistrationv1::ParamKind* kind, const admissionregistrationv1::ParamRef* ref,
                           std::string_view request_namespace, const ObjectLister& objects);

}  // namespace orrery::server
