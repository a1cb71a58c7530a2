#include "engine/server/admission/service_account.h"

#include <algorithm>

#include "engine/api/gen/corev1.h"
#include "engine/api/names.h"
#include "engine/api/template_hash.h"
#include "engine/server/auth/object_references.h"
#include "engine/server/validation/text_rules.h"

namespace orrery::server {
namespace {

using Operation = AdmissionRequest::Operation;

constexpr std::string_view kMountPath = "/var/run/secrets/kubernetes.io/serviceaccount";
constexpr std::string_view kVolumePrefix = "kube-api-access-";
constexpr std::string_view kEnforceAnnotation = "kubernetes.io/enforce-mountable-secrets";
constexpr std::string_view kMirrorAnnotation = "kubernetes.io/config.mirror";
constexpr int64_t kTokenSeconds = 3607;  // an hour and what marks tokens that only warn
constexpr int32_t kVolumeMode = 0644;

const corev1::Pod& pod_of(const AdmissionRequest& request) {
  return request.object.get<corev1::Pod>();
}

Refusal refuse(const AdmissionRequest& request, std::string_view why) {
  const metav1::ObjectMeta& meta = request.object.meta();
  return forbidden("", "pods", request.name.empty() ? meta.name : request.name, why);
}

bool is_mirror(const corev1::Pod& pod) {
  return pod.metadata->annotations.contains(kMirrorAnnotation);
}

/// The account of a pod, or why it has none.
struct Found {
  Refusal refusal;
  api::Object object;
};
Found find_account(const AdmissionRequest& request, const ObjectReader& objects) {
  const Str& name = pod_of(request).spec->service_account_name;
  api::Object account = objects.find(*corev1::ServiceAccount::descriptor().kind, request.ns, name);
  if (account) return {{}, std::move(account)};
  const Messages unusable = check_path_segment(name);
  const std::string why = unusable.empty() ? str_cat("serviceaccount \"", name, "\" not found")
                                           : str_cat("invalid resource name ", api::quoted(name), ": [", api::join(unusable, " "), "]");
  return {refuse(request, str_cat("error looking up service account ", request.ns, "/", name, ": ", why)), {}};
}

bool automounts(const corev1::ServiceAccount& account, const corev1::Pod& pod) {
  if (pod.spec->automount_service_account_token) return *pod.spec->automount_service_account_token;
  return account.automount_service_account_token.value_or(true);
}

std::string random_suffix(RngStream& names) {
  constexpr uint64_t kLetters = 27;
  std::string numbers;
  for (int i = 0; i < 5; ++i) numbers += static_cast<char>(names.below(kLetters));
  return api::safe_encode(numbers);
}

corev1::Volume token_volume(const Str& name) {
  corev1::VolumeProjection token, ca, ns;
  token.service_account_token.mut().expiration_seconds = kTokenSeconds;
  token.service_account_token.mut().path = "token";
  corev1::KeyToPath certificate;
  certificate.key = certificate.path = "ca.crt";
  ca.config_map.mut().name = "kube-root-ca.crt";
  ca.config_map.mut().items = {certificate};
  corev1::DownwardAPIVolumeFile file;
  file.path = "namespace";
  file.field_ref.mut().api_version = "v1";
  file.field_ref.mut().field_path = "metadata.namespace";
  ns.downward_api.mut().items = {file};
  corev1::Volume volume;
  volume.name = name;
  volume.projected.mut().sources = {token, ca, ns};
  volume.projected.mut().default_mode = kVolumeMode;
  return volume;
}

// True if a container has been given the mount.
bool add_mounts(List<corev1::Container>& containers, const Str& volume) {
  bool added = false;
  for (size_t i = 0; i < containers.size(); ++i) {
    const auto& mounts = containers[i].volume_mounts;
    if (std::any_of(mounts.begin(), mounts.end(),
                    [](const auto& m) { return m.mount_path == kMountPath; }))
      continue;
    corev1::VolumeMount mount;
    mount.name = volume;
    mount.read_only = true;
    mount.mount_path = kMountPath;
    containers.mut(i).volume_mounts.push_back(mount);
    added = true;
  }
  return added;
}

void mount_token(corev1::PodSpec& spec, RngStream& names) {
  const auto there = std::find_if(
      spec.volumes.begin(), spec.volumes.end(),
      [](const corev1::Volume& volume) { return volume.name.view().starts_with(kVolumePrefix); });
  const bool exists = there != spec.volumes.end();
  const Str name = exists ? there->name : Str(str_cat(kVolumePrefix, random_suffix(names)));
  const bool init = add_mounts(spec.init_containers, name);
  const bool main = add_mounts(spec.containers, name);
  if (!exists && (init || main)) spec.volumes.push_back(token_volume(name));
}

bool enforces_secrets(const corev1::ServiceAccount& account) {
  const Str value = account.metadata->annotations.get(kEnforceAnnotation);
  constexpr std::string_view kTrue[] = {"1", "t", "T", "TRUE", "true", "True"};
  return std::find(std::begin(kTrue), std::end(kTrue), value.view()) != std::end(kTrue);
}

bool is_mountable(const corev1::ServiceAccount& account, const Str& secret) {
  return std::any_of(
      account.secrets.begin(), account.secrets.end(),
      [&](const corev1::ObjectReference& reference) { return reference.name == secret; });
}

std::string not_mountable(std::string_view where, const Str& secret,
                          const corev1::ServiceAccount& account) {
  return str_cat(where, "secret.secretName=\"", secret,
                 "\" is not allowed because service account ", account.metadata->name,
                 " does not reference that secret");
}

// Why a container's environment is not allowed; "" if it is.
template <typename Container>
std::string check_environment(std::string_view what, const List<Container>& containers,
                              const corev1::ServiceAccount& account) {
  for (const Container& container : containers) {
    for (const corev1::EnvVar& env : container.env) {
      if (!env.value_from || !env.value_from->secret_key_ref) continue;
      const Str& secret = env.value_from->secret_key_ref->name;
      if (!is_mountable(account, secret))
        return not_mountable(
            str_cat(what, " ", container.name, " with envVar ", env.name, " referencing "), secret,
            account);
    }
    for (const corev1::EnvFromSource& source : container.env_from)
      if (source.secret_ref && !is_mountable(account, source.secret_ref->name))
        return not_mountable(str_cat(what, " ", container.name, " with envFrom referencing "),
                             source.secret_ref->name, account);
  }
  return {};
}

std::string check_secrets(const corev1::Pod& pod, const corev1::ServiceAccount& account) {
  for (const corev1::Volume& volume : pod.spec->volumes)
    if (volume.secret && !is_mountable(account, volume.secret->secret_name))
      return not_mountable("volume with ", volume.secret->secret_name, account);
  std::string why = check_environment("init container", pod.spec->init_containers, account);
  if (why.empty()) why = check_environment("container", pod.spec->containers, account);
  if (!why.empty()) return why;
  const auto& own = account.image_pull_secrets;
  const auto& wanted = pod.spec->image_pull_secrets;
  for (size_t i = 0; i < wanted.size(); ++i)
    if (std::none_of(own.begin(), own.end(),
                     [&](const auto& reference) { return reference.name == wanted[i].name; }))
      return str_cat("imagePullSecrets[", i, "].name=\"", wanted[i].name,
                     "\" is not allowed because service account ", account.metadata->name,
                     " does not reference that imagePullSecret");
  return {};
}

Refusal check_mirror(const AdmissionRequest& request) {
  const corev1::Pod& pod = pod_of(request);
  if (!pod.spec->service_account_name.empty())
    return refuse(request, "a mirror pod may not reference service accounts");
  if (!pod_secrets(pod).empty()) return refuse(request, "a mirror pod may not reference secrets");
  for (const corev1::Volume& volume : pod.spec->volumes) {
    if (!volume.projected) continue;
    for (const corev1::VolumeProjection& source : volume.projected->sources)
      if (source.service_account_token)
        return refuse(request, "a mirror pod may not use ServiceAccountToken volume projections");
  }
  return {};
}

class ServiceAccount final : public AdmissionPlugin {
 public:
  std::string_view name() const override { return "ServiceAccount"; }

