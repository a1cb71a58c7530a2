#include "engine/server/defaulting/defaults.h"

namespace orrery::server {
namespace {

const Str kTcp = Str::literal("TCP");

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

// Lower-case words, joined by dots, dashes and underscores, and the host before the first slash.
// Source: distribution/reference, which Kubernetes v1.32 reads images with.
bool is_image_path(std::string_view path) {
  constexpr size_t kIdentifier = 64;  // an identifier is no name
  if (path.size() == kIdentifier && path.find_first_not_of("0123456789abcdef") == std::string_view::npos) return false;
  const size_t slash = path.find('/');
  const std::string_view host = path.substr(0, slash);
  const bool has_host = slash != std::string_view::npos &&
                        (host.find_first_of(".:ABCDEFGHIJKLMNOPQRSTUVWXYZ") != std::string_view::npos || host == "localhost");
  if (has_host) path.remove_prefix(slash + 1);
  bool in_word = false;
  for (size_t i = 0; i < path.size(); ++i) {
    const char c = path[i];
    const bool word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (!word && (!in_word || (c != '.' && c != '_' && c != '-' && c != '/'))) {
      const bool repeats = i > 0 && path[i - 1] == c && (c == '-' || (c == '_' && (i < 2 || path[i - 2] != '_')));
      if (!repeats) return false;
    }
    in_word = word;
  }
  return in_word;
}

// The tag after the last colon that follows the last slash; "latest" if there is neither tag nor digest.
// No image at all, or none that can be read, is none either.
bool is_latest(std::string_view image) {
  if (image.empty()) return false;
  if (image.find('@') != std::string_view::npos) return false;
  const size_t slash = image.rfind('/');
  const size_t colon = image.rfind(':');
  if (colon == std::string_view::npos || (slash != std::string_view::npos && colon < slash)) return is_image_path(image);
  return image.substr(colon + 1) == "latest" && is_image_path(image.substr(0, colon));
}

template <typename C>
void default_container(C& c) {
  set_if_empty(c.image_pull_policy, is_latest(c.image) ? "Always" : "IfNotPresent");
  set_if_empty(c.termination_message_path, "/dev/termination-log");
  set_if_empty(c.termination_message_policy, "File");
  for (size_t i = 0; i < c.ports.size(); ++i) {
    if (c.ports[i].protocol.empty()) c.ports.mut(i).protocol = kTcp;
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

void default_host_ports(List<corev1::Container>& containers) {
  for (size_t i = 0; i < containers.size(); ++i)
    for (size_t p = 0; p < containers[i].ports.size(); ++p)
      if (containers[i].ports[p].host_port == 0)
        containers.mut(i).ports.mut(p).host_port = containers[i].ports[p].container_port;
}

// True if nothing is left to fill in: then the container stays shared with its template.
template <typename C>
bool container_is_done(const C& c) {
  if (c.image_pull_policy.empty() || c.termination_message_path.empty() || c.termination_message_policy.empty())
    return false;
  for (const auto& port : c.ports)
    if (port.protocol.empty()) return false;
  for (const auto& env : c.env)
    if (env.value_from) return false;
  return resources_are_done(c.resources) && !c.liveness_probe && !c.readiness_probe && !c.startup_probe && !c.lifecycle;
}

template <typename C>
void default_containers(List<C>& containers) {
  for (size_t i = 0; i < containers.size(); ++i)
    if (!container_is_done(containers[i])) default_container(containers.mut(i));
}

// True if the common sources are all there is and need nothing more.
bool volume_is_done(const corev1::Volume& v) {
  if ((v.secret && !v.secret->default_mode) || (v.config_map && !v.config_map->default_mode) || (v.host_path && !v.host_path->type))
    return false;
  if (v.projected || v.downward_api || v.ephemeral || v.iscsi || v.rbd || v.azure_disk || v.scale_io || v.image) return false;
  return v.empty_dir || v.persistent_volume_claim || v.nfs || v.csi || v.secret || v.config_map || v.host_path;
}

// The single address and the list say the same; the former leads.
void agree_addresses(corev1::Pod& pod) {
  const Str& ip = pod.status->pod_ip;
  const auto& list = pod.status->pod_ips;
  if (ip.empty() && !list.empty()) pod.status.mut().pod_ip = list[0].ip;
  if (ip.empty() || (!list.empty() && list[0].ip == ip)) return;
  corev1::PodIP only;
  only.ip = ip;
  pod.status.mut().pod_ips = {only};
}

void default_pod(corev1::Pod& pod) {
  auto& spec = pod.spec.mut();
  if (spec.termination_grace_period_seconds && *spec.termination_grace_period_seconds < 0) spec.termination_grace_period_seconds = int64_t{1};
  agree_addresses(pod);
  default_pod_spec(spec);
  default_requests(spec.init_containers);
  default_requests(spec.containers);
  set_if_absent(spec.enable_service_links, true);
  if (!spec.host_network) return;
  default_host_ports(spec.containers);
  default_host_ports(spec.init_containers);
}

void default_pod_template(corev1::PodTemplate& tmpl) { default_template(tmpl.template_); }

}  // namespace

void default_pod_spec(corev1::PodSpec& spec) {
  set_if_empty(spec.dns_policy, "ClusterFirst");
  set_if_empty(spec.restart_policy, "Always");
  set_if_absent(spec.termination_grace_period_seconds, int64_t{30});
  set_if_empty(spec.scheduler_name, "default-scheduler");
  // An old name of the same field.
  if (spec.service_account_name.empty()) spec.service_account_name = spec.service_account;
  spec.service_account = spec.service_account_name;
  if (!spec.security_context) spec.security_context.mut();
  default_containers(spec.init_containers);
  default_containers(spec.containers);
  default_containers(spec.ephemeral_containers);
  for (size_t i = 0; i < spec.volumes.size(); ++i)
    if (!volume_is_done(spec.volumes[i])) default_volume(spec.volumes.mut(i));
}

void default_template(Ref<corev1::PodTemplateSpec>& tmpl) { default_pod_spec(tmpl.mut().spec.mut()); }

std::span<const DefaultRow> pod_defaults() {
  static constexpr DefaultRow kRows[] = {default_row<corev1::Pod, default_pod>(),
                                         default_row<corev1::PodTemplate, default_pod_template>()};
  return kRows;
}

}  // namespace orrery::server
