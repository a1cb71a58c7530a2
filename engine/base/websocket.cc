#include "engine/base/websocket.h"

#include <utility>

namespace orrery {
namespace {

constexpr uint8_t kLast = 0x80, kMasked = 0x80;
constexpr size_t kControlMax = 125;

uint64_t read_big_endian(std::string_view bytes) {
  uint64_t number = 0;
  for (const char c : bytes) number = number << 8 | static_cast<uint8_t>(c);
  return number;
}

}  // namespace

std::string websocket_frame(WebSocketKind kind, std::string_view payload) {
  std::string out;
  out.reserve(payload.size() + 10);
  out += static_cast<char>(kLast | static_cast<uint8_t>(kind));
  const uint64_t size = payload.size();
  const int bytes = size <= kControlMax ? 0 : size <= 0xffff ? 2 : 8;
  out += static_cast<char>(bytes == 0 ? size : bytes == 2 ? 126 : 127);
  for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(size >> (8 * i) & 0xff);
  out += payload;
  return out;
}

std::string websocket_close(uint16_t code) {
  const char payload[] = {static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
  return websocket_frame(WebSocketKind::kClose, {payload, sizeof(payload)});
}

bool WebSocketReader::fail(uint16_t code) {
  error_code_ = code;
  return false;
}

bool WebSocketReader::feed(std::string_view bytes, std::vector<Message>& out) {
  if (error_code_ != 0) return false;
  buffer_ += bytes;
  for (size_t before = SIZE_MAX; before != used_;) {
    before = used_;
    if (!take_frame(out)) return false;
  }
  buffer_.erase(0, std::exchange(used_, 0));
  return true;
}

// Takes nothing unless the frame is whole.
bool WebSocketReader::take_frame(std::vector<Message>& out) {
  const std::string_view rest = std::string_view(buffer_).substr(used_);
  if (rest.size() < 2) return true;
  const auto first = static_cast<uint8_t>(rest[0]), second = static_cast<uint8_t>(rest[1]);
  const uint8_t code = first & 0x0f;
  const bool last = (first & kLast) != 0, control = code >= 8;
  const bool known = code <= 2 || (code >= 8 && code <= 10);
  if ((first & 0x70) != 0 || !known || (second & kMasked) == 0)
    return fail(kWebSocketProtocolError);
  if (control ? !last : (code == 0) != in_message_) return fail(kWebSocketProtocolError);
  const size_t more = (second & 0x7f) == 126 ? 2 : (second & 0x7f) == 127 ? 8 : 0;
  const size_t head = 2 + more + 4;
  if (rest.size() < head) return true;
  const uint64_t size = more == 0 ? second & 0x7f : read_big_endian(rest.substr(2, more));
  if (control && size > kControlMax) return fail(kWebSocketProtocolError);
  if (size > kMessageMax - (control ? 0 : open_.payload.size())) return fail(kWebSocketTooBig);
  if (rest.size() - head < size) return true;
  const std::string_view mask = rest.substr(head - 4, 4);
  std::string payload(rest.substr(head, size));
  for (size_t i = 0; i < payload.size(); ++i) payload[i] ^= mask[i & 3];
  used_ += head + size;
  if (control) {
    out.push_back({static_cast<WebSocketKind>(code), std::move(payload)});
    return true;
  }
  if (code != 0) open_.kind = static_cast<WebSocketKind>(code);
  open_.payload += payload;
  in_message_ = !last;
  if (last) out.push_back(std::exchange(open_, {WebSocketKind::kBinary, ""}));
  return true;
}

}  // namespace orrery
