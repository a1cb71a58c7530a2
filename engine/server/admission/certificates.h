#pragma once

#include "engine/server/admission/chain.h"

namespace orrery::server {

/// Writes of certificatesigningrequests. Source: Kubernetes v1.32
/// plugin/pkg/admission/certificates.

/// CertificateApproval: changing /approval needs the verb approve on the signer, or on DOMAIN/*.
std::unique_ptr<AdmissionPlugin> certificate_approval();
/// CertificateSigning: changing certificate or conditions through /status needs the verb sign.
std::unique_ptr<AdmissionPlugin> certificate_signing();
/// CertificateSubjectRestriction: nobody may ask the signer kubernetes.io/kube-apiserver-client for
/// the organization system:masters.
std::unique_ptr<AdmissionPlugin> certificate_subject_restriction();
/// No plugin of kube-apiserver, but part of its storage: a new request says who has made it,
/// whatever its body claims, and conditions without times get them.
std::unique_ptr<AdmissionPlugin> certificate_requester();

}  // namespace orrery::server
