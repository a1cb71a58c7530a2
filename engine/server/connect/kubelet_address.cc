#include "engine/server/connect/kubelet_address.h"

namespace orrery::server {
namespace {

constexpr int kKubeletPort = 10250;

std::string address_of(const corev1::Node& node, std::string_view type) {
  for (const corev1::NodeAddress& address : node.status->addresses)
    if (address.type == type) return address.address.str();
  if (type != "Hostname") return "";
  const Str* label = node.metadata->labels.find("kubernetes.io/hostname");
  return label == nullptr ? "" : label->str();
}

}  // namespace

Result<KubeletAddress> kubelet_address(const corev1::Node& node,
                                       const std::vector<std::string>& preferred_types) {
  const int port = node.status->daemon_endpoints.kubelet_endpoint.port;
  for (const std::string& type : preferred_types) {
    std::string host = address_of(node, type);
    if (!host.empty()) return KubeletAddress{std::move(host), port == 0 ? kKubeletPort : port};
  }
  std::string known;
  for (const corev1::NodeAddress& address : node.status->addresses)
    known += str_cat(known.empty() ? "" : " ", "{", address.type, " ", address.address, "}");
  return internal_error(str_cat("no preferred addresses found; known addresses: [", known, "]"));
}

}  // namespace orrery::server
