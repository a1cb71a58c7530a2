#include "engine/server/bootstrap/bootstrap_objects.h"

#include "engine/api/codec_json.h"
#include "engine/api/gen/corev1.h"
#include "engine/api/gen/discoveryv1.h"
#include "engine/server/bootstrap/bootstrap_table.h"
#include "engine/server/validation/ip.h"

namespace orrery::server {
namespace {

metav1::ObjectMeta kubernetes_meta(Map<Str> labels) {
  metav1::ObjectMeta meta;
  meta.name = "kubernetes";
  meta.namespace_ = "default";
  meta.labels = std::move(labels);
  return meta;
}

api::Object service(const KubernetesService& options) {
  corev1::Service service;
  service.metadata = Ref<metav1::ObjectMeta>::make(
      kubernetes_meta({{"component", "apiserver"}, {"provider", "kubernetes"}}));
  corev1::ServiceSpec& spec = service.spec.mut();
  corev1::ServicePort port;
  port.name = "https";
  port.protocol = "TCP";
  port.port = 443;
  port.target_port = options.port;
  spec.ports = {port};
  spec.cluster_ip = options.cluster_ip;
  spec.type = "ClusterIP";
  spec.session_affinity = "None";
  spec.ip_family_policy = Str("SingleStack");
  spec.internal_traffic_policy = Str("Cluster");
  return api::Object::of(std::move(service));
}

api::Object endpoints(const KubernetesService& options) {
  corev1::Endpoints endpoints;
  endpoints.metadata = Ref<metav1::ObjectMeta>::make(
      kubernetes_meta({{"endpointslice.kubernetes.io/skip-mirror", "true"}}));
  corev1::EndpointAddress address;
  address.ip = options.address;
  corev1::EndpointPort port;
  port.name = "https";
  port.port = options.port;
  port.protocol = "TCP";
  corev1::EndpointSubset subset;
  subset.addresses = {address};
  subset.ports = {port};
  endpoints.subsets = {subset};
  return api::Object::of(std::move(endpoints));
}

api::Object endpoint_slice(const KubernetesService& options) {
  discoveryv1::EndpointSlice slice;
  slice.metadata = Ref<metav1::ObjectMeta>::make(
      kubernetes_meta({{"kubernetes.io/service-name", "kubernetes"}}));
  slice.address_type = "IPv4";
  discoveryv1::Endpoint endpoint;
  endpoint.addresses = {options.address};
  endpoint.conditions.ready = true;
  discoveryv1::EndpointPort port;
  port.name = Str("https");
  port.protocol = Str("TCP");
  port.port = options.port;
  slice.endpoints = {endpoint};
  slice.ports = {port};
  return api::Object::of(std::move(slice));
}

}  // namespace

std::vector<api::Object> bootstrap_objects() {
  std::vector<api::Object> objects;
  for (const std::string_view text : bootstrap_table()) {
    auto object = api::decode_json(text, {.strict = true});
    CHECK(object.is_ok()) << "bootstrap object: " << object.status().message();
    objects.push_back(std::move(*object));
  }
  return objects;
}

std::vector<api::Object> kubernetes_service(const KubernetesService& options) {
  // Endpoints may not be loopback addresses; kube-apiserver does not advertise them either.
  const auto ip = parse_ip(options.address);
  if (ip && ip->is_loopback()) return {service(options)};
  return {service(options), endpoints(options), endpoint_slice(options)};
}

List<rbacv1::PolicyRule> node_rules() {
  for (const api::Object& object : bootstrap_objects())
    if (object.is<rbacv1::ClusterRole>() && object.meta().name == "system:node")
      return object.get<rbacv1::ClusterRole>().rules;
  CHECK(false) << "the bootstrap objects lack the cluster role system:node";
  return {};
}

}  // namespace orrery::server
