#pragma once

#include <string_view>
#include <vector>

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

/// The same, and all objects of a kind.
class ObjectLister : public ObjectReader {
 public:
  /// Of one namespace ("" for all), by key.
  virtual std::vector<api::Object> list(const api::KindDesc& kind, std::string_view ns) const = 0;
  /// A served kind, also a custom one; nullptr: there is none.
  virtual const api::KindDesc* find_kind(std::string_view api_version, std::string_view kind) const = 0;
};

}  // namespace orrery::server
