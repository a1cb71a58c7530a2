// What the server does by itself when definitions of custom resources change.
#include "engine/server/custom/definition_upkeep.h"
#include "engine/server/server.h"

namespace orrery::server {
namespace {

using apiextensionsv1::CustomResourceDefinition;

const Str kManager = Str::literal("kube-apiserver");

ApiRequest own_update(const CustomResourceDefinition& definition, std::string_view subresource) {
  ApiRequest request;
  request.verb = ApiVerb::kUpdate;
  request.kind = CustomResourceDefinition::descriptor().kind;
  request.subresource = Str(subresource);
  request.name = definition.metadata->name;
  request.field_manager = kManager;
  request.object = api::Object::of(definition);
  return request;
}

}  // namespace

// Kinds appear, change and go with their definitions.
void Server::on_definition(const api::Object& old, const api::Object& fresh) {
  if (!fresh) return custom_.remove(old.meta().name);
  if (!custom_.set(fresh.get<CustomResourceDefinition>())) return;
  while (caches_.size() < custom_.id_end()) {
    WatchCache& cache = caches_.emplace_back();
    if (options_.serves_clients) cache.keep_history(kHistoryMax);
    cache.begin_history(revision_);
  }
  const CustomResource* resource = custom_.find_definition(fresh.meta().name);
  if (!resource) return;
  const api::KindDesc& kind = *resource->storage;
  caches_[kind.id].revise([&](api::Object& object) {
    object = api::retyped(object, *kind.type);
    std::vector<std::string> unknown;
    normalize_custom(object, unknown);
  });
}

void Server::tend_definition(const Str& name) {
  const api::KindDesc& kind = *CustomResourceDefinition::descriptor().kind;
  const api::Object found = find(kind, "", name);
  if (!found) return;
  const auto& definition = found.get<CustomResourceDefinition>();
  const Time now = timers_->now();
  if (awaits_cleanup(definition)) return clean_up(definition, now);
  std::vector<api::Object> held;
  std::vector<const CustomResourceDefinition*> all;
  for (const api::Object& other : list(kind, "")) all.push_back(&held.emplace_back(other).get<CustomResourceDefinition>());
  if (const auto settled = with_settled_status(definition, all, now)) call({}, own_update(*settled, "status"));
}

void Server::tend_definitions_of(const Str& group) {
  for (const api::Object& object : list(*CustomResourceDefinition::descriptor().kind, ""))
    if (object.get<CustomResourceDefinition>().spec->group == group) tend_definition(object.meta().name);
}

void Server::clean_up(const CustomResourceDefinition& definition, Time now) {
  const CustomResource* resource = custom_.find_definition(definition.metadata->name);
  const std::vector<api::Object> left = resource ? list(*resource->storage, "") : std::vector<api::Object>();
  CustomResourceDefinition fresh = definition;
  if (left.empty()) {
    end_cleanup(fresh);
    return call({}, own_update(fresh, ""));
  }
  // Each deletion is asked for once; the last one that happens brings us here again.
  if (!mark_cleanup(fresh, now)) return;
  for (const api::Object& object : left) {
    ApiRequest request;
    request.verb = ApiVerb::kDelete;
    request.kind = resource->storage;
    request.ns = object.meta().namespace_;
    request.name = object.meta().name;
    call({}, std::move(request));
  }
  call({}, own_update(fresh, "status"));
}

}  // namespace orrery::server
