#include "realmode/cli/apiserver.h"

#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <utility>

#include "engine/base/str.h"
#include "engine/server/rest/setup.h"
#include "realmode/daemon/api_daemon.h"
#include "realmode/daemon/control_plane.h"
#include "realmode/daemon/files.h"
#include "realmode/daemon/host_address.h"
#include "realmode/daemon/pki.h"
#include "realmode/etcd/etcd_store.h"
#include "realmode/sqlite/sqlite_store.h"

namespace orrery::realmode {
namespace {

constexpr Duration kGrace = Duration::seconds(10);    // for requests under way at the end
constexpr Duration kPatience = Duration::seconds(5);  // then it is said what is being waited for

/// Blocks the signals that end the process, for this thread and those it makes.
sigset_t hold_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

bool signal_came(const sigset_t& signals) {
  const timespec now{};
  return sigtimedwait(&signals, nullptr, &now) > 0;
}

/// Answers and pieces of watches come and go by megabytes: memory that is free for a moment is kept
/// instead of being handed back and faulted in again (a tenth of the cost of a watch event). For
/// libc's allocator: tcmalloc, where it is linked, does so by itself and passes over these words.
void keep_freed_memory() {
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 32 << 20);
  // In one arena: those of threads are unmapped as soon as they are empty (a quarter of a long list).
  mallopt(M_ARENA_MAX, 1);
}

/// A watch is a connection: as many as the system allows.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

Result<std::unique_ptr<Store>> open_etcd(Loop* loop, const ApiserverFlags& flags) {
  EtcdOptions options;
  options.endpoints = flags.etcd_servers;
  options.ca_file = flags.etcd_cafile;
  options.cert_file = flags.etcd_certfile;
  options.key_file = flags.etcd_keyfile;
  Result<std::unique_ptr<EtcdStore>> store = EtcdStore::open(loop, loop, std::move(options));
  if (!store) return store.status().with_context("--etcd-servers");
  return std::unique_ptr<Store>(std::move(*store));
}

Result<std::unique_ptr<Store>> open_store(Loop* loop, const ApiserverFlags& flags) {
  if (!flags.etcd_servers.empty()) return open_etcd(loop, flags);
  ORRERY_TRY(make_folder(flags.data_dir));
  SqliteStore::Options options;
  options.path = flags.data_dir + "/state.db";
  ORRERY_ASSIGN(std::unique_ptr<Store> store, SqliteStore::open(loop, std::move(options)));
  return store;
}

std::string advertised(const ApiserverFlags& flags) {
  return flags.advertise_address.empty() ? reachable_address(flags.bind_address)
                                         : flags.advertise_address;
}

/// Who the API server is to kubelets, and whom it believes to be one.
Status read_kubelet_keys(const ApiserverFlags& flags, const Pki& pki, TlsFiles& files) {
  files = {pki.kubelet_client.certificate_pem, pki.kubelet_client.key_pem, ""};
  if (!flags.kubelet_client_certificate.empty()) {
    ORRERY_ASSIGN(files.certificate_pem, read_file(flags.kubelet_client_certificate));
    ORRERY_ASSIGN(files.key_pem, read_file(flags.kubelet_client_key));
  }
  if (flags.kubelet_certificate_authority.empty()) return Status::ok();
  ORRERY_ASSIGN(files.client_ca_pem, read_file(flags.kubelet_certificate_authority));
  return Status::ok();
}

/// Keys and certificates: what flags name, else what the data folder has.
Result<Pki> read_keys(const ApiserverFlags& flags, Time now, ApiDaemon::Options& options) {
  std::vector<std::string> addresses = {"127.0.0.1", "::1",
                                        server::first_address(flags.service_cluster_ip_range)};
  for (const std::string& address : {reachable_address(flags.bind_address), advertised(flags)})
    if (std::find(addresses.begin(), addresses.end(), address) == addresses.end())
      addresses.push_back(address);
  ORRERY_ASSIGN(Pki pki, ensure_pki(flags.data_dir + "/pki", addresses, now));
  TlsFiles& tls = options.http.tls.emplace();
  tls = {pki.apiserver.certificate_pem, pki.apiserver.key_pem, pki.authority_pem};
  if (!flags.tls_cert_file.empty()) {
    ORRERY_ASSIGN(tls.certificate_pem, read_file(flags.tls_cert_file));
    ORRERY_ASSIGN(tls.key_pem, read_file(flags.tls_private_key_file));
    pki.authority_pem = tls.certificate_pem;  // all that a kubeconfig can know
  }
  if (!flags.client_ca_file.empty()) {
    ORRERY_ASSIGN(tls.client_ca_pem, read_file(flags.client_ca_file));
  }
  ORRERY_TRY(read_kubelet_keys(flags, pki, options.http.kubelets));
  server::ServerOptions& server = options.server;
  server.client_certificates = true;
  server.service_account_signing_key_pem = pki.service_account_key_pem;
  if (!flags.service_account_signing_key_file.empty()) {
    ORRERY_ASSIGN(server.service_account_signing_key_pem,
                  read_file(flags.service_account_signing_key_file));
  }
  for (const std::string& path : flags.service_account_key_file) {
    ORRERY_ASSIGN(std::string pem, read_file(path));
    server.service_account_key_pems.push_back(std::move(pem));
  }
  return pki;
}

Status serve(const ApiserverFlags& flags, const sigset_t& signals) {
  ApiDaemon::Options options;
  ORRERY_ASSIGN(options.server, server_options(flags));
  ORRERY_TRY(read_compaction(flags, options));
  ORRERY_TRY(read_audit(flags, options));
  Loop loop;
  ORRERY_ASSIGN(const std::unique_ptr<Store> store, open_store(&loop, flags));
  ORRERY_ASSIGN(const Pki pki, read_keys(flags, loop.now(), options));
  if (flags.encryption_provider_config_automatic_reload) options.reloaded_encryption_config = flags.encryption_provider_config;
  options.http.address = flags.bind_address;
  options.http.port = flags.secure_port;
  options.http.limits.goaway_chance = flags.goaway_chance;
  options.shares_store = !flags.etcd_servers.empty();
  options.with_control_plane = flags.control_plane;
  options.server.advertise_port = 0;
  options.server.advertise_address = advertised(flags);
  ORRERY_ASSIGN(const std::unique_ptr<ApiDaemon> daemon,
                ApiDaemon::make(&loop, store.get(), std::move(options)));
  std::optional<ControlPlane> control_plane;
  if (flags.control_plane) control_plane.emplace(&loop, daemon->api(), daemon->token_signer(), pki.authority_pem);
  loop.start();
  bool ready = false, ended = false;
  for (Duration waited; !ready && !ended; waited = waited + Duration::millis(100)) {
    ready = daemon->wait_until_ready(Duration::millis(100));
    ended = signal_came(signals);
    if (waited == kPatience) std::fprintf(stderr, "orrery: still waiting for the store\n");
  }
  if (ready && !ended) {
    daemon->open_door();
    const std::string config = kubeconfig(daemon->url(), pki.authority_pem, pki.admin);
    if (flags.client_ca_file.empty())
      ORRERY_TRY(write_file(flags.data_dir + "/admin.conf", config, true));
    std::printf("{\"url\": \"%s\"}\n", daemon->url().c_str());
    std::fflush(stdout);
    int signal = 0;
    sigwait(&signals, &signal);
    daemon->shut_down(kGrace);
  }
  loop.stop();
  return Status::ok();
}

}  // namespace

int run_apiserver(const ApiserverFlags& flags) {
  const sigset_t signals = hold_signals();
  raise_descriptor_limit();
  keep_freed_memory();
  const Status status = serve(flags, signals);
  if (status.is_ok()) return 0;
  std::fprintf(stderr, "orrery apiserver: %s\n", status.message().c_str());
  return 2;
}

}  // namespace orrery::realmode
