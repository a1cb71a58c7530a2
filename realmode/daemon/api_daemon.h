#pragma once

#include <memory>
#include <string>

#include "engine/base/status.h"
#include "engine/ports/store.h"
#include "engine/ports/token_signer.h"
#include "engine/server/compactor.h"
#include "engine/server/encryption/encrypted_store.h"
#include "engine/server/options.h"
#include "engine/server/rest/rest.h"
#include "realmode/crypto/value_cipher.h"
#include "realmode/daemon/encryption_reload.h"
#include "realmode/daemon/file_audit_sink.h"
#include "realmode/daemon/process_stats.h"
#include "realmode/http/http_client.h"
#include "realmode/http/http_server.h"
#include "realmode/loop/loop.h"

namespace orrery::realmode {

/// An API server in this process: engine/server over a store, behind sockets.
///
///   make -> start -> wait_until_ready -> open_door -> shut_down
class ApiDaemon {
 public:
  struct Options {
    server::ServerOptions server;  // advertise_port 0: the port that is listened on
    HttpServer::Options http;
    std::string reloaded_encryption_config;  // path; "": it is not read again
    bool shares_store = false;   // other API servers write to the store
    bool with_control_plane = false;  // scheduler and controllers are on the same loop
    Duration compaction_interval = server::Compactor::kInterval;  // 0: never
    std::string audit_log_path;  // "": no audit log; "-": standard output
    server::AuditPolicy audit_policy{server::AuditLevel::kMetadata};
    FileAuditSink::Rotation audit_rotation;
  };
  /// Listens, so that the port is known, but answers nobody yet. The loop and the store outlive the
  /// daemon; the loop has no worker yet.
  static Result<std::unique_ptr<ApiDaemon>> make(Loop* loop, Store* store, Options options);
  /// The loop's worker has been stopped.
  ~ApiDaemon();

  /// True once the store has been read and what an API server makes at its start is there; waits at
  /// most `limit` for it. After the loop has a worker.
  bool wait_until_ready(Duration limit);
  /// Answers requests from now on.
  void open_door() { http_->start(); }
  /// For components on the same loop.
  Api* api() { return server_.get(); }
  const TokenSigner* token_signer() const { return signer_.get(); }
  /// "https://127.0.0.1:6443"
  std::string url() const { return http_->url(); }
  /// Ends watches, answers what is under way (at most `grace` long) and closes all connections; the
  /// loop must still run.
  void shut_down(Duration grace) { http_->shut_down(grace); }

 private:
  class Readiness;
  ApiDaemon();
  std::unique_ptr<Readiness> readiness_;
  std::unique_ptr<AuditSink> audit_sink_;
  std::unique_ptr<server::AuditLog> audit_log_;
  std::unique_ptr<TokenSigner> signer_;
  LibraryValueCipher cipher_;
  std::unique_ptr<server::ValueTransformer> transformer_;
  std::unique_ptr<server::EncryptedStore> store_;
  std::unique_ptr<EncryptionReload> encryption_reload_;
  LinuxProcessStats process_;
  std::unique_ptr<server::Compactor> compactor_;
  std::unique_ptr<CurlHttpClient> client_;
  std::unique_ptr<HttpServer> http_;
  std::unique_ptr<server::Server> server_;
  std::unique_ptr<server::Rest> rest_;
};

}  // namespace orrery::realmode
