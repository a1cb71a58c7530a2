#include "realmode/http/http_server.h"

#include <utility>

#include "realmode/http/http_io.h"

namespace orrery::realmode {

HttpServer::HttpServer(std::unique_ptr<Io> io) : io_(std::move(io)) {}
HttpServer::~HttpServer() = default;

Result<std::unique_ptr<HttpServer>> HttpServer::make(Options options, Lanes* lanes) {
  Io::Tls tls;
  if (options.tls) {
    ORRERY_ASSIGN(tls.server, TlsServer::make(*options.tls));
  }
  ORRERY_ASSIGN(tls.unverified, TlsClient::make(TlsFiles()));
  ORRERY_ASSIGN(tls.kubelets, TlsClient::make(options.kubelets));
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
std::string HttpServer::take_input(uint64_t exchange) {
  return io_->exchanges().take_input(exchange);
}
void HttpServer::forward(uint64_t exchange, HttpForward to) {
  io_->exchanges().forward(exchange, std::move(to));
}
HttpForwardOutcome HttpServer::take_forward(uint64_t exchange) {
  return io_->exchanges().take_forward(exchange);
}

}  // namespace orrery::realmode
