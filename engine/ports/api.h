#pragma once

#include <string>
#include <vector>

#include "engine/api/object.h"
#include "engine/api/patch.h"
#include "engine/base/cow.h"
#include "engine/base/status.h"
#include "engine/ports/lanes.h"

namespace orrery {

enum class ApiVerb : uint8_t {
  kGet, kList, kCreate, kUpdate, kPatch, kDelete, kDeleteCollection,
};

/// metav1.DeleteOptions and preconditions.
struct ApiDeleteOptions {
  Opt<int64_t> grace_seconds;
  Str propagation_policy;  // "", Background, Foreground, Orphan
  Str uid;                 // precondition, "" for none
  Str resource_version;    // precondition, "" for none
};

/// Who asks, as authentication has found it: authentication.k8s.io/v1 UserInfo.
struct ApiUser {
  Str name;
  Str uid;
  List<Str> groups;
  Map<List<Str>> extra;
};

/// One request to the API, typed: what crosses HTTP as path, query and body.
struct ApiRequest {
  ApiVerb verb = ApiVerb::kGet;
  const api::KindDesc* kind = nullptr;  // of the resource, e.g. Pod also for pods/binding
  Str subresource;                      // "", status, binding, eviction, scale, ...
  Str ns;                               // "" for cluster-scoped, or all namespaces in kList
  Str name;
  /// Body of create, update and of POSTs to subresources (corev1::Binding, policyv1::Eviction).
  api::Object object;
  PatchKind patch_kind = PatchKind::kStrategic;
  Str patch;                            // JSON text
  ApiDeleteOptions delete_options;
  Str label_selector;                   // kList, kDeleteCollection
  Str field_selector;
  Str user;                             // who asks, e.g. system:kube-scheduler; "" is the world itself
  bool dry_run = false;
};

struct ApiResponse {
  Status status;
  /// Named causes of a failure: field paths of an Invalid, names of finalizers, ...
  struct Cause {
    Str reason, message, field;
  };
  List<Cause> causes;
  int32_t retry_after_seconds = 0;
  api::Object object;              // the object as stored (single-object verbs)
  std::vector<api::Object> items;  // kList
  Str resource_version;            // kList
};

enum class WatchEventType : uint8_t {
  kAdded, kModified, kDeleted,
  kSynced,  // all objects that existed when the watch began have been delivered
  kError,   // the watch has ended (Expired: start again)
};

struct WatchEvent {
  WatchEventType type = WatchEventType::kAdded;
  api::Object object;  // kDeleted: the last state
  Status error;        // kError
};

struct WatchId {
  uint64_t value = 0;
  explicit operator bool() const { return value != 0; }
  auto operator<=>(const WatchId&) const = default;
};

/// What to watch. A watch begins with kAdded for every object there is, then kSynced, then changes:
/// each exactly once, in the order of the store.
struct WatchSpec {
  const api::KindDesc* kind = nullptr;
  Str ns;              // "": all
  Str label_selector;
  /// metadata.name=N and spec.nodeName=N are indexed: other objects' changes cost this watch nothing.
  Str field_selector;
};

/// Port: the Kubernetes API as its clients (controllers, scheduler, kubelets) see it.
/// Implemented by engine/server in the same process.
class Api {
 public:
  virtual ~Api() = default;
  /// The outcome arrives as kDone on the ticket's lane; fetch it with take(event.b).
  virtual void call(Ticket ticket, ApiRequest request) = 0;
  /// The outcome of a finished call; once.
  virtual ApiResponse take(uint64_t handle) = 0;
  /// Events arrive as kWatch with a = the id's value; fetch them with drain().
  virtual WatchId watch(LaneId lane, const WatchSpec& spec) = 0;
  /// Moves what has arrived since the last drain to the end of `out`. One kWatch is posted when
  /// the first undrained event arrives, none for those that follow it: drain takes all.
  virtual void drain(WatchId watch, std::vector<WatchEvent>& out) = 0;
  virtual void unwatch(WatchId watch) = 0;
};

}  // namespace orrery
