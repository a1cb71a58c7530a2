// What the framework keeps of what node-local plugins said.
#include <algorithm>

#include "engine/sched/cycle.h"
#include "engine/sched/vector_kernels.h"

namespace orrery::sched {

// While there is room every class gets a memory; then only one that has been here before, in place of
// the one that was not used for longest.
ClassMemory& Framework::memory_of(const PodClass& cls, const ClusterState& state) {
  ++cycles_;
  if (met_.size() <= cls.id) met_.resize(cls.id + 1);
  const auto known = memory_index_.find(cls.id);
  ClassMemory& memory = known != memory_index_.end() ? memories_[known->second] : new_memory(cls, state);
  met_[cls.id] = true;
  memory.used = cycles_;
  ++memory.uses;
  return memory;
}

ClassMemory& Framework::new_memory(const PodClass& cls, const ClusterState& state) {
  constexpr size_t kNodesMax = size_t{1} << 21;  // remembered over all classes
  constexpr size_t kLeast = 16, kMost = 512;
  const size_t room = std::clamp(kNodesMax / std::max<size_t>(state.slots(), 1), kLeast, kMost);
  ClassMemory* memory = &passing_;
  if (memories_.size() < room) {
    memory_index_[cls.id] = static_cast<uint32_t>(memories_.size());
    memory = &memories_.emplace_back();
  } else if (met_[cls.id]) {
    const auto by_use = [&](const auto& a, const auto& b) { return memories_[a.second].used < memories_[b.second].used; };
    const auto oldest = std::min_element(memory_index_.begin(), memory_index_.end(), by_use);
    const uint32_t place = oldest->second;
    memory_index_.erase(oldest);
    memory_index_[cls.id] = place;
    memory = &memories_[place];
  }
  memory->epoch = 0;
  memory->uses = met_[cls.id] ? 1 : 0;
  memory->compares_in = 0;
  memory->complete = memory->explained = false;
  return *memory;
}

void Framework::choose_active(const PodClass& cls, const ClusterState& state, const Cycle& cycle) {
  active_filters_.clear();
  active_scores_.clear();
  for (uint16_t f = 0; f < filters_.size(); ++f) {
    const uint16_t p = filters_[f];
    if (!cycle.skip[p] && plugins_[p]->may_reject(cls, cls.data[p].get(), state)) active_filters_.push_back(f);
  }
  for (uint16_t s = 0; s < scores_.size(); ++s) {
    const uint16_t p = scores_[s].plugin;
    const PluginData* data = cls.data[p].get();
    if (plugins_[p]->may_score(cls, data, state) && plugins_[p]->scores(cls, data, state)) active_scores_.push_back(s);
  }
}

// Nothing is known any more.
void Framework::forget(ClassMemory& memory) {
  memory.complete = memory.explained = false;
  std::fill(memory.verdict.begin(), memory.verdict.end(), ClassMemory::kUnknown);
}

// With `completely` all nodes become known; without it those that have changed become unknown, but
// a memory that was complete stays so.
void Framework::bring_up_to_date(const PodClass& cls, const ClusterState& state, ClassMemory& memory, bool completely) {
  const size_t slots = state.slots();
  const bool stale = !use_cache_ || !node_local_ || memory.epoch != state.epoch() || memory.seen < state.log_begin();
  const size_t changes = stale ? 0 : state.log_end() - memory.seen;
  memory.verdict.resize(slots, ClassMemory::kUnknown);
  memory.code.resize(slots);
  memory.detail.resize(slots);
  memory.raw.resize(scores_.size());
  for (auto& raw : memory.raw)
    if (!raw.empty()) raw.resize(slots);
  memory.seen = state.log_end();
  memory.epoch = state.epoch();
  if (use_cache_ && completely && (stale || !memory.complete || changes > slots)) {
    memory.raw.swap(raw_);
    evaluate_all(cls, state, memory);
    fill_index(state, memory);
    memory.raw.swap(raw_);
    return;
  }
  if (stale) return forget(memory);
  touched_in_.resize(slots);
  for (size_t i = state.log().size() - changes; i < state.log().size(); ++i) {
    const uint32_t slot = state.log()[i];
    if (touched_in_[slot] == cycles_) continue;
    touched_in_[slot] = cycles_;
    if (memory.complete) evaluate_again(cls, state, slot, memory);
    else memory.verdict[slot] = ClassMemory::kUnknown;
  }
}

// The verdict on one node.
uint8_t Framework::filter(const PodClass& cls, const ClusterState& state, uint32_t slot, ClassMemory& memory, uint32_t* detail) const {
  for (uint16_t f : active_filters_) {
    const uint16_t p = filters_[f];
    *detail = 0;
    const PluginCode code = plugins_[p]->filter(cls, cls.data[p].get(), state, slot, detail);
    if (code == PluginCode::kSuccess) continue;
    memory.code[slot] = static_cast<uint8_t>(code);
    return static_cast<uint8_t>(ClassMemory::kRejectedBase + f);
  }
  *detail = 0;
  return ClassMemory::kFeasible;
}

void Framework::evaluate(const PodClass& cls, const ClusterState& state, uint32_t slot, ClassMemory& memory) const {
  memory.verdict[slot] = filter(cls, state, slot, memory, &memory.detail[slot]);
  if (memory.verdict[slot] != ClassMemory::kFeasible) return;
  for (auto& raw : memory.raw)
    if (!raw.empty()) raw[slot] = 0;
  for (uint16_t s : active_scores_) {
    const uint16_t p = scores_[s].plugin;
    if (memory.raw[s].empty()) memory.raw[s].resize(state.slots());
    memory.raw[s][slot] = static_cast<int32_t>(plugins_[p]->score(cls, cls.data[p].get(), state, slot));
  }
}

// One node of a complete memory, which stays complete. Mostly a feasible node stays so: then only its
// place in the index is looked at, for what is kept of many classes is in no cache.
void Framework::evaluate_again(const PodClass& cls, const ClusterState& state, uint32_t slot, ClassMemory& memory) {
  const uint32_t position = state.positions()[slot];
  if (position == UINT32_MAX) return;
  uint32_t detail = 0;
  const uint8_t verdict = filter(cls, state, slot, memory, &detail);
  const bool feasible = verdict == ClassMemory::kFeasible, was_feasible = memory.index.value(position) != NodeIndex::kNone;
  memory.index.set(position, feasible ? indexed_total(cls, state, slot, memory) : NodeIndex::kNone);
  if (feasible && was_feasible) return;
  const bool same_reasons = memory.verdict[slot] == verdict && memory.detail[slot] == detail &&
                            !plugins_[filters_[verdict - ClassMemory::kRejectedBase]]->reasons_depend_on_node();
  memory.explained = memory.explained && same_reasons;
  memory.verdict[slot] = verdict;
  memory.detail[slot] = detail;
}

int32_t Framework::indexed_total(const PodClass& cls, const ClusterState& state, uint32_t slot, ClassMemory& memory) const {
  int64_t total = 0;
  for (uint16_t s : active_scores_) {
    const uint16_t p = scores_[s].plugin;
    const int64_t raw = plugins_[p]->score(cls, cls.data[p].get(), state, slot);
    if (scores_[s].summed) total += scores_[s].weight * raw;
    else if (raw != 0) memory.compares_in = state.epoch();
  }
  return static_cast<int32_t>(total);
}

void Framework::evaluate_all(const PodClass& cls, const ClusterState& state, ClassMemory& memory) {
  memory.verdict.assign(state.slots(), ClassMemory::kFeasible);
  memory.code.resize(state.slots());
  memory.detail.assign(state.slots(), 0);
  memory.raw.resize(scores_.size());
  memory.explained = false;
  filter_all(cls, state, memory);
  score_all(cls, state, memory);
}

void Framework::filter_all(const PodClass& cls, const ClusterState& state, ClassMemory& memory) {
  const auto reject = [&](uint32_t slot, uint16_t f, PluginCode code, uint32_t detail) {
    memory.verdict[slot] = static_cast<uint8_t>(ClassMemory::kRejectedBase + f);
    memory.code[slot] = static_cast<uint8_t>(code);
    memory.detail[slot] = detail;
  };
  constexpr size_t kStride = 64;
  for (uint16_t f : active_filters_) {
    const uint16_t p = filters_[f];
    const PluginData* data = cls.data[p].get();
    details_.resize(state.slots());
    if (!plugins_[p]->filter_all(cls, data, state, details_)) {
      for (uint32_t slot : state.order()) {
        if (memory.verdict[slot] != ClassMemory::kFeasible) continue;
        uint32_t detail = 0;
        const PluginCode code = plugins_[p]->filter(cls, data, state, slot, &detail);
        if (code != PluginCode::kSuccess) reject(slot, f, code, detail);
      }
      continue;
    }
    for (size_t begin = 0; begin < details_.size(); begin += kStride) {
      const size_t end = std::min(begin + kStride, details_.size());
      uint32_t any = 0;
      for (size_t i = begin; i < end; ++i) any |= details_[i];
      for (size_t i = begin; any != 0 && i < end; ++i)
        if (details_[i] != 0 && memory.verdict[i] == ClassMemory::kFeasible)
          reject(static_cast<uint32_t>(i), f, PluginCode::kUnschedulable, details_[i]);
    }
  }
}

void Framework::score_all(const PodClass& cls, const ClusterState& state, ClassMemory& memory) {
  for (auto& raw : memory.raw) raw.clear();
  for (uint16_t s : active_scores_) {
    const uint16_t p = scores_[s].plugin;
    auto& raw = memory.raw[s];
    raw.resize(state.slots());
    if (!plugins_[p]->score_all(cls, cls.data[p].get(), state, raw))
      for (uint32_t slot : state.order())
        if (memory.verdict[slot] == ClassMemory::kFeasible)
          raw[slot] = static_cast<int32_t>(plugins_[p]->score(cls, cls.data[p].get(), state, slot));
    if (scores_[s].summed) continue;
    for (uint32_t slot : state.order())
      if (memory.verdict[slot] == ClassMemory::kFeasible && raw[slot] != 0) memory.compares_in = state.epoch();
  }
}

void Framework::fill_index(const ClusterState& state, ClassMemory& memory) {
  const Simd simd = widest_simd();
  totals_.assign(state.slots(), 0);
  for (size_t s = 0; s < scores_.size(); ++s)
    if (scores_[s].summed && !memory.raw[s].empty()) add_weighted(simd, memory.raw[s], static_cast<int32_t>(scores_[s].weight), totals_);
  keep_where(simd, memory.verdict, ClassMemory::kFeasible, NodeIndex::kNone, totals_);
  if (!state.order_is_by_slot()) {
    ordered_totals_.resize(state.order().size());
    for (size_t i = 0; i < ordered_totals_.size(); ++i) ordered_totals_[i] = totals_[state.order()[i]];
  }
  memory.index.assign(state.order_is_by_slot() ? totals_ : ordered_totals_);
  memory.complete = true;
}

}  // namespace orrery::sched
