#include "engine/server/auth/access_review.h"

#include "engine/api/gen/authenticationv1.h"
#include "engine/api/gen/authorizationv1.h"
#include "engine/api/names.h"
#include "engine/server/auth/review_validation.h"

namespace orrery::server {
namespace {

namespace authz = authorizationv1;
namespace authn = authenticationv1;
constexpr std::string_view kAuthorizationGroup = "authorization.k8s.io";

/// The attributes that a review asks about, with what was wrong about them.
struct Question {
  Attributes attributes;
  std::vector<std::string> errors;
};

template <typename Spec>
Question question_of(const Spec& spec, const ApiUser& user) {
  Question question;
  Attributes& a = question.attributes;
  a.user = user;
  if (!spec.resource_attributes) {
    a.verb = spec.non_resource_attributes->verb;
    a.path = spec.non_resource_attributes->path;
    return question;
  }
  const authz::ResourceAttributes& asked = *spec.resource_attributes;
  a.is_resource = true;
  a.verb = asked.verb;
  a.group = asked.group;
  a.version = asked.version.empty() ? "*" : asked.version;
  a.resource = asked.resource;
  a.subresource = asked.subresource;
  a.ns = asked.namespace_;
  a.name = asked.name;
  question.errors = ask_selectors(asked, a);
  return question;
}

ApiUser subject_of(const authz::SubjectAccessReviewSpec& spec) {
  return {spec.user, spec.uid, spec.groups, spec.extra};
}

// Asks the authorizer and writes the status of an access review of type T.
template <typename T>
Review answer(const api::Object& request, const ApiUser& subject, const FieldErrors& errors,
              const Authorizer& authorizer) {
  if (!errors.empty()) return {invalid_refusal(kAuthorizationGroup, "", "", errors), {}};
  const Question question = question_of(*request.get<T>().spec, subject);
  const Decision decision = authorizer.authorize(question.attributes);
  Review review{{}, request};
  authz::SubjectAccessReviewStatus& status = review.object.mut<T>().status.mut();
  status = authz::SubjectAccessReviewStatus();
  status.allowed = decision.allowed;
  status.reason = decision.reason;
  std::vector<std::string> problems = question.errors;
  if (!decision.error.empty()) problems.insert(problems.begin(), decision.error.str());
  status.evaluation_error = api::join(problems, "; ");
  return review;
}

Review rules_review(const api::Object& request, const ApiUser& user, const Authorizer& authorizer) {
  const Str& ns = request.get<authz::SelfSubjectRulesReview>().spec->namespace_;
  if (ns.empty()) return {plain_refusal(bad_request("no namespace on request")), {}};
  const SubjectRules found = authorizer.rules_for(user, ns);
  Review review{{}, request};
  auto& out = review.object.mut<authz::SelfSubjectRulesReview>();
  out.metadata.reset();
  out.spec.reset();
  authz::SubjectRulesReviewStatus& status = out.status.mut();
  status = authz::SubjectRulesReviewStatus();
  status.resource_rules.clear();
  status.non_resource_rules.clear();
  for (const rbacv1::PolicyRule& rule : found.rules) {
    if (!rule.resources.empty()) {
      authz::ResourceRule& to = status.resource_rules.push_back({});
      to.verbs = rule.verbs;
      to.api_groups = rule.api_groups;
      to.resources = rule.resources;
      to.resource_names = rule.resource_names;
    }
    if (!rule.non_resource_urls.empty()) {
      authz::NonResourceRule& to = status.non_resource_rules.push_back({});
      to.verbs = rule.verbs;
      to.non_resource_urls = rule.non_resource_urls;
    }
  }
  status.incomplete = found.incomplete;
  if (!found.errors.empty()) status.evaluation_error = api::aggregate(found.errors);
  return review;
}

authn::UserInfo user_info(const ApiUser& user) {
  authn::UserInfo info;
  info.username = user.name;
  info.uid = user.uid;
  info.groups = user.groups;
  info.extra = user.extra;
  return info;
}

}  // namespace

Review access_review(const api::Object& request, const ApiUser& user, std::string_view ns,
                     const Authorizer& authorizer) {
  if (const auto* review = request.as<authz::SelfSubjectAccessReview>())
    return answer<authz::SelfSubjectAccessReview>(request, user, validate_review(*review),
                                                  authorizer);
  if (const auto* review = request.as<authz::SubjectAccessReview>())
    return answer<authz::SubjectAccessReview>(request, subject_of(*review->spec),
                                              validate_review(*review), authorizer);
  if (const auto* review = request.as<authz::LocalSubjectAccessReview>())
    return answer<authz::LocalSubjectAccessReview>(request, subject_of(*review->spec),
                                                   validate_review(*review, ns), authorizer);
  return rules_review(request, user, authorizer);
}

Review self_review(const api::Object& request, const ApiUser& user, Time now) {
  Review review{{}, request};
  auto& out = review.object.mut<authn::SelfSubjectReview>();
  out.metadata.reset();
  out.metadata.mut().creation_timestamp = api::Timestamp::whole_seconds(now);
  out.status.mut().user_info = user_info(user);
  return review;
}

Review token_review(const api::Object& request, const Authenticator& authenticator, Time now) {
  const authn::TokenReviewSpec& spec = *request.get<authn::TokenReview>().spec;
  if (spec.token.empty())
    return {plain_refusal(bad_request("token is required for TokenReview in authentication")), {}};
  const auto found = authenticator.authenticate_token(spec.token, spec.audiences, now);
  Review review{{}, request};
  authn::TokenReviewStatus& status = review.object.mut<authn::TokenReview>().status.mut();
  status = authn::TokenReviewStatus();
  status.authenticated = found.is_ok();
  if (!found.is_ok()) {
    status.error = found.status().message();
    return review;
  }
  status.user = user_info(found->user);
  status.audiences = found->audiences;
  return review;
}

}  // namespace orrery::server
