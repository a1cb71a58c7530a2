#include "realmode/crypto/certificates.h"

#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <memory>
#include <string_view>

#include "engine/base/str.h"
#include "realmode/crypto/openssl.h"

namespace orrery::realmode {
namespace {

using ExtensionPtr = std::unique_ptr<X509_EXTENSION, Freed<X509_EXTENSION_free>>;

constexpr Duration kAuthorityValidity = Duration::hours(24 * 3650);
constexpr Duration kClockSkew = Duration::hours(1);
constexpr int kSerialBytes = 16;

X509Ptr certificate_of(const std::string& pem) {
  return X509Ptr(PEM_read_bio_X509(bio_of(pem).get(), nullptr, nullptr, nullptr));
}
KeyPtr key_of(const std::string& pem) {
  return KeyPtr(PEM_read_bio_PrivateKey(bio_of(pem).get(), nullptr, nullptr, nullptr));
}

std::string text_of(const BioPtr& bio) {
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return std::string(text, static_cast<size_t>(size));
}

bool add_extension(X509* certificate, X509* issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool add_name(X509_NAME* name, const char* field, const std::string& value) {
  return X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(value.data()),
                                    static_cast<int>(value.size()), -1, 0) == 1;
}

bool set_serial(X509* certificate) {
  unsigned char bytes[kSerialBytes];
  if (RAND_bytes(bytes, sizeof(bytes)) != 1) return false;
  bytes[0] &= 0x7f;  // positive
  const std::unique_ptr<BIGNUM, Freed<BN_free>> number(BN_bin2bn(bytes, sizeof(bytes), nullptr));
  return number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

void set_dates(X509* certificate, Time now, Duration validity) {
  ASN1_TIME_set(X509_getm_notBefore(certificate), (now - kClockSkew).unix_seconds());
  ASN1_TIME_set(X509_getm_notAfter(certificate), (now + validity).unix_seconds());
}

Result<Identity> write(const KeyPtr& key, const X509Ptr& certificate) {
  const BioPtr key_out(BIO_new(BIO_s_mem())), out(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_PrivateKey(key_out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) !=
          1 ||
      PEM_write_bio_X509(out.get(), certificate.get()) != 1)
    return internal_error("writing a certificate failed");
  return Identity{text_of(key_out), text_of(out)};
}

// The extension as OpenSSL's configuration language writes it; "" if a name would break out of it.
std::string alternative_names(const CertificateSpec& spec) {
  std::string out;
  bool clean = true;
  const auto add = [&](std::string_view kind, const std::string& value) {
    clean = clean && !value.empty() && value.find_first_of(", \n\r\"\\;") == std::string::npos;
    out += str_cat(out.empty() ? "" : ",", kind, value);
  };
  for (const std::string& name : spec.dns_names) add("DNS:", name);
  for (const std::string& address : spec.ip_addresses) add("IP:", address);
  return clean ? out : "";
}

}  // namespace

Result<Identity> make_authority(const std::string& common_name, Time now) {
  const KeyPtr key(EVP_EC_gen("P-256"));
  const X509Ptr certificate(X509_new());
  X509_set_version(certificate.get(), X509_VERSION_3);
  set_dates(certificate.get(), now, kAuthorityValidity);
  X509_NAME* subject = X509_get_subject_name(certificate.get());
  const bool made =
      key && set_serial(certificate.get()) && add_name(subject, "CN", common_name) &&
      X509_set_issuer_name(certificate.get(), subject) == 1 &&
      X509_set_pubkey(certificate.get(), key.get()) == 1 &&
      add_extension(certificate.get(), certificate.get(), NID_basic_constraints,
                    "critical,CA:TRUE") &&
      add_extension(certificate.get(), certificate.get(), NID_key_usage,
                    "critical,digitalSignature,keyEncipherment,keyCertSign") &&
      add_extension(certificate.get(), certificate.get(), NID_subject_key_identifier, "hash") &&
      X509_sign(certificate.get(), key.get(), EVP_sha256()) > 0;
  if (!made) return internal_error("making a certificate authority failed");
  return write(key, certificate);
}

Result<Identity> issue(const Identity& authority, const CertificateSpec& spec, Time now) {
  const X509Ptr issuer = certificate_of(authority.certificate_pem);
  const KeyPtr issuer_key = key_of(authority.key_pem);
  if (!issuer || !issuer_key) return invalid("the certificate authority cannot be read");
  const KeyPtr key(EVP_EC_gen("P-256"));
  const X509Ptr owned(X509_new());
  X509* certificate = owned.get();
  X509_set_version(certificate, X509_VERSION_3);
  set_dates(certificate, now, spec.validity);
  X509_NAME* subject = X509_get_subject_name(certificate);
  bool made = key && set_serial(certificate) && X509_set_pubkey(certificate, key.get()) == 1 &&
              X509_set_issuer_name(certificate, X509_get_subject_name(issuer.get())) == 1;
  for (const std::string& organization : spec.organizations)
    made = made && add_name(subject, "O", organization);
  made = made && add_name(subject, "CN", spec.common_name) &&
         add_extension(certificate, issuer.get(), NID_basic_constraints, "critical,CA:FALSE") &&
         add_extension(certificate, issuer.get(), NID_key_usage,
                       "critical,digitalSignature,keyEncipherment") &&
         add_extension(certificate, issuer.get(), NID_ext_key_usage,
                       spec.for_server ? "serverAuth" : "clientAuth") &&
         add_extension(certificate, issuer.get(), NID_authority_key_identifier, "keyid");
  if (!spec.dns_names.empty() || !spec.ip_addresses.empty()) {
    const std::string names = alternative_names(spec);
    if (names.empty() ||
        !add_extension(certificate, issuer.get(), NID_subject_alt_name, names.c_str()))
      return invalid(
          str_cat("certificate for \"", spec.common_name, "\": a name or address is malformed"));
  }
  if (!made || X509_sign(certificate, issuer_key.get(), EVP_sha256()) <= 0)
    return internal_error(str_cat("making a certificate for \"", spec.common_name, "\" failed"));
  return write(key, owned);
}

bool certificate_serves(const Identity& identity, const std::string& authority_pem,
                        const CertificateSpec& spec, Time until) {
  const X509Ptr certificate = certificate_of(identity.certificate_pem);
  const X509Ptr authority = certificate_of(authority_pem);
  const KeyPtr key = key_of(identity.key_pem);
  if (!certificate || !authority || !key) return false;
  if (X509_check_private_key(certificate.get(), key.get()) != 1) return false;
  if (X509_verify(certificate.get(), X509_get0_pubkey(authority.get())) != 1) return false;
  time_t when = until.unix_seconds();
  if (X509_cmp_time(X509_get0_notAfter(certificate.get()), &when) <= 0) return false;
  const auto has_name = [&](const std::string& name) {
    return X509_check_host(certificate.get(), name.data(), name.size(),
                           X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, nullptr) == 1;
  };
  const auto has_address = [&](const std::string& address) {
    return X509_check_ip_asc(certificate.get(), address.c_str(), 0) == 1;
  };
  return std::all_of(spec.dns_names.begin(), spec.dns_names.end(), has_name) &&
         std::all_of(spec.ip_addresses.begin(), spec.ip_addresses.end(), has_address);
}

Result<std::string> public_key_pem(const std::string& private_key_pem) {
  const KeyPtr key = key_of(private_key_pem);
  const BioPtr out(BIO_new(BIO_s_mem()));
  if (!key || PEM_write_bio_PUBKEY(out.get(), key.get()) != 1) return invalid("no private key");
  return text_of(out);
}

}  // namespace orrery::realmode
