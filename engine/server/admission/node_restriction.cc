#include "engine/server/admission/node_restriction.h"

#include <algorithm>
#include <set>

#include "engine/api/gen/authenticationv1.h"
#include "engine/api/gen/coordinationv1.h"
#include "engine/api/gen/corev1.h"
#include "engine/api/gen/policyv1.h"
#include "engine/api/gen/resourcev1beta1.h"
#include "engine/api/gen/storagev1.h"
#include "engine/api/names.h"
#include "engine/api/semantic.h"
#include "engine/server/auth/node_authorizer.h"
#include "engine/server/auth/object_references.h"

namespace orrery::server {
namespace {

using Operation = AdmissionRequest::Operation;

constexpr std::string_view kLeaseNamespace = "kube-node-lease";
constexpr std::string_view kMirrorAnnotation = "kubernetes.io/config.mirror";
constexpr std::string_view kRestrictionNamespace = "node-restriction.kubernetes.io";

/// One write of a kubelet.
struct Visit {
  const AdmissionRequest& request;
  const ObjectReader& objects;
  Str node;

  // `node "n" WHY`
  Refusal refuse_node(std::string_view why) const {
    return refuse(str_cat("node ", api::quoted(node), " ", why));
  }
  Refusal refuse(std::string_view why) const {
    return forbidden(request.kind->group, request.kind->plural, name(), why);
  }
  Refusal unexpected_operation() const {
    return refuse(str_cat("unexpected operation ", api::quoted(operation())));
  }
  std::string_view operation() const {
    if (request.operation == Operation::kCreate) return "CREATE";
    return request.operation == Operation::kUpdate ? "UPDATE" : "DELETE";
  }
  // Of the object, where the path of a create does not name it.
  Str name() const {
    if (!request.name.empty()) return request.name;
    return request.object && request.object.has_meta() ? request.object.meta().name : Str();
  }
  bool creates() const { return request.operation == Operation::kCreate; }
  api::Object find_pod(const Str& pod) const {
    return objects.find(*corev1::Pod::descriptor().kind, request.ns, pod);
  }
};

Refusal check_owner(const Visit& visit, const corev1::Pod& pod) {
  const auto& owners = pod.metadata->owner_references;
  if (owners.size() > 1)
    return visit.refuse_node("can only create pods with a single owner reference set to itself");
  if (owners.empty() || owners[0].api_version != "v1" || owners[0].kind != "Node" ||
      owners[0].name != visit.node)
    return visit.refuse_node("can only create pods with an owner reference set to itself");
  const metav1::OwnerReference& owner = owners[0];
  if (!owner.controller.value_or(false))
    return visit.refuse_node(
        "can only create pods with a controller owner reference set to itself");
  if (owner.block_owner_deletion.value_or(false))
    return visit.refuse_node("must not set blockOwnerDeletion on an owner reference");
  const api::Object node = visit.objects.find(*corev1::Node::descriptor().kind, "", visit.node);
  if (!node) return not_found("", "nodes", visit.node);
  if (node.meta().uid == owner.uid) return {};
  return visit.refuse(str_cat("node ", visit.node, " UID mismatch: expected ", owner.uid, " got ",
                              node.meta().uid));
}

// A pod that a node makes must not open other objects to it.
Refusal check_references(const Visit& visit, const corev1::Pod& pod) {
  if (!pod.spec->service_account_name.empty())
    return visit.refuse_node("can not create pods that reference a service account");
  if (!pod_secrets(pod).empty())
    return visit.refuse_node("can not create pods that reference secrets");
  if (!pod_config_maps(pod).empty())
    return visit.refuse_node("can not create pods that reference configmaps");
  for (const corev1::Volume& volume : pod.spec->volumes) {
    if (!volume.projected) continue;
    for (const corev1::VolumeProjection& source : volume.projected->sources)
      if (source.cluster_trust_bundle)
        return visit.refuse_node("can not create pods that reference clustertrustbundles");
  }
  for (const corev1::Volume& volume : pod.spec->volumes)
    if (volume.persistent_volume_claim)
      return visit.refuse_node("can not create pods that reference persistentvolumeclaims");
  if (!pod.spec->resource_claims.empty())
    return visit.refuse_node("can not create pods that reference resourceclaims");
  return {};
}

Refusal create_pod(const Visit& visit) {
  const auto& pod = visit.request.object.get<corev1::Pod>();
  if (!pod.metadata->annotations.contains(kMirrorAnnotation))
    return visit.refuse(str_cat("pod does not have ", api::quoted(kMirrorAnnotation),
                                " annotation, node ", api::quoted(visit.node),
                                " can only create mirror pods"));
  if (pod.spec->node_name != visit.node)
    return visit.refuse_node("can only create pods with spec.nodeName set to itself");
  if (Refusal refusal = check_owner(visit, pod); !refusal.is_ok()) return refusal;
  return check_references(visit, pod);
}

Refusal write_pod(const Visit& visit) {
  if (visit.creates()) return create_pod(visit);
  if (visit.request.operation == Operation::kUpdate)
    return visit.refuse(str_cat("unexpected operation \"UPDATE\", node ", api::quoted(visit.node),
                                " can only create and delete mirror pods"));
  const api::Object pod = visit.find_pod(visit.request.name);
  if (!pod) return not_found("", "pods", visit.request.name);
  if (pod.get<corev1::Pod>().spec->node_name == visit.node) return {};
  return visit.refuse_node("can only delete pods with spec.nodeName set to itself");
}

bool same_claims(const corev1::Pod& a, const corev1::Pod& b) {
  const auto& x = a.status->resource_claim_statuses;
  const auto& y = b.status->resource_claim_statuses;
  return std::equal(x.begin(), x.end(), y.begin(), y.end(), [](const auto& one, const auto& other) {
    return api::semantic_equal(one, other);
  });
}

Refusal write_pod_status(const Visit& visit) {
  if (visit.request.operation != Operation::kUpdate) return visit.unexpected_operation();
  const auto& old = visit.request.old.get<corev1::Pod>();
  const auto& fresh = visit.request.object.get<corev1::Pod>();
  if (old.spec->node_name != visit.node)
    return visit.refuse_node(
        "can only update pod status for pods with spec.nodeName set to itself");
  if (old.metadata->labels != fresh.metadata->labels)
    return visit.refuse_node("cannot update labels through pod status");
  if (!same_claims(old, fresh)) return visit.refuse_node("cannot update resource claim statues");
  return {};
}

Refusal evict_pod(const Visit& visit) {
  if (!visit.creates()) return visit.refuse(str_cat("unexpected operation ", visit.operation()));
  const Str name = visit.name();
  if (name.empty()) return visit.refuse("could not determine pod from request data");
  const api::Object pod = visit.find_pod(name);
  if (!pod) return not_found("", "pods", name);
  if (pod.get<corev1::Pod>().spec->node_name == visit.node) return {};
  return visit.refuse(
      str_cat("node ", visit.node, " can only evict pods with spec.nodeName set to itself"));
}

Refusal any_pod(const Visit& visit) {
  const Str& subresource = visit.request.subresource;
  if (subresource.empty()) return write_pod(visit);
  if (subresource == "status") return write_pod_status(visit);
  if (subresource == "eviction") return evict_pod(visit);
  return visit.refuse(str_cat("unexpected pod subresource ", api::quoted(subresource),
                              ", only 'status' and 'eviction' are allowed"));
}

std::string_view label_namespace(std::string_view key) {
  const size_t slash = key.find('/');
  return slash == key.npos ? std::string_view() : key.substr(0, slash);
}

bool is_in(std::string_view ns, std::string_view domain) {
  return ns == domain || (ns.size() > domain.size() && ns.ends_with(domain) &&
                          ns[ns.size() - domain.size() - 1] == '.');
}

// Labels of kubernetes.io that kubelets set: v1.32 k8s.io/kubelet/pkg/apis.
bool is_kubelet_label(std::string_view key) {
  constexpr std::string_view kKeys[] = {"kubernetes.io/hostname",
                                        "topology.kubernetes.io/zone",
                                        "topology.kubernetes.io/region",
                                        "failure-domain.beta.kubernetes.io/zone",
                                        "failure-domain.beta.kubernetes.io/region",
                                        "node.kubernetes.io/instance-type",
                                        "beta.kubernetes.io/instance-type",
                                        "kubernetes.io/os",
                                        "kubernetes.io/arch",
                                        "beta.kubernetes.io/os",
                                        "beta.kubernetes.io/arch"};
  if (std::find(std::begin(kKeys), std::end(kKeys), key) != std::end(kKeys)) return true;
  const std::string_view ns = label_namespace(key);
  return is_in(ns, "kubelet.kubernetes.io") || is_in(ns, "node.kubernetes.io");
}

bool is_forbidden_label(std::string_view key) {
  const std::string_view ns = label_namespace(key);
  if (is_in(ns, kRestrictionNamespace)) return true;
  return (is_in(ns, "kubernetes.io") || is_in(ns, "k8s.io")) && !is_kubelet_label(key);
}

// "a, b": the labels that differ and that a node must not change.
std::string forbidden_labels(const Map<Str>& fresh, const Map<Str>& old) {
  std::set<std::string> keys;
  for (const auto& [a, b] : {std::pair(&fresh, &old), std::pair(&old, &fresh)})
    for (const auto& entry : *a) {
      const Str* other = b->find(entry.key);
      if ((other == nullptr || *other != entry.value) && is_forbidden_label(entry.key))
        keys.insert(entry.key.str());
    }
  return api::join({keys.begin(), keys.end()}, ", ");
}

Refusal create_node(const Visit& visit) {
  const auto& node = visit.request.object.get<corev1::Node>();
  if (node.spec->config_source)
    return visit.refuse_node("is not allowed to create pods with a non-nil configSource");
  const std::string labels = forbidden_labels(node.metadata->labels, {});
  if (labels.empty()) return {};
  return visit.refuse_node(str_cat("is not allowed to set the following labels: ", labels));
}

template <typename T>
bool same_list(const List<T>& a, const List<T>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const T& one, const T& other) { return api::semantic_equal(one, other); });
}

