#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/api/gen/batchv1.h"
#include "engine/base/time.h"

namespace orrery::control {

/// The condition of that type, or nullptr.
const batchv1::JobCondition* job_condition(const batchv1::JobStatus& status, std::string_view type);
/// The same, if it is True.
const batchv1::JobCondition* true_condition(const batchv1::JobStatus& status,
                                            std::string_view type);
/// The condition with which the Job has ended, Complete or Failed; nullptr if it has not.
const batchv1::JobCondition* job_end(const batchv1::JobStatus& status);
inline bool is_job_finished(const batchv1::JobStatus& status) { return job_end(status) != nullptr; }

batchv1::JobCondition make_job_condition(std::string_view type, std::string_view status,
                                         std::string_view reason, std::string_view message,
                                         Time now);
/// Puts the condition in the place of one of its type that says something else, or adds it unless
/// it is False. Answers whether anything has changed.
bool ensure_job_condition(batchv1::JobStatus& status, const batchv1::JobCondition& condition);

}  // namespace orrery::control
