#pragma once

#include <string>

#include "engine/ports/http.h"
#include "engine/server/connect/kubelet_address.h"
#include "engine/server/connect/pod_options.h"
#include "engine/server/connect/proxy_location.h"

namespace orrery::server {

inline constexpr std::string_view kRemoteCommandV5 = "v5.channel.k8s.io";
inline constexpr std::string_view kPortForwardTunnel = "SPDY/3.1+portforward.k8s.io";

/// /containerLogs of a kubelet.
HttpForward log_request(const KubeletAddress& kubelet, const corev1::Pod& pod,
                        const std::string& container, const corev1::PodLogOptions& options);

/// /exec or /attach (`what`) of a kubelet, for the request of a client that upgrades. What kubelets of
/// v1.32 speak themselves (SPDY/3.1, and WebSocket up to v4.channel.k8s.io) is passed through;
/// v5.channel.k8s.io, which clients of v1.31 and later ask for first, is translated to SPDY/3.1.
HttpForward command_request(const KubeletAddress& kubelet, const corev1::Pod& pod,
                            const std::string& container, std::string_view what,
                            const corev1::PodExecOptions& options, const HttpRequest& client);

/// /portForward of a kubelet. SPDY/3.1 is passed through, also from within WebSocket messages.
HttpForward port_forward_request(const KubeletAddress& kubelet, const corev1::Pod& pod,
                                 const std::string& query, const HttpRequest& client);

/// A request to what is behind a proxy subresource. `path` is decoded and rooted, `prefix` what stands
/// before it in the client's own. Source: Kubernetes v1.32 apimachinery/pkg/util/proxy
/// (upgradeaware.go, transport.go).
HttpForward proxy_request(const ProxyLocation& location, std::string_view prefix,
                          std::string_view path, const HttpRequest& client);

/// "https://host:port/path?query" of a forward, as Go's errors quote it.
std::string url_of_forward(const HttpForward& forward);

}  // namespace orrery::server
