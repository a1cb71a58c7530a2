#include "engine/control/deployment/revisions.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>

#include "engine/api/semantic.h"
#include "engine/control/deployment/fenceposts.h"

namespace orrery::control {
namespace {

constexpr std::string_view kHistory = "deployment.kubernetes.io/revision-history";
constexpr std::string_view kDesired = "deployment.kubernetes.io/desired-replicas";
constexpr std::string_view kMax = "deployment.kubernetes.io/max-replicas";
constexpr size_t kHistoryCharsMax = 2000;
// What belongs to one object only and is not copied between a Deployment and its ReplicaSets.
constexpr std::array kOwnAnnotations = {
    std::string_view("kubectl.kubernetes.io/last-applied-configuration"),
    kRevision,
    kHistory,
    kDesired,
    kMax,
    kRollbackTo};

bool is_own(std::string_view key) {
  return std::find(kOwnAnnotations.begin(), kOwnAnnotations.end(), key) != kOwnAnnotations.end();
}

std::optional<int64_t> parse_int(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  int64_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || parsed.ec != std::errc() || parsed.ptr != text.data() + text.size())
    return std::nullopt;
  return number;
}

Opt<int32_t> replicas_annotation(const api::Object& object, std::string_view key) {
  const Str* text = object.meta().annotations.find(key);
  const auto number = text ? parse_int(*text) : std::nullopt;
  if (!number || *number < INT32_MIN || *number > INT32_MAX) return {};
  return static_cast<int32_t>(*number);
}

/// True if it had another value.
bool annotate(api::Object& object, std::string_view key, const Str& value) {
  const Str* present = object.meta().annotations.find(key);
  if (present && *present == value) return false;
  object.mut_meta().annotations.set(key, value);
  return true;
}

/// pod-template-hash does not count.
bool same_labels(const Map<Str>& a, const Map<Str>& b) {
  const auto* x = a.begin();
  const auto* y = b.begin();
  for (;; ++x, ++y) {
    if (x != a.end() && x->key == kTemplateHashLabel) ++x;
    if (y != b.end() && y->key == kTemplateHashLabel) ++y;
    if (x == a.end() || y == b.end()) return x == a.end() && y == b.end();
    if (!(*x == *y)) return false;
  }
}

/// Drops the oldest revisions when the list would get too long.
void remember_revision(api::Object& replica_set, const Str& old_revision) {
  const std::string history = replica_set.meta().annotations.get(kHistory).str();
  if (history.empty() || history[0] == ',') {
    annotate(replica_set, kHistory, old_revision);
    return;
  }
  std::string_view kept = history;
  while (kept.size() + 1 + old_revision.size() > kHistoryCharsMax) {
    const size_t comma = kept.find(',');
    if (comma == std::string_view::npos) {
      annotate(replica_set, kHistory, old_revision);
      return;
    }
    kept.remove_prefix(comma + 1);
  }
  annotate(replica_set, kHistory, str_cat(kept, ',', old_revision));
}

bool created_before(const api::Object& a, const api::Object& b) {
  const auto& x = a.meta();
  const auto& y = b.meta();
  if (x.creation_timestamp != y.creation_timestamp)
    return x.creation_timestamp < y.creation_timestamp;
  return x.name < y.name;
}

template <typename Less>
void sort_with(std::vector<api::Object>& replica_sets, Less less) {
  std::stable_sort(replica_sets.begin(), replica_sets.end(), less);
}

}  // namespace

Map<Str> without_template_hash(const Map<Str>& labels) {
  if (!labels.contains(kTemplateHashLabel)) return labels;
  Map<Str> copy = labels;
  copy.erase(kTemplateHashLabel);
  return copy;
}

bool same_template(const corev1::PodTemplateSpec& a, const corev1::PodTemplateSpec& b) {
  if (!same_labels(a.metadata->labels, b.metadata->labels) ||
      !api::semantic_equal(*a.spec, *b.spec))
    return false;
  if (a.metadata.same(b.metadata)) return true;
  metav1::ObjectMeta x = *a.metadata, y = *b.metadata;
  x.labels.reset();
  y.labels.reset();
  return api::semantic_equal(x, y);
}

Result<int64_t> revision(const api::Object& object) {
  const Str* text = object.meta().annotations.find(kRevision);
  if (!text) return int64_t{0};
  const auto number = parse_int(*text);
  if (!number) return invalid(str_cat("revision \"", *text, "\" is no number"));
  return *number;
}

int64_t max_revision(std::span<const api::Object> replica_sets) {
  int64_t max = 0;
  for (const api::Object& object : replica_sets)
    if (const auto r = revision(object)) max = std::max(max, *r);
  return max;
}

