#include "engine/server/openapi/documents.h"

#include <gtest/gtest.h>

namespace orrery::server {
namespace {

using api::Json;

ServedResource cron_tabs() {
  ServedResource out;
  out.group = "stable.example.com";
  out.version = "v1";
  out.kind = "CronTab";
  out.plural = "crontabs";
  out.namespaced = true;
  out.verbs = {"create", "delete", "get", "list", "patch", "update", "watch"};
  out.schema = *Json::parse(R"({"type":"object","properties":{"spec":{"type":"object"}}})");
  return out;
}

Json document(OpenApi& documents, const ServedResources& served, std::string_view name) {
  const OpenApi::Document* found = documents.find(served, name);
  return found ? *Json::parse(found->body) : Json();
}

TEST(OpenApiDocuments, APatchOfADeploymentTakesFieldValidation) {
  ServedResources served;
  OpenApi documents;
  const Json json = document(documents, served, "apis/apps/v1");
  const Json& patch =
      json["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]["patch"];
  EXPECT_EQ(patch["x-kubernetes-group-version-kind"]["kind"].as_string(), "Deployment");
  EXPECT_EQ(patch["parameters"][2]["name"].as_string(), "fieldValidation");
}

TEST(OpenApiDocuments, TheHashOfADocumentIsOfItsText) {
  ServedResources served;
  OpenApi one, other;
  EXPECT_EQ(one.find(served, "version")->hash, other.find(served, "version")->hash);
  EXPECT_NE(one.find(served, "version")->hash, one.find(served, "apis")->hash);
}

TEST(OpenApiDocuments, WhatIsNotServedHasNoDocument) {
  ServedResources served;
  OpenApi documents;
  EXPECT_EQ(documents.find(served, "apis/stable.example.com/v1"), nullptr);
  EXPECT_EQ(documents.find(served, ""), nullptr);
}

TEST(OpenApiDocuments, CustomResourcesAreDescribedOnceTheyAreServed) {
  ServedResources served;
  OpenApi documents;
  EXPECT_EQ(documents.index(served).find("stable.example.com"), std::string::npos);
  served.set_custom({cron_tabs()});
  EXPECT_NE(documents.index(served).find("apis/stable.example.com/v1?hash="), std::string::npos);
  const Json json = document(documents, served, "apis/stable.example.com/v1");
  const Json& schema = json["components"]["schemas"]["com.example.stable.v1.CronTab"];
  EXPECT_TRUE(schema["properties"].find("spec"));
  EXPECT_TRUE(schema["properties"].find("metadata"));
  served.set_custom({});
  EXPECT_EQ(documents.find(served, "apis/stable.example.com/v1"), nullptr);
}

TEST(OpenApiDocuments, WhatACustomResourceStandsForIsToldInFull) {
  ServedResource resource = cron_tabs();
  resource.schema = *Json::parse(R"({"type":"object","properties":{
    "port":{"x-kubernetes-int-or-string":true},"maybe":{"type":"string","nullable":true,"default":"a"},
    "pod":{"type":"object","x-kubernetes-embedded-resource":true}}})");
  ServedResources served;
  served.set_custom({resource});
  OpenApi documents;
  const Json json = document(documents, served, "apis/stable.example.com/v1");
  const Json& properties =
      json["components"]["schemas"]["com.example.stable.v1.CronTab"]["properties"];
  EXPECT_EQ(properties["port"]["anyOf"].dump(), R"([{"type":"integer"},{"type":"string"}])");
  EXPECT_EQ(properties["maybe"].dump(), R"({"type":"string","nullable":true,"default":"a"})");
  EXPECT_EQ(properties["pod"]["properties"]["metadata"]["allOf"][size_t{0}]["$ref"].text(),
            "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta");
  const Json& path = json["paths"]["/apis/stable.example.com/v1/namespaces/{namespace}/crontabs"];
  EXPECT_EQ(path["post"]["requestBody"]["content"].size(), 2u);
}

}  // namespace
}  // namespace orrery::server
