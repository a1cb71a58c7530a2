#pragma once

#include <string_view>
#include <unordered_map>

#include "engine/api/object.h"

namespace orrery::server {

/// Which objects belong to which node: those that a pod on it refers to (secrets, config maps,
/// claims and their volumes, service accounts, resource claims), what these refer to, and the
/// node's volume attachments and resource slices.
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
  /// True if the object belongs to `node`.
  bool reaches(std::string_view node, Kind kind, std::string_view ns, std::string_view name) const;

  static bool watches(const api::KindDesc& kind);
  void on_change(const api::Object& old, const api::Object& fresh);

 private:
  void set_edges(const api::Object& object, bool add);
  void edge(Str from, Str to, bool add);

  /// How often vertex `from` (an object, "node/NAME" at the end) leads to `to`.
  std::unordered_map<Str, std::unordered_map<Str, uint32_t>> edges_;
};

}  // namespace orrery::server
