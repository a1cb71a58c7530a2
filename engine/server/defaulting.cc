#include "engine/server/defaulting.h"

#include "engine/api/gen/appsv1.h"
#include "engine/api/gen/batchv1.h"
#include "engine/api/gen/policyv1.h"
#include "engine/api/gen/schedulingv1.h"

namespace orrery::server {
namespace {

const Str kTcp = Str::literal("TCP");
const Str kPreemptLower = Str::literal("PreemptLowerPriority");

void set_if_empty(Str& field, std::string_view value) {
  if (field.empty()) field = Str(value);
}
template <typename T>
void set_if_absent(Opt<T>& field, T value) {
  if (!field) field = std::move(value);
}

// Amounts are rounded up to thousandths.
void default_resources(corev1::ResourceRequirements& resources) {
  const auto round = [](Map<api::Quantity>& list) {
    for (size_t i = 0; i < list.size(); ++i) {
      const auto& entry = *(list.begin() + i);
      api::Quantity rounded = entry.value;
      if (!rounded.round_up(-3)) list.set(entry.key, rounded);
    }
  };
  round(resources.limits);
  round(resources.requests);
}

void default_http_get(corev1::HTTPGetAction& get) {
  set_if_empty(get.path, "/");
  set_if_empty(get.scheme, "HTTP");
}

void default_probe(Ref<corev1::Probe>& ref) {
  if (!ref) return;
  auto& probe = ref.mut();
  if (probe.timeout_seconds == 0) probe.timeout_seconds = 1;
  if (probe.period_seconds == 0) probe.period_seconds = 10;
  if (probe.success_threshold == 0) probe.success_threshold = 1;
  if (probe.failure_threshold == 0) probe.failure_threshold = 3;
  if (probe.http_get) default_http_get(probe.http_get.mut());
  if (probe.grpc) set_if_absent(probe.grpc.mut().service, Str());
}

// The tag after the last colon that follows the last slash; "latest" if there is neither tag nor digest.
bool is_latest(std::string_view image) {
  if (image.find('@') != std::string_view::npos) return false;
  const size_t slash = image.rfind('/');
  const size_t colon = image.rfind(':');
  if (colon == std::string_view::npos || (slash != std::string_view::npos && colon < slash)) return true;
  return image.substr(colon + 1) == "latest";
}

template <typename C>
void default_container(C& c, bool host_network) {
  set_if_empty(c.image_pull_policy, is_latest(c.image) ? "Always" : "IfNotPresent");
  set_if_empty(c.termination_message_path, "/dev/termination-log");
  set_if_empty(c.termination_message_policy, "File");
  for (size_t i = 0; i < c.ports.size(); ++i) {
    if (c.ports[i].protocol.empty()) c.ports.mut(i).protocol = kTcp;
    if (host_network && c.ports[i].host_port == 0) c.ports.mut(i).host_port = c.ports[i].container_port;
  }
  if (!c.resources.limits.empty() || !c.resources.requests.empty()) default_resources(c.resources);
  default_probe(c.liveness_probe);
  default_probe(c.readiness_probe);
  default_probe(c.startup_probe);
  for (size_t i = 0; i < c.env.size(); ++i)
    if (c.env[i].value_from && c.env[i].value_from->field_ref && c.env[i].value_from->field_ref->api_version.empty())
      c.env.mut(i).value_from.mut().field_ref.mut().api_version = "v1";
  if (c.lifecycle) {
    auto& lifecycle = c.lifecycle.mut();
    if (lifecycle.post_start && lifecycle.post_start->http_get) default_http_get(lifecycle.post_start.mut().http_get.mut());
    if (lifecycle.pre_stop && lifecycle.pre_stop->http_get) default_http_get(lifecycle.pre_stop.mut().http_get.mut());
  }
}

bool is_rounded(const Map<api::Quantity>& list) {
  for (const auto& [name, quantity] : list)
    if (quantity.is_big() || quantity.raw_scale() < -3) return false;
  return true;
}

bool resources_are_done(const corev1::ResourceRequirements& resources) {
  return is_rounded(resources.limits) && is_rounded(resources.requests);
}

// In pods, not in their templates, limits are the default of requests.
void default_requests(List<corev1::Container>& containers) {
  for (size_t i = 0; i < containers.size(); ++i) {
    const Map<api::Quantity> limits = containers[i].resources.limits;
    for (const auto& [name, limit] : limits)
      if (!containers[i].resources.requests.contains(name)) containers.mut(i).resources.requests.set(name, limit);
  }
}

// True if nothing is left to fill in: then the container stays shared with its template.
template <typename C>
bool container_is_done(const C& c, bool host_network) {
  if (c.image_pull_policy.empty() || c.termination_message_path.empty() || c.termination_message_policy.empty())
    return false;
  for (const auto& port : c.ports)
    if (port.protocol.empty() || host_network) return false;
  for (const auto& env : c.env)
    if (env.value_from) return false;
  return resources_are_done(c.resources) && !c.liveness_probe && !c.readiness_probe && !c.startup_probe && !c.lifecycle;
}

template <typename C>
void default_containers(List<C>& containers, bool host_network) {
  for (size_t i = 0; i < containers.size(); ++i)
    if (!container_is_done(containers[i], host_network)) default_container(containers.mut(i), host_network);
}

constexpr int32_t kVolumeMode = 0644;

void default_volume(corev1::Volume& v) {
  const bool has_source = v.host_path || v.empty_dir || v.gce_persistent_disk || v.aws_elastic_block_store ||
                          v.secret || v.nfs || v.iscsi || v.glusterfs || v.persistent_volume_claim || v.rbd ||
                          v.flex_volume || v.cinder || v.cephfs || v.flocker || v.downward_api || v.fc ||
                          v.azure_file || v.config_map || v.vsphere_volume || v.quobyte || v.azure_disk ||
                          v.photon_persistent_disk || v.projected || v.portworx_volume || v.scale_io ||
                          v.storageos || v.csi || v.ephemeral || v.image;
  if (!has_source) v.empty_dir.mut();
  if (v.secret && !v.secret->default_mode) v.secret.mut().default_mode = kVolumeMode;
  if (v.config_map && !v.config_map->default_mode) v.config_map.mut().default_mode = kVolumeMode;
  if (v.downward_api && !v.downward_api->default_mode) v.downward_api.mut().default_mode = kVolumeMode;
  if (v.projected && !v.projected->default_mode) v.projected.mut().default_mode = kVolumeMode;
  if (v.host_path && !v.host_path->type) v.host_path.mut().type = Str();
}

void default_template(Ref<corev1::PodTemplateSpec>& tmpl) { default_pod_spec(tmpl.mut().spec.mut()); }

void default_deployment(appsv1::Deployment& d) {
  auto& spec = d.spec.mut();
  set_if_absent(spec.replicas, 1);
  set_if_empty(spec.strategy.type, "RollingUpdate");
  if (spec.strategy.type == "RollingUpdate") {
    auto& rolling = spec.strategy.rolling_update.mut();
    set_if_absent(rolling.max_unavailable, api::IntOrString("25%"));
    set_if_absent(rolling.max_surge, api::IntOrString("25%"));
  } else if (spec.strategy.rolling_update) {
    // The internal form has no absent values; validation refuses the object anyway.
    auto& rolling = spec.strategy.rolling_update.mut();
    set_if_absent(rolling.max_unavailable, api::IntOrString(0));
    set_if_absent(rolling.max_surge, api::IntOrString(0));
  }
  set_if_absent(spec.revision_history_limit, 10);
  set_if_absent(spec.progress_deadline_seconds, 600);
  default_template(spec.template_);
}

void default_job(batchv1::Job& job) {
  auto& spec = job.spec.mut();
  if (!spec.completions && !spec.parallelism) spec.completions = spec.parallelism = 1;
  set_if_absent(spec.parallelism, 1);
  set_if_absent(spec.backoff_limit, spec.backoff_limit_per_index ? INT32_MAX : 6);
  set_if_absent(spec.completion_mode, Str("NonIndexed"));
  set_if_absent(spec.suspend, false);
  set_if_absent(spec.manual_selector, false);
  set_if_absent(spec.pod_replacement_policy, Str(spec.pod_failure_policy ? "Failed" : "TerminatingOrFailed"));
  default_template(spec.template_);
}

void default_stateful_set(appsv1::StatefulSet& s) {
  auto& spec = s.spec.mut();
  set_if_empty(spec.pod_management_policy, "OrderedReady");
  set_if_empty(spec.update_strategy.type, "RollingUpdate");
  if (spec.update_strategy.type == "RollingUpdate") set_if_absent(spec.update_strategy.rolling_update.mut().partition, 0);
  auto& retention = spec.persistent_volume_claim_retention_policy.mut();
  set_if_empty(retention.when_deleted, "Retain");
  set_if_empty(retention.when_scaled, "Retain");
  set_if_absent(spec.replicas, 1);
  set_if_absent(spec.revision_history_limit, 10);
  default_template(spec.template_);
}

void default_daemon_set(appsv1::DaemonSet& d) {
  auto& spec = d.spec.mut();
  set_if_empty(spec.update_strategy.type, "RollingUpdate");
  if (spec.update_strategy.type == "RollingUpdate") {
    auto& rolling = spec.update_strategy.rolling_update.mut();
    set_if_absent(rolling.max_unavailable, api::IntOrString(1));
    set_if_absent(rolling.max_surge, api::IntOrString(0));
  }
  set_if_absent(spec.revision_history_limit, 10);
  default_template(spec.template_);
}

void default_traffic(corev1::ServiceSpec& spec) {
  const bool outside = spec.type == "NodePort" || spec.type == "LoadBalancer";
  if (outside || (spec.type == "ClusterIP" && !spec.external_ips.empty())) set_if_empty(spec.external_traffic_policy, "Cluster");
  if (outside || spec.type == "ClusterIP") set_if_absent(spec.internal_traffic_policy, Str("Cluster"));
  if (spec.type == "LoadBalancer") set_if_absent(spec.allocate_load_balancer_node_ports, true);
}

void default_service(corev1::Service& s) {
  constexpr int32_t kAffinitySeconds = 10800;
  auto& spec = s.spec.mut();
  set_if_empty(spec.session_affinity, "None");
  if (spec.session_affinity == "None") spec.session_affinity_config.reset();
  if (spec.session_affinity == "ClientIP")
    set_if_absent(spec.session_affinity_config.mut().client_ip.mut().timeout_seconds, kAffinitySeconds);
  set_if_empty(spec.type, "ClusterIP");
  default_traffic(spec);
  for (size_t i = 0; i < spec.ports.size(); ++i) {
    auto& port = spec.ports.mut(i);
    if (port.protocol.empty()) port.protocol = kTcp;
    const bool unset = !port.target_port.is_text && port.target_port.number == 0;
    if (unset || (port.target_port.is_text && port.target_port.text.empty())) port.target_port = api::IntOrString(port.port);
  }
}

}  // namespace

void default_pod_spec(corev1::PodSpec& spec) {
  set_if_empty(spec.dns_policy, "ClusterFirst");
  set_if_empty(spec.restart_policy, "Always");
  set_if_absent(spec.termination_grace_period_seconds, int64_t{30});
  set_if_empty(spec.scheduler_name, "default-scheduler");
  if (!spec.security_context) spec.security_context.mut();
  default_containers(spec.init_containers, spec.host_network);
  default_containers(spec.containers, spec.host_network);
  default_containers(spec.ephemeral_containers, spec.host_network);
  for (size_t i = 0; i < spec.volumes.size(); ++i) default_volume(spec.volumes.mut(i));
}

void apply_defaults(api::Object& object) {
  if (object.is<corev1::Pod>()) {
    auto& spec = object.mut<corev1::Pod>().spec.mut();
    default_pod_spec(spec);
    default_requests(spec.init_containers);
    default_requests(spec.containers);
    set_if_absent(spec.enable_service_links, true);
  } else if (object.is<appsv1::ReplicaSet>()) {
    auto& rs = object.mut<appsv1::ReplicaSet>();
    set_if_absent(rs.spec.mut().replicas, 1);
    default_template(rs.spec.mut().template_);
  } else if (object.is<corev1::ReplicationController>()) {
    auto& rc = object.mut<corev1::ReplicationController>();
    auto& spec = rc.spec.mut();
    const auto labels = spec.template_->metadata->labels;
    if (spec.selector.empty()) spec.selector = labels;
    if (rc.metadata->labels.empty() && !labels.empty()) rc.metadata.mut().labels = labels;
    set_if_absent(spec.replicas, 1);
    if (spec.template_) default_pod_spec(spec.template_.mut().spec.mut());
  } else if (object.is<appsv1::Deployment>()) {
    default_deployment(object.mut<appsv1::Deployment>());
  } else if (object.is<batchv1::Job>()) {
    default_job(object.mut<batchv1::Job>());
  } else if (object.is<appsv1::StatefulSet>()) {
    default_stateful_set(object.mut<appsv1::StatefulSet>());
  } else if (object.is<appsv1::DaemonSet>()) {
    default_daemon_set(object.mut<appsv1::DaemonSet>());
  } else if (object.is<corev1::Service>()) {
    default_service(object.mut<corev1::Service>());
  } else if (object.is<corev1::Namespace>()) {
    auto& ns = object.mut<corev1::Namespace>();
    if (ns.status->phase.empty()) ns.status.mut().phase = "Active";
    if (!ns.metadata->labels.contains("kubernetes.io/metadata.name") && !ns.metadata->name.empty())
      ns.metadata.mut().labels.set("kubernetes.io/metadata.name", ns.metadata->name);
  } else if (object.is<corev1::Node>()) {
    auto& node = object.mut<corev1::Node>();
    if (node.status->allocatable.empty() && !node.status->capacity.empty())
      node.status.mut().allocatable = node.status->capacity;
  }
}

List<corev1::Toleration> usual_tolerations() {
  List<corev1::Toleration> out;
  for (const std::string_view key : {"node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"}) {
    corev1::Toleration toleration;
    toleration.key = Str(key);
    toleration.operator_ = "Exists";
    toleration.effect = "NoExecute";
    toleration.toleration_seconds = int64_t{300};
    out.push_back(std::move(toleration));
  }
  return out;
}

void admit_new_pod(corev1::Pod& pod, const List<corev1::Toleration>& usual) {
  auto& spec = pod.spec.mut();
  set_if_absent(spec.priority, 0);
  if (!spec.preemption_policy) spec.preemption_policy = kPreemptLower;
  if (spec.tolerations.empty()) {
    spec.tolerations = usual;
    return;
  }
  for (const corev1::Toleration& toleration : usual) {
    bool tolerated = false;
    for (const auto& t : spec.tolerations)
      tolerated = tolerated || ((t.key == toleration.key || t.key.empty()) && (t.effect == "NoExecute" || t.effect.empty()));
    if (!tolerated) spec.tolerations.push_back(toleration);
  }
}

void default_after_create(api::Object& object) {
  if (object.is<corev1::Namespace>()) {
    auto& finalizers = object.mut<corev1::Namespace>().spec.mut().finalizers;
    if (finalizers.empty()) finalizers.push_back("kubernetes");
    return;
  }
  const auto* old = object.as<batchv1::Job>();
  if (!old || old->spec->manual_selector.value_or(false)) return;
  auto& job = object.mut<batchv1::Job>();
  const Str uid = job.metadata->uid, name = job.metadata->name;
  auto& labels = job.spec.mut().template_.mut().metadata.mut().labels;
  labels.set("controller-uid", uid);
  labels.set("batch.kubernetes.io/controller-uid", uid);
  labels.set("job-name", name);
  labels.set("batch.kubernetes.io/job-name", name);
  job.spec.mut().selector.mut().match_labels.set("batch.kubernetes.io/controller-uid", uid);
  if (job.metadata->labels.empty()) job.metadata.mut().labels = labels;
}

}  // namespace orrery::server