int64_t last_revision(std::span<const api::Object> replica_sets) {
  int64_t max = 0, second = 0;
  for (const api::Object& object : replica_sets) {
    const auto r = revision(object);
    if (!r) continue;
    if (*r >= max) {
      second = max;
      max = *r;
    } else {
      second = std::max(second, *r);
    }
  }
  return second;
}

bool set_deployment_revision(api::Object& deployment, const Str& revision) {
  if (deployment.meta().annotations.get(kRevision) == revision) return false;
  return annotate(deployment, kRevision, revision);
}

Opt<int32_t> desired_replicas_annotation(const api::Object& replica_set) {
  return replicas_annotation(replica_set, kDesired);
}

Opt<int32_t> max_replicas_annotation(const api::Object& replica_set) {
  return replicas_annotation(replica_set, kMax);
}

bool replicas_annotations_differ(const api::Object& replica_set, int32_t desired, int32_t max) {
  const auto& annotations = replica_set.meta().annotations;
  return annotations.is_nil() || annotations.get(kDesired) != Str(str_cat(desired)) ||
         annotations.get(kMax) != Str(str_cat(max));
}

bool set_replicas_annotations(api::Object& replica_set, int32_t desired, int32_t max) {
  const bool desired_changed = annotate(replica_set, kDesired, str_cat(desired));
  return annotate(replica_set, kMax, str_cat(max)) || desired_changed;
}

bool set_new_replica_set_annotations(const api::Object& deployment, api::Object& replica_set,
                                     int64_t new_revision, bool exists) {
  bool changed = false;
  for (const auto& entry : deployment.meta().annotations)
    if (!is_own(entry.key)) changed |= annotate(replica_set, entry.key, entry.value);
  const Str* present = replica_set.meta().annotations.find(kRevision);
  const bool had_revision = present != nullptr;
  const Str old_text = present ? *present : Str();
  const auto old_revision = old_text.empty() ? std::optional<int64_t>(0) : parse_int(old_text);
  if (!old_revision) return false;
  // Usually one more than all others have; smaller if some of them are gone, and then kept.
  if (*old_revision < new_revision) {
    annotate(replica_set, kRevision, str_cat(new_revision));
    changed = true;
    if (had_revision) remember_revision(replica_set, old_text);
  }
  if (!exists) {
    const auto& spec = *deployment.get<appsv1::Deployment>().spec;
    const int32_t replicas = spec.replicas.value_or(0);
    changed |= set_replicas_annotations(replica_set, replicas, replicas + max_surge(spec));
  }
  return changed;
}

void take_annotations_back(api::Object& deployment, const api::Object& replica_set) {
  Map<Str> annotations;
  for (const auto& entry : deployment.meta().annotations)
    if (is_own(entry.key)) annotations.set(entry.key, entry.value);
  for (const auto& entry : replica_set.meta().annotations)
    if (!is_own(entry.key)) annotations.set(entry.key, entry.value);
  deployment.mut_meta().annotations = annotations;
}

void sort_by_creation(std::vector<api::Object>& replica_sets) {
  sort_with(replica_sets, created_before);
}

void sort_newest_first(std::vector<api::Object>& replica_sets) {
  sort_with(replica_sets,
            [](const api::Object& a, const api::Object& b) { return created_before(b, a); });
}

void sort_largest_then_newest(std::vector<api::Object>& replica_sets) {
  sort_with(replica_sets, [](const api::Object& a, const api::Object& b) {
    if (replicas_of(a) != replicas_of(b)) return replicas_of(a) > replicas_of(b);
    return created_before(b, a);
  });
}

void sort_largest_then_oldest(std::vector<api::Object>& replica_sets) {
  sort_with(replica_sets, [](const api::Object& a, const api::Object& b) {
    if (replicas_of(a) != replicas_of(b)) return replicas_of(a) > replicas_of(b);
    return created_before(a, b);
  });
}

void sort_by_revision(std::vector<api::Object>& replica_sets) {
  sort_with(replica_sets, [](const api::Object& a, const api::Object& b) {
    const auto x = revision(a), y = revision(b);
    if (!x || !y || *x == *y) return created_before(a, b);
    return *x < *y;
  });
}

std::vector<api::Object> active_only(std::span<const api::Object> replica_sets) {
  std::vector<api::Object> active;
  for (const api::Object& object : replica_sets)
    if (object && replicas_of(object) > 0) active.push_back(object);
  return active;
}

}  // namespace orrery::control
