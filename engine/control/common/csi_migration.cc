#include "engine/control/common/csi_migration.h"

#include <array>
#include <utility>

namespace orrery::control {

std::string_view csi_driver_of(std::string_view plugin) {
  using Row = std::pair<std::string_view, std::string_view>;
  constexpr std::array<Row, 7> kDrivers = {{
      {"kubernetes.io/aws-ebs", "ebs.csi.aws.com"},
      {"kubernetes.io/azure-disk", "disk.csi.azure.com"},
      {"kubernetes.io/azure-file", "file.csi.azure.com"},
      {"kubernetes.io/cinder", "cinder.csi.openstack.org"},
      {"kubernetes.io/gce-pd", "pd.csi.storage.gke.io"},
      {"kubernetes.io/portworx-volume", "pxd.portworx.com"},
      {"kubernetes.io/vsphere-volume", "csi.vsphere.vmware.com"},
  }};
  for (const Row& row : kDrivers)
    if (row.first == plugin) return row.second;
  return {};
}

std::string_view migrated_plugin_of(const corev1::PersistentVolume& volume) {
  const auto& spec = *volume.spec;
  if (spec.aws_elastic_block_store) return "kubernetes.io/aws-ebs";
  if (spec.azure_disk) return "kubernetes.io/azure-disk";
  if (spec.azure_file) return "kubernetes.io/azure-file";
  if (spec.cinder) return "kubernetes.io/cinder";
  if (spec.gce_persistent_disk) return "kubernetes.io/gce-pd";
  if (spec.portworx_volume) return "kubernetes.io/portworx-volume";
  return spec.vsphere_volume ? "kubernetes.io/vsphere-volume" : "";
}

bool mark_migration(Map<Str>& annotations, const Str* provisioner) {
  if (!provisioner) return false;
  const std::string_view driver = csi_driver_of(*provisioner);
  if (annotations.get(kMigratedTo) == driver) return false;
  if (driver.empty()) return annotations.erase(kMigratedTo);
  annotations.set(kMigratedTo, Str(driver));
  return true;
}

}  // namespace orrery::control
