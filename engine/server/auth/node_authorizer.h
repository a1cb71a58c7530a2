#pragma once

#include <optional>

#include "engine/server/auth/attributes.h"
#include "engine/server/auth/node_graph.h"

namespace orrery::server {

/// The node of a kubelet's user: of group system:nodes and named system:node:NODE. nullopt: no
/// kubelet; "": a kubelet without a node.
std::optional<Str> node_of_user(const ApiUser& user);

/// What a kubelet may do: the static rules of system:node, cut to the objects its pods need.
/// Source: Kubernetes v1.32 plugin/pkg/auth/authorizer/node.
class NodeAuthorizer {
 public:
  Decision authorize(const Attributes& attributes) const;
  static bool watches(const api::KindDesc& kind) { return NodeGraph::watches(kind); }
  void on_change(const api::Object& old, const api::Object& fresh) { graph_.on_change(old, fresh); }

 private:
  NodeGraph graph_;
};

}  // namespace orrery::server
