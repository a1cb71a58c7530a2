#include "sim/world/node_drain.h"

#include "engine/api/gen/corev1.h"
#include "engine/api/gen/policyv1.h"
#include "engine/runtime/api_requests.h"

namespace orrery::sim {
namespace {

constexpr Duration kRetry = Duration::seconds(5);
// What an answer is about; above these bits, a pod.
constexpr uint64_t kCordoned = 0, kListed = 1, kEvicted = 2, kOpBits = 2;
constexpr uint32_t kBegin = 0, kAgain = 1;  // timers

bool is_of_daemon_set(const api::Object& pod) {
  const metav1::OwnerReference* owner = api::controller_of(pod.meta());
  return owner && owner->kind == "DaemonSet";
}

}  // namespace

NodeDrain::NodeDrain(const Env& env, const Str& node, Time at)
    : timers_(env.timers), api_(env.api), lane_(env.lanes->open("drain", this)), node_(node) {
  timers_->arm(lane_, at, {EventKind::kTimer, kBegin, 0, 0});
}

std::unique_ptr<Component> NodeDrain::clone(const Env& env) const {
  auto copy = std::make_unique<NodeDrain>(*this);
  copy->timers_ = env.timers;
  copy->api_ = env.api;
  return copy;
}

void NodeDrain::handle(const Ctx& ctx, const Event& event) {
  if (event.kind == EventKind::kDone) return on_done(event.a, api_->take(event.b), ctx.now);
  if (event.kind != EventKind::kTimer) return;
  if (event.arg == kAgain) return evict(event.a);
  api_->call({lane_, kCordoned}, patch_request(kind_of<corev1::Node>(), Str(), node_, PatchKind::kMerge,
                                               R"({"spec":{"unschedulable":true}})"));
}

void NodeDrain::on_done(uint64_t op, const ApiResponse& response, Time now) {
  if (op == kCordoned) {
    ApiRequest list = list_request(kind_of<corev1::Pod>(), Str());
    list.field_selector = Str(str_cat("spec.nodeName=", node_));
    return api_->call({lane_, kListed}, std::move(list));
  }
  if (op == kListed) {
    for (const api::Object& pod : response.items)
      if (!is_of_daemon_set(pod)) pods_.emplace_back(pod.meta().namespace_, pod.meta().name);
    for (size_t i = 0; i < pods_.size(); ++i) evict(i);
    return;
  }
  if (response.status.code() == Code::kTooManyRequests)
    timers_->arm(lane_, now + kRetry, {EventKind::kTimer, kAgain, op >> kOpBits, 0});
}

void NodeDrain::evict(size_t pod) {
  policyv1::Eviction eviction;
  eviction.metadata.mut().namespace_ = pods_[pod].first;
  eviction.metadata.mut().name = pods_[pod].second;
  ApiRequest request = create_request(api::Object::of(std::move(eviction)));
  request.kind = &kind_of<corev1::Pod>();
  request.subresource = "eviction";
  request.name = pods_[pod].second;
  api_->call({lane_, kEvicted | uint64_t{pod} << kOpBits}, std::move(request));
}

}  // namespace orrery::sim
