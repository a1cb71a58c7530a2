#include "realmode/http/exchanges.h"

#include <algorithm>
#include <utility>

#include "engine/base/check.h"
#include "realmode/http/session.h"

namespace orrery::realmode {

namespace {

bool accepts_gzip(const HttpRequest& request) {
  std::string_view list = find_header(request.headers, "accept-encoding");
  while (!list.empty()) {
    const size_t comma = std::min(list.find(','), list.size());
    std::string_view member = list.substr(0, comma);
    list.remove_prefix(std::min(comma + 1, list.size()));
    member.remove_prefix(std::min(member.find_first_not_of(" \t"), member.size()));
    if (!member.starts_with("gzip")) continue;
    member.remove_prefix(4);
    return member.find_first_not_of(" \t") == std::string_view::npos ||
           (member.find(';') != std::string_view::npos && !member.ends_with("q=0"));
  }
  return false;
}

}  // namespace

void Exchanges::subscribe(LaneId lane) {
  const std::lock_guard lock(mutex_);
  lane_ = lane;
}

std::shared_ptr<const std::string> Exchanges::shared(std::string_view text) {
  if (text.size() > kSharedTextMax) return std::make_shared<const std::string>(text);
  for (const auto& known : newest_)
    if (known != nullptr && *known == text) return known;
  auto& fresh = newest_[next_newest_++ % kSharedTexts];
  fresh = std::make_shared<const std::string>(text);
  return fresh;
}

Exchanges::Exchange* Exchanges::find(uint64_t exchange) {
  const auto found = exchanges_.find(exchange);
  return found == exchanges_.end() || found->second.gone ? nullptr : &found->second;
}

uint64_t Exchanges::announce(HttpRequest request) {
  LaneId lane;
  uint64_t id = 0;
  {
    const std::lock_guard lock(mutex_);
    id = next_++;
    lane = lane_;
    Exchange& exchange = exchanges_[id];
    exchange.accepts_gzip = accepts_gzip(request);
    exchange.request = std::move(request);
  }
  CHECK(lane.valid()) << "requests before subscribe()";
  lanes_->post(lane, {EventKind::kUser, 0, kHttpRequestArrived, id});
  return id;
}

HttpRequest Exchanges::take(uint64_t id) {
  const std::lock_guard lock(mutex_);
  const auto found = exchanges_.find(id);
  CHECK(found != exchanges_.end() && found->second.request) << "request taken twice";
  HttpRequest request = std::move(*found->second.request);
  found->second.request.reset();
  forget_if_over(id);
  return request;
}

void Exchanges::forget_if_over(uint64_t id) {
  const auto found = exchanges_.find(id);
  const Exchange& exchange = found->second;
  const bool over = exchange.gone || (exchange.answered && !exchange.streaming);
  if (!over || exchange.request || exchange.outcome) return;
  all_unsent_ -= unsent(exchange);
  exchanges_.erase(found);
}

bool Exchanges::wants_gzip(uint64_t id) const {
  const std::lock_guard lock(mutex_);
  const auto found = exchanges_.find(id);
  return found != exchanges_.end() && found->second.accepts_gzip;
}

bool Exchanges::command(HttpCommand::Kind kind, uint64_t id) {
  commands_.push_back({kind, id, {}, {}, {}});
  return commands_.size() == 1;
}

void Exchanges::respond(uint64_t id, HttpResponse response) {
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    Exchange* exchange = find(id);
    if (exchange == nullptr || exchange->answered) return;
    exchange->answered = true;
    first = commands_.empty();
    commands_.push_back({HttpCommand::Kind::kRespond, id, std::move(response), {}, {}});
    forget_if_over(id);
  }
  if (first) waker_->wake();
}

void Exchanges::begin_stream(uint64_t id, HttpResponse head) {
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    Exchange* exchange = find(id);
    if (exchange == nullptr || exchange->answered) return;
    exchange->answered = exchange->streaming = true;
    exchange->fetched += head.body.size();
    exchange->since_notice += head.body.size();
    all_unsent_ += head.body.size();
    first = commands_.empty();
    commands_.push_back({HttpCommand::Kind::kBegin, id, std::move(head), {}, {}});
  }
  if (first) waker_->wake();
}

bool Exchanges::write(uint64_t id, std::string_view piece) {
  bool first = false, kept = true;
  {
    const std::lock_guard lock(mutex_);
    Exchange* exchange = find(id);
    if (exchange == nullptr || !exchange->streaming || exchange->cut) return false;
    if (piece.empty()) return true;
    first = commands_.empty();
    if (unsent(*exchange) > limits_.stream_queue_bytes || all_unsent_ > limits_.all_queues_bytes) {
      exchange->cut = true;
      kept = false;
      command(HttpCommand::Kind::kCut, id);
    } else {
      exchange->texts.push_back(shared(piece));
      exchange->written += piece.size();
      exchange->since_notice += piece.size();
      all_unsent_ += piece.size();
      first = first && listed_.empty();
      if (!exchange->listed) listed_.push_back(id);
      exchange->listed = true;
    }
  }
  if (first) waker_->wake();
  return kept;
}

