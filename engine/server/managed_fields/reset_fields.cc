#include "engine/server/managed_fields/reset_fields.h"

#include <algorithm>
#include <vector>

namespace orrery::server::managed {
namespace {

struct Row {
  std::string_view group, kind, subresource, reset;
};

// What differs from the rule: writes to the object reset status, writes to status reset spec.
constexpr Row kRows[] = {
    {"", "Pod", "status", "spec metadata.deletionTimestamp metadata.ownerReferences"},
    {"apps", "Deployment", "status", "spec metadata.labels"},
    {"", "Namespace", "finalize", "status"},
    {"admissionregistration.k8s.io", "ValidatingAdmissionPolicy", "status", "metadata spec"},
    {"apiextensions.k8s.io", "CustomResourceDefinition", "status", "metadata spec"},
    {"apiregistration.k8s.io", "APIService", "status", "metadata spec"},
    {"certificates.k8s.io", "CertificateSigningRequest", "", "spec status"},
    {"certificates.k8s.io", "CertificateSigningRequest", "status", "spec status.conditions"},
    {"certificates.k8s.io", "CertificateSigningRequest", "approval", "spec status.certificate"},
    {"flowcontrol.apiserver.k8s.io", "FlowSchema", "status", "metadata spec"},
    {"flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration", "status", "metadata spec"},
    {"storage.k8s.io", "VolumeAttachment", "status", "metadata spec"},
};

bool has_word(std::string_view words, std::string_view word) {
  for (size_t at = words.find(word); at != words.npos; at = words.find(word, at + 1)) {
    const size_t end = at + word.size();
    if ((at == 0 || words[at - 1] == ' ') && (end == words.size() || words[end] == ' ')) return true;
  }
  return false;
}

std::string_view usual(bool has_status, std::string_view subresource) {
  if (subresource.empty()) return has_status ? "status" : "";
  return subresource == "status" ? "spec" : "";
}

// Calls fn(path) for each path of a list; a path is a list of steps.
template <typename Fn>
void each_path(std::string_view paths, Fn fn) {
  while (!paths.empty()) {
    const size_t end = std::min(paths.find(' '), paths.size());
    std::vector<PathElement> steps;
    for (std::string_view path = paths.substr(0, end); !path.empty();) {
      const size_t dot = std::min(path.find('.'), path.size());
      steps.push_back({PathElement::Kind::kField, path.substr(0, dot)});
      path.remove_prefix(std::min(dot + 1, path.size()));
    }
    fn(std::span<const PathElement>(steps));
    paths.remove_prefix(std::min(end + 1, paths.size()));
  }
}

// What `set` has on the way along `path` and below its end.
const FieldSet* keep(const FieldSet* set, std::span<const PathElement> path, FieldSetPool& pool) {
  if (path.empty() || !set) return set;
  std::vector<FieldSetEntry> out;
  for (FieldSetEntry entry : set->entries()) {
    if (path[0].text != "*" && entry.element != path[0]) continue;
    entry.below = keep(entry.below, path.subspan(1), pool);
    if (entry.member || entry.below) out.push_back(entry);
  }
  return pool.make(out);
}

}  // namespace

ResetFields::ResetFields(const api::KindDesc& kind, std::string_view subresource)
    : reset_(usual(has_word(kind.subresources, "status"), subresource)) {
  for (const Row& row : kRows)
    if (row.group == kind.group && row.kind == kind.kind && row.subresource == subresource) reset_ = row.reset;
  if (kind.group.empty() && kind.kind == "Pod" && subresource == "resize")
    only_ = "spec.containers.*.resources spec.containers.*.resizePolicy";
}

ResetFields::ResetFields(bool has_status, std::string_view subresource, Str api_version)
    : reset_(usual(has_status, subresource)), api_version_(std::move(api_version)) {}

const FieldSet* ResetFields::filter(const FieldSet* set, FieldSetPool& pool) const {
  if (!set) return nullptr;
  if (!only_.empty()) {
    const FieldSet* kept = nullptr;
    each_path(only_, [&](auto path) { kept = pool.unite(kept, keep(set, path, pool)); });
    return kept;
  }
  each_path(reset_, [&](auto path) { set = pool.subtract_below(set, pool.path(path)); });
  return set;
}

}  // namespace orrery::server::managed
