#include <algorithm>
#include <utility>

#include "engine/api/json_value.h"
#include "engine/api/template_hash.h"
#include "engine/control/common/claim.h"
#include "engine/control/common/controller_revisions.h"
#include "engine/control/common/pdq_sort.h"
#include "engine/control/daemonset/daemonset_sync.h"
#include "engine/runtime/api_requests.h"

namespace orrery::control {
namespace {

const Str& hash_of(const api::Object& object) {
  static const Str kNone;
  const Str* hash = object.meta().labels.find(kRevisionHashLabel);
  return hash ? *hash : kNone;
}

std::string relabel_patch(const Str& hash) {
  api::Json labels = api::Json::object();
  labels.set(kRevisionHashLabel, hash);
  api::Json metadata = api::Json::object();
  metadata.set("labels", std::move(labels));
  api::Json patch = api::Json::object();
  patch.set("metadata", std::move(metadata));
  return patch.dump();
}

}  // namespace

Status DaemonSetSync::claim_revisions(std::vector<api::Object>& revisions) {
  ORRERY_TRY(claim_objects(in_.ds, selector_, in_.revisions, log_, revisions));
  for (api::Object& revision : revisions) {
    if (revision.meta().labels.contains(kRevisionHashLabel)) continue;
    // Of an earlier age: its name will do.
    api::Object labelled = revision;
    labelled.mut_meta().labels.set(kRevisionHashLabel, revision.meta().name);
    const ApiResponse& written = log_.call([&] { return update_request(labelled); });
    if (!written.status) return written.status;
    revision = written.object;
  }
  return Status();
}

Status DaemonSetSync::construct_history() {
  std::vector<api::Object> revisions, current;
  ORRERY_TRY(claim_revisions(revisions));
  const Str patch = template_patch(*ds().spec->template_);
  for (api::Object& revision : revisions)
    (revision_data(revision) == patch ? current : old_).push_back(std::move(revision));
  const int64_t number = max_revision_number(old_) + 1;
  if (current.empty()) {
    ORRERY_ASSIGN(const api::Object made, snapshot(number));
    hash_ = hash_of(made);
    return Status();
  }
  ORRERY_ASSIGN(api::Object kept, merge_duplicates(current));
  hash_ = hash_of(kept);
  if (revision_number(kept) >= number) return Status();
  kept.mut<appsv1::ControllerRevision>().revision = number;
  return log_.call([&] { return update_request(kept); }).status;
}

Result<api::Object> DaemonSetSync::snapshot(int64_t revision) {
  const auto& pod_template = *ds().spec->template_;
  const Str hash = api::template_hash(pod_template, ds().status->collision_count);
  Map<Str> labels = pod_template.metadata->labels;
  labels.set(kRevisionHashLabel, hash);
  const api::Object made =
      api::Object::of(make_revision(in_.ds, str_cat(ds().metadata->name, '-', hash),
                                    std::move(labels), template_patch(pod_template), revision));
  const ApiResponse& written = log_.call([&] { return create_request(made); });
  if (written.status) return written.object;
  if (written.status.code() != Code::kAlreadyExists) return written.status;
  return resolve_collision(made, written.status);
}

/// The name is taken: by our own revision that the cache has not seen yet, or by another template
/// of the same hash; then the next sync tries with another hash.
Result<api::Object> DaemonSetSync::resolve_collision(const api::Object& made,
                                                     const Status& refused) {
  const auto& meta = made.meta();
  const ApiResponse& present =
      log_.call([&] { return get_request(*made.kind(), meta.namespace_, meta.name); });
  if (!present.status) return present.status;
  if (revision_data(present.object) == revision_data(made)) return present.object;
  const auto& own = in_.ds.meta();
  const ApiResponse& fresh =
      log_.call([&] { return get_request(*in_.ds.kind(), own.namespace_, own.name); });
  if (!fresh.status) return fresh.status;
  const auto& count = fresh.object.get<appsv1::DaemonSet>().status->collision_count;
  if (!(count == ds().status->collision_count))
    return internal_error(str_cat("found a stale collision count (",
                                  ds().status->collision_count.value_or(0), ", expected ",
                                  count.value_or(0), ") of DaemonSet \"", own.name,
                                  "\" while processing; will retry until it is updated"));
  const Status counted = log_.call([&] {
                               api::Object object = fresh.object;
                               object.mut<appsv1::DaemonSet>().status.mut().collision_count =
                                   count.value_or(0) + 1;
                               return update_request(std::move(object), "status");
                             })
                             .status;
  return counted ? refused : counted;
}

/// The newest stays; pods of the others become its own.
Result<api::Object> DaemonSetSync::merge_duplicates(const std::vector<api::Object>& current) {
  if (current.size() == 1) return current[0];
  const api::Object* kept = &current[0];
  for (const api::Object& revision : current)
    if (revision_number(revision) >= revision_number(*kept)) kept = &revision;
  std::vector<api::Object> pods;
  ORRERY_TRY(claim_pods(pods));
  const Str& hash = hash_of(*kept);
  for (const api::Object& pod : pods) {
    if (hash_of(pod) == hash) continue;
    const auto& meta = pod.meta();
    ORRERY_TRY(log_.call([&] {
                     return patch_request(*pod.kind(), meta.namespace_, meta.name,
                                          PatchKind::kMerge, relabel_patch(hash));
                   })
                   .status);
  }
  for (const api::Object& revision : current) {
    const auto& meta = revision.meta();
    if (meta.name == kept->meta().name) continue;
    ORRERY_TRY(
        log_.call([&] { return delete_request(*revision.kind(), meta.namespace_, meta.name); })
            .status);
  }
  return *kept;
}

/// Former revisions of which no pod is left go, oldest first, down to the limit.
Status DaemonSetSync::clean_up_history() {
  ORRERY_TRY(place_pods());
  int64_t surplus =
      static_cast<int64_t>(old_.size()) - ds().spec->revision_history_limit.value_or(0);
  if (surplus <= 0) return Status();
  std::vector<Str> live;
  for (const auto& [node, on_node] : pods_)
    for (const api::Object& pod : on_node) live.push_back(hash_of(pod));
  pdq_sort(std::span<api::Object>(old_), [](const api::Object& a, const api::Object& b) {
    return revision_number(a) < revision_number(b);
  });
  for (const api::Object& revision : old_) {
    if (surplus <= 0) break;
    const Str& hash = hash_of(revision);
    if (!hash.empty() && std::find(live.begin(), live.end(), hash) != live.end()) continue;
    const auto& meta = revision.meta();
    ORRERY_TRY(
        log_.call([&] { return delete_request(*revision.kind(), meta.namespace_, meta.name); })
            .status);
    --surplus;
  }
  return Status();
}

}  // namespace orrery::control
