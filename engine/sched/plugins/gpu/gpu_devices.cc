#include "engine/sched/plugins/gpu/gpu_devices.h"

#include <charconv>

namespace orrery::sched {
namespace {

int32_t number_of(const Map<Str>& annotations, std::string_view key) {
  const Str* text = annotations.find(key);
  int32_t number = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), number);
  return number;
}

}  // namespace

bool GpuShape::allows(const Str& model) const {
  if (models.empty()) return true;
  for (const Str& m : models)
    if (m == model) return true;
  return false;
}

GpuShape GpuShape::of(const Map<Str>& annotations) {
  GpuShape shape;
  if (annotations.empty()) return shape;
  shape.count = number_of(annotations, kGpuCountKey);
  shape.milli = number_of(annotations, kGpuMilliKey);
  if (const Str* models = annotations.find(kGpuModelKey); models && !models->empty()) {
    std::string_view rest = models->view();
    for (;;) {
      const size_t bar = rest.find('|');
      shape.models.push_back(Str(rest.substr(0, bar)));
      if (bar == std::string_view::npos) break;
      rest.remove_prefix(bar + 1);
    }
  }
  return shape;
}

int64_t GpuNode::total_free() const {
  int64_t sum = 0;
  for (uint32_t g = 0; g < count; ++g) sum += free[g];
  return sum;
}

uint32_t GpuNode::fitting(int32_t milli) const {
  uint32_t n = 0;
  for (uint32_t g = 0; g < count; ++g) n += free[g] >= milli;
  return n;
}

uint32_t GpuNode::fully_free() const { return fitting(kWholeGpu); }

bool GpuNode::fits(const GpuShape& shape) const {
  if (shape.count == 0) return true;
  return shape.allows(model) && fitting(shape.milli) >= static_cast<uint32_t>(shape.count);
}

int GpuNode::tightest(int32_t milli) const {
  int best = -1;
  for (uint32_t g = 0; g < count; ++g)
    if (free[g] >= milli && (best < 0 || free[g] < free[static_cast<size_t>(best)])) best = static_cast<int>(g);
  return best;
}

void GpuDevices::node_set(uint32_t slot, const corev1::Node& node) {
  if (nodes_.size() <= slot) nodes_.resize(slot + 1);
  GpuNode& n = nodes_[slot];
  n.model = node.metadata->labels.get(kGpuModelKey);
  const api::Quantity* count = node.status->allocatable.find(kGpuCountKey);
  const auto fresh = static_cast<uint32_t>(count ? std::min<int64_t>(count->value(), kGpusMax) : 0);
  // GPUs that appear are free; what is taken of the others stays taken.
  for (uint32_t g = n.count; g < fresh; ++g) n.free[g] += kWholeGpu;
  for (uint32_t g = fresh; g < n.count; ++g) n.free[g] -= kWholeGpu;
  n.count = fresh;
}

void GpuDevices::node_removed(uint32_t slot) {
  if (slot < nodes_.size()) nodes_[slot] = GpuNode();
}

const GpuNode GpuDevices::kNone;

void GpuDevices::account(uint32_t slot, const corev1::Pod& pod, int32_t sign) {
  const auto& annotations = pod.metadata->annotations;
  const GpuShape shape = GpuShape::of(annotations);
  if (shape.count == 0) return;
  if (nodes_.size() <= slot) nodes_.resize(slot + 1);
  GpuNode& n = nodes_[slot];
  const size_t tag = shape.is_share() ? 0 : std::min<size_t>(static_cast<size_t>(shape.count), kGpusMax);
  n.pods_by_tag[tag] -= sign;
  const Str* indexes = annotations.find(kGpuIndexKey);
  std::string_view rest = indexes ? indexes->view() : std::string_view();
  while (!rest.empty()) {
    size_t g = 0;
    std::from_chars(rest.data(), rest.data() + rest.size(), g);
    if (g < kGpusMax) n.free[g] += sign * shape.milli;
    const size_t dash = rest.find('-');
    rest = dash == std::string_view::npos ? std::string_view() : rest.substr(dash + 1);
  }
}

const GpuDevices* GpuDevices::of(const ClusterState& state) {
  for (size_t i = 0; i < state.extension_count(); ++i)
    if (state.extension(i)->tag() == &kNone) return static_cast<const GpuDevices*>(state.extension(i));
  return nullptr;
}

Str gpu_index_text(const std::vector<int>& indexes) {
  std::string text;
  for (int g : indexes) text += (text.empty() ? "" : "-") + std::to_string(g);
  return Str(text);
}

}  // namespace orrery::sched
