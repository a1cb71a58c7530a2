// metrics.k8s.io/v1beta1, as a metrics-server beside the API server would serve it.
#include "engine/api/codec_json.h"
#include "engine/server/errors.h"
#include "engine/server/rest/rest.h"
#include "engine/server/rest/usage_document.h"

namespace orrery::server {
namespace {

constexpr std::string_view kWindow = "30s";  // over which a metrics-server takes its samples

struct Sum {
  int64_t cpu_nanos = 0, memory_bytes = 0;
  void add(const ContainerUsage& one) {
    cpu_nanos += one.cpu_nanos;
    memory_bytes += one.memory_bytes;
  }
};

api::Json usage_json(const Sum& sum) {
  api::Json out = api::Json::object();
  out.set("cpu", api::Quantity::from_scaled(sum.cpu_nanos, -9).to_string());
  out.set("memory", str_cat((sum.memory_bytes + 1023) / 1024, "Ki"));
  return out;
}

api::Json metrics_json(std::string_view kind, const api::Object& object, Time now) {
  const metav1::ObjectMeta& meta = object.meta();
  api::Json metadata = api::Json::object();
  metadata.set("name", meta.name);
  if (!meta.namespace_.empty()) metadata.set("namespace", meta.namespace_);
  metadata.set("creationTimestamp", api::format_time(api::Timestamp(now)));
  if (!meta.labels.empty()) {
    api::Json labels = api::Json::object();
    for (const auto& [name, value] : meta.labels) labels.set(name, value);
    metadata.set("labels", std::move(labels));
  }
  api::Json out = api::Json::object();
  out.set("kind", kind);
  out.set("apiVersion", "metrics.k8s.io/v1beta1");
  out.set("metadata", std::move(metadata));
  out.set("timestamp", api::format_time(api::Timestamp(now)));
  out.set("window", kWindow);
  return out;
}

api::Json pod_json(const api::Object& pod, const std::vector<ContainerUsage>& usage, Time now) {
  api::Json out = metrics_json("PodMetrics", pod, now);
  api::Json& containers = out.set("containers", api::Json::array());
  for (const ContainerUsage& one : usage) {
    Sum sum;
    sum.add(one);
    api::Json container = api::Json::object();
    container.set("name", one.container);
    container.set("usage", usage_json(sum));
    containers.push_back(std::move(container));
  }
  return out;
}

const api::KindDesc& pod_kind() { return *corev1::Pod::descriptor().kind; }

}  // namespace

std::vector<ServedResource> usage_resources() {
  ServedResource nodes{.group = "metrics.k8s.io", .version = "v1beta1", .kind = "NodeMetrics", .plural = "nodes",
                       .singular = "", .namespaced = false, .short_names = {}, .verbs = {"get", "list"},
                       .categories = {}, .storage_version_hash = "", .subresources = {}};
  ServedResource pods = nodes;
  pods.kind = "PodMetrics";
  pods.plural = "pods";
  pods.namespaced = true;
  return {nodes, pods};
}

// Those that run, with what they use; of nodes those that are there.
std::vector<api::Json> Rest::usage_of(const RequestInfo& info, const Selection& selection, Time now) const {
  std::vector<api::Json> out;
  const auto wanted = [&](const api::Object& object) {
    return (info.name.empty() || object.meta().name.view() == info.name) && selection.matches(object);
  };
  if (info.resource == "pods") {
    for (const api::Object& pod : server_->list(pod_kind(), info.ns)) {
      if (!wanted(pod)) continue;
      const auto usage = usage_->usage(pod);
      if (!usage.empty()) out.push_back(pod_json(pod, usage, now));
    }
    return out;
  }
  std::map<Str, Sum> by_node;
  for (const api::Object& pod : server_->list(pod_kind(), ""))
    for (const ContainerUsage& one : usage_->usage(pod)) by_node[pod.get<corev1::Pod>().spec->node_name].add(one);
  for (const api::Object& node : server_->list(*corev1::Node::descriptor().kind, "")) {
    if (!wanted(node)) continue;
    api::Json json = metrics_json("NodeMetrics", node, now);
    json.set("usage", usage_json(by_node[node.meta().name]));
    out.push_back(std::move(json));
  }
  return out;
}

void Rest::serve_usage(uint64_t id, Exchange& exchange, const HttpRequest& http, Time now) {
  const RequestInfo& info = exchange.info;
  const bool pods = info.resource == "pods";
  if (info.version != "v1beta1" || !info.subresource.empty() || (!pods && info.resource != "nodes"))
    return fail(id, no_such_resource());
  if (http.method != "GET" || (info.verb != "get" && info.verb != "list"))
    return fail(id, method_not_allowed());
  const auto form = negotiate_usage(exchange.accept);
  if (!form.is_ok()) return fail(id, form.status());
  const Query& query = exchange.query;
  const auto selection = Selection::make(pods ? pod_kind() : *corev1::Node::descriptor().kind, Str(info.ns),
                                         query.get("labelSelector"), query.get("fieldSelector"));
  if (!selection.is_ok()) return fail(id, selection.status());
  const auto include = parse_include_object(query.get("includeObject"));
  if (!include.is_ok()) return fail(id, include.status());
  const bool one = info.verb == "get";
  const UsageAnswer answer{pods ? "PodMetrics" : "NodeMetrics", one, usage_of(info, *selection, now)};
  if (one && answer.found.empty())
    return fail(id, orrery::not_found(str_cat(pods ? "podmetrics" : "nodemetrics", ".metrics.k8s.io \"",
                                              info.ns.empty() ? "" : info.ns + "/", info.name, "\" not found")));
  TableOptions options;
  options.now = now;
  options.include = *include;
  const auto document = usage_document(answer, *form, options);
  if (!document.is_ok()) return fail(id, document.status());
  exchange.representation = *form;
  respond_json(id, *document);
}

}  // namespace orrery::server
