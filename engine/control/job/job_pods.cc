#include "engine/control/job/job_pods.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "engine/api/pod_util.h"
#include "engine/base/str.h"
#include "engine/control/common/pod_control.h"
#include "engine/control/job/pod_policies.h"
#include "engine/runtime/api_requests.h"

namespace orrery::control {
namespace {

constexpr std::string_view kCompletionIndex = "batch.kubernetes.io/job-completion-index";
constexpr std::string_view kIndexFailures = "batch.kubernetes.io/job-index-failure-count";
constexpr std::string_view kIgnoredIndexFailures =
    "batch.kubernetes.io/job-index-ignored-failure-count";
constexpr std::string_view kIndexVariable = "JOB_COMPLETION_INDEX";
constexpr size_t kGeneratedNameMax = 58;  // 63 less the random suffix

/// The annotation as a whole number that is not negative, else `otherwise`.
int64_t count_of(const metav1::ObjectMeta& meta, std::string_view key, int64_t otherwise) {
  const Str* text = meta.annotations.find(key);
  if (!text) return otherwise;
  std::string_view digits = text->view();
  if (digits.starts_with('+')) digits.remove_prefix(1);
  int64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  const bool whole = error == std::errc() && end == digits.data() + digits.size();
  return whole && number >= 0 ? number : otherwise;
}

void add_index_variable(List<corev1::Container>& containers) {
  for (size_t i = 0; i < containers.size(); ++i) {
    const auto& env = containers[i].env;
    if (std::any_of(env.begin(), env.end(),
                    [](const auto& variable) { return variable.name == kIndexVariable; }))
      continue;
    corev1::EnvVar variable;
    variable.name = kIndexVariable;
    variable.value_from.mut().field_ref.mut().field_path =
        str_cat("metadata.labels['", kCompletionIndex, "']");
    containers.mut(i).env.push_back(std::move(variable));
  }
}

std::string generate_name(const Str& job, int64_t index) {
  const std::string suffix = str_cat('-', index, '-');
  return std::string(job.view().substr(0, kGeneratedNameMax - suffix.size())) + suffix;
}

void note_index_failures(const batchv1::Job& job, const corev1::Pod* replaced,
                         Map<Str>& annotations) {
  int64_t failures = 0, ignored = 0;
  if (replaced) {
    failures = index_failures(*replaced->metadata);
    ignored = ignored_index_failures(*replaced->metadata);
    ++(judge_failed_pod(job.spec->pod_failure_policy.get(), *replaced).counts ? failures : ignored);
  }
  annotations.set(kIndexFailures, str_cat(failures));
  if (ignored > 0) annotations.set(kIgnoredIndexFailures, str_cat(ignored));
}

int phase_order(const Str& phase) {
  if (phase == "Unknown") return 1;
  return phase == "Running" ? 2 : 0;
}

/// The most restarts of a container; of a sidecar.
std::pair<int32_t, int32_t> most_restarts(const corev1::Pod& pod) {
  std::pair<int32_t, int32_t> most{0, 0};
  for (const auto& status : pod.status->container_statuses)
    most.first = std::max(most.first, status.restart_count);
  for (const auto& container : pod.spec->init_containers) {
    if (container.restart_policy.value_or(Str()) != "Always") continue;
    for (const auto& status : pod.status->init_container_statuses)
      if (status.name == container.name) most.second = std::max(most.second, status.restart_count);
  }
  return most;
}

/// No time at all goes first, then the later one. For different times.
bool later_first(const api::Timestamp& a, const api::Timestamp& b) {
  return a.is_zero() || b.is_zero() ? a.is_zero() : a > b;
}

/// The order of Kubernetes v1.32 pkg/controller, ActivePods.
bool costs_less(const api::Object& left, const api::Object& right) {
  const auto &a = left.get<corev1::Pod>(), &b = right.get<corev1::Pod>();
  const bool a_assigned = !a.spec->node_name.empty(), b_assigned = !b.spec->node_name.empty();
  if (a_assigned != b_assigned) return b_assigned;
  const int a_phase = phase_order(a.status->phase), b_phase = phase_order(b.status->phase);
  if (a_phase != b_phase) return a_phase < b_phase;
  const bool a_ready = api::is_pod_ready(a), b_ready = api::is_pod_ready(b);
  if (a_ready != b_ready) return b_ready;
  if (a_ready) {
    const auto& a_since = api::pod_condition(a, "Ready")->last_transition_time;
    const auto& b_since = api::pod_condition(b, "Ready")->last_transition_time;
    if (a_since != b_since) return later_first(a_since, b_since);
  }
  const auto a_restarts = most_restarts(a), b_restarts = most_restarts(b);
  if (a_restarts != b_restarts) return a_restarts > b_restarts;
  const auto &a_created = a.metadata->creation_timestamp,
             &b_created = b.metadata->creation_timestamp;
  return a_created != b_created && later_first(a_created, b_created);
}

/// Splits `pods` into those that no index needs and the rest, one of each index.
void split_duplicates(std::vector<api::Object> pods, int64_t completions,
                      std::vector<api::Object>& spare, std::vector<api::Object>& kept) {
  std::stable_sort(pods.begin(), pods.end(), [](const api::Object& a, const api::Object& b) {
    return completion_index(a.meta()) < completion_index(b.meta());
  });
  for (auto first = pods.begin(); first != pods.end();) {
    const int64_t index = completion_index(first->meta());
    const auto end = std::find_if(first, pods.end(), [&](const api::Object& pod) {
      return completion_index(pod.meta()) != index;
    });
    if (index == kNoIndex || index >= completions) {
      spare.insert(spare.end(), first, end);
    } else {
      std::stable_sort(first, end, costs_less);
      spare.insert(spare.end(), first, end - 1);
      kept.push_back(*(end - 1));
    }
    first = end;
  }
}

}  // namespace

bool has_tracking_finalizer(const metav1::ObjectMeta& meta) {
  return std::find(meta.finalizers.begin(), meta.finalizers.end(), kJobTracking) !=
         meta.finalizers.end();
}

ApiRequest untrack_request(const api::Object& pod) {
  const std::string patch =
      str_cat(R"({"metadata":{"$deleteFromPrimitiveList/finalizers":[")", kJobTracking, R"("]}})");
  return patch_request(*pod.kind(), pod.meta().namespace_, pod.meta().name, PatchKind::kStrategic,
                       patch);
}

int64_t completion_index(const metav1::ObjectMeta& meta) {
  return count_of(meta, kCompletionIndex, kNoIndex);
}

int64_t index_failures(const metav1::ObjectMeta& meta) { return count_of(meta, kIndexFailures, 0); }

int64_t ignored_index_failures(const metav1::ObjectMeta& meta) {
  return count_of(meta, kIgnoredIndexFailures, 0);
}

int64_t all_index_failures(const metav1::ObjectMeta& meta) {
  return index_failures(meta) + ignored_index_failures(meta);
}

bool is_indexed(const batchv1::Job& job) {
  return job.spec->completion_mode && *job.spec->completion_mode == "Indexed";
}

bool is_suspended(const batchv1::Job& job) { return job.spec->suspend.value_or(false); }

bool replaces_failed_only(const batchv1::Job& job) {
  const auto& policy = job.spec->pod_replacement_policy;
  return (policy && *policy == "Failed") || job.spec->pod_failure_policy;
}

bool has_failed(const corev1::Pod& pod, const batchv1::Job& job) {
  if (pod.status->phase == "Failed") return true;
  if (replaces_failed_only(job)) return false;
  return pod.metadata->deletion_timestamp && pod.status->phase != "Succeeded";
}

bool is_terminating(const corev1::Pod& pod) {
  return pod.metadata->deletion_timestamp && !api::is_pod_terminal(pod);
}

corev1::Pod job_pod(const api::Object& owner, int64_t index, const corev1::Pod* replaced) {
  const auto& job = owner.get<batchv1::Job>();
  corev1::Pod pod = pod_from_template(*job.spec->template_, owner);
  auto& meta = pod.metadata.mut();
  if (!has_tracking_finalizer(meta)) meta.finalizers.push_back(kJobTracking);
  if (index == kNoIndex) return pod;
  add_index_variable(pod.spec.mut().init_containers);
  add_index_variable(pod.spec.mut().containers);
  pod.spec.mut().hostname = str_cat(owner.meta().name, '-', index);
  meta.generate_name = generate_name(owner.meta().name, index);
  meta.annotations.set(kCompletionIndex, str_cat(index));
  meta.labels.set(kCompletionIndex, str_cat(index));
  if (job.spec->backoff_limit_per_index) note_index_failures(job, replaced, meta.annotations);
  return pod;
}

std::vector<api::Object> pods_to_remove(const batchv1::Job& job, std::span<const api::Object> pods,
                                        int64_t count) {
  std::vector<api::Object> chosen, left;
  if (is_indexed(job)) {
    split_duplicates({pods.begin(), pods.end()}, job.spec->completions.value_or(0), chosen, left);
  } else {
    left.assign(pods.begin(), pods.end());
  }
  const auto wanted = static_cast<size_t>(count);
  if (chosen.size() >= wanted) return chosen;
  std::stable_sort(left.begin(), left.end(), costs_less);
  chosen.insert(chosen.end(), left.begin(),
                left.begin() + static_cast<ptrdiff_t>(wanted - chosen.size()));
  return chosen;
}

}  // namespace orrery::control
