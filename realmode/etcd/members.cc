#include "realmode/etcd/members.h"

#include <absl/synchronization/mutex.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <fstream>
#include <sstream>

#include "engine/base/str.h"

namespace orrery::realmode {
namespace {

// A connection that answers no ping for this long is dead (kube-apiserver v1.32: 30 s and 10 s;
// etcd refuses pings more often than every 5 s).
constexpr int kKeepAliveMs = 10'000;
constexpr int kKeepAliveTimeoutMs = 10'000;
// A member that cannot be reached holds a call up no longer than this.
constexpr int kConnectTimeoutMs = 1'000;
constexpr int kReconnectFirstMs = 100;
constexpr int kReconnectMostMs = 2'000;

Result<std::string> read_file(const std::string& path) {
  if (path.empty()) return std::string();
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) return bad_request(str_cat(path, ": cannot be read"));
  return text.str();
}

grpc::ChannelArguments channel_arguments() {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepAliveMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepAliveTimeoutMs);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kConnectTimeoutMs);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kReconnectFirstMs);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kReconnectMostMs);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return arguments;
}

}  // namespace

Result<std::vector<Member>> make_members(const EtcdOptions& options) {
  // gRPC's locks are gRPC's business: Debian's Abseil looks for deadlocks at every one.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  grpc::SslCredentialsOptions tls;
  ORRERY_ASSIGN(tls.pem_root_certs, read_file(options.ca_file));
  ORRERY_ASSIGN(tls.pem_cert_chain, read_file(options.cert_file));
  ORRERY_ASSIGN(tls.pem_private_key, read_file(options.key_file));
  if (options.endpoints.empty()) return bad_request("etcd: no endpoint is given");
  std::vector<Member> members;
  for (const std::string& endpoint : options.endpoints) {
    constexpr std::string_view kPlain = "http://", kTls = "https://";
    const bool secure = endpoint.starts_with(kTls);
    if (!secure && !endpoint.starts_with(kPlain))
      return bad_request(
          str_cat("etcd: endpoint '", endpoint, "' must begin with http:// or https://"));
    std::string target = endpoint.substr(secure ? kTls.size() : kPlain.size());
    if (target.ends_with('/')) target.pop_back();
    const auto credentials =
        secure ? grpc::SslCredentials(tls) : grpc::InsecureChannelCredentials();
    const auto channel = grpc::CreateCustomChannel(target, credentials, channel_arguments());
    members.push_back({endpoint, etcdserverpb::KV::NewStub(channel),
                       etcdserverpb::Watch::NewStub(channel), etcdserverpb::Lease::NewStub(channel),
                       etcdserverpb::Auth::NewStub(channel),
                       etcdserverpb::Maintenance::NewStub(channel)});
  }
  return members;
}

}  // namespace orrery::realmode
