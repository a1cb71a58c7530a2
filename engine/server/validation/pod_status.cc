#include "engine/server/validation/pod_status.h"

#include <algorithm>

#include "engine/server/validation/ip.h"
#include "engine/server/validation/text_rules.h"

namespace orrery::server {
namespace {

using Statuses = List<corev1::ContainerStatus>;

bool restarts_always(const List<corev1::Container>& containers, const Str& name) {
  const auto* found = std::find_if(containers.begin(), containers.end(), [&](const auto& c) { return c.name == name; });
  return found != containers.end() && found->restart_policy == Str("Always");
}

void check_transitions(const Statuses& fresh, const Statuses& old, const Str& restart_policy, const List<corev1::Container>& restarting,
                       const Path& at, Findings& findings) {
  if (restart_policy == "Always") return;
  for (size_t i = 0; i < old.size(); ++i) {
    const auto& ended = old[i].state.terminated;
    if (!ended || (ended->exit_code != 0 && restart_policy == "OnFailure")) continue;
    if (restarts_always(restarting, old[i].name)) continue;
    const Path here = at.index(i);
    for (const auto& status : fresh)
      if (status.name == old[i].name && !status.state.terminated)
        findings.forbidden(here.child("state"), "may not be transitioned to non-terminated state");
  }
}

template <typename L>
void check_status_ips(const L& ips, const Path& at, Findings& findings) {
  Seen seen;
  size_t v4 = 0;
  for (size_t i = 0; i < ips.size(); ++i) {
    check_ip(ips[i].ip, at.index(i), findings);
    v4 += is_ipv6_text(ips[i].ip) ? 0 : 1;
  }
  if (ips.size() < 2) return;
  if (ips.size() > 2 || v4 != 1) findings.invalid(at, Shown::object(ips[0]), "may specify no more than one IP for each IP family");
  for (size_t i = 0; i < ips.size(); ++i)
    if (!seen.insert(ips[i].ip)) findings.duplicate(at.index(i), Shown::object(ips[i]));
}

void check_claim_statuses(const corev1::Pod& pod, const Path& at, Findings& findings) {
  const auto& claims = pod.spec->resource_claims;
  Seen names;
  for (size_t i = 0; i < pod.status->resource_claim_statuses.size(); ++i) {
    const auto& status = pod.status->resource_claim_statuses[i];
    const Path item = at.index(i);
    const Path here = item.child("name");
    if (std::none_of(claims.begin(), claims.end(), [&](const auto& claim) { return claim.name == status.name; }))
      findings.invalid(here, status.name, "must match the name of an entry in `spec.resourceClaims`");
    if (!names.insert(status.name)) findings.duplicate(here, status.name);
    if (status.resource_claim_name) check_subdomain(*status.resource_claim_name, here, findings);
  }
}

void check_users(const Statuses& statuses, bool windows, const Path& at, Findings& findings) {
  for (size_t i = 0; i < statuses.size(); ++i) {
    if (!statuses[i].user || !statuses[i].user->linux) continue;
    const auto& user = *statuses[i].user->linux;
    const Path item = at.index(i);
    const Path here = item.child("linux");
    if (windows) {
      findings.forbidden(here, "cannot be set for a windows pod");
      continue;
    }
    check_user_id(user.uid, here.child("uid"), findings);
    check_user_id(user.gid, here.child("gid"), findings);
    for (size_t g = 0; g < user.supplemental_groups.size(); ++g)
      check_user_id(user.supplemental_groups[g], here.child("supplementalGroups", g), findings);
  }
}

bool claims_resource(const corev1::Container& c, std::string_view name) {
  constexpr std::string_view kClaim = "claim:";
  if (!name.starts_with(kClaim)) return c.resources.requests.contains(name);
  return std::any_of(c.resources.claims.begin(), c.resources.claims.end(), [&](const auto& claim) {
    return name == str_cat(kClaim, claim.name, claim.request.empty() ? "" : "/", claim.request);
  });
}

void check_devices(const List<corev1::ResourceHealth>& devices, const Path& at, Findings& findings) {
  Seen ids;
  for (size_t i = 0; i < devices.size(); ++i) {
    const Path here = at.index(i);
    if (!is_one_of(devices[i].health, {"Healthy", "Unhealthy", "Unknown"}))
      findings.not_supported(here.child("health"), devices[i].health, {"Healthy", "Unhealthy", "Unknown"});
    if (!ids.insert(devices[i].resource_id)) findings.duplicate(here.child("resourceID"), devices[i].resource_id);
  }
}

void check_allocated(const Statuses& statuses, const List<corev1::Container>& containers, const Path& at, Findings& findings) {
  for (size_t i = 0; i < statuses.size(); ++i) {
    const Path item = at.index(i);
    const auto* container =
        std::find_if(containers.begin(), containers.end(), [&](const auto& c) { return c.name == statuses[i].name; });
    for (size_t r = 0; r < statuses[i].allocated_resources_status.size(); ++r) {
      const auto& resource = statuses[i].allocated_resources_status[r];
      const Path here = item.child("allocatedResourcesStatus", r);
      if (container != containers.end() && !claims_resource(*container, resource.name))
        findings.invalid(here.child("name"), Shown::raw(resource.name.str()),
                         resource.name.view().starts_with("claim:")
                             ? "must match one of the container's resource claims in a format 'claim:<claimName>/<request>' or "
                               "'claim:<claimName>' if request is empty"
                             : "must match one of the container's resource requests");
      check_devices(resource.resources, here.child("resources"), findings);
    }
  }
}

}  // namespace

void check_pod_status_parts(const corev1::Pod& pod, const corev1::Pod& old, Findings& findings) {
  constexpr Path kStatus("status");
  const Path containers = kStatus.child("containerStatuses"), inits = kStatus.child("initContainerStatuses"),
             ephemeral = kStatus.child("ephemeralContainerStatuses"), host_ips = kStatus.child("hostIPs");
  const auto &fresh = *pod.status, &before = *old.status;
  const Str& policy = old.spec->restart_policy;
  check_transitions(fresh.container_statuses, before.container_statuses, policy, {}, containers, findings);
  check_transitions(fresh.init_container_statuses, before.init_container_statuses, policy, old.spec->init_containers, inits, findings);
  check_transitions(fresh.ephemeral_container_statuses, before.ephemeral_container_statuses, "Never", {}, ephemeral, findings);
  check_claim_statuses(pod, kStatus.child("resourceClaimStatuses"), findings);
  check_status_ips(fresh.pod_ips, kStatus.child("podIPs"), findings);
  if (!fresh.host_ips.empty() && fresh.host_ip != fresh.host_ips[0].ip)
    findings.invalid(kStatus.child("hostIPs[0].ip"), fresh.host_ips[0].ip, "must be equal to `hostIP`");
  check_status_ips(fresh.host_ips, host_ips, findings);
  const bool windows = pod.spec->os && pod.spec->os->name == "windows";
  check_users(fresh.container_statuses, windows, containers, findings);
  check_users(fresh.init_container_statuses, windows, inits, findings);
  check_users(fresh.ephemeral_container_statuses, windows, ephemeral, findings);
  check_allocated(fresh.container_statuses, pod.spec->containers, containers, findings);
  check_allocated(fresh.init_container_statuses, pod.spec->init_containers, inits, findings);
  for (size_t i = 0; i < fresh.ephemeral_container_statuses.size(); ++i) {
    const Path here = ephemeral.index(i);
    if (!fresh.ephemeral_container_statuses[i].allocated_resources_status.empty())
      findings.forbidden(here.child("allocatedResourcesStatus"), "must not be specified in container status");
  }
}

}  // namespace orrery::server
