#pragma once

#include <memory>
#include <optional>
#include <string>

#include "engine/base/status.h"
#include "engine/ports/http.h"
#include "realmode/http/limits.h"
#include "realmode/http/tls.h"

namespace orrery::realmode {

/// HttpTransport over TCP: HTTP/1.1 and HTTP/2, with TLS or (on loopback only) without. One thread
/// does all input, output and encryption; requests are announced to the subscriber's lane, and its
/// answers may come from any thread.
class HttpServer final : public HttpTransport {
 public:
  struct Options {
    std::string address = "127.0.0.1";  // numeric
    int port = 0;                       // 0: a free one
    std::optional<TlsFiles> tls;        // none: plain HTTP
    TlsFiles kubelets;                  // of HttpForward::Peer::kKubelet: see TlsClient
    HttpLimits limits;
  };
  /// Listens, but accepts only after start(). Invalid if the address cannot be had, the TLS files
  /// cannot be used, or plain HTTP is asked for on an address that others can reach.
  static Result<std::unique_ptr<HttpServer>> make(Options options, Lanes* lanes);
  /// Ends everything at once.
  ~HttpServer() override;

  int port() const;
  /// "https://127.0.0.1:PORT"
  std::string url() const;
  /// After subscribe().
  void start();
  /// Graceful end: no new connections or requests, streams are ended, requests under way have until
  /// `grace` to be answered. Returns when all connections are closed; not to be called on a lane.
  void shut_down(Duration grace);

  // HttpTransport
  void subscribe(LaneId lane) override;
  HttpRequest take_request(uint64_t exchange) override;
  void respond(uint64_t exchange, HttpResponse response) override;
  void begin_stream(uint64_t exchange, HttpResponse head) override;
  bool write(uint64_t exchange, std::string_view piece) override;
  void end_stream(uint64_t exchange) override;
  std::string take_input(uint64_t exchange) override;
  void forward(uint64_t exchange, HttpForward to) override;
  HttpForwardOutcome take_forward(uint64_t exchange) override;

 private:
  class Io;
  explicit HttpServer(std::unique_ptr<Io> io);
  std::unique_ptr<Io> io_;
};

}  // namespace orrery::realmode
