#include "engine/server/managed_fields/managed_fields.h"

#include <gtest/gtest.h>

#include "engine/api/codec_json.h"
#include "engine/api/gen/corev1.h"
#include "engine/server/managed_fields/fields_v1.h"
#include "engine/server/managed_fields/scale_fields.h"

namespace orrery::server::managed {
namespace {

using api::Json;
using api::Object;

Json parse(std::string_view text) {
  auto json = Json::parse(text);
  EXPECT_TRUE(json.is_ok()) << text;
  return json.is_ok() ? *json : Json();
}

FieldWrite by(std::string_view manager, int64_t second = 0) {
  FieldWrite write;
  write.manager = Str(manager);
  write.now = Time::from_unix_seconds(1'700'000'000 + second);
  return write;
}

Object config_map(const std::string& data) {
  auto object = api::object_from_json(parse(R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","uid":"u"},"data":)" + data + "}"));
  EXPECT_TRUE(object.is_ok());
  return *object;
}

std::string managers(const Object& object) {
  std::string out;
  for (const auto& entry : object.meta().managed_fields)
    out += str_cat(entry.manager, " ", entry.operation, " ", entry.fields_v1->text, "\n");
  return out;
}

Object updated(const Object& live, const std::string& data, const FieldWrite& write) {
  Object fresh = config_map(data);
  fresh.mut_meta().managed_fields = live.meta().managed_fields;
  update_managed_fields(live, fresh, write);
  return fresh;
}

TEST(ManagedFields, ACreateOwnsWhatItSets) {
  Object object = config_map(R"({"k":"1"})");
  update_managed_fields({}, object, by("one"));
  EXPECT_EQ(managers(object), "one Update {\"f:data\":{\".\":{},\"f:k\":{}}}\n");
}

TEST(ManagedFields, AnUpdateTakesWhatItChangesAndDropsWhatIsGone) {
  Object object = config_map(R"({"k":"1","l":"2","m":"3"})");
  update_managed_fields({}, object, by("one"));
  const Object after = updated(object, R"({"k":"1","l":"other"})", by("two", 1));
  EXPECT_EQ(managers(after),
            "one Update {\"f:data\":{\".\":{},\"f:k\":{}}}\n"
            "two Update {\"f:data\":{\"f:l\":{}}}\n");
}

TEST(ManagedFields, AnUpdateWithoutChangesKeepsTheTimes) {
  Object object = config_map(R"({"k":"1"})");
  update_managed_fields({}, object, by("one"));
  Object same = updated(object, R"({"k":"1"})", by("one", 60));
  EXPECT_TRUE(same.meta().managed_fields.same(object.meta().managed_fields));
}

TEST(ManagedFields, AWriteThatRestoresEverythingKeepsOldEntries) {
  Object object = config_map(R"({"k":"1"})");
  update_managed_fields({}, object, by("one"));
  Object again = object;
  again.mut_meta().managed_fields.mut(0).time = api::Timestamp(Time::from_unix_seconds(1'800'000'000));
  keep_times_if_unchanged(object, again);
  EXPECT_TRUE(again.meta().managed_fields.same(object.meta().managed_fields));
}

TEST(ManagedFields, ManyUpdatersBecomeAncient) {
  Object object = config_map(R"({"k0":"x"})");
  update_managed_fields({}, object, by("m00"));
  std::string data = R"({"k0":"x")";
  for (int i = 1; i <= 11; ++i) {
    data += str_cat(",\"k", i, "\":\"x\"");
    object = updated(object, data + "}", by(str_cat("m", i < 10 ? "0" : "", i), i));
  }
  const auto& entries = object.meta().managed_fields;
  ASSERT_EQ(entries.size(), 10u);
  EXPECT_EQ(entries[0].manager, "ancient-changes");
  EXPECT_EQ(entries[0].fields_v1->text, R"({"f:data":{".":{},"f:k0":{},"f:k1":{},"f:k2":{}}})");
}

TEST(ManagedFields, AnEmptyEntryForgetsAllManagersAndNothingIsTrackedThen) {
  Object object = config_map(R"({"k":"1"})");
  update_managed_fields({}, object, by("one"));
  Object reset = config_map(R"({"k":"1"})");
  reset.mut_meta().managed_fields.push_back({});
  update_managed_fields(object, reset, by("two"));
  EXPECT_EQ(managers(reset), "");
  EXPECT_EQ(managers(updated(reset, R"({"k":"2"})", by("two"))), "");
}

TEST(ManagedFields, BrokenEntriesOfARequestAreIgnored) {
  Object object = config_map(R"({"k":"1"})");
  update_managed_fields({}, object, by("one"));
  for (const char* fields : {"{", "{\"f:data\":1}", "[]", "{\"k:{\":{}}", "{\"f:a\":{}}x"}) {
    Object fresh = object;
    fresh.mut_meta().managed_fields.mut(0).fields_v1 = api::RawJson{Str(fields)};
    update_managed_fields(object, fresh, by("two"));
    EXPECT_EQ(managers(fresh), managers(object)) << fields;
  }
}

TEST(ManagedFields, KubectlTakesOverItsClientSideApply) {
  const std::string applied = R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"k":"1"}})";
  Object object = config_map(R"({"k":"1"})");
  object.mut_meta().annotations.set("kubectl.kubernetes.io/last-applied-configuration", Str(applied));
  update_managed_fields({}, object, by("kubectl-client-side-apply"));
  const Json config = parse(R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"k":"2"}})");
  EXPECT_EQ(apply(object, *object.kind(), config, false, by("other"), nullptr).status.code(), Code::kConflict);
  const ApiResponse done = apply(object, *object.kind(), config, false, by("kubectl"), nullptr);
  ASSERT_TRUE(done.status.is_ok()) << done.status.message();
  EXPECT_EQ(done.object.get<corev1::ConfigMap>().data.get("k"), "2");
  EXPECT_EQ(done.object.meta().annotations.get("kubectl.kubernetes.io/last-applied-configuration"),
            "{\"apiVersion\":\"v1\",\"data\":{\"k\":\"2\"},\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"a\"}}\n");
}

