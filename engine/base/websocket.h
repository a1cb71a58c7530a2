#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace orrery {

/// Kinds of messages (RFC 6455 section 5.2).
enum class WebSocketKind : uint8_t { kText = 1, kBinary = 2, kClose = 8, kPing = 9, kPong = 10 };

inline constexpr uint16_t kWebSocketNormal = 1000;
inline constexpr uint16_t kWebSocketProtocolError = 1002;
inline constexpr uint16_t kWebSocketTooBig = 1009;

/// A message as a server sends it: one frame, not masked.
std::string websocket_frame(WebSocketKind kind, std::string_view payload);
/// A close frame with its code.
std::string websocket_close(uint16_t code);

/// Reads what a client sends: masked frames, messages in several of them, control frames between.
class WebSocketReader {
 public:
  static constexpr size_t kMessageMax = 4 << 20;
  struct Message {
    WebSocketKind kind;
    std::string payload;
  };
  /// Adds the messages that are complete; false if the peer breaks the protocol, see error_code().
  bool feed(std::string_view bytes, std::vector<Message>& out);
  /// Of the close frame that says why feed() has failed.
  uint16_t error_code() const { return error_code_; }

 private:
  bool take_frame(std::vector<Message>& out);
  bool fail(uint16_t code);

  std::string buffer_;
  size_t used_ = 0;  // of buffer_
  Message open_{WebSocketKind::kBinary, ""};
  bool in_message_ = false;
  uint16_t error_code_ = 0;
};

}  // namespace orrery
