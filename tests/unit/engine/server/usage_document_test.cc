#include "engine/server/rest/usage_document.h"

#include <gtest/gtest.h>

namespace orrery::server {
namespace {

api::Json pod(const char* name) {
  auto json = api::Json::parse(str_cat(R"({"kind":"PodMetrics","apiVersion":"metrics.k8s.io/v1beta1","metadata":{"name":")", name,
                                       R"("},"window":"30s","containers":[{"name":"a","usage":{"cpu":"250m","memory":"1024Ki"}},)",
                                       R"({"name":"b","usage":{"cpu":"1","memory":"1Ki"}}]})"));
  CHECK(json.is_ok()) << json.status().message();
  return *std::move(json);
}

std::string shown(const UsageAnswer& answer, std::string_view accept) {
  const auto form = negotiate_usage(accept);
  if (!form.is_ok()) return form.status().message();
  const auto document = usage_document(answer, *form, {});
  return document.is_ok() ? document->dump() : document.status().message();
}

TEST(UsageDocument, ATableSumsUpTheContainersOfAPod) {
  const std::string text = shown({"PodMetrics", false, {pod("x")}}, "application/json;as=Table;v=v1;g=meta.k8s.io,application/json");
  EXPECT_EQ(text, R"({"kind":"Table","apiVersion":"meta.k8s.io/v1","metadata":{},"columnDefinitions":[)"
                  R"({"name":"Name","type":"string","format":"name","description":"Name of the resource","priority":0},)"
                  R"({"name":"cpu","type":"string","format":"quantity","description":"","priority":0},)"
                  R"({"name":"memory","type":"string","format":"quantity","description":"","priority":0},)"
                  R"({"name":"Window","type":"string","format":"duration","description":"","priority":0}],)"
                  R"("rows":[{"cells":["x","1250m","1025Ki","30s"],"object":{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1",)"
                  R"("metadata":{"name":"x"}}}]})");
}

TEST(UsageDocument, MetadataAloneIsAListOfListsOnly) {
  const char* one = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io";
  const char* list = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io";
  EXPECT_EQ(shown({"PodMetrics", true, {pod("x")}}, one),
            R"({"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":{"name":"x"}})");
  EXPECT_EQ(shown({"PodMetrics", false, {pod("x")}}, list),
            R"({"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/v1","metadata":{},"items":[)"
            R"({"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":{"name":"x"}}]})");
  EXPECT_EQ(shown({"PodMetrics", false, {}}, one), "you requested PartialObjectMetadata, but the requested object is a list (*metrics.PodMetricsList)");
  EXPECT_EQ(shown({"NodeMetrics", true, {pod("x")}}, list),
            "you requested PartialObjectMetadataList, but the requested object is not a list (*metrics.NodeMetrics)");
}

TEST(UsageDocument, ProtobufIsPassedOver) {
  const char* proto = "application/vnd.kubernetes.protobuf";
  EXPECT_EQ(shown({"PodMetrics", true, {pod("x")}}, proto), "only the following media types are accepted: application/json, application/yaml");
  EXPECT_EQ(negotiate_usage(str_cat(proto, ",application/yaml"))->format, Format::kYaml);
  EXPECT_EQ(negotiate_usage("")->format, Format::kJson);
}

}  // namespace
}  // namespace orrery::server
