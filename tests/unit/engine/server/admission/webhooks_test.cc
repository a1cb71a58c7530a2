#include <gtest/gtest.h>

#include "engine/api/base64.h"
#include "engine/api/gen/corev1.h"
#include "engine/server/admission/resource_quota.h"
#include "engine/server/admission/webhooks.h"
#include "tests/support/object_table.h"

namespace orrery {
namespace {

using api::Json;
using server::AdmissionContext;
using server::AdmissionRequest;
using server::Refusal;
using test::object_of;

/// Admits one request again and again, as the server does: each call is answered by `reply`.
class Webhooks : public testing::Test {
 protected:
  Webhooks() {
    objects_.put(R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":"ns","labels":{"team":"a"}}})");
    request_.kind = corev1::ConfigMap::descriptor().kind;
    request_.ns = "ns";
    request_.object = object_of(R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c","namespace":"ns"},"data":{"a":"1"}})");
  }

  void register_hook(std::string_view kind, std::string_view name, std::string_view more) {
    objects_.put(str_cat(R"({"apiVersion":"admissionregistration.k8s.io/v1","kind":")", kind, R"(","metadata":{"name":")", name,
                         R"("},"webhooks":[{"name":")", name, R"(.hooks.test","clientConfig":{"url":"https://127.0.0.1:1/)", name,
                         R"("},"rules":[{"operations":["CREATE"],"apiGroups":[""],"apiVersions":["v1"],"resources":["configmaps"]}],)",
                         R"("admissionReviewVersions":["v1"],"sideEffects":"None","timeoutSeconds":2)", more, "}]}"));
  }

  /// Runs until nothing is to be called any more.
  Refusal admit(const server::AdmissionChain& chain) {
    std::vector<HttpCallOutcome> answers;
    std::vector<Str> call_uids;
    for (;;) {
      admitted_ = request_;
      writes_.clear();
      compares_.clear();
      warnings_.clear();
      RngStream names(1, "test");
      const ApiRequest source;
      AdmissionContext context{objects_, nullptr, {}, names, source, dry_run_, warnings_, writes_, compares_, answers, call_uids, 0, {}, nullptr};
      annotations_ = {};
      context.annotations = &annotations_;
      Refusal refusal = chain.mutate(admitted_, context);
      if (refusal.is_ok() && !context.call) refusal = chain.validate(admitted_, context);
      if (!context.call) return refusal;
      called_.push_back(context.call->url);
      answers.push_back(reply(*context.call));
    }
  }
  Refusal admit() {
    server::AdmissionChain chain;
    chain.add(server::mutating_webhook());
    chain.add(server::validating_webhook());
    return admit(chain);
  }

  HttpCallOutcome reply(const HttpCall& call) {
    if (!failure_.is_ok()) return {failure_, {}};
    Json review = *Json::parse(call.body);
    Json response = *Json::parse(response_);
    response.set("uid", review["request"]["uid"]);
    reviews_.push_back(review["request"]);
    if (call.url.find("/p?") != std::string::npos && review["request"]["object"]["data"]["b"].is_null()) {
      response.set("patchType", "JSONPatch");
      response.set("patch", api::base64_encode(R"([{"op":"add","path":"/data/b","value":"2"}])"));
    }
    if (call.url.find("/u?") != std::string::npos) {
      response.set("patchType", "JSONPatch");
      response.set("patch", api::base64_encode(R"([{"op":"add","path":"/unknown","value":"2"}])"));
    }
    review.erase("request");
    review.set("response", response);
    return {Status::ok(), {200, {}, review.dump()}};
  }

