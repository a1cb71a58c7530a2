#include "engine/server/print/table.h"

#include <algorithm>
#include <map>

#include "engine/api/codec_json.h"
#include "engine/api/gen/appsv1.h"
#include "engine/api/gen/autoscalingv1.h"
#include "engine/api/gen/flowcontrolv1.h"
#include "engine/api/names.h"
#include "engine/server/print/column_table.h"
#include "engine/server/print/table_writer.h"

namespace orrery::server {
namespace {

using api::Json;
using api::KindDesc;

struct KindColumns {
  std::vector<Column> columns;
  bool served = true;
};

const std::map<const KindDesc*, KindColumns>& known_columns() {
  static const auto kColumns = [] {
    std::map<const KindDesc*, KindColumns> all;
    for (const std::string_view line : column_table()) {
      const auto row = Json::parse(line);
      CHECK(row.is_ok()) << "columns.jsonl: " << row.status().message();
      const KindDesc* kind = api::find_kind((*row)["apiVersion"].as_string(), (*row)["kind"].as_string());
      CHECK(kind != nullptr) << "columns.jsonl: no kind in " << line;
      KindColumns& known = all[kind];
      known.served = !row->find("served");
      for (const Json& c : (*row)["columns"].items())
        known.columns.push_back({c[size_t{0}].as_string().str(), c[size_t{1}].as_string().str(),
                                 c[size_t{2}].as_string().str(), "", static_cast<int32_t>(c[size_t{3}].as_int())});
    }
    return all;
  }();
  return kColumns;
}

std::span<const Column> default_columns() {
  static const std::vector<Column> kDefault = {{"Name", "string", "name", "", 0}, {"Created At", "date", "", "", 0}};
  return kDefault;
}

const KindColumns* find_columns(const KindDesc& kind) {
  const auto it = known_columns().find(&kind);
  return it == known_columns().end() ? nullptr : &it->second;
}

void print_default(const api::Object& object, Row& row) {
  const metav1::ObjectMeta& meta = object.meta();
  row.add(meta.name, meta.creation_timestamp ? api::format_time(meta.creation_timestamp) : "<unknown>");
}

Row row_with(PrintFunction print, const api::Object& object, Time now) {
  Row row(now);
  (print ? print : print_default)(object, row);
  return row;
}

}  // namespace

// Source: Kubernetes v1.32 pkg/apis/apps/v1/conversion.go, pkg/apis/autoscaling/v1/conversion.go.
metav1::ObjectMeta internal_metadata(const api::Object& object) {
  metav1::ObjectMeta meta = object.meta();
  if (object.type() == &appsv1::DaemonSet::descriptor()) meta.annotations.erase("deprecated.daemonset.template.generation");
  if (object.type() == &autoscalingv1::HorizontalPodAutoscaler::descriptor())
    for (const char* name : {"metrics", "current-metrics", "conditions", "behavior"})
      meta.annotations.erase(str_cat("autoscaling.alpha.kubernetes.io/", name));
  return meta;
}

std::span<const Column> printed_columns(const KindDesc& kind) {
  const KindColumns* known = find_columns(kind);
  return known ? std::span<const Column>(known->columns) : default_columns();
}

std::span<const Column> table_columns(const KindDesc& kind) {
  const KindColumns* known = find_columns(kind);
  return known && known->served ? std::span<const Column>(known->columns) : default_columns();
}

Row printed_row(const api::Object& object, Time now) { return row_with(find_printer(*object.type()), object, now); }

Row table_row(const api::Object& object, Time now) {
  const KindColumns* known = object.kind() ? find_columns(*object.kind()) : nullptr;
  return row_with(known && known->served ? find_printer(*object.type()) : nullptr, object, now);
}

Result<IncludeObject> parse_include_object(std::string_view text) {
  if (text.empty() || text == "Metadata") return IncludeObject::kMetadata;
  if (text == "None") return IncludeObject::kNone;
  if (text == "Object") return IncludeObject::kObject;
  return bad_request(str_cat("Unable to convert to Table as requested: includeObject: Invalid value: ", api::quoted(text),
                             ": must be 'Metadata', 'Object', 'None', or empty"));
}

std::string table_json(const KindDesc& kind, std::span<const api::Object> objects, const TableOptions& options) {
  TableWriter writer(options);
  const bool other = !objects.empty() && objects[0].kind() != nullptr;
  if (options.columns) writer.columns(table_columns(other ? *objects[0].kind() : kind));
  std::vector<const api::Object*> order;
  for (const api::Object& object : objects) order.push_back(&object);
  if (kind.type == &flowcontrolv1::FlowSchema::descriptor()) {
    std::stable_sort(order.begin(), order.end(), [](const api::Object* a, const api::Object* b) {
      const auto &x = a->get<flowcontrolv1::FlowSchema>(), &y = b->get<flowcontrolv1::FlowSchema>();
      return std::pair(x.spec->matching_precedence, x.metadata->name.view()) <
             std::pair(y.spec->matching_precedence, y.metadata->name.view());
    });
  }
  for (const api::Object* object : order) {
    const Row row = table_row(*object, options.now);
    const auto metadata = [&] {
      const metav1::ObjectMeta meta = internal_metadata(*object);
      return api::encode_json(metav1::ObjectMeta::descriptor(), &meta);
    };
    const auto whole = [&] { return typed_json(object->kind() ? *object->kind() : kind, *object); };
    writer.row(row, metadata, whole);
  }
  // Source: Kubernetes v1.32 apiserver/pkg/registry/rest/table.go, whose tables of nothing have no list.
  const KindColumns* known = find_columns(kind);
  return writer.finish(!known || !known->served);
}

}  // namespace orrery::server
