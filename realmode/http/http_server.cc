#include "realmode/http/http_server.h"

#include <pthread.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/base/check.h"
#include "realmode/http/compressor.h"
#include "realmode/http/connection.h"
#include "realmode/http/exchanges.h"
#include "realmode/http/listener.h"

namespace orrery::realmode {
namespace {

constexpr int kTickMs = 250;
constexpr int kAcceptsInARow = 64;

Millis steady_millis() {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(since).count();
}

}  // namespace

/// The I/O thread and what it owns.
class HttpServer::Io final : public ConnectionOwner, public Exchanges::Waker {
 public:
  Io(Options options, Listener listener, std::unique_ptr<TlsServer> tls, Lanes* lanes)
      : options_(std::move(options)),
        listener_(std::move(listener)),
        tls_(std::move(tls)),
        exchanges_(options_.limits, lanes, this),
        compressor_([this](uint64_t id, HttpResponse r) { exchanges_.respond(id, std::move(r)); }) {
  }
  ~Io() override { stop(Duration()); }

  void start() {
    thread_ = std::thread([this] { run(); });
  }
  void stop(Duration grace) {
    if (!thread_.joinable()) return;
    stop_by_.store(steady_millis() + to_millis(grace));
    poller_.wake();
    thread_.join();
  }
  Exchanges& exchanges() { return exchanges_; }
  Compressor& compressor() { return compressor_; }
  const Options& options() const { return options_; }
  const Listener& listener() const { return listener_; }

  // Exchanges::Waker
  void wake() override { poller_.wake(); }

  // ConnectionOwner
  const HttpLimits& limits() const override { return options_.limits; }
  Millis now() const override { return now_; }
  Poller& poller() override { return poller_; }
  char* scratch() override { return scratch_.data(); }
  void closed(Connection* connection) override { closed_.push_back(connection); }
  uint64_t announce(Connection* connection, HttpRequest request, int32_t stream) override {
    const uint64_t id = exchanges_.announce(std::move(request));
    targets_[id] = {connection, stream};
    return id;
  }
  void gone(uint64_t exchange) override {
    targets_.erase(exchange);
    exchanges_.gone(exchange);
  }
  void finished(uint64_t exchange) override { targets_.erase(exchange); }
  void queued(uint64_t exchange, size_t bytes) override { queued_.push_back({exchange, bytes}); }
  bool reserve_body(size_t bytes) override {
    if (bodies_ + bytes > options_.limits.bodies_bytes) return false;
    bodies_ += bytes;
    return true;
  }
  void release_body(size_t bytes) override { bodies_ -= bytes; }

 private:
  struct Target {
    Connection* connection;
    int32_t stream;
  };
  void run();
  int wait_ms() const;
  void accept();
  void listen(bool on);
  void run_commands();
  void run_command(HttpCommand& command, const Target& target);
  void tick();
  void reap();
  bool stopping();

  Options options_;
  Listener listener_;
  std::unique_ptr<TlsServer> tls_;
  Poller poller_;
  Exchanges exchanges_;
  Compressor compressor_;
  std::thread thread_;
  std::atomic<Millis> stop_by_{kNever};

  // The I/O thread's own.
  std::vector<char> scratch_ = std::vector<char>(kScratchBytes);
  Millis now_ = steady_millis();
  Millis next_tick_ = 0;
  bool listening_ = false;
  bool shutting_down_ = false;
  std::unordered_map<Connection*, std::unique_ptr<Connection>> connections_;
  std::vector<Connection*> closed_;
  std::unordered_map<uint64_t, Target> targets_;
  std::vector<HttpCommand> commands_;
  std::vector<Connection*> to_flush_;
  std::vector<Exchanges::Queued> queued_;
  size_t bodies_ = 0;
};

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
      if (one.who == &listener_) {
        accept();
      } else if (one.who != nullptr) {
        static_cast<Connection*>(one.who)->on_ready(one);
      }
    }
    run_commands();
    if (now_ >= next_tick_) tick();
    if (!queued_.empty()) exchanges_.update(queued_);
    queued_.clear();
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
    reap();
  }
  return connections_.empty() || now_ >= by;
}

