#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/api/custom_object.h"
#include "engine/api/gen/apiextensionsv1.h"
#include "engine/server/custom/custom_schema.h"
#include "engine/server/custom/schema_rules.h"
#include "engine/server/discovery/served_resources.h"
#include "engine/server/managed_fields/merge_schema.h"
#include "engine/server/print/custom_table.h"

namespace orrery::server {

struct CustomResource;

/// One version of a custom resource: a kind made at run time. All versions of a resource have one id,
/// so they share what is kept by kind. Never changes once it is made.
struct CustomVersion : api::KindDesc {
  api::TypeDesc type_desc;
  const CustomResource* resource = nullptr;
  std::string list_kind;
  bool served = false;
  bool has_status = false;
  bool has_scale = false;
  std::string spec_replicas_path, status_replicas_path, label_selector_path;  // of the scale
  std::vector<std::string> selectable_fields;  // JSON paths: ".spec.color"
  std::string deprecation_warning;             // "": not deprecated
  CustomSchema schema;
  SchemaRules rules;
  managed::CustomType merge_type;
  CustomTable table;
  std::deque<std::string> texts;  // what the views of KindDesc point into
};

/// What a CustomResourceDefinition defines.
struct CustomResource {
  Str definition;  // its name
  Str uid;
  Ref<apiextensionsv1::CustomResourceDefinitionSpec> spec;
  apiextensionsv1::CustomResourceDefinitionNames names;  // as accepted
  bool terminating = false;                              // no creates
  std::vector<std::unique_ptr<CustomVersion>> versions;  // in the order of preference
  const CustomVersion* storage = nullptr;
};

/// CHECK: a kind of a custom resource.
const CustomVersion& custom_version(const api::KindDesc& kind);

/// The custom resources that are served, as their definitions say. Kinds stay valid for as long as a
/// copy of this lives, also when their definition changes or goes. Plain copyable state.
class CustomKinds {
 public:
  /// A definition as it is stored now. False: nothing that is served has changed.
  bool set(const apiextensionsv1::CustomResourceDefinition& definition);
  /// The definition is gone.
  void remove(const Str& definition);

  /// nullptr: not served.
  const api::KindDesc* find(std::string_view group, std::string_view version, std::string_view plural) const;
  const api::KindDesc* find_kind(std::string_view api_version, std::string_view kind) const;
  const CustomResource* find_definition(const Str& name) const;
  /// The storage version of the resource that a key of the store belongs to.
  const api::KindDesc* kind_of_key(std::string_view key) const;
  const std::map<Str, std::shared_ptr<const CustomResource>>& all() const { return current_; }
  /// For discovery: by group, versions of a group in the order of preference.
  std::vector<ServedResource> served() const;
  /// One more than the highest id given.
  size_t id_end() const { return api::all_kinds().size() + ids_.size(); }

 private:
  std::map<Str, std::shared_ptr<const CustomResource>> current_;  // by definition
  std::map<Str, uint16_t> ids_;                                   // by definition
  std::vector<std::shared_ptr<const CustomResource>> made_;       // all that ever were
};

/// True if `a` is preferred to `b` among versions: v2 before v1 before v2beta1 before v1alpha1, other
/// names last, in alphabetical order. Source: Kubernetes v1.32 apimachinery/pkg/version.
bool version_before(std::string_view a, std::string_view b);

}  // namespace orrery::server
