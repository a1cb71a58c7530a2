#include "realmode/etcd/lease_keep_alive.h"

#include <grpcpp/support/client_callback.h>

#include <utility>

namespace orrery::realmode {
namespace {

/// etcd offers renewal as a stream only: one request, one response, end. Deletes itself.
class Renewal final : public grpc::ClientBidiReactor<etcdserverpb::LeaseKeepAliveRequest,
                                                     etcdserverpb::LeaseKeepAliveResponse> {
 public:
  explicit Renewal(EtcdCall::Returned returned) : returned_(std::move(returned)) {}
  void start(Member& member, grpc::ClientContext* context,
             const etcdserverpb::LeaseKeepAliveRequest* request,
             etcdserverpb::LeaseKeepAliveResponse* response) {
    member.lease->async()->LeaseKeepAlive(context, this);
    StartWriteLast(request, grpc::WriteOptions());
    StartRead(response);
    StartCall();
  }

 private:
  void OnReadDone(bool ok) override { answered_ = ok; }
  void OnDone(const grpc::Status& status) override {
    const grpc::Status none(grpc::StatusCode::UNAVAILABLE, "the stream ended without an answer");
    returned_(answered_ ? grpc::Status::OK : status.ok() ? none : status);
    delete this;
  }

  EtcdCall::Returned returned_;
  bool answered_ = false;
};

}  // namespace

LeaseKeepAliveCall::LeaseKeepAliveCall(int64_t lease, Done done) : done_(std::move(done)) {
  may_repeat = true;
  request_.set_id(lease);
}

void LeaseKeepAliveCall::launch(Member& member, grpc::ClientContext* context, Returned returned) {
  response_.Clear();
  (new Renewal(std::move(returned)))->start(member, context, &request_, &response_);
}

void LeaseKeepAliveCall::finish(const Status& status) {
  const bool expired = status.is_ok() && response_.ttl() <= 0;
  done_(expired ? not_found("etcd: requested lease not found") : status,
        response_.header().revision());
}

}  // namespace orrery::realmode
