#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/base/status.h"
#include "engine/ports/lanes.h"

namespace orrery {

/// Header fields in the order in which they were sent; names in lower case.
using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

/// The first value of a field (`name` in lower case), "" if there is none.
inline std::string_view find_header(const HttpHeaders& headers, std::string_view name) {
  for (const auto& [field, value] : headers)
    if (field == name) return value;
  return {};
}

/// One request as it came over a connection, whole: the transport has checked its framing, size and
/// time limits and, where a client certificate was given, verified it.
struct HttpRequest {
  std::string method;  // upper case
  std::string path;    // as sent: still percent-encoded, without the query
  std::string query;   // after '?', still encoded
  HttpHeaders headers;
  std::string body;
  std::string remote_address;  // "127.0.0.1:40312"
  // Subject of the verified client certificate; common name "" if none was given.
  std::string certificate_common_name;
  std::vector<std::string> certificate_organizations;
};

struct HttpResponse {
  int code = 200;
  HttpHeaders headers;  // Content-Length and Transfer-Encoding are the transport's business
  std::string body;
};

/// Event::a of the kUser events that a transport posts to its subscriber; Event::b is the exchange.
inline constexpr uint64_t kHttpRequestArrived = 1;  // fetch it with take_request
inline constexpr uint64_t kHttpPeerGone = 2;        // no answer is wanted any more; posted at most once
inline constexpr uint64_t kHttpDrained = 3;         // all has been sent; see kHttpDrainNotice
inline constexpr uint64_t kHttpForwarded = 4;       // a forward is over; fetch it with take_forward
inline constexpr uint64_t kHttpInput = 5;           // fetch it with take_input

/// A stream that has written so many bytes since it began, or since its last kHttpDrained, gets a
/// kHttpDrained when its queue is empty again: who has much to send waits for it between portions.
inline constexpr size_t kHttpDrainNotice = 256 << 10;

/// An exchange handed over to another server.
struct HttpForward {
  enum class Peer : uint8_t {
    kPlain,              // HTTP
    kUnverified,         // HTTPS, whoever answers
    kKubelet,            // HTTPS with the transport's certificate for kubelets
    kUnverifiedKubelet,  // the same, but whoever answers
  };
  /// What passes once the other server has switched protocols.
  enum class Tunnel : uint8_t {
    kNone,            // nothing: a request and its answer
    kBytes,           // bytes as they come; the other server's 101 is the client's
    kWebSocketBytes,  // the client sends and gets them in binary WebSocket messages
    /// The client speaks the WebSocket protocol v5.channel.k8s.io, the other server v4 over
    /// SPDY/3.1 (Kubernetes v1.32 apiserver/pkg/util/proxy/streamtranslator.go).
    kRemoteCommand,
  };
  Peer peer = Peer::kPlain;
  Tunnel tunnel = Tunnel::kNone;
  std::string host;  // name or address
  bool public_only = false;  // not if that is an address of this machine or of a link: BadRequest
  int port = 0;
  std::string method;
  std::string target;   // path and query, encoded
  /// With Upgrade, if that is asked for, and with Host, if it is not the other server's own; the rest
  /// of framing is the transport's.
  HttpHeaders headers;
  std::string body;
  std::string subprotocol;  // that a client which speaks WebSocket is told
  /// kRemoteCommand: the streams of the session.
  bool standard_input = false, standard_output = false, standard_error = false, terminal = false;
  /// The other server's answer is given on only with a code from 200 to 206: all else is left to
  /// the engine.
  bool keep_failures = false;
  HttpHeaders answer_headers;  // instead of those of such an answer, unless empty
  /// Unless empty: the path behind which the client sees what the other server has at its root. The
  /// answer's Location and the links of its HTML are rewritten to it.
  std::string seen_behind;
};

/// How a forward has ended.
struct HttpForwardOutcome {
  /// The exchange has been answered, with this code. 0: not; `status` or `failure` says why, and
  /// the engine has to answer.
  int answered = 0;
  /// Timeout, ServiceUnavailable or BadRequest (public_only): the other server could not be asked.
  Status status;
  HttpResponse failure;  // status is OK: what it has answered; at most 64 KiB of the body
};

/// Port: where HTTP requests come from and their answers go. An exchange is one request with its
/// answer; its id is never used again. Implemented by realmode/http over sockets and by tests in
/// memory. Callable from any handler; calls for an exchange that is over are ignored.
class HttpTransport {
 public:
  virtual ~HttpTransport() = default;
  /// Requests are announced to `lane` from now on.
  virtual void subscribe(LaneId lane) = 0;
  /// Once for each announced exchange.
  virtual HttpRequest take_request(uint64_t exchange) = 0;
  /// Answers and ends the exchange.
  virtual void respond(uint64_t exchange, HttpResponse response) = 0;
  /// Answers with a head whose body follows piece by piece (a watch); `head.body` is its first piece.
  /// With code 101 the connection becomes a tunnel instead: pieces are sent as they are, and what
  /// the peer sends is announced by kHttpInput. The handshake's Sec-WebSocket-Accept is added.
  virtual void begin_stream(uint64_t exchange, HttpResponse head) = 0;
  /// False if the peer reads too slowly and the stream has been cut (kHttpPeerGone follows), or if
  /// the exchange is over.
  virtual bool write(uint64_t exchange, std::string_view piece) = 0;
  virtual void end_stream(uint64_t exchange) = 0;
  /// What has come through the tunnel since the last call; little is read ahead of it.
  virtual std::string take_input(uint64_t exchange) = 0;
  /// Lets another server answer. Neither side is read faster than the other one takes it. The end
  /// is told by kHttpForwarded, or by kHttpPeerGone.
  virtual void forward(uint64_t exchange, HttpForward to) = 0;
  virtual HttpForwardOutcome take_forward(uint64_t exchange) = 0;
};

/// An HTTP request that the engine makes itself (webhooks, questions to components).
struct HttpCall {
  std::string url;
  std::string connect_to;  // "10.0.0.7:8443": instead of the host and port of the URL; "": those
  std::string method = "POST";
  HttpHeaders headers;
  std::string body;
  std::string ca_bundle;  // PEM; "": the system's
  bool any_server = false;  // whatever its certificate
  std::string certificate_pem, key_pem;  // of this client; "": none
  Duration timeout = Duration::seconds(10);
};

struct HttpCallOutcome {
  Status status;  // Timeout, or ServiceUnavailable with the cause; OK if any answer came
  HttpResponse response;
};

/// Port: outgoing HTTP. The outcome arrives as kDone on the ticket's lane.
class HttpClient {
 public:
  virtual ~HttpClient() = default;
  virtual void call(Ticket ticket, HttpCall call) = 0;
  virtual HttpCallOutcome take(uint64_t handle) = 0;
};

}  // namespace orrery
