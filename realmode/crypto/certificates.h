#pragma once

#include <string>
#include <vector>

#include "engine/base/status.h"
#include "engine/base/time.h"

namespace orrery::realmode {

/// A private key (P-256, PKCS#8) and its certificate, both as PEM.
struct Identity {
  std::string key_pem;
  std::string certificate_pem;
};

/// What a certificate is to say.
struct CertificateSpec {
  std::string common_name;
  std::vector<std::string> organizations;
  std::vector<std::string> dns_names;
  std::vector<std::string> ip_addresses;  // numeric
  bool for_server = false;                // its use: a server's certificate, or a client's
  Duration validity = Duration::hours(24 * 365);
};

/// A self-signed certificate authority, valid for ten years from an hour before `now`.
Result<Identity> make_authority(const std::string& common_name, Time now);
/// A fresh key with a certificate of `authority`. Invalid if a name or address is malformed.
Result<Identity> issue(const Identity& authority, const CertificateSpec& spec, Time now);

/// True if the certificate is of the authority, its key belongs to it, it is valid until `until`
/// and holds for every DNS name and address of `spec`.
bool certificate_serves(const Identity& identity, const std::string& authority_pem,
                        const CertificateSpec& spec, Time until);

/// The public half of a private key: "-----BEGIN PUBLIC KEY-----".
Result<std::string> public_key_pem(const std::string& private_key_pem);

}  // namespace orrery::realmode
