// Logs of containers that this process runs itself.
#include "engine/api/pod_util.h"
#include "engine/server/rest/rest.h"

namespace orrery::server {
namespace {

constexpr std::string_view kText = "text/plain";

int32_t restarts_of(const corev1::Pod& pod, std::string_view name) {
  const corev1::ContainerStatus* status = api::container_status(pod, name);
  return status == nullptr ? 0 : status->restart_count;
}

bool has_ended(const corev1::Pod& pod, std::string_view name) {
  const corev1::ContainerStatus* status = api::container_status(pod, name);
  return status == nullptr || !status->state.running;
}

}  // namespace

void Rest::serve_own_log(uint64_t id, Exchange& exchange, const api::Object& object,
                         const std::string& container, const corev1::PodLogOptions& options, Time now) {
  const auto& pod = object.get<corev1::Pod>();
  const auto lines = logs_->read(object, container, options.previous);
  if (!lines.is_ok()) return fail(id, lines.status());
  FollowedLog log{LogText(options, now), container, restarts_of(pod, container)};
  std::string text = log.text.next(*lines);
  if (!options.follow || options.previous || log.text.full() || has_ended(pod, container))
    return respond(id, 200, kText, std::move(text));
  exchange.log = std::make_unique<FollowedLog>(std::move(log));
  exchange.streaming = true;
  counts_.running(exchange.info, 1);
  audit(exchange, AuditStage::kResponseStarted, 200);
  transport_->begin_stream(id, {200, {{"cache-control", "no-cache, private"}, {"content-type", std::string(kText)}}, std::move(text)});
  WatchSpec spec;
  spec.kind = exchange.kind;
  spec.ns = Str(exchange.info.ns);
  spec.field_selector = Str(str_cat("metadata.name=", exchange.info.name));
  exchange.watch = server_->watch(lane_, spec);
  exchange_of_watch_[exchange.watch.value] = id;
}

// A follower sees one run of the container to its end.
void Rest::deliver_log(uint64_t id, Exchange& exchange) {
  std::vector<WatchEvent> events;
  server_->drain(exchange.watch, events);
  FollowedLog& log = *exchange.log;
  std::string text;
  bool ended = false;
  for (const WatchEvent& event : events) {
    ended = event.type == WatchEventType::kDeleted || event.type == WatchEventType::kError;
    if (event.object && event.object.as<corev1::Pod>()) {
      const auto& pod = event.object.get<corev1::Pod>();
      const bool restarted = restarts_of(pod, log.container) != log.restarts;
      const auto lines = logs_->read(event.object, log.container, restarted);
      if (lines.is_ok()) text += log.text.next(*lines);
      ended = ended || restarted || log.text.full() || has_ended(pod, log.container);
    }
    if (ended) break;
  }
  if (!text.empty() && !transport_->write(id, text)) return forget(id);
  if (!ended) return;
  transport_->end_stream(id);
  forget(id);
}

}  // namespace orrery::server
