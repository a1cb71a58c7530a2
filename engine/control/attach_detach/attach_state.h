#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "engine/base/str.h"
#include "engine/base/time.h"

namespace orrery::control {

struct VolumeOnNode {
  Str volume, node;
  auto operator<=>(const VolumeOnNode&) const = default;
};

struct AttachLimits {
  /// How long a volume that nobody wants any more may stay mounted on a node that is not ready.
  Duration unmount_wait_max = Duration::seconds(360);
  /// After that time volumes are detached by force (--disable-force-detach-on-timeout: not).
  bool force_on_timeout = true;
};

/// What a reconciliation asks and does. Outcomes of what it begins are told to the state, at once
/// or later.
struct AttachActions {
  struct Node {
    bool ready = false;
    bool out_of_service = false;  // tainted so, with any effect
    bool operator==(const Node&) const = default;
  };
  std::function<Node(const Str& name)> node;
  /// Something is under way, or waits after a failure, that has to be awaited.
  std::function<bool(const VolumeOnNode&, bool shared)> is_busy;
  /// `checked`: only if the node does not say that it is in use. False: refused.
  std::function<bool(const VolumeOnNode&, bool checked)> detach;
  std::function<void(const VolumeOnNode&)> attach;
  /// A warning (FailedAttachVolume) about a pod.
  std::function<void(const Str& pod, const std::string& message)> warn;
};

/// Which volumes are attached to which nodes, which should be, and what nodes are told of it.
/// Volumes go by unique names, pods by keys. Plain state.
/// Source: Kubernetes v1.32 pkg/controller/volume/attachdetach, cache and reconciler.
class AttachState {
 public:
  explicit AttachState(const AttachLimits& limits = {}) : limits_(limits) {}

  /// A volume that a pod wants on its node. `name` is what people call it; one that is `shared` may
  /// be attached to several nodes.
  struct WantedVolume {
    VolumeOnNode where;
    Str name;
    bool shared = false;
  };
  /// What should be: the pod wants these volumes, and no others any more.
  void set_pod(const Str& pod, const std::vector<WantedVolume>& volumes);
  /// nullptr: nobody wants it.
  const Str* name_of(const VolumeOnNode& where) const;
  std::vector<Str> pods_of(const VolumeOnNode& where) const;
  bool is_wanted(const VolumeOnNode& where) const { return wanted_.contains(where); }

  // What is.
  void attached(const VolumeOnNode& where) { put(where, true); }
  /// It may be attached or not.
  void uncertain(const VolumeOnNode& where) { put(where, false); }
  void detached(const VolumeOnNode& where);
  /// What was to be detached is not: its node may go on using it.
  void keep(const VolumeOnNode& where);
  bool is_attached(const VolumeOnNode& where) const;
  std::vector<VolumeOnNode> all() const;
  /// The volumes that a node says are in use there, all of them.
  void report_in_use(const Str& node, const std::set<Str>& volumes);

  /// Detaches what nobody wants, then attaches what is missing. Requires outcomes of former passes
  /// where is_busy() does not say that they are missing.
  void reconcile(Time now, const AttachActions& actions);
  /// When time alone makes a difference to what is not wanted any more; max(): it does not.
  Time next_timeout(Time now) const;
  /// Nodes to which something else has to be reported as attached since the last time; sorted.
  std::map<Str, std::vector<Str>> take_reports();
  /// It has to be reported again: that did not work.
  void report_again(const Str& node) { reports_[node].due = true; }

 private:
  struct Wanted {
    Str name;
    bool shared = false;
    std::set<Str> pods;
    bool told_of_others = false;  // that the volume is attached elsewhere
  };
  struct Actual {
    bool confirmed = false;
    bool in_use = true;  // until the node says otherwise
    bool shared = false;
    Time unwanted_since = Time::max();
  };
  struct Report {
    bool due = false;
    std::set<Str> volumes;
  };

  void put(const VolumeOnNode& where, bool confirmed);
  void report(const VolumeOnNode& where, bool attached);
  void detach_unwanted(Time now, const AttachActions& actions);
  void attach_wanted(const AttachActions& actions);
  void warn_of_others(const VolumeOnNode& where, Wanted& wanted, const AttachActions& actions);

  AttachLimits limits_;
  std::map<VolumeOnNode, Wanted> wanted_;
  std::map<VolumeOnNode, Actual> actual_;
  std::map<Str, Report> reports_;  // by node
};

}  // namespace orrery::control
