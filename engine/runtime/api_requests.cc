#include "engine/runtime/api_requests.h"

#include <utility>

namespace orrery {
namespace {

ApiRequest request_for(ApiVerb verb, const api::KindDesc& kind, const Str& ns, const Str& name) {
  ApiRequest request;
  request.verb = verb;
  request.kind = &kind;
  request.ns = ns;
  request.name = name;
  return request;
}

ApiRequest request_with(ApiVerb verb, api::Object object) {
  const auto& meta = object.meta();
  ApiRequest request = request_for(verb, *object.kind(), meta.namespace_, meta.name);
  request.object = std::move(object);
  return request;
}

}  // namespace

ApiRequest get_request(const api::KindDesc& kind, const Str& ns, const Str& name) {
  return request_for(ApiVerb::kGet, kind, ns, name);
}

ApiRequest list_request(const api::KindDesc& kind, const Str& ns) {
  return request_for(ApiVerb::kList, kind, ns, Str());
}

ApiRequest create_request(api::Object object) {
  return request_with(ApiVerb::kCreate, std::move(object));
}

ApiRequest update_request(api::Object object, std::string_view subresource) {
  ApiRequest request = request_with(ApiVerb::kUpdate, std::move(object));
  request.subresource = subresource;
  return request;
}

ApiRequest patch_request(const api::KindDesc& kind, const Str& ns, const Str& name, PatchKind type,
                         Str patch, std::string_view subresource) {
  ApiRequest request = request_for(ApiVerb::kPatch, kind, ns, name);
  request.patch_kind = type;
  request.patch = std::move(patch);
  request.subresource = subresource;
  return request;
}

ApiRequest delete_request(const api::KindDesc& kind, const Str& ns, const Str& name,
                          ApiDeleteOptions options) {
  ApiRequest request = request_for(ApiVerb::kDelete, kind, ns, name);
  request.delete_options = std::move(options);
  return request;
}

}  // namespace orrery
