#include "engine/sched/plugins/gpu/fragmentation.h"

#include <algorithm>
#include <array>
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

Fragmentation::Fragmentation(std::vector<TypicalPod> typical) : typical_(std::move(typical)) {
  for (const TypicalPod& pod : typical_) thresholds_.push_back(pod.gpu.milli);
  std::sort(thresholds_.begin(), thresholds_.end());
  thresholds_.erase(std::unique(thresholds_.begin(), thresholds_.end()), thresholds_.end());
  for (const TypicalPod& pod : typical_) {
    threshold_of_.push_back(static_cast<uint32_t>(std::lower_bound(thresholds_.begin(), thresholds_.end(), pod.gpu.milli) - thresholds_.begin()));
    any_models_ = any_models_ || !pod.gpu.models.empty();
  }
}

// What is too small for a threshold, and how many GPUs are not, depend on the threshold alone: they
// are worked out once for each, not for each typical pod.
double Fragmentation::of_node(int64_t free_cpu, const GpuNode& node) const {
  constexpr size_t kMost = 64;
  std::array<int32_t, kMost> small, enough;
  const size_t n = std::min(thresholds_.size(), kMost);
  const auto idle = static_cast<int32_t>(node.total_free());
  for (size_t t = 0; t < n; ++t) {
    int32_t s = 0, e = 0;
    for (uint32_t g = 0; g < node.count; ++g) {
      const bool fits = node.free[g] >= thresholds_[t];
      e += fits;
      s += fits ? 0 : node.free[g];
    }
    small[t] = s;
    enough[t] = e;
  }
  double sum = 0;
  for (size_t m = 0; m < typical_.size(); ++m) {
    const TypicalPod& pod = typical_[m];
    const uint32_t t = threshold_of_[m];
    const bool usable = pod.gpu.count > 0 && free_cpu >= pod.cpu_milli && enough[t] >= pod.gpu.count &&
                        (!any_models_ || pod.gpu.allows(node.model));
    sum += pod.weight * static_cast<double>(usable ? small[t] : idle);
  }
  return sum;
}

}  // namespace orrery::sched
