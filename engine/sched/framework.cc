#include "engine/sched/cycle.h"

#include <algorithm>
#include <array>
#include <unordered_map>

#include "engine/api/names.h"

namespace orrery::sched {

std::string_view plugin_code_name(PluginCode code) {
  static constexpr std::string_view kNames[] = {"Success", "Error", "Unschedulable", "UnschedulableAndUnresolvable", "Wait", "Skip", "Pending"};
  return kNames[static_cast<size_t>(code)];
}

void default_normalize(std::span<int64_t> scores, bool reverse) {
  int64_t most = 0;
  for (int64_t s : scores) most = std::max(most, s);
  for (int64_t& s : scores) {
    if (most == 0) {
      s = reverse ? 100 : 0;
    } else {
      s = s * 100 / most;
      if (reverse) s = 100 - s;
    }
  }
}

std::string left_out_reason(const std::vector<std::string>& plugins) {
  return str_cat("node(s) didn't satisfy plugin(s) [", api::join(plugins, " "), "]");
}

Result<Framework> Framework::make(const Profile& profile, ClusterState& state) {
  Framework framework;
  framework.profile_ = profile;
  std::map<std::string, uint16_t> index;
  for (const auto& [point, list] : profile.enabled) {
    for (const Profile::Enabled& enabled : list) {
      auto it = index.find(enabled.name);
      if (it == index.end()) {
        const PluginEntry* entry = find_plugin(enabled.name);
        if (!entry) return bad_request("unknown plugin " + enabled.name);
        const auto args = profile.args.find(enabled.name);
        ORRERY_ASSIGN(auto plugin, entry->make(args == profile.args.end() ? api::Json() : args->second));
        if (auto extension = plugin->make_extension()) {
          plugin->set_extension(state.extension_count());
          state.add_extension(std::move(extension));
        }
        it = index.emplace(enabled.name, static_cast<uint16_t>(framework.plugins_.size())).first;
        framework.plugins_.push_back(std::move(plugin));
      }
      switch (point) {
        case kPreEnqueue: framework.pre_enqueue_.push_back(it->second); break;
        case kPreFilter: framework.pre_filters_.push_back(it->second); break;
        case kFilter: framework.filters_.push_back(it->second); break;
        case kScore: framework.scores_.push_back({it->second, enabled.weight, 0, false}); break;
        case kReserve: framework.reserves_.push_back(it->second); break;
        default: break;
      }
    }
  }
  framework.finish_make();
  return framework;
}

// Which scores can be summed up node by node, and what the others become where they are all zero.
void Framework::finish_make() {
  constexpr int64_t kWeightsMax = 1'000'000;  // times 100 fits 32 bits
  int64_t weights = 0;
  indexable_ = !scores_.empty();
  RngStream none;
  for (Active& active : scores_) {
    const Plugin& plugin = *plugins_[active.plugin];
    const Normalization n = plugin.normalization();
    weights += std::min(active.weight, kWeightsMax);
    indexable_ = indexable_ && (n == Normalization::kNone || n == Normalization::kByLargest || (n != Normalization::kOther && scores_.size() == 1));
    node_local_ = node_local_ && plugin.node_local();
    active.summed = n == Normalization::kNone || scores_.size() == 1;
    if (n != Normalization::kByLargest) continue;
    int64_t zero[1] = {0};
    plugin.normalize(zero, none);
    active.zero = zero[0] * active.weight;
  }
  for (uint16_t p : filters_) node_local_ = node_local_ && plugins_[p]->node_local();
  indexable_ = indexable_ && node_local_ && weights < kWeightsMax;
}

PluginStatus Framework::pre_enqueue(const corev1::Pod& pod) const {
  for (uint16_t p : pre_enqueue_)
    if (PluginStatus status = plugins_[p]->pre_enqueue(pod); !status.ok()) return status;
  return {};
}

PodInfo Framework::pod_info(const api::Object& pod, ClusterState& state) {
  PodInfo info;
  info.object = pod;
  info.cls = classes_.of(pod.get<corev1::Pod>(), state.ids(), [this](PodClass& cls) {
    for (const auto& plugin : plugins_) cls.data.push_back(plugin->prepare(cls));
  });
  return info;
}

bool Framework::may_help(const std::vector<uint16_t>& rejected_by, const corev1::Pod& pod, ClusterEvent event,
                         const api::Object& before, const api::Object& after) const {
  return std::any_of(rejected_by.begin(), rejected_by.end(), [&](uint16_t p) { return plugins_[p]->hint(pod, event, before, after); });
}

// Source: Kubernetes v1.32 schedule_one.go (numFeasibleNodesToFind).
size_t Framework::nodes_to_find(size_t nodes) const {
  constexpr size_t kLeast = 100;
  if (scores_.empty()) return 1;
  if (nodes < kLeast) return nodes;
  auto percentage = static_cast<size_t>(profile_.percentage_of_nodes_to_score);
  if (percentage == 0) percentage = std::max<size_t>(5, 50 > nodes / 125 ? 50 - nodes / 125 : 0);
  return std::max(kLeast, nodes * percentage / 100);
}

PluginStatus Framework::run_pre_filters(const PodInfo& pod, const ClusterState& state, Cycle& cycle) const {
  cycle.skip.assign(plugins_.size(), 0);
  cycle.state.data.resize(plugins_.size());
  for (uint16_t p : pre_filters_) {
    std::optional<std::vector<Str>> names;
    PluginStatus status = plugins_[p]->pre_filter(*pod.cls, pod.cls->data[p].get(), state, cycle.state, &names);
    if (status.code == PluginCode::kSkip) {
      cycle.skip[p] = 1;
    } else if (!status.ok()) {
      cycle.rejecting_plugin = std::string(plugins_[p]->name());
      return status;
    }
    if (!names) continue;
    cycle.narrowed_by.push_back(std::string(plugins_[p]->name()));
    if (cycle.narrowed) std::erase_if(*cycle.narrowed, [&](const Str& n) { return std::find(names->begin(), names->end(), n) == names->end(); });
    else cycle.narrowed = std::move(names);
  }
  if (cycle.narrowed) {
    cycle.allowed.emplace();
    for (const Str& name : *cycle.narrowed)
      if (const uint32_t slot = state.find(name); slot != UINT32_MAX) cycle.allowed->push_back(slot);
  }
  return {};
}

void Framework::find_feasible(const PodInfo& pod, const ClusterState& state, Cycle& cycle, ClassMemory& memory) {
  const std::vector<uint32_t>& nodes = cycle.allowed ? *cycle.allowed : state.order();
  const size_t count = nodes.size();
  if (count == 0) return;
  const size_t wanted = nodes_to_find(count);
  const size_t start = cycle.start;
  for (size_t i = 0; i < count; ++i) {
    const size_t at = start + i < count ? start + i : start + i - count;
    const uint32_t slot = nodes[at];
    if (memory.verdict[slot] == ClassMemory::kUnknown) evaluate(*pod.cls, state, slot, memory);
    if (memory.verdict[slot] == ClassMemory::kFeasible) {
      // The one too many ends the search and is not counted.
      if (cycle.feasible.size() == wanted) break;
      cycle.feasible.push_back(slot);
    }
    ++cycle.evaluated;
  }
}

void Framework::score(const PodInfo& pod, const ClusterState& state, const ClassMemory& memory, Cycle& cycle, RngStream& rng) const {
  const size_t n = cycle.feasible.size(), plugins = scores_.size();
  cycle.totals.assign(n, 0);
  cycle.scores.assign(plugins, {});
  for (size_t s = 0; s < plugins; ++s) {
    const Plugin& plugin = *plugins_[scores_[s].plugin];
    if (!plugin.scores(*pod.cls, pod.cls->data[scores_[s].plugin].get(), state)) continue;
    auto& values = cycle.scores[s];
    values.resize(n);
    for (size_t i = 0; i < n; ++i) values[i] = memory.raw_score(s, cycle.feasible[i]);
    plugin.normalize(values, rng);
    const int64_t weight = scores_[s].weight;
    for (size_t i = 0; i < n; ++i) cycle.totals[i] += (values[i] *= weight);
  }
  if (plugins == 0) std::fill(cycle.totals.begin(), cycle.totals.end(), 1);
}

void Framework::select(const ClusterState& state, Cycle& cycle, Decision& decision, RngStream& rng) const {
  const auto& totals = cycle.totals;
  const int64_t best = *std::max_element(totals.begin(), totals.end());
  decision.best_score = best;
  decision.best_count = static_cast<uint32_t>(std::count(totals.begin(), totals.end(), best));
  size_t pick = tie_break_ == TieBreak::kRandom && decision.best_count > 1 ? rng.below(decision.best_count) : 0;
  size_t chosen = totals.size();
  for (size_t i = 0; i < totals.size(); ++i) {
    if (totals[i] != best) continue;
    if (tie_break_ == TieBreak::kName) {
      const bool better = chosen == totals.size() || state.node(cycle.feasible[i]).name < state.node(cycle.feasible[chosen]).name;
      if (better) chosen = i;
    } else if (pick-- == 0) {
      chosen = i;
      break;
    }
  }
  decision.placement.slot = cycle.feasible[chosen];
}

Decision Framework::schedule(const PodInfo& pod, const ClusterState& state, RngStream& rng) {
  Decision decision;
  Cycle cycle;
  const size_t nodes = state.node_count();
  if (nodes == 0) {
    decision.message = "no nodes available to schedule pods";
    return decision;
  }
  const PluginStatus pre = run_pre_filters(pod, state, cycle);
  if (!pre.ok()) {
    decision.message = str_cat("0/", uint64_t{nodes}, " nodes are available: ", api::join(pre.reasons, ", "), ".");
    for (uint16_t p = 0; p < plugins_.size(); ++p)
      if (plugins_[p]->name() == cycle.rejecting_plugin) decision.rejected_by.push_back(p);
    return decision;
  }
  const bool whole = !cycle.allowed.has_value();
  const size_t candidates = whole ? nodes : cycle.allowed->size();
  const size_t wanted = nodes_to_find(candidates);
  choose_active(*pod.cls, state, cycle);
  ClassMemory& memory = memory_of(*pod.cls, state);
  const bool useful = indexable_ && whole && memory.compares_in != state.epoch();
  bring_up_to_date(*pod.cls, state, memory, useful && (wanted >= nodes || memory.uses > 1));
  cycle.start = candidates == 0 ? 0 : static_cast<uint32_t>(next_start_ % candidates);
  int64_t constant = 0;
  if (whole && memory.complete && by_index(*pod.cls, state, memory, &constant)) {
    select_by_index(state, memory, cycle.start, static_cast<uint32_t>(wanted), constant, decision, rng);
  } else {
    if (memory.complete) forget(memory);
    select_by_walk(pod, state, memory, cycle, decision, rng);
  }
  next_start_ = static_cast<uint32_t>((next_start_ + decision.evaluated) % nodes);
  if (decision.feasible == 0) {
    fail(pod, state, memory, cycle, decision);
    return decision;
  }
  decision.scheduled = true;
  for (uint16_t p : reserves_) plugins_[p]->reserve(*pod.cls, pod.cls->data[p].get(), state, decision.placement, rng);
  return decision;
}

void Framework::select_by_walk(const PodInfo& pod, const ClusterState& state, ClassMemory& memory, Cycle& cycle, Decision& decision,
                               RngStream& rng) {
  find_feasible(pod, state, cycle, memory);
  decision.feasible = static_cast<uint32_t>(cycle.feasible.size());
  decision.evaluated = cycle.evaluated;
  if (cycle.feasible.empty()) return;
  decision.placement.slot = cycle.feasible[0];
  decision.best_count = 1;
  if (cycle.feasible.size() == 1) return;
  score(pod, state, memory, cycle, rng);
  select(state, cycle, decision, rng);
}

// Can the index tell the best? `constant` is what those plugins add to every node whose scores are
// compared among nodes, but are all zero.
bool Framework::by_index(const PodClass& cls, const ClusterState& state, const ClassMemory& memory, int64_t* constant) const {
  for (size_t s = 0; s < scores_.size(); ++s) {
    const Plugin& plugin = *plugins_[scores_[s].plugin];
    const bool takes_part = plugin.scores(cls, cls.data[scores_[s].plugin].get(), state);
    if (!scores_[s].summed) {
      if (takes_part) *constant += scores_[s].zero;
    } else if (!takes_part) {
      return false;
    }
  }
  return memory.compares_in != state.epoch();
}

void Framework::select_by_index(const ClusterState& state, const ClassMemory& memory, uint32_t start, uint32_t wanted, int64_t constant,
                                Decision& decision, RngStream& rng) const {
  const NodeIndex& index = memory.index;
  const auto [length, feasible] = index.stretch_of(start, wanted);
  decision.evaluated = length;
  decision.feasible = feasible;
  if (feasible == 0) return;
  const auto [value, count] = index.best(start, length);
  const auto slot_of = [&](uint32_t position) { return state.order()[position]; };
  decision.best_count = 1;
  if (feasible == 1) {
    decision.placement.slot = slot_of(index.nth(start, length, value, 0));
    return;
  }
  const int64_t weight = scores_[0].weight;
  const Normalization sole = scores_.size() == 1 ? plugins_[scores_[0].plugin]->normalization() : Normalization::kNone;
  if (sole == Normalization::kOneAtRandom) {
    decision.best_score = 100 * weight;
    decision.placement.slot = slot_of(index.nth(start, length, value, static_cast<uint32_t>(rng.below(count))));
    return;
  }
  decision.best_score = value + constant;
  if (sole == Normalization::kMinMax) decision.best_score = count == feasible ? 0 : 100 * weight;
  decision.best_count = count;
  if (tie_break_ == TieBreak::kName) {
    uint32_t best = UINT32_MAX;
    index.each(start, length, value, [&](uint32_t position) {
      const uint32_t slot = slot_of(position);
      if (best == UINT32_MAX || state.node(slot).name < state.node(best).name) best = slot;
      return false;
    });
    decision.placement.slot = best;
    return;
  }
  const uint64_t pick = tie_break_ == TieBreak::kRandom && count > 1 ? rng.below(count) : 0;
  decision.placement.slot = slot_of(index.nth(start, length, value, static_cast<uint32_t>(pick)));
}

void Framework::fail(const PodInfo& pod, const ClusterState& state, ClassMemory& memory, const Cycle& cycle, Decision& decision) const {
  const bool keep = memory.complete && !cycle.allowed;
  if (!keep || !memory.explained) {
    memory.rejected_by.clear();
    memory.message = fit_message(pod, state, memory, cycle, &memory.rejected_by);
    memory.explained = keep;
  }
  decision.message = memory.message;
  decision.rejected_by = memory.rejected_by;
}

// The rejected nodes, those with the same filter and detail together; one by one where the reasons
// depend on the node.
std::vector<Framework::Rejected> Framework::rejected_nodes(std::span<const uint32_t> nodes, const ClassMemory& memory) const {
  constexpr uint32_t kDetails = 16, kFilters = 16;
  std::array<uint32_t, kFilters * kDetails> place{};  // of the group in `out`, plus 1
  std::vector<Rejected> out;
  std::vector<uint8_t> by_node;
  for (uint16_t p : filters_) by_node.push_back(plugins_[p]->reasons_depend_on_node());
  for (uint32_t slot : nodes) {
    const auto filter = static_cast<uint8_t>(memory.verdict[slot] - ClassMemory::kRejectedBase);
    const uint32_t detail = memory.detail[slot];
    if (by_node[filter]) {
      out.push_back({filter, detail, slot, 1});
      continue;
    }
    if (filter >= kFilters || detail >= kDetails) {
      const auto like = std::find_if(out.begin(), out.end(), [&](const Rejected& r) { return r.filter == filter && r.detail == detail; });
      if (like != out.end()) ++like->count;
      else out.push_back({filter, detail, slot, 1});
      continue;
    }
    uint32_t& at = place[filter * kDetails + detail];
    if (at == 0) {
      out.push_back({filter, detail, slot, 0});
      at = static_cast<uint32_t>(out.size());
    }
    ++out[at - 1].count;
  }
  return out;
}

std::string Framework::fit_message(const PodInfo& pod, const ClusterState& state, const ClassMemory& memory, const Cycle& cycle,
                                   std::vector<uint16_t>* rejected_by) const {
  const std::vector<uint32_t>& nodes = cycle.allowed ? *cycle.allowed : state.order();
  std::unordered_map<std::string, uint64_t> counts;
  for (const Rejected& g : rejected_nodes(nodes, memory)) {
    const uint16_t p = filters_[g.filter];
    for (const std::string& reason : plugins_[p]->reasons(*pod.cls, pod.cls->data[p].get(), state, g.slot, g.detail)) counts[reason] += g.count;
    if (std::find(rejected_by->begin(), rejected_by->end(), p) == rejected_by->end()) rejected_by->push_back(p);
  }
  const size_t total = state.node_count();
  if (cycle.allowed && total > nodes.size())
    counts[left_out_reason(cycle.narrowed_by)] = total - nodes.size();
  std::vector<std::string> texts;
  for (const auto& [reason, count] : counts) texts.push_back(str_cat(count, " ", reason));
  std::sort(texts.begin(), texts.end());
  return str_cat("0/", uint64_t{total}, " nodes are available", texts.empty() ? "" : ": ", api::join(texts, ", "), ".");
}

}  // namespace orrery::sched
