// Tables against controllers/19-printing and 23-printing-text.
#include "engine/api/codec_json.h"
#include "engine/server/print/table.h"
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
                                  {"columns", family("columns", "23-printing-text/columns", columns_case)}});
}
