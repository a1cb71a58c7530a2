// Certificate signing requests. Source: Kubernetes v1.32 pkg/apis/certificates/validation.
#include "engine/api/codec_json.h"
#include "engine/api/gen/certificatesv1.h"
#include "engine/api/names.h"
#include "engine/server/admission/csr_subject.h"
#include "engine/server/validation/immutable.h"
#include "engine/server/validation/metadata.h"
#include "engine/server/validation/registry.h"

namespace orrery::server {
namespace {

using certificatesv1::CertificateSigningRequest;
using Condition = certificatesv1::CertificateSigningRequestCondition;

constexpr Path kSpec("spec");
constexpr Path kConditions("status.conditions");

constexpr std::string_view kUsages[] = {
    "any",           "cert sign",        "client auth",       "code signing", "content commitment", "crl sign",
    "data encipherment", "decipher only", "digital signature", "email protection", "encipher only", "ipsec end system",
    "ipsec tunnel",  "ipsec user",       "key agreement",     "key encipherment", "microsoft sgc",  "netscape sgc",
    "ocsp signing",  "s/mime",           "server auth",       "signing",      "timestamping"};

bool is_usage(std::string_view usage) { return std::find(std::begin(kUsages), std::end(kUsages), usage) != std::end(kUsages); }

// Go's notation of bytes.
Shown shown_bytes(std::string_view bytes) {
  static constexpr char kHex[] = "0123456789abcdef";
  if (bytes.empty()) return Shown::raw("[]byte(nil)");
  std::string text = "[]byte{";
  for (size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    text += i > 0 ? ", 0x" : "0x";
    if (byte > 0xf) text += kHex[byte >> 4];
    text += kHex[byte & 0xf];
  }
  return Shown::raw(text + "}");
}

// What is wrong with PEM certificates; "": nothing. What they hold is not read.
std::string certificate_error(std::string_view pem) {
  constexpr std::string_view kBegin = "-----BEGIN ", kEnd = "-----END ", kDashes = "-----";
  size_t blocks = 0;
  if (pem.empty()) return {};
  for (size_t at = 0; (at = pem.find(kBegin, at)) != std::string_view::npos; ++blocks) {
    const size_t type = at + kBegin.size(), body = pem.find(kDashes, type);
    const size_t end = pem.find(kEnd, type);
    if (body == std::string_view::npos || end == std::string_view::npos) break;
    const std::string_view name = pem.substr(type, body - type), text = pem.substr(body + kDashes.size(), end - body - kDashes.size());
    if (name != "CERTIFICATE") return str_cat("only CERTIFICATE PEM blocks are allowed, found ", api::quoted(name));
    if (contains(text, ":")) return "no PEM block headers are permitted";
    if (trim_space(text).empty()) return "found CERTIFICATE PEM block containing 0 certificates";
    at = end + kEnd.size();
  }
  return blocks == 0 ? "must contain at least one CERTIFICATE PEM block" : "";
}

// Errors that an object has already may stay.
struct Rules {
  bool any_usages = false, repeated_usages = false, legacy_signer = false;
  bool approved_and_denied = false, repeated_conditions = false, empty_condition_types = false;
  bool any_certificate = false;
  bool set_approval = false, set_certificate = false;

