#include "engine/control/attach_detach/attach_state.h"

#include <algorithm>
#include <utility>

#include "engine/api/names.h"

namespace orrery::control {
namespace {

std::string_view namespace_of(const Str& pod) { return pod.view().substr(0, pod.view().find('/')); }

/// Why a pod has to wait for a volume that `others` use on another node. Pods of other namespaces
/// are not named.
std::string used_by_others(const Str& pod, const std::set<Str>& others) {
  if (others.empty())
    return "Volume is already exclusively attached to one node and can't be attached to another";
  std::string names;
  size_t elsewhere = 0;
  for (const Str& other : others) {
    if (namespace_of(other) == namespace_of(pod)) {
      names += str_cat(names.empty() ? "" : ", ", other.view().substr(other.view().find('/') + 1));
    } else {
      ++elsewhere;
    }
  }
  const std::string count = str_cat(elsewhere, " pod(s) in different namespaces");
  if (names.empty()) return str_cat("Volume is already used by ", count);
  return str_cat("Volume is already used by pod(s) ", names,
                 elsewhere > 0 ? str_cat(" and ", count) : "");
}

}  // namespace

void AttachState::set_pod(const Str& pod, const std::vector<WantedVolume>& volumes) {
  std::set<VolumeOnNode> places;
  for (const WantedVolume& volume : volumes) {
    Wanted& wanted = wanted_[volume.where];
    wanted.name = volume.name;
    wanted.shared = volume.shared;
    wanted.pods.insert(pod);
    places.insert(volume.where);
  }
  for (auto& [where, wanted] : wanted_)
    if (!places.contains(where)) wanted.pods.erase(pod);
  std::erase_if(wanted_, [](const auto& entry) { return entry.second.pods.empty(); });
}

const Str* AttachState::name_of(const VolumeOnNode& where) const {
  const auto found = wanted_.find(where);
  return found == wanted_.end() ? nullptr : &found->second.name;
}

std::vector<Str> AttachState::pods_of(const VolumeOnNode& where) const {
  const auto found = wanted_.find(where);
  if (found == wanted_.end()) return {};
  return {found->second.pods.begin(), found->second.pods.end()};
}

bool AttachState::is_attached(const VolumeOnNode& where) const {
  const auto found = actual_.find(where);
  return found != actual_.end() && found->second.confirmed;
}

std::vector<VolumeOnNode> AttachState::all() const {
  std::vector<VolumeOnNode> places;
  for (const auto& [where, actual] : actual_) places.push_back(where);
  return places;
}

void AttachState::put(const VolumeOnNode& where, bool confirmed) {
  Actual& actual = actual_[where];
  actual.confirmed = confirmed;
  if (const auto found = wanted_.find(where); found != wanted_.end())
    actual.shared = found->second.shared;
  report(where, confirmed);
}

void AttachState::keep(const VolumeOnNode& where) {
  if (is_attached(where)) report(where, true);
}

void AttachState::detached(const VolumeOnNode& where) {
  report(where, false);
  actual_.erase(where);
}

void AttachState::report_in_use(const Str& node, const std::set<Str>& volumes) {
  for (auto& [where, actual] : actual_)
    if (where.node == node) actual.in_use = volumes.contains(where.volume);
}

void AttachState::report(const VolumeOnNode& where, bool attached) {
  const auto known = reports_.find(where.node);
  if (!attached && known == reports_.end()) return;
  Report& report = known == reports_.end() ? reports_[where.node] : known->second;
  const bool changes = attached ? report.volumes.insert(where.volume).second
                                : report.volumes.erase(where.volume) > 0;
  report.due = report.due || changes;
}

std::map<Str, std::vector<Str>> AttachState::take_reports() {
  std::map<Str, std::vector<Str>> due;
  for (auto& [node, report] : reports_)
    if (std::exchange(report.due, false))
      due[node] = std::vector<Str>(report.volumes.begin(), report.volumes.end());
  return due;
}

void AttachState::reconcile(Time now, const AttachActions& actions) {
  detach_unwanted(now, actions);
  attach_wanted(actions);
}

void AttachState::detach_unwanted(Time now, const AttachActions& actions) {
  for (const VolumeOnNode& where : all()) {
    const auto found = actual_.find(where);
    if (found == actual_.end() || is_wanted(where)) continue;
    Actual& actual = found->second;
    if (actions.is_busy(where, actual.shared)) continue;
    if (actual.unwanted_since == Time::max()) actual.unwanted_since = now;
    const bool timed_out =
        now - actual.unwanted_since > limits_.unmount_wait_max && limits_.force_on_timeout;
    const auto node = actions.node(where.node);
    const bool by_force = (timed_out && !node.ready) || node.out_of_service;
    if (actual.in_use && !by_force) continue;
    // The node must not begin to use it any more.
    report(where, false);
    const bool checked = !timed_out && !node.out_of_service;
    if (!actions.detach(where, checked)) keep(where);
  }
}

void AttachState::attach_wanted(const AttachActions& actions) {
  for (auto& [where, wanted] : wanted_) {
    if (actions.is_busy(where, wanted.shared)) continue;
    if (is_attached(where)) {
      actual_[where].unwanted_since = Time::max();
      continue;
    }
    const auto elsewhere = [&, &volume = where.volume, &node = where.node](const auto& entry) {
      return entry.first.volume == volume && entry.first.node != node && entry.second.confirmed;
    };
    if (!wanted.shared && std::any_of(actual_.begin(), actual_.end(), elsewhere)) {
      warn_of_others(where, wanted, actions);
    } else {
      actions.attach(where);
    }
  }
}

void AttachState::warn_of_others(const VolumeOnNode& where, Wanted& wanted,
                                 const AttachActions& actions) {
  if (std::exchange(wanted.told_of_others, true)) return;
  std::set<Str> others;
  for (const auto& [place, actual] : actual_) {
    const auto found = wanted_.find(place);
    const bool elsewhere =
        place.volume == where.volume && place.node != where.node && actual.confirmed;
    if (elsewhere && found != wanted_.end())
      others.insert(found->second.pods.begin(), found->second.pods.end());
  }
  for (const Str& pod : wanted.pods)
    actions.warn(pod, str_cat("Multi-Attach error for volume ", api::quoted(wanted.name), " ",
                              used_by_others(pod, others)));
}

Time AttachState::next_timeout(Time now) const {
  Time next = Time::max();
  for (const auto& [where, actual] : actual_) {
    if (actual.unwanted_since == Time::max()) continue;
    const Time at = actual.unwanted_since + limits_.unmount_wait_max + Duration{1};
    if (at > now && at < next) next = at;
  }
  return next;
}

}  // namespace orrery::control
