// Codecs over the same pods, ours beside nlohmann-json and protobuf's own generated code; what an
// object costs in memory; what a copy with one change costs.
#include <benchmark/benchmark.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <pod_baseline.pb.h>
#include <string>
#include <vector>

#include "engine/api/codec_json.h"
#include "engine/api/codec_proto.h"
#include "engine/api/gen/corev1.h"
#include "engine/api/semantic.h"
#include "engine/api/yaml.h"
#include "tests/bench/memory_count.h"
#include "tests/bench/pod_sample.h"

namespace orrery {
namespace {

constexpr int kListed = 5000;
constexpr size_t kEnvelopeBytes = 4;  // k8s\0

const api::Object& pod() {
  static const api::Object kObject = api::decode_json(bench::pod_json(0)).value();
  return kObject;
}
const api::Object& pod_list() {
  static const api::Object kObject = [] {
    StrPool pool;
    return api::decode_json(bench::pod_list_json(kListed), {.pool = &pool}).value();
  }();
  return kObject;
}

void count_bytes(benchmark::State& state, size_t bytes) {
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(bytes));
}

void json_encode(benchmark::State& state) {
  size_t bytes = 0;
  for (auto _ : state) bytes = api::encode_json(pod()).size();
  count_bytes(state, bytes);
}
void json_encode_nlohmann(benchmark::State& state) {
  const auto json = nlohmann::json::parse(bench::pod_json(0));
  size_t bytes = 0;
  for (auto _ : state) bytes = json.dump().size();
  count_bytes(state, bytes);
}
void json_encode_list(benchmark::State& state) {
  pod_list();
  size_t bytes = 0;
  for (auto _ : state) bytes = api::encode_json(pod_list()).size();
  count_bytes(state, bytes);
  state.counters["objects"] = kListed;
}
void json_encode_list_nlohmann(benchmark::State& state) {
  const auto json = nlohmann::json::parse(bench::pod_list_json(kListed));
  size_t bytes = 0;
  for (auto _ : state) bytes = json.dump().size();
  count_bytes(state, bytes);
  state.counters["objects"] = kListed;
}
BENCHMARK(json_encode);
BENCHMARK(json_encode_nlohmann);
BENCHMARK(json_encode_list)->Unit(benchmark::kMillisecond);
BENCHMARK(json_encode_list_nlohmann)->Unit(benchmark::kMillisecond);

void json_decode(benchmark::State& state, bool strict) {
  const std::string text = bench::pod_json(0);
  for (auto _ : state) benchmark::DoNotOptimize(api::decode_json(text, {.strict = strict}).value());
  count_bytes(state, text.size());
}
void json_decode_nlohmann(benchmark::State& state) {
  const std::string text = bench::pod_json(0);
  for (auto _ : state) benchmark::DoNotOptimize(nlohmann::json::parse(text));
  count_bytes(state, text.size());
}
void json_decode_list(benchmark::State& state) {
  const std::string text = bench::pod_list_json(kListed);
  for (auto _ : state) benchmark::DoNotOptimize(api::decode_json(text).value());
  count_bytes(state, text.size());
}
BENCHMARK_CAPTURE(json_decode, plain, false);
BENCHMARK_CAPTURE(json_decode, strict, true);
BENCHMARK(json_decode_nlohmann);
BENCHMARK(json_decode_list)->Unit(benchmark::kMillisecond);

/// The message inside the envelope: what protobuf's own code reads.
std::string pod_message() { return api::encode_proto_message(*pod().type(), pod().data()); }

void proto_encode(benchmark::State& state) {
  size_t bytes = 0;
  for (auto _ : state) bytes = api::encode_proto_message(*pod().type(), pod().data()).size();
  count_bytes(state, bytes);
}
void proto_encode_protobuf(benchmark::State& state) {
  baseline::Pod message;
  CHECK(message.ParseFromString(pod_message())) << "not the same message";
  CHECK(message.ByteSizeLong() == pod_message().size()) << "not the same message";
  size_t bytes = 0;
  for (auto _ : state) bytes = message.SerializeAsString().size();
  count_bytes(state, bytes);
}
void proto_encode_list(benchmark::State& state) {
  pod_list();
  size_t bytes = 0;
  for (auto _ : state) bytes = api::encode_proto(pod_list()).size();
  count_bytes(state, bytes);
}
void proto_decode(benchmark::State& state) {
  const std::string bytes = api::encode_proto(pod());
  for (auto _ : state) benchmark::DoNotOptimize(api::decode_proto(bytes).value());
  count_bytes(state, bytes.size() - kEnvelopeBytes);
}
void proto_decode_protobuf(benchmark::State& state) {
  const std::string bytes = pod_message();
  for (auto _ : state) {
    baseline::Pod message;
    CHECK(message.ParseFromString(bytes)) << "cannot be read";
    benchmark::DoNotOptimize(message);
  }
  count_bytes(state, bytes.size());
}
BENCHMARK(proto_encode);
BENCHMARK(proto_encode_protobuf);
BENCHMARK(proto_encode_list)->Unit(benchmark::kMillisecond);
BENCHMARK(proto_decode);
BENCHMARK(proto_decode_protobuf);

void yaml_encode(benchmark::State& state) {
  size_t bytes = 0;
  for (auto _ : state) bytes = api::encode_yaml(pod()).size();
  count_bytes(state, bytes);
}
void yaml_decode(benchmark::State& state) {
  const std::string text = api::encode_yaml(pod());
  for (auto _ : state) benchmark::DoNotOptimize(api::decode_manifests(text, "pod.yaml").value());
  count_bytes(state, text.size());
}
BENCHMARK(yaml_encode);
BENCHMARK(yaml_decode);

/// Heap bytes of one of many pods of a kind, texts shared by a pool as a server's cache shares them.
void bytes_per_pod(benchmark::State& state, bool pooled) {
  double each = 0;
  for (auto _ : state) {
    StrPool pool;
    std::vector<api::Object> pods;
    pods.reserve(1000);
    const size_t before = bench::heap_bytes();
    for (int i = 0; i < 1000; ++i) pods.push_back(api::decode_json(bench::pod_json(i), {.pool = pooled ? &pool : nullptr}).value());
    each = static_cast<double>(bench::heap_bytes() - before) / 1000;
  }
  state.counters["bytes"] = each;
}
void bytes_per_pod_nlohmann(benchmark::State& state) {
  double each = 0;
  for (auto _ : state) {
    std::vector<nlohmann::json> pods;
    pods.reserve(1000);
    const size_t before = bench::heap_bytes();
    for (int i = 0; i < 1000; ++i) pods.push_back(nlohmann::json::parse(bench::pod_json(i)));
    each = static_cast<double>(bench::heap_bytes() - before) / 1000;
  }
  state.counters["bytes"] = each;
}
void bytes_per_pod_protobuf(benchmark::State& state) {
  const std::string bytes = pod_message();
  double each = 0;
  for (auto _ : state) {
    std::vector<std::unique_ptr<baseline::Pod>> pods;
    pods.reserve(1000);
    const size_t before = bench::heap_bytes();
    for (int i = 0; i < 1000; ++i) {
      pods.push_back(std::make_unique<baseline::Pod>());
      CHECK(pods.back()->ParseFromString(bytes)) << "cannot be read";
    }
    each = static_cast<double>(bench::heap_bytes() - before) / 1000;
  }
  state.counters["bytes"] = each;
}
BENCHMARK_CAPTURE(bytes_per_pod, pooled, true)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(bytes_per_pod, plain, false)->Unit(benchmark::kMillisecond);
BENCHMARK(bytes_per_pod_nlohmann)->Unit(benchmark::kMillisecond);
BENCHMARK(bytes_per_pod_protobuf)->Unit(benchmark::kMillisecond);

/// A binding: a new version of the pod that differs in one field of its spec.
void copy_with_one_change(benchmark::State& state) {
  const Str node("node-7");
  const uint64_t before = bench::allocations();
  for (auto _ : state) {
    api::Object copy = pod();
    copy.mut<corev1::Pod>().spec.mut().node_name = node;
    benchmark::DoNotOptimize(copy);
  }
  state.counters["allocs"] = benchmark::Counter(static_cast<double>(bench::allocations() - before), benchmark::Counter::kAvgIterations);
}
void copy_with_one_change_nlohmann(benchmark::State& state) {
  const auto json = nlohmann::json::parse(bench::pod_json(0));
  for (auto _ : state) {
    auto copy = json;
    copy["spec"]["nodeName"] = "node-7";
    benchmark::DoNotOptimize(copy);
  }
}
void copy_with_one_change_protobuf(benchmark::State& state) {
  baseline::Pod message;
  CHECK(message.ParseFromString(pod_message())) << "cannot be read";
  for (auto _ : state) {
    baseline::Pod copy = message;
    copy.mutable_spec_f()->set_nodename_f("node-7");
    benchmark::DoNotOptimize(copy);
  }
}
BENCHMARK(copy_with_one_change);
BENCHMARK(copy_with_one_change_nlohmann);
BENCHMARK(copy_with_one_change_protobuf);

void object_hash(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(api::semantic_hash(pod()));
}
void object_equal(benchmark::State& state) {
  const api::Object other = api::decode_json(bench::pod_json(0)).value();
  for (auto _ : state) benchmark::DoNotOptimize(api::semantic_equal(pod(), other));
}
void object_diff(benchmark::State& state) {
  api::Object other = api::decode_json(bench::pod_json(0)).value();
  other.mut<corev1::Pod>().spec.mut().node_name = "node-7";
  for (auto _ : state) benchmark::DoNotOptimize(api::diff(pod(), other));
}
BENCHMARK(object_hash);
BENCHMARK(object_equal);
BENCHMARK(object_diff);

}  // namespace
}  // namespace orrery
