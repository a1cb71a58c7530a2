// What validation finds, in upstream's words and order. Each case was compared with kube-apiserver v1.32.
#include <gtest/gtest.h>

#include "engine/api/codec_json.h"
#include "engine/server/defaulting.h"
#include "engine/server/object_rules.h"

namespace orrery::server {
namespace {

using Found = std::vector<std::string>;

api::Object read(std::string_view text) {
  const auto json = api::Json::parse(text);
  EXPECT_TRUE(json.is_ok()) << text;
  auto object = api::object_from_json(*json);
  EXPECT_TRUE(object.is_ok()) << text;
  apply_defaults(*object);
  return *object;
}

Found texts_of(const FieldErrors& errors) {
  Found found;
  for (const FieldError& error : errors) found.push_back(error.field + ": " + error.detail);
  return found;
}

Found on_create(std::string_view text) {
  api::Object object = read(text);
  prepare_for_create(object);
  return texts_of(validate_create(object));
}

Found on_update(std::string_view before, std::string_view after, std::string_view subresource = "") {
  const api::Object old = read(before);
  api::Object fresh = read(after);
  fresh.mut_meta().resource_version = "1";
  prepare_for_update(fresh, old, subresource, Time());
  return texts_of(validate_update(fresh, old, subresource));
}

std::string definition(std::string_view schema, std::string_view version = "", std::string_view spec = "") {
  return str_cat(R"({"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"as.x.io"},)",
                 R"("spec":{"group":"x.io","scope":"Namespaced","names":{"plural":"as","kind":"A"},)", spec,
                 R"("versions":[{"name":"v1","served":true,"storage":true,)", version, R"("schema":{"openAPIV3Schema":)", schema, "}}]}}");
}

constexpr std::string_view kAt = "spec.validation.openAPIV3Schema";

TEST(MetadataValidation, FinalizersOfKindsOfTheCoreHaveADomainOrAreKnown) {
  const auto lease = [](const char* finalizer) {
    return str_cat(R"({"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":"a","namespace":"b","finalizers":[")", finalizer, R"("]}})");
  };
  EXPECT_EQ(on_create(lease("mine")), Found{});
  EXPECT_EQ(on_update(lease("mine"), lease("yours")), Found{});
  EXPECT_EQ(on_create(R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","namespace":"b","finalizers":["mine"]}})"),
            Found{"metadata.finalizers[0]: Invalid value: \"mine\": name is neither a standard finalizer name nor is it fully qualified"});
}

TEST(DefinitionValidation, SchemasAreStructural) {
  EXPECT_EQ(on_create(definition(R"({"type":"object","properties":{"spec":{"type":"object"}}})")), Found{});
  EXPECT_EQ(on_create(definition(R"({"type":"object","nullable":true})")), Found{str_cat(kAt, ".nullable: Forbidden: nullable cannot be true at the root")});
  EXPECT_EQ(on_create(definition(R"({"type":"object","$schema":"x"})")), Found{str_cat(kAt, ": Invalid value: \"\": OpenAPIV3Schema 'schema' is not supported")});
  EXPECT_EQ(on_create(definition(R"({"type":"object","properties":{"a":{"type":"string","anyOf":[{"title":"t","nullable":true}]}}})")),
            (Found{str_cat(kAt, ".properties[a].anyOf[0].nullable: Forbidden: must be false to be structural"),
                   str_cat(kAt, ".properties[a].anyOf[0].title: Forbidden: must be empty to be structural")}));
  EXPECT_EQ(on_create(definition(R"({"type":"object","oneOf":[{"properties":{"b":{"pattern":"x"}}}]})")),
            Found{str_cat(kAt, ".properties[b]: Required value: because it is defined in ", kAt, ".oneOf[0].properties[b]")});
  EXPECT_EQ(on_create(definition(R"({"type":"object","properties":{"a":{"type":"object","x-kubernetes-embedded-resource":true}}})")),
            Found{str_cat(kAt, ".properties[a].properties: Required value: must not be empty if x-kubernetes-embedded-resource is true "
                               "without x-kubernetes-preserve-unknown-fields")});
  EXPECT_EQ(on_create(definition(R"({"type":"object","properties":{"a":{"x-kubernetes-int-or-string":true,"anyOf":[{"type":"integer"},{"type":"string"}]}}})")),
            Found{});
}

TEST(DefinitionValidation, WordsBelowAreLookedInto) {
  EXPECT_EQ(on_create(definition(R"({"type":"object","not":{"uniqueItems":true}})")),
            Found{str_cat(kAt, ".not.uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic")});
  EXPECT_EQ(on_create(definition(R"({"type":"object","definitions":{"d":{"x-kubernetes-list-map-keys":["k"]}}})")),
            (Found{str_cat(kAt, ".definitions: Forbidden: definitions is not supported"),
                   str_cat(kAt, ".definitions[d].x-kubernetes-list-type: Required value: must be map if x-kubernetes-list-map-keys is non-empty")}));
  EXPECT_EQ(on_create(definition(R"({"type":"object","properties":{"a":{"type":"object","x-kubernetes-map-type":"x"}}})")),
            Found{str_cat(kAt, ".properties[a].x-kubernetes-map-type: Unsupported value: \"x\": supported values: \"atomic\", \"granular\"")});
}

