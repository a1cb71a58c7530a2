#include "engine/control/statefulset/set_revisions.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "engine/api/codec_json.h"
#include "engine/api/gen/appsv1.h"
#include "engine/api/patch.h"
#include "engine/api/template_hash.h"
#include "engine/control/common/claim.h"
#include "engine/control/common/controller_revisions.h"
#include "engine/runtime/api_requests.h"

namespace orrery::control {
namespace {

constexpr std::string_view kHashLabel = "controller.kubernetes.io/hash";
constexpr size_t kSetNameMax = 223;

void fnv1_32(std::string_view bytes, uint32_t& hash) {
  for (const char c : bytes) hash = (hash * 16777619u) ^ static_cast<unsigned char>(c);
}

Str revision_name(const Str& set, std::string_view hash) {
  return str_cat(set.view().substr(0, kSetNameMax), '-', hash);
}

/// Hash labels of old times are numbers; those of today are not.
std::optional<int32_t> numeric_hash(const api::Object& revision) {
  const Str* text = revision.meta().labels.find(kHashLabel);
  int32_t number = 0;
  if (!text || text->empty()) return std::nullopt;
  const char* end = text->data() + text->size();
  const auto parsed = std::from_chars(text->data(), end, number);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return number;
}

}  // namespace

std::string revision_hash(std::string_view data, Opt<int32_t> collisions) {
  uint32_t hash = 2166136261u;
  fnv1_32(data, hash);
  if (collisions) fnv1_32(str_cat(*collisions), hash);
  return api::safe_encode(str_cat(hash));
}

api::Object new_set_revision(const api::Object& set, int64_t number, Opt<int32_t> collisions) {
  const auto& pod_template = *set.get<appsv1::StatefulSet>().spec->template_;
  Str data = template_patch(pod_template);
  const std::string hash = revision_hash(data, collisions);
  Map<Str> labels = pod_template.metadata->labels;
  labels.set(Str(kHashLabel), hash);
  appsv1::ControllerRevision made = make_revision(set, revision_name(set.meta().name, hash),
                                                  std::move(labels), std::move(data), number);
  made.metadata.mut().namespace_ = Str();  // the request says it
  return api::Object::of(std::move(made));
}

Result<api::Object> apply_revision(const api::Object& set, const api::Object& revision) {
  const Str& data = revision_data(revision);
  if (data.empty()) return set;
  ORRERY_ASSIGN(const api::Json patch, api::Json::parse(data));
  ORRERY_ASSIGN(const api::Json restored,
                api::apply_strategic_patch(*set.type(), api::to_json(set), patch));
  api::Object object = api::Object::make(*set.type());
  ORRERY_TRY(api::from_json(restored, *set.type(), object.mut_data()));
  return object;
}

bool same_revision(const api::Object& a, const api::Object& b) {
  const auto x = numeric_hash(a), y = numeric_hash(b);
  if (x && y && *x != *y) return false;
  return revision_data(a) == revision_data(b);
}

Result<api::Object> create_revision(const api::Object& set, const api::Object& revision,
                                    int32_t& collisions, WriteLog& log) {
  api::Object named = revision;
  const Str ns = set.meta().namespace_;
  const Str& data = revision_data(revision);
  for (;;) {
    const Str name = revision_name(set.meta().name, revision_hash(data, collisions));
    named.mut_meta().name = name;
    const ApiResponse& made = log.call([&] {
      ApiRequest request = create_request(named);
      request.ns = ns;
      return request;
    });
    if (made.status) return made.object;
    if (made.status.code() != Code::kAlreadyExists) return made.status;
    const ApiResponse& present =
        log.call([&] { return get_request(kind_of<appsv1::ControllerRevision>(), ns, name); });
    if (!present.status) return present.status;
    if (revision_data(present.object) == data) return present.object;
    ++collisions;
  }
}

Result<api::Object> renumber_revision(const api::Object& revision, int64_t number, WriteLog& log) {
  if (revision_number(revision) == number) return revision;
  api::Object renumbered = revision;
  renumbered.mut<appsv1::ControllerRevision>().revision = number;
  const ApiResponse& written = log.call([&] { return update_request(renumbered); });
  if (!written.status) return written.status;
  return renumbered;
}

Status adopt_revisions(const api::Object& set, std::span<const api::Object> revisions,
                       WriteLog& log) {
  std::vector<api::Object> orphans;
  for (const api::Object& revision : revisions)
    if (!api::controller_of(revision.meta())) orphans.push_back(revision);
  if (orphans.empty()) return Status();
  if (const Status may = check_may_adopt(set, log); !may)
    return may.with_context("can't adopt ControllerRevisions");
  for (const api::Object& orphan : orphans) {
    const auto& meta = orphan.meta();
    const Status& adopted =
        log.call([&] {
             return patch_request(*orphan.kind(), meta.namespace_, meta.name, PatchKind::kStrategic,
                                  adoption_patch(set, meta.uid));
           })
            .status;
    if (!adopted) return adopted;
  }
  return Status();
}

Status drop_old_revisions(std::span<const api::Object> revisions, std::span<const Str> live,
                          int64_t limit, WriteLog& log) {
  std::vector<Str> dead;
  for (const api::Object& revision : revisions) {
    const Str& name = revision.meta().name;
    if (std::find(live.begin(), live.end(), name) == live.end()) dead.push_back(name);
  }
  for (size_t i = 0; static_cast<int64_t>(dead.size() - i) > limit; ++i) {
    const Str& ns = revisions.front().meta().namespace_;
    const Status& deleted =
        log.call([&] { return delete_request(kind_of<appsv1::ControllerRevision>(), ns, dead[i]); })
            .status;
    if (!deleted) return deleted;
  }
  return Status();
}

}  // namespace orrery::control
