#include "engine/server/validation/volume_sources.h"

#include <algorithm>

#include "engine/api/names.h"

namespace orrery::server {
namespace {

void require(const Str& value, const Path& at, Findings& findings) {
  if (value.empty()) findings.required(at);
}

template <typename D>
void check_disk(const D& disk, const Str& id, std::string_view id_name, const Path& at, Findings& findings) {
  require(id, at.child(id_name), findings);
  if (disk.partition < 0 || disk.partition > 255) findings.invalid(at.child("partition"), disk.partition, between(1, 255));
}

bool is_alnum(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// iqn.YYYY-MM.<domain>[:<anything but ,;*&$| and space>]; eui. and naa. are followed by 16 and 32 characters.
bool is_iqn(std::string_view name) {
  if (name.starts_with("eui") || name.starts_with("naa")) {
    const size_t length = name.starts_with("eui") ? 16 : 32;
    return name.size() == length + 4 && std::all_of(name.begin() + 4, name.end(), is_alnum);
  }
  if (name.size() < 13 || name[3] != '.' || name[8] != '-' || name[11] != '.') return false;
  for (const size_t i : {4, 5, 6, 7, 9, 10})
    if (name[i] < '0' || name[i] > '9') return false;
  const size_t colon = name.find(':', 12);
  if (colon == std::string_view::npos || colon == 12 || colon + 1 == name.size()) return false;
  return name.substr(colon + 1).find_first_of(",;*&$| \t\n\r") == std::string_view::npos;
}

bool has_iqn_prefix(std::string_view name) {
  return name.starts_with("iqn") || name.starts_with("eui") || name.starts_with("naa");
}

template <typename S>
void check_iscsi(const S& source, std::string_view prefix_text, const Path& at, Findings& findings) {
  require(source.target_portal, at.child("targetPortal"), findings);
  if (source.iqn.empty()) findings.required(at.child("iqn"));
  else if (!has_iqn_prefix(source.iqn)) findings.invalid(at.child("iqn"), source.iqn, prefix_text);
  else if (!is_iqn(source.iqn)) findings.invalid(at.child("iqn"), source.iqn, "must be valid format");
  if (source.lun < 0 || source.lun > 255) findings.invalid(at.child("lun"), source.lun, between(0, 255));
  if ((source.chap_auth_discovery || source.chap_auth_session) && !source.secret_ref) findings.required(at.child("secretRef"));
}

void check_initiator(const Opt<Str>& name, std::string_view prefix_text, const Path& at, Findings& findings) {
  if (!name) return;
  if (!has_iqn_prefix(*name)) findings.invalid(at.child("initiatorname"), *name, prefix_text);
  else if (!is_iqn(*name)) findings.invalid(at.child("initiatorname"), *name, "must be valid format");
}

template <typename S>
void check_gluster(const S& source, const Path& at, Findings& findings) {
  require(source.endpoints, at.child("endpoints"), findings);
  require(source.path, at.child("path"), findings);
}

template <typename S>
void check_rbd(const S& source, const Path& at, Findings& findings) {
  if (source.monitors.empty()) findings.required(at.child("monitors"));
  require(source.image, at.child("image"), findings);
}

template <typename S>
void check_flex(const S& source, const Path& at, Findings& findings) {
  require(source.driver, at.child("driver"), findings);
  for (const auto& [key, value] : source.options) {
    const std::string domain = str_cat(".", lower(key.view().substr(0, key.view().find('/'))));
    if (domain.ends_with(".kubernetes.io") || domain.ends_with(".k8s.io"))
      findings.invalid(at.child_key("options", key), key, "kubernetes.io and k8s.io namespaces are reserved");
  }
}

template <typename S>
void check_scale_io(const S& source, const Path& at, Findings& findings) {
  require(source.gateway, at.child("gateway"), findings);
  require(source.system, at.child("system"), findings);
  require(source.volume_name, at.child("volumeName"), findings);
}

template <typename S>
void check_storageos(const S& source, const Path& at, Findings& findings) {
  if (source.volume_name.empty()) findings.required(at.child("volumeName"));
  else check_label(source.volume_name, at.child("volumeName"), findings);
  if (!source.volume_namespace.empty()) check_label(source.volume_namespace, at.child("volumeNamespace"), findings);
  if (source.secret_ref && source.secret_ref->name.empty()) findings.required(at.child("secretRef.name"));
}

void check_secret_reference(const Ref<corev1::SecretReference>& ref, const Path& at, Findings& findings) {
  if (!ref) return;
  if (ref->name.empty()) findings.required(at.child("name"));
  else check_subdomain(ref->name, at.child("name"), findings);
  if (ref->namespace_.empty()) findings.required(at.child("namespace"));
  else check_label(ref->namespace_, at.child("namespace"), findings);
}

bool is_host_port(std::string_view text) {
  const size_t colon = text.rfind(':');
  return colon != std::string_view::npos && (text.find(':') == colon || text.starts_with('['));
}

}  // namespace

void check_source(const corev1::HostPathVolumeSource& source, const Path& at, Findings& findings) {
  if (source.path.empty()) return findings.required(at.child("path"));
  check_no_backsteps(source.path, at.child("path"), findings);
  const auto kTypes = {std::string_view(""), std::string_view("BlockDevice"), std::string_view("CharDevice"),
                       std::string_view("Directory"), std::string_view("DirectoryOrCreate"), std::string_view("File"),
                       std::string_view("FileOrCreate"), std::string_view("Socket")};
  if (source.type && !is_one_of(*source.type, kTypes)) findings.not_supported(at.child("type"), *source.type, kTypes);
}

void check_source(const corev1::GCEPersistentDiskVolumeSource& source, const Path& at, Findings& findings) {
  check_disk(source, source.pd_name, "pdName", at, findings);
}

void check_source(const corev1::AWSElasticBlockStoreVolumeSource& source, const Path& at, Findings& findings) {
  check_disk(source, source.volume_id, "volumeID", at, findings);
}

void check_source(const corev1::NFSVolumeSource& source, const Path& at, Findings& findings) {
  require(source.server, at.child("server"), findings);
  require(source.path, at.child("path"), findings);
  if (!source.path.view().starts_with('/')) findings.invalid(at.child("path"), source.path, "must be an absolute path");
}

void check_source(const corev1::ISCSIVolumeSource& source, const Path& at, Findings& findings) {
  constexpr std::string_view kPrefix = "must be valid format starting with iqn, eui, or naa";
  check_iscsi(source, kPrefix, at, findings);
  check_initiator(source.initiator_name, kPrefix, at, findings);
}

void check_source(const corev1::ISCSIPersistentVolumeSource& source, const Path& at, Findings& findings) {
  constexpr std::string_view kPrefix = "must be valid format";
  check_iscsi(source, kPrefix, at, findings);
  if (source.secret_ref && source.secret_ref->name.empty()) findings.required(at.child("secretRef.name"));
  check_initiator(source.initiator_name, kPrefix, at, findings);
}

void check_source(const corev1::GlusterfsVolumeSource& source, const Path& at, Findings& findings) {
  check_gluster(source, at, findings);
}

void check_source(const corev1::GlusterfsPersistentVolumeSource& source, const Path& at, Findings& findings) {
  check_gluster(source, at, findings);
  if (!source.endpoints_namespace) return;
  const Path here = at.child("endpointsNamespace");
  if (source.endpoints_namespace->empty())
    findings.invalid(here, "", "if the endpointnamespace is set, it must be a valid namespace name");
  else
    check_label(*source.endpoints_namespace, here, findings);
}

void check_source(const corev1::FlockerVolumeSource& source, const Path& at, Findings& findings) {
  if (source.dataset_name.empty() && source.dataset_uuid.empty())
    findings.required(at, "one of datasetName and datasetUUID is required");
  if (!source.dataset_name.empty() && !source.dataset_uuid.empty())
    findings.invalid(at, "resource", "datasetName and datasetUUID can not be specified simultaneously");
  if (contains(source.dataset_name, "/")) findings.invalid(at.child("datasetName"), source.dataset_name, "must not contain '/'");
}

void check_source(const corev1::RBDVolumeSource& source, const Path& at, Findings& findings) { check_rbd(source, at, findings); }
void check_source(const corev1::RBDPersistentVolumeSource& source, const Path& at, Findings& findings) {
  check_rbd(source, at, findings);
}

void check_source(const corev1::CinderVolumeSource& source, const Path& at, Findings& findings) {
  require(source.volume_id, at.child("volumeID"), findings);
  if (source.secret_ref && source.secret_ref->name.empty()) findings.required(at.child("secretRef.name"));
}

void check_source(const corev1::CinderPersistentVolumeSource& source, const Path& at, Findings& findings) {
  require(source.volume_id, at.child("volumeID"), findings);
  if (!source.secret_ref) return;
  require(source.secret_ref->name, at.child("secretRef.name"), findings);
  require(source.secret_ref->namespace_, at.child("secretRef.namespace"), findings);
}

void check_source(const corev1::CephFSVolumeSource& source, const Path& at, Findings& findings) {
  if (source.monitors.empty()) findings.required(at.child("monitors"));
}

void check_source(const corev1::CephFSPersistentVolumeSource& source, const Path& at, Findings& findings) {
  if (source.monitors.empty()) findings.required(at.child("monitors"));
}

void check_source(const corev1::QuobyteVolumeSource& source, const Path& at, Findings& findings) {
  constexpr std::string_view kPairs = "must be a host:port pair or multiple pairs separated by commas";
  constexpr size_t kTenantMax = 64;
  if (source.registry.empty()) {
    findings.required(at.child("registry"), kPairs);
  } else if (source.tenant.size() > kTenantMax) {
    findings.required(at.child("tenant"), "must be a UUID and may not exceed a length of 64 characters");
  } else {
    for (const std::string_view pair : split(source.registry, ','))
      if (!is_host_port(pair)) findings.invalid(at.child("registry"), source.registry, kPairs);
  }
  require(source.volume, at.child("volume"), findings);
}

void check_source(const corev1::FCVolumeSource& source, const Path& at, Findings& findings) {
  if (source.target_wwns.empty() && source.wwids.empty())
    findings.required(at.child("targetWWNs"), "must specify either targetWWNs or wwids, but not both");
  if (!source.target_wwns.empty() && !source.wwids.empty())
    findings.invalid(at.child("targetWWNs"), Shown::list(source.target_wwns), "targetWWNs and wwids can not be specified simultaneously");
  if (source.target_wwns.empty()) return;
  if (!source.lun) findings.required(at.child("lun"), "lun is required if targetWWNs is specified");
  else if (*source.lun < 0 || *source.lun > 255) findings.invalid(at.child("lun"), *source.lun, between(0, 255));
}

void check_source(const corev1::FlexVolumeSource& source, const Path& at, Findings& findings) { check_flex(source, at, findings); }
void check_source(const corev1::FlexPersistentVolumeSource& source, const Path& at, Findings& findings) {
  check_flex(source, at, findings);
}

void check_source(const corev1::AzureFileVolumeSource& source, const Path& at, Findings& findings) {
  require(source.secret_name, at.child("secretName"), findings);
  require(source.share_name, at.child("shareName"), findings);
}

void check_source(const corev1::AzureFilePersistentVolumeSource& source, const Path& at, Findings& findings) {
  require(source.secret_name, at.child("secretName"), findings);
  require(source.share_name, at.child("shareName"), findings);
  if (source.secret_namespace) require(*source.secret_namespace, at.child("secretNamespace"), findings);
}

void check_source(const corev1::VsphereVirtualDiskVolumeSource& source, const Path& at, Findings& findings) {
  require(source.volume_path, at.child("volumePath"), findings);
}

void check_source(const corev1::PhotonPersistentDiskVolumeSource& source, const Path& at, Findings& findings) {
  require(source.pd_id, at.child("pdID"), findings);
}

void check_source(const corev1::PortworxVolumeSource& source, const Path& at, Findings& findings) {
  require(source.volume_id, at.child("volumeID"), findings);
}

void check_source(const corev1::AzureDiskVolumeSource& source, const Path& at, Findings& findings) {
  require(source.disk_name, at.child("diskName"), findings);
  require(source.disk_uri, at.child("diskURI"), findings);
  if (source.caching_mode && !is_one_of(*source.caching_mode, {"None", "ReadOnly", "ReadWrite"}))
    findings.not_supported(at.child("cachingMode"), *source.caching_mode, {"None", "ReadOnly", "ReadWrite"});
  if (!source.kind) return;
  if (!is_one_of(*source.kind, {"Dedicated", "Managed", "Shared"}))
    findings.not_supported(at.child("kind"), *source.kind, {"Dedicated", "Managed", "Shared"});
  const bool managed = *source.kind == "Managed";
  if (managed && !source.disk_uri.view().starts_with("/subscriptions/"))
    findings.not_supported(at.child("diskURI"), source.disk_uri,
                           {"/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}"});
  if (!managed && !source.disk_uri.view().starts_with("https://"))
    findings.not_supported(at.child("diskURI"), source.disk_uri,
                           {"https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd"});
}

void check_source(const corev1::ScaleIOVolumeSource& source, const Path& at, Findings& findings) {
  check_scale_io(source, at, findings);
}
void check_source(const corev1::ScaleIOPersistentVolumeSource& source, const Path& at, Findings& findings) {
  check_scale_io(source, at, findings);
}

void check_source(const corev1::LocalVolumeSource& source, const Path& at, Findings& findings) {
  if (source.path.empty()) return findings.required(at.child("path"));
  check_no_backsteps(source.path, at.child("path"), findings);
}

void check_source(const corev1::StorageOSVolumeSource& source, const Path& at, Findings& findings) {
  check_storageos(source, at, findings);
}
void check_source(const corev1::StorageOSPersistentVolumeSource& source, const Path& at, Findings& findings) {
  check_storageos(source, at, findings);
  if (source.secret_ref && source.secret_ref->namespace_.empty()) findings.required(at.child("secretRef.namespace"));
}

void check_source(const corev1::CSIVolumeSource& source, const Path& at, Findings& findings) {
  check_csi_driver_name(source.driver, at.child("driver"), findings);
  if (!source.node_publish_secret_ref) return;
  const Str& name = source.node_publish_secret_ref->name;
  if (name.empty()) findings.required(at.child("nodePublishSecretRef.name"));
  else check_subdomain(name, at.child("name"), findings);
}

void check_source(const corev1::CSIPersistentVolumeSource& source, const Path& at, Findings& findings) {
  check_csi_driver_name(source.driver, at.child("driver"), findings);
  require(source.volume_handle, at.child("volumeHandle"), findings);
  check_secret_reference(source.controller_publish_secret_ref, at.child("controllerPublishSecretRef"), findings);
  check_secret_reference(source.controller_expand_secret_ref, at.child("controllerExpandSecretRef"), findings);
  check_secret_reference(source.node_publish_secret_ref, at.child("nodePublishSecretRef"), findings);
  check_secret_reference(source.node_expand_secret_ref, at.child("nodeExpandSecretRef"), findings);
}

void check_csi_driver_name(const Str& name, const Path& at, Findings& findings) {
  constexpr size_t kNameMax = 63;
  if (name.empty()) findings.required(at);
  if (name.size() > kNameMax) findings.too_long(at, kNameMax);
  if (const Messages wrong = api::check_dns1123_subdomain(lower(name)); !wrong.empty()) findings.invalid(at, name, wrong);
}

}  // namespace orrery::server