TEST(DefinitionValidation, RulesHaveAForm) {
  const auto rule = [](std::string_view rest) {
    return definition(str_cat(R"({"type":"object","properties":{"a":{"type":"integer"}},"x-kubernetes-validations":[{"rule":"self.a > 1",)", rest, "}]}"));
  };
  const std::string at = str_cat(kAt, ".x-kubernetes-validations[0]");
  EXPECT_EQ(on_create(rule(R"("fieldPath":".a")")), Found{});
  EXPECT_EQ(on_create(rule(R"("fieldPath":".b")")), Found{str_cat(at, ".fieldPath: Invalid value: \".b\": fieldPath must be a valid path")});
  EXPECT_EQ(on_create(rule(R"("optionalOldSelf":true)")), Found{str_cat(at, ".optionalOldSelf: Invalid value: true: may not be set if oldSelf is not used in rule")});
  EXPECT_EQ(on_create(rule(R"("reason":"x")")),
            Found{str_cat(at, ".reason: Unsupported value: \"x\": supported values: \"FieldValueDuplicate\", \"FieldValueForbidden\", "
                              "\"FieldValueInvalid\", \"FieldValueRequired\"")});
}

TEST(DefinitionValidation, VersionsAreChecked) {
  constexpr std::string_view kObject = R"({"type":"object"})";
  EXPECT_EQ(on_create(definition(kObject, R"("deprecationWarning":"w",)")),
            Found{"spec.versions[0].deprecationWarning: Invalid value: \"w\": can only be set for deprecated versions"});
  EXPECT_EQ(on_create(definition(kObject, R"("additionalPrinterColumns":[{"name":"N","jsonPath":"a"}],)")),
            (Found{"spec.additionalPrinterColumns[0].type: Required value: must be one of boolean,date,integer,number,string",
                   "spec.additionalPrinterColumns[0].JSONPath: Invalid value: \"a\": must be a simple json path starting with ."}));
  EXPECT_EQ(on_create(definition(kObject, R"("selectableFields":[{"jsonPath":"a"},{"jsonPath":".b"}],)")),
            (Found{"spec.selectableFields[0].jsonPath: Invalid value: \"a\": is an invalid path: expected [ or . but got: a",
                   "spec.selectableFields[1].jsonPath: Invalid value: \".b\": is an invalid path: does not refer to a valid field"}));
  EXPECT_EQ(on_create(definition(kObject, R"("subresources":{"scale":{"specReplicasPath":"x","statusReplicasPath":".status.r","labelSelectorPath":".a"}},)")),
            (Found{"spec.subresources.scale.specReplicasPath: Invalid value: \"x\": must be a simple json path starting with .",
                   "spec.subresources.scale.labelSelectorPath: Invalid value: \".a\": should be a json path under either .spec or .status"}));
  EXPECT_EQ(on_create(definition(kObject, "", R"("conversion":{},)")), Found{"spec.conversion.strategy: Required value"});
  EXPECT_EQ(on_create(definition(kObject, "", R"("conversion":{"strategy":"Webhook","webhook":{"conversionReviewVersions":["v1","v1"]}},)")),
            (Found{"spec.conversion.webhookClientConfig: Required value: required when strategy is set to Webhook",
                   "spec.conversion.conversionReviewVersions[1]: Invalid value: \"v1\": duplicate version"}));
}

TEST(DefinitionValidation, TheRootSaysLittleIfTheStatusIsApart) {
  const Found found = on_create(definition(R"({"type":"object","minProperties":1})", R"("subresources":{"status":{}},)"));
  ASSERT_EQ(found.size(), 1u);
  EXPECT_TRUE(found[0].ends_with("fields are allowed at the root of the schema if the status subresource is enabled")) << found[0];
}

TEST(Validation, PoliciesAreCheckedTwiceOnUpdate) {
  const auto policy = [](std::string_view type) {
    return str_cat(R"({"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"p","namespace":"n"},)",
                   R"("spec":{"podSelector":{},"policyTypes":[")", type, "\"]}}");
  };
  const std::string wrong = "spec.policyTypes[0]: Unsupported value: \"X\": supported values: \"Ingress\", \"Egress\"";
  EXPECT_EQ(on_create(policy("X")), Found{wrong});
  EXPECT_EQ(on_update(policy("Ingress"), policy("X")), (Found{wrong, wrong}));
}

