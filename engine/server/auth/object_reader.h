#pragma once

#include <string_view>

#include "engine/api/object.h"

namespace orrery::server {

/// What authentication and admission see of the cluster's state: the newest known object.
class ObjectReader {
 public:
  virtual ~ObjectReader() = default;
  /// Null if there is none. `ns` is "" for cluster-scoped kinds.
  virtual api::Object find(const api::KindDesc& kind, std::string_view ns,
                           std::string_view name) const = 0;
};

}  // namespace orrery::server
