#include "realmode/http/relay.h"

#include "engine/base/websocket.h"
#include "realmode/http/remote_command.h"

namespace orrery::realmode {
namespace {

/// The other server's bytes in binary messages.
class WebSocketBytes final : public Relay {
 public:
  void begin(Out&) override {}
  void from_client(std::string_view bytes, Out& out) override {
    std::vector<WebSocketReader::Message> messages;
    const bool fine = reader_.feed(bytes, messages);
    for (const WebSocketReader::Message& message : messages) {
      if (message.kind == WebSocketKind::kBinary) out.to_server += message.payload;
      if (message.kind == WebSocketKind::kPing)
        out.to_client += websocket_frame(WebSocketKind::kPong, message.payload);
      if (message.kind == WebSocketKind::kClose) return end(kWebSocketNormal, out);
    }
    if (!fine) end(reader_.error_code(), out);
  }
  void from_server(std::string_view bytes, Out& out) override {
    out.to_client += websocket_frame(WebSocketKind::kBinary, bytes);
  }
  void server_ended(Out& out) override { end(kWebSocketNormal, out); }

 private:
  static void end(uint16_t code, Out& out) {
    out.to_client += websocket_close(code);
    out.over = true;
  }
  WebSocketReader reader_;
};

}  // namespace

std::unique_ptr<Relay> make_relay(const HttpForward& forward) {
  if (forward.tunnel == HttpForward::Tunnel::kWebSocketBytes)
    return std::make_unique<WebSocketBytes>();
  if (forward.tunnel == HttpForward::Tunnel::kRemoteCommand)
    return std::make_unique<RemoteCommand>(
        RemoteCommand::Streams{forward.standard_input, forward.standard_output,
                               forward.standard_error, forward.terminal});
  return nullptr;
}

}  // namespace orrery::realmode
