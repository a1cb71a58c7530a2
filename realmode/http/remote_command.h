#pragma once

#include <string>
#include <vector>

#include "engine/base/websocket.h"
#include "realmode/http/relay.h"
#include "realmode/http/spdy.h"

namespace orrery::realmode {

/// exec and attach between a client that speaks v5.channel.k8s.io over WebSocket and a kubelet that
/// speaks v4.channel.k8s.io over SPDY/3.1.
/// Source: Kubernetes v1.32 apiserver/pkg/util/proxy/streamtranslator.go, websocket.go.
class RemoteCommand final : public Relay {
 public:
  struct Streams {
    bool standard_input, standard_output, standard_error, terminal;
  };
  explicit RemoteCommand(Streams streams);
  void begin(Out& out) override;
  void from_client(std::string_view bytes, Out& out) override;
  void from_server(std::string_view bytes, Out& out) override;
  void server_ended(Out& out) override;

 private:
  /// Channels of the client's messages; their first byte.
  enum Channel : uint8_t { kInput, kOutput, kErrorOutput, kError, kResize, kChannels, kClose = 255 };
  void open(Channel channel, const char* type, Out& out);
  void take_message(std::string_view message, Out& out);
  void finish(Out& out);
  bool output_done() const;

  Streams streams_;
  WebSocketReader reader_;
  SpdyClient server_;
  uint32_t stream_of_[kChannels] = {};  // 0: none
  bool ended_[kChannels] = {};
  uint32_t opened_ = 0;
  std::string status_;  // what has come on the error stream
};

/// What the client is told of a command's end, for what the kubelet has said of it: a Status in JSON,
/// "" for success.
std::string command_status(std::string_view from_kubelet);

}  // namespace orrery::realmode