  test::ObjectTable objects_;
  AdmissionRequest request_, admitted_;
  std::string response_ = R"({"allowed":true})";
  Status failure_ = Status::ok();
  bool dry_run_ = false;
  std::vector<Str> warnings_;
  Map<Str> annotations_;
  std::vector<StoreOp> writes_;
  std::vector<StoreCompare> compares_;
  std::vector<std::string> called_;
  std::vector<Json> reviews_;
};

TEST_F(Webhooks, PatchOfAMutatingWebhookChangesTheObject) {
  register_hook("MutatingWebhookConfiguration", "p", "");
  EXPECT_TRUE(admit().is_ok());
  EXPECT_EQ(admitted_.object.get<corev1::ConfigMap>().data.get("b"), "2");
  EXPECT_EQ(called_, std::vector<std::string>{"https://127.0.0.1:1/p?timeout=2s"});
  EXPECT_EQ(reviews_[0]["operation"], Json("CREATE"));
}

TEST_F(Webhooks, WebhookIsAskedAgainAfterALaterOneHasChangedTheObject) {
  register_hook("MutatingWebhookConfiguration", "a", R"(,"reinvocationPolicy":"IfNeeded")");
  register_hook("MutatingWebhookConfiguration", "p", "");
  EXPECT_TRUE(admit().is_ok());
  ASSERT_EQ(reviews_.size(), 3u);
  EXPECT_EQ(reviews_[2]["object"]["data"]["b"], Json("2"));
}

TEST_F(Webhooks, APatchOfNothingThatTheKindHasIsNoChange) {
  register_hook("MutatingWebhookConfiguration", "a", R"(,"reinvocationPolicy":"IfNeeded")");
  register_hook("MutatingWebhookConfiguration", "u", "");
  EXPECT_TRUE(admit().is_ok());
  EXPECT_EQ(reviews_.size(), 2u);
}

TEST_F(Webhooks, WhatIsDeletedCannotBePatched) {
  objects_.put(R"({"apiVersion":"admissionregistration.k8s.io/v1","kind":"MutatingWebhookConfiguration","metadata":{"name":"u"},
    "webhooks":[{"name":"u.hooks.test","clientConfig":{"url":"https://127.0.0.1:1/u"},"sideEffects":"None",
    "rules":[{"operations":["DELETE"],"apiGroups":[""],"apiVersions":["v1"],"resources":["*"]}],"admissionReviewVersions":["v1"]}]})");
  request_.operation = AdmissionRequest::Operation::kDelete;
  request_.old = std::exchange(request_.object, {});
  EXPECT_EQ(admit().status.message(), "Internal error occurred: admission webhook \"u.hooks.test\" attempted to modify the object, "
                                      "which is not supported for this operation");
}

TEST_F(Webhooks, AllValidatingWebhooksAreAskedWhateverTheOthersSay) {
  register_hook("ValidatingWebhookConfiguration", "v", "");
  register_hook("ValidatingWebhookConfiguration", "w", "");
  response_ = R"({"allowed":false,"warnings":["careful"]})";
  EXPECT_EQ(admit().whole->message, R"(admission webhook "v.hooks.test" denied the request without explanation)");
  EXPECT_EQ(called_.size(), 2u);
  EXPECT_EQ(warnings_.size(), 2u);
}

TEST_F(Webhooks, AuditEventsTellWhatMutatingWebhooksDid) {
  register_hook("MutatingWebhookConfiguration", "a", R"(,"reinvocationPolicy":"IfNeeded")");
  register_hook("MutatingWebhookConfiguration", "p", "");
  EXPECT_TRUE(admit().is_ok());
  const auto told = [&](std::string_view key) { return annotations_.get(key).str(); };
  EXPECT_EQ(told("mutation.webhook.admission.k8s.io/round_0_index_0"), R"({"configuration":"a","webhook":"a.hooks.test","mutated":false})");
  EXPECT_EQ(told("mutation.webhook.admission.k8s.io/round_0_index_1"), R"({"configuration":"p","webhook":"p.hooks.test","mutated":true})");
  EXPECT_EQ(told("patch.webhook.admission.k8s.io/round_0_index_1"),
            R"({"configuration":"p","webhook":"p.hooks.test","patch":[{"op":"add","path":"/data/b","value":"2"}],"patchType":"JSONPatch"})");
  EXPECT_EQ(told("mutation.webhook.admission.k8s.io/round_1_index_0"), R"({"configuration":"a","webhook":"a.hooks.test","mutated":false})");
  EXPECT_EQ(annotations_.size(), 4u);
}

