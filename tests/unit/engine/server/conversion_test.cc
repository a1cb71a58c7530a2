#include "engine/server/custom/conversion.h"

#include <gtest/gtest.h>

#include "engine/api/codec_json.h"
#include "engine/server/custom/custom_kinds.h"

namespace orrery::server {
namespace {

constexpr const char* kDefinition = R"({"metadata":{"name":"gadgets.example.com","uid":"1"},"spec":{"group":"example.com",
  "scope":"Namespaced","names":{"plural":"gadgets","kind":"Gadget"},
  "conversion":{"strategy":"Webhook","webhook":{"conversionReviewVersions":["v1"],"clientConfig":{"url":"https://127.0.0.1/convert"}}},
  "versions":[{"name":"v1","served":true,"storage":false,"schema":{"openAPIV3Schema":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}},
              {"name":"v2","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}}]},
  "status":{"conditions":[{"type":"Established","status":"True"}],"acceptedNames":{"plural":"gadgets","kind":"Gadget","listKind":"GadgetList"},
  "storedVersions":["v2"]}})";

class ConversionTest : public ::testing::Test {
 protected:
  ConversionTest() {
    const auto definition = api::struct_from_json<apiextensionsv1::CustomResourceDefinition>(*api::Json::parse(kDefinition));
    EXPECT_TRUE(kinds_.set(*definition));
    v1_ = kinds_.find("example.com", "v1", "gadgets");
    v2_ = kinds_.find("example.com", "v2", "gadgets");
    object_ = api::Object::make(*v1_->type);
    EXPECT_TRUE(api::decode_json_into(R"({"metadata":{"name":"g","uid":"7"},"spec":{"size":4}})", *v1_->type, object_.mut_data()).is_ok());
  }
  Status answer(std::string_view body) {
    conversions_.call("u");
    HttpCallOutcome outcome;
    outcome.response.body = body;
    return conversions_.take(outcome, "u");
  }

  CustomKinds kinds_;
  const api::KindDesc* v1_;
  const api::KindDesc* v2_;
  api::Object object_;
  Conversions conversions_;
};

TEST_F(ConversionTest, AWebhookIsAskedOnceAndMayNotTouchIdentity) {
  EXPECT_FALSE(conversions_.find(object_, *v2_));
  EXPECT_TRUE(conversions_.incomplete());
  ASSERT_TRUE(answer(R"({"response":{"uid":"u","result":{"status":"Success"},"convertedObjects":[{"apiVersion":"example.com/v2",
    "kind":"Gadget","metadata":{"name":"other","uid":"8","labels":{"a":"b"}},"spec":{"length":4}}]}})").is_ok());
  const api::Object converted = conversions_.find(object_, *v2_);
  EXPECT_FALSE(conversions_.incomplete());
  ASSERT_TRUE(converted);
  EXPECT_EQ(converted.kind(), v2_);
  EXPECT_EQ(converted.meta().name, "g");
  EXPECT_EQ(converted.meta().uid, "7");
  EXPECT_EQ(converted.meta().labels.get("a"), "b");
  EXPECT_EQ(api::custom_rest(converted)["spec"]["length"].as_int(), 4);
}

TEST_F(ConversionTest, AnswersThatCannotBeTrustedFail) {
  conversions_.find(object_, *v2_);
  EXPECT_EQ(answer(R"({"response":{"uid":"u","result":{"status":"Failed","message":"cannot convert"}}})").message(),
            "conversion webhook for example.com/v1, Kind=Gadget failed: cannot convert");
  for (const char* body : {"", R"({"response":{"uid":"x","result":{"status":"Success"},"convertedObjects":[{}]}})",
                           R"({"response":{"uid":"u","result":{"status":"Success"},"convertedObjects":[]}})",
                           R"({"response":{"uid":"u","result":{"status":"Success"},"convertedObjects":[{"apiVersion":"example.com/v1","kind":"Gadget"}]}})"}) {
    conversions_.find(object_, *v2_);
    EXPECT_FALSE(answer(body).is_ok()) << body;
  }
}

}  // namespace
}  // namespace orrery::server
