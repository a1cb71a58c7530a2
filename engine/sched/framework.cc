#include "engine/sched/framework.h"

#include <algorithm>
#include <unordered_map>

#include "engine/api/names.h"

namespace orrery::sched {

/// What one cycle works on.
struct Framework::Cycle {
  CycleState state;
  std::vector<bool> skip;                        // by plugin: skipped in PreFilter
  std::optional<std::vector<uint32_t>> allowed;  // slots, if PreFilter narrowed the nodes
  std::vector<std::string> narrowed_by;
  std::optional<std::vector<Str>> narrowed;
  std::string rejecting_plugin;
  std::vector<uint32_t> feasible;
  uint32_t evaluated = 0;
  std::vector<int64_t> totals;
  std::vector<std::vector<int64_t>> scores;  // by active score plugin; empty: it skipped
};

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

namespace {

std::string left_out_reason(const std::vector<std::string>& plugins) {
  return str_cat("node(s) didn't satisfy plugin(s) [", api::join(plugins, " "), "]");
}

}  // namespace

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
        case kScore: framework.scores_.push_back({it->second, enabled.weight}); break;
        case kReserve: framework.reserves_.push_back(it->second); break;
        default: break;
      }
    }
  }
  return framework;
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

Framework::Memory& Framework::memory_of(const PodClass& cls, const ClusterState& state) {
  constexpr size_t kMemoriesMax = 512;
  if (memories_.size() >= kMemoriesMax && !memories_.contains(cls.id)) {
    auto oldest = std::min_element(memories_.begin(), memories_.end(), [](const auto& a, const auto& b) { return a.second.used < b.second.used; });
    memories_.erase(oldest);
  }
  Memory& memory = memories_[cls.id];
  memory.used = ++cycles_;
  const size_t slots = state.slots();
  const bool stale = !use_cache_ || memory.epoch != state.epoch() || memory.seen < state.log_begin();
  if (stale) {
    memory.verdict.assign(slots, kUnknown);
  } else {
    memory.verdict.resize(slots, kUnknown);
    for (uint64_t i = memory.seen; i < state.log_end(); ++i) memory.verdict[state.log()[i - state.log_begin()]] = kUnknown;
  }
  memory.code.resize(slots);
  memory.detail.resize(slots);
  memory.raw.resize(slots * scores_.size());
  memory.seen = state.log_end();
  memory.epoch = state.epoch();
  return memory;
}

void Framework::evaluate(const PodClass& cls, const ClusterState& state, uint32_t slot, const std::vector<bool>& skip, Memory& memory) const {
  for (size_t f = 0; f < filters_.size(); ++f) {
    const uint16_t p = filters_[f];
    if (skip[p]) continue;
    uint32_t detail = 0;
    const PluginCode code = plugins_[p]->filter(cls, cls.data[p].get(), state, slot, &detail);
    if (code == PluginCode::kSuccess) continue;
    memory.verdict[slot] = static_cast<uint8_t>(kRejectedBase + f);
    memory.code[slot] = static_cast<uint8_t>(code);
    memory.detail[slot] = detail;
    return;
  }
  memory.verdict[slot] = kFeasible;
  for (size_t s = 0; s < scores_.size(); ++s) {
    const uint16_t p = scores_[s].plugin;
    memory.raw[slot * scores_.size() + s] = static_cast<int32_t>(plugins_[p]->score(cls, cls.data[p].get(), state, slot));
  }
}

