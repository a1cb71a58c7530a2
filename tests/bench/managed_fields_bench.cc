#include <benchmark/benchmark.h>

#include "engine/api/codec_json.h"
#include "engine/api/gen/corev1.h"
#include "engine/server/managed_fields/managed_fields.h"
#include "tests/bench/pod_sample.h"

namespace orrery {
namespace {

using server::managed::FieldWrite;

FieldWrite write_by(std::string_view manager, std::string_view subresource = "") {
  FieldWrite write;
  write.manager = Str(manager);
  write.subresource = Str(subresource);
  write.now = Time::from_unix_seconds(1'700'000'000);
  return write;
}

/// A pod as a client creates it.
api::Object created_pod() {
  auto object = api::decode_json(bench::pod_json(1));
  CHECK(object.is_ok()) << object.status().message();
  object->mut_meta().managed_fields.reset();
  object->mut<corev1::Pod>().status.reset();
  return *object;
}

/// Tracking the create of a pod: a comparison with nothing, and the fields as text.
void managed_fields_create_pod(benchmark::State& state) {
  const api::Object pod = created_pod();
  const FieldWrite write = write_by("kubelet");
  for (auto _ : state) {
    api::Object fresh = pod;
    server::managed::update_managed_fields({}, fresh, write);
    benchmark::DoNotOptimize(fresh);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(managed_fields_create_pod);

/// Tracking a label patch of a pod that two managers own.
void managed_fields_patch_pod(benchmark::State& state) {
  api::Object pod = created_pod();
  server::managed::update_managed_fields({}, pod, write_by("creator"));
  api::Object live = pod;
  live.mut<corev1::Pod>().status.mut().phase = "Running";
  live.mut<corev1::Pod>().status.mut().pod_ip = "10.0.0.1";
  server::managed::update_managed_fields(pod, live, write_by("kubelet", "status"));
  api::Object patched = live;
  patched.mut_meta().labels.set("touched", "yes");
  const FieldWrite write = write_by("patcher");
  for (auto _ : state) {
    api::Object fresh = patched;
    server::managed::update_managed_fields(live, fresh, write);
    benchmark::DoNotOptimize(fresh);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(managed_fields_patch_pod);

}  // namespace
}  // namespace orrery
