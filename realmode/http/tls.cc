#include "realmode/http/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <string_view>

#include "engine/base/str.h"

namespace orrery::realmode {
namespace {

using BioPtr = std::unique_ptr<BIO, decltype(&BIO_free_all)>;
using X509Ptr = std::unique_ptr<X509, decltype(&X509_free)>;
using KeyPtr = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

BioPtr memory(const std::string& text) {
  return {BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), BIO_free_all};
}

X509Ptr next_certificate(BIO* bio) {
  return {PEM_read_bio_X509(bio, nullptr, nullptr, nullptr), X509_free};
}

Status use_identity(SSL_CTX* context, const TlsFiles& files) {
  const BioPtr chain = memory(files.certificate_pem);
  const X509Ptr leaf = next_certificate(chain.get());
  if (!leaf || SSL_CTX_use_certificate(context, leaf.get()) != 1)
    return invalid(str_cat("TLS certificate cannot be used", ": ", tls_errors()));
  while (X509* more = PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr))
    SSL_CTX_add0_chain_cert(context, more);
  ERR_clear_error();
  const BioPtr key_text = memory(files.key_pem);
  const KeyPtr key(PEM_read_bio_PrivateKey(key_text.get(), nullptr, nullptr, nullptr),
                   EVP_PKEY_free);
  if (!key || SSL_CTX_use_PrivateKey(context, key.get()) != 1)
    return invalid(str_cat("TLS private key cannot be used", ": ", tls_errors()));
  if (SSL_CTX_check_private_key(context) != 1)
    return invalid(
        str_cat("TLS private key does not belong to the certificate", ": ", tls_errors()));
  return Status::ok();
}

Status believe(SSL_CTX* context, const std::string& authorities, std::string_view what) {
  const BioPtr bio = memory(authorities);
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  int count = 0;
  while (X509Ptr authority = next_certificate(bio.get())) {
    X509_STORE_add_cert(store, authority.get());
    SSL_CTX_add_client_CA(context, authority.get());
    ++count;
  }
  ERR_clear_error();
  return count == 0 ? invalid(str_cat(what, " holds no certificate")) : Status::ok();
}

Status trust_clients(SSL_CTX* context, const std::string& authorities) {
  ORRERY_TRY(believe(context, authorities, "client CA file"));
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_verify_depth(context, 8);
  return Status::ok();
}

int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size,
                    const unsigned char* offered, unsigned offered_size, void*) {
  static constexpr unsigned char kOurs[] = "\x02h2\x08http/1.1";
  unsigned char* chosen = nullptr;
  const int result =
      SSL_select_next_proto(&chosen, out_size, kOurs, sizeof(kOurs) - 1, offered, offered_size);
  *out = chosen;
  return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

void harden(SSL_CTX* context) {
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20");
  // In the order of Go's crypto/tls: the shorter key is a third faster.
  SSL_CTX_set_ciphersuites(context,
                           "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256");
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
}

std::string entry_text(X509_NAME* name, int index) {
  unsigned char* utf8 = nullptr;
  const int size =
      ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, index)));
  std::string text;
  if (size >= 0) text.assign(reinterpret_cast<char*>(utf8), static_cast<size_t>(size));
  OPENSSL_free(utf8);
  return text;
}

}  // namespace

std::string tls_errors() {
  std::string text;
  while (const unsigned long error = ERR_get_error()) {
    const char* reason = ERR_reason_error_string(error);
    if (!text.empty()) text += ", ";
    text += reason != nullptr ? reason : "unknown error";
  }
  return text;
}

Result<std::unique_ptr<TlsServer>> TlsServer::make(const TlsFiles& files) {
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  CHECK(context != nullptr) << "out of memory";
  std::unique_ptr<TlsServer> server(new TlsServer(context));
  harden(context);
  ORRERY_TRY(use_identity(context, files));
  if (!files.client_ca_pem.empty()) ORRERY_TRY(trust_clients(context, files.client_ca_pem));
  return server;
}

TlsServer::~TlsServer() { SSL_CTX_free(context_); }

ssl_st* TlsServer::accept(int fd) const {
  SSL* session = SSL_new(context_);
  CHECK(session != nullptr) << "out of memory";
  SSL_set_fd(session, fd);
  SSL_set_accept_state(session);
  return session;
}

Result<std::unique_ptr<TlsClient>> TlsClient::make(const TlsFiles& files) {
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  CHECK(context != nullptr) << "out of memory";
  std::unique_ptr<TlsClient> client(new TlsClient(context, !files.client_ca_pem.empty()));
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(
      context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  if (!files.certificate_pem.empty()) ORRERY_TRY(use_identity(context, files));
  if (!files.client_ca_pem.empty())
    ORRERY_TRY(believe(context, files.client_ca_pem, "the file of the kubelets' authorities"));
  return client;
}

TlsClient::~TlsClient() { SSL_CTX_free(context_); }

ssl_st* TlsClient::connect(int fd, const std::string& host, bool verify) const {
  SSL* session = SSL_new(context_);
  CHECK(session != nullptr) << "out of memory";
  SSL_set_fd(session, fd);
  SSL_set_connect_state(session);
  X509_VERIFY_PARAM* rules = SSL_get0_param(session);
  const bool address = X509_VERIFY_PARAM_set1_ip_asc(rules, host.c_str()) == 1;
  if (!address) {
    X509_VERIFY_PARAM_set1_host(rules, host.data(), host.size());
    SSL_set_tlsext_host_name(session, host.c_str());
  }
  ERR_clear_error();
  if (verify && verifies_) SSL_set_verify(session, SSL_VERIFY_PEER, nullptr);
  return session;
}

std::string handshake_error(ssl_st* session) {
  const long verified = SSL_get_verify_result(session);
  const std::string reasons = tls_errors();
  if (SSL_get_verify_mode(session) != SSL_VERIFY_NONE && verified != X509_V_OK)
    return str_cat("tls: failed to verify certificate: ", X509_verify_cert_error_string(verified));
  return reasons.empty() ? "EOF" : str_cat("tls: ", reasons);
}

CertificateSubject peer_subject(ssl_st* session) {
  CertificateSubject subject;
  X509* certificate = SSL_get0_peer_certificate(session);
  if (certificate == nullptr || SSL_get_verify_result(session) != X509_V_OK) return subject;
  X509_NAME* name = X509_get_subject_name(certificate);
  for (int i = -1; (i = X509_NAME_get_index_by_NID(name, NID_organizationName, i)) >= 0;)
    subject.organizations.push_back(entry_text(name, i));
  // Go's pkix.Name keeps the last of several common names.
  for (int i = -1; (i = X509_NAME_get_index_by_NID(name, NID_commonName, i)) >= 0;)
    subject.common_name = entry_text(name, i);
  return subject;
}

}  // namespace orrery::realmode
