// API services. Source: Kubernetes v1.32 kube-aggregator/pkg/apis/apiregistration/validation.
#include "engine/api/gen/apiregistrationv1.h"
#include "engine/api/names.h"
#include "engine/server/validation/metadata.h"
#include "engine/server/validation/registry.h"

namespace orrery::server {
namespace {

using apiregistrationv1::APIService;

constexpr Path kSpec("spec");

// The name is "version.group".
void check_name(const APIService& service, Findings& findings) {
  const Str& name = service.metadata->name;
  const std::string wanted = str_cat(service.spec->version, ".", service.spec->group);
  check_object_meta(*service.metadata, false, name_is_path_segment, findings, false);
  if (!name.empty() && name.view() != wanted && check_path_segment(name).empty())
    findings.invalid(Path("metadata.name"), name, str_cat("must be `spec.version+\".\"+spec.group`: ", api::quoted(wanted)));
}

void check_backend(const APIService& service, Findings& findings) {
  const auto& spec = *service.spec;
  const Path insecure = kSpec.child("insecureSkipTLSVerify"), backend = kSpec.child("service");
  if (!spec.service) {
    if (!spec.ca_bundle.empty())
      findings.invalid(kSpec.child("caBundle"), str_cat(uint64_t{spec.ca_bundle.size()}, " bytes"), "local APIServices may not have a caBundle");
    if (spec.insecure_skip_tls_verify) findings.invalid(insecure, true, "local APIServices may not have insecureSkipTLSVerify");
    return;
  }
  if (spec.service->namespace_.empty()) findings.required(backend.child("namespace"));
  if (spec.service->name.empty()) findings.required(backend.child("name"));
  const int32_t port = spec.service->port.value_or(0);
  if (port < 1 || port > 65535) findings.invalid(backend.child("port"), port, str_cat("port is not valid: ", between(1, 65535)));
  if (spec.insecure_skip_tls_verify && !spec.ca_bundle.empty()) findings.invalid(insecure, true, "may not be true if caBundle is present");
}

void check_create(const APIService& service, Findings& findings) {
  constexpr int32_t kGroupMax = 20000, kVersionMax = 1000;
  const auto& spec = *service.spec;
  check_name(service, findings);
  if (spec.group.empty() && spec.version != "v1")
    findings.required(kSpec.child("group"), "only v1 may have an empty group and it better be legacy kube");
  if (!spec.group.empty()) check_subdomain(spec.group, kSpec.child("group"), findings);
  findings.invalid(kSpec.child("version"), spec.version, check_dns1035_label(spec.version));
  if (spec.group_priority_minimum <= 0 || spec.group_priority_minimum > kGroupMax)
    findings.invalid(kSpec.child("groupPriorityMinimum"), spec.group_priority_minimum, "must be positive and less than 20000");
  if (spec.version_priority <= 0 || spec.version_priority > kVersionMax)
    findings.invalid(kSpec.child("versionPriority"), spec.version_priority, "must be positive and less than 1000");
  check_backend(service, findings);
}

void check_update(const APIService& service, const APIService& old, Findings& findings) {
  check_object_meta_update(*service.metadata, *old.metadata, findings, false);
  check_create(service, findings);
}

void check_status(const APIService& service, const APIService& old, Findings& findings) {
  constexpr Path kConditions("status.conditions");
  check_object_meta_update(*service.metadata, *old.metadata, findings, false);
  const auto& conditions = service.status->conditions;
  for (size_t i = 0; i < conditions.size(); ++i) {
    const Path at = kConditions.index(i);
    if (!is_one_of(conditions[i].status, {"True", "False", "Unknown"}))
      findings.not_supported(at.child("status"), conditions[i].status, {"True", "False", "Unknown"});
  }
}

}  // namespace

std::span<const CheckRow> api_service_checks() {
  static const CheckRow kRows[] = {check_row<APIService, check_create, check_update, check_status>()};
  return kRows;
}

}  // namespace orrery::server
