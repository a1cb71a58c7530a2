#include "engine/control/common/controller_revisions.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "engine/api/codec_json.h"
#include "engine/control/common/claim.h"

namespace orrery::control {
namespace {

/// The reference decodes into maps, where all numbers are doubles: large ones are rounded.
void round_numbers(api::Json& json) {
  constexpr int64_t kExactMax = int64_t{1} << 53;
  if (json.is_int() && (json.as_int() > kExactMax || json.as_int() < -kExactMax))
    json = api::Json(static_cast<double>(json.as_int()));
  for (api::Json& item : json.items()) round_numbers(item);
  for (auto& member : json.members()) round_numbers(member.value);
}

}  // namespace

std::string template_patch(const corev1::PodTemplateSpec& pod_template) {
  api::Json content = api::to_json(corev1::PodTemplateSpec::descriptor(), &pod_template);
  content.set("$patch", "replace");
  round_numbers(content);
  api::Json spec = api::Json::object();
  spec.set("template", std::move(content));
  api::Json patch = api::Json::object();
  patch.set("spec", std::move(spec));
  return patch.dump_sorted();
}

appsv1::ControllerRevision make_revision(const api::Object& owner, Str name, Map<Str> labels,
                                         Str data, int64_t revision) {
  appsv1::ControllerRevision made;
  auto& meta = made.metadata.mut();
  meta.name = std::move(name);
  meta.namespace_ = owner.meta().namespace_;
  meta.labels = std::move(labels);
  meta.annotations = owner.meta().annotations;
  meta.owner_references.push_back(controller_reference(owner));
  made.data.text = std::move(data);
  made.revision = revision;
  return made;
}

int64_t revision_number(const api::Object& revision) {
  return revision.get<appsv1::ControllerRevision>().revision;
}

const Str& revision_data(const api::Object& revision) {
  return revision.get<appsv1::ControllerRevision>().data.text;
}

int64_t max_revision_number(std::span<const api::Object> revisions) {
  int64_t max = 0;
  for (const api::Object& revision : revisions) max = std::max(max, revision_number(revision));
  return max;
}

void sort_revisions(std::vector<api::Object>& revisions) {
  const auto order = [](const api::Object& revision) {
    const auto& meta = revision.meta();
    return std::tuple(revision_number(revision), meta.creation_timestamp, meta.name);
  };
  std::sort(revisions.begin(), revisions.end(),
            [&](const api::Object& a, const api::Object& b) { return order(a) < order(b); });
}

}  // namespace orrery::control
