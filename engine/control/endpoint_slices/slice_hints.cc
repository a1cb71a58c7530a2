#include "engine/control/endpoint_slices/slice_hints.h"

#include <algorithm>
#include <cmath>

#include "engine/api/pod_resources.h"

namespace orrery::control {
namespace {

using discoveryv1::Endpoint;
using discoveryv1::EndpointSlice;

constexpr double kOverloadMax = 0.2;
constexpr std::string_view kDisabled = "TopologyAwareHintsDisabled";

struct Allocation {
  int least = 0, most = 0;
  double wanted = 0;
};
using Allocations = std::map<Str, Allocation>;

bool is_ready(const Endpoint& endpoint) { return endpoint.conditions.ready.value_or(false); }

void set_hint(Endpoint& endpoint, const Str& zone) {
  discoveryv1::ForZone for_zone;
  for_zone.name = zone;
  endpoint.hints = {};
  endpoint.hints.mut().for_zones.push_back(std::move(for_zone));
}

template <typename Fn>
void each_endpoint(Slices& slices, Fn fn) {
  for (EndpointSlice& slice : slices)
    for (size_t i = 0; i < slice.endpoints.size(); ++i) fn(slice, i);
}

int ready_count(const SliceChanges& changes) {
  int count = 0;
  for (const Slices* slices : {&changes.create, &changes.update, &changes.unchanged})
    for (const EndpointSlice& slice : *slices)
      count += static_cast<int>(std::count_if(slice.endpoints.begin(), slice.endpoints.end(), is_ready));
  return count;
}

// What each zone is to get; "" in `why`: it can be done.
Allocations allocate(const ZoneShares& shares, int endpoints, std::string& why) {
  Allocations all;
  if (!shares) {
    why = "Insufficient Node information: allocatable CPU or zone not specified on one or more nodes";
    return all;
  }
  const auto counts = str_cat(" (", endpoints, " endpoints, ", shares->size(), " zones)");
  if (static_cast<int>(shares->size()) > endpoints) {
    why = str_cat("Insufficient number of endpoints", counts);
    return all;
  }
  int least = 0;
  for (const auto& [zone, share] : *shares) {
    const double wanted = share * endpoints;
    Allocation& one = all[zone];
    one.least = static_cast<int>(std::ceil(wanted * (1 / (1 + kOverloadMax))));
    one.wanted = std::max(wanted, static_cast<double>(one.least));
    least += one.least;
  }
  if (least > endpoints) why = str_cat("Unable to allocate minimum required endpoints to each zone without exceeding overload threshold", counts);
  for (auto& [zone, one] : all) one.most = one.least + endpoints - least;
  return all;
}

// The hints of a slice that stays as it is; nullopt: it cannot.
std::optional<ZoneHints> fitting_hints(const EndpointSlice& slice, const ZoneHints& given, const Allocations& all) {
  ZoneHints hints;
  for (const Endpoint& endpoint : slice.endpoints) {
    if (!is_ready(endpoint)) continue;
    if (!endpoint.hints || endpoint.hints->for_zones.empty()) return std::nullopt;
    for (const auto& zone : endpoint.hints->for_zones) {
      if (!all.contains(zone.name)) return std::nullopt;
      ++hints[zone.name];
    }
  }
  for (const auto& [zone, count] : hints) {
    const auto before = given.find(zone);
    if (count + (before == given.end() ? 0 : before->second) > all.at(zone).most) return std::nullopt;
  }
  return hints;
}

ZoneHints keep_fitting(SliceChanges& changes, const Allocations& all) {
  ZoneHints given;
  Slices kept;
  for (EndpointSlice& slice : changes.unchanged) {
    const auto hints = fitting_hints(slice, given, all);
    if (!hints) {
      changes.update.push_back(std::move(slice));
      continue;
    }
    for (const auto& [zone, count] : *hints) given[zone] += count;
    kept.push_back(std::move(slice));
  }
  changes.unchanged = std::move(kept);
  return given;
}

std::map<Str, double>::iterator most(std::map<Str, double>& zones) {
  return std::max_element(zones.begin(), zones.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
}

/// How many endpoints zones have too many, and too few.
struct Trade {
  std::map<Str, int> gives, takes;
};
Trade trade_of(const Allocations& all, const ZoneHints& given) {
  std::map<Str, double> too_many, too_few;
  for (const auto& [zone, one] : all) {
    const auto found = given.find(zone);
    const double extra = (found == given.end() ? 0 : found->second) - one.wanted;
    if (extra > 0) too_many[zone] = extra;
    if (extra < 0) too_few[zone] = -extra;
  }
  Trade trade;
  while (!too_many.empty() && !too_few.empty()) {
    const auto giver = most(too_many), taker = most(too_few);
    if (giver->second < 0.5 || taker->second < 0.5 || (giver->second < 1 && taker->second < 1)) break;
    ++trade.gives[giver->first];
    ++trade.takes[taker->first];
    giver->second -= 1;
    taker->second -= 1;
  }
  return trade;
}

void redistribute(Slices& slices, Trade& trade, ZoneHints& given) {
  each_endpoint(slices, [&](EndpointSlice& slice, size_t i) {
    const Endpoint& endpoint = slice.endpoints[i];
    if (!is_ready(endpoint) || !endpoint.zone || trade.takes.empty()) return;
    const Str zone = *endpoint.zone;
    const auto giver = trade.gives.find(zone);
    if (giver == trade.gives.end()) return;
    const auto taker = trade.takes.begin();
    set_hint(slice.endpoints.mut(i), taker->first);
    ++given[taker->first];
    --given[zone];
    if (--giver->second == 0) trade.gives.erase(giver);
    if (--taker->second == 0) trade.takes.erase(taker);
  });
}

}  // namespace

ZoneShares zone_shares(const std::vector<api::Object>& nodes) {
  std::map<Str, double> cpus;
  double all = 0;
  for (const api::Object& object : nodes) {
    const auto& node = object.get<corev1::Node>();
    const Map<Str>& labels = node.metadata->labels;
    if (labels.contains("node-role.kubernetes.io/control-plane") || labels.contains("node-role.kubernetes.io/master")) continue;
    const auto* ready = api::find_condition(*node.status, "Ready");
    if (!ready || ready->status != "True") continue;
    const api::Quantity* cpu = node.status->allocatable.find("cpu");
    const Str* zone = labels.find("topology.kubernetes.io/zone");
    const double millis = cpu ? static_cast<double>(cpu->milli_value()) : 0;
    if (!zone || zone->empty() || millis == 0) return std::nullopt;
    cpus[*zone] += millis;
    all += millis;
  }
  if (cpus.size() < 2) return std::nullopt;
  for (auto& [zone, cpu] : cpus) cpu /= all;
  return cpus;
}

bool wants_topology_hints(const corev1::Service& service) {
  const Map<Str>& annotations = service.metadata->annotations;
  const Str* mode = annotations.find("service.kubernetes.io/topology-aware-hints");
  if (!mode) mode = annotations.find("service.kubernetes.io/topology-mode");
  return mode && (*mode == "Auto" || *mode == "auto");
}

std::optional<ZoneHints> add_topology_hints(SliceChanges& changes, const ZoneShares& shares, std::string_view address_type,
                                            bool had_hints, std::vector<HintEvent>& events) {
  const auto give_up = [&](std::string_view why) {
    events.push_back({"Warning", Str(kDisabled), str_cat(why, ", addressType: ", address_type)});
    remove_hints(changes);
    return std::nullopt;
  };
  std::string why;
  const Allocations all = allocate(shares, ready_count(changes), why);
  if (!why.empty()) return give_up(why);
  ZoneHints given = keep_fitting(changes, all);
  bool zones_known = true;
  for (Slices* slices : {&changes.create, &changes.update}) {
    each_endpoint(*slices, [&](EndpointSlice& slice, size_t i) {
      if (!is_ready(slice.endpoints[i])) return;
      const Str zone = slice.endpoints[i].zone.value_or(Str());
      zones_known = zones_known && !zone.empty();
      ++given[zone];
      set_hint(slice.endpoints.mut(i), zone);
    });
  }
  if (!zones_known) return give_up("One or more endpoints do not have a zone specified");
  Trade trade = trade_of(all, given);
  for (Slices* slices : {&changes.create, &changes.update}) redistribute(*slices, trade, given);
  if (given.empty()) return give_up("No hints allocated for zones");
  if (!had_hints)
    events.push_back({"Normal", "TopologyAwareHintsEnabled",
                      str_cat("Topology Aware Hints has been enabled, addressType: ", address_type)});
  return given;
}

void remove_hints(SliceChanges& changes) {
  Slices kept;
  for (EndpointSlice& slice : changes.unchanged) {
    const bool has = std::any_of(slice.endpoints.begin(), slice.endpoints.end(), [](const Endpoint& e) { return bool(e.hints); });
    (has ? changes.update : kept).push_back(std::move(slice));
  }
  changes.unchanged = std::move(kept);
  for (Slices* slices : {&changes.create, &changes.update})
    each_endpoint(*slices, [](EndpointSlice& slice, size_t i) {
      if (slice.endpoints[i].hints) slice.endpoints.mut(i).hints = {};
    });
}

void add_close_hints(SliceChanges& changes) {
  const auto is_wrong = [](const Endpoint& endpoint) {
    if (!is_ready(endpoint)) return false;
    const Str zone = endpoint.zone.value_or(Str());
    return !endpoint.hints || endpoint.hints->for_zones.size() != 1 || endpoint.hints->for_zones[0].name != zone;
  };
  Slices kept;
  for (EndpointSlice& slice : changes.unchanged) {
    const bool wrong = std::any_of(slice.endpoints.begin(), slice.endpoints.end(), is_wrong);
    (wrong ? changes.update : kept).push_back(std::move(slice));
  }
  changes.unchanged = std::move(kept);
  for (Slices* slices : {&changes.create, &changes.update})
    each_endpoint(*slices, [](EndpointSlice& slice, size_t i) {
      if (is_ready(slice.endpoints[i])) set_hint(slice.endpoints.mut(i), slice.endpoints[i].zone.value_or(Str()));
    });
}

}  // namespace orrery::control
