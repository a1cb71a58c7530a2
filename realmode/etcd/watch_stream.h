#pragma once

#include <grpcpp/client_context.h>
#include <grpcpp/support/client_callback.h>

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "engine/ports/store.h"
#include "realmode/etcd/inbox.h"
#include "realmode/etcd/members.h"

namespace orrery::realmode {

/// One message of a watch stream.
struct WatchBatch {
  static constexpr int64_t kAllWatches = -1;  // of an answer to a progress request
  int64_t watch = 0;
  int64_t revision = 0;  // of the store
  bool created = false;
  bool canceled = false;
  bool fragment = false;  // the events go on in the next batch of this watch
  int64_t compact_revision = 0;
  std::string cancel_reason;
  std::vector<StoreWatchEvent> events;
};

/// One stream to one member, for all watches. What comes is turned into the port's structs on
/// gRPC's threads and handed to the lane in order. Its owner keeps it until `on_end` has run (or
/// the inbox is closed) and destroys it on the lane, as an EtcdCall.
class WatchStream final
    : public grpc::ClientBidiReactor<etcdserverpb::WatchRequest, etcdserverpb::WatchResponse> {
 public:
  /// Run on the lane; `on_end` comes last.
  using OnBatch = std::function<void(WatchBatch&)>;
  using OnEnd = std::function<void(const grpc::Status&)>;
  static std::unique_ptr<WatchStream> open(Member& member, const std::string& token, Inbox* inbox,
                                           OnBatch on_batch, OnEnd on_end);
  /// From the lane. Lost if the stream has broken.
  void send(etcdserverpb::WatchRequest request);
  void cancel() { context_.TryCancel(); }

 private:
  WatchStream(Inbox* inbox, OnBatch on_batch, OnEnd on_end)
      : inbox_(inbox), on_batch_(std::move(on_batch)), on_end_(std::move(on_end)) {}
  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;

  Inbox* inbox_;
  OnBatch on_batch_;
  OnEnd on_end_;
  grpc::ClientContext context_;
  etcdserverpb::WatchResponse response_;
  std::mutex mutex_;                                 // the next two
  std::deque<etcdserverpb::WatchRequest> requests_;  // the first is being written
  bool broken_ = false;
};

}  // namespace orrery::realmode