TEST_F(Webhooks, AuditEventsNameWebhooksThatCouldNotBeAsked) {
  register_hook("MutatingWebhookConfiguration", "p", R"(,"failurePolicy":"Ignore")");
  register_hook("ValidatingWebhookConfiguration", "v", R"(,"failurePolicy":"Ignore")");
  failure_ = Status(Code::kTimeout, "late");
  EXPECT_TRUE(admit().is_ok());
  EXPECT_EQ(annotations_.get("failed-open.mutation.webhook.admission.k8s.io/round_0_index_0"), "p.hooks.test");
  EXPECT_EQ(annotations_.get("failed-open.validating.webhook.admission.k8s.io/round_0_index_0"), "v.hooks.test");
}

TEST_F(Webhooks, RefusalCarriesTheWebhooksCodeAndWords) {
  register_hook("ValidatingWebhookConfiguration", "v", "");
  response_ = R"({"allowed":false,"status":{"code":418,"message":"short and stout"}})";
  const Refusal refusal = admit();
  ASSERT_TRUE(refusal.whole);
  EXPECT_EQ(refusal.whole->code, 418);
  EXPECT_EQ(refusal.whole->message, R"(admission webhook "v.hooks.test" denied the request: short and stout)");
}

TEST_F(Webhooks, FailedCallRefusesUnlessThePolicyIgnoresIt) {
  register_hook("ValidatingWebhookConfiguration", "v", "");
  failure_ = Status(Code::kTimeout, "late");
  EXPECT_EQ(admit().status.message(),
            "Internal error occurred: failed calling webhook \"v.hooks.test\": failed to call webhook: "
            "Post \"https://127.0.0.1:1/v?timeout=2s\": context deadline exceeded");
  register_hook("ValidatingWebhookConfiguration", "v", R"(,"failurePolicy":"Ignore")");
  EXPECT_TRUE(admit().is_ok());
}

TEST_F(Webhooks, OnlyRequestsThatRulesAndSelectorsNameAreSent) {
  register_hook("ValidatingWebhookConfiguration", "v", R"(,"namespaceSelector":{"matchLabels":{"team":"b"}})");
  EXPECT_TRUE(admit().is_ok());
  EXPECT_TRUE(called_.empty());
  register_hook("ValidatingWebhookConfiguration", "v", R"(,"namespaceSelector":{"matchLabels":{"team":"a"}})");
  request_.operation = AdmissionRequest::Operation::kDelete;
  EXPECT_TRUE(admit().is_ok());
  EXPECT_TRUE(called_.empty());
  request_.operation = AdmissionRequest::Operation::kCreate;
  EXPECT_TRUE(admit().is_ok());
  EXPECT_EQ(called_.size(), 1u);
}

TEST_F(Webhooks, DryRunIsRefusedWhereAWebhookHasSideEffects) {
  objects_.put(R"({"apiVersion":"admissionregistration.k8s.io/v1","kind":"ValidatingWebhookConfiguration","metadata":{"name":"v"},
    "webhooks":[{"name":"v.hooks.test","clientConfig":{"url":"https://127.0.0.1:1/v"},"sideEffects":"Some",
    "rules":[{"operations":["*"],"apiGroups":["*"],"apiVersions":["*"],"resources":["*"]}],"admissionReviewVersions":["v1"]}]})");
  dry_run_ = true;
  EXPECT_EQ(admit().status.message(), "admission webhook \"v.hooks.test\" does not support dry run");
}

TEST_F(Webhooks, QuotaIsChargedIfItIsStillWhatWasRead) {
  objects_.put(R"({"apiVersion":"v1","kind":"ResourceQuota","metadata":{"name":"q","namespace":"ns","resourceVersion":"7"},
    "spec":{"hard":{"configmaps":"2"}},"status":{"hard":{"configmaps":"2"},"used":{"configmaps":"1"}}})");
  server::AdmissionChain chain;
  chain.add(server::resource_quota());
  EXPECT_TRUE(admit(chain).is_ok());
  ASSERT_EQ(writes_.size(), 1u);
  ASSERT_EQ(compares_.size(), 1u);
  EXPECT_EQ(compares_[0].number, 7);
  EXPECT_EQ(compares_[0].key, writes_[0].range.key);
  EXPECT_EQ(writes_[0].value.object.get<corev1::ResourceQuota>().status->used.get("configmaps").to_string(), "2");
}

}  // namespace
}  // namespace orrery
