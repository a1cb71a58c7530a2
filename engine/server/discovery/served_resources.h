#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/api/json_value.h"

namespace orrery::server {

/// What discovery says of one resource and its subresources.
struct ServedSubresource {
  std::string name, kind;
  std::string group, version;  // of the kind, where it is not the resource's own
  std::vector<std::string> verbs;
};
struct ServedResource {
  std::string group, version, kind, plural, singular;
  bool namespaced = false;
  std::vector<std::string> short_names, verbs, categories;
  std::string storage_version_hash;
  std::vector<ServedSubresource> subresources;
  api::Json schema = {};  // of a custom resource: its openAPIV3Schema; null: none
  std::vector<std::string> selectable_fields = {};  // of a custom resource: ".spec.color"
};

/// Whether deletes of a kind answer with the object as it was, not with a Status.
bool returns_deleted(std::string_view group, std::string_view kind);

/// Everything that is served: the built-in resources, then those of custom resource definitions.
class ServedResources {
 public:
  ServedResources();
  /// A resource beside the built-in ones, of a group of its own.
  void add(ServedResource resource);
  /// The resources of custom resource definitions, which replace those given before: by group,
  /// versions of a group in the order of preference.
  void set_custom(std::vector<ServedResource> resources);

  struct Version {
    std::string version;
    std::vector<const ServedResource*> resources;
  };
  struct Group {
    std::string name;
    std::vector<Version> versions;  // preferred first
  };
  /// In the order of discovery; the core group is the first.
  const std::vector<Group>& groups() const { return groups_; }
  /// Another number whenever what is served has changed.
  uint64_t generation() const { return generation_; }
  /// All its resources are of custom resource definitions.
  bool is_custom(const Group& group) const;
  const Group* find_group(std::string_view name) const;
  const Version* find_version(std::string_view group, std::string_view version) const;
  const ServedResource* find(std::string_view group, std::string_view version, std::string_view plural) const;

 private:
  void regroup();

  std::vector<ServedResource> builtin_, custom_;
  std::vector<Group> groups_;
  uint64_t generation_ = 0;
};

}  // namespace orrery::server