TEST(ManagedFields, ScaleStealsReplicasFromItsOwner) {
  List<metav1::ManagedFieldsEntry> object;
  metav1::ManagedFieldsEntry& owner = object.push_back({});
  owner.manager = "creator";
  owner.operation = "Update";
  owner.api_version = "apps/v1";
  owner.fields_type = "FieldsV1";
  owner.fields_v1 = api::RawJson{R"({"f:spec":{"f:paused":{},"f:replicas":{}}})"};
  auto scale = fields_of_scale(object);
  ASSERT_TRUE(scale.is_ok());
  EXPECT_EQ((*scale)[0].api_version, "autoscaling/v1");
  scale->mut(0).manager = "scaler";
  const auto after = fields_with_scale(object, *scale, "apps/v1");
  ASSERT_TRUE(after.is_ok());
  ASSERT_EQ(after->size(), 2u);
  EXPECT_EQ((*after)[0].fields_v1->text, R"({"f:spec":{"f:paused":{}}})");
  EXPECT_EQ((*after)[1].manager, "scaler");
  EXPECT_EQ((*after)[1].api_version, "apps/v1");
}

const CustomType& widget() {
  static const CustomType kType = custom_type(parse(R"({"type":"object","properties":{
    "spec":{"type":"object","properties":{
      "size":{"type":"integer"},
      "tags":{"type":"array","items":{"type":"string"},"x-kubernetes-list-type":"set"},
      "ports":{"type":"array","x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["port","proto"],
               "items":{"type":"object","properties":{"port":{"type":"integer"},"proto":{"type":"string","default":"TCP"},
                                                       "name":{"type":"string"}}}},
      "plain":{"type":"array","items":{"type":"string"}},
      "whole":{"type":"object","x-kubernetes-map-type":"atomic","additionalProperties":{"type":"string"}},
      "free":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}},
    "status":{"type":"object","properties":{"phase":{"type":"string"}}}}})"));
  return kType;
}

CustomKind widget_kind() { return {"example.com", "v1", "Widget", &widget(), true}; }

Json widget_of(const std::string& spec) {
  return parse(R"({"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":"w"},"spec":)" + spec + "}");
}

std::string fields_of(const Json& object, std::string_view manager) {
  for (const Json& entry : object["metadata"]["managedFields"].items())
    if (entry["manager"] == Json(manager)) return entry["fieldsV1"].dump_sorted();
  return "";
}

TEST(CustomResources, ApplyOwnsBySchema) {
  const auto done = apply(Json(), widget_kind(),
                          widget_of(R"({"size":1,"tags":["a"],"ports":[{"port":80}],"plain":["x"],"whole":{"a":"b"},
                                        "free":{"deep":{"x":1}}})"),
                          false, by("one"), nullptr);
  ASSERT_TRUE(done.status.is_ok()) << done.status.message();
  EXPECT_EQ(fields_of(done.object, "one"),
            R"({"f:spec":{"f:free":{"f:deep":{".":{},"f:x":{}}},"f:plain":{},"f:ports":{"k:{\"port\":80,\"proto\":\"TCP\"}":)"
            R"({".":{},"f:port":{}}},"f:size":{},"f:tags":{"v:\"a\"":{}},"f:whole":{}}})");
}

