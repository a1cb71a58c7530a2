#pragma once

#include "engine/api/gen/corev1.h"
#include "engine/server/validation/text_rules.h"

namespace orrery::server {

/// What volumes may be made of: the sources that pods and persistent volumes share, and those of
/// persistent volumes. Source: Kubernetes v1.32 pkg/apis/core/validation/validation.go.

void check_source(const corev1::HostPathVolumeSource& source, const Path& at, Findings& findings);
void check_source(const corev1::GCEPersistentDiskVolumeSource& source, const Path& at, Findings& findings);
void check_source(const corev1::AWSElasticBlockStoreVolumeSource& source, const Path& at, Findings& findings);
void check_source(const corev1::NFSVolumeSource& source, const Path& at, Findings& findings);
void check_source(const corev1::ISCSIVolumeSource& source, const Path& at, Findings& findings);
void check_source(const corev1::ISCSIPersistentVolumeSource& source, const Path& at, Findings& findings);
void check_source(const corev1::GlusterfsVolumeSource& source, const Path& at, Findings& findings);
void check_source(const corev1::GlusterfsPersistentVolumeSource& source, const Path& at, Findings& findings);
void check_source(const corev1::FlockerVolumeSource& source, const Path& at, Findings& findings);
void check_source(const corev1::RBDVolumeSource& source, const Path& at, Findings& findings);
void check_source(const corev1::RBDPersistentVolumeSource& source, const Path& at, Findings& findings);
void check_source(const corev1::CinderVolumeSource& source, const Path& at, Findings& findings);
void check_source(const corev1::CinderPersistentVolumeSource& source, const Path& at, Findings& findings);
void check_source(const corev1::CephFSVolumeSource& source, const Path& at, Findings& findings);
void check_source(const corev1::CephFSPersistentVolumeSource& source, const Path& at, Findings& findings);
void check_source(const corev1::QuobyteVolumeSource& source, const Path& at, Findings& findings);
void check_source(const corev1::FCVolumeSource& source, const Path& at, Findings& findings);
void check_source(const corev1::FlexVolumeSource& source, const Path& at, Findings& findings);
void check_source(const corev1::FlexPersistentVolumeSource& source, const Path& at, Findings& findings);
void check_source(const corev1::AzureFileVolumeSource& source, const Path& at, Findings& findings);
void check_source(const corev1::AzureFilePersistentVolumeSource& source, const Path& at, Findings& findings);
void check_source(const corev1::VsphereVirtualDiskVolumeSource& source, const Path& at, Findings& findings);
void check_source(const corev1::PhotonPersistentDiskVolumeSource& source, const Path& at, Findings& findings);
void check_source(const corev1::PortworxVolumeSource& source, const Path& at, Findings& findings);
void check_source(const corev1::AzureDiskVolumeSource& source, const Path& at, Findings& findings);
void check_source(const corev1::ScaleIOVolumeSource& source, const Path& at, Findings& findings);
void check_source(const corev1::ScaleIOPersistentVolumeSource& source, const Path& at, Findings& findings);
void check_source(const corev1::LocalVolumeSource& source, const Path& at, Findings& findings);
void check_source(const corev1::StorageOSVolumeSource& source, const Path& at, Findings& findings);
void check_source(const corev1::StorageOSPersistentVolumeSource& source, const Path& at, Findings& findings);
void check_source(const corev1::CSIVolumeSource& source, const Path& at, Findings& findings);
void check_source(const corev1::CSIPersistentVolumeSource& source, const Path& at, Findings& findings);

/// A CSI driver's name.
void check_csi_driver_name(const Str& name, const Path& at, Findings& findings);

/// One source at most: the first is checked, more are forbidden.
class OneSource {
 public:
  OneSource(const Path& at, Findings& findings) : at_(at), findings_(findings) {}
  /// `name`: of the field in a refusal; `checked`: where its own findings lie, if elsewhere.
  template <typename S>
  void operator()(const Ref<S>& source, std::string_view name, std::string_view checked = {}) {
    if (source && first(name)) check_source(*source, at_.child(checked.empty() ? name : checked), findings_);
  }
  /// True if a source that is there is the first, hence to be checked.
  bool first(std::string_view name) {
    if (++count_ > 1) findings_.forbidden(at_.child(name), "may not specify more than 1 volume type");
    return count_ == 1;
  }
  void count_unchecked() { ++count_; }
  bool none() const { return count_ == 0; }

 private:
  const Path& at_;
  Findings& findings_;
  size_t count_ = 0;
};

}  // namespace orrery::server
