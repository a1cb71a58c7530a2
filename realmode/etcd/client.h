#pragma once

#include <grpcpp/client_context.h>
#include <grpcpp/support/status.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/ports/lanes.h"
#include "realmode/etcd/inbox.h"
#include "realmode/etcd/members.h"

namespace orrery::realmode {

/// One remote call from its submission to its end, over all its attempts. Lives on the store's lane
/// except where it says otherwise.
class EtcdCall {
 public:
  using Returned = std::function<void(const grpc::Status&)>;
  virtual ~EtcdCall() = default;
  bool may_repeat = false;  // applied twice it does no harm
  bool needs_token = true;
  /// The member of the last attempt.
  size_t member() const { return member_; }

 protected:
  friend class EtcdClient;
  /// Starts an attempt; `returned` runs once, on any thread. The call outlives that, and is
  /// destroyed on the lane: a context holds its channel, and gRPC's threads cannot end a channel.
  virtual void launch(Member& member, grpc::ClientContext* context, Returned returned) = 0;
  /// On gRPC's thread after a success: work that is better not done on the lane.
  virtual void digest() {}
  virtual void finish(const Status& status) = 0;

 private:
  Time deadline_;
  int attempts_ = 0;
  int logins_ = 0;
  size_t member_ = 0;
  std::string token_;
  std::unique_ptr<grpc::ClientContext> context_;
};

/// A call with one request and one response.
template <typename Request, typename Response>
class UnaryCall final : public EtcdCall {
 public:
  using Start = void (*)(Member&, grpc::ClientContext*, const Request*, Response*, Returned);
  UnaryCall(Start start, std::function<void(const Status&, UnaryCall&)> done)
      : start_(start), done_(std::move(done)) {}
  void set_done(std::function<void(const Status&, UnaryCall&)> done) { done_ = std::move(done); }
  Request request;
  Response response;
  /// Optional: see EtcdCall::digest.
  std::function<void(UnaryCall&)> convert;

 private:
  void launch(Member& member, grpc::ClientContext* context, Returned returned) override {
    response.Clear();
    start_(member, context, &request, &response, std::move(returned));
  }
  void digest() override {
    if (convert) convert(*this);
  }
  void finish(const Status& status) override { done_(status, *this); }

  Start start_;
  std::function<void(const Status&, UnaryCall&)> done_;
};

/// Calls to a cluster: which member is asked, the token, attempts and their delays. On one lane.
class EtcdClient {
 public:
  EtcdClient(Lanes* lanes, Timers* timers, const EtcdOptions* options, std::vector<Member> members);
  void set_lane(LaneId lane);
  LaneId lane() const { return lane_; }
  Inbox& inbox() { return inbox_; }
  void handle(const Event& event);
  /// Cancels what is under way and waits until gRPC has let go of it.
  void shut_down();

  /// The first call finds out the store's revision before it runs; `on_contact` is told.
  void set_on_contact(std::function<void()> on_contact) { on_contact_ = std::move(on_contact); }
  bool in_contact() const { return in_contact_; }
  void submit(const std::shared_ptr<EtcdCall>& call);
  /// A call to ask a member for its version and revision.
  using StatusCall = UnaryCall<etcdserverpb::StatusRequest, etcdserverpb::StatusResponse>;
  static std::shared_ptr<StatusCall> status_call(
      std::function<void(const Status&, StatusCall&)> done);

  /// The newest revision that any answer has named.
  int64_t seen_revision() const { return seen_revision_; }
  void saw(int64_t revision) { seen_revision_ = std::max(seen_revision_, revision); }

  Member& member(size_t index) { return members_[index]; }
  /// Further calls ask another member if `index` is still the one they would ask.
  void leave(size_t index);
  const std::string& token() const { return token_; }
  /// Log in again before the next call, if `token` is still the newest.
  void drop_token(const std::string& token);
  void after(Duration delay, std::function<void()> task);

 private:
  void make_contact();
  void attempt(const std::shared_ptr<EtcdCall>& call);
  void returned(EtcdCall* key, const grpc::Status& status);
  void log_in();
  Duration time_for(const EtcdCall& call) const;
  Duration delay_of(const EtcdCall& call) const;

  Timers* timers_;
  const EtcdOptions* options_;
  std::vector<Member> members_;
  Inbox inbox_;
  LaneId lane_;
  std::function<void()> on_contact_;
  bool in_contact_ = false;
  bool making_contact_ = false;
  bool logging_in_ = false;
  std::vector<std::shared_ptr<EtcdCall>> waiting_for_contact_;
  std::vector<std::shared_ptr<EtcdCall>> waiting_for_token_;
  std::map<EtcdCall*, std::shared_ptr<EtcdCall>> active_;  // in gRPC's hands
  std::map<uint64_t, std::function<void()>> delayed_;
  uint64_t next_delayed_ = 1;
  int64_t seen_revision_ = 0;
  size_t current_ = 0;
  std::string token_;
};

}  // namespace orrery::realmode
