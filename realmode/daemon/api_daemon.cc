#include "realmode/daemon/api_daemon.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "realmode/crypto/token_signer.h"
#include "realmode/daemon/random_seed.h"

namespace orrery::realmode {

class ApiDaemon::Readiness final : public LaneHandler {
 public:
  void handle(const Ctx&, const Event&) override {
    const std::lock_guard lock(mutex_);
    ready_ = true;
    changed_.notify_all();
  }
  bool wait(Duration limit) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::nanoseconds(limit.ns), [this] { return ready_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ready_ = false;
};

ApiDaemon::ApiDaemon() = default;
ApiDaemon::~ApiDaemon() = default;

Result<std::unique_ptr<ApiDaemon>> ApiDaemon::make(Loop* loop, Store* store, Options options) {
  std::unique_ptr<ApiDaemon> daemon(new ApiDaemon());
  server::ServerOptions& chosen = options.server;
  ORRERY_ASSIGN(daemon->signer_, OpensslTokenSigner::make(chosen.service_account_signing_key_pem,
                                                          chosen.service_account_key_pems));
  ORRERY_ASSIGN(daemon->http_, HttpServer::make(std::move(options.http), loop));
  if (chosen.advertise_port == 0) chosen.advertise_port = daemon->http_->port();
  daemon->client_ = std::make_unique<CurlHttpClient>(loop);
  daemon->readiness_ = std::make_unique<Readiness>();

  Env env;
  env.lanes = loop;
  env.timers = loop;
  env.rng = Rng(random_seed());
  server::Server::Options server_options;
  server_options.serves_clients = true;
  server_options.shares_store = options.shares_store;
  server_options.services = {chosen.service_cidr, chosen.node_port_min, chosen.node_port_max};
  daemon->transformer_ = std::make_unique<server::ValueTransformer>(chosen.encryption, &daemon->cipher_);
  daemon->store_ = std::make_unique<server::EncryptedStore>(store, daemon->transformer_.get());
  if (!options.reloaded_encryption_config.empty())
    daemon->encryption_reload_ = std::make_unique<EncryptionReload>(loop, loop, std::move(options.reloaded_encryption_config),
                                                                    daemon->store_.get(), &daemon->cipher_);
  if (const Duration interval = options.compaction_interval; interval.ns > 0)
    daemon->compactor_ = std::make_unique<server::Compactor>(env, store, interval);
  daemon->server_ = std::make_unique<server::Server>(env, daemon->store_.get(), server_options);
  if (!options.audit_log_path.empty()) {
    ORRERY_ASSIGN(daemon->audit_sink_, FileAuditSink::open(options.audit_log_path, options.audit_rotation));
    daemon->audit_log_ =
        std::make_unique<server::AuditLog>(std::move(options.audit_policy), daemon->audit_sink_.get());
  }
  const server::Rest::Parts parts{daemon->server_.get(), daemon->http_.get(), daemon->signer_.get(),
                                  daemon->client_.get(), daemon->audit_log_.get(), nullptr, nullptr,
                                  &daemon->process_, options.with_control_plane};
  const LaneId ready = loop->open("ready", daemon->readiness_.get());
  daemon->rest_ = std::make_unique<server::Rest>(env, parts, std::move(chosen), Ticket{ready, 0});
  return daemon;
}

bool ApiDaemon::wait_until_ready(Duration limit) { return readiness_->wait(limit); }

}  // namespace orrery::realmode
