#pragma once

#include <string_view>
#include <vector>

#include "engine/ports/http.h"

namespace orrery::server {

/// The members of a comma-separated field, also of several fields of that name, trimmed.
std::vector<std::string_view> header_list(const HttpHeaders& headers, std::string_view name);
/// The request wants to leave HTTP. Source: Kubernetes v1.32 httpstream.IsUpgradeRequest.
bool is_upgrade(const HttpRequest& request);
/// It wants to go on in WebSocket frames. Source: Kubernetes v1.32 wsstream.IsWebSocketRequest.
bool is_websocket(const HttpRequest& request);
/// The client offers this protocol above WebSocket.
bool offers_protocol(const HttpRequest& request, std::string_view protocol);

}  // namespace orrery::server
