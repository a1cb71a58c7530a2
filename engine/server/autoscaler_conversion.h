#pragma once

#include "engine/api/json_value.h"

namespace orrery::server {

/// HorizontalPodAutoscalers between autoscaling/v1 and /v2: v1 knows one metric, the CPU's utilization;
/// the others, conditions and behavior travel in annotations.
/// Source: Kubernetes v1.32 pkg/apis/autoscaling/v1/conversion.go, pkg/apis/autoscaling/annotations.go.
api::Json autoscaler_to_v1(api::Json autoscaler);
api::Json autoscaler_to_v2(api::Json autoscaler);

}  // namespace orrery::server
