#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "engine/api/gen/corev1.h"
#include "engine/api/object.h"

namespace orrery::control {

/// What one sync of a claim or of a volume looks at. Objects that are not there are null.
struct BinderInputs {
  bool about_volume = false;  // the sync is the volume's; else the claim's
  api::Object claim;          // of a volume's sync: the one of its claimRef's name
  api::Object volume;         // of a claim's sync: the one that the claim names
  // Of a claim's sync.
  api::Object best_volume;     // for a claim that names none
  Status search_failure;       // why no volume could be looked for
  bool delay_binding = false;  // its class waits for the first consumer
  api::Object storage_class;
  Str default_class;
  // Pods that use the claim and have not ended: in a volume's sync the keys of all, in a claim's
  // the names of those without a node; sorted.
  std::vector<Str> pods;
};

/// Where syncs find their inputs.
class BinderView {
 public:
  virtual ~BinderView() = default;
  virtual api::Object find_claim(std::string_view key) const = 0;
  virtual api::Object find_volume(std::string_view name) const = 0;
  virtual void for_each_volume(const std::function<void(const api::Object&)>& see) const = 0;
  virtual std::vector<api::Object> classes() const = 0;
  /// Pods of a namespace; those without claims may be left out.
  virtual std::vector<api::Object> pods_with_claims(const Str& ns) const = 0;
};

BinderInputs claim_inputs(const BinderView& view, std::string_view key);
BinderInputs volume_inputs(const BinderView& view, std::string_view name);

}  // namespace orrery::control
