// Watches: events of the server's watch cache as a stream.
#include <algorithm>
#include <utility>

#include "engine/api/base64.h"
#include "engine/api/custom_object.h"
#include "engine/server/rest/rest.h"
#include "engine/server/rest/upgrade.h"

namespace orrery::server {
namespace {

// Event::arg of timers.
constexpr uint32_t kDeadline = 1;
constexpr uint32_t kBookmarkDue = 2;

constexpr size_t kProtoLength = 4;  // before a protobuf event
constexpr Duration kBookmarkPeriod = Duration::seconds(60);
constexpr Duration kBookmarkBeforeEnd = Duration::seconds(2);

int64_t parse_positive(std::string_view text) {
  int64_t value = 0;
  for (char c : text) {
    if (c < '0' || c > '9' || value > INT64_MAX / 10 - 10) return -1;
    value = value * 10 + (c - '0');
  }
  return value;
}

// An object that says only up to which version the client is informed.
api::Object bookmark_object(const api::KindDesc& kind, int64_t revision) {
  api::Object object = api::Object::make(*kind.type);
  object.mut_meta().resource_version = Str(str_cat(revision));
  return object;
}

// The bookmark that ends the initial events carries an empty list for clients that build one.
void mark_initial_end(const Encoding& encoding, api::Object& bookmark) {
  const bool partial = encoding.representation.transform == Transform::kPartialMetadata;
  const std::string list = partial ? str_cat("{\"kind\":\"PartialObjectMetadataList\",\"apiVersion\":\"meta.k8s.io/", encoding.representation.transform_version, "\"")
                                   : str_cat("{\"kind\":\"", encoding.kind->kind, "List\",\"apiVersion\":\"", encoding.kind->api_version, "\"");
  auto& annotations = bookmark.mut_meta().annotations;
  annotations.set("k8s.io/initial-events-end", Str("true"));
  annotations.set("kubernetes.io/initial-events-list-blueprint", Str(api::base64_encode(list + ",\"metadata\":{},\"items\":null}\n")));
}

}  // namespace

void Rest::begin_watch(uint64_t id, Exchange& exchange, Time now) {
  const Query& query = exchange.query;
  WatchSpec spec;
  spec.kind = exchange.kind;
  spec.ns = Str(exchange.info.ns);
  spec.label_selector = Str(query.get("labelSelector"));
  spec.field_selector = Str(query.get("fieldSelector"));
  exchange.initial_events = query.flag("sendInitialEvents");
  exchange.bookmarks = query.flag("allowWatchBookmarks");
  const bool old_path = exchange.info.verb == "watch" && !exchange.info.name.empty() && spec.field_selector.empty();
  if (old_path) spec.field_selector = Str(str_cat("metadata.name=", exchange.info.name));
  const std::string& version = query.get("resourceVersion");
  if (!version.empty() && version != "0" && !exchange.initial_events) {
    spec.after_revision = parse_positive(version);
    if (spec.after_revision < 0) return fail(id, invalid_version(version));
  }
  const int64_t asked = parse_positive(query.get("timeoutSeconds"));
  const double spread = 1.0 + static_cast<double>(rng_.below(1000)) / 1000.0;
  const Duration timeout =
      asked > 0 ? Duration::seconds(asked) : duration_from_seconds(options_.watch_timeout_min.to_seconds() * spread);
  const bool silent = query.has("sendInitialEvents") && !exchange.initial_events;  // neither past nor present
  if (silent && spec.after_revision == 0) spec.after_revision = server_->revision();
  exchange.deadline = timers_->arm(lane_, now + timeout, {EventKind::kTimer, kDeadline, id, 0});
  exchange.ends = now + timeout;
  arm_bookmark(id, exchange, now);
  const bool newest = exchange.initial_events && version.empty();
  exchange.watch = newest ? server_->watch_newest(lane_, spec) : server_->watch(lane_, spec);
  exchange_of_watch_[exchange.watch.value] = id;
}

// Every minute, and shortly before the end, so that the next watch can go on from there.
void Rest::arm_bookmark(uint64_t id, Exchange& exchange, Time now) {
  if (!exchange.bookmarks) return;
  const Time last = exchange.ends - kBookmarkBeforeEnd;
  const Time next = std::min(now + kBookmarkPeriod, last);
  if (next > now) exchange.bookmark_timer = timers_->arm(lane_, next, {EventKind::kTimer, kBookmarkDue, id, 0});
}

void Rest::deliver_watch(uint64_t id, Exchange& exchange, Time now) {
  std::vector<WatchEvent> events = std::exchange(drained_, {});
  server_->drain(exchange.watch, events);
  const Encoding encoding = encoding_of(exchange, now);
  std::string first, framed;
  bool ended = false;
  for (WatchEvent& event : events) {
    if (event.type == WatchEventType::kError && !exchange.streaming && first.empty() &&
        event.error.code() == Code::kBadRequest)
      return fail(id, event.error);
    if (event.type == WatchEventType::kSynced || event.type == WatchEventType::kBookmark) {
      exchange.revision_seen = std::max(exchange.revision_seen, event.revision);
      if (!exchange.initial_events || !exchange.bookmarks || event.type != WatchEventType::kSynced) continue;
      event.type = WatchEventType::kBookmark;
      event.object = bookmark_object(*exchange.kind, event.revision);
      mark_initial_end(encoding, event.object);
    }
    ended = ended || event.type == WatchEventType::kError;
    const std::string_view piece = watch_piece(exchange, encoding, event, framed);
    if (!exchange.streaming) {
      first += piece;
    } else if (!transport_->write(id, piece)) {
      return forget(id);
    }
    exchange.table_begun = true;
    count_event(*exchange.kind);
  }
  if (!exchange.streaming) begin_watch_stream(id, exchange, std::move(first), now);
  orrery::forget(events);
  drained_ = std::move(events);
  if (!ended) return;
  end_watch_stream(id, exchange);
  forget(id);
}

void Rest::begin_watch_stream(uint64_t id, Exchange& exchange, std::string piece, Time now) {
  exchange.streaming = true;
  counts_.running(exchange.info, 1);
  HttpResponse head;
  if (exchange.messages) {
    head.code = 101;
    head.headers = {{"upgrade", "websocket"}};
    if (!exchange.messages->subprotocol.empty())
      head.headers.emplace_back("sec-websocket-protocol", exchange.messages->subprotocol);
  } else {
    head.headers = {{"cache-control", "no-cache, private"},
                    {"content-type", std::string(exchange.representation.stream_content_type())}};
  }
  head.body = std::move(piece);
  add_own_headers(exchange, head.headers);
  free_seat(exchange, now);  // what follows costs little
  audit(exchange, AuditStage::kResponseStarted, head.code);
  transport_->begin_stream(id, std::move(head));
}

void Rest::end_watch_stream(uint64_t id, const Exchange& exchange) {
  if (exchange.messages) transport_->write(id, websocket_close(kWebSocketNormal));
  transport_->end_stream(id);
}

// Source: Kubernetes v1.32 apiserver/pkg/endpoints/handlers/watch.go HandleWS: what is text goes as
// text, and the length before a binary event is that of the message.
std::string_view Rest::watch_piece(const Exchange& exchange, const Encoding& encoding, const WatchEvent& event,
                                   std::string& framed) {
  const std::string_view piece = event_texts_.of(encoding, event, !exchange.table_begun);
  if (!exchange.messages) return piece;
  framed = exchange.representation.format == Format::kProto
               ? websocket_frame(WebSocketKind::kBinary, piece.substr(kProtoLength))
               : websocket_frame(WebSocketKind::kText, piece);
  return framed;
}

std::unique_ptr<Rest::Exchange::Messages> Rest::messages_of(const HttpRequest& http) {
  if (!is_websocket(http)) return nullptr;
  auto messages = std::make_unique<Exchange::Messages>();
  for (const std::string_view protocol : header_list(http.headers, "sec-websocket-protocol")) {
    if (protocol.starts_with("base64url.bearer.")) continue;
    messages->subprotocol = protocol;
    break;
  }
  return messages;
}

// A client of a watch has nothing to say but that it wants to end.
void Rest::on_input(uint64_t id) {
  const std::string bytes = transport_->take_input(id);
  const auto it = exchanges_.find(id);
  if (it == exchanges_.end() || !it->second.messages) return;
  std::vector<WebSocketReader::Message> messages;
  bool ended = !it->second.messages->reader.feed(bytes, messages);
  for (const WebSocketReader::Message& message : messages) {
    if (message.kind == WebSocketKind::kPing)
      transport_->write(id, websocket_frame(WebSocketKind::kPong, message.payload));
    ended = ended || message.kind == WebSocketKind::kClose;
  }
  if (!ended) return;
  end_watch_stream(id, it->second);
  forget(id);
}

// What has happened before is delivered first.
void Rest::end_watches_of_gone_kinds() {
  std::vector<uint64_t> gone;
  for (const auto& [watch, id] : exchange_of_watch_) {
    const api::KindDesc& kind = *exchanges_.at(id).kind;
    if (api::is_custom(kind) && !server_->find_resource(kind.group, kind.version, kind.plural)) gone.push_back(id);
  }
  std::sort(gone.begin(), gone.end());
  for (const uint64_t id : gone) timers_->arm(lane_, timers_->now(), {EventKind::kTimer, kDeadline, id, 0});
}

// What a bookmark speaks of has been sent before it.
void Rest::send_bookmark(uint64_t id, Time now) {
  if (Exchange& exchange = exchanges_.at(id); exchange.streaming) deliver_watch(id, exchange, now);
  const auto it = exchanges_.find(id);
  if (it == exchanges_.end()) return;
  Exchange& exchange = it->second;
  WatchEvent event;
  event.type = WatchEventType::kBookmark;
  const int64_t revision = server_->told(exchange.watch);
  event.object = bookmark_object(*exchange.kind, revision);
  std::string framed;
  if (exchange.streaming && revision > 0)
    transport_->write(id, watch_piece(exchange, encoding_of(exchange, now), event, framed));
  arm_bookmark(id, exchange, now);
}

void Rest::on_timer(uint64_t id, uint32_t what, Time now) {
  const auto it = exchanges_.find(id);
  if (it == exchanges_.end()) return;
  Exchange& exchange = it->second;
  if (what == kBookmarkDue) return send_bookmark(id, now);
  if (!exchange.streaming) begin_watch_stream(id, exchange, "", now);
  end_watch_stream(id, exchange);
  forget(id);
}

}  // namespace orrery::server
