// Tables against controllers/19-printing and 23-printing-text.
#include "engine/api/codec_json.h"
#include "engine/server/print/table.h"
#include "engine/server/print/text_table.h"
#include "tests/support/vectors.h"

namespace orrery::test {
namespace {

using api::Json;

// 2025-03-03T10:00:00Z, when all the recordings were made.
constexpr Time kNow = Time::from_unix_seconds(1'740'996'000);

Json cells_of(const server::Row& row) {
  Json out = Json::array();
  for (const Json& cell : row.cells) out.push_back(cell);
  return out;
}

std::string check_conditions(const Json& expect, const server::Row& row) {
  const Json* conditions = expect.find("conditions");
  const std::string expected = conditions ? conditions->items()[0]["reason"].as_string().str() : "";
  return expect_equal("condition", expected, std::string(row.completed_reason));
}

std::string check_row(const Json& object, const Json& expect, const Json& columns) {
  auto decoded = api::object_from_json(object);
  if (!decoded.is_ok()) return decoded.status().message();
  const server::Row row = server::printed_row(*decoded, kNow);
  std::string problem = expect_equal("columns", expect["columns"], columns);
  if (problem.empty()) problem = expect_equal("cells", expect["cells"], cells_of(row));
  if (problem.empty()) problem = check_conditions(expect, row);
  if (problem.empty() && row.cells.size() != columns.size()) problem = "a cell for each column";
  return problem;
}

const api::KindDesc& kind_of(const Json& object) {
  const auto* kind = api::find_kind(object["apiVersion"].as_string(), object["kind"].as_string());
  CHECK(kind != nullptr) << object.dump();
  return *kind;
}

std::string table_case(const Json& one) {
  Json object = one["input"]["object"];
  object.set("apiVersion", one["input"]["apiVersion"]);
  object.set("kind", one["input"]["kind"]);
  Json columns = Json::array();
  for (const auto& column : server::printed_columns(kind_of(object)))
    columns.push_back(str_cat(column.name, "/", column.priority));
  return check_row(object, one["expect"], columns);
}

std::string more_kinds_case(const Json& one) {
  const Json& object = one["input"]["object"];
  Json columns = Json::array();
  for (const auto& column : server::printed_columns(kind_of(object))) columns.push_back(column.name);
  return check_row(object, one["expect"], columns);
}

std::string columns_case(const Json& one) {
  Json columns = Json::array();
  for (const auto& column : server::printed_columns(kind_of(one["input"]))) {
    Json& out = columns.push_back(Json::object());
    out.set("name", column.name);
    out.set("type", column.type);
    out.set("format", column.format);
    out.set("priority", int64_t{column.priority});
  }
  return expect_equal("columns", one["expect"]["columns"], columns);
}

std::string duration_case(const Json& one) {
  const Duration d = Duration::seconds(one["input"]["seconds"].as_int());
  const std::string problem = expect_equal("human", one["expect"]["human"].as_string().str(), server::human_duration(d));
  if (!problem.empty()) return problem;
  return expect_equal("shortHuman", one["expect"]["shortHuman"].as_string().str(), server::short_human_duration(d));
}

std::string text_case(const Json& one) {
  const Json& input = one["input"];
  std::vector<server::Column> columns;
  for (const Json& c : input["columns"].items())
    columns.push_back({c["name"].as_string().str(), c["type"].as_string().str(), c["format"].as_string().str(), "",
                       static_cast<int32_t>(c["priority"].as_int())});
  std::vector<server::TextRow> rows;
  for (const Json& r : input["rows"].items()) {
    server::TextRow& row = rows.emplace_back();
    row.cells = r["cells"].items();
    row.ns = r["metadata"]["namespace"].as_string();
    for (const auto& label : r["metadata"]["labels"].members()) row.labels.set(label.key, label.value.as_string());
  }
  const Json& o = input["options"];
  server::TextOptions options;
  options.wide = o["wide"].as_bool();
  options.no_headers = o["noHeaders"].as_bool();
  options.with_namespace = o["withNamespace"].as_bool();
  options.show_labels = o["showLabels"].as_bool();
  options.kind = o["withKind"].as_string().str();
  for (const Json& label : o["columnLabels"].items()) options.label_columns.push_back(label.as_string().str());
  return expect_equal("text", one["expect"]["text"].as_string().str(), server::table_text(columns, rows, options));
}

std::function<int()> family(const std::string& name, const std::string& file, std::string (*check)(const Json&)) {
  return [=] { return run_family(name, read_vectors("controllers/" + file + ".jsonl.gz"), check); };
}

}  // namespace
}  // namespace orrery::test

int main(int argc, char** argv) {
  using namespace orrery::test;
  return run_program(argc, argv, {{"tables", family("tables", "19-printing/tables", table_case)},
                                  {"durations", family("durations", "19-printing/durations", duration_case)},
                                  {"more-kinds", family("more-kinds", "23-printing-text/table", more_kinds_case)},
                                  {"text", family("text", "23-printing-text/text", text_case)},
                                  {"columns", family("columns", "23-printing-text/columns", columns_case)}});
}
