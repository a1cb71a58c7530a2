#include "engine/server/print/custom_table.h"

#include "engine/api/go_format.h"
#include "engine/server/print/table_writer.h"

namespace orrery::server {
namespace {

using api::Json;

// What the API documents metadata.name with.
constexpr std::string_view kNameDescription =
    "Name must be unique within a namespace. Is required when creating resources, although some resources may allow a "
    "client to request the generation of an appropriate name automatically. Name is primarily intended for creation "
    "idempotence and configuration definition. Cannot be updated. More info: "
    "https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names";

std::string text_at(const Json& object, std::string_view member) {
  const Json& value = object[member];
  return value.is_string() ? value.as_string().str() : "";
}

Json date_cell(const Json& value, const Row& row) {
  const auto time = api::parse_time(value.as_string());
  return Json(time.is_ok() ? row.age(*time) : "<invalid>");
}

// Null where the value does not have the column's type.
Json cell_of(std::string_view type, const Json& value, const Row& row) {
  if (type == "string") {
    const bool plain = !value.is_object() && !value.is_array();
    return Json(plain ? api::go_text(value) : value.dump_sorted());
  }
  if (type == "integer" && value.is_number())
    return value.is_int() ? value : Json(static_cast<int64_t>(value.as_double()));
  if (type == "number" && value.is_number()) return Json(value.as_double());
  if (type == "boolean" && value.is_bool()) return value;
  if (type == "date" && value.is_string()) return date_cell(value, row);
  return Json();
}

}  // namespace

Result<CustomTable> CustomTable::make(const Json& additional_printer_columns) {
  Json specs = additional_printer_columns;
  if (specs.size() == 0) {
    Json& age = specs.push_back(Json::object());
    age.set("name", "Age");
    age.set("type", "date");
    age.set("jsonPath", ".metadata.creationTimestamp");
  }
  CustomTable table;
  table.columns_.push_back({"Name", "string", "name", std::string(kNameDescription), 0});
  for (const Json& spec : specs.items()) {
    const std::string path = text_at(spec, "jsonPath");
    auto parsed = JsonPath::parse(path);
    if (!parsed.is_ok()) return bad_request(str_cat("unrecognized column definition \"", path, "\""));
    table.paths_.push_back(*std::move(parsed));
    std::string description = text_at(spec, "description");
    if (description.empty()) description = "Custom resource definition column (in JSONPath format): " + path;
    table.columns_.push_back({text_at(spec, "name"), text_at(spec, "type"), text_at(spec, "format"), std::move(description),
                              static_cast<int32_t>(spec["priority"].as_int())});
  }
  return table;
}

Row CustomTable::row(const Json& object, Time now) const {
  Row row(now);
  row.add(text_at(object["metadata"], "name"));
  for (size_t i = 0; i < paths_.size(); ++i) {
    const auto found = paths_[i].find(object);
    row.add(found.empty() ? Json() : cell_of(columns_[i + 1].type, *found[0], row));
  }
  return row;
}

std::string CustomTable::table(const std::vector<const Json*>& objects, const TableOptions& options) const {
  TableWriter writer(options);
  if (options.columns) writer.columns(columns_);
  for (const Json* object : objects)
    writer.row(row(*object, options.now), [&] { return (*object)["metadata"].dump(); }, [&] { return object->dump(); });
  return writer.finish();
}

}  // namespace orrery::server
