#pragma once

#include "engine/base/rng.h"
#include "engine/server/auth/authorizer.h"
#include "engine/server/auth/object_reader.h"

namespace orrery::server {

/// A write as the admission plugins of this folder see it. Source: Kubernetes v1.32
/// admission.Attributes.
struct AdmissionRequest {
  enum class Operation : uint8_t { kCreate, kUpdate, kDelete };  // a patch is an update
  Operation operation = Operation::kCreate;
  ApiUser user;
  const api::KindDesc* kind = nullptr;  // of the resource, e.g. Pod also for pods/eviction
  Str subresource;
  Str ns;
  Str name;            // of the path; "" for creates of main resources
  api::Object object;  // the new one (of a subresource: its body); null for deletes
  api::Object old;     // updates and deletes
};

/// NodeRestriction: a kubelet may write its own node, pods bound to it, its lease, its CSINode, and
/// ask for tokens of pods on it only. Off unless enabled, as in kube-apiserver.
Refusal node_restriction(const AdmissionRequest& request, const ObjectReader& objects);

/// CertificateApproval, CertificateSigning and CertificateSubjectRestriction for writes of
/// certificatesigningrequests: approving needs the verb approve, setting status.certificate the
/// verb sign on the signer; nobody may ask kube-apiserver-client for system:masters.
Refusal certificate_approval(const AdmissionRequest& request, const Authorizer& authorizer);
Refusal certificate_signing(const AdmissionRequest& request, const Authorizer& authorizer);
Refusal certificate_subject_restriction(const AdmissionRequest& request);

/// ServiceAccount, mutating part, on creates of pods: the account "default" unless the pod names
/// one, the volume kube-api-access-XXXXX with its mounts, and the account's imagePullSecrets.
/// Changes request.object. `names` draws the five characters.
Refusal admit_service_account(AdmissionRequest& request, const ObjectReader& objects,
                              RngStream& names);
/// ServiceAccount, validating part: after all mutating plugins.
Refusal validate_service_account(const AdmissionRequest& request, const ObjectReader& objects);

}  // namespace orrery::server
