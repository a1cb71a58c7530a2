#pragma once

#include <string_view>
#include <unordered_map>

#include "engine/api/object.h"

namespace orrery::server {

/// Which objects belong to which node: those that a pod on it refers to (secrets, config maps,
/// claims and their volumes, the secrets of these, service accounts, resource claims), and the
/// node's pods, volume attachments and resource slices. A check costs a few look-ups, however many
/// pods share an object. Source: Kubernetes v1.32 plugin/pkg/auth/authorizer/node/graph.go.
class NodeGraph {
 public:
  enum class Kind : uint8_t {
    kPod,
    kSecret,
    kConfigMap,
    kServiceAccount,
    kClaim,
    kVolume,
    kAttachment,
    kResourceClaim,
    kResourceSlice,
  };
  /// True if the object belongs to `node`. `ns` is "" for cluster-scoped kinds.
  bool reaches(std::string_view node, Kind kind, std::string_view ns, std::string_view name) const;

  static bool watches(const api::KindDesc& kind);
  /// One object was created (`old` null), changed or deleted (`fresh` null).
  void on_change(const api::Object& old, const api::Object& fresh);

 private:
  /// Counted targets of one vertex.
  using Targets = std::unordered_map<Str, uint32_t>;
  using Edges = std::unordered_map<Str, Targets>;

  void set(const api::Object& object, bool add);
  void set_pod(const api::Object& object, bool add);
  void set_volume(const api::Object& object, bool add);
  bool vertex_reaches(const Str& vertex, const Str& node) const;
  static void count(Edges& edges, const Str& from, const Str& to, bool add);

  Edges nodes_;  // vertex -> nodes whose pods refer to it, or whose it is
  Edges via_;    // secret -> volumes that name it, volume -> its claim
};

}  // namespace orrery::server
