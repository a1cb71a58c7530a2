#include "engine/server/auth/object_references.h"

namespace orrery::server {
namespace {

// Adds the name behind an optional reference, whatever its type.
template <typename Reference>
void add_name(std::vector<Str>& out, const Ref<Reference>& reference) {
  if (reference && !reference->name.empty()) out.push_back(reference->name);
}

template <typename Container>
void add_env_secrets(std::vector<Str>& out, const List<Container>& containers) {
  for (const Container& container : containers) {
    for (const corev1::EnvFromSource& source : container.env_from) add_name(out, source.secret_ref);
    for (const corev1::EnvVar& env : container.env)
      if (env.value_from) add_name(out, env.value_from->secret_key_ref);
  }
}

template <typename Container>
void add_env_config_maps(std::vector<Str>& out, const List<Container>& containers) {
  for (const Container& container : containers) {
    for (const corev1::EnvFromSource& source : container.env_from)
      add_name(out, source.config_map_ref);
    for (const corev1::EnvVar& env : container.env)
      if (env.value_from) add_name(out, env.value_from->config_map_key_ref);
  }
}

void add_volume_secrets(std::vector<Str>& out, const corev1::Volume& volume) {
  if (volume.azure_file && !volume.azure_file->secret_name.empty())
    out.push_back(volume.azure_file->secret_name);
  if (volume.secret && !volume.secret->secret_name.empty())
    out.push_back(volume.secret->secret_name);
  if (volume.cephfs) add_name(out, volume.cephfs->secret_ref);
  if (volume.cinder) add_name(out, volume.cinder->secret_ref);
  if (volume.flex_volume) add_name(out, volume.flex_volume->secret_ref);
  if (volume.rbd) add_name(out, volume.rbd->secret_ref);
  if (volume.scale_io) add_name(out, volume.scale_io->secret_ref);
  if (volume.iscsi) add_name(out, volume.iscsi->secret_ref);
  if (volume.storageos) add_name(out, volume.storageos->secret_ref);
  if (volume.csi) add_name(out, volume.csi->node_publish_secret_ref);
  if (volume.projected)
    for (const corev1::VolumeProjection& source : volume.projected->sources)
      add_name(out, source.secret);
}

// Adds the secret behind a reference that may name its namespace.
template <typename Reference>
void add_secret(std::vector<SecretName>& out, const Ref<Reference>& reference,
                const Str& default_ns) {
  if (!reference || reference->name.empty()) return;
  out.push_back(
      {reference->namespace_.empty() ? default_ns : reference->namespace_, reference->name});
}

}  // namespace

std::vector<Str> pod_secrets(const corev1::Pod& pod) {
  std::vector<Str> out;
  for (const corev1::LocalObjectReference& reference : pod.spec->image_pull_secrets)
    if (!reference.name.empty()) out.push_back(reference.name);
  add_env_secrets(out, pod.spec->init_containers);
  add_env_secrets(out, pod.spec->containers);
  add_env_secrets(out, pod.spec->ephemeral_containers);
  for (const corev1::Volume& volume : pod.spec->volumes) add_volume_secrets(out, volume);
  return out;
}

std::vector<Str> pod_config_maps(const corev1::Pod& pod) {
  std::vector<Str> out;
  add_env_config_maps(out, pod.spec->init_containers);
  add_env_config_maps(out, pod.spec->containers);
  add_env_config_maps(out, pod.spec->ephemeral_containers);
  for (const corev1::Volume& volume : pod.spec->volumes) {
    add_name(out, volume.config_map);
    if (volume.projected)
      for (const corev1::VolumeProjection& source : volume.projected->sources)
        add_name(out, source.config_map);
  }
  return out;
}

std::vector<Str> pod_claims(const corev1::Pod& pod) {
  std::vector<Str> out;
  for (const corev1::Volume& volume : pod.spec->volumes) {
    if (volume.persistent_volume_claim) {
      out.push_back(volume.persistent_volume_claim->claim_name);
    } else if (volume.ephemeral) {
      out.push_back(str_cat(pod.metadata->name, "-", volume.name));
    }
  }
  return out;
}

std::vector<Str> pod_resource_claims(const corev1::Pod& pod) {
  std::vector<Str> out;
  for (const corev1::PodResourceClaim& claim : pod.spec->resource_claims)
    if (claim.resource_claim_name) out.push_back(*claim.resource_claim_name);
  for (const corev1::PodResourceClaimStatus& claim : pod.status->resource_claim_statuses)
    if (claim.resource_claim_name) out.push_back(*claim.resource_claim_name);
  return out;
}

std::vector<SecretName> volume_secrets(const corev1::PersistentVolume& volume) {
  std::vector<SecretName> out;
  const corev1::PersistentVolumeSpec& spec = *volume.spec;
  const Str ns = spec.claim_ref ? spec.claim_ref->namespace_ : Str();
  if (spec.azure_file && !spec.azure_file->secret_name.empty()) {
    const Opt<Str>& own = spec.azure_file->secret_namespace;
    out.push_back({own && !own->empty() ? *own : ns, spec.azure_file->secret_name});
  }
  if (spec.cephfs) add_secret(out, spec.cephfs->secret_ref, ns);
  if (spec.cinder) add_secret(out, spec.cinder->secret_ref, ns);
  if (spec.flex_volume) add_secret(out, spec.flex_volume->secret_ref, ns);
  if (spec.rbd) add_secret(out, spec.rbd->secret_ref, ns);
  if (spec.scale_io) add_secret(out, spec.scale_io->secret_ref, ns);
  if (spec.iscsi) add_secret(out, spec.iscsi->secret_ref, ns);
  if (spec.storageos) add_secret(out, spec.storageos->secret_ref, ns);
  if (spec.csi) {
    add_secret(out, spec.csi->node_publish_secret_ref, ns);
    add_secret(out, spec.csi->node_stage_secret_ref, ns);
    add_secret(out, spec.csi->node_expand_secret_ref, ns);
  }
  return out;
}

}  // namespace orrery::server
