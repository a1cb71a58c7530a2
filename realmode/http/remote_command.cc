#include "realmode/http/remote_command.h"

#include <algorithm>
#include <iterator>

#include "engine/api/json_value.h"
#include "engine/base/str.h"

namespace orrery::realmode {
namespace {

api::Json status(std::string_view state) {
  api::Json out = api::Json::object();
  out.set("metadata", api::Json::object());
  out.set("status", state);
  return out;
}

std::string internal_error_status(std::string_view why) {
  api::Json out = status("Failure");
  out.set("message", str_cat("Internal error occurred: ", why));
  out.set("reason", "InternalError");
  api::Json cause = api::Json::object();
  cause.set("message", why);
  api::Json causes = api::Json::array();
  causes.push_back(std::move(cause));
  api::Json details = api::Json::object();
  details.set("causes", std::move(causes));
  out.set("details", std::move(details));
  out.set("code", 500);
  return out.dump();
}

/// The exit code among the causes, "" if there is none.
std::string exit_code(const api::Json& details) {
  for (const api::Json& cause : details["causes"].items())
    if (cause["reason"].is_string() && cause["reason"].as_string() == "ExitCode")
      return cause["message"].as_string().str();
  return "";
}

}  // namespace

std::string command_status(std::string_view from_kubelet) {
  if (from_kubelet.empty()) return status("Success").dump();
  const auto parsed = api::Json::parse(from_kubelet);
  if (!parsed.is_ok() || !parsed->is_object() || !(*parsed)["status"].is_string())
    return internal_error_status("error stream protocol error: unknown error");
  const api::Json& told = *parsed;
  const auto text = [&](std::string_view name) {
    return told[name].is_string() ? told[name].as_string().str() : std::string();
  };
  if (text("status") == "Success") return status("Success").dump();
  if (text("reason") != "NonZeroExitCode") return internal_error_status(text("message"));
  const std::string code = exit_code(told["details"]);
  if (code.empty()) return internal_error_status("no ExitCode cause given");
  api::Json out = status("Failure");
  out.set("message", str_cat("command terminated with non-zero exit code: command terminated with "
                             "exit code ", code));
  out.set("reason", "NonZeroExitCode");
  out.set("details", told["details"]);
  return out.dump();
}

RemoteCommand::RemoteCommand(Streams streams) : streams_(streams) {}

void RemoteCommand::open(Channel channel, const char* type, Out& out) {
  out.to_server += server_.open({{"streamtype", type}});
  stream_of_[channel] = 2 * opened_++ + 1;
}

void RemoteCommand::begin(Out& out) {
  open(kError, "error", out);
  if (streams_.standard_input) open(kInput, "stdin", out);
  if (streams_.standard_output) open(kOutput, "stdout", out);
  if (streams_.standard_error && !streams_.terminal) open(kErrorOutput, "stderr", out);
  if (streams_.terminal) open(kResize, "resize", out);
}

void RemoteCommand::from_client(std::string_view bytes, Out& out) {
  std::vector<WebSocketReader::Message> messages;
  const bool fine = reader_.feed(bytes, messages);
  for (const WebSocketReader::Message& message : messages) {
    if (message.kind == WebSocketKind::kBinary) take_message(message.payload, out);
    if (message.kind == WebSocketKind::kPing)
      out.to_client += websocket_frame(WebSocketKind::kPong, message.payload);
    if (message.kind != WebSocketKind::kClose) continue;
    out.to_client += websocket_close(kWebSocketNormal);
    out.over = true;
    return;
  }
  if (fine) return;
  out.to_client += websocket_close(reader_.error_code());
  out.over = true;
}

void RemoteCommand::take_message(std::string_view message, Out& out) {
  if (message.empty()) return;
  const auto channel = static_cast<uint8_t>(message[0]);
  const std::string_view rest = message.substr(1);
  if (channel == kClose && rest.size() == 1 && rest[0] == kInput && stream_of_[kInput] != 0) {
    out.to_server += SpdyClient::data(stream_of_[kInput], "", true);
    stream_of_[kInput] = 0;
  } else if ((channel == kInput || channel == kResize) && stream_of_[channel] != 0 &&
             !rest.empty()) {
    out.to_server += SpdyClient::data(stream_of_[channel], rest, false);
  }
}

void RemoteCommand::from_server(std::string_view bytes, Out& out) {
  std::vector<SpdyClient::Event> events;
  const bool fine = server_.feed(bytes, events, out.to_server);
  for (const SpdyClient::Event& event : events) {
    const auto* found = std::find(std::begin(stream_of_), std::end(stream_of_), event.stream);
    if (event.stream == 0 || found == std::end(stream_of_)) continue;
    const auto channel = static_cast<uint8_t>(found - stream_of_);
    if (channel == kError) {
      status_ += event.bytes;
    } else if (!event.bytes.empty() && channel != kInput) {
      out.to_client += websocket_frame(WebSocketKind::kBinary,
                                       str_cat(static_cast<char>(channel), event.bytes));
    }
    ended_[channel] = ended_[channel] || event.last;
  }
  if (!fine) status_ = R"({"status":"Failure","message":"malformed SPDY frame"})";
  if (!fine || output_done()) finish(out);
}

bool RemoteCommand::output_done() const {
  const auto done = [&](Channel channel) { return stream_of_[channel] == 0 || ended_[channel]; };
  return done(kError) && done(kOutput) && done(kErrorOutput);
}

void RemoteCommand::server_ended(Out& out) { finish(out); }

void RemoteCommand::finish(Out& out) {
  const std::string status = command_status(status_);
  out.to_client += websocket_frame(WebSocketKind::kBinary, str_cat(static_cast<char>(kError), status));
  out.to_client += websocket_close(kWebSocketNormal);
  out.over = true;
}

}  // namespace orrery::realmode
