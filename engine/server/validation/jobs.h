#pragma once

#include "engine/api/gen/batchv1.h"
#include "engine/server/validation/pod_spec.h"
#include "engine/server/validation/registry.h"

namespace orrery::server {

/// Jobs and what they are made from. Source: Kubernetes v1.32 pkg/apis/batch/validation.

/// The spec of a Job or of a CronJob's template, without its selector.
void check_job_spec(const batchv1::JobSpec& spec, const PodRules& rules, const Path& at, Findings& findings);
void check_job_status(const batchv1::Job& job, const batchv1::Job& old, Findings& findings);

/// Completed and failed indexes: "1,3-5,7", increasing, below `completions`. Gives the number of
/// indexes, or the error's text.
Result<int64_t> count_indexes(std::string_view indexes, int64_t completions);
/// What is wrong if both name an index; "": nothing.
std::string check_no_common_index(std::string_view completed, std::string_view failed, int64_t completions);

CheckRow cron_job_row();

}  // namespace orrery::server