void Exchanges::end_stream(uint64_t id) {
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    Exchange* exchange = find(id);
    if (exchange == nullptr || !exchange->streaming || exchange->cut) return;
    first = commands_.empty();
    commands_.push_back({HttpCommand::Kind::kEnd, id, {}, std::exchange(exchange->texts, {}), {}});
    all_unsent_ -= unsent(*exchange);
    exchange->fetched = exchange->written = 0;
    exchange->streaming = false;
    forget_if_over(id);
  }
  if (first) waker_->wake();
}

std::string Exchanges::take_input(uint64_t id) {
  std::string input;
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    Exchange* exchange = find(id);
    if (exchange == nullptr || exchange->input.empty()) return input;
    input = std::exchange(exchange->input, {});
    first = command(HttpCommand::Kind::kInputTaken, id);
  }
  if (first) waker_->wake();
  return input;
}

void Exchanges::input(uint64_t id, std::string_view bytes) {
  LaneId lane;
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    Exchange* exchange = find(id);
    if (exchange == nullptr) return;
    first = exchange->input.empty();
    exchange->input += bytes;
    lane = lane_;
  }
  if (first) lanes_->post(lane, {EventKind::kUser, 0, kHttpInput, id});
}

size_t Exchanges::waiting_input(uint64_t id) const {
  const std::lock_guard lock(mutex_);
  const auto found = exchanges_.find(id);
  return found == exchanges_.end() ? 0 : found->second.input.size();
}

void Exchanges::forward(uint64_t id, HttpForward to) {
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    Exchange* exchange = find(id);
    if (exchange == nullptr || exchange->answered) return;
    first = command(HttpCommand::Kind::kForward, id);
    commands_.back().forward = std::make_unique<HttpForward>(std::move(to));
  }
  if (first) waker_->wake();
}

void Exchanges::forwarded(uint64_t id, HttpForwardOutcome outcome) {
  LaneId lane;
  {
    const std::lock_guard lock(mutex_);
    Exchange* exchange = find(id);
    if (exchange == nullptr) return;
    exchange->answered = outcome.answered != 0;
    exchange->outcome = std::make_unique<HttpForwardOutcome>(std::move(outcome));
    lane = lane_;
  }
  lanes_->post(lane, {EventKind::kUser, 0, kHttpForwarded, id});
}

HttpForwardOutcome Exchanges::take_forward(uint64_t id) {
  const std::lock_guard lock(mutex_);
  const auto found = exchanges_.find(id);
  CHECK(found != exchanges_.end() && found->second.outcome) << "outcome taken twice";
  HttpForwardOutcome outcome = std::move(*found->second.outcome);
  found->second.outcome.reset();
  forget_if_over(id);
  return outcome;
}

size_t Exchanges::collect(std::vector<HttpCommand>& out, size_t pieces) {
  const std::lock_guard lock(mutex_);
  out.swap(commands_);
  size_t taken = 0;
  for (; taken < pieces && !listed_.empty(); listed_.pop_front()) {
    Exchange* exchange = find(listed_.front());
    if (exchange == nullptr || exchange->texts.empty()) continue;
    exchange->listed = false;
    exchange->fetched += std::exchange(exchange->written, 0);
    out.push_back({HttpCommand::Kind::kPiece, listed_.front(), {}, std::exchange(exchange->texts, {}), {}});
    ++taken;
  }
  return taken;
}

bool Exchanges::pieces_wait() const {
  const std::lock_guard lock(mutex_);
  return !listed_.empty();
}

void Exchanges::gone(uint64_t id) {
  LaneId lane;
  {
    const std::lock_guard lock(mutex_);
    Exchange* exchange = find(id);
    if (exchange == nullptr || (exchange->answered && !exchange->streaming)) return;
    exchange->gone = true;
    lane = lane_;
    forget_if_over(id);
  }
  lanes_->post(lane, {EventKind::kUser, 0, kHttpPeerGone, id});
}

void Exchanges::update(const std::vector<Queued>& streams) {
  std::vector<uint64_t> drained;
  LaneId lane;
  {
    const std::lock_guard lock(mutex_);
    lane = lane_;
    for (const Queued& stream : streams) {
      Exchange* exchange = find(stream.exchange);
      if (exchange == nullptr || !exchange->streaming) continue;
      all_unsent_ -= exchange->fetched;
      exchange->fetched = stream.bytes;
      all_unsent_ += exchange->fetched;
      if (unsent(*exchange) > 0 || exchange->since_notice < kHttpDrainNotice) continue;
      exchange->since_notice = 0;
      drained.push_back(stream.exchange);
    }
  }
  for (const uint64_t id : drained) lanes_->post(lane, {EventKind::kUser, 0, kHttpDrained, id});
}

size_t Exchanges::open() const {
  const std::lock_guard lock(mutex_);
  return exchanges_.size();
}

}  // namespace orrery::realmode