TEST(Validation, TopologyTermsAreComparedAsSets) {
  const auto storage_class = [](std::string_view terms) {
    return str_cat(R"({"apiVersion":"storage.k8s.io/v1","kind":"StorageClass","metadata":{"name":"s"},"provisioner":"a/b","allowedTopologies":)", terms, "}");
  };
  constexpr std::string_view kAgain = "matchLabelExpressions: Duplicate value: \"\"";
  EXPECT_EQ(on_create(storage_class("[{}]")), Found{str_cat("allowedTopologies[0].", kAgain)});
  EXPECT_EQ(on_create(storage_class(R"([{"matchLabelExpressions":[{"key":"k","values":["a","b"]}]},{"matchLabelExpressions":[{"key":"k","values":["b","a"]}]}])")),
            Found{str_cat("allowedTopologies[1].", kAgain)});
}

TEST(Validation, WhatAPodsStatusSaysOfContainers) {
  const auto pod = [](std::string_view status) {
    return str_cat(R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","namespace":"n"},"spec":{"containers":[{"name":"c","image":"i"}]},"status":{)", status, "}}");
  };
  EXPECT_EQ(on_update(pod(""), pod(R"("resourceClaimStatuses":[{"name":"x"}])"), "status"),
            Found{"status.resourceClaimStatuses[0].name: Invalid value: \"x\": must match the name of an entry in `spec.resourceClaims`"});
  EXPECT_EQ(on_update(pod(""), pod(R"("containerStatuses":[{"name":"c","user":{"linux":{"uid":-1,"gid":1}}}])"), "status"),
            Found{"status.containerStatuses[0].linux.uid: Invalid value: -1: must be between 0 and 2147483647, inclusive"});
  EXPECT_EQ(on_update(pod(""), pod(R"("containerStatuses":[{"name":"c","allocatedResourcesStatus":[{"name":"cpu","resources":[{"resourceID":"r","health":"Good"}]}]}])"), "status"),
            (Found{"status.containerStatuses[0].allocatedResourcesStatus[0].name: Invalid value: cpu: must match one of the container's resource requests",
                   "status.containerStatuses[0].allocatedResourcesStatus[0].resources[0].health: Unsupported value: \"Good\": supported values: "
                   "\"Healthy\", \"Unhealthy\", \"Unknown\""}));
}

TEST(Validation, ConditionsGiveOneWordAsReason) {
  const auto budget = [](std::string_view reason) {
    return str_cat(R"({"apiVersion":"policy/v1","kind":"PodDisruptionBudget","metadata":{"name":"b","namespace":"n"},"spec":{},)",
                   R"("status":{"conditions":[{"type":"T","status":"True","lastTransitionTime":"2024-01-01T00:00:00Z","message":"","reason":")", reason, "\"}]}}");
  };
  EXPECT_EQ(on_update(budget("Ok"), budget("Some,Reason"), "status"), Found{});
  const Found found = on_update(budget("Ok"), budget("a b"), "status");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_TRUE(found[0].starts_with("status.conditions[0].reason: Invalid value: \"a b\": a condition reason must start with alphabetic")) << found[0];
}

TEST(Validation, FieldsOfFeaturesThatAreOffAreDroppedOneByOne) {
  const auto tmpl = [](std::string_view spec) {
    return str_cat(R"({"apiVersion":"v1","kind":"PodTemplate","metadata":{"name":"t","namespace":"n"},"template":{"spec":{)", spec,
                   R"("containers":[{"name":"c","image":"i"}]}}})");
  };
  const auto updated = [&](std::string_view before, std::string_view after) {
    const api::Object old = read(tmpl(before));
    api::Object fresh = read(tmpl(after));
    prepare_for_update(fresh, old, "", Time());
    return api::to_json(fresh)["template"]["spec"];
  };
  EXPECT_EQ(updated("", R"("hostUsers":false,)").find("hostUsers"), nullptr);
  const api::Json kept = updated(R"("hostUsers":true,)", R"("hostUsers":false,"resourceClaims":[{"name":"r"}],)");
  EXPECT_NE(kept.find("hostUsers"), nullptr);
  EXPECT_EQ(kept.find("resourceClaims"), nullptr);
}

TEST(Defaulting, ImagesAreAlwaysPulledIfTheyAreTheLatest) {
  const auto policy = [](std::string_view image) {
    const api::Object pod = read(str_cat(R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":")", image, "\"}]}}"));
    return api::to_json(pod)["spec"]["containers"].items().at(0)["imagePullPolicy"].text() == "Always";
  };
  for (const char* const image : {"nginx", "a/b", "host:5/x", "HOST/x:latest", "a__b", "a--b", "localhost/x"}) EXPECT_TRUE(policy(image)) << image;
  for (const char* const image : {"nginx:1", "Nginx", "Nginx:latest", "..", "a//b", "a___b", "-a", "x@sha256:a"}) EXPECT_FALSE(policy(image)) << image;
  EXPECT_FALSE(policy(std::string(64, 'f')));
}

}  // namespace
}  // namespace orrery::server
