#include "engine/server/rest/rest.h"

#include "engine/api/codec_json.h"
#include "engine/api/gen/autoscalingv1.h"
#include "engine/api/gen/corev1.h"
#include "engine/api/indented_json.h"
#include "engine/api/names.h"
#include "engine/server/admission/webhook_annotations.h"
#include "engine/server/decoding.h"
#include "engine/server/admission/plugins.h"
#include "engine/server/errors.h"
#include "engine/server/rest/body.h"
#include "engine/server/rest/routes.h"
#include "engine/server/rest/setup.h"
#include "engine/server/scale.h"

namespace orrery::server {
namespace {

ApiVerb api_verb(std::string_view verb) {
  if (verb == "list" || verb == "watch") return ApiVerb::kList;
  if (verb == "create") return ApiVerb::kCreate;
  if (verb == "update") return ApiVerb::kUpdate;
  if (verb == "patch") return ApiVerb::kPatch;
  if (verb == "delete") return ApiVerb::kDelete;
  if (verb == "deletecollection") return ApiVerb::kDeleteCollection;
  return ApiVerb::kGet;
}

void annotate_audit(AuditEntry& entry, const Map<Str>& annotations) {
  for (const auto& [key, value] : annotations)
    if (entry.wanted.level >= AuditLevel::kRequest || !key.view().starts_with(kPatchAnnotation)) entry.annotations.set(key, value);
}

// POST bindings is POST pods/NAME/binding with the name in the body; there the uid counts for nothing.
void aim_at_pod(RequestInfo& info, const HttpRequest& http) {
  const auto format = body_format(find_header(http.headers, "content-type"));
  std::vector<Str> ignored;
  if (!format) return;
  const auto body = decode_body(http.body, *format, *corev1::Binding::descriptor().kind, FieldValidation::kIgnore, ignored);
  if (!body.is_ok()) return;
  info.resource = "pods";
  info.subresource = "binding";
  info.name = body->meta().name.str();
}

constexpr std::string_view kAccepted =
    "only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf";

// The Go type of an object of the kind.
std::string internal_type(const api::KindDesc& kind) {
  return api::is_custom(kind) ? "unstructured.Unstructured" : str_cat(internal_package(kind), ".", kind.kind);
}

// Why what is asked for cannot be shown in the form asked for; "" if it can.
std::string unfit_form(std::string_view verb, const Query& query, const Representation& as, const api::KindDesc& kind) {
  const bool many = verb == "list" || verb == "deletecollection";
  if (as.transform == Transform::kPartialMetadata && many)
    return str_cat("you requested PartialObjectMetadata, but the requested object is a list (*", internal_type(kind), "List)");
  const bool table = as.transform == Transform::kTable;
  const bool watch = verb == "watch";
  const bool unfit = (watch && table && query.has("sendInitialEvents")) || (watch && as.format == Format::kYaml) ||
                     (table && as.format == Format::kProto);
  return unfit ? std::string(kAccepted) : "";
}

// What is told apart only when there is an answer.
std::string no_list(const Representation& as, const api::Object& object) {
  if (as.transform != Transform::kPartialMetadataList) return {};
  return str_cat("you requested PartialObjectMetadataList, but the requested object is not a list (*", internal_type(*object.kind()), ")");
}

// Parts that have columns are tables, too, but for those of definitions.
Transforms transforms_of(const RequestInfo& info, const api::KindDesc& kind) {
  if (kind.verbs == "create") return Transforms::kMetadata;
  if (kind.kind == "CustomResourceDefinition" && info.subresource == "status") return Transforms::kMetadata;
  const bool has_columns = info.subresource.empty() || info.subresource == "status" || info.subresource == "scale" || info.verb == "get";
  return has_columns ? Transforms::kAll : Transforms::kMetadata;
}

Route route_of(const RequestInfo& info, const api::KindDesc& kind) {
  if (api::is_custom(kind)) return Route::kNone;
  const bool lists = info.parts.size() == 1 && (info.verb == "list" || info.verb == "watch");
  return lists ? Route::kList : Route::kPlain;
}

}  // namespace

Rest::Rest(const Env& env, const Parts& parts, ServerOptions options, Ticket ready)
    : lanes_(env.lanes),
      timers_(env.timers),
      server_(parts.server),
      transport_(parts.transport),
      http_(parts.http),
      audit_(parts.audit),
      logs_(parts.logs),
      usage_(parts.usage),
      process_(parts.process),
      with_components_(parts.with_components),
      signer_(parts.signer),
      options_(std::move(options)),
      rng_(env.rng.stream("server/rest")),
      lane_(env.lanes->open("rest", this)),
      ready_(ready),
      authorizer_(options_.authorization_modes),
      authenticator_(authenticator_options(options_), parts.signer, parts.server),
      flow_(flow_options(options_)) {
  admission_ = admission_chain(options_);
  server_->set_admission(&admission_, &authorizer_, parts.http);
  server_->set_observer(this);
  if (usage_)
    for (ServedResource& resource : usage_resources()) served_.add(std::move(resource));
  lanes_->post(lane_, {EventKind::kStart, 0, 0, 0});
}

// Sockets are not part of what can be copied.
std::unique_ptr<Component> Rest::clone(const Env&) const {
  CHECK(false) << "a world that is served over HTTP cannot be forked";
  return nullptr;
}

void Rest::handle(const Ctx& ctx, const Event& event) {
  switch (event.kind) {
    case EventKind::kUser:
      if (event.a == kHttpRequestArrived) return on_request(event.b, ctx.now);
      if (event.a == kHttpPeerGone) return forget(event.b);
      if (event.a == kHttpForwarded) return on_forwarded(event.b);
      if (event.a == kHttpInput) return on_input(event.b);
      return;
    case EventKind::kStart: return begin();
    case EventKind::kDone:
      if (event.a == kBootstrapOp) return on_bootstrapped(server_->take(event.b));
      if (event.a >= kComponentOps) return on_component(event.a, event.b, ctx.now);
      return on_answer(event.a, server_->take(event.b), ctx.now);
    case EventKind::kTimer:
      if (event.arg == kPatienceTimer) return refuse_impatient(ctx.now);
      if (event.arg == kTimeoutTimer) return end_overdue(event.a, ctx.now);
      if (event.arg == kComponentTimer) return give_up_store(event.a, ctx.now);
      if (event.arg == kHealthTimer) {
        const auto it = exchanges_.find(event.a);
        return it == exchanges_.end() ? void() : answer_health(event.a, it->second, false);
      }
      return on_timer(event.a, event.arg, ctx.now);
    case EventKind::kWork: return event.arg == kSwaggerWork ? build_swagger() : serve_waiting(ctx.now);
    case EventKind::kWatch: {
      const auto watch = exchange_of_watch_.find(event.a);
      if (watch == exchange_of_watch_.end()) return;
      const uint64_t id = watch->second;
      Exchange& exchange = exchanges_.at(id);
      return exchange.log ? deliver_log(id, exchange) : deliver_watch(id, exchange, ctx.now);
    }
    default: return;
  }
}

void Rest::forget(uint64_t id) {
  const auto it = exchanges_.find(id);
  if (it == exchanges_.end()) return;
  Exchange& exchange = it->second;
  if (exchange.streaming || (exchange.connect && exchange.connect->forwarded)) {
    finished(exchange, 200);
    counts_.running(exchange.info, -1);
  }
  if (exchange.watch) {
    server_->unwatch(exchange.watch);
    exchange_of_watch_.erase(exchange.watch.value);
  }
  free_seat(exchange, timers_->now());
  if (exchange.deadline) timers_->cancel(exchange.deadline);
  if (exchange.components && exchange.components->store_patience)
    timers_->cancel(exchange.components->store_patience);
  if (exchange.bookmark_timer) timers_->cancel(exchange.bookmark_timer);
  exchanges_.erase(it);
}

void Rest::respond_missing(uint64_t id) { respond(id, 404, kPlainText, "404 page not found\n"); }

void Rest::respond(uint64_t id, int code, std::string_view content_type, std::string body) {
  HttpResponse response;
  response.code = code;
  response.headers = {{"cache-control", "no-cache, private"}, {"content-type", std::string(content_type)}};
  for (std::string& warning : warning_headers(exchanges_.at(id).warnings)) response.headers.emplace_back("warning", std::move(warning));
  if (const int seconds = exchanges_.at(id).retry_after_seconds) response.headers.emplace_back("retry-after", str_cat(seconds));
  Exchange& exchange = exchanges_.at(id);
  if (exchange.is_forbidden || content_type == kPlainText) response.headers.emplace_back("x-content-type-options", "nosniff");
  const bool indents = (exchange.pretty || exchange.representation.pretty) && content_type == "application/json";
  response.body = indents ? api::indented_json(body) : std::move(body);
  add_own_headers(exchange, response.headers);
  finished(exchange, code);
  transport_->respond(id, std::move(response));
  forget(id);
}

void Rest::fail(uint64_t id, const ApiResponse& response) {
  Exchange& exchange = exchanges_.at(id);
  const metav1::Status status = status_of(response, exchange.info, exchange.kind);
  exchange.retry_after_seconds = response.retry_after_seconds;
  if (exchange.audit) {
    exchange.audit->response = status;
    if (exchange.audit->wanted.level == AuditLevel::kRequestResponse) exchange.audit->response_body = encode_status({}, status);
  }
  // A failure has no columns: it takes the first form without any that the client can read.
  const auto as = negotiate(exchange.accept, Transforms::kNone, Route::kNone);
  const Representation representation = as.is_ok() ? *as : Representation();
  respond(id, status.code, representation.content_type(), encode_status(representation, status));
}

void Rest::show(uint64_t id, int code, const api::Object& object, Time now) {
  Exchange& exchange = exchanges_.at(id);
  const Representation& as = exchange.representation;
  if (const std::string why = no_list(as, object); !why.empty()) {
    exchange.representation = {};
    return fail(id, Status(Code::kNotAcceptable, why));
  }
  respond(id, code, as.content_type(), encode_object(encoding_of(exchange, now), object));
}

void Rest::fail(uint64_t id, Status status) {
  ApiResponse response;
  response.status = std::move(status);
  fail(id, response);
}

Encoding Rest::encoding_of(const Exchange& exchange, Time now) const {
  return {exchange.representation, exchange.kind, now, exchange.query.get("includeObject"), &server_->parts()};
}

void Rest::on_request(uint64_t id, Time now) {
  HttpRequest http = transport_->take_request(id);
  Exchange& exchange = exchanges_[id];
  exchange.begun = now;
  exchange.accept = find_header(http.headers, "accept");
  exchange.audit_id = find_header(http.headers, "audit-id");
  if (exchange.audit_id.empty()) exchange.audit_id = random_uid(rng_);
  exchange.query = Query::parse(http.query);
  exchange.pretty = wants_pretty(exchange.query.get("pretty"), find_header(http.headers, "user-agent"));
  auto info = RequestInfo::resolve(http.method, http.path, exchange.query);
  if (!info) return fail(id, bad_request("the path has a broken escape"));
  exchange.info = std::move(*info);
  if (!identify(id, exchange, http, now) || !limit_time(id, exchange, now)) return;
  if (find_seat(id, exchange, http, now)) serve(id, exchange, http, now);
}

void Rest::serve(uint64_t id, Exchange& exchange, HttpRequest& http, Time now) {
  if (!authorized(id, exchange)) return;
  if (!exchange.info.is_resource) return serve_path(id, exchange, http, now);
  serve_resource(id, exchange, http, now);
}

void Rest::serve_resource(uint64_t id, Exchange& exchange, HttpRequest& http, Time now) {
  RequestInfo& info = exchange.info;
  if (info.group.empty() && info.resource == "bindings" && info.verb == "create" && info.name.empty()) {
    aim_at_pod(info, http);
    if (info.subresource == "binding" && info.name.empty()) return fail(id, bad_request("Name parameter required."));
  }
  if (usage_ && info.group == "metrics.k8s.io") return serve_usage(id, exchange, http, now);
  exchange.kind = server_->find_resource(info.group, info.version, info.resource);
  if (!exchange.kind) {
    const auto* group = served_.find_group(info.group);
    return !group || served_.is_custom(*group) ? respond_missing(id) : fail(id, with_empty_details(no_such_resource()));
  }
  const api::KindDesc& kind = *exchange.kind;
  const Dead dead = dead_end(http.method, info, kind);
  if (dead.page) return respond_missing(id);
  if (!dead.failure.status.is_ok()) return fail(id, dead.failure);
  const bool connects = is_connect(info);
  if (connects && info.subresource != "log") return serve_connect(id, exchange, http);
  if (info.verb == "patch") {
    const ApiResponse unknown = unknown_patch(http, info, kind);
    if (!unknown.status.is_ok()) return fail(id, unknown);
  }
  auto representation = negotiate(exchange.accept, transforms_of(info, kind), route_of(info, kind));
  if (!representation.is_ok()) {
    const bool listed = representation.status().message().starts_with("406");
    return listed ? fail(id, with_empty_details(representation.status())) : fail(id, representation.status());
  }
  exchange.representation = *representation;
  if (connects) return serve_connect(id, exchange, http);
  exchange.verb = api_verb(info.verb);
  if (api::is_custom(kind)) {
    const std::string& deprecation = custom_version(kind).deprecation_warning;
    if (!deprecation.empty()) note_deprecated(exchange, Str(deprecation));
    const bool own_form = info.subresource != "scale" && representation->transform == Transform::kNone;
    if (representation->format == Format::kProto && own_form) return fail(id, Status(Code::kNotAcceptable, std::string(kAccepted)));
  }
  if (const std::string why = unfit_form(info.verb, exchange.query, *representation, kind); !why.empty())
    return fail(id, Status(Code::kNotAcceptable, why));
  if (exchange.kind == corev1::ComponentStatus::descriptor().kind) return serve_components(id, exchange, now);
  ApiRequest request;
  request.verb = exchange.verb;
  request.kind = exchange.kind;
  request.subresource = Str(info.subresource);
  request.ns = Str(info.ns);
  request.name = Str(info.name);
  request.identity = exchange.user;
  // Those of a patch depend on its kind: read_patch checks them.
  ApiResponse failure = info.verb == "patch" ? ApiResponse() : read_options(exchange, request);
  if (failure.status.is_ok()) {
    if (info.verb == "create" || info.verb == "update") failure = read_write(exchange, http, request);
    if (info.verb == "patch") failure = read_patch(exchange, http, request);
    if (exchange.verb == ApiVerb::kList || info.verb == "deletecollection") failure = read_list(exchange, request);
    const bool deletes = info.verb == "delete" || info.verb == "deletecollection";
    if (deletes && failure.status.is_ok()) failure = read_delete(exchange, http, request);
  }
  audit_request(exchange, request);
  if (!failure.status.is_ok()) return fail(id, failure);
  if (info.verb == "watch") {
    exchange.messages = messages_of(http);
    return begin_watch(id, exchange, now);
  }
  if (is_review(exchange)) return serve_review(id, exchange, request, now);
  server_->call({lane_, id}, std::move(request));
}

void Rest::on_answer(uint64_t id, ApiResponse response, Time now) {
  const auto it = exchanges_.find(id);
  if (it == exchanges_.end()) return;
  Exchange& exchange = it->second;
  if (exchange.connect) return on_connect_target(id, exchange, response, now);
  if (exchange.health) return answer_health(id, exchange, response.status.is_ok());
  for (const Str& warning : response.warnings) exchange.warnings.push_back(warning);
  if (exchange.audit) annotate_audit(*exchange.audit, response.audit_annotations);
  if (!response.status.is_ok()) return fail(id, response);
  if (response.object && exchange.info.subresource == "scale") {
    if (!response.object.is<autoscalingv1::Scale>()) response.object = scale_of(response.object);
    exchange.kind = response.object.kind();
  }
  audit_answer(exchange, response, now);
  const std::string_view type = exchange.representation.content_type();
  if (exchange.verb == ApiVerb::kList || exchange.verb == ApiVerb::kDeleteCollection)
    return respond(id, 200, type, encode_list(encoding_of(exchange, now), response));
  const bool status_only = !response.object || (exchange.verb == ApiVerb::kDelete && response.gone && !returns_deleted(exchange.kind->group, exchange.kind->kind)) ||
                           exchange.info.subresource == "binding" || exchange.info.subresource == "eviction";
  if (!status_only) {
    const bool accepted = exchange.verb == ApiVerb::kDelete && exchange.orphan_asked_false && !response.gone;
    return show(id, accepted ? 202 : response.created ? 201 : 200, response.object, now);
  }
  const bool subresource = !exchange.info.subresource.empty();
  // What was not asked for its state is told by name.
  if (!subresource && response.object && response.object.has_meta()) {
    auto& details = response.details.mut();
    details.name = response.object.meta().name;
    details.group = Str(exchange.kind->group);
    details.kind = Str(exchange.kind->plural);
    details.uid = response.object.meta().uid;
  }
  metav1::Status status = status_of(response, exchange.info, exchange.kind);
  if (subresource) status.code = 201;
  respond(id, subresource ? 201 : 200, type, encode_status(exchange.representation, status));
}

}  // namespace orrery::server
