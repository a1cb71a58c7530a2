#include "sim/node/container_model.h"

#include "engine/api/gen/corev1.h"
#include "engine/api/names.h"
#include "engine/api/pod_util.h"

namespace orrery::sim {
namespace {

std::string in_pod(const corev1::Pod& pod, std::string_view container) {
  return str_cat("container ", api::quoted(container), " in pod ", api::quoted(pod.metadata->name));
}

// The words are a kubelet's. Source: Kubernetes v1.32 pkg/kubelet/kubelet_pods.go
// (validateContainerLogStatus).
Status no_log(const corev1::Pod& pod, std::string_view container,
              const corev1::ContainerStatus* status) {
  const std::string where = in_pod(pod, container);
  if (status == nullptr || !status->state.waiting)
    return bad_request(str_cat(where, " is not available"));
  const Str& reason = status->state.waiting->reason;
  const std::string_view why = reason == "ErrImagePull"       ? "image can't be pulled"
                               : reason == "ImagePullBackOff" ? "trying and failing to pull image"
                                                              : reason.view();
  return bad_request(str_cat(where, " is waiting to start: ", why));
}

LogLine started(const corev1::ContainerStatus& status, Time at, int32_t restarts) {
  return {at, str_cat(api::format_time(api::Timestamp(at)), " ", status.name, " started: image ",
                      status.image, ", restarts ", restarts)};
}

void add_run(const corev1::ContainerStatus& status, const corev1::ContainerStateTerminated& run,
             int32_t restarts, std::vector<LogLine>& lines) {
  lines.push_back(started(status, run.started_at.time(), restarts));
  lines.push_back({run.finished_at.time(),
                   str_cat(api::format_time(run.finished_at), " ", status.name,
                           " ended: exit code ", run.exit_code, ", ", run.reason)});
}

}  // namespace

Result<std::vector<LogLine>> ContainerModel::read(const api::Object& object,
                                                  const std::string& container,
                                                  bool previous) const {
  const auto& pod = object.get<corev1::Pod>();
  const corev1::ContainerStatus* status = api::container_status(pod, container);
  std::vector<LogLine> lines;
  const bool has_last = status != nullptr && status->last_state.terminated;
  if (previous) {
    if (!has_last)
      return bad_request(str_cat("previous terminated ", in_pod(pod, container), " not found"));
    add_run(*status, *status->last_state.terminated, status->restart_count - 1, lines);
  } else if (status != nullptr && status->state.running) {
    lines.push_back(
        started(*status, status->state.running->started_at.time(), status->restart_count));
  } else if (status != nullptr && status->state.terminated) {
    add_run(*status, *status->state.terminated, status->restart_count, lines);
  } else if (has_last) {
    add_run(*status, *status->last_state.terminated, status->restart_count - 1, lines);
  } else {
    return no_log(pod, container, status);
  }
  return lines;
}

std::vector<ContainerUsage> ContainerModel::usage(const api::Object& object) const {
  const auto& pod = object.get<corev1::Pod>();
  std::vector<ContainerUsage> out;
  for (const corev1::Container& container : pod.spec->containers) {
    const corev1::ContainerStatus* status = api::container_status(pod, container.name);
    if (status == nullptr || !status->state.running) continue;
    ContainerUsage used{container.name};
    const auto& requests = container.resources.requests;
    if (const api::Quantity* cpu = requests.find("cpu")) used.cpu_nanos = cpu->scaled_value(-9);
    if (const api::Quantity* memory = requests.find("memory")) used.memory_bytes = memory->value();
    out.push_back(std::move(used));
  }
  return out;
}

}  // namespace orrery::sim
