#include "engine/server/validation/pod_volumes.h"

#include "engine/api/names.h"
#include "engine/server/validation/claims.h"
#include "engine/server/validation/volume_sources.h"

namespace orrery::server {
namespace {

constexpr std::string_view kModeText = "must be a number between 0 and 0777 (octal), both inclusive";

void check_mode(const Opt<int32_t>& mode, const Path& at, Findings& findings) {
  if (mode && (*mode > 0777 || *mode < 0)) findings.invalid(at, *mode, kModeText);
}

void check_item(const corev1::KeyToPath& item, const Path& at, Findings& findings) {
  if (item.key.empty()) findings.required(at.child("key"));
  if (item.path.empty()) findings.required(at.child("path"));
  check_local_path(item.path, at.child("path"), findings);
  check_mode(item.mode, at.child("mode"), findings);
}

void check_items(const List<corev1::KeyToPath>& items, const Path& at, Findings& findings) {
  for (size_t i = 0; i < items.size(); ++i) check_item(items[i], at.child("items", i), findings);
}

void check_source(const corev1::SecretVolumeSource& source, const Path& at, Findings& findings) {
  if (source.secret_name.empty()) findings.required(at.child("secretName"));
  check_mode(source.default_mode, at.child("defaultMode"), findings);
  check_items(source.items, at, findings);
}

void check_source(const corev1::ConfigMapVolumeSource& source, const Path& at, Findings& findings) {
  if (source.name.empty()) findings.required(at.child("name"));
  check_mode(source.default_mode, at.child("defaultMode"), findings);
  check_items(source.items, at, findings);
}

void check_source(const corev1::GitRepoVolumeSource& source, const Path& at, Findings& findings) {
  if (source.repository.empty()) findings.required(at.child("repository"));
  check_descending_path(source.directory, at.child("directory"), findings);
}

void check_source(const corev1::PersistentVolumeClaimVolumeSource& source, const Path& at, Findings& findings) {
  if (source.claim_name.empty()) findings.required(at.child("claimName"));
}

constexpr std::string_view kVolumeFields[] = {"metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace",
                                              "metadata.uid"};

void check_downward_file(const corev1::DownwardAPIVolumeFile& file, const Path& at, Findings& findings) {
  if (file.path.empty()) findings.required(at.child("path"));
  check_local_path(file.path, at.child("path"), findings);
  if (file.field_ref) {
    check_field_ref(*file.field_ref, kVolumeFields, at.child("fieldRef"), findings);
    if (file.resource_field_ref)
      findings.invalid(at, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously");
  } else if (file.resource_field_ref) {
    check_resource_field_ref(*file.resource_field_ref, true, at.child("resourceFieldRef"), findings);
  } else {
    findings.required(at, "one of fieldRef and resourceFieldRef is required");
  }
  check_mode(file.mode, at.child("mode"), findings);
}

void check_source(const corev1::DownwardAPIVolumeSource& source, const Path& at, Findings& findings) {
  check_mode(source.default_mode, at.child("defaultMode"), findings);
  for (const auto& file : source.items) check_downward_file(file, at, findings);
}

// The sources of one projected volume, which must not share paths.
class Projection {
 public:
  Projection(const Path& at, Findings& findings) : at_(at), findings_(findings) {}

  void check(const corev1::VolumeProjection& source, const Path& at) {
    size_t count = 0;
    if (source.secret) ++count, keys(*source.secret, at.child("secret"));
    if (source.config_map) ++count, keys(*source.config_map, at.child("configMap"));
    if (source.downward_api) {
      ++count;
      for (const auto& file : source.downward_api->items) {
        check_downward_file(file, at.child("downwardAPI"), findings_);
        use(file.path, file.path);
      }
    }
    if (source.service_account_token) ++count, token(*source.service_account_token, at.child("serviceAccountToken"));
    if (count > 1) findings_.forbidden(at, "may not specify more than 1 volume type per source");
  }

 private:
  template <typename S>
  void keys(const S& source, const Path& at) {
    if (source.name.empty()) findings_.required(at.child("name"));
    for (size_t i = 0; i < source.items.size(); ++i) {
      check_item(source.items[i], at.child("items", i), findings_);
      use(source.items[i].path, source.name);
    }
  }

  void token(const corev1::ServiceAccountTokenProjection& source, const Path& at) {
    const int64_t seconds = source.expiration_seconds.value_or(0);
    if (seconds < 600) findings_.invalid(at.child("expirationSeconds"), seconds, "may not specify a duration less than 10 minutes");
    if (seconds > int64_t{1} << 32)
      findings_.invalid(at.child("expirationSeconds"), seconds, "may not specify a duration larger than 2^32 seconds");
    if (source.path.empty()) findings_.required(at_.child("path"));
    else check_local_path(source.path, at_.child("path"), findings_);
  }

  void use(const Str& path, const Str& shown) {
    if (!path.empty() && !paths_.insert(path)) findings_.invalid(at_, shown, "conflicting duplicate paths");
  }

  const Path& at_;
  Findings& findings_;
  Seen paths_;
};

void check_source(const corev1::ProjectedVolumeSource& source, const Path& at, Findings& findings) {
  check_mode(source.default_mode, at.child("defaultMode"), findings);
  Projection projection(at, findings);
  for (size_t i = 0; i < source.sources.size(); ++i) projection.check(source.sources[i], at.child("sources", i));
}

void check_source(const corev1::EphemeralVolumeSource& source, const Path& at, Findings& findings) {
  if (!source.volume_claim_template) return findings.required(at.child("volumeClaimTemplate"));
  check_claim_template(*source.volume_claim_template, at.child("volumeClaimTemplate"), findings);
}

void check_pvc_name_of_ephemeral(const corev1::Volume& v, const metav1::ObjectMeta& meta, const Path& at, Findings& findings) {
  if (meta.name.empty() || v.name.empty()) return;
  const std::string claim = str_cat(meta.name, "-", v.name);
  for (const std::string& wrong : api::check_dns1123_subdomain(claim))
    findings.invalid(at.child("name"), v.name, str_cat("PVC name ", api::quoted(claim), ": ", wrong));
}

template <typename S>
void own_source(const Ref<S>& source, std::string_view name, std::string_view checked, OneSource& one, const Path& at,
                Findings& findings) {
  if (source && one.first(name)) check_source(*source, at.child(checked), findings);
}

void check_volume_source(const corev1::Volume& v, const metav1::ObjectMeta* meta, bool is_pod, const Path& at, Findings& findings) {
  OneSource one(at, findings);
  if (v.empty_dir) {
    one.count_unchecked();
    if (v.empty_dir->size_limit && v.empty_dir->size_limit->sign() < 0)
      findings.forbidden(at.child("emptyDir.sizeLimit"), "SizeLimit field must be a valid resource quantity");
  }
  one(v.host_path, "hostPath");
  own_source(v.git_repo, "gitRepo", "gitRepo", one, at, findings);
  one(v.gce_persistent_disk, "gcePersistentDisk", "persistentDisk");
  one(v.aws_elastic_block_store, "awsElasticBlockStore");
  own_source(v.secret, "secret", "secret", one, at, findings);
  one(v.nfs, "nfs");
  one(v.iscsi, "iscsi");
  if (v.iscsi && v.iscsi->initiator_name && v.name.size() + 1 + v.iscsi->target_portal.size() > 64)
    findings.invalid(at.child("name"), v.name,
                     "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.");
  one(v.glusterfs, "glusterfs");
  one(v.flocker, "flocker");
  own_source(v.persistent_volume_claim, "persistentVolumeClaim", "persistentVolumeClaim", one, at, findings);
  one(v.rbd, "rbd");
  one(v.cinder, "cinder");
  one(v.cephfs, "cephFS", "cephfs");
  one(v.quobyte, "quobyte");
  own_source(v.downward_api, "downwarAPI", "downwardAPI", one, at, findings);
  one(v.fc, "fc");
  one(v.flex_volume, "flexVolume");
  own_source(v.config_map, "configMap", "configMap", one, at, findings);
  one(v.azure_file, "azureFile");
  one(v.vsphere_volume, "vsphereVolume");
  one(v.photon_persistent_disk, "photonPersistentDisk");
  one(v.portworx_volume, "portworxVolume");
  one(v.azure_disk, "azureDisk");
  one(v.storageos, "storageos");
  own_source(v.projected, "projected", "projected", one, at, findings);
  one(v.scale_io, "scaleIO");
  one(v.csi, "csi");
  if (v.ephemeral && one.first("ephemeral")) {
    check_source(*v.ephemeral, at.child("ephemeral"), findings);
    if (meta) check_pvc_name_of_ephemeral(v, *meta, at, findings);
  }
  if (v.image && one.first("image")) {
    if (is_pod && v.image->reference.empty()) findings.required(at.child("image.reference"));
    findings.one_of(v.image->pull_policy, at.child("image.pullPolicy"), {"Always", "IfNotPresent", "Never"});
  }
  if (one.none()) findings.required(at, "must specify a volume type");
}

// The names of the claims that will be made for the pod's ephemeral volumes.
std::unordered_set<std::string> claims_to_be_made(const List<corev1::Volume>& volumes, const metav1::ObjectMeta* meta) {
  std::unordered_set<std::string> names;
  if (!meta || meta->name.empty()) return names;
  for (const auto& v : volumes)
    if (v.ephemeral) names.insert(str_cat(meta->name, "-", v.name));
  return names;
}

}  // namespace

const corev1::Volume* PodVolumes::find(std::string_view name) const {
  if (volumes_.size() <= kFew) {
    for (const auto* v : volumes_)
      if (v->name == name) return v;
    return nullptr;
  }
  if (index_.empty())
    for (const auto* v : volumes_) index_.emplace(v->name.view(), v);
  const auto it = index_.find(name);
  return it == index_.end() ? nullptr : it->second;
}

PodVolumes check_pod_volumes(const List<corev1::Volume>& volumes, const metav1::ObjectMeta* meta, bool is_pod, const Path& at,
                             Findings& findings) {
  PodVolumes sound;
  Seen names;
  const auto made = claims_to_be_made(volumes, meta);
  for (size_t i = 0; i < volumes.size(); ++i) {
    const auto& v = volumes[i];
    const Path here = at.index(i);
    const size_t before = findings.size();
    check_volume_source(v, meta, is_pod, here, findings);
    if (v.name.empty()) findings.required(here.child("name"));
    else check_label(v.name, here.child("name"), findings);
    if (names.has(v.name)) findings.duplicate(here.child("name"), v.name);
    if (findings.size() == before) {
      names.insert(v.name);
      sound.add(v);
    }
    if (v.persistent_volume_claim && !made.empty() && made.count(v.persistent_volume_claim->claim_name.str()) > 0)
      findings.invalid(here.child("persistentVolumeClaim.claimName"), v.persistent_volume_claim->claim_name,
                       "must not reference a PVC that gets created for an ephemeral volume");
  }
  return sound;
}

namespace {

constexpr std::string_view kSelectable[] = {
    "metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName",
    "spec.restartPolicy", "spec.serviceAccountName", "spec.schedulerName", "status.phase", "status.hostIP", "status.hostIPs",
    "status.podIP", "status.podIPs"};

bool in_span(std::span<const std::string_view> list, std::string_view value) {
  for (const std::string_view v : list)
    if (v == value) return true;
  return false;
}

// metadata.labels['x'] -> metadata.labels and x.
bool split_subscript(std::string_view path, std::string_view* base, std::string_view* subscript) {
  const size_t open = path.find("['");
  if (!path.ends_with("']") || open == std::string_view::npos || open == 0) return false;
  *base = path.substr(0, open);
  *subscript = path.substr(open + 2, path.size() - open - 4);
  return true;
}

void check_divisor(const corev1::ResourceFieldSelector& ref, const Path& at, Findings& findings) {
  if (ref.divisor.is_zero()) return;
  const std::string divisor = ref.divisor.to_string();
  const std::string_view name = ref.resource;
  const bool bytes = is_one_of(divisor, {"1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"});
  const char* what = nullptr;
  if (name.ends_with(".cpu")) {
    if (divisor != "1m" && divisor != "1")
      findings.invalid(at, ref.resource, "only divisor's values 1m and 1 are supported with the cpu resource");
  } else if (name.ends_with(".memory")) {
    what = "memory";
  } else if (name.ends_with(".ephemeral-storage")) {
    what = "local ephemeral storage";
  } else if (contains(name, ".hugepages-")) {
    what = "hugepages";
  }
  if (what && !bytes)
    findings.invalid(at, ref.resource,
                     str_cat("only divisor's values 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei are supported with the ",
                             what, " resource"));
}

}  // namespace

void check_field_ref(const corev1::ObjectFieldSelector& ref, std::span<const std::string_view> allowed, const Path& at, Findings& findings) {
  if (ref.api_version.empty()) return findings.required(at.child("apiVersion"));
  if (ref.field_path.empty()) return findings.required(at.child("fieldPath"));
  const auto unconvertible = [&](std::string_view why, std::string_view what) {
    findings.invalid(at.child("fieldPath"), ref.field_path, str_cat("error converting fieldPath: ", why, what));
  };
  if (ref.api_version != "v1") return unconvertible("unsupported pod version: ", ref.api_version);
  std::string_view base, subscript;
  if (split_subscript(ref.field_path, &base, &subscript)) {
    if (base == "metadata.annotations") check_qualified(lower(subscript), at, findings);
    else if (base == "metadata.labels") check_qualified(subscript, at, findings);
    else unconvertible("field label does not support subscript: ", ref.field_path);
    return;
  }
  const std::string_view path = ref.field_path == "spec.host" ? "spec.nodeName" : ref.field_path.view();
  if (!in_span(kSelectable, path)) return unconvertible("field label not supported: ", ref.field_path);
  if (!in_span(allowed, path)) findings.not_supported(at.child("fieldPath"), path, allowed);
}

void check_resource_field_ref(const corev1::ResourceFieldSelector& ref, bool in_volume, const Path& at, Findings& findings) {
  static constexpr std::string_view kAllowed[] = {"limits.cpu", "limits.ephemeral-storage", "limits.memory",
                                                  "requests.cpu", "requests.ephemeral-storage", "requests.memory"};
  if (in_volume && ref.container_name.empty())
    findings.required(at.child("containerName"));
  else if (ref.resource.empty())
    findings.required(at.child("resource"));
  else if (!in_span(kAllowed, ref.resource) && !ref.resource.view().starts_with("requests.hugepages-") &&
           !ref.resource.view().starts_with("limits.hugepages-"))
    findings.not_supported(at.child("resource"), ref.resource, kAllowed);
  check_divisor(ref, at.child("divisor"), findings);
}

}  // namespace orrery::server
