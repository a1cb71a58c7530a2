#pragma once

#include "engine/server/validation/text_rules.h"

namespace orrery::server {

/// Where webhooks are called: admission and conversion webhooks. Source: Kubernetes v1.32
/// apiserver/pkg/util/webhook/validation.go.
void check_webhook_url(std::string_view url, const Path& at, Findings& findings);
/// A ServiceReference of admissionregistration.k8s.io or apiextensions.k8s.io.
void check_webhook_path(const Str& path, const Path& at, Findings& findings);
template <typename S>
void check_webhook_service(const S& service, const Path& at, Findings& findings) {
  // Upstream takes the one for the other.
  if (service.namespace_.empty()) findings.required(at.child("name"), "service name is required");
  if (service.name.empty()) findings.required(at.child("namespace"), "service namespace is required");
  const int32_t port = service.port.value_or(0);
  if (port < 1 || port > 65535) findings.invalid(at.child("port"), port, str_cat("port is not valid: ", between(1, 65535)));
  if (service.path) check_webhook_path(*service.path, at.child("path"), findings);
}

}  // namespace orrery::server
