// OpenAPI documents against apiserver/01-discovery.
#include <algorithm>

#include "engine/server/openapi/documents.h"
#include "tests/support/vectors.h"

namespace orrery::test {
namespace {

using api::Json;

constexpr std::string_view kRoot = "/openapi/v3/";

bool transformed(const Json& step, std::string_view how) {
  const Json* transforms = step["opts"].find("transform");
  return transforms && transforms->items()[0].as_string() == how;
}

// Descriptions are not compared; a field of that name is an object.
void strip_descriptions(Json& json) {
  for (Json& item : json.items()) strip_descriptions(item);
  std::erase_if(json.members(),
                [](const auto& m) { return m.key == "description" && m.value.is_string(); });
  for (auto& member : json.members()) strip_descriptions(member.value);
}

Json sorted(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  Json out = Json::array();
  for (const std::string& name : names) out.push_back(name);
  return out;
}

std::vector<std::string> keys(const Json& object) {
  std::vector<std::string> out;
  for (const auto& member : object.members())
    if (member.key != "parameters") out.push_back(std::string(member.key));
  return out;
}

Json outline(const Json& document) {
  Json out = Json::object();
  out.set("openapi", document["openapi"]);
  Json& paths = out.set("paths", Json::object());
  for (const auto& path : document["paths"].members())
    paths.set(path.key, sorted(keys(path.value)));
  out.set("schemas", sorted(keys(document["components"]["schemas"])));
  return out;
}

std::string document_case(const Json& step) {
  server::ServedResources served;
  server::OpenApi documents;
  const auto* document =
      documents.find(served, step["request"]["path"].as_string().view().substr(kRoot.size()));
  if (!document) return "no document";
  auto json = Json::parse(document->body);
  if (!json.is_ok()) return json.status().message();
  if (transformed(step, "openapi-index"))
    return expect_equal("outline", step["response"]["body"], outline(*json));
  strip_descriptions(*json);
  return expect_equal("document", step["response"]["body"], *json);
}

int documents() {
  std::vector<Json> cases;
  for (Json& step : read_vectors("apiserver/01-discovery/openapi-1.jsonl"))
    if (transformed(step, "openapi-index") || transformed(step, "strip-descriptions"))
      cases.push_back(std::move(step));
  return run_family("openapi", cases, document_case);
}

}  // namespace
}  // namespace orrery::test

int main(int argc, char** argv) {
  return orrery::test::run_program(argc, argv, {{"openapi", orrery::test::documents}});
}