  static bool repeats(const List<Str>& list) {
    Seen seen;
    return !std::all_of(list.begin(), list.end(), [&](const Str& text) { return seen.insert(text); });
  }
  static Rules replacing(const CertificateSigningRequest& old, const CertificateSigningRequest& fresh) {
    Rules r;
    const auto& spec = *old.spec;
    r.any_usages = !std::all_of(spec.usages.begin(), spec.usages.end(), [](const Str& u) { return is_usage(u); });
    r.repeated_usages = repeats(spec.usages);
    r.legacy_signer = spec.signer_name == "kubernetes.io/legacy-unknown";
    bool approved = false, denied = false;
    Seen types;
    for (const Condition& c : old.status->conditions) {
      approved = approved || c.type == "Approved";
      denied = denied || c.type == "Denied";
      r.empty_condition_types = r.empty_condition_types || c.type.empty();
      r.repeated_conditions = !types.insert(c.type) || r.repeated_conditions;
    }
    r.approved_and_denied = approved && denied;
    r.any_certificate = old.status->certificate == fresh.status->certificate || !certificate_error(old.status->certificate).empty();
    return r;
  }
};

void check_conditions(const List<Condition>& conditions, const Rules& rules, Findings& findings) {
  Seen types;
  for (size_t i = 0; i < conditions.size(); ++i) {
    const Condition& c = conditions[i];
    const Path at = kConditions.index(i);
    const Path type = at.child("type"), status = at.child("status");
    if (c.type.empty() && !rules.empty_condition_types) findings.required(type);
    if (is_one_of(c.type, {"Approved", "Denied", "Failed"})) findings.one_of(c.status, status, {"True"});
    else findings.one_of(c.status, status, {"False", "True", "Unknown"});
    const bool approved = c.type == "Approved", denied = c.type == "Denied";
    if (!rules.approved_and_denied && ((approved && types.has("Denied")) || (denied && types.has("Approved"))))
      findings.invalid(type, c.type, "Approved and Denied conditions are mutually exclusive");
    if (!types.insert(c.type) && !rules.repeated_conditions) findings.duplicate(type, c.type);
  }
}

void check_usages(const List<Str>& usages, const Rules& rules, Findings& findings) {
  const Path at = kSpec.child("usages");
  if (usages.empty()) findings.required(at);
  for (size_t i = 0; i < usages.size() && !rules.any_usages; ++i)
    if (!is_usage(usages[i])) findings.not_supported(at.index(i), usages[i], kUsages);
  Seen seen;
  for (size_t i = 0; i < usages.size() && !rules.repeated_usages; ++i)
    if (!seen.insert(usages[i])) findings.duplicate(at.index(i), usages[i]);
}

void check_request(const CertificateSigningRequest& csr, const Rules& rules, Findings& findings) {
  constexpr int32_t kSecondsMin = 600;
  check_object_meta(*csr.metadata, false, name_is_anything, findings);
  const auto& spec = *csr.spec;
  if (const auto subject = csr_organizations(spec.request); !subject.is_ok())
    findings.invalid(kSpec.child("request"), shown_bytes(spec.request), subject.status().message());
  check_usages(spec.usages, rules, findings);
  if (!rules.legacy_signer && spec.signer_name == "kubernetes.io/legacy-unknown")
    findings.invalid(kSpec.child("signerName"), spec.signer_name, "the legacy signerName is not allowed via this API version");
  else
    check_signer_name(spec.signer_name, kSpec.child("signerName"), findings);
  if (spec.expiration_seconds && *spec.expiration_seconds < kSecondsMin)
    findings.invalid(kSpec.child("expirationSeconds"), *spec.expiration_seconds,
                     "may not specify a duration less than 600 seconds (10 minutes)");
  check_conditions(csr.status->conditions, rules, findings);
  if (rules.any_certificate) return;
  if (const std::string wrong = certificate_error(csr.status->certificate); !wrong.empty())
    findings.invalid(Path("status.certificate"), "<certificate data>", wrong);
}

void check_create(const CertificateSigningRequest& csr, Findings& findings) { check_request(csr, {}, findings); }

std::vector<const Condition*> conditions_of(const CertificateSigningRequest& csr, std::string_view type) {
  std::vector<const Condition*> found;
  for (const Condition& c : csr.status->conditions)
    if (c.type == type) found.push_back(&c);
  return found;
}

void check_approval_kept(const CertificateSigningRequest& csr, const CertificateSigningRequest& old, Findings& findings) {
  for (const std::string_view type : {"Approved", "Denied"}) {
    const auto now = conditions_of(csr, type), before = conditions_of(old, type);
    if (now.size() > before.size()) findings.forbidden(kConditions, str_cat("updates may not add a condition of type ", api::quoted(type)));
    if (now.size() != before.size()) continue;
    for (size_t i = 0; i < now.size(); ++i) {
      if (api::semantic_equal(*now[i], *before[i])) continue;
      findings.forbidden(kConditions, str_cat("updates may not modify a condition of type ", api::quoted(type), "\n",
                                              difference_text(*before[i], *now[i])));
      break;
    }
  }
}

void check_change(const CertificateSigningRequest& csr, const CertificateSigningRequest& old, const Rules& rules, Findings& findings) {
  check_request(csr, rules, findings);
  for (const std::string_view type : {"Approved", "Denied", "Failed"})
    if (conditions_of(csr, type).size() < conditions_of(old, type).size())
      findings.forbidden(kConditions, str_cat("updates may not remove a condition of type ", api::quoted(type)));
  if (!rules.set_approval) check_approval_kept(csr, old, findings);
  if (!(csr.status->certificate == old.status->certificate)) {
    constexpr Path kCertificate("status.certificate");
    if (!rules.set_certificate) findings.forbidden(kCertificate, "updates may not set certificate content");
    else if (!old.status->certificate.empty()) findings.forbidden(kCertificate, "updates may not modify existing certificate content");
  }
  check_object_meta_update(*csr.metadata, *old.metadata, findings);
}

void check_update(const CertificateSigningRequest& csr, const CertificateSigningRequest& old, Findings& findings) {
  check_change(csr, old, Rules::replacing(old, csr), findings);
}

void check_status(const CertificateSigningRequest& csr, const CertificateSigningRequest& old, Findings& findings) {
  Rules rules = Rules::replacing(old, csr);
  rules.set_certificate = true;
  check_change(csr, old, rules, findings);
}

void check_approval(const CertificateSigningRequest& csr, const CertificateSigningRequest& old, Findings& findings) {
  Rules rules = Rules::replacing(old, csr);
  rules.set_approval = true;
  check_change(csr, old, rules, findings);
}

}  // namespace

std::span<const CheckRow> certificate_checks() {
  static const CheckRow kRows[] = {
      check_row<CertificateSigningRequest, check_create, check_update, check_status, check_approval>(),
  };
  return kRows;
}

}  // namespace orrery::server
