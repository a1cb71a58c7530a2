#include "engine/control/garbage_collector/patches.h"

#include <algorithm>

#include "engine/api/codec_json.h"

namespace orrery::control {
namespace {

using api::Json;

Str patch_of(Json metadata) {
  Json patch = Json::object();
  patch.set("metadata", std::move(metadata));
  return patch.dump();
}

/// An empty list is null, which takes the member away.
Json list_or_null(Json list) { return list.size() == 0 ? Json() : std::move(list); }

Str merge_patch_of(const metav1::ObjectMeta& newest, std::string_view member, Json list) {
  Json metadata = Json::object();
  metadata.set("resourceVersion", newest.resource_version);
  metadata.set(member, list_or_null(std::move(list)));
  return patch_of(std::move(metadata));
}

Json json_of(const metav1::OwnerReference& reference) { return api::to_json(metav1::OwnerReference::descriptor(), &reference); }

Json unblocked(metav1::OwnerReference reference) {
  reference.block_owner_deletion = false;
  return json_of(reference);
}

}  // namespace

Str forget_owners_patch(const Str& uid, const std::vector<Str>& owners) {
  Json list = Json::array();
  for (const Str& owner : owners) {
    Json& entry = list.push_back(Json::object());
    entry.set("$patch", "delete");
    entry.set("uid", owner);
  }
  Json metadata = Json::object();
  metadata.set("ownerReferences", std::move(list));
  metadata.set("uid", uid);
  return patch_of(std::move(metadata));
}

Str forget_owners_merge_patch(const metav1::ObjectMeta& newest, const std::vector<Str>& owners) {
  Json list = Json::array();
  for (const auto& reference : newest.owner_references)
    if (std::find(owners.begin(), owners.end(), reference.uid) == owners.end())
      list.push_back(json_of(reference));
  return merge_patch_of(newest, "ownerReferences", std::move(list));
}

Str unblock_owners_patch(const Str& uid, const OwnerReferences& owners) {
  Json list = Json::array();
  for (const auto& reference : owners)
    if (reference.block_owner_deletion.value_or(false)) list.push_back(unblocked(reference));
  Json metadata = Json::object();
  metadata.set("ownerReferences", std::move(list));
  metadata.set("uid", uid);
  return patch_of(std::move(metadata));
}

Str unblock_owners_merge_patch(const metav1::ObjectMeta& newest, const OwnerReferences& owners) {
  Json list = Json::array();
  for (const auto& reference : owners) list.push_back(unblocked(reference));
  return merge_patch_of(newest, "ownerReferences", std::move(list));
}

Str drop_finalizer_patch(const metav1::ObjectMeta& newest, std::string_view finalizer) {
  Json list = Json::array();
  for (const Str& one : newest.finalizers)
    if (one != finalizer) list.push_back(one);
  return merge_patch_of(newest, "finalizers", std::move(list));
}

}  // namespace orrery::control
