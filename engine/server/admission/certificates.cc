#include "engine/server/admission/certificates.h"

#include <algorithm>

#include "engine/api/gen/certificatesv1.h"
#include "engine/api/names.h"
#include "engine/api/semantic.h"
#include "engine/server/admission/csr_subject.h"

namespace orrery::server {
namespace {

using certificatesv1::CertificateSigningRequest;
using Operation = AdmissionRequest::Operation;

constexpr std::string_view kGroup = "certificates.k8s.io";
constexpr std::string_view kClientSigner = "kubernetes.io/kube-apiserver-client";

Refusal refuse(const AdmissionRequest& request, std::string_view why) {
  const Str& name = request.name.empty() ? request.object.meta().name : request.name;
  return forbidden(kGroup, "certificatesigningrequests", name, why);
}

bool is_update_of(const AdmissionRequest& request, std::string_view subresource) {
  return request.operation == Operation::kUpdate && request.subresource == subresource &&
         request.old.is<CertificateSigningRequest>() &&
         request.object.is<CertificateSigningRequest>();
}

bool may(const AdmissionRequest& request, const AdmissionContext& context, std::string_view verb,
         const Str& signer) {
  if (is_own(request)) return true;
  Attributes a;
  a.user = request.user;
  a.verb = verb;
  a.is_resource = true;
  a.group = kGroup;
  a.version = "*";
  a.resource = "signers";
  a.name = signer;
  if (context.authorizer->authorize(a).allowed) return true;
  a.name = str_cat(signer.view().substr(0, signer.view().find('/')), "/*");
  return context.authorizer->authorize(a).allowed;
}

class CertificateApproval final : public AdmissionPlugin {
 public:
  std::string_view name() const override { return "CertificateApproval"; }
  Refusal validate(const AdmissionRequest& request, AdmissionContext& context) const override {
    if (!is_update_of(request, "approval") || context.authorizer == nullptr) return {};
    const Str& signer = request.old.get<CertificateSigningRequest>().spec->signer_name;
    if (may(request, context, "approve", signer)) return {};
    return refuse(request, str_cat("user not permitted to approve requests with signerName ",
                                   api::quoted(signer)));
  }
};

class CertificateSigning final : public AdmissionPlugin {
 public:
  std::string_view name() const override { return "CertificateSigning"; }
  Refusal validate(const AdmissionRequest& request, AdmissionContext& context) const override {
    if (!is_update_of(request, "status") || context.authorizer == nullptr) return {};
    const auto& old = request.old.get<CertificateSigningRequest>();
    if (api::semantic_equal(*old.status, *request.object.get<CertificateSigningRequest>().status))
      return {};
    if (may(request, context, "sign", old.spec->signer_name)) return {};
    return refuse(request, str_cat("user not permitted to sign requests with signerName ",
                                   api::quoted(old.spec->signer_name)));
  }
};

class CertificateSubjectRestriction final : public AdmissionPlugin {
 public:
  std::string_view name() const override { return "CertificateSubjectRestriction"; }
  Refusal validate(const AdmissionRequest& request, AdmissionContext&) const override {
    if (request.operation != Operation::kCreate || !request.subresource.empty()) return {};
    const auto* csr = request.object ? request.object.as<CertificateSigningRequest>() : nullptr;
    if (csr == nullptr || csr->spec->signer_name != kClientSigner) return {};
    const auto organizations = csr_organizations(csr->spec->request);
    if (!organizations.is_ok())
      return refuse(request, str_cat("failed to parse CSR: ", organizations.status().message()));
    if (std::find(organizations->begin(), organizations->end(), "system:masters") ==
        organizations->end())
      return {};
    return refuse(request, str_cat("use of ", kClientSigner,
                                   " signer with system:masters group is not allowed"));
  }
};

using Condition = certificatesv1::CertificateSigningRequestCondition;

// Since when the condition has had its status, as far as the old object knows.
api::Timestamp transition_time(const Condition& condition, const List<Condition>& old,
                               api::Timestamp now) {
  for (const Condition& before : old)
    if (before.type == condition.type && before.status == condition.status &&
        before.last_transition_time)
      return before.last_transition_time;
  return now;
}

class CertificateRequester final : public AdmissionPlugin {
 public:
  std::string_view name() const override { return "CertificateRequester"; }
  Refusal mutate(AdmissionRequest& request, AdmissionContext& context) const override {
    if (!request.object || !request.object.is<CertificateSigningRequest>()) return {};
    auto& csr = request.object.mut<CertificateSigningRequest>();
    if (request.operation == Operation::kCreate) {
      certificatesv1::CertificateSigningRequestSpec& spec = csr.spec.mut();
      spec.username = request.user.name;
      spec.uid = request.user.uid;
      spec.groups = request.user.groups;
      spec.extra = request.user.extra;
      return {};
    }
    if (request.subresource.empty() || !request.old) return {};
    const auto now = api::Timestamp::whole_seconds(context.now);
    const auto& old = request.old.get<CertificateSigningRequest>().status->conditions;
    auto& conditions = csr.status.mut().conditions;
    for (size_t i = 0; i < conditions.size(); ++i) {
      Condition& condition = conditions.mut(i);
      if (!condition.last_update_time) condition.last_update_time = now;
      if (!condition.last_transition_time)
        condition.last_transition_time = transition_time(condition, old, now);
    }
    return {};
  }
};

}  // namespace

std::unique_ptr<AdmissionPlugin> certificate_requester() {
  return std::make_unique<CertificateRequester>();
}
std::unique_ptr<AdmissionPlugin> certificate_approval() {
  return std::make_unique<CertificateApproval>();
}
std::unique_ptr<AdmissionPlugin> certificate_signing() {
  return std::make_unique<CertificateSigning>();
}
std::unique_ptr<AdmissionPlugin> certificate_subject_restriction() {
  return std::make_unique<CertificateSubjectRestriction>();
}

}  // namespace orrery::server
