#include "engine/server/admission/validating_policy.h"

#include <gtest/gtest.h>

#include "engine/api/gen/corev1.h"
#include "engine/server/admission/webhooks.h"
#include "tests/support/object_table.h"

namespace orrery {
namespace {

using server::AdmissionContext;
using server::AdmissionRequest;
using server::Refusal;
using test::object_of;

/// One create of a config map, under a policy and its binding.
class ValidatingPolicies : public testing::Test {
 protected:
  ValidatingPolicies() {
    objects_.put(R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":"ns","labels":{"team":"a"}}})");
    request_.kind = corev1::ConfigMap::descriptor().kind;
    request_.ns = "ns";
    request_.user.name = "bob";
    request_.object = object_of(R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c","namespace":"ns"},"data":{"a":"1"}})");
  }

  void put_policy(std::string_view spec) {
    objects_.put(str_cat(R"({"apiVersion":"admissionregistration.k8s.io/v1","kind":"ValidatingAdmissionPolicy","metadata":{"name":"p"},"spec":{)",
                         R"("matchConstraints":{"resourceRules":[{"operations":["CREATE"],"apiGroups":[""],"apiVersions":["v1"],)",
                         R"("resources":["configmaps"]}]},)", spec, "}}"));
  }
  void bind(std::string_view spec = R"("validationActions":["Deny"])") {
    objects_.put(str_cat(R"({"apiVersion":"admissionregistration.k8s.io/v1","kind":"ValidatingAdmissionPolicyBinding","metadata":{"name":"b"},)",
                         R"("spec":{"policyName":"p",)", spec, "}}"));
  }

  /// What is said to the request; "" if it passes.
  std::string admit(server::AdmissionChain& chain) {
    std::vector<HttpCallOutcome> answers;
    std::vector<Str> call_uids;
    std::vector<StoreOp> writes;
    std::vector<StoreCompare> compares;
    RngStream names(1, "test");
    const ApiRequest source;
    const server::Authorizer authorizer({server::AuthorizationMode::kRbac});
    AdmissionContext context{objects_, &authorizer, {}, names, source, false, warnings_, writes, compares, answers, call_uids, 0, {}, nullptr};
    annotations_ = {};
    context.annotations = &annotations_;
    refusal_ = chain.validate(request_, context);
    called_ = context.call != nullptr;
    return refusal_.status.message();
  }
  std::string admit() {
    server::AdmissionChain chain;
    chain.add(server::validating_policy());
    return admit(chain);
  }

  test::ObjectTable objects_;
  AdmissionRequest request_;
  Refusal refusal_;
  std::vector<Str> warnings_;
  Map<Str> annotations_;
  bool called_ = false;
};

constexpr std::string_view kDenied = "configmaps \"c\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: ";

TEST_F(ValidatingPolicies, FirstFailureIsTheAnswer) {
  put_policy(R"x("validations":[{"expression":"has(object.data.b)"},{"expression":"false","message":"never"}])x");
  EXPECT_EQ(admit(), "");  // no binding
  bind();
  EXPECT_EQ(admit(), str_cat(kDenied, "failed expression: has(object.data.b)"));
  EXPECT_EQ(refusal_.whole->code, 422);
  EXPECT_EQ(refusal_.whole->reason, "Invalid");
}

TEST_F(ValidatingPolicies, MessagesAndReasonsAreThePolicys) {
  put_policy(R"x("validations":[{"expression":"object.metadata.name != 'c'","messageExpression":"object.metadata.name + ' is taken'",
                 "message":"taken","reason":"RequestEntityTooLarge"}])x");
  bind();
  EXPECT_EQ(admit(), str_cat(kDenied, "c is taken"));
  EXPECT_EQ(refusal_.whole->code, 413);
}

TEST_F(ValidatingPolicies, WarningsLetTheRequestPass) {
  put_policy(R"x("validations":[{"expression":"false","message":"no"}])x");
  bind(R"("validationActions":["Warn","Audit"])");
  EXPECT_EQ(admit(), "");
  ASSERT_EQ(warnings_.size(), 1u);
  EXPECT_EQ(warnings_[0], "Validation failed for ValidatingAdmissionPolicy 'p' with binding 'b': no");
}

TEST_F(ValidatingPolicies, VariablesAreEvaluatedWhenTheyAreUsed) {
  put_policy(R"x("variables":[{"name":"n","expression":"object.data.size()"},{"name":"bad","expression":"object.none"},
                 {"name":"twice","expression":"variables.n * 2"}],
                 "validations":[{"expression":"variables.twice == 2"},{"expression":"variables.bad == 1"}])x");
  bind();
  EXPECT_EQ(admit(), str_cat(kDenied, "expression 'variables.bad == 1' resulted in error: composited variable \"bad\" fails to evaluate: no such key: none"));
}

TEST_F(ValidatingPolicies, FailurePolicyDecidesOnErrors) {
  put_policy(R"x("failurePolicy":"Ignore","validations":[{"expression":"object.none == 1"}])x");
  bind();
  EXPECT_EQ(admit(), "");
}

