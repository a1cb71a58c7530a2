#include "engine/api/gen/storagev1.h"
#include "engine/api/names.h"
#include "engine/server/print/row.h"

namespace orrery::server {
namespace {

constexpr std::string_view kStorage = "storage";
constexpr std::string_view kBetaClass = "volume.beta.kubernetes.io/storage-class";

std::string access_modes(const List<Str>& modes) {
  constexpr std::pair<std::string_view, std::string_view> kShort[] = {
      {"ReadWriteOnce", "RWO"}, {"ReadOnlyMany", "ROX"}, {"ReadWriteMany", "RWX"}, {"ReadWriteOncePod", "RWOP"}};
  std::vector<std::string> out;
  for (const auto& [mode, text] : kShort)
    if (std::find(modes.begin(), modes.end(), mode) != modes.end()) out.emplace_back(text);
  return api::join(out, ",");
}

Str class_of(const metav1::ObjectMeta& meta, const Str& name) {
  const Str* beta = meta.annotations.find(kBetaClass);
  return beta ? *beta : name;
}

std::string_view or_unset(const Opt<Str>& text) { return text ? text->view() : "<unset>"; }

void print_volume(const corev1::PersistentVolume& pv, Row& row) {
  const auto& spec = *pv.spec;
  const auto& claim = spec.claim_ref;
  row.add(pv.metadata->name, spec.capacity.get(kStorage).to_string(), access_modes(spec.access_modes),
          spec.persistent_volume_reclaim_policy, pv.metadata->deletion_timestamp ? "Terminating" : pv.status->phase.view(),
          claim ? str_cat(claim->namespace_, "/", claim->name) : "", class_of(*pv.metadata, spec.storage_class_name),
          or_unset(spec.volume_attributes_class_name), pv.status->reason, row.age(pv.metadata->creation_timestamp),
          or_unset(spec.volume_mode));
}

void print_claim(const corev1::PersistentVolumeClaim& claim, Row& row) {
  const auto& spec = *claim.spec;
  const bool bound = !spec.volume_name.empty();
  row.add(claim.metadata->name, claim.metadata->deletion_timestamp ? "Terminating" : claim.status->phase.view(),
          spec.volume_name, bound ? claim.status->capacity.get(kStorage).to_string() : "",
          bound ? access_modes(claim.status->access_modes) : "",
          class_of(*claim.metadata, spec.storage_class_name.value_or(Str())), or_unset(spec.volume_attributes_class_name),
          row.age(claim.metadata->creation_timestamp), or_unset(spec.volume_mode));
}

void print_storage_class(const storagev1::StorageClass& sc, Row& row) {
  const auto& annotations = sc.metadata->annotations;
  const bool is_default = annotations.get("storageclass.kubernetes.io/is-default-class") == "true" ||
                          annotations.get("storageclass.beta.kubernetes.io/is-default-class") == "true";
  row.add(is_default ? sc.metadata->name.str() + " (default)" : sc.metadata->name.str(), sc.provisioner,
          sc.reclaim_policy.value_or("Delete"), sc.volume_binding_mode.value_or("Immediate"),
          sc.allow_volume_expansion.value_or(false), row.age(sc.metadata->creation_timestamp));
}

void print_attachment(const storagev1::VolumeAttachment& va, Row& row) {
  row.add(va.metadata->name, va.spec->attacher, va.spec->source.persistent_volume_name.value_or(Str()),
          va.spec->node_name, va.status->attached, row.age(va.metadata->creation_timestamp));
}

void print_driver(const storagev1::CSIDriver& driver, Row& row) {
  const auto& spec = *driver.spec;
  std::vector<std::string> audiences, modes;
  for (const auto& request : spec.token_requests) audiences.push_back(request.audience.str());
  for (const Str& mode : spec.volume_lifecycle_modes) modes.push_back(mode.str());
  row.add(driver.metadata->name, spec.attach_required.value_or(true), spec.pod_info_on_mount.value_or(false),
          spec.storage_capacity.value_or(false), spec.token_requests.is_nil() ? "<unset>" : api::join(audiences, ","),
          spec.requires_republish.value_or(false), modes.empty() ? "<none>" : api::join(modes, ","),
          row.age(driver.metadata->creation_timestamp));
}

void print_csi_node(const storagev1::CSINode& node, Row& row) {
  row.add(node.metadata->name, node.spec->drivers.size(), row.age(node.metadata->creation_timestamp));
}

void print_capacity(const storagev1::CSIStorageCapacity& capacity, Row& row) {
  row.add(capacity.metadata->name, capacity.storage_class_name,
          capacity.capacity ? capacity.capacity->to_string() : "<unset>");
}

}  // namespace

std::vector<Printer> storage_printers() {
  return {printer_of<corev1::PersistentVolume, print_volume>(),
          printer_of<corev1::PersistentVolumeClaim, print_claim>(),
          printer_of<storagev1::StorageClass, print_storage_class>(),
          printer_of<storagev1::VolumeAttachment, print_attachment>(),
          printer_of<storagev1::CSIDriver, print_driver>(),
          printer_of<storagev1::CSINode, print_csi_node>(),
          printer_of<storagev1::CSIStorageCapacity, print_capacity>()};
}

}  // namespace orrery::server
