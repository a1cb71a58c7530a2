#include "engine/runtime/event_recorder.h"

#include <algorithm>
#include <utility>

#include "engine/api/gen/corev1.h"
#include "engine/runtime/api_requests.h"

namespace orrery {
namespace {

corev1::ObjectReference reference_to(const api::Object& object) {
  const auto& meta = object.meta();
  corev1::ObjectReference ref;
  ref.kind = object.kind()->kind;
  ref.api_version = object.kind()->api_version;
  ref.namespace_ = meta.namespace_;
  ref.name = meta.name;
  ref.uid = meta.uid;
  ref.resource_version = meta.resource_version;
  return ref;
}

constexpr std::string_view kHex = "0123456789abcdef";

std::string hex(uint64_t number) {
  std::string text;
  for (; number > 0; number >>= 4) text.insert(text.begin(), kHex[number & 15]);
  return text;
}

}  // namespace

std::optional<ApiRequest> EventRecorder::record(Time now, const SyncEvent& report) {
  if (!enabled_) return std::nullopt;
  const auto& meta = report.about.meta();
  if (silenced(now, meta.uid)) return std::nullopt;
  if (seen_.size() >= kRemembered) seen_ = {};
  const Str key = str_cat(meta.uid, '|', report.type, '|', report.reason, '|', report.message);
  const auto [slot, fresh] = seen_.insert(key);
  if (slot >= reports_.size()) reports_.resize(slot + 1);
  return fresh ? first(now, report, reports_[slot]) : repeated(now, reports_[slot]);
}

bool EventRecorder::silenced(Time now, const Str& uid) {
  if (objects_.size() >= kRemembered) objects_ = {};
  const auto [slot, fresh] = objects_.insert(uid);
  if (slot >= buckets_.size()) buckets_.resize(slot + 1);
  if (fresh) buckets_[slot] = TokenBucket(kInterval, kBurst);
  return !buckets_[slot].try_take(now);
}

ApiRequest EventRecorder::first(Time now, const SyncEvent& report, Report& memory) {
  // Names are unique by time; several reports of one moment get consecutive stamps.
  last_stamp_ = std::max(last_stamp_ + 1, now.ns);
  const auto& about = report.about.meta();
  corev1::Event event;
  auto& meta = event.metadata.mut();
  meta.namespace_ = about.namespace_.empty() ? Str("default") : about.namespace_;
  meta.name = str_cat(about.name, '.', hex(static_cast<uint64_t>(last_stamp_)));
  event.involved_object = reference_to(report.about);
  event.reason = report.reason;
  event.message = report.message;
  event.type = report.type;
  event.source.component = component_;
  event.reporting_component = component_;
  event.first_timestamp = api::Timestamp::whole_seconds(now);
  event.last_timestamp = event.first_timestamp;
  event.count = 1;
  memory = {meta.namespace_, meta.name, 1};
  return create_request(api::Object::of(std::move(event)));
}

ApiRequest EventRecorder::repeated(Time now, Report& memory) {
  ++memory.count;
  const std::string patch = str_cat(R"({"count":)", memory.count, R"(,"lastTimestamp":")",
                                    api::format_time(api::Timestamp::whole_seconds(now)), R"("})");
  return patch_request(kind_of<corev1::Event>(), memory.ns, memory.name, PatchKind::kMerge, patch);
}

}  // namespace orrery
