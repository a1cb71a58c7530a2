#pragma once

#include <grpcpp/channel.h>

#include <memory>
#include <string>
#include <vector>

#include "engine/base/status.h"
#include "realmode/etcd/etcd_store.h"
#include "realmode/etcd/proto/etcd.grpc.pb.h"

namespace orrery::realmode {

/// One member of the cluster as this client reaches it.
struct Member {
  std::string endpoint;
  std::unique_ptr<etcdserverpb::KV::Stub> kv;
  std::unique_ptr<etcdserverpb::Watch::Stub> watch;
  std::unique_ptr<etcdserverpb::Lease::Stub> lease;
  std::unique_ptr<etcdserverpb::Auth::Stub> auth;
  std::unique_ptr<etcdserverpb::Maintenance::Stub> maintenance;
};

/// Channels connect when they are first used. BadRequest names the endpoint or file that is wrong.
Result<std::vector<Member>> make_members(const EtcdOptions& options);

}  // namespace orrery::realmode