PluginStatus Framework::run_pre_filters(const PodInfo& pod, const ClusterState& state, Cycle& cycle) const {
  cycle.skip.assign(plugins_.size(), false);
  cycle.state.data.resize(plugins_.size());
  for (uint16_t p : pre_filters_) {
    std::optional<std::vector<Str>> names;
    PluginStatus status = plugins_[p]->pre_filter(*pod.cls, pod.cls->data[p].get(), state, cycle.state, &names);
    if (status.code == PluginCode::kSkip) {
      cycle.skip[p] = true;
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

void Framework::find_feasible(const PodInfo& pod, const ClusterState& state, Cycle& cycle, Memory& memory) {
  const std::vector<uint32_t>& all = state.order();
  const std::vector<uint32_t>& nodes = cycle.allowed ? *cycle.allowed : all;
  const size_t count = nodes.size();
  if (count == 0) return;
  const size_t wanted = nodes_to_find(count);
  const size_t start = next_start_ % count;
  for (size_t i = 0; i < count; ++i) {
    const size_t at = start + i < count ? start + i : start + i - count;
    const uint32_t slot = nodes[at];
    if (memory.verdict[slot] == kUnknown) evaluate(*pod.cls, state, slot, cycle.skip, memory);
    if (memory.verdict[slot] == kFeasible) {
      // The one too many ends the search and is not counted.
      if (cycle.feasible.size() == wanted) break;
      cycle.feasible.push_back(slot);
    }
    ++cycle.evaluated;
  }
  next_start_ = static_cast<uint32_t>((next_start_ + cycle.evaluated) % all.size());
}

void Framework::score(const PodInfo& pod, const ClusterState& state, const Memory& memory, Cycle& cycle, RngStream& rng) const {
  const size_t n = cycle.feasible.size(), plugins = scores_.size();
  cycle.totals.assign(n, 0);
  cycle.scores.assign(plugins, {});
  for (size_t s = 0; s < plugins; ++s) {
    const Plugin& plugin = *plugins_[scores_[s].plugin];
    if (!plugin.scores(*pod.cls, pod.cls->data[scores_[s].plugin].get(), state)) continue;
    auto& values = cycle.scores[s];
    values.resize(n);
    for (size_t i = 0; i < n; ++i) values[i] = memory.raw[cycle.feasible[i] * plugins + s];
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
  Memory& memory = memory_of(*pod.cls, state);
  find_feasible(pod, state, cycle, memory);
  decision.feasible = static_cast<uint32_t>(cycle.feasible.size());
  decision.evaluated = cycle.evaluated;
  if (cycle.feasible.empty()) {
    decision.message = fit_message(pod, state, memory, cycle, &decision);
    return decision;
  }
  decision.scheduled = true;
  decision.placement.slot = cycle.feasible[0];
  decision.best_count = 1;
  if (cycle.feasible.size() > 1) {
    score(pod, state, memory, cycle, rng);
    select(state, cycle, decision, rng);
  }
  for (uint16_t p : reserves_) plugins_[p]->reserve(*pod.cls, pod.cls->data[p].get(), state, decision.placement, rng);
  return decision;
}

std::string Framework::fit_message(const PodInfo& pod, const ClusterState& state, const Memory& memory, const Cycle& cycle,
                                   Decision* decision) const {
  struct Group {
    uint8_t filter;
    uint32_t detail, slot;
    uint64_t count;
  };
  std::vector<Group> groups;
  const std::vector<uint32_t>& nodes = cycle.allowed ? *cycle.allowed : state.order();
  for (uint32_t slot : nodes) {
    const auto filter = static_cast<uint8_t>(memory.verdict[slot] - kRejectedBase);
    const bool by_node = plugins_[filters_[filter]]->reasons_depend_on_node();
    auto it = std::find_if(groups.begin(), groups.end(), [&](const Group& g) {
      return g.filter == filter && g.detail == memory.detail[slot] && (!by_node || g.slot == slot);
    });
    if (it == groups.end() || by_node) groups.push_back({filter, memory.detail[slot], slot, 1});
    else ++it->count;
  }
  std::unordered_map<std::string, uint64_t> counts;
  for (const Group& g : groups) {
    const uint16_t p = filters_[g.filter];
    for (const std::string& reason : plugins_[p]->reasons(*pod.cls, pod.cls->data[p].get(), state, g.slot, g.detail)) counts[reason] += g.count;
    if (decision && std::find(decision->rejected_by.begin(), decision->rejected_by.end(), p) == decision->rejected_by.end())
      decision->rejected_by.push_back(p);
  }
  const size_t total = state.node_count();
  if (cycle.allowed && total > nodes.size())
    counts[left_out_reason(cycle.narrowed_by)] = total - nodes.size();
  std::vector<std::string> texts;
  for (const auto& [reason, count] : counts) texts.push_back(str_cat(count, " ", reason));
  std::sort(texts.begin(), texts.end());
  return str_cat("0/", uint64_t{total}, " nodes are available", texts.empty() ? "" : ": ", api::join(texts, ", "), ".");
}

Explanation Framework::explain(const PodInfo& pod, const ClusterState& state, RngStream& rng) {
  Explanation out;
  Cycle cycle;
  if (state.node_count() == 0) {
    out.message = "no nodes available to schedule pods";
    return out;
  }
  out.pre_filter = run_pre_filters(pod, state, cycle);
  out.plugin = cycle.rejecting_plugin;
  out.narrowed = cycle.narrowed;
  if (!out.pre_filter.ok()) {
    out.message = str_cat("0/", uint64_t{state.node_count()}, " nodes are available: ", api::join(out.pre_filter.reasons, ", "), ".");
    return out;
  }
  Memory& memory = memory_of(*pod.cls, state);
  for (uint32_t slot : state.order()) {
    Explanation::Node node;
    node.name = state.node(slot).name;
    const bool left_out = cycle.allowed && std::find(cycle.allowed->begin(), cycle.allowed->end(), slot) == cycle.allowed->end();
    if (left_out) {
      node.code = PluginCode::kUnschedulableAndUnresolvable;
      node.reasons = {left_out_reason(cycle.narrowed_by)};
    } else {
      if (memory.verdict[slot] == kUnknown) evaluate(*pod.cls, state, slot, cycle.skip, memory);
      node.feasible = memory.verdict[slot] == kFeasible;
      if (node.feasible) {
        cycle.feasible.push_back(slot);
      } else {
        const uint16_t p = filters_[memory.verdict[slot] - kRejectedBase];
        node.plugin = std::string(plugins_[p]->name());
        node.code = static_cast<PluginCode>(memory.code[slot]);
        node.reasons = plugins_[p]->reasons(*pod.cls, pod.cls->data[p].get(), state, slot, memory.detail[slot]);
      }
    }
    out.nodes.push_back(std::move(node));
  }
  if (cycle.feasible.empty()) {
    out.message = fit_message(pod, state, memory, cycle, nullptr);
    return out;
  }
  score(pod, state, memory, cycle, rng);
  size_t i = 0;
  for (Explanation::Node& node : out.nodes) {
    if (!node.feasible) continue;
    for (size_t s = 0; s < scores_.size(); ++s)
      if (!cycle.scores[s].empty()) node.scores.emplace_back(plugins_[scores_[s].plugin]->name(), cycle.scores[s][i]);
    node.total = cycle.totals[i++];
  }
  return out;
}

}  // namespace orrery::sched
