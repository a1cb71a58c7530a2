#pragma once

#include <cstdint>
#include <functional>

#include "realmode/etcd/client.h"

namespace orrery::realmode {

/// Renews one lease once. NotFound if it has expired.
class LeaseKeepAliveCall final : public EtcdCall {
 public:
  using Done = std::function<void(const Status&, int64_t revision)>;
  LeaseKeepAliveCall(int64_t lease, Done done);

 private:
  void launch(Member& member, grpc::ClientContext* context, Returned returned) override;
  void finish(const Status& status) override;

  etcdserverpb::LeaseKeepAliveRequest request_;
  etcdserverpb::LeaseKeepAliveResponse response_;
  Done done_;
};

}  // namespace orrery::realmode
