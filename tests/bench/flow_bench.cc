// What priority and fairness cost one request: to be found out where it belongs, seated and gone.
#include <benchmark/benchmark.h>

#include "engine/server/bootstrap/bootstrap_objects.h"
#include "engine/server/flow/flow_control.h"

namespace orrery {
namespace {

void flow_control_request(benchmark::State& state, std::string_view name, List<Str> groups,
                          std::string_view method, std::string_view path) {
  server::FlowControl flow({600, Duration::seconds(15)});
  for (const api::Object& object : server::bootstrap_objects())
    if (server::FlowControl::watches(*object.kind())) flow.on_change(*object.kind(), {}, object);
  ApiUser user;
  user.name = Str(name);
  user.groups = std::move(groups);
  const auto request = *server::RequestInfo::resolve(method, path, server::Query());
  Time now = Time::from_unix_seconds(1'700'000'000);
  uint64_t id = 0;
  for (auto _ : state) {
    server::FlowControl::Ticket ticket;
    benchmark::DoNotOptimize(flow.arrive(++id, request, user, 1, now, ticket));
    now = now + Duration::micros(50);
    flow.leave(ticket, now);
  }
  state.SetItemsProcessed(state.iterations());
}
constexpr std::string_view kPods = "/api/v1/namespaces/default/pods/p";
BENCHMARK_CAPTURE(flow_control_request, admin, "admin", {"system:masters", "system:authenticated"},
                  "GET", kPods);
BENCHMARK_CAPTURE(flow_control_request, node, "system:node:n1",
                  {"system:nodes", "system:authenticated"}, "GET", kPods);
BENCHMARK_CAPTURE(flow_control_request, workload, "system:serviceaccount:default:x",
                  {"system:serviceaccounts", "system:serviceaccounts:default",
                   "system:authenticated"},
                  "GET", kPods);
BENCHMARK_CAPTURE(flow_control_request, anyone, "alice", {"system:authenticated"}, "GET", kPods);

}  // namespace
}  // namespace orrery
