#include "engine/control/persistent_volume_binder/csi_migration.h"

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

bool mark_migration(Map<Str>& annotations, const Str* provisioner) {
  if (!provisioner) return false;
  const std::string_view driver = csi_driver_of(*provisioner);
  if (annotations.get(kMigratedTo) == driver) return false;
  if (driver.empty()) return annotations.erase(kMigratedTo);
  annotations.set(kMigratedTo, Str(driver));
  return true;
}

}  // namespace orrery::control
