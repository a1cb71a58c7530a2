#include <algorithm>

#include "engine/sched/plugins/entries.h"

namespace orrery::sched {
namespace {

constexpr int64_t kMiB = 1024 * 1024;
constexpr int64_t kLow = 23 * kMiB;
constexpr int64_t kHighPerContainer = 1000 * kMiB;

/// Prefers nodes that have the pod's images, by size, scaled down for images that few nodes have.
/// Source: Kubernetes v1.32 pkg/scheduler/framework/plugins/imagelocality.
class ImageLocality final : public Plugin {
 public:
  std::string_view name() const override { return "ImageLocality"; }
  uint32_t points() const override { return kScore; }

  int64_t score(const PodClass& cls, const PluginData*, const ClusterState& state, uint32_t slot) const override {
    const auto containers = static_cast<int64_t>(cls.spec.containers.size() + cls.spec.init_containers.size());
    int64_t sum = 0;
    for (const auto& c : cls.spec.init_containers) sum += image_score(c.image, state, slot);
    for (const auto& c : cls.spec.containers) sum += image_score(c.image, state, slot);
    const int64_t high = kHighPerContainer * containers;
    const int64_t clamped = std::clamp(sum, kLow, std::max(kLow, high));
    return high == kLow ? 0 : 100 * (clamped - kLow) / (high - kLow);
  }
  bool may_score(const PodClass&, const PluginData*, const ClusterState& state) const override { return state.any_images(); }
  Normalization normalization() const override { return Normalization::kNone; }
  bool hint(const corev1::Pod&, ClusterEvent, const api::Object&, const api::Object&) const override { return false; }

 private:
  static int64_t image_score(const Str& image, const ClusterState& state, uint32_t slot) {
    const auto& images = state.node(slot).object.status->images;
    if (images.empty()) return 0;
    const Str name = normalized_image(image);
    for (const auto& have : images)
      for (const Str& n : have.names)
        if (n == name) {
          const auto* known = state.image(name);
          const double spread = static_cast<double>(known->nodes) / static_cast<double>(state.node_count());
          return static_cast<int64_t>(static_cast<double>(known->size) * spread);
        }
    return 0;
  }
};

}  // namespace

PluginEntry image_locality_entry() { return {"ImageLocality", make_plain<ImageLocality>, 17, 1}; }

}  // namespace orrery::sched
