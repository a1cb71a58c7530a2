#pragma once

#include <string_view>

#include "engine/api/schema.h"
#include "engine/server/managed_fields/field_set.h"

namespace orrery::server::managed {

/// Which fields writes to a kind's subresource ("" for the object itself) can change, as far as
/// tracking goes: those that the strategy resets are nobody's. Source: GetResetFields of the
/// strategies in Kubernetes v1.32 pkg/registry.
class ResetFields {
 public:
  /// For a built-in kind.
  ResetFields(const api::KindDesc& kind, std::string_view subresource);
  /// For a custom resource: with a status subresource, the object's writes reset status and the status
  /// subresource's reset spec; both in the version of the request only.
  ResetFields(bool has_status, std::string_view subresource, Str api_version);

  /// Whether fields of this version are reset.
  bool holds_in(std::string_view api_version) const { return api_version_.empty() || api_version_ == api_version; }
  /// `set` without the fields that are reset.
  const FieldSet* filter(const FieldSet* set, FieldSetPool& pool) const;

 private:
  std::string_view reset_;  // paths separated by spaces: "spec metadata.labels"
  Str api_version_;         // empty: all
  std::string_view only_;   // or all but these, where * is any one step
};

}  // namespace orrery::server::managed
