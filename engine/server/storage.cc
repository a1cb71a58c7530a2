#include "engine/server/storage.h"

#include "engine/api/codec_json.h"
#include "engine/api/custom_object.h"
#include "engine/api/gen/appsv1.h"
#include "engine/api/storage.h"
#include "engine/server/autoscaler_conversion.h"
#include "engine/server/custom/custom_kinds.h"

namespace orrery::server {
namespace {

struct Stored {
  std::string_view group, plural, stored_group, stored_version, stored_kind;
};
constexpr Stored kStoredElsewhere[] = {
    {"autoscaling", "horizontalpodautoscalers", "autoscaling", "autoscaling/v2", "HorizontalPodAutoscaler"},
    {"events.k8s.io", "events", "", "v1", "Event"},
};

// Fields of core/v1 Event and their names in events.k8s.io/v1.
constexpr std::pair<std::string_view, std::string_view> kEventNames[] = {
    {"involvedObject", "regarding"},
    {"message", "note"},
    {"reportingComponent", "reportingController"},
    {"source", "deprecatedSource"},
    {"firstTimestamp", "deprecatedFirstTimestamp"},
    {"lastTimestamp", "deprecatedLastTimestamp"},
    {"count", "deprecatedCount"},
};

api::Json convert_event(const api::Json& event, bool to_core) {
  api::Json out = api::Json::object();
  for (const api::Json::Member& member : event.members()) {
    std::string_view name = member.key;
    for (const auto& [core, events] : kEventNames)
      if (name == (to_core ? events : core)) {
        name = to_core ? core : events;
        break;
      }
    out.set(name, member.value);
  }
  return out;
}

}  // namespace

api::Object convert(const api::Object& object, const api::KindDesc& to) {
  if (object.kind() == &to) return object;
  if (api::is_custom(to)) return api::retyped(object, *to.type);
  api::Json json = api::to_json(object);
  json.erase("apiVersion");
  json.erase("kind");
  if (to.kind == "Event") {
    json = convert_event(json, to.group.empty());
  } else {
    CHECK(to.kind == "HorizontalPodAutoscaler") << "no conversion to " << to.api_version << " " << to.kind;
    json = to.version == "v2" ? autoscaler_to_v2(std::move(json)) : autoscaler_to_v1(std::move(json));
  }
  api::Object out = api::Object::make(*to.type);
  const Status status = api::from_json(json, *to.type, out.mut_data());
  CHECK(status.is_ok()) << status.message();
  out.mut_meta().managed_fields = object.meta().managed_fields;  // JSON does not tell an empty list from none
  return out;
}

const api::KindDesc& storage_kind(const api::KindDesc& kind) {
  if (api::is_custom(kind)) return *custom_version(kind).resource->storage;
  if (!kind.storage_prefix.empty() || kind.plural.empty()) return kind;
  for (const Stored& row : kStoredElsewhere)
    if (row.group == kind.group && row.plural == kind.plural) return *api::find_kind(row.stored_version, row.stored_kind);
  return kind;
}

namespace {

// Protobuf leaves out what kind they are.
// Source: Kubernetes v1.32 pkg/apis/apps/v1/conversion.go, Convert_apps_StatefulSetSpec_To_v1_StatefulSetSpec.
void name_claim_templates(appsv1::StatefulSet& set) {
  for (size_t i = 0; i < set.spec->volume_claim_templates.size(); ++i) {
    metav1::TypeMeta& type = set.spec.mut().volume_claim_templates.mut(i);
    type.kind = "PersistentVolumeClaim";
    type.api_version = "v1";
  }
}

// Services of other names have no traffic of their own; their addresses agree.
// Source: Kubernetes v1.32 pkg/registry/core/service/storage/storage.go, defaultOnRead.
void default_on_read(api::Object& object) {
  const corev1::ServiceSpec& spec = *object.get<corev1::Service>().spec;
  if (spec.internal_traffic_policy) object.mut<corev1::Service>().spec.mut().internal_traffic_policy.reset();
  if (!spec.cluster_ip.empty() && spec.cluster_ips.empty())
    object.mut<corev1::Service>().spec.mut().cluster_ips = {spec.cluster_ip};
}

}  // namespace

void make_as_stored(api::Object& object) {
  const void* before = object.data();
  api::drop_empty_lists(object);
  if (const auto* service = object.as<corev1::Service>(); service && service->spec->type == "ExternalName")
    default_on_read(object);
  if (object.data() != before && object.type() == &appsv1::StatefulSet::descriptor()) name_claim_templates(object.mut<appsv1::StatefulSet>());
}

api::Object as_read(const api::Object& stored, const api::KindDesc& kind) {
  if (!api::is_custom(kind)) return stored;
  api::Object object = api::retyped(stored, *kind.type);
  std::vector<std::string> unknown;
  normalize_custom(object, unknown);
  *static_cast<metav1::TypeMeta*>(object.mut_data()) = {};
  return object;
}

api::Object object_of(const KeyValue& kv, const api::KindDesc& kind) {
  if (kv.value.object) return as_read(kv.value.object, kind);
  if (kv.value.bytes.empty()) return {};
  if (api::is_custom(kind)) {
    api::Object object = api::Object::make(*kind.type);
    if (!api::decode_json_into(kv.value.bytes, *kind.type, object.mut_data()).is_ok()) return {};
    return as_read(object, kind);
  }
  auto decoded = api::decode_storage(kv.value.bytes);
  if (!decoded.is_ok()) return {};
  auto* type_meta = static_cast<metav1::TypeMeta*>(decoded->mut_data());
  *type_meta = {};
  if (decoded->is<appsv1::StatefulSet>()) name_claim_templates(decoded->mut<appsv1::StatefulSet>());
  return std::move(*decoded);
}

}  // namespace orrery::server
