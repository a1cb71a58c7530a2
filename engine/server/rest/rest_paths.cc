// What is served beside resources: discovery, health, version, keys.
#include "engine/base/hash.h"
#include "engine/server/auth/openid.h"
#include "engine/server/discovery/discovery.h"
#include "engine/server/discovery/discovery_proto.h"
#include "engine/server/errors.h"
#include "engine/server/rest/rest.h"

namespace orrery::server {
namespace {

constexpr std::string_view kKeySet = "application/jwk-set+json";
// What a Kubernetes v1.32.13 API server calls itself; tools decide by it what they may ask for.
constexpr std::string_view kVersion =
    R"({"major":"1","minor":"32","gitVersion":"v1.32.13","gitCommit":"","gitTreeState":"clean","buildDate":"1970-01-01T00:00:00Z","goVersion":"","compiler":"","platform":"linux/amd64"})";
std::vector<std::string_view> path_parts(std::string_view path) {
  std::vector<std::string_view> parts;
  while (!path.empty()) {
    const size_t slash = std::min(path.find('/'), path.size());
    if (slash > 0) parts.push_back(path.substr(0, slash));
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return parts;
}

Status no_representation(std::string_view type) {
  return Status(Code::kNotAcceptable, str_cat("406: Not Acceptable\n\nAvailable representations: ", type));
}

std::string hex(uint64_t number) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (int shift = 60; shift >= 0; shift -= 4) out += kHex[number >> shift & 15];
  return out;
}

}  // namespace

void Rest::serve_path(uint64_t id, Exchange& exchange, const HttpRequest& http, Time now) {
  const std::string& path = exchange.info.path;
  const auto parts = path_parts(path);
  const bool version = path == "/version" || path == "/version/", discovery = !parts.empty() && (parts[0] == "api" || parts[0] == "apis");
  if (http.method != "GET" && (version || discovery) && is_read_only(path)) {
    return fail(id, with_empty_details(method_not_allowed()));
  }
  if (version) {
    exchange.pretty = true;
    if (route_accepts(exchange.accept, "application/json")) return respond(id, 200, "application/json", std::string(kVersion));
    return fail(id, with_empty_details(no_representation("application/json")));
  }
  if (is_health(path)) return serve_health(id, exchange, now);
  if (discovery) return serve_discovery(id, exchange, http);
  if (parts.empty()) return serve_root(id);
  if (path == "/metrics") return serve_metrics(id);
  if (!parts.empty() && parts[0] == "openapi") return serve_openapi(id, exchange, http);
  if (signer_ && path == "/.well-known/openid-configuration") {
    const std::string keys = str_cat("https://", options_.advertise_address, ":", options_.advertise_port, "/openid/v1/jwks");
    return serve_public(id, http.method, "application/json", openid_configuration(options_.service_account_issuers.at(0), keys, *signer_));
  }
  if (signer_ && path == "/openid/v1/jwks") return serve_public(id, http.method, kKeySet, openid_keys(*signer_));
  respond_missing(id);
}

void Rest::serve_public(uint64_t id, std::string_view method, std::string_view type, std::string body) {
  if (method != "GET") return fail(id, with_empty_details(method_not_allowed()));
  if (!route_accepts(exchanges_.at(id).accept, type)) return fail(id, with_empty_details(no_representation(type)));
  respond_bare(id, {200, {{"cache-control", "public, max-age=3600"}, {"content-type", std::string(type)}}, std::move(body)});
}

// Whether discovery at a path is only read; what lists groups takes any method.
bool Rest::is_read_only(std::string_view path) const {
  const auto parts = path_parts(path);
  if (parts.empty() || parts[0] == "version") return true;
  const bool core = parts[0] == "api";
  const size_t version = core ? 1 : 2;
  if (parts.size() <= version) return core;
  const auto* group = served_.find_group(core ? std::string_view() : parts[1]);
  return group && served_.find_version(group->name, parts[version]);
}

void Rest::serve_discovery(uint64_t id, Exchange& exchange, const HttpRequest& http) {
  const auto parts = path_parts(exchange.info.path);
  const bool core = parts[0] == "api";
  if (parts.size() == 1)
    if (auto form = negotiate_aggregated(exchange.accept)) {
      exchange.representation = *std::move(form);
      return serve_aggregated(id, exchange, core, find_header(http.headers, "if-none-match"));
    }
  const auto* group = parts.size() == 1 ? nullptr : served_.find_group(core ? std::string_view() : parts[1]);
  if (parts.size() > 1 && !group) return respond_missing(id);
  const Route route = is_read_only(exchange.info.path) ? Route::kPlain : Route::kNone;
  auto representation = negotiate(exchange.accept, Transforms::kNone, route);
  if (!representation.is_ok()) {
    ApiResponse failure;
    failure.status = representation.status();
    if (failure.status.message().starts_with("406")) failure.details.mut();
    return fail(id, failure);
  }
  exchange.representation = *representation;
  const std::string address = str_cat(options_.advertise_address, ":", options_.advertise_port);
  if (parts.size() == 1) return respond_json(id, core ? api_versions(address) : api_group_list(served_));
  if (!core && parts.size() == 2) {
    api::Json out = api::Json::object();
    out.set("kind", "APIGroup");
    out.set("apiVersion", "v1");
    const api::Json entry = api_group(*group);
    for (const auto& member : entry.members()) out.set(member.key, member.value);
    return respond_json(id, out);
  }
  const auto* found = served_.find_version(group->name, core ? parts[1] : parts[2]);
  if (found) return respond_json(id, api_resource_list(group->name, *found));
  fail(id, with_empty_details(no_such_resource()));
}

void Rest::serve_aggregated(uint64_t id, const Exchange& exchange, bool core, std::string_view known_tags) {
  const Representation& as = exchange.representation;
  const api::Json document = aggregated_discovery(served_, core, as.transform_version);
  const std::string_view api_version = document["apiVersion"].text(), kind = document["kind"].text();
  const std::string type = str_cat(as.content_type(), ";g=apidiscovery.k8s.io;v=", as.transform_version, ";as=", kind);
  const std::string body = as.format == Format::kProto
                               ? proto_envelope(api_version, kind, aggregated_discovery_proto(document))
                               : encode_tree(as, document);
  const std::string hash = hex(hash_bytes(body)) + hex(hash_bytes(type));
  respond_document(id, known_tags, hash, "public", type, body);
}

void Rest::respond_json(uint64_t id, const api::Json& json) {
  const Exchange& exchange = exchanges_.at(id);
  respond(id, 200, exchange.representation.content_type(), encode_tree(exchange.representation, json));
}

}  // namespace orrery::server
