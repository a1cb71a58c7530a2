#include "engine/server/openapi/swagger_paths.h"

#include <algorithm>

#include "engine/api/base64.h"
#include "engine/base/hash.h"
#include "engine/base/str.h"

namespace orrery::server {
namespace {

using api::Json;

constexpr std::string_view kMachinery = "#/definitions/io.k8s.apimachinery";

// Clients of old ask for these where they are.
bool is_own(const Json& parameter) {
  const std::string_view name = parameter["name"].text(), in = parameter["in"].text();
  if (in == "body") return !parameter["schema"]["$ref"].text().starts_with(kMachinery);
  return name == "name" || (in == "query" && (name == "fieldValidation" || name == "dryRun"));
}

// Eight letters, fit for a name in a URL.
std::string short_hash(std::string_view text) {
  std::string bytes;
  const uint64_t hash = hash_bytes(text);
  for (int shift = 0; shift < 48; shift += 8) bytes += static_cast<char>(hash >> shift & 0xff);
  std::string out = api::base64_encode(bytes);
  for (char& c : out) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return out;
}

// v3 keeps what a value is like in a schema.
Json swagger_parameter(const Json& parameter) {
  Json out = Json::object();
  for (const auto& member : parameter.members()) {
    if (member.key != "schema") {
      out.set(member.key, member.value);
      continue;
    }
    for (const auto& inner : member.value.members()) out.set(inner.key, inner.value);
  }
  return out;
}

Json body_parameter(const Json& body) {
  Json out = Json::object();
  out.set("name", "body");
  out.set("in", "body");
  if (body["required"].is_true()) out.set("required", true);
  out.set("schema", body["content"].members().front().value["schema"]);
  return out;
}

Json parameters_of(const Json& place, SharedParameters& shared) {
  Json out = Json::array();
  if (const Json* body = place.find("requestBody")) out.push_back(body_parameter(*body));
  for (const Json& one : place["parameters"].items()) out.push_back(swagger_parameter(one));
  std::sort(out.items().begin(), out.items().end(), [](const Json& a, const Json& b) {
    return std::pair(a["name"].text(), a["in"].text()) <
           std::pair(b["name"].text(), b["in"].text());
  });
  for (Json& one : out.items()) one = shared.share(std::move(one));
  return out;
}

Json names(const Json& object) {
  Json out = Json::array();
  for (const auto& member : object.members()) out.push_back(member.key);
  return out;
}

Json listed(std::initializer_list<const char*> texts) {
  Json out = Json::array();
  for (const char* text : texts) out.push_back(text);
  return out;
}

// What a request may be written in; null: nothing is said of it.
Json consumes(const Json& operation, bool custom) {
  const Json* action = operation.find("x-kubernetes-action");
  if (!action) {
    const std::string_view tag = operation["tags"][size_t{0}].text();
    if (tag == "WellKnown" || tag == "openid") return {};
    return names(operation["responses"]["200"]["content"]);
  }
  if (action->text() == "patch") return names(operation["requestBody"]["content"]);
  return custom ? listed({"application/json", "application/yaml"}) : listed({"*/*"});
}

Json responses_of(const Json& operation) {
  Json out = Json::object();
  for (const auto& member : operation["responses"].members()) {
    Json& response = out.set(member.key, Json::object());
    response.set("description", member.value["description"]);
    const Json& content = member.value["content"];
    if (content.size()) response.set("schema", content.members().front().value["schema"]);
  }
  return out;
}

Json swagger_operation(const Json& operation, bool custom, SharedParameters& shared) {
  Json out = Json::object();
  out.set("tags", operation["tags"]);
  out.set("operationId", operation["operationId"]);
  out.set("produces", names(operation["responses"]["200"]["content"]));
  if (Json types = consumes(operation, custom); !types.is_null())
    out.set("consumes", std::move(types));
  if (Json parameters = parameters_of(operation, shared); parameters.size())
    out.set("parameters", std::move(parameters));
  out.set("responses", responses_of(operation));
  out.set("schemes", listed({"https"}));
  for (const auto& member : operation.members())
    if (member.key.view().starts_with("x-")) out.set(member.key, member.value);
  return out;
}

}  // namespace

Json SharedParameters::share(Json parameter) {
  if (is_own(parameter)) return parameter;
  const std::string name =
      str_cat(parameter["name"].text(), "-", short_hash(parameter.dump_sorted()));
  parameters_.emplace(name, std::move(parameter));
  Json out = Json::object();
  out.set("$ref", str_cat("#/parameters/", name));
  return out;
}

Json SharedParameters::take() {
  Json out = Json::object();
  for (auto& [name, parameter] : parameters_) out.members().push_back({name, std::move(parameter)});
  parameters_.clear();
  return out;
}

Json swagger_path(const Json& path, bool custom, SharedParameters& shared) {
  Json out = Json::object();
  for (const auto& member : path.members())
    if (member.key != "parameters")
      out.set(member.key, swagger_operation(member.value, custom, shared));
  if (Json parameters = parameters_of(path, shared); parameters.size())
    out.set("parameters", std::move(parameters));
  return out;
}

}  // namespace orrery::server
