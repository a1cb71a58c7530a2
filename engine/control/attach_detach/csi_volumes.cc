#include "engine/control/attach_detach/csi_volumes.h"

#include <algorithm>

#include "engine/base/check.h"

namespace orrery::control {
namespace {

constexpr std::string_view kPlugin = "kubernetes.io/csi/";

CsiVolume parts_of(const VolumeOnNode& where) {
  const auto parts = parse_csi_volume_name(where.volume);
  CHECK(parts) << where.volume.view();
  return *parts;
}

}  // namespace

Str csi_volume_name(const corev1::CSIPersistentVolumeSource& source) {
  return Str(str_cat(kPlugin, source.driver, '^', source.volume_handle));
}

std::optional<CsiVolume> parse_csi_volume_name(std::string_view name) {
  if (!name.starts_with(kPlugin)) return std::nullopt;
  name.remove_prefix(kPlugin.size());
  const size_t end = name.find('^');
  if (end == std::string_view::npos) return std::nullopt;
  return CsiVolume{name.substr(0, end), name.substr(end + 1)};
}

Str attachment_name(const VolumeOnNode& where, const HexDigest& sha256) {
  const CsiVolume volume = parts_of(where);
  return Str(str_cat("csi-", sha256(str_cat(volume.handle, volume.driver, where.node))));
}

storagev1::VolumeAttachment make_attachment(const VolumeOnNode& where, const Str& name,
                                            const Str& volume) {
  storagev1::VolumeAttachment attachment;
  attachment.metadata.mut().name = name;
  auto& spec = attachment.spec.mut();
  spec.attacher = Str(parts_of(where).driver);
  spec.node_name = where.node;
  spec.source.persistent_volume_name = Opt<Str>(volume);
  return attachment;
}

bool is_shared(const corev1::PersistentVolume& volume) {
  const auto& modes = volume.spec->access_modes;
  return modes.empty() || std::any_of(modes.begin(), modes.end(), [](const Str& mode) {
           return mode == "ReadWriteMany" || mode == "ReadOnlyMany";
         });
}

}  // namespace orrery::control