  Refusal mutate(AdmissionRequest& request, AdmissionContext& context) const override {
    if (!is_new_pod(request)) return {};
    if (is_mirror(pod_of(request))) return validate(request, context);
    if (pod_of(request).spec->service_account_name.empty())
      request.object.mut<corev1::Pod>().spec.mut().service_account_name = "default";
    const Found found = find_account(request, context.objects);
    if (!found.refusal.is_ok()) return found.refusal;
    const auto& account = found.object.get<corev1::ServiceAccount>();
    corev1::PodSpec& spec = request.object.mut<corev1::Pod>().spec.mut();
    spec.service_account = spec.service_account_name;
    if (automounts(account, pod_of(request))) mount_token(spec, context.names);
    if (spec.image_pull_secrets.empty() && !account.image_pull_secrets.empty())
      spec.image_pull_secrets = account.image_pull_secrets;
    return validate(request, context);
  }

  Refusal validate(const AdmissionRequest& request, AdmissionContext& context) const override {
    const bool ephemeral = is_ephemeral_update(request);
    if (!is_new_pod(request) && !ephemeral) return {};
    const corev1::Pod& pod = pod_of(request);
    if (!ephemeral && is_mirror(pod)) return check_mirror(request);
    if (pod.spec->service_account_name.empty())
      return refuse(request, str_cat("no service account specified for pod ", request.ns, "/",
                                     pod.metadata->name));
    const Found found = find_account(request, context.objects);
    if (!found.refusal.is_ok()) return found.refusal;
    const auto& account = found.object.get<corev1::ServiceAccount>();
    if (!enforces_secrets(account)) return {};
    const std::string why = ephemeral ? check_environment("ephemeral container",
                                                          pod.spec->ephemeral_containers, account)
                                      : check_secrets(pod, account);
    return why.empty() ? Refusal{} : refuse(request, why);
  }

 private:
  static bool is_new_pod(const AdmissionRequest& request) {
    return request.operation == Operation::kCreate && request.subresource.empty() &&
           request.object.is<corev1::Pod>();
  }
  static bool is_ephemeral_update(const AdmissionRequest& request) {
    return request.operation == Operation::kUpdate &&
           request.subresource == "ephemeralcontainers" && request.object.is<corev1::Pod>();
  }
};

}  // namespace

std::unique_ptr<AdmissionPlugin> service_account() { return std::make_unique<ServiceAccount>(); }

}  // namespace orrery::server