Refusal update_node(const Visit& visit) {
  const auto& fresh = visit.request.object.get<corev1::Node>();
  const auto& old = visit.request.old.get<corev1::Node>();
  if (fresh.spec->config_source &&
      (!old.spec->config_source ||
       !api::semantic_equal(*fresh.spec->config_source, *old.spec->config_source)))
    return visit.refuse_node("is not allowed to update configSource to a new non-nil configSource");
  if (!same_list(fresh.spec->taints, old.spec->taints))
    return visit.refuse_node("is not allowed to modify taints");
  if (!same_list(fresh.metadata->owner_references, old.metadata->owner_references))
    return visit.refuse_node("is not allowed to modify ownerReferences");
  const std::string labels = forbidden_labels(fresh.metadata->labels, old.metadata->labels);
  if (labels.empty()) return {};
  return visit.refuse(str_cat("is not allowed to modify labels: ", labels));
}

Refusal any_node(const Visit& visit) {
  const Str name = visit.name();
  if (name != visit.node)
    return visit.refuse_node(str_cat("is not allowed to modify node ", api::quoted(name)));
  if (visit.creates()) return create_node(visit);
  return visit.request.operation == Operation::kUpdate ? update_node(visit) : Refusal{};
}

Refusal any_claim(const Visit& visit) {
  if (visit.request.subresource != "status") return visit.refuse("may only update PVC status");
  if (visit.request.operation != Operation::kUpdate) return visit.unexpected_operation();
  api::Object old = visit.request.old, fresh = visit.request.object;
  for (api::Object* object : {&old, &fresh}) {
    auto& claim = object->mut<corev1::PersistentVolumeClaim>();
    claim.metadata.mut().resource_version = Str();
    claim.metadata.mut().managed_fields.reset();
    corev1::PersistentVolumeClaimStatus& status = claim.status.mut();
    status.capacity.reset();
    status.conditions.reset();
    status.allocated_resource_statuses.reset();
    status.allocated_resources.reset();
  }
  if (api::semantic_equal(old, fresh)) return {};
  std::vector<std::string> paths;
  for (const api::Difference& difference : api::diff(old, fresh)) paths.push_back(difference.path);
  return visit.refuse_node(
      str_cat("is not allowed to update fields other than status.capacity and "
              "status.conditions: ",
              api::join(paths, ", ")));
}

