#include "engine/base/websocket.h"

#include <gtest/gtest.h>

namespace orrery {
namespace {

std::string frame(uint8_t first, std::string payload, std::string_view mask = "abcd") {
  std::string out(1, static_cast<char>(first));
  const size_t size = payload.size();
  if (size < 126) {
    out += static_cast<char>(0x80 | size);
  } else {
    out += static_cast<char>(0x80 | 126);
    out += static_cast<char>(size >> 8);
    out += static_cast<char>(size & 0xff);
  }
  out += mask;
  for (size_t i = 0; i < size; ++i) payload[i] ^= mask[i % 4];
  return out + payload;
}

TEST(WebSocketReader, MessagesComeWholeHoweverTheyAreCut) {
  const std::string all = frame(0x02, "first ") + frame(0x89, "ping") + frame(0x80, "half") + frame(0x81, std::string(300, 't'));
  for (size_t step = 1; step <= all.size(); step += 7) {
    WebSocketReader reader;
    std::vector<WebSocketReader::Message> got;
    for (size_t at = 0; at < all.size(); at += step) ASSERT_TRUE(reader.feed(std::string_view(all).substr(at, step), got));
    ASSERT_EQ(got.size(), 3u) << step;
    EXPECT_EQ(got[0].kind, WebSocketKind::kPing);
    EXPECT_EQ(got[1].payload, "first half");
    EXPECT_EQ(got[1].kind, WebSocketKind::kBinary);
    EXPECT_EQ(got[2].payload, std::string(300, 't'));
    EXPECT_EQ(got[2].kind, WebSocketKind::kText);
  }
}

TEST(WebSocketReader, RefusesWhatTheProtocolForbids) {
  const std::string unmasked = websocket_frame(WebSocketKind::kText, "x");
  const std::string huge("\x82\xff\0\0\0\1\0\0\0\0abcd", 14);
  for (const auto& [bytes, code] : std::vector<std::pair<std::string, uint16_t>>{{unmasked, kWebSocketProtocolError},
                                                                               {frame(0xc2, "reserved bit"), kWebSocketProtocolError},
                                                                               {frame(0x83, "unknown kind"), kWebSocketProtocolError},
                                                                               {frame(0x80, "goes on with nothing"), kWebSocketProtocolError},
                                                                               {frame(0x02, "a") + frame(0x82, "b"), kWebSocketProtocolError},
                                                                               {frame(0x09, "ping in two"), kWebSocketProtocolError},
                                                                               {frame(0x89, std::string(126, 'p')), kWebSocketProtocolError},
                                                                               {huge, kWebSocketTooBig}}) {
    WebSocketReader reader;
    std::vector<WebSocketReader::Message> got;
    EXPECT_FALSE(reader.feed(bytes, got));
    EXPECT_EQ(reader.error_code(), code);
    EXPECT_FALSE(reader.feed(frame(0x82, "later"), got));
    EXPECT_TRUE(got.empty());
  }
}

TEST(WebSocketFrame, SizesHaveThreeForms) {
  EXPECT_EQ(websocket_frame(WebSocketKind::kBinary, "ab"), "\x82\x02" "ab");
  EXPECT_EQ(websocket_frame(WebSocketKind::kBinary, std::string(126, 'x')).substr(0, 4), std::string("\x82\x7e\x00\x7e", 4));
  EXPECT_EQ(websocket_frame(WebSocketKind::kBinary, std::string(65536, 'x')).substr(0, 10), std::string("\x82\x7f\0\0\0\0\0\1\0\0", 10));
  EXPECT_EQ(websocket_close(1000), std::string("\x88\x02\x03\xe8", 4));
}

}  // namespace
}  // namespace orrery
