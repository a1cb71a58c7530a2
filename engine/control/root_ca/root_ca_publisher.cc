#include "engine/control/root_ca/root_ca_publisher.h"

#include "engine/control/common/pod_control.h"
#include "engine/runtime/api_requests.h"

namespace orrery::control {
namespace {

constexpr size_t kNamespaces = 0, kConfigMaps = 1;
const Str kName = Str::literal("kube-root-ca.crt");
const Str kMember = Str::literal("ca.crt");
const Str kAnnotation = Str::literal("kubernetes.io/description");
constexpr std::string_view kDescription =
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal "
    "endpoints such as the internal service IP or kubernetes.default.svc. No other usage is "
    "guaranteed across distributions of Kubernetes clusters.";

bool is_current(const corev1::ConfigMap& map, const Str& pem) {
  const Str* data = map.data.find(kMember);
  const Str* description = map.metadata->annotations.find(kAnnotation);
  return map.data.size() == 1 && data && *data == pem && description && !description->empty();
}

}  // namespace

RootCaPublisher::RootCaPublisher(const Env& env, const RootCaOptions& options)
    : Reconciler(env, "root-ca-certificate-publisher", options), root_ca_pem_(options.root_ca_pem) {
  add_informer({&kind_of<corev1::Namespace>(), {}, {}, {}});
  add_informer({&kind_of<corev1::ConfigMap>(), {}, {}, "metadata.name=kube-root-ca.crt"});
}

void RootCaPublisher::on_change(const Ctx&, size_t number, const Change& change) {
  const auto& meta = change.newest().meta();
  enqueue(number == kNamespaces ? meta.name : meta.namespace_);
}

RootCaInputs RootCaPublisher::gather(const Ctx&, const Str& key) {
  const api::Object* ns = informer(kNamespaces).find({}, key);
  const api::Object* map = informer(kConfigMaps).find(key, kName);
  return {ns ? *ns : api::Object(), map ? *map : api::Object()};
}

Status RootCaPublisher::sync(const RootCaInputs& in, WriteLog& log) {
  if (!in.ns || in.ns.get<corev1::Namespace>().status->phase == "Terminating") return Status();
  if (in.config_map && is_current(in.config_map.get<corev1::ConfigMap>(), root_ca_pem_))
    return Status();
  corev1::ConfigMap map;
  if (in.config_map) map = in.config_map.get<corev1::ConfigMap>();
  map.metadata.mut().name = kName;
  map.metadata.mut().namespace_ = in.ns.meta().name;
  map.metadata.mut().annotations.set(kAnnotation, Str(kDescription));
  map.data = {};
  map.data.set(kMember, root_ca_pem_);
  const ApiResponse& written = log.call([&] {
    const api::Object object = api::Object::of(map);
    return in.config_map ? update_request(object) : create_request(object);
  });
  if (log.pending()) return written.status;
  const bool too_late = written.status.code() == Code::kNotFound || namespace_terminating(written);
  return too_late || written.status.code() == Code::kAlreadyExists ? Status() : written.status;
}

}  // namespace orrery::control
