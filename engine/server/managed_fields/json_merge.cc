#include <algorithm>
#include <optional>
#include <unordered_set>

#include "engine/server/managed_fields/item_index.h"

namespace orrery::server::managed {
namespace {

using api::Json;
using Shape = MergeType::Shape;

std::optional<Json> merge_value(const MergeType& type, const Json* live, const Json* config);

std::optional<Json> merge_members(const MergeType& type, const Json* live, const Json* config) {
  Json out = Json::object();
  const auto one = [&](const Str& name, const Json* a, const Json* b) {
    if (auto merged = merge_value(type.member(name), a, b)) out.members().push_back({name, std::move(*merged)});
  };
  const MemberIndex in_live(live), in_config(config);
  if (live)
    for (const auto& member : live->members()) one(member.key, &member.value, in_config.find(member.key));
  if (config)
    for (const auto& member : config->members())
      if (!in_live.find(member.key)) one(member.key, nullptr, &member.value);
  if (out.size() == 0) return std::nullopt;
  return out;
}

/// Merges two lists: items keep the order of the configuration among themselves, and items that only
/// the live object has keep their places between them.
class ListMerger {
 public:
  ListMerger(const MergeType& list, const Json* live, const Json* config)
      : list_(list), live_(list, live, pool_), config_(list, config, pool_) {
    for (size_t i = 0; i < config_.size(); ++i)
      if (live_.count(config_.element(i)) > 0) shared_.push_back(config_.element(i));
  }

  std::optional<Json> merge() {
    while (live_left() || config_left()) step();
    if (out_.is_null()) return std::nullopt;
    return std::move(out_);
  }

 private:
  bool live_left() const { return l_ < live_.size(); }
  bool config_left() const { return c_ < config_.size(); }

  void step() {
    if (live_left() && config_left()) {
      const PathElement& element = live_.element(l_);
      if (element == config_.element(c_)) {
        take_config();
        ++l_;
        next_shared_ = std::min(next_shared_ + 1, shared_.size());
        return;
      }
      // A shared item, but not the one whose turn it is.
      if (config_.count(element) > 0 && next_shared_ < shared_.size() && shared_[next_shared_] != element) {
        ++l_;
        return;
      }
    }
    if (live_left()) {
      const PathElement& element = live_.element(l_);
      if (config_.count(element) == 0) {
        add(&live_.value(l_), nullptr);
        ++l_;
        return;
      }
      // It came with the configuration's item.
      if (taken_.contains(element.text)) ++l_;
    }
    if (!config_left()) return;
    const bool turn = next_shared_ < shared_.size() && shared_[next_shared_] == config_.element(c_);
    take_config();
    if (turn) ++next_shared_;
  }
  void take_config() {
    const PathElement& element = config_.element(c_);
    taken_.insert(element.text);
    // Of duplicates none is merged with.
    add(live_.count(element) > 1 ? &null_ : live_.find(element), &config_.value(c_));
    ++c_;
  }
  void add(const Json* live, const Json* config) {
    if (auto merged = merge_value(list_.element(), live, config)) out_.push_back(std::move(*merged));
  }

  const MergeType& list_;
  FieldSetPool pool_;
  ItemIndex live_, config_;
  std::vector<PathElement> shared_;
  std::unordered_set<std::string_view> taken_;
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
