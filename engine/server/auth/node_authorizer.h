#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/api/gen/rbacv1.h"
#include "engine/server/auth/attributes.h"
#include "engine/server/auth/node_graph.h"

namespace orrery::server {

/// The node of a kubelet's user: of group system:nodes and named system:node:NODE. nullopt: no
/// kubelet.
std::optional<Str> node_of_user(const ApiUser& user);

/// What a kubelet may do: the static rules of system:node, cut to the objects its pods need.
/// Source: Kubernetes v1.32 plugin/pkg/auth/authorizer/node.
class NodeAuthorizer {
 public:
  NodeAuthorizer();
  Decision authorize(const Attributes& attributes) const;
  static bool watches(const api::KindDesc& kind) { return NodeGraph::watches(kind); }
  void on_change(const api::Object& old, const api::Object& fresh) { graph_.on_change(old, fresh); }

 private:
  using Kind = NodeGraph::Kind;

  /// The answer for one request of `node`; nullopt: the static rules decide.
  std::optional<Decision> decide(const Str& node, const Attributes& a) const;
  std::optional<Decision> decide_core(const Str& node, const Attributes& a) const;
  Decision related(const Str& node, Kind kind, const Attributes& a) const;
  Decision get_only(const Str& node, Kind kind, const Attributes& a) const;
  Decision read_namespaced(const Str& node, Kind kind, const Attributes& a) const;
  Decision claim_status(const Str& node, const Attributes& a) const;
  Decision create_token(const Str& node, const Attributes& a) const;
  Decision resource_slice(const Str& node, const Attributes& a) const;
  Decision pod(const Str& node, const Attributes& a) const;

  List<rbacv1::PolicyRule> rules_;
  NodeGraph graph_;
};

}  // namespace orrery::server
