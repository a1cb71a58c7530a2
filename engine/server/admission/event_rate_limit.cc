#include "engine/server/admission/event_rate_limit.h"

#include <algorithm>
#include <list>
#include <unordered_map>

#include "engine/api/gen/corev1.h"

namespace orrery::server {
namespace {

/// The buckets of one limit, those of the keys that were used last.
class Buckets {
 public:
  /// False: there is no token.
  bool take(const EventLimit& limit, const std::string& key, Time now) {
    const auto known = places_.find(key);
    if (known == places_.end()) {
      buckets_.push_front({key, limit.burst, now});
      places_[key] = buckets_.begin();
      if (buckets_.size() > static_cast<size_t>(limit.cache_size)) drop_oldest();
    } else {
      buckets_.splice(buckets_.begin(), buckets_, known->second);
    }
    Bucket& bucket = buckets_.front();
    bucket.tokens = std::min(limit.burst, bucket.tokens + (now - bucket.filled).to_seconds() * limit.qps);
    bucket.filled = now;
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }

 private:
  struct Bucket {
    std::string key;
    double tokens;
    Time filled;
  };
  void drop_oldest() {
    places_.erase(buckets_.back().key);
    buckets_.pop_back();
  }

  std::list<Bucket> buckets_;  // the newest first
  std::unordered_map<std::string, std::list<Bucket>::iterator> places_;
};

std::string key_of(const EventLimit& limit, const AdmissionRequest& request) {
  if (limit.type == "Namespace") return request.ns.str();
  if (limit.type == "User") return request.user.name.str();
  const auto* event = request.object ? request.object.as<corev1::Event>() : nullptr;
  if (limit.type == "Server" || !event) return "";
  const corev1::ObjectReference& about = event->involved_object;
  return str_cat(event->source.component, event->source.host, about.kind, about.namespace_, about.name, about.uid, about.api_version);
}

class EventRateLimit final : public AdmissionPlugin {
 public:
  std::string_view name() const override { return "EventRateLimit"; }

  Refusal validate(const AdmissionRequest& request, AdmissionContext& context) const override {
    const bool changes = request.operation != AdmissionRequest::Operation::kDelete;
    if (!request.kind->group.empty() || request.kind->kind != "Event" || !changes) return {};
    if (context.next_answer < context.answers.size()) return {};  // it has been here
    const std::vector<EventLimit>& limits = context.configured().event_limits;
    buckets_.resize(limits.size());
    Refusal refusal;
    for (size_t i = 0; i < limits.size(); ++i) {
      const std::string key = key_of(limits[i], request);
      if (buckets_[i].take(limits[i], key, context.now)) continue;
      refusal = plain_refusal(Status(Code::kTooManyRequests, str_cat("Too many requests: limit reached on type ", limits[i].type,
                                                                     " for key ", key)));
    }
    return refusal;
  }

 private:
  mutable std::vector<Buckets> buckets_;
};

}  // namespace

std::unique_ptr<AdmissionPlugin> event_rate_limit() { return std::make_unique<EventRateLimit>(); }

}  // namespace orrery::server
