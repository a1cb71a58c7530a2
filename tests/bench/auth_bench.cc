// What a check of one user costs among many bindings of others.
#include <benchmark/benchmark.h>

#include "engine/api/codec_json.h"
#include "engine/server/auth/authorizer.h"
#include "engine/server/bootstrap/bootstrap_objects.h"

namespace orrery::server {
namespace {

constexpr int kNamespaces = 200;
constexpr int kBindingsPerNamespace = 20;

// The bootstrap policy, and 4,000 role bindings of other users.
Authorizer crowded() {
  Authorizer authorizer({AuthorizationMode::kNode, AuthorizationMode::kRbac});
  for (const api::Object& object : bootstrap_objects())
    if (Authorizer::watches(*object.kind())) authorizer.on_change(*object.kind(), {}, object);
  for (int ns = 0; ns < kNamespaces; ++ns)
    for (int i = 0; i < kBindingsPerNamespace; ++i) {
      const auto object = api::decode_json(str_cat(
          R"({"apiVersion":"rbac.authorization.k8s.io/v1","kind":"RoleBinding","metadata":{"name":"b)",
          i, R"(","namespace":"ns)", ns,
          R"("},"roleRef":{"kind":"ClusterRole","name":"system:node-proxier"},)",
          R"("subjects":[{"kind":"User","name":"user)", ns, "-", i, R"("}]})"));
      CHECK(object.is_ok()) << object.status().message();
      authorizer.on_change(*object->kind(), {}, *object);
    }
  return authorizer;
}

Attributes request() {
  Attributes a;
  a.user = {"user7-3", "", {"dev", "system:authenticated"}, {}};
  a.verb = "list";
  a.is_resource = true;
  a.resource = "services";
  a.ns = "ns7";
  return a;
}

void authorize_allowed(benchmark::State& state) {
  const Authorizer authorizer = crowded();
  const Attributes attributes = request();
  for (auto _ : state) benchmark::DoNotOptimize(authorizer.authorize(attributes));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(authorize_allowed);

void authorize_refused(benchmark::State& state) {
  const Authorizer authorizer = crowded();
  Attributes attributes = request();
  attributes.resource = "secrets";
  for (auto _ : state) benchmark::DoNotOptimize(authorizer.authorize(attributes));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(authorize_refused);

}  // namespace
}  // namespace orrery::server
