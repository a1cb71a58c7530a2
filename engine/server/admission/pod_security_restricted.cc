// What the level restricted asks for beyond baseline, in the order of the rules' names.
#include "engine/api/codec_json.h"
#include "engine/api/names.h"
#include "engine/server/admission/pod_security_checks.h"

namespace orrery::server {
namespace {

using corev1::SecurityContext;

// Since then rules that make no sense on Windows do not count for its pods.
constexpr int kWindowsExemptSince = 25;

void check_escalation_allowed(const CheckedPod& pod, PodSecurityViolations& out) {
  const Texts names =
      bad_containers(pod.spec, [](const SecurityContext& c) { return c.allow_privilege_escalation.value_or(true); });
  if (names.empty()) return;
  out.push_back({"allowPrivilegeEscalation != false",
                 containers_named(names) + " must set securityContext.allowPrivilegeEscalation=false"});
}

void check_capabilities_dropped(const CheckedPod& pod, PodSecurityViolations& out) {
  Texts added;
  const Texts keeping = bad_containers(pod.spec, [](const SecurityContext& context) {
    const auto& drop = context.capabilities->drop;
    return std::find(drop.begin(), drop.end(), "ALL") == drop.end();
  });
  const Texts adding = bad_containers(pod.spec, [&](const SecurityContext& context) {
    bool bad = false;
    for (const Str& capability : context.capabilities->add) {
      if (capability == "NET_BIND_SERVICE") continue;
      bad = true;
      insert_sorted(added, capability);
    }
    return bad;
  });
  Texts details;
  if (!keeping.empty()) details.push_back(containers_named(keeping) + " must set securityContext.capabilities.drop=[\"ALL\"]");
  if (!adding.empty())
    details.push_back(
        str_cat(containers_named(adding), " must not include ", in_quotes(added), " in securityContext.capabilities.add"));
  if (!details.empty()) out.push_back({"unrestricted capabilities", api::join(details, "; ")});
}

// The type of a volume as its field is called; "" if it is allowed.
std::string restricted_type(const corev1::Volume& volume) {
  static constexpr std::string_view kAllowed[] = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral",
                                                  "persistentVolumeClaim", "projected", "secret"};
  const api::Json fields = api::to_json(corev1::Volume::descriptor(), &volume);
  for (const auto& [name, value] : fields.members()) {
    if (name == "name") continue;
    if (std::find(std::begin(kAllowed), std::end(kAllowed), name.view()) != std::end(kAllowed)) return {};
    return name == "image" ? "unknown" : name.str();
  }
  return "unknown";
}

void check_volume_types(const CheckedPod& pod, PodSecurityViolations& out) {
  Texts names, types;
  for (const corev1::Volume& volume : pod.spec.volumes) {
    const std::string type = restricted_type(volume);
    if (type.empty()) continue;
    names.push_back(volume.name.str());
    insert_sorted(types, type);
  }
  if (names.empty()) return;
  out.push_back({"restricted volume types",
                 str_cat(plural("volume ", "volumes ", names.size()), in_quotes(names), plural(" uses ", " use ", names.size()),
                         plural("restricted volume type ", "restricted volume types ", types.size()), in_quotes(types))});
}

void check_non_root(const CheckedPod& pod, PodSecurityViolations& out) {
  const auto& of_pod = pod.spec.security_context->run_as_non_root;
  const auto says_root = [](const auto& context) { return !context.run_as_non_root.value_or(true); };
  const std::string who = setters(says_root(*pod.spec.security_context), bad_containers(pod.spec, says_root));
  if (!who.empty()) {
    out.push_back({"runAsNonRoot != true", who + " must not set securityContext.runAsNonRoot=false"});
    return;
  }
  if (of_pod.value_or(false)) return;
  const Texts silent = bad_containers(pod.spec, [](const SecurityContext& c) { return !c.run_as_non_root; });
  if (silent.empty()) return;
  out.push_back({"runAsNonRoot != true",
                 str_cat("pod or ", containers_named(silent), " must set securityContext.runAsNonRoot=true")});
}

void check_user(const CheckedPod& pod, PodSecurityViolations& out) {
  const auto is_bad = [](const auto& context) { return context.run_as_user.value_or(1) == 0; };
  const std::string who = setters(is_bad(*pod.spec.security_context), bad_containers(pod.spec, is_bad));
  if (!who.empty()) out.push_back({"runAsUser=0", who + " must not set runAsUser=0"});
}

void check_seccomp_set(const CheckedPod& pod, PodSecurityViolations& out) {
  Texts values;
  const auto is_bad = [&](const auto& context) {
    if (!context.seccomp_profile || is_allowed_profile(context.seccomp_profile->type)) return false;
    insert_sorted(values, context.seccomp_profile->type);
    return true;
  };
  const bool of_pod = is_bad(*pod.spec.security_context);
  const std::string who = setters(of_pod, bad_containers(pod.spec, is_bad));
  if (!who.empty()) {
    out.push_back({"seccompProfile", str_cat(who, " must not set securityContext.seccompProfile.type to ", in_quotes(values))});
    return;
  }
  if (pod.spec.security_context->seccomp_profile) return;
  const Texts silent = bad_containers(pod.spec, [](const SecurityContext& c) { return !c.seccomp_profile; });
  if (silent.empty()) return;
  out.push_back({"seccompProfile", str_cat("pod or ", containers_named(silent),
                                           " must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\"")});
}

}  // namespace

void check_restricted(const CheckedPod& pod, PodSecurityViolations& out) {
  constexpr int kEscalationSince = 8, kCapabilitiesSince = 22, kUserSince = 23, kSeccompSince = 19;
  const bool exempt = pod.is_windows() && pod.minor >= kWindowsExemptSince;
  if (pod.minor >= kEscalationSince && !exempt) check_escalation_allowed(pod, out);
  if (pod.minor >= kCapabilitiesSince && !exempt) check_capabilities_dropped(pod, out);
  check_volume_types(pod, out);
  check_non_root(pod, out);
  if (pod.minor >= kUserSince) check_user(pod, out);
  if (pod.minor >= kSeccompSince && !exempt) check_seccomp_set(pod, out);
}

}  // namespace orrery::server
