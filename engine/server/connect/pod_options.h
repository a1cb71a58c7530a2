#pragma once

#include <string>

#include "engine/api/gen/corev1.h"
#include "engine/base/status.h"
#include "engine/server/errors.h"
#include "engine/server/rest/request_info.h"

namespace orrery::server {

/// What the query of pods/log says. BadRequest for what is no number or time.
Result<corev1::PodLogOptions> read_log_options(const Query& query);
/// Source: Kubernetes v1.32 pkg/apis/core/validation ValidatePodLogOptions.
FieldErrors check_log_options(const corev1::PodLogOptions& options);
/// The query that asks a kubelet for the same.
std::string kubelet_log_query(const corev1::PodLogOptions& options);

/// What the query of pods/exec and pods/attach says; the latter has no command.
corev1::PodExecOptions read_exec_options(const Query& query);
std::string kubelet_exec_query(const corev1::PodExecOptions& options);

/// The query of pods/portforward, for a kubelet. BadRequest for what is no port number.
Result<std::string> kubelet_port_query(const Query& query);

/// The container of the pod that `asked` names; the only one if it is "". BadRequest if there is no
/// such container, or no way to choose.
Result<std::string> choose_container(const corev1::Pod& pod, const std::string& asked);

}  // namespace orrery::server
