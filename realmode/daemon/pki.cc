#include "realmode/daemon/pki.h"

#include "engine/api/base64.h"
#include "engine/base/str.h"
#include "realmode/crypto/token_signer.h"
#include "realmode/daemon/files.h"

namespace orrery::realmode {
namespace {

constexpr Duration kRenewBefore = Duration::hours(24 * 30);

Result<Identity> read_identity(const std::string& stem) {
  Identity identity;
  ORRERY_ASSIGN(identity.key_pem, read_file_if_any(stem + ".key"));
  ORRERY_ASSIGN(identity.certificate_pem, read_file_if_any(stem + ".crt"));
  return identity;
}

Status write_identity(const std::string& stem, const Identity& identity) {
  ORRERY_TRY(write_file(stem + ".key", identity.key_pem, true));
  return write_file(stem + ".crt", identity.certificate_pem, false);
}

Result<Identity> ensure_authority(const std::string& stem, Time now) {
  ORRERY_ASSIGN(Identity authority, read_identity(stem));
  if (!authority.key_pem.empty() && !authority.certificate_pem.empty()) return authority;
  // A lone certificate means that the key has been lost or is kept elsewhere: not ours to replace.
  if (!authority.certificate_pem.empty())
    return invalid(str_cat(stem, ".key is missing beside ", stem, ".crt"));
  ORRERY_ASSIGN(authority, make_authority("kubernetes", now));
  ORRERY_TRY(write_identity(stem, authority));
  return authority;
}

Result<Identity> ensure_identity(const std::string& stem, const Identity& authority,
                                 const CertificateSpec& spec, Time now) {
  ORRERY_ASSIGN(Identity identity, read_identity(stem));
  if (certificate_serves(identity, authority.certificate_pem, spec, now + kRenewBefore))
    return identity;
  ORRERY_ASSIGN(identity, issue(authority, spec, now));
  ORRERY_TRY(write_identity(stem, identity));
  return identity;
}

Result<std::string> ensure_service_account_key(const std::string& stem) {
  ORRERY_ASSIGN(std::string key, read_file_if_any(stem + ".key"));
  if (!key.empty()) return key;
  ORRERY_ASSIGN(key, make_rsa_key_pem());
  ORRERY_ASSIGN(const std::string public_key, public_key_pem(key));
  ORRERY_TRY(write_file(stem + ".key", key, true));
  ORRERY_TRY(write_file(stem + ".pub", public_key, false));
  return key;
}

std::string base64(std::string_view bytes) { return api::base64_encode(bytes); }

}  // namespace

Result<Pki> ensure_pki(const std::string& folder, const std::vector<std::string>& addresses,
                       Time now) {
  ORRERY_TRY(make_folder(folder));
  ORRERY_ASSIGN(const Identity authority, ensure_authority(folder + "/ca", now));
  CertificateSpec server;
  server.common_name = "kube-apiserver";
  server.dns_names = {"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc",
                      "kubernetes.default.svc.cluster.local"};
  server.ip_addresses = addresses;
  server.for_server = true;
  CertificateSpec admin;
  admin.common_name = "kubernetes-admin";
  admin.organizations = {"system:masters"};
  Pki pki;
  pki.authority_pem = authority.certificate_pem;
  ORRERY_ASSIGN(pki.apiserver, ensure_identity(folder + "/apiserver", authority, server, now));
  ORRERY_ASSIGN(pki.admin, ensure_identity(folder + "/admin", authority, admin, now));
  CertificateSpec kubelet_client = admin;
  kubelet_client.common_name = "kube-apiserver-kubelet-client";
  ORRERY_ASSIGN(pki.kubelet_client, ensure_identity(folder + "/apiserver-kubelet-client", authority, kubelet_client, now));
  ORRERY_ASSIGN(pki.service_account_key_pem, ensure_service_account_key(folder + "/sa"));
  return pki;
}

std::string kubeconfig(const std::string& url, const std::string& authority_pem,
                       const Identity& client) {
  return str_cat(
      "apiVersion: v1\nkind: Config\nclusters:\n- name: orrery\n  cluster:\n    server: ", url,
      "\n    certificate-authority-data: ", base64(authority_pem),
      "\nusers:\n- name: orrery\n  user:\n    client-certificate-data: ",
      base64(client.certificate_pem), "\n    client-key-data: ", base64(client.key_pem),
      "\ncontexts:\n- name: orrery\n  context:\n    cluster: orrery\n    user: orrery\n"
      "current-context: orrery\n");
}

}  // namespace orrery::realmode
