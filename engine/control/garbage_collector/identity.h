#pragma once

#include <string>

#include "engine/api/gen/metav1.h"
#include "engine/base/hash.h"
#include "engine/base/str.h"

namespace orrery::control {

/// An object as an owner reference names it, with a namespace: that of the object itself, or the
/// one in which an owner that nobody has seen is looked for.
struct Identity {
  Str api_version, kind, ns, name, uid;

  /// Of the owner that `reference` names, seen from namespace `ns`.
  static Identity of(const metav1::OwnerReference& reference, const Str& ns) {
    return {reference.api_version, reference.kind, ns, reference.name, reference.uid};
  }
  bool operator==(const Identity&) const = default;
  /// All but the namespace.
  bool matches(const metav1::OwnerReference& reference) const {
    return uid == reference.uid && name == reference.name && kind == reference.kind &&
           api_version == reference.api_version;
  }
  /// The order in which names for one owner are tried. Kubernetes v1.32
  /// pkg/controller/garbagecollector/graph_builder.go, referenceLessThan.
  bool precedes(const Identity& other) const {
    if (kind != other.kind) return kind < other.kind;
    if (api_version != other.api_version) return api_version < other.api_version;
    if (ns != other.ns) return ns < other.ns;
    return name != other.name ? name < other.name : uid < other.uid;
  }
  std::string text() const {
    return str_cat('[', api_version, '/', kind, ", namespace: ", ns, ", name: ", name,
                   ", uid: ", uid, ']');
  }
};

}  // namespace orrery::control
