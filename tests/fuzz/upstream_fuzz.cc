// Whatever another server or a client of a tunnel sends, in whatever pieces: readers of answers,
// WebSocket messages and SPDY frames do not depend on how the bytes were cut.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/websocket.h"
#include "realmode/http/http1_response.h"
#include "realmode/http/remote_command.h"

namespace {

using orrery::WebSocketReader;
using orrery::realmode::Http1Response;
using orrery::realmode::Relay;
using orrery::realmode::RemoteCommand;

struct Outcome {
  std::string text;
  bool operator==(const Outcome&) const = default;
};

template <typename Feed>
void in_steps(std::string_view text, size_t step, Feed feed) {
  for (size_t at = 0; at < text.size(); at += std::min(step, text.size() - at)) feed(text.substr(at, step));
}

Outcome read_answer(std::string_view text, size_t step) {
  Http1Response answer(false, 512);
  std::string body, waiting;
  in_steps(text, step, [&](std::string_view piece) {
    waiting += piece;
    for (size_t used = 1; used > 0 && !waiting.empty();) waiting.erase(0, used = answer.feed(waiting, &body));
  });
  answer.on_end();
  if (answer.failed()) return {"failed"};
  return {body + std::to_string(answer.head().code)};
}

Outcome read_messages(std::string_view text, size_t step) {
  WebSocketReader reader;
  std::vector<WebSocketReader::Message> messages;
  bool fine = true;
  in_steps(text, step, [&](std::string_view piece) { fine = fine && reader.feed(piece, messages); });
  std::string all = fine ? "fine" : "broken";
  for (const auto& message : messages) all += std::to_string(static_cast<int>(message.kind)) + message.payload;
  return {all};
}

Outcome relay(std::string_view text, size_t step, bool from_server) {
  RemoteCommand command({true, true, true, false});
  Relay::Out out;
  command.begin(out);
  in_steps(text, step, [&](std::string_view piece) {
    if (out.over) return;
    from_server ? command.from_server(piece, out) : command.from_client(piece, out);
  });
  return {out.to_server};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const size_t step = 1 + data[0] % 16;
  if (read_answer(text, SIZE_MAX) != read_answer(text, step)) std::abort();
  if (read_messages(text, SIZE_MAX) != read_messages(text, step)) std::abort();
  if (relay(text, SIZE_MAX, false) != relay(text, step, false)) std::abort();
  relay(text, step, true);
  return 0;
}
