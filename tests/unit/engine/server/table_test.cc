#include <gtest/gtest.h>

#include "engine/api/codec_json.h"
#include "engine/server/print/custom_table.h"
#include "engine/server/print/table.h"

namespace orrery::server {
namespace {

using api::Json;

constexpr Time kNow = Time::from_unix_seconds(1'740'996'000);

Json parse(std::string_view text) {
  auto json = Json::parse(text);
  EXPECT_TRUE(json.is_ok()) << text;
  return *json;
}

api::Object config_map(std::string_view name) {
  auto object = api::object_from_json(parse(
      R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":")" + std::string(name) +
      R"(","creationTimestamp":"2025-03-03T09:00:00Z"},"data":{"a":"b"}})"));
  EXPECT_TRUE(object.is_ok());
  return *object;
}

Json config_map_table(const TableOptions& options) {
  const api::Object objects[] = {config_map("x")};
  return parse(table_json(*objects[0].kind(), objects, options));
}

TEST(Table, RowsCarryWhatIsAskedFor) {
  TableOptions options;
  options.now = kNow;
  options.metadata = R"({"resourceVersion":"7"})";
  Json table = config_map_table(options);
  EXPECT_EQ(table["metadata"]["resourceVersion"], Json("7"));
  EXPECT_EQ(table["rows"].items()[0]["cells"], parse(R"(["x",1,"60m"])"));
  EXPECT_EQ(table["rows"].items()[0]["object"]["kind"], Json("PartialObjectMetadata"));
  options.include = IncludeObject::kNone;
  EXPECT_TRUE(config_map_table(options)["rows"].items()[0]["object"].is_null());
  options.include = IncludeObject::kObject;
  EXPECT_EQ(config_map_table(options)["rows"].items()[0]["object"]["data"], parse(R"({"a":"b"})"));
}

TEST(Table, LaterEventsOfAWatchHaveNoColumns) {
  TableOptions options;
  options.now = kNow;
  EXPECT_EQ(config_map_table(options)["columnDefinitions"].size(), 3u);
  options.columns = false;
  const Json table = config_map_table(options);
  EXPECT_TRUE(table.find("columnDefinitions") && table["columnDefinitions"].is_null());
  EXPECT_EQ(table["rows"].size(), 1u);
}

TEST(Table, AnEmptyListHasColumnsAndNoRows) {
  TableOptions options;
  const Json table = parse(table_json(*api::find_kind("v1", "Pod"), {}, options));
  EXPECT_EQ(table["columnDefinitions"].size(), 9u);
  EXPECT_EQ(table["rows"], Json::array());
  EXPECT_EQ(parse(table_json(*api::find_kind("v1", "LimitRange"), {}, options))["rows"], Json());
}

Json first(std::string_view path, const Json& value) {
  auto parsed = JsonPath::parse(path);
  EXPECT_TRUE(parsed.is_ok()) << path;
  const auto found = parsed->find(value);
  return found.empty() ? Json("nothing") : *found[0];
}

TEST(JsonPath, FindsMembersItemsAndFilteredItems) {
  const Json value = parse(R"({"a":{"b.c":1,"list":[{"t":"x","v":1},{"t":"y","v":2},{"t":"y","v":3}]}})");
  EXPECT_EQ(first(R"(.a.b\.c)", value), Json(1));
  EXPECT_EQ(first(R"(.a['b.c'])", value), Json(1));
  EXPECT_EQ(first(".a.list[1].v", value), Json(2));
  EXPECT_EQ(first(".a.list[-1].v", value), Json(3));
  EXPECT_EQ(first(".a.list[-2:].v", value), Json(2));
  EXPECT_EQ(first(".a.list[*].t", value), Json("x"));
  EXPECT_EQ(first(R"(.a.list[?(@.t=="y")].v)", value), Json(2));
  EXPECT_EQ(first(R"(.a.list[?(@.v > 2)].t)", value), Json("y"));
  EXPECT_EQ(first("..v", value), Json(1));
  EXPECT_EQ(first(".a.none.v", value), Json("nothing"));
  EXPECT_EQ(first(".a.list[9]", value), Json("nothing"));
}

TEST(JsonPath, RefusesWhatIsNoPath) {
  for (const char* text : {".a[", ".a[x]", ".a[?(1==1)]", ".a['b]", ".a[0"})
    EXPECT_FALSE(JsonPath::parse(text).is_ok()) << text;
}

TEST(CustomTable, CellsFollowTheTypesOfTheirColumns) {
  const auto table = CustomTable::make(parse(R"([
    {"name":"Replicas","type":"integer","jsonPath":".spec.replicas"},
    {"name":"Phase","type":"string","jsonPath":".status.phase","priority":1,"description":"ph"},
    {"name":"Spec","type":"string","jsonPath":".spec"},
    {"name":"Wrong","type":"integer","jsonPath":".status.phase"},
    {"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}])"));
  ASSERT_TRUE(table.is_ok());
  const Row row = table->row(parse(R"({"metadata":{"name":"n","creationTimestamp":"2025-03-03T09:59:00Z"},
                                       "spec":{"replicas":5},"status":{"phase":"Ready"}})"), kNow);
  Json cells = Json::array();
  for (const Json& cell : row.cells) cells.push_back(cell);
  EXPECT_EQ(cells, parse(R"(["n",5,"Ready","{\"replicas\":5}",null,"60s"])"));
  EXPECT_EQ(table->columns()[2].description, "ph");
  EXPECT_EQ(table->columns()[1].description, "Custom resource definition column (in JSONPath format): .spec.replicas");
}

TEST(CustomTable, WithoutColumnsShowsTheAge) {
  const auto table = CustomTable::make(Json());
  ASSERT_TRUE(table.is_ok());
  EXPECT_EQ(table->columns().size(), 2u);
  EXPECT_EQ(table->columns()[1].name, "Age");
}

}  // namespace
}  // namespace orrery::server
