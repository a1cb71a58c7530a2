#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/base/status.h"

struct ssl_ctx_st;
struct ssl_st;

namespace orrery::realmode {

/// How a server proves who it is, and whose client certificates it believes. Contents, not paths.
struct TlsFiles {
  std::string certificate_pem;  // leaf first, then intermediates
  std::string key_pem;
  std::string client_ca_pem;  // "": no client certificate is asked for
};

/// Server side of TLS 1.2 and 1.3: modern suites only, no renegotiation, no compression, no session
/// resumption, ALPN h2 before http/1.1. A client certificate is optional; one that does not verify
/// (authority, dates, client usage) ends the handshake.
class TlsServer {
 public:
  /// Invalid if the files cannot be used, with what OpenSSL says.
  static Result<std::unique_ptr<TlsServer>> make(const TlsFiles& files);
  ~TlsServer();
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;
  /// A session over an accepted socket; the caller frees it with SSL_free.
  ssl_st* accept(int fd) const;

 private:
  explicit TlsServer(ssl_ctx_st* context) : context_(context) {}
  ssl_ctx_st* context_;
};

/// Client side of TLS 1.2 and 1.3 towards other servers.
class TlsClient {
 public:
  /// `files`: the certificate to show ("": none), and as client_ca_pem the authorities to believe
  /// ("": whoever answers is believed). Invalid if they cannot be used.
  static Result<std::unique_ptr<TlsClient>> make(const TlsFiles& files);
  ~TlsClient();
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;
  /// A session over a connected socket with `host` (a name or an address, which its certificate
  /// must have if `verify` and there are authorities); the caller frees it with SSL_free.
  ssl_st* connect(int fd, const std::string& host, bool verify) const;

 private:
  explicit TlsClient(ssl_ctx_st* context, bool verifies)
      : context_(context), verifies_(verifies) {}
  ssl_ctx_st* context_;
  bool verifies_;
};
/// Why a handshake with another server has failed.
std::string handshake_error(ssl_st* session);

/// Subject of a verified certificate.
struct CertificateSubject {
  std::string common_name;
  std::vector<std::string> organizations;  // in the certificate's order
};
/// Empty if the peer gave none.
CertificateSubject peer_subject(ssl_st* session);

/// The reasons in OpenSSL's error queue of this thread, joined; empties it.
std::string tls_errors();

}  // namespace orrery::realmode
