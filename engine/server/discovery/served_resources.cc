#include "engine/server/discovery/served_resources.h"

#include <algorithm>

#include "engine/base/check.h"
#include "engine/server/discovery/resource_table.h"

namespace orrery::server {
namespace {

std::vector<std::string> texts(const api::Json& list) {
  std::vector<std::string> out;
  for (const api::Json& item : list.items()) out.push_back(item.as_string().str());
  return out;
}

ServedResource parse_resource(std::string_view line) {
  const auto json = api::Json::parse(line);
  CHECK(json.is_ok()) << json.status().message();
  const api::Json& r = *json;
  ServedResource out{r["group"].as_string().str(),    r["version"].as_string().str(), r["kind"].as_string().str(),
                     r["plural"].as_string().str(),   r["singular"].as_string().str(), r["namespaced"].as_bool(),
                     texts(r["shortNames"]),          texts(r["verbs"]),              texts(r["categories"]),
                     r["storageVersionHash"].as_string().str(), {}};
  for (const api::Json& s : r["subresources"].items())
    out.subresources.push_back({s["name"].as_string().str(), s["kind"].as_string().str(), s["group"].as_string().str(),
                                s["version"].as_string().str(), texts(s["verbs"])});
  return out;
}

}  // namespace

// Source: Kubernetes v1.32, stores with ReturnDeletedObject.
bool returns_deleted(std::string_view group, std::string_view kind) {
  static constexpr std::string_view kCore[] = {"Pod", "PodTemplate", "PersistentVolume", "PersistentVolumeClaim",
                                               "ResourceQuota", "Service", "ServiceAccount"};
  static constexpr std::string_view kStorage[] = {"CSIDriver", "CSINode", "StorageClass", "VolumeAttachment"};
  const auto among = [&](const auto& kinds) { return std::find(std::begin(kinds), std::end(kinds), kind) != std::end(kinds); };
  return (group.empty() && among(kCore)) || (group == "storage.k8s.io" && among(kStorage));
}

ServedResources::ServedResources() {
  for (const std::string_view line : resource_table()) builtin_.push_back(parse_resource(line));
  regroup();
}

void ServedResources::add(ServedResource resource) {
  builtin_.push_back(std::move(resource));
  generation_++;
  regroup();
}

void ServedResources::set_custom(std::vector<ServedResource> resources) {
  custom_ = std::move(resources);
  generation_++;
  regroup();
}

void ServedResources::regroup() {
  groups_.clear();
  for (const auto* list : {&builtin_, &custom_}) {
    for (const ServedResource& resource : *list) {
      Group* group = nullptr;
      for (Group& g : groups_)
        if (g.name == resource.group) group = &g;
      if (!group) group = &groups_.emplace_back(Group{resource.group, {}});
      Version* version = nullptr;
      for (Version& v : group->versions)
        if (v.version == resource.version) version = &v;
      if (!version) version = &group->versions.emplace_back(Version{resource.version, {}});
      version->resources.push_back(&resource);
    }
  }
}

bool ServedResources::is_custom(const Group& group) const {
  for (const ServedResource& resource : builtin_)
    if (resource.group == group.name) return false;
  return true;
}

const ServedResources::Group* ServedResources::find_group(std::string_view name) const {
  for (const Group& group : groups_)
    if (group.name == name) return &group;
  return nullptr;
}

const ServedResources::Version* ServedResources::find_version(std::string_view group, std::string_view version) const {
  const Group* g = find_group(group);
  if (!g) return nullptr;
  for (const Version& v : g->versions)
    if (v.version == version) return &v;
  return nullptr;
}

const ServedResource* ServedResources::find(std::string_view group, std::string_view version, std::string_view plural) const {
  const Version* v = find_version(group, version);
  if (!v) return nullptr;
  for (const ServedResource* resource : v->resources)
    if (resource->plural == plural) return resource;
  return nullptr;
}

}  // namespace orrery::server
