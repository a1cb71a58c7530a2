#include "engine/server/admission/authorizer_value.h"

#include "engine/api/cel/functions.h"
#include "engine/api/names.h"
#include "engine/server/admission/webhook_review.h"

namespace orrery::server {
namespace {

using api::cel::no_overload;
using api::cel::Opaque;
using api::cel::Value;
using Values = std::vector<Value>;

template <typename T, typename... Args>
Value made(Args&&... args) {
  return Value::of_opaque(std::make_shared<T>(std::forward<Args>(args)...));
}

// One that cannot be read selects nothing.
api::FieldSelector selector_of(std::string_view text) {
  auto selector = api::FieldSelector::parse(text);
  return selector.is_ok() ? std::move(*selector) : api::FieldSelector();
}

Str text_of(const Value& value) { return Str(value.string()); }

class DecisionValue final : public Opaque {
 public:
  explicit DecisionValue(Decision decision) : decision_(std::move(decision)) {}
  std::string_view type_name() const override { return "kubernetes.authorization.Decision"; }
  Result<Value> call(std::string_view name, const Values& args) const override {
    if (args.size() != 1) return no_overload(name);
    if (name == "allowed") return Value::flag(decision_.allowed);
    if (name == "reason") return Value::string_of(decision_.reason.str());
    if (name == "errored") return Value::flag(!decision_.error.empty());
    if (name == "error") return Value::string_of(decision_.error.str());
    return no_overload(name);
  }

 private:
  Decision decision_;
};

/// A path, or a resource.
class CheckValue final : public Opaque {
 public:
  CheckValue(const Authorizer& authorizer, Attributes attributes) : authorizer_(authorizer), attributes_(std::move(attributes)) {}
  std::string_view type_name() const override {
    return attributes_.is_resource ? "kubernetes.authorization.ResourceCheck" : "kubernetes.authorization.PathCheck";
  }
  Result<Value> call(std::string_view name, const Values& args) const override {
    if (args.size() != 2 || !args[1].is_string()) return no_overload(name);
    Attributes next = attributes_;
    if (name == "check") {
      next.verb = text_of(args[1]);
      return made<DecisionValue>(authorizer_.authorize(next));
    }
    if (!attributes_.is_resource) return no_overload(name);
    if (name == "subresource") next.subresource = text_of(args[1]);
    else if (name == "namespace") next.ns = text_of(args[1]);
    else if (name == "name") next.name = text_of(args[1]);
    else if (name == "fieldSelector") next.field_selector = selector_of(args[1].string());
    else if (name == "labelSelector") return made<CheckValue>(authorizer_, std::move(next));  // no authorizer looks at labels
    else return no_overload(name);
    return made<CheckValue>(authorizer_, std::move(next));
  }

 private:
  const Authorizer& authorizer_;
  Attributes attributes_;
};

class GroupValue final : public Opaque {
 public:
  GroupValue(const Authorizer& authorizer, Attributes attributes) : authorizer_(authorizer), attributes_(std::move(attributes)) {}
  std::string_view type_name() const override { return "kubernetes.authorization.GroupCheck"; }
  Result<Value> call(std::string_view name, const Values& args) const override {
    if (name != "resource" || args.size() != 2 || !args[1].is_string()) return no_overload(name);
    Attributes next = attributes_;
    next.resource = text_of(args[1]);
    return made<CheckValue>(authorizer_, std::move(next));
  }

 private:
  const Authorizer& authorizer_;
  Attributes attributes_;
};

class AuthorizerValue final : public Opaque {
 public:
  AuthorizerValue(const Authorizer& authorizer, ApiUser user) : authorizer_(authorizer), user_(std::move(user)) {}
  std::string_view type_name() const override { return "kubernetes.authorization.Authorizer"; }
  Result<Value> call(std::string_view name, const Values& args) const override {
    for (size_t i = 1; i < args.size(); ++i)
      if (!args[i].is_string()) return no_overload(name);
    if (name == "serviceAccount" && args.size() == 3) return service_account(text_of(args[1]), text_of(args[2]));
    if (args.size() != 2) return no_overload(name);
    Attributes asked;
    asked.user = user_;
    if (name == "path") {
      if (args[1].string().empty()) return bad_request("path must not be empty");
      asked.path = text_of(args[1]);
      return made<CheckValue>(authorizer_, std::move(asked));
    }
    if (name != "group") return no_overload(name);
    asked.is_resource = true;
    asked.group = text_of(args[1]);
    asked.version = "*";
    return made<GroupValue>(authorizer_, std::move(asked));
  }

 private:
  Result<Value> service_account(const Str& ns, const Str& name) const {
    if (const auto wrong = api::check_dns1123_subdomain(name); !wrong.empty()) return bad_request("Invalid service account name");
    if (const auto wrong = api::check_dns1123_label(ns); !wrong.empty()) return bad_request("Invalid service account namespace");
    ApiUser user;
    user.name = Str(str_cat("system:serviceaccount:", ns, ":", name));
    for (const Str& group : {Str("system:serviceaccounts"), Str(str_cat("system:serviceaccounts:", ns)), Str("system:authenticated")})
      user.groups.push_back(group);
    return made<AuthorizerValue>(authorizer_, std::move(user));
  }

  const Authorizer& authorizer_;
  ApiUser user_;
};

ApiUser user_of(const AdmissionRequest& request) {
  ApiUser user = request.user;
  if (is_own(request)) user.groups.push_back("system:masters");
  return user;
}

}  // namespace

Value authorizer_value(const Authorizer& authorizer, const AdmissionRequest& request) {
  return made<AuthorizerValue>(authorizer, user_of(request));
}

Value request_resource_value(const Authorizer& authorizer, const AdmissionRequest& request) {
  Attributes asked;
  asked.user = user_of(request);
  asked.is_resource = true;
  asked.group = Str(request.kind->group);
  asked.version = Str(request.kind->version);
  asked.resource = Str(request.kind->plural);
  asked.subresource = request.subresource;
  asked.ns = request.ns;
  asked.name = request_name(request);
  return made<CheckValue>(authorizer, std::move(asked));
}

}  // namespace orrery::server
