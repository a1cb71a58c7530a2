// /openapi: what is served, described for clients that check and explain objects.
#include "engine/server/rest/rest.h"

namespace orrery::server {
namespace {

constexpr std::string_view kText = "text/plain; charset=utf-8";
constexpr std::string_view kRoot = "/openapi/v3";
// Source: Kubernetes v1.32 kube-openapi/pkg/handler.
constexpr std::string_view kSpecType = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
constexpr std::string_view kSpecTypeOfOld = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";

}  // namespace

void Rest::serve_openapi(uint64_t id, Exchange& exchange, const HttpRequest& http) {
  const std::string_view path = exchange.info.path;
  if (path == "/openapi/v2") {
    const std::string_view accept = find_header(http.headers, "accept");
    if (accepts_json(accept)) return respond(id, 200, "application/json", openapi_v2());
    for (std::string_view type : {kSpecType, kSpecTypeOfOld})
      if (accept.find(type) != accept.npos) return respond(id, 200, kSpecType, openapi_v2_protobuf());
    return respond(id, 406, kText, "");
  }
  if (path == kRoot) return respond(id, 200, kText, openapi_.index(served_));
  const bool within = path.starts_with("/openapi/v3/");
  const OpenApi::Document* document =
      within ? openapi_.find(served_, path.substr(kRoot.size() + 1)) : nullptr;
  HttpResponse response;
  if (!document) {
    response.code = 404;
  } else if (const std::string& asked = exchange.query.get("hash");
             !asked.empty() && asked != document->hash) {
    response.code = 301;  // the client has read an index that is no longer true
    response.headers = {{"content-type", "application/json"},
                        {"location", str_cat(path, "?hash=", document->hash)}};
  } else {
    const std::string tag = str_cat("\"", document->hash, "\"");
    response.headers = {{"etag", tag}, {"vary", "Accept"}};
    if (!asked.empty()) response.headers.emplace_back("cache-control", "public, immutable");
    response.code = find_header(http.headers, "if-none-match") == tag ? 304 : 200;
    if (response.code == 200) {
      response.headers.emplace_back("content-type", "application/json");
      response.body = document->body;
    }
  }
  if (exchange.audit) response.headers.emplace_back("audit-id", exchange.audit->id.str());
  finished(exchange, response.code);
  transport_->respond(id, std::move(response));
  forget(id);
}

}  // namespace orrery::server
