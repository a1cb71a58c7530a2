#include <algorithm>
#include <optional>

#include "engine/server/managed_fields/json_tree.h"

namespace orrery::server::managed {
namespace {

using api::Json;
using Shape = MergeType::Shape;

std::optional<Json> merge_value(const MergeType& type, const Json* live, const Json* config);

std::optional<Json> merge_members(const MergeType& type, const Json* live, const Json* config) {
  Json out;
  const auto one = [&](const Str& name, const Json* a, const Json* b) {
    if (auto merged = merge_value(type.member(name), a, b)) out.set(name, std::move(*merged));
  };
  if (live)
    for (const auto& member : live->members()) one(member.key, &member.value, config ? config->find(member.key) : nullptr);
  if (config)
    for (const auto& member : config->members())
      if (!live || !live->find(member.key)) one(member.key, nullptr, &member.value);
  if (out.is_null()) return std::nullopt;
  return out;
}

/// Items of a list with their keys; of duplicates none is merged with.
struct Indexed {
  std::vector<PathElement> elements;
  std::vector<const Json*> values;

  void add(const MergeType& list, const Json* array, FieldSetPool& pool) {
    if (!array) return;
    for (const Json& item : array->items()) {
      const auto element = item_element(list, item, pool);
      if (!element.is_ok()) continue;
      elements.push_back(*element);
      values.push_back(&item);
    }
  }
  bool has(const PathElement& element) const {
    return std::find(elements.begin(), elements.end(), element) != elements.end();
  }
  // The item to merge with: nullptr if there is none; `null_json` stands for duplicates.
  const Json* find(const PathElement& element, const Json* null_json) const {
    const auto at = std::find(elements.begin(), elements.end(), element);
    if (at == elements.end()) return nullptr;
    if (std::find(at + 1, elements.end(), element) != elements.end()) return null_json;
    return values[static_cast<size_t>(at - elements.begin())];
  }
};

/// Merges two lists: items keep the order of the configuration among themselves, and items that only
/// the live object has keep their places between them.
class ListMerger {
 public:
  ListMerger(const MergeType& list, const Json* live, const Json* config) : list_(list) {
    live_.add(list, live, pool_);
    config_.add(list, config, pool_);
    for (const PathElement& element : config_.elements)
      if (live_.has(element)) shared_.push_back(element);
  }

  std::optional<Json> merge() {
    while (l_ < live_.elements.size() || c_ < config_.elements.size()) step();
    if (out_.is_null()) return std::nullopt;
    return std::move(out_);
  }

 private:
  bool live_left() const { return l_ < live_.elements.size(); }
  bool config_left() const { return c_ < config_.elements.size(); }

  void step() {
    if (live_left() && config_left()) {
      const PathElement& element = live_.elements[l_];
      if (element == config_.elements[c_]) {
        take_config();
        ++l_;
        next_shared_ = std::min(next_shared_ + 1, shared_.size());
        return;
      }
      // A shared item, but not the one whose turn it is.
      if (config_.has(element) && next_shared_ < shared_.size() && shared_[next_shared_] != element) {
        ++l_;
        return;
      }
    }
    if (live_left()) {
      const PathElement& element = live_.elements[l_];
      if (!config_.has(element)) {
        add(element, live_.values[l_], nullptr);
        ++l_;
        return;
      }
      if (std::find(taken_.begin(), taken_.end(), element) != taken_.end()) ++l_;
    }
    if (!config_left()) return;
    const bool turn = next_shared_ < shared_.size() && shared_[next_shared_] == config_.elements[c_];
    take_config();
    if (turn) ++next_shared_;
  }
  void take_config() {
    const PathElement& element = config_.elements[c_];
    taken_.push_back(element);
    add(element, live_.find(element, &null_), config_.values[c_]);
    ++c_;
  }
  void add(const PathElement&, const Json* live, const Json* config) {
    if (auto merged = merge_value(list_.element(), live, config)) out_.push_back(std::move(*merged));
  }

  const MergeType& list_;
  FieldSetPool pool_;
  Indexed live_, config_;
  std::vector<PathElement> shared_, taken_;
  size_t l_ = 0, c_ = 0, next_shared_ = 0;
  Json out_;
  const Json null_;
};

// nullopt: nothing is left to keep.
std::optional<Json> merge_value(const MergeType& type, const Json* live, const Json* config) {
  const Json* some = config && !config->is_null() ? config : live ? live : config;
  const Shape shape = shape_for(type, *some);
  const auto content = [](const Json* value) { return value && value->size() > 0; };
  if (shape == Shape::kScalar || atomic_for(type, shape) || (!content(live) && !content(config)))
    return config ? *config : *live;
  if (live && config && !live->is_null() && shape_for(type, *live) != shape) return *config;
  if (shape == Shape::kObject) return merge_members(type, live, config);
  return ListMerger(type, live, config).merge();
}

}  // namespace

Json merge(const MergeType& type, const Json& live, const Json& config) {
  return merge_members(type, &live, &config).value_or(Json::object());
}

}  // namespace orrery::server::managed
