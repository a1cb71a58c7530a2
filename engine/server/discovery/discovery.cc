#include "engine/server/discovery/discovery.h"

#include <algorithm>

#include "engine/base/str.h"

namespace orrery::server {
namespace {

std::string group_version(std::string_view group, std::string_view version) {
  return group.empty() ? std::string(version) : str_cat(group, "/", version);
}

api::Json list_of(const std::vector<std::string>& texts) {
  api::Json out = api::Json::array();
  for (const std::string& text : texts) out.push_back(text);
  return out;
}

api::Json version_entry(std::string_view group, std::string_view version) {
  api::Json out = api::Json::object();
  out.set("groupVersion", group_version(group, version));
  out.set("version", version);
  return out;
}

api::Json response_kind(std::string_view group, std::string_view version, std::string_view kind) {
  api::Json out = api::Json::object();
  out.set("group", group);
  out.set("version", version);
  out.set("kind", kind);
  return out;
}

api::Json aggregated_resource(const ServedResource& resource, bool custom) {
  api::Json out = api::Json::object();
  out.set("resource", resource.plural);
  out.set("responseKind", custom ? response_kind(resource.group, resource.version, resource.kind) : response_kind("", "", resource.kind));
  out.set("scope", resource.namespaced ? "Namespaced" : "Cluster");
  out.set("singularResource", resource.singular);
  out.set("verbs", list_of(resource.verbs));
  if (!resource.short_names.empty()) out.set("shortNames", list_of(resource.short_names));
  if (!resource.categories.empty()) out.set("categories", list_of(resource.categories));
  if (resource.subresources.empty()) return out;
  api::Json subresources = api::Json::array();
  for (const ServedSubresource& s : resource.subresources) {
    api::Json& entry = subresources.push_back(api::Json::object());
    entry.set("subresource", s.name);
    const bool own = s.group.empty() && s.version.empty();
    entry.set("responseKind", own && custom ? response_kind(resource.group, resource.version, s.kind) : response_kind(s.group, s.version, s.kind));
    entry.set("verbs", list_of(s.verbs));
  }
  out.set("subresources", std::move(subresources));
  return out;
}

api::Json aggregated_group(const ServedResources::Group& group, bool custom) {
  api::Json out = api::Json::object();
  api::Json& metadata = out.set("metadata", api::Json::object());
  if (!group.name.empty()) metadata.set("name", group.name);
  metadata.set("creationTimestamp", api::Json());
  api::Json versions = api::Json::array();
  for (const auto& version : group.versions) {
    api::Json& entry = versions.push_back(api::Json::object());
    entry.set("version", version.version);
    api::Json& resources = entry.set("resources", api::Json::array());
    for (const ServedResource* resource : version.resources) resources.push_back(aggregated_resource(*resource, custom));
    entry.set("freshness", "Current");
  }
  out.set("versions", std::move(versions));
  return out;
}

}  // namespace

api::Json api_versions(std::string_view address) {
  api::Json out = api::Json::object();
  out.set("kind", "APIVersions");
  out.set("versions", list_of({"v1"}));
  api::Json& where = out.set("serverAddressByClientCIDRs", api::Json::array()).push_back(api::Json::object());
  where.set("clientCIDR", "0.0.0.0/0");
  where.set("serverAddress", address);
  return out;
}

api::Json api_group(const ServedResources::Group& group) {
  api::Json out = api::Json::object();
  out.set("name", group.name);
  api::Json& versions = out.set("versions", api::Json::array());
  for (const auto& version : group.versions) versions.push_back(version_entry(group.name, version.version));
  out.set("preferredVersion", version_entry(group.name, group.versions.front().version));
  return out;
}

api::Json api_group_list(const ServedResources& served) {
  api::Json out = api::Json::object();
  out.set("kind", "APIGroupList");
  out.set("apiVersion", "v1");
  api::Json& groups = out.set("groups", api::Json::array());
  for (const auto& group : served.groups())
    if (!group.name.empty()) groups.push_back(api_group(group));
  return out;
}

api::Json api_resource_list(std::string_view group, const ServedResources::Version& version) {
  api::Json out = api::Json::object();
  out.set("kind", "APIResourceList");
  if (!group.empty()) out.set("apiVersion", "v1");
  out.set("groupVersion", group_version(group, version.version));
  api::Json& resources = out.set("resources", api::Json::array());
  for (const ServedResource* r : version.resources) {
    api::Json entry = api::Json::object();
    entry.set("name", r->plural);
    entry.set("singularName", r->singular);
    entry.set("namespaced", r->namespaced);
    entry.set("kind", r->kind);
    entry.set("verbs", list_of(r->verbs));
    if (!r->short_names.empty()) entry.set("shortNames", list_of(r->short_names));
    if (!r->categories.empty()) entry.set("categories", list_of(r->categories));
    if (!r->storage_version_hash.empty()) entry.set("storageVersionHash", r->storage_version_hash);
    resources.push_back(std::move(entry));
    for (const ServedSubresource& s : r->subresources) {
      api::Json sub = api::Json::object();
      sub.set("name", str_cat(r->plural, "/", s.name));
      sub.set("singularName", "");
      sub.set("namespaced", r->namespaced);
      if (!s.group.empty()) sub.set("group", s.group);
      if (!s.version.empty()) sub.set("version", s.version);
      sub.set("kind", s.kind);
      sub.set("verbs", list_of(s.verbs));
      resources.push_back(std::move(sub));
    }
  }
  return out;
}

api::Json aggregated_discovery(const ServedResources& served, bool core, std::string_view version) {
  api::Json out = api::Json::object();
  out.set("kind", "APIGroupDiscoveryList");
  out.set("apiVersion", str_cat("apidiscovery.k8s.io/", version));
  out.set("metadata", api::Json::object());
  api::Json& items = out.set("items", api::Json::array());
  for (const auto& group : served.groups())
    if (group.name.empty() == core) items.push_back(aggregated_group(group, served.is_custom(group)));
  return out;
}

}  // namespace orrery::server
