#include "sim/world/timeline.h"

#include <cstdio>

#include "engine/api/codec_json.h"
#include "engine/api/schema.h"
#include "engine/server/rest/encode.h"
#include "engine/server/storage.h"

namespace orrery::sim {
namespace {

// Objects in the API server carry no TypeMeta: their kind is that of their type.
std::string shown(const api::Object& object) {
  const api::KindDesc& kind = *object.kind();
  return str_cat("{\"kind\":\"", kind.kind, "\",\"apiVersion\":\"", kind.api_version, "\",", std::string_view(api::encode_json(object)).substr(1));
}

}  // namespace

Timeline::Timeline(const Env& env) : lanes_(env.lanes), api_(env.api), lane_(env.lanes->open("timeline", this)) {
  lanes_->post(lane_, {EventKind::kStart, 0, 0, 0});
}

std::unique_ptr<Component> Timeline::clone(const Env& env) const {
  auto copy = std::make_unique<Timeline>(*this);
  copy->lanes_ = env.lanes;
  copy->api_ = env.api;
  return copy;
}

void Timeline::handle(const Ctx& ctx, const Event& event) {
  if (event.kind == EventKind::kStart) {
    start_ = ctx.now;
    for (const api::KindDesc* kind : api::all_kinds())
      if (!kind->storage_prefix.empty() && &server::storage_kind(*kind) == kind) api_->watch(lane_, {kind, "", "", ""});
    return;
  }
  if (event.kind != EventKind::kWatch) return;
  api_->drain(WatchId{event.a}, arrived_);
  for (const WatchEvent& change : arrived_) {
    if (!change.object) continue;
    char seconds[32];
    std::snprintf(seconds, sizeof(seconds), "%.3f", (ctx.now - start_).to_seconds());
    const auto& meta = change.object.meta();
    lines_[{change.revision, Str(str_cat(change.object.kind()->kind, "/", meta.namespace_, "/", meta.name))}] =
        str_cat("{\"t\":", seconds, ",\"type\":\"", server::watch_event_name(change.type), "\",\"object\":", shown(change.object), "}\n");
  }
  forget(arrived_);
}

std::string Timeline::text() const {
  std::string out;
  for (const auto& [key, line] : lines_) out += line;
  return out;
}

}  // namespace orrery::sim
