#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/ports/store.h"
#include "realmode/etcd/client.h"
#include "realmode/etcd/watch_stream.h"

namespace orrery::realmode {

/// The watches of one store over one stream, on the store's lane. When the stream breaks they are
/// made again on another member, each from the revision after the last one it was told.
///
///   no stream --connect--> asking a member for its version --ok--> stream --broken--> no stream
class EtcdWatches {
 public:
  EtcdWatches(Lanes* lanes, EtcdClient* client) : lanes_(lanes), client_(client) {}
  StoreWatchId add(LaneId lane, StoreWatchRequest request);
  void drain(StoreWatchId id, std::vector<StoreWatchEvent>& out);
  void remove(StoreWatchId id);
  void request_progress(StoreWatchId id);
  /// The store's revision is known: "from now" gets its meaning.
  void on_contact();
  void shut_down();

 private:
  struct Watch {
    LaneId lane;
    StoreWatchRequest request;
    int64_t next = 0;  // revision from which on nothing was told; 0: from now, not known yet
    bool ended = false;
    bool wants_progress = false;
    int refusals = 0;
    std::vector<StoreWatchEvent> fragments;  // of revisions that are not complete yet
    std::vector<StoreWatchEvent> pending;
  };
  void connect();
  void connect_later();
  void open(size_t member, const std::string& version);
  void create(uint64_t id, const Watch& watch);
  void ask_progress();
  void on_batch(WatchBatch& batch);
  void tell_whole_revisions(uint64_t id, Watch& watch, bool goes_on);
  void on_progress(int64_t revision);
  uint64_t id_of(const WatchBatch& batch);
  void on_refusal(uint64_t id, const std::string& reason);
  void on_end(const grpc::Status& status);
  void tell(uint64_t id, Watch& watch, std::vector<StoreWatchEvent> events);
  void end(uint64_t id, Watch& watch, Status error);

  Lanes* lanes_;
  EtcdClient* client_;
  std::map<uint64_t, Watch> watches_;
  uint64_t next_id_ = 1;
  std::unique_ptr<WatchStream> stream_;
  size_t member_ = 0;  // of the stream
  std::string token_;  // of the stream
  std::deque<uint64_t> uncreated_;  // asked for on the stream and not answered yet
  bool progress_in_order_ = false;
  bool connecting_ = false;
  int failures_ = 0;  // since a stream last brought anything
};

}  // namespace orrery::realmode
