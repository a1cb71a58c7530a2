#include "engine/server/validation/container_parts.h"

#include "engine/api/names.h"

namespace orrery::server {
namespace {

constexpr std::string_view kEnvFields[] = {"metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName",
                                           "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP",
                                           "status.podIPs"};

template <typename S>
void check_key_selector(const S& selector, const Path& at, Findings& findings) {
  check_subdomain(selector.name, at.child("name"), findings);
  if (selector.key.empty()) return findings.required(at.child("key"));
  if (const Messages wrong = check_config_map_key(selector.key); !wrong.empty()) findings.invalid(at.child("key"), selector.key, wrong);
}

void check_value_from(const corev1::EnvVar& var, const Path& at, Findings& findings) {
  const auto& from = *var.value_from;
  int count = 0;
  if (from.field_ref) ++count, check_field_ref(*from.field_ref, kEnvFields, at.child("fieldRef"), findings);
  if (from.resource_field_ref)
    ++count, check_resource_field_ref(*from.resource_field_ref, false, at.child("resourceFieldRef"), findings);
  if (from.config_map_key_ref) ++count, check_key_selector(*from.config_map_key_ref, at.child("configMapKeyRef"), findings);
  if (from.secret_key_ref) ++count, check_key_selector(*from.secret_key_ref, at.child("secretKeyRef"), findings);
  if (count == 0)
    findings.invalid(at, "", "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`");
  else if (!var.value.empty())
    findings.invalid(at, "", "may not be specified when `value` is not empty");
  else if (count > 1)
    findings.invalid(at, "", "may not have more than one field specified at a time");
}

void check_env_from_name(const Str& name, const Path& at, Findings& findings) {
  if (name.empty()) return findings.required(at);
  if (const Messages wrong = name_is_subdomain(name, true); !wrong.empty()) findings.invalid(at, name, wrong);
}

void check_propagation(const corev1::VolumeMount& mount, bool privileged, const Path& at, Findings& findings) {
  const Str& mode = *mount.mount_propagation;
  if (!is_one_of(mode, {"Bidirectional", "HostToContainer", "None"}))
    findings.not_supported(at, mode, {"Bidirectional", "HostToContainer", "None"});
  if (mode == "Bidirectional" && !privileged)
    findings.forbidden(at, "Bidirectional mount propagation is available only to privileged containers");
}

void check_recursive_read_only(const corev1::VolumeMount& mount, const Path& at, Findings& findings) {
  const Str& mode = *mount.recursive_read_only;
  if (mode == "Disabled") return;
  if (!is_one_of(mode, {"Enabled", "IfPossible"})) return findings.not_supported(at, mode, {"Disabled", "Enabled", "IfPossible"});
  if (!mount.read_only) findings.forbidden(at, "may only be specified when readOnly is true");
  if (mount.mount_propagation && *mount.mount_propagation != "None")
    findings.forbidden(at, "may only be specified when mountPropagation is None or not specified");
}

void check_sub_paths(const corev1::VolumeMount& mount, const corev1::Volume* volume, const Path& list, const Path& at,
                     Findings& findings) {
  const bool image = volume && volume->image;
  if (image && !mount.sub_path.empty())
    findings.invalid(at.child("subPath"), mount.sub_path, "not allowed in image volume sources");
  if (image && !mount.sub_path_expr.empty())
    findings.invalid(at.child("subPathExpr"), mount.sub_path_expr, "not allowed in image volume sources");
  if (!mount.sub_path.empty()) check_descending_path(mount.sub_path, list.child("subPath"), findings);
  if (mount.sub_path_expr.empty()) return;
  if (!mount.sub_path.empty())
    findings.invalid(at.child("subPathExpr"), mount.sub_path_expr, "subPathExpr and subPath are mutually exclusive");
  check_descending_path(mount.sub_path_expr, list.child("subPathExpr"), findings);
}

void check_http_get(const corev1::HTTPGetAction& get, const Path& at, Findings& findings) {
  if (get.path.empty()) findings.required(at.child("path"));
  check_port_number_or_name(get.port, at.child("port"), findings);
  if (!is_one_of(get.scheme, {"HTTP", "HTTPS"})) findings.not_supported(at.child("scheme"), get.scheme, {"HTTP", "HTTPS"});
  for (const auto& header : get.http_headers)
    if (const Messages wrong = check_http_header_name(header.name); !wrong.empty())
      findings.invalid(at.child("httpHeaders"), header.name, wrong);
}

// The handlers that probes and lifecycles share; false if there is none.
class OneHandler {
 public:
  OneHandler(const Path& at, Findings& findings) : at_(at), findings_(findings) {}
  bool first(std::string_view name) {
    if (++count_ > 1) findings_.forbidden(at_.child(name), "may not specify more than 1 handler type");
    return count_ == 1;
  }
  template <typename H>
  void common(const H& handler) {
    if (handler.exec && first("exec") && handler.exec->command.empty()) findings_.required(at_.child("exec.command"));
    if (handler.http_get && first("httpGet")) check_http_get(*handler.http_get, at_.child("httpGet"), findings_);
    if (handler.tcp_socket && first("tcpSocket")) check_port_number_or_name(handler.tcp_socket->port, at_.child("tcpSocket.port"), findings_);
  }
  void finish() {
    if (count_ == 0) findings_.required(at_, "must specify a handler type");
  }