TEST_F(ValidatingPolicies, ConditionsAndSelectorsLimitWhatIsLookedAt) {
  put_policy(R"x("matchConditions":[{"name":"x","expression":"request.name != 'c'"}],"validations":[{"expression":"false"}])x");
  bind();
  EXPECT_EQ(admit(), "");
  put_policy(R"x("validations":[{"expression":"namespaceObject.metadata.labels['team'] == 'b'","message":"team"}])x");
  EXPECT_EQ(admit(), str_cat(kDenied, "team"));
  bind(R"x("validationActions":["Deny"],"matchResources":{"namespaceSelector":{"matchLabels":{"team":"b"}}})x");
  EXPECT_EQ(admit(), "");
  bind(R"x("validationActions":["Deny"],"matchResources":{"excludeResourceRules":[{"operations":["*"],"apiGroups":["*"],"apiVersions":["*"],
           "resources":["*"],"resourceNames":["c"]}]})x");
  EXPECT_EQ(admit(), "");
}

TEST_F(ValidatingPolicies, ParametersComeFromOtherObjects) {
  put_policy(R"x("paramKind":{"apiVersion":"v1","kind":"Secret"},"validations":[{"expression":"params.type == 'good'","message":"not good"}])x");
  bind(R"x("validationActions":["Deny"],"paramRef":{"name":"s","parameterNotFoundAction":"Deny"})x");
  EXPECT_EQ(admit(), str_cat(kDenied, "failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction"));
  objects_.put(R"({"apiVersion":"v1","kind":"Secret","metadata":{"name":"s","namespace":"ns","labels":{"l":"1"}},"type":"bad"})");
  EXPECT_EQ(admit(), str_cat(kDenied, "not good"));
  bind(R"x("validationActions":["Deny"],"paramRef":{"selector":{"matchLabels":{"l":"2"}},"parameterNotFoundAction":"Allow"})x");
  EXPECT_EQ(admit(), "");
  put_policy(R"x("paramKind":{"apiVersion":"none.test/v1","kind":"Gone"},"validations":[{"expression":"true"}])x");
  EXPECT_EQ(admit(), "configmaps \"c\" is forbidden: ValidatingAdmissionPolicy 'p' denied request: failed to configure policy: failed to find "
                     "resource referenced by paramKind: 'none.test/v1, Kind=Gone'");
}

TEST_F(ValidatingPolicies, AuthorizerIsAskedAboutTheUser) {
  put_policy(R"x("validations":[{"expression":"authorizer.group('').resource('nodes').fieldSelector('a=b').labelSelector('c').check('delete').allowed()","message":"no nodes"}])x");
  bind();
  EXPECT_EQ(admit(), str_cat(kDenied, "no nodes"));
  request_.user.groups.push_back("system:masters");
  EXPECT_EQ(admit(), "");
}

TEST_F(ValidatingPolicies, WebhooksAreNotCalledWhereTheirConditionsAreFalse) {
  const auto put = [&](std::string_view expression) {
    objects_.put(str_cat(R"({"apiVersion":"admissionregistration.k8s.io/v1","kind":"ValidatingWebhookConfiguration","metadata":{"name":"h"},)",
                         R"("webhooks":[{"name":"h.hooks.test","clientConfig":{"url":"https://127.0.0.1:1/h"},"sideEffects":"None",)",
                         R"("rules":[{"operations":["CREATE"],"apiGroups":[""],"apiVersions":["v1"],"resources":["configmaps"]}],)",
                         R"("matchConditions":[{"name":"c","expression":")", expression, R"("}]}]})"));
  };
  server::AdmissionChain chain;
  chain.add(server::validating_webhook());
  put("request.name != 'c'");
  EXPECT_EQ(admit(chain), "");
  EXPECT_FALSE(called_);
  put("request.name == 'c'");
  admit(chain);
  EXPECT_TRUE(called_);
  put("object.none == 1");
  EXPECT_EQ(admit(chain), "configmaps \"c\" is forbidden: expression 'object.none == 1' resulted in error: no such key: none");
}

TEST_F(ValidatingPolicies, WhatIsAuditedIsNotRefused) {
  put_policy(R"x("validations":[{"expression":"true"},{"expression":"object.data.a == '2'","message":"wrong"}],
    "auditAnnotations":[{"key":"value","valueExpression":"' a is ' + object.data.a"},{"key":"none","valueExpression":"null"}])x");
  bind(R"("validationActions":["Audit"])");
  EXPECT_EQ(admit(), "");
  EXPECT_EQ(annotations_.get("p/value"), "a is 1");
  EXPECT_FALSE(annotations_.contains("p/none"));
  EXPECT_EQ(annotations_.get("validation.policy.admission.k8s.io/validation_failure"),
            R"([{"message":"wrong","policy":"p","binding":"b","expressionIndex":1,"validationActions":["Audit"]}])");
}

TEST(CelPrograms, AreParsedOnceAndForgottenInTheOrderOfTheirUse) {
  api::cel::Programs programs;
  const auto first = programs.of("1 + 1");
  EXPECT_TRUE(first->is_ok());
  EXPECT_FALSE(programs.of("1 +")->is_ok());
  EXPECT_EQ(programs.of("1 + 1"), first);
  EXPECT_EQ(programs.parsed(), 2u);
  for (size_t i = 0; i < 3 * api::cel::Programs::kKept; ++i) {
    programs.of(str_cat(i));
    EXPECT_EQ(programs.of("1 + 1"), first);
  }
  EXPECT_EQ(programs.parsed(), 2 + 3 * api::cel::Programs::kKept);
  programs.of("1 +");
  EXPECT_EQ(programs.parsed(), 3 + 3 * api::cel::Programs::kKept);
}

}  // namespace
}  // namespace orrery