Refusal request_token(const Visit& visit) {
  if (!visit.creates() || visit.request.subresource != "token") return {};
  const auto* request = visit.request.object.as<authenticationv1::TokenRequest>();
  if (request == nullptr) return visit.refuse("unexpected type");
  const auto& ref = request->spec->bound_object_ref;
  if (!ref || ref->api_version != "v1" || ref->kind != "Pod" || ref->name.empty())
    return visit.refuse("node requested token not bound to a pod");
  if (ref->uid.empty())
    return visit.refuse("node requested token with a pod binding without a uid");
  const api::Object pod = visit.find_pod(ref->name);
  if (!pod) return not_found("", "pods", ref->name);
  if (pod.meta().uid != ref->uid)
    return visit.refuse(
        str_cat("the UID in the bound object reference (", ref->uid,
                ") does not match the UID in record. The object might have been deleted and then "
                "recreated"));
  if (pod.get<corev1::Pod>().spec->node_name == visit.node) return {};
  return visit.refuse("node requested token bound to a pod scheduled on a different node");
}

Refusal any_lease(const Visit& visit) {
  if (visit.request.ns != kLeaseNamespace)
    return visit.refuse(str_cat("can only access leases in the ", api::quoted(kLeaseNamespace),
                                " system namespace"));
  if (visit.name() == visit.node) return {};
  return visit.refuse("can only access node lease with the same name as the requesting node");
}

