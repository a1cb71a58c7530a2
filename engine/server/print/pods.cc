#include "engine/server/print/row.h"

namespace orrery::server {
namespace {

bool is_restartable(const corev1::Pod& pod, const Str& name) {
  for (const auto& container : pod.spec->init_containers)
    if (container.name == name) return container.restart_policy == Str("Always");
  return false;
}

bool condition_is_true(const corev1::Pod& pod, std::string_view type) {
  for (const auto& condition : pod.status->conditions)
    if (condition.type == type) return condition.status == "True";
  return false;
}

std::string end_text(const corev1::ContainerStateTerminated& end) {
  if (!end.reason.empty()) return end.reason.str();
  return end.signal != 0 ? str_cat("Signal:", end.signal) : str_cat("ExitCode:", end.exit_code);
}

/// Restarts, and when the last of them happened.
struct Restarts {
  int64_t count = 0;
  api::Timestamp last;
  void add(const corev1::ContainerStatus& status) {
    count += status.restart_count;
    const auto& end = status.last_state.terminated;
    if (end && last < end->finished_at) last = end->finished_at;
  }
  std::string text(const Row& row) const {
    return count != 0 && last ? str_cat(count, " (", row.age(last), " ago)") : str_cat(count);
  }
};

/// What the columns Ready, Status and Restarts say.
class PodSummary {
 public:
  explicit PodSummary(const corev1::Pod& pod) : pod_(pod) {
    total_ = pod.spec->containers.size();
    for (const auto& container : pod.spec->init_containers) total_ += container.restart_policy == Str("Always");
    reason_ = pod.status->reason.empty() ? pod.status->phase.str() : pod.status->reason.str();
    for (const auto& condition : pod.status->conditions)
      if (condition.type == "PodScheduled" && condition.reason == "SchedulingGated") reason_ = "SchedulingGated";
    const bool initializing = look_at_init_containers();
    if (!initializing || condition_is_true(pod, "Initialized")) look_at_containers();
    look_at_deletion();
  }

  std::string ready() const { return str_cat(uint64_t{ready_}, "/", uint64_t{total_}); }
  const std::string& reason() const { return reason_; }
  const Restarts& restarts() const { return restarts_; }

 private:
  // True if an init container is not done.
  bool look_at_init_containers() {
    const auto& statuses = pod_.status->init_container_statuses;
    for (size_t i = 0; i < statuses.size(); ++i) {
      const auto& status = statuses[i];
      const bool restartable = is_restartable(pod_, status.name);
      restarts_.add(status);
      if (restartable) lasting_restarts_.add(status);
      const auto& end = status.state.terminated;
      const auto& wait = status.state.waiting;
      if (end && end->exit_code == 0) continue;
      if (restartable && status.started.value_or(false)) {
        ready_ += status.ready;
        continue;
      }
      if (end) {
        reason_ = "Init:" + end_text(*end);
      } else if (wait && !wait->reason.empty() && wait->reason != "PodInitializing") {
        reason_ = "Init:" + wait->reason.str();
      } else {
        reason_ = str_cat("Init:", uint64_t{i}, "/", uint64_t{pod_.spec->init_containers.size()});
      }
      return true;
    }
    return false;
  }

  void look_at_containers() {
    restarts_ = lasting_restarts_;
    bool running = false;
    const auto& statuses = pod_.status->container_statuses;
    for (size_t i = statuses.size(); i-- > 0;) {
      const auto& status = statuses[i];
      restarts_.add(status);
      if (status.state.waiting && !status.state.waiting->reason.empty()) {
        reason_ = status.state.waiting->reason.str();
      } else if (status.state.terminated) {
        reason_ = end_text(*status.state.terminated);
      } else if (status.ready && status.state.running) {
        running = true;
        ++ready_;
      }
    }
    if (reason_ == "Completed" && running) reason_ = is_ready() ? "Running" : "NotReady";
  }
  bool is_ready() const {
    for (const auto& condition : pod_.status->conditions)
      if (condition.type == "Ready" && condition.status == "True") return true;
    return false;
  }

  void look_at_deletion() {
    if (!pod_.metadata->deletion_timestamp) return;
    const Str& phase = pod_.status->phase;
    if (pod_.status->reason == "NodeLost") {
      reason_ = "Unknown";
    } else if (phase != "Succeeded" && phase != "Failed") {
      reason_ = "Terminating";
    }
  }

  const corev1::Pod& pod_;
  size_t total_ = 0, ready_ = 0;
  std::string reason_;
  Restarts restarts_;
  Restarts lasting_restarts_;  // of init containers that go on running
};

std::string readiness_gates(const corev1::Pod& pod) {
  const auto& gates = pod.spec->readiness_gates;
  if (gates.empty()) return "<none>";
  size_t open = 0;
  for (const auto& gate : gates) open += condition_is_true(pod, gate.condition_type);
  return str_cat(uint64_t{open}, "/", uint64_t{gates.size()});
}

void print_pod(const corev1::Pod& pod, Row& row) {
  const PodSummary summary(pod);
  if (pod.status->phase == "Succeeded") {
    row.completed_reason = "Succeeded";
    row.completed_message = "The pod has completed successfully.";
  } else if (pod.status->phase == "Failed") {
    row.completed_reason = "Failed";
    row.completed_message = "The pod failed.";
  }
  const auto or_none = [](const Str& text) { return text.empty() ? std::string_view("<none>") : text.view(); };
  const auto& ips = pod.status->pod_ips;
  const Str ip = pod.status->pod_ip.empty() && !ips.empty() ? ips[0].ip : pod.status->pod_ip;
  row.add(pod.metadata->name, summary.ready(), summary.reason(), summary.restarts().text(row),
          row.age(pod.metadata->creation_timestamp), or_none(ip),
          or_none(pod.spec->node_name), or_none(pod.status->nominated_node_name), readiness_gates(pod));
}

void print_template(const corev1::PodTemplate& tmpl, Row& row) {
  row.add(tmpl.metadata->name);
  add_containers(tmpl.template_->spec->containers, row);
  row.add(format_labels(tmpl.template_->metadata->labels));
}

}  // namespace

std::vector<Printer> pod_printers() {
  return {printer_of<corev1::Pod, print_pod>(), printer_of<corev1::PodTemplate, print_template>()};
}

}  // namespace orrery::server
