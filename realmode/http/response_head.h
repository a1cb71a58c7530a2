#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/ports/http.h"

namespace orrery::realmode {

/// How the end of an HTTP/1 body is known.
enum class Framing : uint8_t {
  kLength,  // Content-Length: body_bytes
  kChunked,
  kUntilClose,
};

/// Status line and fields up to and with the empty line. Field names get their usual capitals; line
/// breaks in values become blanks. Content-Length, Transfer-Encoding and Connection of `response`
/// are left out: they are the transport's business.
std::string http1_head(const HttpResponse& response, Framing framing, size_t body_bytes,
                       bool keep_alive);

/// The head of an answer with code 101, with its Upgrade field.
std::string switching_head(const HttpResponse& response);
/// Sec-WebSocket-Accept for a Sec-WebSocket-Key (RFC 6455 section 4.2.2).
std::string websocket_accept(std::string_view key);

/// True if an answer with this code never has a body (RFC 9110: 1xx, 204, 304).
bool code_without_body(int code);
/// True for fields that belong to a connection and not to an answer.
bool is_connection_field(std::string_view lower_case_name);
std::string_view reason_phrase(int code);
/// "Fri, 27 Nov 2026 10:00:00 GMT", of now.
std::string http_date();

/// The answer of the transport itself to a request that never reaches the API: plain text, but a
/// Status object for 413, as kube-apiserver v1.32 sends it.
HttpResponse refusal(int code, std::string_view why, size_t body_limit);

}  // namespace orrery::realmode
