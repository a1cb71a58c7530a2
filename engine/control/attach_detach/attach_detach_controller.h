#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/api/gen/corev1.h"
#include "engine/control/attach_detach/attach_operations.h"
#include "engine/control/attach_detach/attach_state.h"
#include "engine/control/attach_detach/csi_volumes.h"
#include "engine/control/attach_detach/pod_volumes.h"
#include "engine/runtime/controller.h"

namespace orrery::control {

struct AttachDetachOptions : ControllerOptions {
  AttachDetachOptions() { workers = 1; }
  AttachLimits limits;
  HexDigest sha256;  // required
};

/// What one pass has decided to do.
struct AttachInputs {
  struct Detach {
    VolumeOnNode where;
    Str attachment;
    bool checked = false;  // only if the node, asked anew, does not use it
  };
  struct Attach {
    VolumeOnNode where;
    api::Object attachment;
  };
  std::vector<std::pair<Str, std::vector<Str>>> reports;  // node, volumes attached to it
  std::vector<Detach> detaches;
  std::vector<Attach> attaches;
};

/// Has CSI drivers attach the volumes of pods to the pods' nodes, by VolumeAttachments, and detach
/// them; tells nodes in their status which volumes they may use. It minds nodes whose kubelets ask
/// for it (annotation volumes.kubernetes.io/controller-managed-attach-detach).
/// Kubernetes v1.32 pkg/controller/volume/attachdetach, pkg/volume/csi.
class AttachDetachController final : public Reconciler<AttachDetachController, AttachInputs>,
                                     private AttachView {
 public:
  AttachDetachController(const Env& env, const AttachDetachOptions& options);

 protected:
  void on_change(const Ctx& ctx, size_t informer, const Change& change) override;
  AttachInputs gather(const Ctx& ctx, const Str& key) override;
  Status sync(const AttachInputs& in, WriteLog& log) override;
  void on_finished(const Ctx& ctx, const Str& key, const Status& status) override;

 private:
  using Kind = AttachOperations::Kind;
  enum Informers : size_t { kPods, kNodes, kClaims, kVolumes, kDrivers, kAttachments };
  enum PodIndex : size_t { kPodsWithClaims, kPodsByNode };

  // What pods want.
  void pod_changed(const Change& change);
  void node_changed(const Change& change);
  void claim_changed(const api::Object& claim);
  void volume_changed(const corev1::PersistentVolume& volume);
  void look_at_pod(const api::Object& pod);
  const corev1::Node* find_node(const Str& name) const override;
  const corev1::PersistentVolumeClaim* find_claim(const Str& ns, const Str& name) const override;
  const corev1::PersistentVolume* find_volume(const Str& name) const override;
  const storagev1::CSIDriver* find_driver(const Str& name) const override;

  // What is: from the status of nodes and from attachments of an earlier life.
  void begin_with_what_there_is();

  // How operations end. They are found by the names of their attachments.
  void begin(const VolumeOnNode& where, const Str& attachment, Kind kind);
  void attachment_changed(const Change& change);
  void look_at_answer(const VolumeOnNode& where, const Str& attachment, const Status& status);
  void succeed(const VolumeOnNode& where);
  void fail(const VolumeOnNode& where, std::string_view why);
  void tell_pods(const VolumeOnNode& where, bool good, std::string_view what);
  void tell_pod(const Str& pod, bool good, std::string_view message);

  // Steps of a pass.
  std::vector<Str> report_to_nodes(const AttachInputs& in, WriteLog& log);
  std::vector<AttachInputs::Detach> checked_detaches(const AttachInputs& in,
                                                     const std::vector<Str>& unreported,
                                                     WriteLog& log);

  Time now() const { return env().timers->now(); }

  HexDigest sha256_;
  AttachState state_;
  AttachOperations operations_;
  std::map<Str, VolumeOnNode> by_attachment_;  // those under way
  bool begun_ = false;
};

}  // namespace orrery::control
