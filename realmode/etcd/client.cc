#include "realmode/etcd/client.h"

#include <algorithm>
#include <chrono>

#include "realmode/etcd/errors.h"

namespace orrery::realmode {
namespace {

// A call that may be repeated is not left with a member that does not answer.
constexpr Duration kAttemptTime = Duration::seconds(3);
constexpr Duration kFirstDelay = Duration::millis(50);
constexpr Duration kLongestDelay = Duration::seconds(1);
constexpr int kLoginsMax = 2;

}  // namespace

EtcdClient::EtcdClient(Lanes* lanes, Timers* timers, const EtcdOptions* options,
                       std::vector<Member> members)
    : timers_(timers), options_(options), members_(std::move(members)), inbox_(lanes) {}

void EtcdClient::set_lane(LaneId lane) {
  lane_ = lane;
  inbox_.set_lane(lane);
}

void EtcdClient::handle(const Event& event) {
  if (event.kind != EventKind::kTimer) return inbox_.run();
  const auto found = delayed_.find(event.a);
  if (found == delayed_.end()) return;
  const std::function<void()> task = std::move(found->second);
  delayed_.erase(found);
  task();
}

void EtcdClient::after(Duration delay, std::function<void()> task) {
  const uint64_t id = next_delayed_++;
  delayed_.emplace(id, std::move(task));
  timers_->arm(lane_, timers_->now() + delay, {EventKind::kTimer, 0, id, 0});
}

void EtcdClient::shut_down() {
  for (const auto& [key, call] : active_) call->context_->TryCancel();
  inbox_.close();
}

void EtcdClient::submit(const std::shared_ptr<EtcdCall>& call) {
  call->deadline_ = timers_->now() + options_->timeout;
  call->attempts_ = 0;
  if (in_contact_) return attempt(call);
  waiting_for_contact_.push_back(call);
  if (!making_contact_) make_contact();
}

std::shared_ptr<EtcdClient::StatusCall> EtcdClient::status_call(
    std::function<void(const Status&, StatusCall&)> done) {
  auto call = std::make_shared<StatusCall>(
      [](Member& member, grpc::ClientContext* context, const etcdserverpb::StatusRequest* request,
         etcdserverpb::StatusResponse* response, EtcdCall::Returned returned) {
        member.maintenance->async()->Status(context, request, response, std::move(returned));
      },
      std::move(done));
  call->may_repeat = true;
  return call;
}

void EtcdClient::make_contact() {
  making_contact_ = true;
  const auto hello = status_call([this](const Status& status, StatusCall& call) {
    making_contact_ = false;
    in_contact_ = status.is_ok();
    if (in_contact_) saw(call.response.header().revision());
    if (in_contact_ && on_contact_) on_contact_();
    const auto waiting = std::exchange(waiting_for_contact_, {});
    for (const auto& other : waiting) in_contact_ ? attempt(other) : other->finish(status);
  });
  hello->deadline_ = timers_->now() + options_->timeout;
  attempt(hello);
}

void EtcdClient::leave(size_t index) {
  if (index == current_) current_ = (current_ + 1) % members_.size();
}

void EtcdClient::drop_token(const std::string& token) {
  if (token == token_) token_.clear();
}

Duration EtcdClient::time_for(const EtcdCall& call) const {
  const Duration left = call.deadline_ - timers_->now();
  return call.may_repeat && members_.size() > 1 ? std::min(left, kAttemptTime) : left;
}

// The other members are asked at once, then all of them more and more slowly.
Duration EtcdClient::delay_of(const EtcdCall& call) const {
  const int rounds = call.attempts_ / static_cast<int>(members_.size());
  if (rounds == 0) return {};
  return std::min(kLongestDelay, kFirstDelay * (int64_t{1} << std::min(rounds - 1, 8)));
}

void EtcdClient::attempt(const std::shared_ptr<EtcdCall>& call) {
  if (call->needs_token && !options_->username.empty() && token_.empty()) {
    waiting_for_token_.push_back(call);
    if (!logging_in_) log_in();
    return;
  }
  ++call->attempts_;
  call->member_ = current_;
  call->token_ = token_;
  call->context_ = std::make_unique<grpc::ClientContext>();
  call->context_->set_deadline(std::chrono::system_clock::now() +
                               std::chrono::nanoseconds(time_for(*call).ns));
  // A member without a leader refuses at once instead of letting the call wait.
  call->context_->AddMetadata("hasleader", "true");
  if (call->needs_token && !token_.empty()) call->context_->AddMetadata("token", token_);
  EtcdCall* const key = call.get();
  active_[key] = call;
  inbox_.begin();
  call->launch(members_[current_], call->context_.get(), [this, key](const grpc::Status& status) {
    if (status.ok()) key->digest();
    inbox_.push([this, key, status] { returned(key, status); });
    inbox_.end();
  });
}

void EtcdClient::returned(EtcdCall* key, const grpc::Status& status) {
  const std::shared_ptr<EtcdCall> call = std::move(active_.extract(key).mapped());
  if (status.ok()) return call->finish(Status::ok());
  const EtcdFailure failure = etcd_failure(status.error_code(), status.error_message());
  if (failure.bad_token && !options_->username.empty() && call->logins_ < kLoginsMax) {
    ++call->logins_;
    drop_token(call->token_);
    return attempt(call);
  }
  if (failure.transient) leave(call->member_);
  const Duration delay = delay_of(*call);
  const bool again = failure.transient && (failure.not_applied || call->may_repeat);
  if (!again || timers_->now() + delay >= call->deadline_) return call->finish(failure.status);
  if (delay.ns == 0) return attempt(call);
  after(delay, [this, call] { attempt(call); });
}

void EtcdClient::log_in() {
  logging_in_ = true;
  using Call = UnaryCall<etcdserverpb::AuthenticateRequest, etcdserverpb::AuthenticateResponse>;
  const auto call = std::make_shared<Call>(
      [](Member& member, grpc::ClientContext* context,
         const etcdserverpb::AuthenticateRequest* request,
         etcdserverpb::AuthenticateResponse* response, EtcdCall::Returned returned) {
        member.auth->async()->Authenticate(context, request, response, std::move(returned));
      },
      [this](const Status& status, Call& done) {
        logging_in_ = false;
        if (status.is_ok()) token_ = done.response.token();
        const auto waiting = std::exchange(waiting_for_token_, {});
        for (const auto& other : waiting) status.is_ok() ? attempt(other) : other->finish(status);
      });
  call->may_repeat = true;
  call->needs_token = false;
  call->request.set_name(options_->username);
  call->request.set_password(options_->password);
  call->deadline_ = timers_->now() + options_->timeout;
  attempt(call);
}

}  // namespace orrery::realmode
