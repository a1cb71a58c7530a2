#include "realmode/http/http_io.h"

#include <pthread.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <optional>
#include <utility>

namespace orrery::realmode {
namespace {

constexpr int kTickMs = 250;
constexpr int kPieceWaitMs = 2;  // until some more pieces of streams may be sent
constexpr int kAcceptsInARow = 64;

std::string one_piece(const Texts& texts) {
  size_t size = kPieceHeadroom + kPieceTail;
  for (const auto& text : texts) size += text->size();
  std::string piece;
  piece.reserve(size);
  piece.append(kPieceHeadroom, ' ');
  for (const auto& text : texts) piece += *text;
  return piece;
}

Millis steady_millis() {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(since).count();
}

}  // namespace

HttpServer::Io::Io(Options options, Listener listener, Tls tls, Lanes* lanes)
    : options_(std::move(options)),
      listener_(std::move(listener)),
      tls_(std::move(tls.server)),
      exchanges_(options_.limits, lanes, this),
      compressor_([this](uint64_t id, HttpResponse r) { exchanges_.respond(id, std::move(r)); }),
      now_(steady_millis()),
      forwards_(this, std::move(tls.unverified), std::move(tls.kubelets)) {}

void HttpServer::Io::start() {
  thread_ = std::thread([this] { run(); });
}

void HttpServer::Io::stop(Duration grace) {
  if (!thread_.joinable()) return;
  stop_by_.store(steady_millis() + to_millis(grace));
  poller_.wake();
  thread_.join();
}

void HttpServer::Io::run() {
  // Signals belong to the main thread, and a peer that has gone is no reason for SIGPIPE.
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
  listen(true);
  std::vector<Poller::Ready> ready;
  while (!stopping()) {
    poller_.wait(wait_ms(), ready);
    now_ = steady_millis();
    for (const Poller::Ready& one : ready) {
      if (one.who != nullptr) one.who->on_ready(one);
    }
    forwards_.take_addresses();
    run_commands();
    if (now_ >= next_tick_) tick();
    flush_listed();
    reap();
  }
  connections_.clear();
}

bool HttpServer::Io::stopping() {
  const Millis by = stop_by_.load();
  if (by == kNever) return false;
  if (!shutting_down_) {
    shutting_down_ = true;
    listen(false);
    listener_.close();
    for (const auto& [connection, owned] : connections_) connection->shut_down();
    flush_listed();
    reap();
  }
  return connections_.empty() || now_ >= by;
}

int HttpServer::Io::wait_ms() const {
  if (exchanges_.pieces_wait()) return kPieceWaitMs;
  return connections_.empty() && listening_ ? -1 : kTickMs;
}

void HttpServer::Io::allow_pieces() {
  const auto passed = static_cast<size_t>(now_ - pieces_at_);
  const size_t earned = passed * options_.limits.stream_sends_per_second / 1000;
  pieces_ = std::min(options_.limits.stream_sends_at_once, pieces_ + earned);
  pieces_at_ = now_;
}

void HttpServer::Io::listen(bool on) {
  if (on == listening_) return;
  listening_ = on;
  if (on) {
    poller_.watch(listener_.fd(), this, true, false);
  } else {
    poller_.forget(listener_.fd());
  }
}

void HttpServer::Io::accept() {
  for (int i = 0; i < kAcceptsInARow; ++i) {
    Listener::Accepted accepted = listener_.accept();
    if (accepted.fd < 0) {
      // Out of descriptors or memory: try again with the next tick instead of spinning.
      if (accepted.error == EMFILE || accepted.error == ENFILE || accepted.error == ENOMEM)
        listen(false);
      return;
    }
    auto connection =
        std::make_unique<Connection>(this, accepted.fd, tls_.get(), std::move(accepted.address));
    Connection* raw = connection.get();
    connections_.emplace(raw, std::move(connection));
    if (connections_.size() > options_.limits.connections) closed_.push_back(raw);
  }
}

void HttpServer::Io::run_commands() {
  commands_.clear();
  allow_pieces();
  pieces_ -= exchanges_.collect(commands_, pieces_);
  for (HttpCommand& command : commands_) {
    const std::optional<Target> target = find(command.exchange);
    if (!target) continue;
    run_command(command, *target);
    list(target->connection);
  }
}

// A copy: what is done with it may end the exchange.
std::optional<HttpServer::Io::Target> HttpServer::Io::find(uint64_t exchange) const {
  const auto found = targets_.find(exchange);
  if (found == targets_.end()) return std::nullopt;
  return found->second;
}

void HttpServer::Io::list(Connection* connection) {
  if (!connection->listed) to_flush_.push_back(connection);
  connection->listed = true;
}

// What one side of a forward has sent makes the other one send or read on, so it goes round until
// all is quiet; the bounds of their queues end it.
void HttpServer::Io::flush_listed() {
  while (!to_flush_.empty() || !queued_.empty()) {
    for (Connection* connection : std::exchange(to_flush_, {})) {
      connection->listed = false;
      connection->flush();
    }
    const std::vector<Exchanges::Queued> queued = std::exchange(queued_, {});
    if (!queued.empty()) exchanges_.update(queued);
    for (const Exchanges::Queued& stream : queued)
      forwards_.client_has(stream.exchange, stream.bytes);
  }
}

void HttpServer::Io::run_command(HttpCommand& command, const Target& target) {
  Session* session = target.connection->session();
  switch (command.kind) {
    case HttpCommand::Kind::kRespond:
      return session->respond(target.stream, std::move(command.response));
    case HttpCommand::Kind::kBegin:
      return session->begin_stream(target.stream, std::move(command.response));
    case HttpCommand::Kind::kEnd:
      if (!command.texts.empty()) session->write(target.stream, one_piece(command.texts));
      return session->end_stream(target.stream);
    case HttpCommand::Kind::kPiece:
      return session->write(target.stream, one_piece(command.texts));
    case HttpCommand::Kind::kCut:
      return session->cut(target.stream);
    case HttpCommand::Kind::kForward:
      return forwards_.begin(command.exchange, std::move(*command.forward));
    case HttpCommand::Kind::kInputTaken:
      return;  // the connection is looked at
  }
}

void HttpServer::Io::tick() {
  next_tick_ = now_ + kTickMs;
  if (!shutting_down_) listen(true);
  for (const auto& [connection, owned] : connections_) connection->on_tick();
  forwards_.tick();
}

void HttpServer::Io::reap() {
  for (Connection* connection : closed_) connections_.erase(connection);
  closed_.clear();
  forwards_.reap();
}

uint64_t HttpServer::Io::announce(Connection* connection, HttpRequest request, int32_t stream) {
  const uint64_t id = exchanges_.announce(std::move(request));
  targets_[id] = {connection, stream};
  return id;
}

void HttpServer::Io::gone(uint64_t exchange) {
  targets_.erase(exchange);
  forwards_.client_gone(exchange);
  exchanges_.gone(exchange);
}

bool HttpServer::Io::reserve_body(size_t bytes) {
  if (bodies_ + bytes > options_.limits.bodies_bytes) return false;
  bodies_ += bytes;
  return true;
}

void HttpServer::Io::tunnelled(uint64_t exchange, std::string_view bytes) {
  if (forwards_.contains(exchange)) {
    forwards_.take_input(exchange, bytes);
  } else {
    exchanges_.input(exchange, bytes);
  }
}

bool HttpServer::Io::tunnel_wants_input(uint64_t exchange) const {
  if (forwards_.contains(exchange)) return forwards_.wants_input(exchange);
  return exchanges_.waiting_input(exchange) < options_.limits.pipelined_bytes;
}

void HttpServer::Io::answer_begins(uint64_t exchange, HttpResponse head) {
  const std::optional<Target> target = find(exchange);
  if (!target) return;
  target->connection->session()->begin_stream(target->stream, std::move(head));
  list(target->connection);
}

void HttpServer::Io::answer_goes_on(uint64_t exchange, std::string_view bytes) {
  const std::optional<Target> target = find(exchange);
  if (!target) return;
  std::string piece;
  piece.reserve(kPieceHeadroom + bytes.size() + kPieceTail);
  piece.append(kPieceHeadroom, ' ');
  piece += bytes;
  target->connection->session()->write(target->stream, std::move(piece));
  list(target->connection);
}

void HttpServer::Io::answer_ends(uint64_t exchange) {
  const std::optional<Target> target = find(exchange);
  if (!target) return;
  target->connection->session()->end_stream(target->stream);
  list(target->connection);
}

void HttpServer::Io::answer_breaks(uint64_t exchange) {
  const std::optional<Target> target = find(exchange);
  if (!target) return;
  target->connection->session()->cut(target->stream);
  list(target->connection);
}

void HttpServer::Io::input_wanted(uint64_t exchange) {
  if (const std::optional<Target> target = find(exchange)) list(target->connection);
}

void HttpServer::Io::over(Forward* forward, uint64_t exchange, HttpForwardOutcome* outcome) {
  forwards_.over(exchange, forward);
  if (outcome != nullptr) exchanges_.forwarded(exchange, std::move(*outcome));
}

}  // namespace orrery::realmode
