#pragma once

#include "engine/server/admission/chain.h"

namespace orrery::server {

/// ServiceAccount: a new pod runs as the account "default" unless it names one, which must exist;
/// it gets the account's token in the volume kube-api-access-XXXXX and its imagePullSecrets. An
/// account with the annotation kubernetes.io/enforce-mountable-secrets lets its pods refer to its
/// own secrets only. Source: Kubernetes v1.32 plugin/pkg/admission/serviceaccount.
std::unique_ptr<AdmissionPlugin> service_account();

}  // namespace orrery::server
