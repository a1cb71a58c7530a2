#include "engine/server/auth/node_authorizer.h"

#include <algorithm>
#include <initializer_list>

#include "engine/api/names.h"
#include "engine/server/auth/rbac_rules.h"
#include "engine/server/bootstrap/bootstrap_objects.h"

namespace orrery::server {
namespace {

constexpr std::string_view kNodePrefix = "system:node:";
constexpr std::string_view kLeaseNamespace = "kube-node-lease";

Decision allow() { return {true, {}, {}}; }
Decision refuse(std::string_view reason) { return {false, Str(reason), {}}; }

bool is_one_of(const Str& verb, std::initializer_list<std::string_view> verbs) {
  return std::find(verbs.begin(), verbs.end(), verb.view()) != verbs.end();
}

bool selects(const Attributes& a, std::string_view field, const Str& value) {
  const auto& terms = a.field_selector.terms();
  return std::any_of(terms.begin(), terms.end(), [&](const auto& term) {
    return term.equal && term.field == field && term.value == value;
  });
}

Decision unrelated(const Str& node) {
  return refuse(str_cat("no relationship found between node '", node, "' and this object"));
}

Decision lease(const Str& node, const Attributes& a) {
  if (!is_one_of(a.verb, {"get", "create", "update", "patch", "delete"}))
    return refuse("can only get, create, update, patch, or delete a node lease");
  if (a.ns != kLeaseNamespace)
    return refuse(str_cat("can only access leases in the ", api::quoted(kLeaseNamespace),
                          " system namespace"));
  // Creates carry no name: NodeRestriction looks into the object.
  if (a.verb != "create" && a.name != node)
    return refuse("can only access node lease with the same name as the requesting node");
  return allow();
}

Decision csi_node(const Str& node, const Attributes& a) {
  if (!is_one_of(a.verb, {"get", "create", "update", "patch", "delete"}))
    return refuse("can only get, create, update, patch, or delete a CSINode");
  if (!a.subresource.empty()) return refuse("cannot authorize CSINode subresources");
  if (a.verb != "create" && a.name != node)
    return refuse("can only access CSINode with the same name as the requesting node");
  return allow();
}

Decision node_object(const Str& node, const Attributes& a) {
  if (a.subresource == "status") return {is_one_of(a.verb, {"update", "patch"}), {}, {}};
  if (!a.subresource.empty()) return {};
  if (is_one_of(a.verb, {"create", "update", "patch"})) return allow();
  if (!is_one_of(a.verb, {"get", "list", "watch"})) return {};
  if (a.name == node) return allow();
  if (a.name.empty())
    return refuse(str_cat("node '", node, "' cannot read all nodes, only its own Node object"));
  return refuse(str_cat("node '", node, "' cannot read '", a.name, "', only its own Node object"));
}

}  // namespace

std::optional<Str> node_of_user(const ApiUser& user) {
  const std::string_view name = user.name.view();
  if (!name.starts_with(kNodePrefix)) return std::nullopt;
  if (std::find(user.groups.begin(), user.groups.end(), "system:nodes") == user.groups.end())
    return std::nullopt;
  return Str(name.substr(kNodePrefix.size()));
}

NodeAuthorizer::NodeAuthorizer() : rules_(node_rules()) {}

Decision NodeAuthorizer::related(const Str& node, Kind kind, const Attributes& a) const {
  if (a.name.empty()) return refuse("No Object name found");
  return graph_.reaches(node, kind, a.ns, a.name) ? allow() : unrelated(node);
}

Decision NodeAuthorizer::get_only(const Str& node, Kind kind, const Attributes& a) const {
  if (a.verb != "get") return refuse("can only get individual resources of this type");
  if (!a.subresource.empty()) return refuse("cannot get subresource");
  return related(node, kind, a);
}

Decision NodeAuthorizer::read_namespaced(const Str& node, Kind kind, const Attributes& a) const {
  if (!is_one_of(a.verb, {"get", "list", "watch"}))
    return refuse("can only read resources of this type");
  if (!a.subresource.empty()) return refuse("cannot read subresource");
  if (a.ns.empty()) return refuse("can only read namespaced object of this type");
  return related(node, kind, a);
}

Decision NodeAuthorizer::claim_status(const Str& node, const Attributes& a) const {
  if (!is_one_of(a.verb, {"update", "patch"})) return refuse("can only get/update/patch this type");
  return related(node, Kind::kClaim, a);
}

Decision NodeAuthorizer::create_token(const Str& node, const Attributes& a) const {
  if (a.verb != "create" || a.name.empty())
    return refuse("can only create tokens for individual service accounts");
  if (a.subresource != "token")
    return refuse("can only create token subresource of serviceaccount");
  return related(node, Kind::kServiceAccount, a);
}

Decision NodeAuthorizer::resource_slice(const Str& node, const Attributes& a) const {
  if (!a.subresource.empty()) return refuse("cannot authorize ResourceSlice subresources");
  if (a.verb == "create") return allow();
  if (is_one_of(a.verb, {"get", "update", "patch", "delete"}))
    return related(node, Kind::kResourceSlice, a);
  if (!is_one_of(a.verb, {"watch", "list", "deletecollection"}))
    return refuse(
        "only the following verbs are allowed for a ResourceSlice: get, watch, list, create, "
        "update, patch, delete, deletecollection");
  if (selects(a, "spec.nodeName", node)) return allow();
  return refuse("can only list/watch/deletecollection resourceslices with nodeName field selector");
}

Decision NodeAuthorizer::pod(const Str& node, const Attributes& a) const {
  if (a.subresource == "status") return {is_one_of(a.verb, {"update", "patch"}), {}, {}};
  if (a.subresource == "eviction") return {a.verb == "create", {}, {}};
  if (!a.subresource.empty()) return {};
  if (a.verb == "get") return get_only(node, Kind::kPod, a);
  if (is_one_of(a.verb, {"create", "delete"})) return allow();
  if (!is_one_of(a.verb, {"list", "watch"})) return {};
  if (selects(a, "spec.nodeName", node)) return allow();
  if (!a.name.empty()) return related(node, Kind::kPod, a);
  return refuse("can only list/watch pods with spec.nodeName field selector");
}

std::optional<Decision> NodeAuthorizer::decide_core(const Str& node, const Attributes& a) const {
  if (a.resource == "secrets") return read_namespaced(node, Kind::kSecret, a);
  if (a.resource == "configmaps") return read_namespaced(node, Kind::kConfigMap, a);
  if (a.resource == "persistentvolumeclaims")
    return a.subresource == "status" ? claim_status(node, a) : get_only(node, Kind::kClaim, a);
  if (a.resource == "persistentvolumes") return get_only(node, Kind::kVolume, a);
  if (a.resource == "serviceaccounts") return create_token(node, a);
  if (a.resource == "nodes") return node_object(node, a);
  if (a.resource == "pods") return pod(node, a);
  return std::nullopt;
}

std::optional<Decision> NodeAuthorizer::decide(const Str& node, const Attributes& a) const {
  if (a.group.empty()) return decide_core(node, a);
  if (a.group == "resource.k8s.io") {
    if (a.resource == "resourceclaims") return get_only(node, Kind::kResourceClaim, a);
    if (a.resource == "resourceslices") return resource_slice(node, a);
  }
  if (a.group == "storage.k8s.io") {
    if (a.resource == "volumeattachments") return get_only(node, Kind::kAttachment, a);
    if (a.resource == "csinodes") return csi_node(node, a);
  }
  if (a.group == "coordination.k8s.io" && a.resource == "leases") return lease(node, a);
  return std::nullopt;
}

Decision NodeAuthorizer::authorize(const Attributes& attributes) const {
  const std::optional<Str> node = node_of_user(attributes.user);
  if (!node) return {};
  if (node->empty())
    return refuse(str_cat("unknown node for user ", api::quoted(attributes.user.name)));
  if (attributes.is_resource)
    if (const auto decision = decide(*node, attributes)) return *decision;
  return {std::any_of(rules_.begin(), rules_.end(),
                      [&](const auto& rule) { return rule_allows(rule, attributes); }),
          {},
          {}};
}

}  // namespace orrery::server
