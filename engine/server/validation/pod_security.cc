#include "engine/server/validation/pod_security.h"

#include <algorithm>

#include "engine/server/validation/windows_options.h"

namespace orrery::server {
namespace {

void check_seccomp(const Ref<corev1::SeccompProfile>& profile, const Path& at, Findings& findings) {
  if (!profile) return;
  if (profile->type.empty()) findings.required(at.child("type"), "type is required when seccompProfile is set");
  else if (!is_one_of(profile->type, {"Localhost", "RuntimeDefault", "Unconfined"}))
    findings.not_supported(at.child("type"), profile->type, {"Localhost", "RuntimeDefault", "Unconfined"});
  const Path local = at.child("localhostProfile");
  if (profile->type != "Localhost") {
    if (profile->localhost_profile)
      findings.invalid(local, Shown::object(*profile), "can only be set when seccomp type is Localhost");
  } else if (!profile->localhost_profile) {
    findings.required(local, "must be set when seccomp type is Localhost");
  } else {
    check_descending_path(*profile->localhost_profile, local, findings);
  }
}

void check_app_armor(const Ref<corev1::AppArmorProfile>& profile, const Path& at, Findings& findings) {
  if (!profile) return;
  constexpr size_t kProfileMax = 4095;
  const auto& name = profile->localhost_profile;
  const Path local = at.child("localhostProfile");
  if (profile->type == "Localhost") {
    if (!name) return findings.required(local, "must be set when AppArmor type is Localhost");
    if (trim_space(*name).size() != name->size()) findings.invalid(local, *name, "must not be padded with whitespace");
    else if (name->empty()) findings.required(local, "must be set when AppArmor type is Localhost");
    if (name->size() > kProfileMax) findings.too_long(local, kProfileMax);
  } else if (is_one_of(profile->type, {"RuntimeDefault", "Unconfined"})) {
    if (name) findings.invalid(local, *name, "can only be set when AppArmor type is Localhost");
  } else if (profile->type.empty()) {
    findings.required(at.child("type"), "type is required when appArmorProfile is set");
  } else {
    findings.not_supported(at.child("type"), profile->type, {"Localhost", "RuntimeDefault", "Unconfined"});
  }
}

bool is_sysctl_char(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

// Segments of [a-z0-9]([-_a-z0-9]*[a-z0-9])? between '.' and '/'.
bool is_sysctl_name(std::string_view name) {
  constexpr size_t kNameMax = 253;
  if (name.size() > kNameMax) return false;
  for (;;) {
    const size_t end = name.find_first_of("./");
    const std::string_view segment = name.substr(0, end);
    if (segment.empty() || !is_sysctl_char(segment.front()) || !is_sysctl_char(segment.back())) return false;
    if (!std::all_of(segment.begin(), segment.end(), [](char c) { return is_sysctl_char(c) || c == '-' || c == '_'; })) return false;
    if (end == std::string_view::npos) return true;
    name.remove_prefix(end + 1);
  }
}

bool is_ipc_sysctl(std::string_view name) {
  return is_one_of(name, {"kernel.sem"}) || name.starts_with("kernel.shm") || name.starts_with("kernel.msg") ||
         name.starts_with("fs.mqueue.");
}

void check_sysctls(const corev1::PodSpec& spec, bool check_namespaces, const Path& at, Findings& findings) {
  Seen names;
  const auto& sysctls = spec.security_context->sysctls;
  for (size_t i = 0; i < sysctls.size(); ++i) {
    const Str& name = sysctls[i].name;
    const Path item = at.index(i);
    const Path here = item.child("name");
    if (name.empty()) findings.required(here);
    else if (!is_sysctl_name(name))
      findings.invalid(here, name,
                       "must have at most 253 characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$");
    else if (names.has(name)) findings.duplicate(here, name);
    std::string dotted = name.str();
    std::replace(dotted.begin(), dotted.end(), '/', '.');
    if (check_namespaces && spec.host_network && std::string_view(dotted).starts_with("net."))
      findings.invalid(here, name, "may not be specified when 'hostNetwork' is true");
    else if (check_namespaces && spec.host_ipc && is_ipc_sysctl(dotted))
      findings.invalid(here, name, "may not be specified when 'hostIPC' is true");
    names.insert(name);
  }
}

constexpr std::string_view kNotForWindows = "cannot be set for a windows pod";

void check_windows_pod(const corev1::PodSpec& spec, const Path& at, Findings& findings) {
  const auto& context = *spec.security_context;
  const auto forbid = [&](bool set, std::string_view name) {
    if (set) findings.forbidden(at.child(name), kNotForWindows);
  };
  forbid(static_cast<bool>(context.app_armor_profile), "securityContext.appArmorProfile");
  forbid(static_cast<bool>(context.se_linux_options), "securityContext.seLinuxOptions");
  forbid(spec.host_users.has_value(), "hostUsers");
  forbid(spec.host_pid, "hostPID");
  forbid(spec.host_ipc, "hostIPC");
  forbid(static_cast<bool>(context.seccomp_profile), "securityContext.seccompProfile");
  forbid(context.fs_group.has_value(), "securityContext.fsGroup");
  forbid(context.fs_group_change_policy.has_value(), "securityContext.fsGroupChangePolicy");
  forbid(!context.sysctls.empty(), "securityContext.sysctls");
  forbid(spec.share_process_namespace.has_value(), "shareProcessNamespace");
  forbid(context.run_as_user.has_value(), "securityContext.runAsUser");
  forbid(context.run_as_group.has_value(), "securityContext.runAsGroup");
  forbid(!context.supplemental_groups.is_nil(), "securityContext.supplementalGroups");
  forbid(context.supplemental_groups_policy.has_value(), "securityContext.supplementalGroupsPolicy");
  forbid(context.se_linux_change_policy.has_value(), "securityContext.seLinuxChangePolicy");
}

void check_windows_container(const corev1::SecurityContext& sc, const Path& at, Findings& findings) {
  const auto forbid = [&](bool set, std::string_view name) {
    if (set) findings.forbidden(at.child(name), kNotForWindows);
  };
  forbid(static_cast<bool>(sc.app_armor_profile), "appArmorProfile");
  forbid(static_cast<bool>(sc.se_linux_options), "seLinuxOptions");
  forbid(static_cast<bool>(sc.seccomp_profile), "seccompProfile");
  forbid(static_cast<bool>(sc.capabilities), "capabilities");
  forbid(sc.read_only_root_filesystem.has_value(), "readOnlyRootFilesystem");
  forbid(sc.privileged.has_value(), "privileged");
  forbid(sc.allow_privilege_escalation.has_value(), "allowPrivilegeEscalation");
  forbid(sc.proc_mount.has_value(), "procMount");
  forbid(sc.run_as_user.has_value(), "runAsUser");
  forbid(sc.run_as_group.has_value(), "runAsGroup");
}

constexpr std::string_view kSeccompPod = "seccomp.security.alpha.kubernetes.io/pod";
constexpr std::string_view kSeccompContainer = "container.seccomp.security.alpha.kubernetes.io/";
constexpr std::string_view kAppArmorContainer = "container.apparmor.security.beta.kubernetes.io/";

// The annotation must say what the field says.
template <typename P>
void check_profiles_agree(const Str& annotation, const P& profile, std::string_view runtime_default, std::string_view what,
                          const Path& at, Findings& findings) {
  constexpr std::string_view kLocal = "localhost/";
  const bool local = annotation.view().starts_with(kLocal);
  const bool same_type = profile.type == "Unconfined"       ? annotation == "unconfined"
                         : profile.type == "RuntimeDefault" ? annotation == runtime_default || annotation == "docker/default"
                         : profile.type == "Localhost"      ? local
                                                            : true;
  if (!same_type) return findings.forbidden(at.child("type"), str_cat(what, " type in annotation and field must match"));
  if (profile.type == "Localhost" && annotation.view().substr(kLocal.size()) != profile.localhost_profile.value_or(Str()).view())
    findings.forbidden(at.child("localhostProfile"), str_cat(what, " profile in annotation and field must match"));
}

void check_seccomp_text(const Str& profile, const Path& at, Findings& findings) {
  constexpr std::string_view kLocal = "localhost/";
  if (is_one_of(profile, {"runtime/default", "docker/default", "unconfined"})) return;
  if (profile.view().starts_with(kLocal)) return check_descending_path(profile.view().substr(kLocal.size()), at, findings);
  findings.invalid(at, profile, "must be a valid seccomp profile");
}

}  // namespace

void check_security_context(const corev1::SecurityContext& sc, bool host_users, bool allow_privileged, const Path& at,
                            Findings& findings) {
  const bool privileged = sc.privileged.value_or(false);
  if (privileged && !allow_privileged) findings.forbidden(at.child("privileged"), "disallowed by cluster policy");
  if (sc.run_as_user) check_user_id(*sc.run_as_user, at.child("runAsUser"), findings);
  if (sc.run_as_group) check_user_id(*sc.run_as_group, at.child("runAsGroup"), findings);
  if (sc.proc_mount) {
    if (!is_one_of(*sc.proc_mount, {"Default", "Unmasked"}))
      findings.not_supported(at.child("procMount"), *sc.proc_mount, {"Default", "Unmasked"});
    if (host_users && *sc.proc_mount == "Unmasked")
      findings.invalid(at.child("procMount"), *sc.proc_mount, "`hostUsers` must be false to use `Unmasked`");
  }
  check_seccomp(sc.seccomp_profile, at.child("seccompProfile"), findings);
  if (sc.allow_privilege_escalation && !*sc.allow_privilege_escalation) {
    if (privileged)
      findings.invalid(at, Shown::object(sc), "cannot set `allowPrivilegeEscalation` to false and `privileged` to true");
    if (sc.capabilities)
      for (const Str& capability : sc.capabilities->add)
        if (capability == "CAP_SYS_ADMIN")
          findings.invalid(at, Shown::object(sc), "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN");
  }
  if (sc.windows_options) check_windows_options(*sc.windows_options, at.child("windowsOptions"), findings);
  check_app_armor(sc.app_armor_profile, at.child("appArmorProfile"), findings);
}

void check_pod_security_context(const corev1::PodSpec& spec, bool check_sysctl_namespaces, const Path& at, Findings& findings) {
  if (!spec.security_context) return;
  const auto& context = *spec.security_context;
  const Path here = at.child("securityContext");
  if (context.fs_group) check_user_id(*context.fs_group, here.child("fsGroup"), findings);
  if (context.run_as_user) check_user_id(*context.run_as_user, here.child("runAsUser"), findings);
  if (context.run_as_group) check_user_id(*context.run_as_group, here.child("runAsGroup"), findings);
  for (size_t i = 0; i < context.supplemental_groups.size(); ++i)
    check_user_id(context.supplemental_groups[i], here.child("supplementalGroups", i), findings);
  if (spec.host_pid && spec.share_process_namespace.value_or(false))
    findings.invalid(here.child("shareProcessNamespace"), true, "ShareProcessNamespace and HostPID cannot both be enabled");
  if (!context.sysctls.empty()) check_sysctls(spec, check_sysctl_namespaces, here.child("sysctls"), findings);
  if (context.fs_group_change_policy && !is_one_of(*context.fs_group_change_policy, {"Always", "OnRootMismatch"}))
    findings.not_supported(here.child("fsGroupChangePolicy"), *context.fs_group_change_policy, {"Always", "OnRootMismatch"});
  check_seccomp(context.seccomp_profile, here.child("seccompProfile"), findings);
  if (context.windows_options) check_windows_options(*context.windows_options, here.child("windowsOptions"), findings);
  check_app_armor(context.app_armor_profile, here.child("appArmorProfile"), findings);
  if (context.supplemental_groups_policy && !is_one_of(*context.supplemental_groups_policy, {"Merge", "Strict"}))
    findings.not_supported(here.child("supplementalGroupsPolicy"), *context.supplemental_groups_policy, {"Merge", "Strict"});
}

void check_host_process(const corev1::PodSpec& spec, bool allow_privileged, const Path& at, Findings& findings) {
  Opt<bool> pod;
  if (spec.security_context && spec.security_context->windows_options)
    pod = spec.security_context->windows_options->host_process;
  size_t count = 0, host = 0;
  for_each_container(spec, at, [&](const auto& c, const Path& here) {
    ++count;
    Opt<bool> own;
    if (c.security_context && c.security_context->windows_options) own = c.security_context->windows_options->host_process;
    if (pod && own && *pod != *own)
      findings.invalid(here.child("securityContext.windowsOptions.hostProcess"), *own,
                       str_cat("pod hostProcess value must be identical if both are specified, was ", *pod ? "true" : "false"));
    if (own.has_value() ? *own : pod.value_or(false)) ++host;
  });
  if (host == 0) return;
  if (host != count)
    findings.invalid(at, "", "If pod contains any hostProcess containers then all containers must be HostProcess containers");
  if (!spec.host_network)
    findings.invalid(at.child("hostNetwork"), false, "hostNetwork must be true if pod contains any hostProcess containers");
  if (!allow_privileged) findings.forbidden(at, "hostProcess containers are disallowed by cluster policy");
}

void check_pod_os(const corev1::PodSpec& spec, const Path& at, Findings& findings) {
  if (!spec.os) return;
  const Str& name = spec.os->name;
  if (name.empty()) return findings.required(at.child("os.name"), "cannot be empty");
  if (!is_one_of(name, {"linux", "windows"})) return findings.not_supported(at.child("os"), name, {"linux", "windows"});
  if (name == "windows") {
    if (spec.security_context) check_windows_pod(spec, at, findings);
    for_each_container(spec, at, [&](const auto& c, const Path& here) {
      if (c.security_context) check_windows_container(*c.security_context, here.child("securityContext"), findings);
    });
    return;
  }
  constexpr std::string_view kText = "windows options cannot be set for a linux pod";
  if (spec.security_context && spec.security_context->windows_options)
    findings.forbidden(at.child("securityContext.windowsOptions"), kText);
  for_each_container(spec, at, [&](const auto& c, const Path& here) {
    if (c.security_context && c.security_context->windows_options)
      findings.forbidden(here.child("securityContext.windowsOptions"), kText);
  });
}

void check_profile_annotations(const Map<Str>& annotations, const corev1::PodSpec& spec, const Path& at, Findings& findings) {
  if (annotations.empty()) return;
  const auto* pod = spec.security_context.get();
  if (pod && pod->seccomp_profile)
    if (const Str* annotation = annotations.find(kSeccompPod))
      check_profiles_agree(*annotation, *pod->seccomp_profile, "runtime/default", "seccomp", at.child("securityContext.seccompProfile"), findings);
  for_each_container(spec, at, [&](const auto& c, const Path& here) {
    if (!c.security_context || !c.security_context->seccomp_profile) return;
    if (const Str* annotation = annotations.find(str_cat(kSeccompContainer, c.name)))
      check_profiles_agree(*annotation, *c.security_context->seccomp_profile, "runtime/default", "seccomp",
                           here.child("securityContext.seccompProfile"), findings);
  });
  if (spec.os && spec.os->name == "windows") return;
  for_each_container(spec, at, [&](const auto& c, const Path& here) {
    const corev1::AppArmorProfile* profile = pod ? pod->app_armor_profile.get() : nullptr;
    if (c.security_context && c.security_context->app_armor_profile) profile = c.security_context->app_armor_profile.get();
    if (!profile) return;
    if (const Str* annotation = annotations.find(str_cat(kAppArmorContainer, c.name)))
      check_profiles_agree(*annotation, *profile, "runtime/default", "apparmor", here.child("securityContext.appArmorProfile"), findings);
  });
}

void check_seccomp_annotations(const Map<Str>& annotations, const Path& at, Findings& findings) {
  for (const auto& [key, profile] : annotations)
    if (key == kSeccompPod || key.view().starts_with(kSeccompContainer)) check_seccomp_text(profile, at.child(key), findings);
}

void check_app_armor_annotations(const Map<Str>& annotations, const corev1::PodSpec& spec, const Path& at, Findings& findings) {
  for (const auto& [key, profile] : annotations) {
    if (!key.view().starts_with(kAppArmorContainer)) continue;
    const std::string_view name = key.view().substr(kAppArmorContainer.size());
    bool found = false;
    for_each_container(spec, at, [&](const auto& c, const Path&) { found = found || c.name == name; });
    if (!found) findings.invalid(at.key(key), name, "container not found");
    const bool known = profile.empty() || is_one_of(profile, {"runtime/default", "unconfined"}) || profile.view().starts_with("localhost/");
    if (!known) findings.invalid(at.key(key), profile, str_cat("invalid AppArmor profile name: ", Shown(profile).text));
  }
}

}  // namespace orrery::server
