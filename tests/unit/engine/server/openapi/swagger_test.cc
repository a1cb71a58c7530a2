#include "engine/server/openapi/swagger.h"

#include <gtest/gtest.h>

#include <set>

#include "engine/server/openapi/documents.h"

namespace orrery::server {
namespace {

using api::Json;

constexpr std::string_view kPods = "/api/v1/namespaces/{namespace}/pods";

Json swagger(const ServedResources& served) {
  OpenApi documents;
  while (!documents.swagger(served)) documents.build_swagger(served);
  return *Json::parse(documents.swagger(served)->body);
}

const Json& builtin() {
  static const Json document = swagger(ServedResources());
  return document;
}

const Json& definition(std::string_view type) { return builtin()["definitions"][type]; }

// Calls `see(key, value)` for all members within.
template <class See>
void walk(const Json& json, const See& see) {
  for (const Json& item : json.items()) walk(item, see);
  for (const auto& member : json.members()) {
    see(member.key.view(), member.value);
    walk(member.value, see);
  }
}

ServedResource crontabs(std::string_view schema) {
  ServedResource out;
  out.group = "stable.example.com";
  out.version = "v1";
  out.kind = "CronTab";
  out.plural = "crontabs";
  out.namespaced = true;
  out.verbs = {"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"};
  out.schema = *Json::parse(schema);
  out.selectable_fields = {".spec.color"};
  return out;
}

Json custom(std::string_view schema) {
  ServedResources served;
  served.set_custom({crontabs(schema)});
  return swagger(served);
}

Json custom_definition(std::string_view schema) {
  return custom(schema)["definitions"]["com.example.stable.v1.CronTab"];
}

TEST(Swagger, DescribesEveryResourceThatIsServed) {
  EXPECT_EQ(builtin()["swagger"].text(), "2.0");
  const ServedResources served;
  for (const auto& group : served.groups()) {
    for (const auto& version : group.versions) {
      std::string root = group.name.empty() ? "/api/" : str_cat("/apis/", group.name, "/");
      root += version.version;
      EXPECT_TRUE(builtin()["paths"].find(root + "/")) << root;
      for (const ServedResource* resource : version.resources) {
        const std::string path = str_cat(
            root, resource->namespaced ? "/namespaces/{namespace}/" : "/", resource->plural);
        EXPECT_TRUE(builtin()["paths"].find(path)) << path;
      }
    }
  }
}

TEST(Swagger, WhatIsReferredToIsThere) {
  size_t seen = 0;
  walk(builtin(), [&](std::string_view key, const Json& value) {
    if (key != "$ref" || !value.is_string()) return;
    std::string_view target = value.text();
    ASSERT_TRUE(target.starts_with("#/")) << target;
    target.remove_prefix(2);
    const size_t slash = target.find('/');
    EXPECT_TRUE(builtin()[target.substr(0, slash)].find(target.substr(slash + 1))) << target;
    seen++;
  });
  EXPECT_GT(seen, 1000u);
}

TEST(Swagger, TellsNothingThatOnlyTheThirdVersionHas) {
  const std::set<std::string_view> only = {"allOf",    "anyOf",   "oneOf",
                                           "nullable", "content", "requestBody"};
  walk(builtin()["paths"],
       [&](std::string_view key, const Json&) { EXPECT_FALSE(only.contains(key)); });
  for (const auto& member : builtin()["definitions"].members()) {
    EXPECT_FALSE(member.value.find("oneOf")) << member.key.view();
    for (const auto& property : member.value["properties"].members())
      for (std::string_view key : {"allOf", "default"})
        EXPECT_FALSE(property.value.find(key)) << member.key.view() << " " << property.key.view();
  }
}

TEST(Swagger, FieldsTellHowTheyAreMerged) {
  Json containers = definition("io.k8s.api.core.v1.PodSpec")["properties"]["containers"];
  EXPECT_NE(containers["description"].text(), "");
  containers.erase("description");
  EXPECT_EQ(containers.dump_sorted(),
            R"({"items":{"$ref":"#/definitions/io.k8s.api.core.v1.Container"},"type":"array",)"
            R"("x-kubernetes-list-map-keys":["name"],"x-kubernetes-list-type":"map",)"
            R"("x-kubernetes-patch-merge-key":"name","x-kubernetes-patch-strategy":"merge"})");
  EXPECT_EQ(definition("io.k8s.api.core.v1.PersistentVolumeSpec")["properties"]["claimRef"].dump(),
            R"({"$ref":"#/definitions/io.k8s.api.core.v1.ObjectReference",)"
            R"("x-kubernetes-map-type":"granular"})");
}

TEST(Swagger, TypesOfSeveralFormsAreTexts) {
  EXPECT_EQ(definition("io.k8s.apimachinery.pkg.util.intstr.IntOrString").dump(),
            R"({"type":"string","format":"int-or-string"})");
  EXPECT_EQ(definition("io.k8s.apimachinery.pkg.api.resource.Quantity").dump(),
            R"({"type":"string"})");
}

TEST(Swagger, AnOperationTellsItsKindAndWhatItTakesAndGives) {
  const Json& post = builtin()["paths"][kPods]["post"];
  EXPECT_EQ(post["operationId"].text(), "createCoreV1NamespacedPod");
  EXPECT_EQ(post["x-kubernetes-action"].text(), "post");
  EXPECT_EQ(post["x-kubernetes-group-version-kind"].dump(),
            R"({"group":"","kind":"Pod","version":"v1"})");
  EXPECT_EQ(post["consumes"].dump(), R"(["*/*"])");
  EXPECT_EQ(post["produces"].dump(),
            R"(["application/json","application/yaml","application/vnd.kubernetes.protobuf"])");
  EXPECT_EQ(post["responses"]["201"]["schema"]["$ref"].text(),
            "#/definitions/io.k8s.api.core.v1.Pod");
  EXPECT_EQ(post["parameters"][size_t{0}].dump(),
            R"({"name":"body","in":"body","required":true,)"
            R"("schema":{"$ref":"#/definitions/io.k8s.api.core.v1.Pod"}})");
}

TEST(Swagger, ParametersAreSharedButThoseThatOldClientsLookFor) {
  const Json& patch = builtin()["paths"][str_cat(kPods, "/{name}")]["patch"];
  std::string own;
  for (const Json& parameter : patch["parameters"].items()) {
    if (parameter.find("name")) {
      own += str_cat(parameter["name"].text(), " ");
    } else {
      EXPECT_TRUE(parameter["$ref"].text().starts_with("#/parameters/"));
    }
  }
  EXPECT_EQ(own, "dryRun fieldValidation ");
  EXPECT_EQ(patch["consumes"].size(), 4u);
}

TEST(Swagger, ACustomResourceHasWhatAllObjectsHave) {
  const Json document = custom(R"({"type":"object","properties":{"spec":{"type":"object",
    "properties":{"n":{"type":"integer","minimum":1,"default":3}}}}})");
  const Json& object = document["definitions"]["com.example.stable.v1.CronTab"];
  EXPECT_EQ(object["properties"]["spec"]["properties"]["n"].dump(),
            R"({"type":"integer","minimum":1})");
  EXPECT_EQ(object["properties"]["metadata"]["$ref"].text(),
            "#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta");
  EXPECT_EQ(object["x-kubernetes-selectable-fields"].dump(), R"([{"fieldPath":"spec.color"}])");
  const Json& list = document["definitions"]["com.example.stable.v1.CronTabList"];
  EXPECT_EQ(list["properties"]["items"]["items"]["$ref"].text(),
            "#/definitions/com.example.stable.v1.CronTab");
  const Json& path =
      document["paths"]["/apis/stable.example.com/v1/namespaces/{namespace}/crontabs/{name}"];
  EXPECT_EQ(path["put"]["consumes"].dump(), R"(["application/json","application/yaml"])");
  EXPECT_FALSE(path["patch"]["responses"].find("201"));
}

TEST(Swagger, WhatTheSecondVersionCannotSayOfACustomResourceIsLeftOut) {
  const Json object =
      custom_definition(R"({"type":"object","required":["maybe","sure"],"properties":{
    "maybe":{"type":"object","nullable":true,"properties":{"a":{"type":"string"}}},
    "sure":{"type":"string","anyOf":[{"pattern":"a"}],"not":{"pattern":"b"}},
    "any":{"type":"object","x-kubernetes-preserve-unknown-fields":true,"properties":{"a":{"type":"string"}}},
    "port":{"x-kubernetes-int-or-string":true,"anyOf":[{"type":"integer"},{"type":"string"}]}}})");
  const Json& properties = object["properties"];
  EXPECT_EQ(properties["maybe"].dump(), "{}");
  EXPECT_EQ(properties["sure"].dump(), R"({"type":"string"})");
  EXPECT_EQ(properties["any"].dump(), R"({"x-kubernetes-preserve-unknown-fields":true})");
  EXPECT_EQ(properties["port"].dump(), R"({"x-kubernetes-int-or-string":true})");
  EXPECT_EQ(object["required"].dump(), R"(["sure"])");
}

TEST(Swagger, ACustomResourceOfAnyFieldsIsAnObjectAndNoMore) {
  const Json object =
      custom_definition(R"({"type":"object","x-kubernetes-preserve-unknown-fields":true,
    "properties":{"spec":{"type":"object"}}})");
  EXPECT_EQ(object["type"].text(), "object");
  EXPECT_FALSE(object.find("properties"));
}

TEST(Swagger, AnObjectWithinACustomResourceHasAKind) {
  const Json object = custom_definition(R"({"type":"object","properties":{"pod":{"type":"object",
    "x-kubernetes-embedded-resource":true,"properties":{"spec":{"type":"object"}}}}})");
  const Json& pod = object["properties"]["pod"];
  EXPECT_EQ(pod["required"].dump(), R"(["kind","apiVersion"])");
  EXPECT_TRUE(pod["properties"]["metadata"].find("$ref"));
}

TEST(Swagger, IsBuiltAnewOnceSomethingElseIsServed) {
  ServedResources served;
  OpenApi documents;
  while (!documents.swagger(served)) documents.build_swagger(served);
  const std::string before = documents.swagger(served)->hash;
  served.set_custom({crontabs(R"({"type":"object"})")});
  EXPECT_EQ(documents.swagger(served), nullptr);
  documents.build_swagger(served);
  served.set_custom({});  // while it is being built
  while (!documents.swagger(served)) documents.build_swagger(served);
  EXPECT_EQ(documents.swagger(served)->hash, before);
}

}  // namespace
}  // namespace orrery::server