int HttpServer::Io::wait_ms() const { return connections_.empty() && listening_ ? -1 : kTickMs; }

void HttpServer::Io::listen(bool on) {
  if (on == listening_) return;
  listening_ = on;
  if (on) {
    poller_.watch(listener_.fd(), &listener_, true, false);
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
  exchanges_.collect(commands_);
  for (HttpCommand& command : commands_) {
    const auto found = targets_.find(command.exchange);
    if (found == targets_.end()) continue;
    const Target target = found->second;
    run_command(command, target);
    if (!target.connection->listed) to_flush_.push_back(target.connection);
    target.connection->listed = true;
  }
  for (Connection* connection : to_flush_) {
    connection->listed = false;
    connection->flush();
  }
  to_flush_.clear();
}

void HttpServer::Io::run_command(HttpCommand& command, const Target& target) {
  Session* session = target.connection->session();
  switch (command.kind) {
    case HttpCommand::Kind::kRespond:
      return session->respond(target.stream, std::move(command.response));
    case HttpCommand::Kind::kBegin:
      return session->begin_stream(target.stream, std::move(command.response));
    case HttpCommand::Kind::kEnd:
      if (!command.piece.empty()) session->write(target.stream, std::move(command.piece));
      return session->end_stream(target.stream);
    case HttpCommand::Kind::kPiece:
      if (!command.piece.empty()) session->write(target.stream, std::move(command.piece));
      return;
    case HttpCommand::Kind::kCut:
      return session->cut(target.stream);
  }
}

void HttpServer::Io::tick() {
  next_tick_ = now_ + kTickMs;
  if (!shutting_down_) listen(true);
  for (const auto& [connection, owned] : connections_) connection->on_tick();
}

void HttpServer::Io::reap() {
  for (Connection* connection : closed_) connections_.erase(connection);
  closed_.clear();
}

HttpServer::HttpServer(std::unique_ptr<Io> io) : io_(std::move(io)) {}
HttpServer::~HttpServer() = default;

Result<std::unique_ptr<HttpServer>> HttpServer::make(Options options, Lanes* lanes) {
  std::unique_ptr<TlsServer> tls;
  if (options.tls) {
    ORRERY_ASSIGN(tls, TlsServer::make(*options.tls));
  }
  ORRERY_ASSIGN(Listener listener, Listener::open(options.address, options.port));
  if (!options.tls && !listener.loopback())
    return invalid("plain HTTP is served on loopback addresses only: give a TLS certificate");
  auto io = std::make_unique<Io>(std::move(options), std::move(listener), std::move(tls), lanes);
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(io)));
}

int HttpServer::port() const { return io_->listener().port(); }

std::string HttpServer::url() const {
  return url_of(io_->options().tls ? "https" : "http", io_->options().address, port());
}

void HttpServer::start() { io_->start(); }
void HttpServer::shut_down(Duration grace) { io_->stop(grace); }
void HttpServer::subscribe(LaneId lane) { io_->exchanges().subscribe(lane); }
HttpRequest HttpServer::take_request(uint64_t exchange) { return io_->exchanges().take(exchange); }

void HttpServer::respond(uint64_t exchange, HttpResponse response) {
  if (response.body.size() > io_->options().limits.gzip_bytes &&
      io_->exchanges().wants_gzip(exchange) &&
      find_header(response.headers, "content-encoding").empty()) {
    io_->compressor().submit(exchange, std::move(response));
    return;
  }
  io_->exchanges().respond(exchange, std::move(response));
}

void HttpServer::begin_stream(uint64_t exchange, HttpResponse head) {
  io_->exchanges().begin_stream(exchange, std::move(head));
}
bool HttpServer::write(uint64_t exchange, std::string_view piece) {
  return io_->exchanges().write(exchange, piece);
}
void HttpServer::end_stream(uint64_t exchange) { io_->exchanges().end_stream(exchange); }

}  // namespace orrery::realmode
