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
  Opt<Str> uid;            // precondition
  Opt<Str> resource_version;  // precondition
};

/// Who asks, as authentication has found it: authentication.k8s.io/v1 UserInfo.
struct ApiUser {
  Str name;
  Str uid;
  List<Str> groups;
  Map<List<Str>> extra;
};

/// What becomes of unknown and duplicate fields: an error, a warning, or nothing.
enum class FieldValidation : uint8_t { kIgnore, kWarn, kStrict };

/// One request to the API, typed: what crosses HTTP as path, query and body.
struct ApiRequest {
  ApiVerb verb = ApiVerb::kGet;
  PatchKind patch_kind = PatchKind::kStrategic;
  bool dry_run = false;
  bool names_manager = false;  // the client has given field_manager itself
  bool force = false;          // kApply: take over fields of other managers
  FieldValidation field_validation = FieldValidation::kIgnore;  // of what a patch makes
  const api::KindDesc* kind = nullptr;  // of the resource, e.g. Pod also for pods/binding
  Str subresource;                      // "", status, binding, eviction, scale, ...
  Str ns;                               // "" for cluster-scoped, or all namespaces in kList
  Str name;
  /// Body of create, update and of POSTs to subresources (corev1::Binding, policyv1::Eviction).
  api::Object object;
  Str patch;                            // JSON text
  ApiDeleteOptions delete_options;
  Str label_selector;                   // kList, kDeleteCollection
  Str field_selector;
  Str user;                             // who asks, e.g. system:kube-scheduler; "" is the world itself
  Ref<ApiUser> identity;                // who asks from outside; absent: a component of this process
  Str field_manager;                    // "": the component's own name
  Str resource_version;                 // kGet, kList: "" newest, "0" any, N not older (or exact)
  Str resource_version_match;           // kList: "", Exact, NotOlderThan
  int64_t limit = 0;                    // kList: objects in one answer, 0 for all
  Str continue_token;                   // kList
};

struct ApiResponse {
  Status status;
  /// Named causes of a failure: field paths of an Invalid, names of finalizers, ...
  struct Cause {
    Str reason, message, field;
  };
  List<Cause> causes;
  /// Status.details where they do not follow from the request and the causes.
  Ref<metav1::StatusDetails> details;
  int32_t retry_after_seconds = 0;
  bool unclassified = false;       // a failure without a reason of its own: 500
  api::Object object;              // the object as stored (single-object verbs)
  bool created = false;            // the request made the object: 201
  bool gone = false;               // a delete that removed the object, not only marked it
  std::vector<api::Object> items;  // kList
  Str resource_version;            // kList
  Str continue_token;              // kList: where the next page begins, "" at the end
  Opt<int64_t> remaining;          // kList: objects after this page, if that is known
  std::vector<Str> warnings;       // for the Warning header
  Map<Str> audit_annotations;
};

enum class WatchEventType : uint8_t {
  kAdded, kModified, kDeleted,
  kSynced,  // all objects that existed when the watch began have been delivered
  kBookmark,  // nothing older than `revision` will come any more
  kError,   // the watch has ended (Expired: start again)
};

struct WatchEvent {
  WatchEventType type = WatchEventType::kAdded;
  api::Object object;  // kDeleted: the last state
  Status error;        // kError
  int64_t revision = 0;  // kSynced, kBookmark: of the store
};

/// Empties `events`. A few keep their memory for the next; that of a burst goes.
inline void forget(std::vector<WatchEvent>& events) {
  constexpr size_t kKept = 64;
  if (events.capacity() > kKept) {
    events = std::vector<WatchEvent>();
  } else {
    events.clear();
  }
}

struct WatchId {
  uint64_t value = 0;
  explicit operator bool() const { return value != 0; }
  auto operator<=>(const WatchId&) const = default;
};

/// What to watch. A watch begins with kAdded for every object there is, then kSynced, then changes:
/// each exactly once, in the order of the store. With `after_revision` it begins with the changes
/// after that revision instead; kError with Expired if they are not known any more.
///
/// Without a kind it is a watch of ownership among the objects of all kinds but events: kAdded for
/// objects that have owner references or are being deleted, kModified when owner references change
/// and whenever finalizers do while an object is being deleted, kDeleted for every object that goes.
struct WatchSpec {
  const api::KindDesc* kind = nullptr;
  Str ns;              // "": all
  Str label_selector;
  /// metadata.name=N and spec.nodeName=N are indexed: other objects' changes cost this watch nothing.
  Str field_selector;
  int64_t after_revision = 0;
  /// Of a watch of ownership: it begins when something is deleted for the first time, and costs
  /// nothing before.
  bool from_first_deletion = false;
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

  /// The kind of that name, of a custom resource too; nullptr: there is none.
  virtual const api::KindDesc* find_kind(std::string_view api_version,
                                         std::string_view kind) const = 0;
  /// What discovery tells: the kinds whose objects are kept, each in its preferred version, ordered
  /// by group and plural.
  virtual std::vector<const api::KindDesc*> served_kinds() const = 0;
  /// An object as the caches of this process have it, which may be older or newer than what a watch
  /// has told; null: unknown.
  virtual api::Object cached(const api::KindDesc& kind, const Str& ns, const Str& name) const = 0;
};

}  // namespace orrery
