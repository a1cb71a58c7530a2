#include "engine/sched/plugins/gpu/fragmentation.h"

#include <algorithm>
#include <map>
#include <tuple>


namespace orrery::sched {
namespace {

constexpr double kPopularityThreshold = 0.95;

std::string models_text(const GpuShape& shape) {
  std::string text;
  for (const Str& m : shape.models) text += (text.empty() ? "" : "|") + m.str();
  return text;
}

}  // namespace

std::vector<TypicalPod> typical_pods(std::span<const TypicalPod> pods) {
  using Key = std::tuple<int64_t, int32_t, int32_t, std::string>;
  std::map<Key, std::pair<uint64_t, const TypicalPod*>> shapes;
  for (const TypicalPod& pod : pods) {
    auto& entry = shapes[{pod.cpu_milli, pod.gpu.milli, pod.gpu.count, models_text(pod.gpu)}];
    ++entry.first;
    entry.second = &pod;
  }
  std::vector<std::pair<Key, std::pair<uint64_t, const TypicalPod*>>> sorted(shapes.begin(), shapes.end());
  std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
    if (a.second.first != b.second.first) return a.second.first > b.second.first;
    return a.first > b.first;
  });
  std::vector<TypicalPod> out;
  uint64_t covered = 0;
  for (const auto& [key, entry] : sorted) {
    if (static_cast<double>(covered) >= kPopularityThreshold * static_cast<double>(pods.size())) break;
    out.push_back(*entry.second);
    out.back().weight = static_cast<double>(entry.first);
    covered += entry.first;
  }
  for (TypicalPod& pod : out) pod.weight /= static_cast<double>(covered);
  return out;
}

api::Json typical_pods_to_json(std::span<const TypicalPod> pods) {
  api::Json list = api::Json::array();
  for (const TypicalPod& pod : pods) {
    api::Json item = api::Json::object();
    item.set("cpuMilli", pod.cpu_milli);
    item.set("gpuMilli", pod.gpu.milli);
    item.set("gpuCount", pod.gpu.count);
    item.set("gpuModels", models_text(pod.gpu));
    item.set("weight", pod.weight);
    list.push_back(std::move(item));
  }
  return list;
}

Result<std::vector<TypicalPod>> typical_pods_from_json(const api::Json& json) {
  std::vector<TypicalPod> out;
  if (!json.is_array()) return bad_request("args.typicalPods: must be a list of pod shapes");
  for (const api::Json& item : json.items()) {
    TypicalPod pod;
    Map<Str> annotations;
    if (item["gpuModels"].is_string()) annotations.set(Str(kGpuModelKey), item["gpuModels"].as_string());
    pod.gpu = GpuShape::of(annotations);
    pod.cpu_milli = item["cpuMilli"].as_int();
    pod.gpu.milli = static_cast<int32_t>(item["gpuMilli"].as_int());
    pod.gpu.count = static_cast<int32_t>(item["gpuCount"].as_int());
    if (!item["weight"].is_number()) return bad_request("args.typicalPods: every shape needs a weight");
    pod.weight = item["weight"].as_double();
    out.push_back(std::move(pod));
  }
  return out;
}

namespace {

int32_t clamped(int64_t amount) { return static_cast<int32_t>(std::clamp<int64_t>(amount, INT32_MIN, INT32_MAX)); }

GpuNodeView view_of(int64_t free_cpu, const GpuNode& node) {
  return {node.free.data(), node.count, static_cast<int32_t>(node.total_free()), clamped(free_cpu)};
}

}  // namespace

Fragmentation::Fragmentation(const std::vector<TypicalPod>& typical) {
  const size_t padded = (typical.size() + kTypicalWidth - 1) / kTypicalWidth * kTypicalWidth;
  for (const TypicalPod& pod : typical) {
    milli_.push_back(pod.gpu.milli);
    cpu_.push_back(clamped(pod.cpu_milli));
    weight_.push_back(pod.weight);
  }
  milli_.resize(padded);
  cpu_.resize(padded);
  weight_.resize(padded);
  const auto counts = [&](auto allows) {
    std::vector<int32_t> list(padded, TypicalView::kNever);
    for (size_t m = 0; m < typical.size(); ++m)
      if (typical[m].gpu.count > 0 && allows(typical[m].gpu)) list[m] = typical[m].gpu.count;
    return list;
  };
  count_elsewhere_ = counts([](const GpuShape& shape) { return shape.models.empty(); });
  for (const TypicalPod& pod : typical)
    for (const Str& model : pod.gpu.models) {
      const bool known = std::any_of(count_.begin(), count_.end(), [&](const auto& c) { return c.first == model; });
      if (!known) count_.emplace_back(model, counts([&](const GpuShape& shape) { return shape.allows(model); }));
    }
}

TypicalView Fragmentation::view(const Str& model) const {
  const std::vector<int32_t>* count = &count_elsewhere_;
  for (const auto& [name, list] : count_)
    if (name == model) count = &list;
  return {milli_.data(), count->data(), cpu_.data(), weight_.data(), weight_.size()};
}

double Fragmentation::of_node(int64_t free_cpu, const GpuNode& node) const {
  return fragmentation_of_node(widest_simd(), view(node.model), view_of(free_cpu, node));
}

void Fragmentation::after_share(int64_t free_cpu, const GpuNode& node, int32_t milli, std::span<double, kGpusMax> out) const {
  fragmentation_after_share(widest_simd(), view(node.model), view_of(free_cpu, node), milli, out.data());
}

}  // namespace orrery::sched