TEST(CustomResources, AppliersShareListsAndConflictOnValues) {
  const auto one = apply(Json(), widget_kind(), widget_of(R"({"size":1,"tags":["a"]})"), false, by("one"), nullptr);
  const auto two = apply(one.object, widget_kind(), widget_of(R"({"tags":["b"]})"), false, by("two", 1), nullptr);
  ASSERT_TRUE(two.status.is_ok());
  EXPECT_EQ(two.object["spec"]["tags"], parse(R"(["a","b"])"));
  const auto clash = apply(two.object, widget_kind(), widget_of(R"({"size":2})"), false, by("two", 2), nullptr);
  EXPECT_EQ(clash.status.message(), "Apply failed with 1 conflict: conflict with \"one\": .spec.size");
  ASSERT_EQ(clash.causes.size(), 1u);
  EXPECT_EQ(clash.causes[0].field, ".spec.size");
  const auto gone = apply(two.object, widget_kind(), widget_of(R"({"size":1})"), false, by("one", 3), nullptr);
  EXPECT_EQ(gone.object["spec"]["tags"], parse(R"(["b"])"));
}

TEST(CustomResources, StatusIsNobodysThroughTheObject) {
  Json fresh = parse(R"({"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":"w"},"spec":{"size":1},"status":{"phase":"x"}})");
  update_managed_fields(Json(), fresh, widget_kind(), by("one"));
  EXPECT_EQ(fields_of(fresh, "one"), R"({"f:spec":{".":{},"f:size":{}}})");
}

TEST(CustomResources, WhatTakesAnotherShapeLosesItsMembers) {
  const auto one = apply(Json(), widget_kind(), widget_of(R"({"size":1,"free":{"deep":{"x":1}}})"), false, by("one"), nullptr);
  const auto two = apply(one.object, widget_kind(), widget_of(R"({"free":{"deep":[1]}})"), true, by("two", 1), nullptr);
  EXPECT_EQ(fields_of(two.object, "one"), R"({"f:spec":{"f:size":{}}})");
  const auto back = apply(two.object, widget_kind(), widget_of(R"({"free":{"deep":{"x":2}}})"), true, by("one", 2), nullptr);
  EXPECT_EQ(fields_of(back.object, "two"), "");
}

TEST(CustomResources, AWriteResetsFieldsInItsOwnVersionOnly) {
  const auto size_of_one = [](std::string_view version) {
    CustomKind kind{"example.com", version, "Widget", &widget(), true, [](std::string_view) { return &widget(); }};
    Json live = apply(Json(), widget_kind(), widget_of(R"({"size":1})"), false, by("one"), nullptr).object;
    live.set("apiVersion", str_cat("example.com/", version));
    Json fresh = live;
    fresh.find("spec")->set("size", 2);
    FieldWrite write = by("two", 1);
    write.subresource = "status";
    update_managed_fields(live, fresh, kind, write);
    return fields_of(fresh, "one");
  };
  EXPECT_EQ(size_of_one("v1"), R"({"f:spec":{"f:size":{}}})");
  EXPECT_EQ(size_of_one("v2"), "");
}

TEST(FieldsV1, WritesWhatItReadsInCanonicalOrder) {
  FieldSetPool pool;
  const std::string text = R"({"k:{\"port\":443}":{},"f:b":{"v:\"x\"":{},".":{}},"k:{ \"port\" : 80 }":{},"f:a":{},"z:odd":{},"v:1":{},"i:3":{}})";
  const auto set = parse_fields_v1(text, pool);
  ASSERT_TRUE(set.is_ok());
  EXPECT_EQ(write_fields_v1(*set), R"({"f:a":{},"f:b":{".":{},"v:\"x\"":{}},"k:{\"port\":80}":{},"k:{\"port\":443}":{},"v:1":{},"i:3":{}})");
}

TEST(FieldsV1, LargeNumbersCanBeReadAgain) {
  FieldSetPool pool;
  const auto set = parse_fields_v1(R"({"v:55555555555555555555.5":{},"v:66666666666666666666.5":{}})", pool);
  ASSERT_TRUE(set.is_ok());
  EXPECT_TRUE(parse_fields_v1(write_fields_v1(*set), pool).is_ok());
  EXPECT_TRUE(parse_fields_v1(R"({"v:5.5":{},"v:1e300":{}})", pool).is_ok());
}

TEST(FieldsV1, KeysThatAreNoJsonAreRefused) {
  for (const char* key : {"{\"a\x01\":1}", "{\"a\" \x01:\"b\",\"c\":1}", "{\"\xff\":1}", "{\"a\":}", "{\"a\"", "[1]"}) {
    FieldSetPool pool;
    std::string quoted;
    for (const char c : std::string(key)) quoted += c == '"' ? std::string("\\\"") : std::string(1, c);
    const std::string text = str_cat("{\"k:{\\\"a\\\":2}\":{},\"k:", quoted, "\":{}}");
    EXPECT_FALSE(parse_fields_v1(text, pool).is_ok()) << text;
  }
}

}  // namespace
}  // namespace orrery::server::managed
