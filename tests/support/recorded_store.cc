#include "tests/support/recorded_store.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "engine/api/codec_json.h"
#include "engine/api/gen/corev1.h"
#include "engine/api/patch.h"
#include "engine/base/check.h"
#include "engine/runtime/api_requests.h"

namespace orrery::test {
namespace {

using api::Json;

std::string group_resource(const api::KindDesc& kind) {
  return kind.group.empty() ? std::string(kind.plural) : str_cat(kind.plural, '.', kind.group);
}

std::string quoted(const ApiRequest& request) {
  return str_cat(group_resource(*request.kind), " \"", request.name, '"');
}

ApiResponse failure(Code code, std::string message) {
  ApiResponse response;
  response.status = Status(code, std::move(message));
  return response;
}

ApiResponse conflict(const ApiRequest& request) {
  return failure(Code::kConflict,
                 str_cat("Operation cannot be fulfilled on ", quoted(request),
                         ": the object has been modified; please apply your changes to the latest "
                         "version and try again"));
}

ApiResponse not_found_response(const ApiRequest& request) {
  return failure(Code::kNotFound, str_cat(quoted(request), " not found"));
}

ApiResponse injected_failure(const std::string& error, const ApiRequest& request) {
  if (error == "internal")
    return failure(Code::kInternal, "Internal error occurred: etcdserver: request timed out");
  if (error == "conflict") return conflict(request);
  if (error == "notFound") return not_found_response(request);
  if (error == "alreadyExists")
    return failure(Code::kAlreadyExists, quoted(request) + " already exists");
  if (error == "invalid")
    return failure(Code::kInvalid,
                   str_cat(request.kind->kind, " \"", request.name, "\" is invalid"));
  const std::string subject =
      request.name.empty() ? group_resource(*request.kind) : quoted(request);
  if (error == "forbidden")
    return failure(Code::kForbidden, subject +
                                         " is forbidden: exceeded quota: compute, requested: "
                                         "pods=1, used: pods=10, limited: pods=10");
  if (error == "alreadyExists")
    return failure(Code::kAlreadyExists, subject + " already exists");
  CHECK(error == "namespaceTerminating") << error;
  ApiResponse response =
      failure(Code::kForbidden,
              str_cat(subject, " is forbidden: unable to create new content in namespace ",
                      request.ns, " because it is being terminated"));
  response.causes.push_back({"NamespaceTerminating", "", "metadata.namespace"});
  return response;
}

std::string_view verb_name(ApiVerb verb) {
  switch (verb) {
    case ApiVerb::kCreate:
      return "create";
    case ApiVerb::kUpdate:
      return "update";
    case ApiVerb::kPatch:
      return "patch";
    case ApiVerb::kDelete:
      return "delete";
    default:
      return "other";
  }
}

std::string_view patch_type(PatchKind kind) {
  switch (kind) {
    case PatchKind::kJson:
      return "application/json-patch+json";
    case PatchKind::kMerge:
      return "application/merge-patch+json";
    case PatchKind::kStrategic:
      return "application/strategic-merge-patch+json";
    case PatchKind::kApply:
      return "application/apply-patch+yaml";
  }
  return "";
}

Json without_nulls(const Json& value) {
  if (value.is_object()) {
    Json out = Json::object();
    for (const auto& member : value.members())
      if (!member.value.is_null()) out.set(member.key, without_nulls(member.value));
    return out;
  }
  if (!value.is_array()) return value;
  Json out = Json::array();
  for (const Json& item : value.items()) out.push_back(without_nulls(item));
  return out;
}

Json trimmed(Json json) {
  json = without_nulls(json);
  const Json* status = json.find("status");
  if (status && (status->size() == 0 || status->dump() == R"({"replicas":0})" ||
                 status->dump() == R"({"loadBalancer":{}})"))
    json.erase("status");
  return json;
}

api::Object decode(const Json& json) {
  Result<api::Object> object = api::object_from_json(json);
  CHECK(object.is_ok()) << object.status().message() << ": " << json.dump();
  return *object;
}

Json full_status(const Json& object) {
  const Json* status = object.find("status");
  return status ? without_nulls(*status) : Json::object();
}

void describe(const ApiRequest& request, Json& record) {
  if (request.verb == ApiVerb::kPatch) {
    record.set("type", patch_type(request.patch_kind));
    const Result<Json> patch = Json::parse(request.patch);
    CHECK(patch.is_ok()) << patch.status().message();
    record.set("patch", *patch);
  } else if (request.verb == ApiVerb::kDelete) {
    const ApiDeleteOptions& options = request.delete_options;
    if (!options.propagation_policy.empty())
      record.set("propagationPolicy", options.propagation_policy);
    Json preconditions = Json::object();
    if (options.uid) preconditions.set("uid", *options.uid);
    if (options.resource_version)
      preconditions.set("resourceVersion", *options.resource_version);
    if (preconditions.size() > 0) record.set("preconditions", preconditions);
  } else if (request.subresource == "status") {
    record.set("status", full_status(api::to_json(request.object)));
    // The revision of a Deployment goes with its status.
    const Json annotations = normal_json(request.object)["metadata"]["annotations"];
    if (!annotations.is_null() && request.kind->kind == "Deployment") record.set("annotations", annotations);
  } else {
    record.set("object", normal_json(request.object)).erase("status");
  }
}

}  // namespace

Json normal_json(const api::Object& object) {
  Json json = api::to_json(object);
  json.set("apiVersion", object.kind()->api_version);
  json.set("kind", object.kind()->kind);
  return trimmed(std::move(json));
}

Json normal_json(const Json& recorded) {
  const Result<api::Object> object = api::object_from_json(recorded);
  return object ? normal_json(*object) : Json(object.status().message());
}

Json normal_status(std::string_view resource, const Json& recorded) {
  const std::string_view plural = resource.substr(0, resource.find('/'));
  for (const api::KindDesc* kind : api::all_kinds()) {
    if (kind->plural != plural || kind->version.find("alpha") != std::string_view::npos ||
        kind->version.find("beta") != std::string_view::npos)
      continue;
    Json object = Json::object();
    object.set("apiVersion", kind->api_version);
    object.set("kind", kind->kind);
    object.set("status", recorded);
    const Result<api::Object> decoded = api::object_from_json(object);
    return decoded ? full_status(api::to_json(*decoded)) : Json(decoded.status().message());
  }
  return recorded;
}

std::string RecordedStore::key_of(const api::KindDesc& kind, const Str& ns, const Str& name) {
  return ns.empty() ? str_cat(kind.plural, '/', name) : str_cat(kind.plural, '/', ns, '/', name);
}

RecordedStore::Delta RecordedStore::begin_step(const Json& step) {
  Delta delta;
  for (const Json& json : step["set"].items()) {
    api::Object object = decode(json);
    known_[key_of(*object.kind(), object.meta().namespace_, object.meta().name)] = object;
    newest_known_ = std::max<int64_t>(
        newest_known_, std::strtoll(object.meta().resource_version.c_str(), nullptr, 10));
    delta.set.push_back(std::move(object));
  }
  for (const Json& key : step["del"].items()) {
    const auto it = known_.find(key.as_string().str());
    if (it == known_.end()) continue;
    delta.gone.push_back(it->second);
    known_.erase(it);
  }
  live_ = known_;
  counts_.clear();
  failures_.clear();
  for (const Json& f : step["inject"].items())
    failures_.push_back({f["verb"].as_string().str(), f["resource"].as_string().str(),
                         f["error"].as_string().str(), f["from"].as_int(), f["count"].as_int()});
  writes_ = Json::array();
  return delta;
}

const RecordedStore::Failure* RecordedStore::injected(const std::string& verb,
                                                      const std::string& resource) {
  const int64_t number = counts_[verb + ' ' + resource]++;
  for (const Failure& f : failures_)
    if (f.verb == verb && f.resource == resource && number >= f.from && number < f.from + f.count)
      return &f;
  return nullptr;
}

ApiResponse RecordedStore::answer(const ApiRequest& request, Time now) {
  if (request.verb == ApiVerb::kGet) return get(request);
  std::string resource(request.kind->plural);
  if (!request.subresource.empty()) resource += str_cat('/', request.subresource);
  const std::string verb(verb_name(request.verb));
  Json record = Json::object();
  record.set("verb", verb);
  record.set("resource", resource);
  describe(request, record);
  const Failure* fails = injected(verb, resource);
  if (!request.name.empty() && !(fails && request.verb == ApiVerb::kCreate))
    record.set("name", request.name);
  ApiResponse response =
      fails ? injected_failure(fails->error, request) : apply(request, now, record);
  if (!response.status) record.set("error", code_reason(response.status.code()));
  writes_.push_back(std::move(record));
  return response;
}

ApiResponse RecordedStore::apply(const ApiRequest& request, Time now, Json& record) {
  switch (request.verb) {
    case ApiVerb::kCreate:
      return create(request, now, record);
    case ApiVerb::kUpdate:
      return update(request, record);
    case ApiVerb::kPatch:
      return patch(request);
    case ApiVerb::kDelete:
      return remove(request, now);
    default:
      CHECK(false) << "recorded controllers list from their caches";
  }
  return {};
}

ApiResponse RecordedStore::create(const ApiRequest& request, Time now, Json& record) {
  api::Object object = request.object;
  auto& meta = object.mut_meta();
  meta.namespace_ = request.ns;
  if (meta.name.empty()) {
    char suffix[16];
    std::snprintf(suffix, sizeof suffix, "g%04d", ++generated_);
    meta.name = str_cat(meta.generate_name, suffix);
    record.set("name", meta.name);
  }
  const std::string key = key_of(*request.kind, meta.namespace_, meta.name);
  if (live_.contains(key))
    return failure(Code::kAlreadyExists, quoted(request) + " already exists");
  meta.uid = str_cat("00000000-0000-0000-0000-", ++revision_);
  meta.resource_version = str_cat(revision_);
  meta.creation_timestamp = api::Timestamp::whole_seconds(now);
  meta.generation = 1;
  live_[key] = object;
  ApiResponse response;
  response.object = std::move(object);
  return response;
}

ApiResponse RecordedStore::update(const ApiRequest& request, Json& record) {
  const auto it = live_.find(key_of(*request.kind, request.ns, request.name));
  if (it == live_.end()) return not_found_response(request);
  const auto& sent = request.object.meta();
  const auto& stored = it->second.meta();
  if (!sent.resource_version.empty() && sent.resource_version != stored.resource_version)
    return conflict(request);
  api::Object object = request.object;
  object.mut_meta().generation = stored.generation;
  const Json before = normal_json(it->second), after = normal_json(object);
  if (!(before["spec"] == after["spec"])) ++object.mut_meta().generation;
  if (before == after) {
    record.set("noop", true);
  } else {
    object.mut_meta().resource_version = str_cat(++revision_);
  }
  it->second = object;
  ApiResponse response;
  response.object = std::move(object);
  return response;
}

ApiResponse RecordedStore::patch(const ApiRequest& request) {
  const auto it = live_.find(key_of(*request.kind, request.ns, request.name));
  if (it == live_.end()) return not_found_response(request);
  const Result<Json> patch = Json::parse(request.patch);
  CHECK(patch.is_ok()) << patch.status().message();
  Result<Json> patched =
      api::apply_patch(request.patch_kind, *it->second.type(), normal_json(it->second), *patch);
  CHECK(patched.is_ok()) << patched.status().message();
  it->second = decode(*patched);
  it->second.mut_meta().resource_version = str_cat(++revision_);
  ApiResponse response;
  response.object = it->second;
  return response;
}

ApiResponse RecordedStore::remove(const ApiRequest& request, Time now) {
  const auto it = live_.find(key_of(*request.kind, request.ns, request.name));
  if (it == live_.end()) return not_found_response(request);
  const auto* pod = it->second.as<corev1::Pod>();
  if ((pod && !pod->spec->node_name.empty()) || !it->second.meta().finalizers.empty()) {
    it->second.mut_meta().deletion_timestamp = api::Timestamp::whole_seconds(now);
    it->second.mut_meta().resource_version = str_cat(++revision_);
  } else {
    live_.erase(it);
  }
  return {};
}

ApiResponse RecordedStore::get(const ApiRequest& request) {
  const auto it = live_.find(key_of(*request.kind, request.ns, request.name));
  if (it == live_.end()) return not_found_response(request);
  ApiResponse response;
  response.object = it->second;
  return response;
}

}  // namespace orrery::test
