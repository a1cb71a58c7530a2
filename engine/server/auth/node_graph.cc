#include "engine/server/auth/node_graph.h"

#include "engine/api/gen/corev1.h"
#include "engine/api/gen/resourcev1beta1.h"
#include "engine/api/gen/storagev1.h"
#include "engine/server/auth/object_references.h"

namespace orrery::server {
namespace {

Str vertex(NodeGraph::Kind kind, std::string_view ns, std::string_view name) {
  return Str(str_cat(static_cast<int>(kind), "/", ns, "/", name));
}

constexpr std::string_view kMirrorAnnotation = "kubernetes.io/config.mirror";

// What set_pod() reads is the same in both.
bool same_references(const api::Object& old, const api::Object& fresh) {
  const auto* a = old ? old.as<corev1::Pod>() : nullptr;
  const auto* b = fresh ? fresh.as<corev1::Pod>() : nullptr;
  return a != nullptr && b != nullptr && a->spec.same(b->spec) &&
         a->status->resource_claim_statuses.same(b->status->resource_claim_statuses) &&
         a->metadata->annotations.same(b->metadata->annotations);
}

}  // namespace

bool NodeGraph::watches(const api::KindDesc& kind) {
  return kind.type == &corev1::Pod::descriptor() ||
         kind.type == &corev1::PersistentVolume::descriptor() ||
         kind.type == &storagev1::VolumeAttachment::descriptor() ||
         kind.type == &resourcev1beta1::ResourceSlice::descriptor();
}

bool NodeGraph::vertex_reaches(const Str& from, const Str& node) const {
  if (const auto direct = nodes_.find(from);
      direct != nodes_.end() && direct->second.contains(node))
    return true;
  const auto via = via_.find(from);
  if (via == via_.end()) return false;
  for (const auto& [next, uses] : via->second)
    if (vertex_reaches(next, node)) return true;
  return false;
}

bool NodeGraph::reaches(std::string_view node, Kind kind, std::string_view ns,
                        std::string_view name) const {
  return vertex_reaches(vertex(kind, ns, name), Str(node));
}

void NodeGraph::count(Edges& edges, const Str& from, const Str& to, bool add) {
  if (add) {
    ++edges[from][to];
    return;
  }
  const auto targets = edges.find(from);
  if (targets == edges.end()) return;
  const auto target = targets->second.find(to);
  if (target == targets->second.end() || --target->second > 0) return;
  targets->second.erase(target);
  if (targets->second.empty()) edges.erase(targets);
}

void NodeGraph::set_pod(const api::Object& object, bool add) {
  const auto& pod = object.get<corev1::Pod>();
  const Str& node = pod.spec->node_name;
  if (node.empty()) return;
  const Str& ns = pod.metadata->namespace_;
  count(nodes_, vertex(Kind::kPod, ns, pod.metadata->name), node, add);
  // A node must not be able to give itself access by creating a mirror pod.
  if (pod.metadata->annotations.contains(kMirrorAnnotation)) return;
  const auto refer = [&](Kind kind, const Str& name) {
    count(nodes_, vertex(kind, ns, name), node, add);
  };
  if (!pod.spec->service_account_name.empty())
    refer(Kind::kServiceAccount, pod.spec->service_account_name);
  for (const Str& name : pod_secrets(pod)) refer(Kind::kSecret, name);
  for (const Str& name : pod_config_maps(pod)) refer(Kind::kConfigMap, name);
  for (const Str& name : pod_claims(pod)) refer(Kind::kClaim, name);
  for (const Str& name : pod_resource_claims(pod)) refer(Kind::kResourceClaim, name);
}

void NodeGraph::set_volume(const api::Object& object, bool add) {
  const auto& volume = object.get<corev1::PersistentVolume>();
  if (!volume.spec->claim_ref) return;
  const corev1::ObjectReference& claim = *volume.spec->claim_ref;
  const Str self = vertex(Kind::kVolume, "", volume.metadata->name);
  count(via_, self, vertex(Kind::kClaim, claim.namespace_, claim.name), add);
  for (const SecretName& secret : volume_secrets(volume))
    count(via_, vertex(Kind::kSecret, secret.ns, secret.name), self, add);
}

void NodeGraph::set(const api::Object& object, bool add) {
  if (object.is<corev1::Pod>()) return set_pod(object, add);
  if (object.is<corev1::PersistentVolume>()) return set_volume(object, add);
  const Str& name = object.meta().name;
  if (const auto* attachment = object.as<storagev1::VolumeAttachment>()) {
    count(nodes_, vertex(Kind::kAttachment, "", name), attachment->spec->node_name, add);
  } else if (const auto* slice = object.as<resourcev1beta1::ResourceSlice>()) {
    if (!slice->spec->node_name.empty())
      count(nodes_, vertex(Kind::kResourceSlice, "", name), slice->spec->node_name, add);
  }
}

void NodeGraph::on_change(const api::Object& old, const api::Object& fresh) {
  if (same_references(old, fresh)) return;
  if (old) set(old, false);
  if (fresh) set(fresh, true);
}

}  // namespace orrery::server
