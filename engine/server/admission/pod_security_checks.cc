// The rules of the level baseline, in the order of their names.
#include "engine/server/admission/pod_security_checks.h"

#include "engine/api/names.h"

namespace orrery::server {
namespace {

using corev1::SecurityContext;

template <size_t N>
bool is_one(std::string_view text, const std::string_view (&of)[N]) {
  return std::find(std::begin(of), std::end(of), text) != std::end(of);
}

void check_app_armor(const CheckedPod& pod, PodSecurityViolations& out) {
  constexpr std::string_view kPrefix = "container.apparmor.security.beta.kubernetes.io/";
  Texts values;
  const auto is_bad = [&](const auto& context) {
    if (!context.app_armor_profile || is_allowed_profile(context.app_armor_profile->type)) return false;
    insert_sorted(values, context.app_armor_profile->type);
    return true;
  };
  Texts who;
  if (is_bad(*pod.spec.security_context)) who.push_back("pod");
  if (const Texts names = bad_containers(pod.spec, is_bad); !names.empty()) who.push_back(containers_named(names));
  Texts annotations;
  for (const auto& [key, value] : pod.meta.annotations) {
    const bool allowed = value.empty() || value == "runtime/default" || value.view().starts_with("localhost/");
    if (key.view().starts_with(kPrefix) && !allowed) annotations.push_back(str_cat(key, "=", api::quoted(value)));
  }
  if (!annotations.empty()) who.push_back(std::string(plural("annotation", "annotations", annotations.size())));
  values.insert(values.end(), annotations.begin(), annotations.end());
  if (who.empty()) return;
  out.push_back({std::string(plural("forbidden AppArmor profile", "forbidden AppArmor profiles", values.size())),
                 str_cat(api::join(who, " and "), " must not set AppArmor profile type to ", in_quotes(values))});
}

void check_capabilities(const CheckedPod& pod, PodSecurityViolations& out) {
  static constexpr std::string_view kDefault[] = {"AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD",
                                                  "NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"};
  Texts added;
  const Texts names = bad_containers(pod.spec, [&](const SecurityContext& context) {
    bool bad = false;
    for (const Str& capability : context.capabilities->add) {
      if (is_one(capability, kDefault)) continue;
      bad = true;
      insert_sorted(added, capability);
    }
    return bad;
  });
  if (names.empty()) return;
  out.push_back({"non-default capabilities", str_cat(containers_named(names), " must not include ", in_quotes(added),
                                                     " in securityContext.capabilities.add")});
}

void check_host_namespaces(const CheckedPod& pod, PodSecurityViolations& out) {
  Texts used;
  if (pod.spec.host_network) used.push_back("hostNetwork=true");
  if (pod.spec.host_pid) used.push_back("hostPID=true");
  if (pod.spec.host_ipc) used.push_back("hostIPC=true");
  if (!used.empty()) out.push_back({"host namespaces", api::join(used, ", ")});
}

void check_host_paths(const CheckedPod& pod, PodSecurityViolations& out) {
  Texts names;
  for (const corev1::Volume& volume : pod.spec.volumes)
    if (volume.host_path) names.push_back(volume.name.str());
  if (!names.empty()) out.push_back({"hostPath volumes", str_cat(plural("volume ", "volumes ", names.size()), in_quotes(names))});
}

void check_host_ports(const CheckedPod& pod, PodSecurityViolations& out) {
  Texts names, ports;
  for_each_container(pod.spec, [&](const auto& container) {
    bool bad = false;
    for (const corev1::ContainerPort& port : container.ports) {
      if (port.host_port == 0) continue;
      bad = true;
      insert_sorted(ports, str_cat(int{port.host_port}));
    }
    if (bad) names.push_back(container.name.str());
  });
  if (names.empty()) return;
  out.push_back({"hostPort", str_cat(containers_named(names), plural(" uses ", " use ", names.size()),
                                     plural("hostPort ", "hostPorts ", ports.size()), api::join(ports, ", "))});
}

void check_privileged(const CheckedPod& pod, PodSecurityViolations& out) {
  const Texts names = bad_containers(pod.spec, [](const SecurityContext& c) { return c.privileged.value_or(false); });
  if (!names.empty()) out.push_back({"privileged", containers_named(names) + " must not set securityContext.privileged=true"});
}

void check_proc_mount(const CheckedPod& pod, PodSecurityViolations& out) {
  Texts values;
  const Texts names = bad_containers(pod.spec, [&](const SecurityContext& context) {
    if (!context.proc_mount || *context.proc_mount == "Default") return false;
    insert_sorted(values, *context.proc_mount);
    return true;
  });
  if (names.empty()) return;
  out.push_back({"procMount", str_cat(containers_named(names), " must not set securityContext.procMount to ", in_quotes(values))});
}

void check_se_linux(const CheckedPod& pod, PodSecurityViolations& out) {
  static constexpr std::string_view kTypes[] = {"", "container_t", "container_init_t", "container_kvm_t"};
  constexpr int kEngineTypeSince = 31;
  Texts types;
  bool user = false, role = false;
  const auto is_bad = [&](const auto& context) {
    if (!context.se_linux_options) return false;
    const corev1::SELinuxOptions& options = *context.se_linux_options;
    const bool engine = options.type == "container_engine_t" && pod.minor >= kEngineTypeSince;
    const bool bad_type = !is_one(options.type, kTypes) && !engine;
    if (bad_type) insert_sorted(types, options.type);
    user = user || !options.user.empty();
    role = role || !options.role.empty();
    return bad_type || !options.user.empty() || !options.role.empty();
  };
  const bool of_pod = is_bad(*pod.spec.security_context);
  const std::string who = setters(of_pod, bad_containers(pod.spec, is_bad));
  if (who.empty()) return;
  Texts what;
  if (!types.empty()) what.push_back(str_cat(plural("type ", "types ", types.size()), in_quotes(types)));
  if (user) what.push_back("user may not be set");
  if (role) what.push_back("role may not be set");
  out.push_back({"seLinuxOptions", str_cat(who, " set forbidden securityContext.seLinuxOptions: ", api::join(what, "; "))});
}

void check_seccomp(const CheckedPod& pod, PodSecurityViolations& out) {
  constexpr int kSince = 19;
  if (pod.minor < kSince) return;
  Texts values;
  const auto is_bad = [&](const auto& context) {
    if (!context.seccomp_profile || is_allowed_profile(context.seccomp_profile->type)) return false;
    insert_sorted(values, context.seccomp_profile->type);
    return true;
  };
  const bool of_pod = is_bad(*pod.spec.security_context);
  const std::string who = setters(of_pod, bad_containers(pod.spec, is_bad));
  if (who.empty()) return;
  out.push_back({"seccompProfile", str_cat(who, " must not set securityContext.seccompProfile.type to ", in_quotes(values))});
}

void check_sysctls(const CheckedPod& pod, PodSecurityViolations& out) {
  struct Safe {
    std::string_view name;
    int since;
  };
  static constexpr Safe kSafe[] = {
      {"kernel.shm_rmid_forced", 0},         {"net.ipv4.ip_local_port_range", 0},  {"net.ipv4.tcp_syncookies", 0},
      {"net.ipv4.ping_group_range", 0},      {"net.ipv4.ip_unprivileged_port_start", 0},
      {"net.ipv4.ip_local_reserved_ports", 27}, {"net.ipv4.tcp_keepalive_time", 29}, {"net.ipv4.tcp_fin_timeout", 29},
      {"net.ipv4.tcp_keepalive_intvl", 29},  {"net.ipv4.tcp_keepalive_probes", 29}, {"net.ipv4.tcp_rmem", 32},
      {"net.ipv4.tcp_wmem", 32}};
  Texts forbidden;
  for (const corev1::Sysctl& sysctl : pod.spec.security_context->sysctls) {
    const bool safe = std::any_of(std::begin(kSafe), std::end(kSafe),
                                  [&](const Safe& one) { return sysctl.name == one.name && pod.minor >= one.since; });
    if (!safe) forbidden.push_back(sysctl.name.str());
  }
  if (!forbidden.empty()) out.push_back({"forbidden sysctls", api::join(forbidden, ", ")});
}

void check_host_process(const CheckedPod& pod, PodSecurityViolations& out) {
  const auto is_bad = [](const auto& context) { return context.windows_options->host_process.value_or(false); };
  const std::string who = setters(is_bad(*pod.spec.security_context), bad_containers(pod.spec, is_bad));
  if (!who.empty()) out.push_back({"hostProcess", who + " must not set securityContext.windowsOptions.hostProcess=true"});
}

}  // namespace

void insert_sorted(Texts& texts, std::string_view text) {
  const auto at = std::lower_bound(texts.begin(), texts.end(), text);
  if (at == texts.end() || *at != text) texts.insert(at, std::string(text));
}

std::string in_quotes(const Texts& texts) { return str_cat("\"", api::join(texts, "\", \""), "\""); }

std::string containers_named(const Texts& names) {
  return str_cat(plural("container ", "containers ", names.size()), in_quotes(names));
}

bool is_allowed_profile(std::string_view type) { return type == "RuntimeDefault" || type == "Localhost"; }

std::string setters(bool pod, const Texts& containers) {
  Texts who;
  if (pod) who.push_back("pod");
  if (!containers.empty()) who.push_back(containers_named(containers));
  return api::join(who, " and ");
}

void check_baseline(const CheckedPod& pod, bool restricted, PodSecurityViolations& out) {
  constexpr int kRestrictedCapabilitiesSince = 22, kRestrictedSeccompSince = 19;
  check_app_armor(pod, out);
  if (!restricted || pod.minor < kRestrictedCapabilitiesSince) check_capabilities(pod, out);
  check_host_namespaces(pod, out);
  if (!restricted) check_host_paths(pod, out);
  check_host_ports(pod, out);
  check_privileged(pod, out);
  check_proc_mount(pod, out);
  check_se_linux(pod, out);
  if (!restricted || pod.minor < kRestrictedSeccompSince) check_seccomp(pod, out);
  check_sysctls(pod, out);
  check_host_process(pod, out);
}

}  // namespace orrery::server
