#include "tests/support/memory_world.h"

#include <algorithm>

#include "engine/api/codec_json.h"
#include "engine/api/gen/corev1.h"
#include "engine/base/check.h"

namespace orrery::test {
namespace {

ApiResponse failure(Code code, const ApiRequest& request) {
  ApiResponse response;
  response.status = Status(code, str_cat(request.kind->plural, " \"", request.name, '"'));
  return response;
}

ApiResponse success(api::Object object) {
  ApiResponse response;
  response.object = std::move(object);
  return response;
}

}  // namespace

void MemoryWorld::put(api::Object object) {
  object.mut_meta().resource_version = str_cat(++revision_);
  const auto& meta = object.meta();
  const bool fresh =
      objects_.insert_or_assign({object.kind(), meta.namespace_, meta.name}, object).second;
  deliver(*object.kind(),
          {fresh ? WatchEventType::kAdded : WatchEventType::kModified, object, Status()});
}

void MemoryWorld::put_unseen(const api::Object& object) {
  objects_[{object.kind(), object.meta().namespace_, object.meta().name}] = object;
}

void MemoryWorld::remove(const api::KindDesc& kind, const Str& ns, const Str& name) {
  const auto it = objects_.find({&kind, ns, name});
  CHECK(it != objects_.end()) << name.view();
  const api::Object last = it->second;
  objects_.erase(it);
  deliver(kind, {WatchEventType::kDeleted, last, Status()});
}

const api::Object* MemoryWorld::find(const api::KindDesc& kind, const Str& ns,
                                     const Str& name) const {
  const auto it = objects_.find({&kind, ns, name});
  return it == objects_.end() ? nullptr : &it->second;
}

void MemoryWorld::run_until(Time at, bool including) {
  while (!timers_.empty() &&
         (timers_.begin()->at < at || (including && timers_.begin()->at == at))) {
    const Timer timer = *timers_.begin();
    timers_.erase(timers_.begin());
    now_ = std::max(now_, timer.at);
    controller_->handle(Ctx{now_}, timer.event);
    settle();
  }
  now_ = at;
}

TimerId MemoryWorld::arm(LaneId, Time at, const Event& event) {
  timers_.insert({std::max(at, now_), ++last_timer_, event});
  return TimerId{last_timer_};
}

bool MemoryWorld::cancel(TimerId timer) {
  return std::erase_if(timers_, [&](const Timer& t) { return t.id == timer.value; }) > 0;
}

void MemoryWorld::call(Ticket ticket, ApiRequest request) {
  ApiResponse response = request.kind->kind == "Event" ? ApiResponse() : answer(request);
  post({}, {EventKind::kDone, 0, ticket.op, outcomes_.put(std::move(response))});
}

ApiResponse MemoryWorld::answer(const ApiRequest& request) {
  const auto it = objects_.find({request.kind, request.ns, request.name});
  if (it == objects_.end()) return failure(Code::kNotFound, request);
  const api::Object stored = it->second;
  switch (request.verb) {
    case ApiVerb::kGet:
      return success(stored);
    case ApiVerb::kUpdate:
      return updated(request, stored);
    case ApiVerb::kPatch:
      return patched(request, stored);
    case ApiVerb::kDelete:
      deleted_[api::object_key(stored.meta())] = now_;
      deletions_.push_back(api::object_key(stored.meta()));
      remove(*request.kind, request.ns, request.name);
      return {};
    default:
      CHECK(false) << "not used by these controllers";
  }
  return {};
}

ApiResponse MemoryWorld::updated(const ApiRequest& request, const api::Object& stored) {
  if (request.object.meta().resource_version != stored.meta().resource_version)
    return failure(Code::kConflict, request);
  if (request.subresource == "status" && see_status_) see_status_(request.object);
  put(request.object);
  return success(*find(*request.kind, request.ns, request.name));
}

ApiResponse MemoryWorld::patched(const ApiRequest& request, const api::Object& stored) {
  const auto patch = api::Json::parse(request.patch);
  CHECK(patch.is_ok()) << patch.status().message();
  const auto json =
      api::apply_patch(request.patch_kind, *stored.type(), api::to_json(stored), *patch);
  CHECK(json.is_ok()) << json.status().message();
  api::Json document = *json;
  document.set("apiVersion", stored.kind()->api_version);
  document.set("kind", stored.kind()->kind);
  const auto object = api::object_from_json(document);
  CHECK(object.is_ok()) << object.status().message();
  put(*object);
  return success(*find(*request.kind, request.ns, request.name));
}

WatchId MemoryWorld::watch(LaneId lane, const WatchSpec& spec) {
  const WatchId watch = ControllerWorld::watch(lane, spec);
  for (const auto& [key, object] : objects_)
    if (std::get<0>(key) == spec.kind)
      watches_.back().pending.push_back({WatchEventType::kAdded, object, Status()});
  return watch;
}

void MemoryWorld::on_event(const SyncEvent& event) {
  events_.push_back(str_cat(event.type, ' ', event.reason, ' ', event.message));
}

void MemoryWorld::deliver(const api::KindDesc& kind, const WatchEvent& event) {
  if (!controller_) return;
  for (size_t i = 0; i < watches_.size(); ++i) {
    if (watches_[i].kind != &kind) continue;
    watches_[i].pending.push_back(event);
    post({}, {EventKind::kWatch, 0, i + 1, 0});
  }
  settle();
}

void MemoryWorld::release() {
  settling_ = false;
  settle();
}

// A write inside a handler is seen when the handler has ended.
void MemoryWorld::settle() {
  if (settling_) return;
  settling_ = true;
  for (size_t i = 0; i < posted_.size(); ++i) {
    const Event event = posted_[i];
    controller_->handle(Ctx{now_}, event);
  }
  posted_.clear();
  settling_ = false;
}

}  // namespace orrery::test