 private:
  const Path& at_;
  Findings& findings_;
  int count_ = 0;
};

void check_lifecycle_handler(const corev1::LifecycleHandler& handler, const Opt<int64_t>& grace, const Path& at, Findings& findings) {
  OneHandler one(at, findings);
  one.common(handler);
  if (handler.sleep && one.first("sleep")) {
    const int64_t seconds = handler.sleep->seconds;
    if (grace && (seconds <= 0 || seconds > *grace))
      findings.invalid(at.child("sleep"), seconds,
                       str_cat("must be greater than 0 and less than terminationGracePeriodSeconds (", *grace,
                               "). Enable AllowPodLifecycleSleepActionZeroValue feature gate for zero sleep."));
  }
  one.finish();
}

void check_probe(const corev1::Probe& probe, const Path& at, Findings& findings) {
  OneHandler one(at, findings);
  one.common(probe);
  if (probe.grpc && one.first("grpc")) check_port_number(probe.grpc->port, at.child("grpc.port"), findings);
  one.finish();
  findings.non_negative(probe.initial_delay_seconds, at.child("initialDelaySeconds"));
  findings.non_negative(probe.timeout_seconds, at.child("timeoutSeconds"));
  findings.non_negative(probe.period_seconds, at.child("periodSeconds"));
  findings.non_negative(probe.success_threshold, at.child("successThreshold"));
  findings.non_negative(probe.failure_threshold, at.child("failureThreshold"));
  if (probe.termination_grace_period_seconds && *probe.termination_grace_period_seconds <= 0)
    findings.invalid(at.child("terminationGracePeriodSeconds"), *probe.termination_grace_period_seconds, "must be greater than 0");
}

void check_killing_probe(const Ref<corev1::Probe>& probe, const Path& at, Findings& findings) {
  if (!probe) return;
  check_probe(*probe, at, findings);
  if (probe->success_threshold != 1) findings.invalid(at.child("successThreshold"), probe->success_threshold, "must be 1");
}

const corev1::VolumeDevice* find_device(const List<corev1::VolumeDevice>& devices, const Str& name) {
  for (const auto& d : devices)
    if (d.name == name) return &d;
  return nullptr;
}

}  // namespace

void check_container_ports(const List<corev1::ContainerPort>& ports, const Path& at, Findings& findings) {
  Seen names;
  for (size_t i = 0; i < ports.size(); ++i) {
    const auto& port = ports[i];
    const Path here = at.index(i);
    if (!port.name.empty()) {
      if (const Messages wrong = check_port_name(port.name); !wrong.empty()) findings.invalid(here.child("name"), port.name, wrong);
      else if (!names.insert(port.name)) findings.duplicate(here.child("name"), port.name);
    }
    if (port.container_port == 0) findings.required(here.child("containerPort"));
    else check_port_number(port.container_port, here.child("containerPort"), findings);
    if (port.host_port != 0) check_port_number(port.host_port, here.child("hostPort"), findings);
    if (port.protocol.empty()) findings.required(here.child("protocol"));
    else if (!is_one_of(port.protocol, {"SCTP", "TCP", "UDP"}))
      findings.not_supported(here.child("protocol"), port.protocol, {"SCTP", "TCP", "UDP"});
  }
}

void check_environment(const List<corev1::EnvVar>& vars, const Path& at, Findings& findings) {
  for (size_t i = 0; i < vars.size(); ++i) {
    const Path here = at.index(i);
    if (vars[i].name.empty()) findings.required(here.child("name"));
    else if (const Messages wrong = check_env_name(vars[i].name); !wrong.empty()) findings.invalid(here.child("name"), vars[i].name, wrong);
    if (vars[i].value_from) check_value_from(vars[i], here.child("valueFrom"), findings);
  }
}

void check_environment_sources(const List<corev1::EnvFromSource>& sources, const Path& at, Findings& findings) {
  for (size_t i = 0; i < sources.size(); ++i) {
    const auto& source = sources[i];
    const Path here = at.index(i);
    if (!source.prefix.empty())
      if (const Messages wrong = check_env_name(source.prefix); !wrong.empty()) findings.invalid(here.child("prefix"), source.prefix, wrong);
    if (source.config_map_ref) check_env_from_name(source.config_map_ref->name, here.child("configMapRef.name"), findings);
    if (source.secret_ref) check_env_from_name(source.secret_ref->name, here.child("secretRef.name"), findings);
    if (!source.config_map_ref && !source.secret_ref)
      findings.invalid(at, "", "must specify one of: `configMapRef` or `secretRef`");
    else if (source.config_map_ref && source.secret_ref)
      findings.invalid(at, "", "may not have more than one field specified at a time");
  }
}

void check_mounts(const List<corev1::VolumeMount>& mounts, const List<corev1::VolumeDevice>& devices, const PodVolumes& volumes,
                  bool privileged, const Path& at, Findings& findings) {
  Seen paths;
  for (size_t i = 0; i < mounts.size(); ++i) {
    const auto& mount = mounts[i];
    const Path here = at.index(i);
    const auto* volume = volumes.find(mount.name);
    if (mount.name.empty()) findings.required(here.child("name"));
    if (!volume) findings.not_found(here.child("name"), mount.name);
    if (mount.mount_path.empty()) findings.required(here.child("mountPath"));
    if (!paths.insert(mount.mount_path)) findings.invalid(here.child("mountPath"), mount.mount_path, "must be unique");
    if (find_device(devices, mount.name))
      findings.invalid(here.child("name"), mount.name, "must not already exist in volumeDevices");
    for (const auto& device : devices)
      if (device.device_path == mount.mount_path) {
        findings.invalid(here.child("mountPath"), mount.mount_path, "must not already exist as a path in volumeDevices");
        break;
      }
    check_sub_paths(mount, volume, at, here, findings);
    if (mount.mount_propagation) check_propagation(mount, privileged, at.child("mountPropagation"), findings);
    if (mount.recursive_read_only) check_recursive_read_only(mount, at.child("recursiveReadOnly"), findings);
  }
}

void check_devices(const List<corev1::VolumeDevice>& devices, const List<corev1::VolumeMount>& mounts, const PodVolumes& volumes,
                   const Path& at, Findings& findings) {
  Seen names, paths;
  for (size_t i = 0; i < devices.size(); ++i) {
    const auto& device = devices[i];
    const Path here = at.index(i);
    const auto* volume = volumes.find(device.name);
    if (device.name.empty()) findings.required(here.child("name"));
    if (names.has(device.name)) findings.invalid(here.child("name"), device.name, "must be unique");
    if (!volume) findings.not_found(here.child("name"), device.name);
    else if (!volume->persistent_volume_claim && !volume->ephemeral)
      findings.invalid(here.child("name"), device.name, "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode");
    if (device.device_path.empty()) findings.required(here.child("devicePath"));
    if (paths.has(device.device_path)) findings.invalid(here.child("devicePath"), device.device_path, "must be unique");
    Findings backsteps;
    check_no_backsteps(device.device_path, here, backsteps);
    if (!backsteps.empty()) findings.invalid(here.child("devicePath"), device.device_path, "can not contain backsteps ('..')");
    else paths.insert(device.device_path);
    bool name_mounted = false, path_mounted = false;
    for (const auto& mount : mounts) {
      name_mounted = name_mounted || mount.name == device.name;
      path_mounted = path_mounted || mount.mount_path == device.device_path;
    }
    if (name_mounted) findings.invalid(here.child("name"), device.name, "must not already exist in volumeMounts");
    if (path_mounted)
      findings.invalid(here.child("devicePath"), device.device_path, "must not already exist as a path in volumeMounts");
    if (!device.name.empty()) names.insert(device.name);
  }
}

void check_lifecycle(const corev1::Lifecycle& lifecycle, const Opt<int64_t>& grace_seconds, const Path& at, Findings& findings) {
  if (lifecycle.post_start) check_lifecycle_handler(*lifecycle.post_start, grace_seconds, at.child("postStart"), findings);
  if (lifecycle.pre_stop) check_lifecycle_handler(*lifecycle.pre_stop, grace_seconds, at.child("preStop"), findings);
}

void check_probes(const Ref<corev1::Probe>& liveness, const Ref<corev1::Probe>& readiness, const Ref<corev1::Probe>& startup,
                  const Path& at, Findings& findings) {
  check_killing_probe(liveness, at.child("livenessProbe"), findings);
  if (readiness) {
    check_probe(*readiness, at.child("readinessProbe"), findings);
    if (readiness->termination_grace_period_seconds)
      findings.invalid(at.child("readinessProbe.terminationGracePeriodSeconds"), *readiness->termination_grace_period_seconds,
                       "must not be set for readinessProbes");
  }
  check_killing_probe(startup, at.child("startupProbe"), findings);
}

}  // namespace orrery::server
