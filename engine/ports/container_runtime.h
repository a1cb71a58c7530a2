#pragma once

#include "engine/api/gen/corev1.h"
#include "engine/api/object.h"
#include "engine/ports/lanes.h"

namespace orrery {

/// One container of one pod, on one node.
struct ContainerRef {
  Str node;
  Str pod_uid;
  Str container;
  bool operator==(const ContainerRef&) const = default;
};

/// The outcome of a runtime call: take(event.b).
struct RuntimeOutcome {
  Status status;      // pulling: what the registry or the image says
  Str pod_ip;         // run_pod_sandbox
  Str container_id;   // start_container
};

/// A container has ended: posted to the node's subscriber as kUser with a = kContainerExited and
/// b = handle for take_exit().
struct ContainerExit {
  ContainerRef ref;
  int32_t exit_code = 0;
  Str reason;  // Completed, Error, OOMKilled
};
inline constexpr uint64_t kContainerExited = 1;
/// A container's readiness probe has passed: posted to the node's subscriber as kUser with
/// a = kContainerReady and b = handle for take_ready(). Only containers with such a probe are told of.
inline constexpr uint64_t kContainerReady = 4;

/// Port: what the CRI offers a kubelet, for any number of nodes. Calls answer by ticket. A
/// simulated runtime models the delays; a real one speaks to containerd.
class ContainerRuntime {
 public:
  virtual ~ContainerRuntime() = default;
  /// Exits and readiness of the node's containers go to `lane`.
  virtual void subscribe(const Str& node, LaneId lane) = 0;
  virtual void run_pod_sandbox(Ticket ticket, const Str& node, const api::Object& pod) = 0;
  virtual void pull_image(Ticket ticket, const Str& node, const Str& image) = 0;
  /// `attempt` counts restarts.
  virtual void start_container(Ticket ticket, const Str& node, const api::Object& pod, const Str& container, int32_t attempt) = 0;
  /// Asks the container to end; kills it after `grace`. Its exit is reported as any other; the
  /// outcome says that the request was taken.
  virtual void stop_container(Ticket ticket, const ContainerRef& ref, Duration grace) = 0;
  virtual void remove_pod_sandbox(Ticket ticket, const Str& node, const Str& pod_uid) = 0;
  virtual RuntimeOutcome take(uint64_t handle) = 0;
  virtual ContainerExit take_exit(uint64_t handle) = 0;
  virtual ContainerRef take_ready(uint64_t handle) = 0;
};

}  // namespace orrery
