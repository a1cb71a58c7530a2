#pragma once

#include <utility>
#include <vector>

#include "engine/api/quota.h"
#include "engine/server/admission/settings.h"
#include "engine/server/auth/admission.h"

namespace orrery::server {

/// What the quotas of a namespace say of one create or update.
struct QuotaDecision {
  Refusal refusal;
  /// New status.used of the quotas that change, by their place in the list.
  std::vector<std::pair<size_t, api::ResourceList>> used;
};

/// `quotas` are objects ResourceQuota with status. Updates of what has a resourceVersion are charged
/// by the difference. Source: Kubernetes v1.32 resourcequota.CheckRequest.
QuotaDecision decide_quota(const AdmissionRequest& request, const std::vector<api::Object>& quotas,
                           const std::vector<LimitedResource>& limited, Time now);

}  // namespace orrery::server
