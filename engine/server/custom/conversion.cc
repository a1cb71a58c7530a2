#include "engine/server/custom/conversion.h"

#include <set>

#include "engine/api/codec_json.h"
#include "engine/server/custom/custom_kinds.h"

namespace orrery::server {
namespace {

using api::Json;


Json document_of(const api::Object& object) {
  Json json = api::to_json(object);
  json.set("apiVersion", object.kind()->api_version);
  json.set("kind", object.kind()->kind);
  return json;
}

const apiextensionsv1::WebhookConversion* webhook_of(const api::KindDesc& kind) {
  const auto& conversion = custom_version(kind).resource->spec->conversion;
  return conversion && conversion->strategy == "Webhook" && conversion->webhook ? &*conversion->webhook : nullptr;
}

std::string url_of(const apiextensionsv1::WebhookClientConfig& client) {
  if (client.url) return (*client.url).str();
  if (!client.service) return "";
  constexpr int32_t kHttps = 443;
  const auto& service = *client.service;
  return str_cat("https://", service.name, ".", service.namespace_, ".svc:", service.port.value_or(kHttps), service.path.value_or(Str()));
}

std::string_view review_version(const apiextensionsv1::WebhookConversion& webhook) {
  for (const Str& version : webhook.conversion_review_versions)
    if (version == "v1" || version == "v1beta1") return version;
  return "v1";
}

// What no webhook may change does not count: it may be another when a request is decided again.
std::string identity_of(const api::Object& object, const api::KindDesc& to) {
  api::Object bare = object;
  bare.mut_meta().managed_fields = {};
  bare.mut_meta().creation_timestamp = {};
  return str_cat(to.api_version, " ", object.kind()->api_version, " ", api::encode_json(bare));
}

api::Object with_metadata_of(api::Object converted, const api::Object& from) {
  metav1::ObjectMeta meta = from.meta();
  meta.labels = converted.meta().labels;
  meta.annotations = converted.meta().annotations;
  converted.mut_meta() = std::move(meta);
  return converted;
}

// A webhook may change labels, annotations and what is not metadata.
Result<api::Object> converted_object(const api::Object& from, const Json& json, const api::KindDesc& to) {
  if (json["apiVersion"].text() != to.api_version || json["kind"].text() != to.kind)
    return internal_error(str_cat("invalid converted object: expected ", to.api_version, ", Kind=", to.kind));
  api::Object object = api::Object::make(*to.type);
  ORRERY_TRY(api::from_json(json, *to.type, object.mut_data()));
  object = with_metadata_of(std::move(object), from);
  *static_cast<metav1::TypeMeta*>(object.mut_data()) = {};
  std::vector<std::string> unknown;
  normalize_custom(object, unknown);
  return object;
}

}  // namespace

api::Object Conversions::find(const api::Object& object, const api::KindDesc& to) {
  if (object.kind() == &to) return object;
  const bool same_version = object.kind()->api_version == to.api_version;
  if (same_version || !webhook_of(to)) {
    api::Object out = api::retyped(object, *to.type);
    std::vector<std::string> unknown;
    normalize_custom(out, unknown);
    return out;
  }
  std::string key = identity_of(object, to);
  const auto known = known_.find(key);
  if (known != known_.end()) return with_metadata_of(known->second, object);
  wanted_.push_back({std::move(key), object, &to});
  return {};
}

HttpCall Conversions::call(const Str& uid) {
  const std::vector<Wanted> all = std::exchange(wanted_, {});
  const api::KindDesc* to = all.front().to;
  const api::KindDesc* from = all.front().object.kind();
  asked_.clear();
  Json objects = Json::array();
  std::set<std::string_view> keys;
  for (const Wanted& each : all) {
    if (each.to != to || each.object.kind() != from || !keys.insert(each.key).second) continue;
    asked_.push_back(each);
    objects.push_back(document_of(each.object));
  }
  const auto& webhook = *webhook_of(*to);
  Json review = Json::object();
  review.set("kind", "ConversionReview");
  review.set("apiVersion", str_cat("apiextensions.k8s.io/", review_version(webhook)));
  Json& request = review.set("request", Json::object());
  request.set("uid", uid);
  request.set("desiredAPIVersion", to->api_version);
  request.set("objects", std::move(objects));
  HttpCall call;
  call.timeout = Duration::seconds(30);
  call.headers = {{"content-type", "application/json"}, {"accept", "application/json, */*"}};
  call.body = review.dump();
  if (!webhook.client_config) return call;
  call.url = url_of(*webhook.client_config);
  call.ca_bundle = webhook.client_config->ca_bundle.str();
  return call;
}

Status Conversions::take(const HttpCallOutcome& outcome, const Str& uid) {
  const api::KindDesc& from = *asked_.front().object.kind();
  const auto failed = [&](std::string_view why) {
    return internal_error(str_cat("conversion webhook for ", from.api_version, ", Kind=", from.kind, " failed: ", why));
  };
  if (!outcome.status.is_ok()) return failed(outcome.status.message());
  if (outcome.response.code != 200) return failed("an error on the server (\"unknown\") has prevented the request from succeeding");
  const auto review = Json::parse(outcome.response.body);
  if (!review.is_ok()) return failed(review.status().message());
  const Json& response = (*review)["response"];
  if (response["uid"].text() != uid) return failed("invalid response: uid does not match");
  const Json& result = response["result"];
  if (result["status"].text() != "Success") {
    const std::string_view why = result["message"].text();
    return failed(why.empty() ? std::string_view("<nil>") : why);
  }
  const Json& objects = response["convertedObjects"];
  if (objects.size() != asked_.size())
    return failed(str_cat("webhook returned ", objects.size(), " objects, expected ", asked_.size()));
  for (size_t i = 0; i < asked_.size(); ++i) {
    auto object = converted_object(asked_[i].object, objects[i], *asked_[i].to);
    if (!object.is_ok()) return failed(object.status().message());
    known_[asked_[i].key] = std::move(*object);
  }
  return Status::ok();
}

}  // namespace orrery::server
