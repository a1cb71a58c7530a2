#include "engine/server/admission/policy_params.h"

#include "engine/api/label_selector.h"

namespace orrery::server {
namespace {

using namespace admissionregistrationv1;

PolicyParams failed(std::string why) { return {{}, std::move(why)}; }

// Those that the reference names or selects.
std::vector<api::Object> referenced(const api::KindDesc& kind, const ParamRef& ref, std::string_view ns, const ObjectLister& objects) {
  std::vector<api::Object> found;
  if (!ref.name.empty()) {
    if (api::Object object = objects.find(kind, ns, ref.name)) found.push_back(std::move(object));
    return found;
  }
  const auto selector = api::Selector::of(ref.selector.get());
  if (!selector.is_ok()) return found;
  for (api::Object& object : objects.list(kind, ns))
    if (selector->matches(object.meta().labels)) found.push_back(std::move(object));
  return found;
}

}  // namespace

PolicyParams policy_params(const ParamKind* kind, const ParamRef* ref, std::string_view request_namespace, const ObjectLister& objects) {
  if (!kind || !ref) return {{api::Object()}, ""};
  const api::KindDesc* known = objects.find_kind(kind->api_version, kind->kind);
  if (!known) return failed(str_cat("paramKind kind `&ParamKind{APIVersion:", kind->api_version, ",Kind:", kind->kind, ",}` not known"));
  std::string_view ns;
  if (known->namespaced) {
    ns = ref->namespace_.empty() ? request_namespace : ref->namespace_.view();
    if (ns.empty()) return failed("cannot use namespaced paramRef in policy binding that matches cluster-scoped resources");
  } else if (!ref->namespace_.empty()) {
    return failed("paramRef.namespace must not be provided for a cluster-scoped `paramKind`");
  }
  PolicyParams params{referenced(*known, *ref, ns, objects), ""};
  if (params.objects.empty() && ref->parameter_not_found_action.value_or(Str()) == "Deny")
    return failed("no params found for policy binding with `Deny` parameterNotFoundAction");
  return params;
}

}  // namespace orrery::server
