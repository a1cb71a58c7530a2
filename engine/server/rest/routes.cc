#include "engine/server/rest/routes.h"

#include <algorithm>

#include "engine/api/custom_object.h"
#include "engine/base/ascii.h"
#include "engine/server/errors.h"

namespace orrery::server {
namespace {

// The verbs that each subresource takes. Source: Kubernetes v1.32 discovery.
bool subresource_takes(std::string_view subresource, std::string_view verb) {
  if (subresource == "binding" || subresource == "eviction" || subresource == "token") return verb == "create";
  if (subresource == "finalize") return verb == "update";
  if (subresource == "log") return verb == "get";
  if (subresource == "exec" || subresource == "attach" || subresource == "portforward") return verb == "create" || verb == "get";
  if (subresource == "proxy") return true;
  return verb == "get" || verb == "patch" || verb == "update";
}

// The resource, or its part, takes that method at that place.
bool has_method(const RequestInfo& info, const api::KindDesc& kind) {
  if (!info.subresource.empty()) return subresource_takes(info.subresource, info.verb);
  if (!contains_word(kind.verbs, info.verb)) return false;
  const bool collection = info.name.empty();
  if (info.verb == "create") return collection && !(kind.namespaced && info.ns.empty());
  if (info.verb == "update" || info.verb == "patch") return !collection;
  return collection || info.verb != "deletecollection";
}

bool has_place(const RequestInfo& info, const api::KindDesc& kind) {
  constexpr size_t kPartsMax = 3;  // resource, name, subresource; what is proxied goes on
  const bool homeless = kind.namespaced && info.ns.empty(), names_one = info.parts.size() > 1;
  if (!info.subresource.empty() && !contains_word(kind.subresources, info.subresource)) return false;
  if (info.parts.size() > kPartsMax && info.subresource != "proxy") return false;
  if (kind.namespaced ? homeless && names_one : info.within_namespace) return false;
  // What is only created has no place of its own.
  return !(kind.verbs == "create" && info.subresource.empty() && (homeless || names_one));
}

Dead not_supported(const RequestInfo& info, const api::KindDesc& kind) {
  Dead dead;
  dead.failure.status = Status(Code::kMethodNotAllowed,
                               str_cat(info.verb, " is not supported on resources of kind \"", qualified_resource(kind), "\""));
  auto& details = dead.failure.details.mut();
  details.group = Str(kind.group);
  details.kind = Str(kind.plural);
  return dead;
}

Dead dead_end_of_custom(const RequestInfo& info, const api::KindDesc& kind) {
  const bool across = info.verb == "list" || info.verb == "watch", homed = !info.ns.empty();
  if (kind.namespaced ? !homed && !across : homed) return {.failure = {}, .page = true};
  const std::string_view part = info.subresource;
  if (!part.empty() && !contains_word(kind.subresources, part)) {
    Dead dead;
    dead.failure.status = not_found_error(kind, info.name);
    auto& details = dead.failure.details.mut();
    details.name = Str(info.name);
    details.group = Str(kind.group);
    details.kind = Str(kind.plural);
    return dead;
  }
  constexpr std::string_view kVerbs = "get list watch create update patch delete deletecollection";
  const bool takes = part.empty() ? contains_word(kVerbs, info.verb) : subresource_takes(part, info.verb);
  if (!takes) return not_supported(info, kind);
  Dead dead;
  if (info.verb == "update" && info.name.empty()) dead.failure.status = bad_request("name must be provided");
  return dead;
}

}  // namespace

Dead dead_end(std::string_view method, const RequestInfo& info, const api::KindDesc& kind) {
  if (api::is_custom(kind)) return dead_end_of_custom(info, kind);
  if (!has_place(info, kind)) return {.failure = with_empty_details(no_such_resource())};
  const bool only_reads_head = method == "HEAD" && info.subresource != "proxy";
  if (only_reads_head || !has_method(info, kind)) return {.failure = with_empty_details(method_not_allowed())};
  return {};
}

}  // namespace orrery::server