Refusal any_csi_node(const Visit& visit) {
  if (visit.name() == visit.node) return {};
  return visit.refuse("can only access CSINode with the same name as the requesting node");
}

Refusal any_resource_slice(const Visit& visit) {
  if (visit.request.operation == Operation::kUpdate) return {};
  const api::Object& object = visit.creates() ? visit.request.object : visit.request.old;
  const auto* slice = object ? object.as<resourcev1beta1::ResourceSlice>() : nullptr;
  if (slice == nullptr || slice->spec->node_name == visit.node) return {};
  return visit.refuse(str_cat("can only ", visit.creates() ? "create" : "delete",
                              " ResourceSlice with the same NodeName as the requesting node"));
}

class NodeRestriction final : public AdmissionPlugin {
 public:
  std::string_view name() const override { return "NodeRestriction"; }

  Refusal mutate(AdmissionRequest& request, AdmissionContext& context) const override {
    const std::optional<Str> node = node_of_user(request.user);
    if (!node) return {};
    const Visit visit{request, context.objects, *node};
    if (node->empty())
      return visit.refuse(
          str_cat("could not determine node from user ", api::quoted(request.user.name)));
    const api::TypeDesc* type = request.kind->type;
    if (type == &corev1::Pod::descriptor()) return any_pod(visit);
    if (type == &corev1::Node::descriptor()) return any_node(visit);
    if (type == &corev1::PersistentVolumeClaim::descriptor()) return any_claim(visit);
    if (type == &corev1::ServiceAccount::descriptor()) return request_token(visit);
    if (type == &coordinationv1::Lease::descriptor()) return any_lease(visit);
    if (type == &storagev1::CSINode::descriptor()) return any_csi_node(visit);
    if (type == &resourcev1beta1::ResourceSlice::descriptor()) return any_resource_slice(visit);
    return {};
  }
};

}  // namespace

std::unique_ptr<AdmissionPlugin> node_restriction() { return std::make_unique<NodeRestriction>(); }

}  // namespace orrery::server
