#include "realmode/http/remote_command.h"

#include <gtest/gtest.h>

namespace orrery::realmode {
namespace {

std::string masked(WebSocketKind kind, std::string_view payload) {
  std::string frame = websocket_frame(kind, payload);
  frame[1] = static_cast<char>(frame[1] | 0x80);
  return frame.insert(2, 4, '\0');
}

TEST(RemoteCommand, OpensTheStreamsThatTheCommandHas) {
  RemoteCommand command({true, true, true, true});
  Relay::Out out;
  command.begin(out);
  // error, stdin, stdout, resize: a terminal has no stderr of its own.
  const std::string opens("\x80\x03\0\x01", 4);
  size_t opened = 0;
  for (size_t at = out.to_server.find(opens); at != std::string::npos; at = out.to_server.find(opens, at + 1)) ++opened;
  EXPECT_EQ(opened, 4u);
  Relay::Out in;
  command.from_client(masked(WebSocketKind::kBinary, std::string_view("\x04{}", 3)), in);
  EXPECT_EQ(in.to_server, SpdyClient::data(7, "{}", false));
}

TEST(RemoteCommand, EndsWithTheKubeletsStatusOnceAllOutputHasCome) {
  RemoteCommand command({true, true, false, false});
  Relay::Out out;
  command.begin(out);
  Relay::Out first;
  command.from_server(SpdyClient::data(1, R"({"status":"Success"})", true), first);
  EXPECT_FALSE(first.over);
  Relay::Out second;
  command.from_server(SpdyClient::data(5, "x", false) + SpdyClient::data(5, "", true), second);
  EXPECT_TRUE(second.over);
  EXPECT_EQ(second.to_client, websocket_frame(WebSocketKind::kBinary, std::string_view("\x01x", 2)) +
                                  websocket_frame(WebSocketKind::kBinary, "\x03{\"metadata\":{},\"status\":\"Success\"}") +
                                  websocket_close(kWebSocketNormal));
}

TEST(RemoteCommand, InputOfACommandWithoutItGoesNowhere) {
  RemoteCommand command({false, true, false, false});
  Relay::Out out, in;
  command.begin(out);
  command.from_client(masked(WebSocketKind::kBinary, std::string_view("\0abc", 4)) + masked(WebSocketKind::kBinary, "\xff"), in);
  EXPECT_EQ(in.to_server, "");
}

TEST(CommandStatus, SaysWhatUpstreamsTranslatorSays) {
  EXPECT_EQ(command_status(""), R"({"metadata":{},"status":"Success"})");
  EXPECT_EQ(command_status(R"({"status":"Failure","reason":"NonZeroExitCode","message":"m","details":{"causes":[{"reason":"ExitCode","message":"3"}]}})"),
            R"({"metadata":{},"status":"Failure","message":"command terminated with non-zero exit code: command terminated with exit code 3",)"
            R"("reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":"3"}]}})");
  EXPECT_EQ(command_status(R"({"status":"Failure","message":"gone"})"),
            R"({"metadata":{},"status":"Failure","message":"Internal error occurred: gone","reason":"InternalError",)"
            R"("details":{"causes":[{"message":"gone"}]},"code":500})");
  for (const char* broken : {"text", "[]", "{}", R"({"status":1})"})
    EXPECT_NE(command_status(broken).find("error stream protocol error"), std::string::npos);
}

TEST(Spdy, DictionaryIsThatOfTheProtocol) { EXPECT_EQ(spdy_dictionary().size(), 1423u); }

TEST(Spdy, PingsAreAnsweredAndBrokenFramesRefused) {
  SpdyClient client;
  std::vector<SpdyClient::Event> events;
  std::string reply;
  const std::string ping("\x80\x03\0\x06\0\0\0\x04\0\0\0\x02", 12), own("\x80\x03\0\x06\0\0\0\x04\0\0\0\x01", 12);
  EXPECT_TRUE(client.feed(ping + own, events, reply));
  EXPECT_EQ(reply, ping);
  EXPECT_TRUE(client.feed(std::string("\x80\x03\0\x03\0\0\0\x08\0\0\0\x05\0\0\0\x01", 16), events, reply));
  ASSERT_EQ(events.size(), 1u);
  EXPECT_TRUE(events[0].last);
  EXPECT_EQ(events[0].stream, 5u);
  EXPECT_FALSE(client.feed(std::string("\0\0\0\x05\0\xff\xff\xff", 8), events, reply));
}

}  // namespace
}  // namespace orrery::realmode
