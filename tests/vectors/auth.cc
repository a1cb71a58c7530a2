// Recorded requests about who may do what, decided without HTTP, store or server: who asks, whether
// the authorizer lets it pass, grants without escalation, and the reviews that are answered at
// once. What the recorded server answered to the other requests becomes the state of the cluster.
#include <algorithm>
#include <map>

#include "engine/api/codec_json.h"
#include "engine/api/gen/authenticationv1.h"
#include "engine/api/names.h"
#include "engine/runtime/json_web_token.h"
#include "engine/server/auth/access_review.h"
#include "engine/server/auth/escalation.h"
#include "engine/server/auth/impersonation.h"
#include "engine/server/auth/token_request.h"
#include "engine/server/bootstrap/bootstrap_objects.h"
#include "engine/server/rest/request_info.h"
#include "tests/support/plain_signer.h"
#include "tests/support/vectors.h"

namespace orrery::test {
namespace {

using api::Json;
using namespace orrery::server;

constexpr Time kNow = Time::from_unix_seconds(1'735'689'600);

/// Replaces the placeholders of recordings by values of their kind: ${ns} by a name, times by one,
/// versions by a number; others stay as they are.
std::string fill_in(std::string text) {
  const auto replace = [&](std::string_view from, std::string_view to, bool numbered) {
    for (size_t at = 0; (at = text.find(from, at)) != text.npos; at += to.size()) {
      const size_t end = numbered ? text.find('}', at) + 1 : at + from.size();
      text.replace(at, end - at, to);
    }
  };
  replace("${ns}", "ns1", false);
  replace("${time}", "2025-01-01T00:00:00Z", false);
  replace("${ctime:", "2025-01-01T00:00:00Z", true);
  replace("${dtime:", "2025-01-01T00:00:00Z", true);
  replace("${rv:", "1", true);
  return text;
}

/// The cluster as one scenario has left it.
class Cluster : public ObjectReader {
 public:
  Cluster()
      : authorizer_({AuthorizationMode::kNode, AuthorizationMode::kRbac}),
        authenticator_(options(), &signer_, this) {
    for (const api::Object& object : bootstrap_objects()) put(object);
  }
  api::Object find(const api::KindDesc& kind, std::string_view ns,
                   std::string_view name) const override {
    const auto found = objects_.find(key(kind, ns, name));
    return found == objects_.end() ? api::Object() : found->second;
  }
  void put(const api::Object& object) {
    const metav1::ObjectMeta& meta = object.meta();
    api::Object& slot = objects_[key(*object.kind(), meta.namespace_, meta.name)];
    authorizer_.on_change(*object.kind(), slot, object);
    slot = object;
  }
  void remove(const api::KindDesc& kind, std::string_view ns, std::string_view name) {
    const auto found = objects_.find(key(kind, ns, name));
    if (found == objects_.end()) return;
    authorizer_.on_change(kind, found->second, {});
    objects_.erase(found);
  }
  const Authorizer& authorizer() const { return authorizer_; }
  const Authenticator& authenticator() const { return authenticator_; }
  const TokenSigner& signer() const { return signer_; }

 private:
  static std::string key(const api::KindDesc& kind, std::string_view ns, std::string_view name) {
    return str_cat(kind.plural, ".", kind.group, "/", ns, "/", name);
  }
  // The users of tokens.csv.
  static AuthenticatorOptions options() {
    AuthenticatorOptions options;
    options.anonymous = true;
    options.issuers = {"https://kubernetes.default.svc"};
    const auto add = [&](std::string_view token, std::string_view name, std::string_view uid,
                         List<Str> groups) {
      options.static_tokens.set(Str(token), ApiUser{Str(name), Str(uid), std::move(groups), {}});
    };
    add("admin-token", "admin", "uid-admin", {"system:masters"});
    add("alice-token", "alice", "uid-alice", {"dev", "qa"});
    add("bob-token", "bob", "uid-bob", {"ops"});
    add("carol-token", "carol", "uid-carol", {});
    add("erin-token", "erin", "uid-erin", {});
    add("node1-token", "system:node:node1", "uid-node1", {"system:nodes"});
    add("kcm-token", "system:kube-controller-manager", "uid-kcm", {});
    return options;
  }

  PlainSigner signer_;
  std::map<std::string, api::Object> objects_;
  Authorizer authorizer_;
  Authenticator authenticator_;
};

/// One recorded request, and what became of it here.
struct Step {
  const Json& recorded;
  HttpRequest http;
  RequestInfo info;
  Query query;
  ApiUser user;
  Refusal refusal;     // of authentication, impersonation, authorization, escalation or the review
  api::Object answer;  // of a review
};

std::string token_of(std::string_view user) {
  if (user.starts_with("ey")) return std::string(user);  // of a service account
  if (user == "system:node:node1") return "node1-token";
  if (user == "system:kube-controller-manager") return "kcm-token";
  return str_cat(user, "-token");
}

HttpRequest http_of(const Json& request) {
  HttpRequest http;
  http.method = request["method"].as_string().str();
  const std::string path = request["path"].as_string().str();
  const size_t mark = path.find('?');
  http.path = path.substr(0, mark);
  if (mark != path.npos) http.query = path.substr(mark + 1);
  for (const Json::Member& header : request["headers"].members()) {
    std::string name = header.key.str();
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return std::tolower(c); });
    http.headers.push_back({name, header.value.as_string().str()});
  }
  const Json* user = request.find("user");
  const std::string name = user ? user->as_string().str() : "admin";
  if (name != "none" && find_header(http.headers, "authorization").empty())
    http.headers.push_back({"authorization", "Bearer " + token_of(name)});
  return http;
}

Attributes attributes_of(const Step& step) {
  Attributes a;
  a.user = step.user;
  a.verb = step.info.verb;
  a.is_resource = step.info.is_resource;
  a.group = step.info.group;
  a.version = step.info.version;
  a.resource = step.info.resource;
  a.subresource = step.info.subresource;
  a.ns = step.info.ns;
  a.name = step.info.name;
  a.path = step.info.path;
  const auto selector = api::FieldSelector::parse(step.query.get("fieldSelector"));
  if (selector.is_ok()) a.field_selector = *selector;
  return a;
}

Refusal let_in(Step& step, const Cluster& cluster) {
  const auto who = cluster.authenticator().authenticate(step.http, kNow);
  if (!who.is_ok()) return plain_refusal(who.status());
  const Impersonation as = impersonate(step.http, who->user, cluster.authorizer());
  if (!as.refusal.is_ok()) return as.refusal;
  step.user = as.user;
  const Attributes attributes = attributes_of(step);
  const Decision decision = cluster.authorizer().authorize(attributes);
  return decision.allowed ? Refusal{} : forbidden(attributes, decision.reason);
}

bool is_write(const Step& step) { return step.http.method == "POST" || step.http.method == "PUT"; }

// The object that the request would store; patches are merged, which is enough for these files.
api::Object body_of(const Step& step, const Cluster& cluster, api::Object* old) {
  const Json* body = step.recorded["request"].find("body");
  const auto* kind = api::find_resource(step.info.group, step.info.version, step.info.resource);
  if (body == nullptr || kind == nullptr || !step.info.subresource.empty()) return {};
  *old = cluster.find(*kind, step.info.ns, step.info.name);
  Json json = *old && step.http.method == "PATCH" ? api::to_json(*old) : *body;
  if (step.http.method == "PATCH")
    for (const Json::Member& member : body->members()) json.set(member.key, member.value);
  auto object = api::object_from_json(json);
  if (!object.is_ok()) return {};
  if (kind->namespaced && object->has_meta()) object->mut_meta().namespace_ = step.info.ns;
  return *object;
}

void ask_token(Step& step, const Cluster& cluster) {
  const Json* body = step.recorded["request"].find("body");
  auto request =
      api::struct_from_json<authenticationv1::TokenRequest>(body ? *body : Json::object());
  if (!request.is_ok()) return;
  TokenRequestOptions options;
  options.issuer = "https://kubernetes.default.svc";
  options.audiences = {"https://kubernetes.default.svc"};
  const Review review = request_token(api::Object::of(*request), step.info.ns, step.info.name,
                                      "jti", options, cluster.signer(), cluster, kNow);
  step.refusal = review.refusal;
  step.answer = review.object;
}

void carry_out(Step& step, const Cluster& cluster) {
  if (step.info.subresource == "token" && step.http.method == "POST")
    return ask_token(step, cluster);
  api::Object old;
  const api::Object object = body_of(step, cluster, &old);
  if (!object || (!is_write(step) && step.http.method != "PATCH")) return;
  Review review;
  if (object.is<authenticationv1::SelfSubjectReview>()) {
    review = self_review(object, step.user, kNow);
  } else if (object.is<authenticationv1::TokenReview>()) {
    review = token_review(object, cluster.authenticator(), kNow);
  } else if (object.kind()->group == "authorization.k8s.io") {
    review = access_review(object, step.user, step.info.ns, cluster.authorizer());
  } else {
    step.refusal = check_escalation(object, old, step.user, cluster.authorizer());
    return;
  }
  step.refusal = review.refusal;
  step.answer = review.object;
}

// A token as replay.py's transform jwt shows it: times relative to its issue.
Json token_parts(std::string_view token) {
  const size_t first = token.find('.'), second = token.find('.', first + 1);
  Json header = *Json::parse(base64url_decode(token.substr(0, first)).value());
  Json claims = *Json::parse(base64url_decode(token.substr(first + 1, second - first - 1)).value());
  const int64_t issued = claims["iat"].as_int();
  claims.set("exp", claims["exp"].as_int() - issued);
  claims.set("nbf", claims["nbf"].as_int() - issued);
  claims.set("iat", "now");
  claims.set("jti", "present");
  header.set("kid", "present");
  Json parts = Json::object();
  parts.set("header", std::move(header));
  parts.set("claims", std::move(claims));
  return parts;
}

// What is compared of an answer: not its metadata, nor what the step leaves out.
std::string normal(Json answer, const Step& step) {
  for (const Json& pointer : step.recorded["opts"]["ignore"].items()) {
    const std::string_view extra = "/extra";
    Json* status = answer.find("status");
    Json* user =
        status ? status->find(pointer.as_string().view().starts_with("/status/user/") ? "user"
                                                                                      : "userInfo")
               : nullptr;
    if (user == nullptr) continue;
    if (pointer.as_string().view().ends_with(extra)) user->erase("extra");
    if (Json* rest = user->find("extra")) rest->erase("authentication.kubernetes.io/credential-id");
  }
  if (step.info.subresource == "token") {
    answer.erase("kind");
    answer.erase("apiVersion");
    answer.find("status")->erase("expirationTimestamp");
  }
  for (const char* list : {"resourceRules", "nonResourceRules"}) {
    Json* status = answer.find("status");
    Json* rules = status ? status->find(list) : nullptr;
    if (rules == nullptr) continue;
    std::sort(rules->items().begin(), rules->items().end(),
              [](const Json& a, const Json& b) { return a.dump_sorted() < b.dump_sorted(); });
  }
  answer.erase("metadata");
  return answer.dump_sorted();
}

// The recorded text, with ${any} standing for anything.
bool text_matches(std::string_view expected, std::string_view actual) {
  const size_t mark = expected.find("${any}");
  if (mark == expected.npos) return expected == actual;
  if (!actual.starts_with(expected.substr(0, mark))) return false;
  for (size_t at = mark; at <= actual.size(); ++at)
    if (text_matches(expected.substr(mark + 6), actual.substr(at))) return true;
  return false;
}

bool is_refusal(int64_t code) {
  return code == 401 || code == 403 || code == 422 || code == 500 || code == 400;
}

std::string check_refusal(const Step& step, const Json& body) {
  if (step.refusal.is_ok()) return "passed, expected " + body.dump();
  const std::string& message = step.refusal.status.message();
  if (body.is_null()) return "";
  if (!text_matches(body["message"].as_string(), message))
    return expect_equal("message", body["message"].as_string().str(), message);
  const Json& details = body["details"];
  std::string difference =
      expect_equal("details.kind", details["kind"].as_string().str(), step.refusal.resource.str());
  if (difference.empty())
    difference =
        expect_equal("details.name", details["name"].as_string().str(), step.refusal.name.str());
  if (difference.empty())
    difference =
        expect_equal("details.group", details["group"].as_string().str(), step.refusal.group.str());
  if (difference.empty() && details["causes"].items().size() != step.refusal.causes.size())
    difference = "causes";
  return difference;
}

std::string check(const Step& step) {
  const Json& response = step.recorded["response"];
  const int64_t code = response["code"].as_int();
  const bool about_token = step.info.subresource == "token" && (code == 404 || code == 409);
  if (is_refusal(code) || about_token) return check_refusal(step, response["body"]);
  const Json& body = response["body"];
  // Refused here, and so in the recording (409, 404 and the like are the store's business).
  if (!step.refusal.is_ok())
    return code == code_http(step.refusal.status.code())
               ? check_refusal(step, body)
               : "refused: " + step.refusal.status.message();
  if (!step.answer) return "";
  Json answer = api::to_json(step.answer);
  const Json& token = answer["status"]["token"];
  if (token.is_string() && body["status"]["token"].is_object())
    answer.find("status")->set("token", token_parts(token.as_string()));
  if (token.is_string() && body["status"]["token"].is_string())
    answer.find("status")->set("token", body["status"]["token"]);
  return expect_equal("answer", normal(body, step), normal(std::move(answer), step));
}

// What the recorded server has stored.
void remember(const Step& step, Cluster& cluster) {
  const Json& response = step.recorded["response"];
  const auto* kind = api::find_resource(step.info.group, step.info.version, step.info.resource);
  if (kind == nullptr || response["code"].as_int() >= 300 || step.answer) return;
  if (step.http.method == "DELETE") return cluster.remove(*kind, step.info.ns, step.info.name);
  const auto object = api::object_from_json(response["body"]);
  if (step.http.method != "GET" && object.is_ok() && object->kind() == kind) cluster.put(*object);
}

/// The tokens that were given out, by their names in the recording.
using Tokens = std::map<std::string, std::string>;

Json with_tokens(const Json& recorded, const Tokens& tokens) {
  std::string text = recorded.dump();
  for (const auto& [name, token] : tokens)
    for (size_t at = 0; (at = text.find(name, at)) != text.npos; at += token.size())
      text.replace(at, name.size(), token);
  return *Json::parse(text);
}

std::string play(const Json& recorded, Cluster& cluster, Tokens& tokens) {
  const Json filled = with_tokens(recorded, tokens);
  Step step{filled, http_of(filled["request"]), {}, {}, {}, {}, {}};
  step.query = Query::parse(step.http.query);
  const auto info = RequestInfo::resolve(step.http.method, step.http.path, step.query);
  if (!info) return "no request";
  step.info = *info;
  step.refusal = let_in(step, cluster);
  if (step.refusal.is_ok()) carry_out(step, cluster);
  const std::string difference = check(step);
  remember(step, cluster);
  const Json& token = recorded["response"]["body"]["status"]["token"];
  if (step.answer.is<authenticationv1::TokenRequest>() && token.is_string())
    tokens[token.as_string().str()] =
        step.answer.get<authenticationv1::TokenRequest>().status->token.str();
  return difference;
}

int scenario(const std::string& family, const std::string& file) {
  std::vector<Json> steps;
  for (const Json& line : read_vectors("apiserver/" + file + ".jsonl")) {
    const std::string text = fill_in(line.dump());
    if (line.find("request") && text.find("certificatesigningrequests") == text.npos)
      steps.push_back(*Json::parse(text));
  }
  Cluster cluster;
  Tokens tokens;
  return run_family(family, steps,
                    [&](const Json& recorded) { return play(recorded, cluster, tokens); });
}

}  // namespace
}  // namespace orrery::test

int main(int argc, char** argv) {
  using orrery::test::scenario;
  return orrery::test::run_program(
      argc, argv,
      {{"authn", [] { return scenario("authn", "10-auth/authn"); }},
       {"rbac", [] { return scenario("rbac", "10-auth/rbac-1"); }},
       {"rbac-escalation", [] { return scenario("rbac-escalation", "10-auth/rbac-escalation"); }},
       {"impersonation", [] { return scenario("impersonation", "10-auth/impersonation"); }},
       {"access-reviews", [] { return scenario("access-reviews", "10-auth/access-reviews"); }},
       {"node-authorizer", [] { return scenario("node-authorizer", "10-auth/node-authorizer"); }},
       {"token-requests",
        [] { return scenario("token-requests", "08-subresource/sub-token-csr"); }},
       {"token-claims", [] { return scenario("token-claims", "08-subresource/token-claims"); }}});
}
