// /openapi: what is served, described for clients that check and explain objects.
#include "engine/base/ascii.h"
#include "engine/server/rest/rest.h"
#include "engine/server/rest/setup.h"

namespace orrery::server {
namespace {

constexpr std::string_view kRoot = "/openapi/v3";
constexpr std::string_view kJson = "application/json";
// The second is what old clients call the third. Source: Kubernetes v1.32 kube-openapi/pkg/handler.
constexpr std::string_view kSpecType = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
constexpr std::string_view kSwaggerTypes[] = {
    kJson, "application/com.github.proto-openapi.spec.v2@v1.0+protobuf", kSpecType};

constexpr std::string_view kDocumentTypes[] = {kJson, "application/com.github.proto-openapi.spec.v3@v1.0+protobuf",
                                               "application/com.github.proto-openapi.spec.v3.v1.0+protobuf"};

// Source: Go net/http, checkIfNoneMatch.
bool knows(std::string_view if_none_match, std::string_view tag) {
  while (!if_none_match.empty()) {
    const size_t end = std::min(if_none_match.find(','), if_none_match.size());
    std::string_view one = trimmed(if_none_match.substr(0, end));
    if (one.starts_with("W/")) one.remove_prefix(2);
    if (one == tag || one == "*") return true;
    if_none_match.remove_prefix(std::min(end + 1, if_none_match.size()));
  }
  return false;
}

}  // namespace

void Rest::serve_openapi(uint64_t id, Exchange& exchange, const HttpRequest& http) {
  const std::string_view path = exchange.info.path;
  if (path == "/openapi/v2") return serve_swagger(id, http);
  if (path == kRoot) return respond_bare(id, {200, {{"cache-control", "no-cache, private"}, {"content-type", std::string(kPlainText)}}, openapi_.index(served_)});
  const bool within = path.starts_with("/openapi/v3/");
  const OpenApi::Document* document =
      within ? openapi_.find(served_, path.substr(kRoot.size() + 1)) : nullptr;
  if (!within) return respond_missing(id);
  if (!document) return respond_bare(id, {404, {{"cache-control", "no-cache, private"}}, ""});
  if (!best_media_type(exchange.accept, kDocumentTypes)) return respond_bare(id, {406, {{"vary", "Accept"}, {"cache-control", "no-cache, private"}}, ""});
  const std::string& asked = exchange.query.get("hash");
  if (!asked.empty() && asked != document->hash) {  // the index that it has read is no longer true
    const std::string location = str_cat(path, "?hash=", document->hash);
    return respond_bare(id, {301, {{"content-type", std::string(kJson)}, {"location", location}}, ""});
  }
  const std::string_view kept = asked.empty() ? "no-cache, private" : "public, immutable";
  respond_document(id, find_header(http.headers, "if-none-match"), document->hash, kept, kJson, document->body);
}

// The document is built between other requests, once somebody has asked for it.
void Rest::serve_swagger(uint64_t id, const HttpRequest& http) {
  const auto type = best_media_type(exchanges_.at(id).accept, kSwaggerTypes);
  if (!type) return respond_bare(id, {406, {{"vary", "Accept"}}, ""});
  const bool protobuf = kSwaggerTypes[*type] != kJson;
  swagger_readers_.push_back({id, protobuf, std::string(find_header(http.headers, "if-none-match"))});
  if (openapi_.swagger(served_)) return answer_swagger_readers();
  if (swagger_readers_.size() == 1) lanes_->post(lane_, {EventKind::kWork, kSwaggerWork, 0, 0});
}

void Rest::build_swagger() {
  openapi_.build_swagger(served_);
  if (openapi_.swagger(served_)) return answer_swagger_readers();
  lanes_->post(lane_, {EventKind::kWork, kSwaggerWork, 0, 0});
}

void Rest::answer_swagger_readers() {
  const OpenApi::Document& document = *openapi_.swagger(served_);
  for (const SwaggerReader& reader : std::exchange(swagger_readers_, {})) {
    if (!exchanges_.contains(reader.id)) continue;
    const bool known = knows(reader.known_tags, str_cat("\"", document.hash, "\""));
    respond_document(reader.id, reader.known_tags, document.hash, "no-cache, private",
                     reader.protobuf ? kSpecType : kJson,
                     reader.protobuf && !known ? openapi_.swagger_as_protobuf() : document.body);
  }
}

void Rest::respond_document(uint64_t id, std::string_view known_tags, std::string_view hash, std::string_view kept,
                            std::string_view type, const std::string& body) {
  const std::string tag = str_cat("\"", hash, "\"");
  HttpResponse response;
  response.headers = {{"etag", tag}, {"vary", "Accept"}, {"cache-control", std::string(kept)}};
  response.code = knows(known_tags, tag) ? 304 : 200;
  if (response.code == 200) {
    response.headers.emplace_back("content-type", type);
    response.body = body;
  }
  respond_bare(id, std::move(response));
}

void Rest::respond_bare(uint64_t id, HttpResponse response) {
  Exchange& exchange = exchanges_.at(id);
  add_own_headers(exchange, response.headers);
  finished(exchange, response.code);
  transport_->respond(id, std::move(response));
  forget(id);
}

}  // namespace orrery::server
