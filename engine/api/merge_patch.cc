// JSON merge patches (RFC 7386): applying and making them as Kubernetes v1.32 does (jsonpatch v4,
// apimachinery/pkg/util/jsonmergepatch).
#include "engine/api/patch.h"

namespace orrery::api {
namespace {

Json without_nulls(const Json& value) {
  if (value.is_array()) {
    // Elements that are null stay.
    Json out = Json::array();
    for (const Json& item : value.items()) out.push_back(without_nulls(item));
    return out;
  }
  if (!value.is_object()) return value;
  Json out = Json::object();
  for (const auto& member : value.members())
    if (!member.value.is_null()) out.set(member.key, without_nulls(member.value));
  return out;
}

Json merged(const Json& document, const Json& patch) {
  Json out = document;
  for (const auto& member : patch.members()) {
    if (member.value.is_null()) {
      out.erase(member.key);
      continue;
    }
    const Json* old = out.find(member.key);
    const bool into_object = old && old->is_object();
    if (into_object && member.value.is_object()) out.set(member.key, merged(*old, member.value));
    else out.set(member.key, into_object ? member.value : without_nulls(member.value));
  }
  return out;
}

Json difference(const Json& original, const Json& modified) {
  Json out = Json::object();
  for (const auto& [key, after] : modified.members()) {
    const Json* before = original.find(key);
    if (before && before->is_object() && after.is_object()) {
      Json inner = difference(*before, after);
      if (inner.size() > 0) out.set(key, std::move(inner));
    } else if (!before || !(*before == after)) {
      out.set(key, after);
    }
  }
  for (const auto& member : original.members())
    if (!modified.find(member.key)) out.set(member.key, Json());
  return out;
}

// Of a patch only the deletions, or all but them.
Json only(const Json& patch, bool deletions) {
  Json out = Json::object();
  for (const auto& [key, value] : patch.members()) {
    if (value.is_null()) {
      if (deletions) out.set(key, Json());
    } else if (value.is_object() && value.size() > 0) {
      Json inner = only(value, deletions);
      if (inner.size() > 0) out.set(key, std::move(inner));
    } else if (!deletions) {
      out.set(key, value);
    }
  }
  return out;
}

}  // namespace

Result<Json> apply_merge_patch(const Json& document, const Json& patch) {
  if (document.is_null()) return bad_request("Invalid JSON Document");
  if (patch.is_array()) return without_nulls(patch);
  if (!patch.is_object()) return bad_request("Invalid JSON Patch");
  return document.is_object() ? merged(document, patch) : without_nulls(patch);
}

Json make_merge_patch(const Json& original, const Json& modified) { return difference(original, modified); }

Result<Json> make_three_way_merge_patch(const Json& original, const Json& modified, const Json& current) {
  const Json changes = only(difference(current, modified), false);
  Json patch = merged(only(difference(original, modified), true), changes);
  if (patch["metadata"].find("name")) return Status(Code::kConflict, "precondition failed: metadata.name must not change");
  return patch;
}

}  // namespace orrery::api
