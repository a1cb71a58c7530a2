// Config maps, secrets and service accounts. Source: Kubernetes v1.32 pkg/apis/core/validation/validation.go.
#include "engine/api/gen/corev1.h"
#include "engine/api/json_syntax.h"
#include "engine/api/semantic.h"
#include "engine/server/validation/metadata.h"
#include "engine/server/validation/registry.h"

namespace orrery::server {
namespace {

using corev1::ConfigMap;
using corev1::Secret;
using corev1::ServiceAccount;

constexpr Path kData("data");
constexpr Path kBinaryData("binaryData");
constexpr size_t kBytesMax = 1 << 20;
constexpr std::string_view kFrozen = "field is immutable when `immutable` is set";

void check_key(const Str& key, const Path& map, Findings& findings) {
  if (const Messages wrong = check_config_map_key(key); !wrong.empty()) findings.invalid(map.key(key), key, wrong);
}

void check_create(const ConfigMap& map, Findings& findings) {
  check_object_meta(*map.metadata, true, name_is_subdomain, findings);
  size_t bytes = 0;
  for (const auto& [key, value] : map.data) {
    check_key(key, kData, findings);
    if (map.binary_data.contains(key)) findings.invalid(kData.key(key), key, "duplicate of key present in binaryData");
    bytes += value.size();
  }
  for (const auto& [key, value] : map.binary_data) {
    check_key(key, kBinaryData, findings);
    bytes += value.size();
  }
  if (bytes > kBytesMax) findings.too_long(Path("[]"), kBytesMax);
}

void check_update(const ConfigMap& map, const ConfigMap& old, Findings& findings) {
  check_object_meta_update(*map.metadata, *old.metadata, findings);
  if (old.immutable.value_or(false)) {
    if (!map.immutable.value_or(false)) findings.forbidden(Path("immutable"), kFrozen);
    if (!(map.data == old.data)) findings.forbidden(kData, kFrozen);
    ConfigMap other_bytes = old;
    other_bytes.binary_data = map.binary_data;
    if (!api::equals_stored(other_bytes, old)) findings.forbidden(kBinaryData, kFrozen);
  }
  check_create(map, findings);
}

// What Go says about a text that is not a JSON object.
std::string json_object_error(std::string_view text) {
  if (std::string wrong = api::json_syntax_error(text); !wrong.empty()) return wrong;
  const size_t begin = text.find_first_not_of(" \t\r\n");
  const char first = text[begin];
  if (first == '{' || first == 'n') return {};
  const std::string_view kind = first == '"' ? "string" : first == '[' ? "array" : first == 't' || first == 'f' ? "bool" : "number";
  return str_cat("json: cannot unmarshal ", kind, " into Go value of type map[string]interface {}");
}

// A key of a secret that holds a JSON object.
void check_json(const Secret& secret, std::string_view key, Findings& findings) {
  const Path at = kData.key(key);
  const api::Bytes* text = secret.data.find(key);
  if (!text) return findings.required(at);
  constexpr std::string_view kHidden = "<secret contents redacted>";
  if (const std::string wrong = json_object_error(text->view()); !wrong.empty()) findings.invalid(at, kHidden, wrong);
}

void check_secret_type(const Secret& secret, Findings& findings) {
  constexpr Path kAnnotations("metadata.annotations");
  constexpr std::string_view kAccount = "kubernetes.io/service-account.name";
  const Str& type = secret.type;
  const auto has = [&](std::string_view key) { return secret.data.contains(key); };
  if (type == "kubernetes.io/service-account-token") {
    if (secret.metadata->annotations.get(kAccount).empty()) findings.required(kAnnotations.key(kAccount));
  } else if (type == "kubernetes.io/dockercfg") {
    check_json(secret, ".dockercfg", findings);
  } else if (type == "kubernetes.io/dockerconfigjson") {
    check_json(secret, ".dockerconfigjson", findings);
  } else if (type == "kubernetes.io/basic-auth") {
    if (has("username") || has("password")) return;
    findings.required(kData.key("username"));
    findings.required(kData.key("password"));
  } else if (type == "kubernetes.io/ssh-auth") {
    if (secret.data.get("ssh-privatekey").empty()) findings.required(kData.key("ssh-privatekey"));
  } else if (type == "kubernetes.io/tls") {
    if (!has("tls.crt")) findings.required(kData.key("tls.crt"));
    if (!has("tls.key")) findings.required(kData.key("tls.key"));
  }
}

void check_create(const Secret& secret, Findings& findings) {
  check_object_meta(*secret.metadata, true, name_is_subdomain, findings);
  size_t bytes = 0;
  for (const auto& [key, value] : secret.data) {
    check_key(key, kData, findings);
    bytes += value.size();
  }
  if (bytes > kBytesMax) findings.too_long(kData, kBytesMax);
  check_secret_type(secret, findings);
}

void check_update(const Secret& secret, const Secret& old, Findings& findings) {
  check_object_meta_update(*secret.metadata, *old.metadata, findings);
  check_immutable(secret.type, old.type, Path("type"), secret.type, findings);
  if (old.immutable.value_or(false)) {
    if (!secret.immutable.value_or(false)) findings.forbidden(Path("immutable"), kFrozen);
    Secret other_data = old;
    other_data.data = secret.data;
    if (!api::equals_stored(other_data, old)) findings.forbidden(kData, kFrozen);
  }
  check_create(secret, findings);
}

void check_create(const ServiceAccount& account, Findings& findings) {
  check_object_meta(*account.metadata, true, name_is_subdomain, findings);
}

void check_update(const ServiceAccount& account, const ServiceAccount& old, Findings& findings) {
  check_object_meta_update(*account.metadata, *old.metadata, findings);
  check_create(account, findings);
}

}  // namespace

std::span<const CheckRow> config_checks() {
  static const CheckRow kRows[] = {
      check_row<ConfigMap, check_create, check_update>(),
      check_row<Secret, check_create, check_update>(),
      check_row<ServiceAccount, check_create, check_update>(),
  };
  return kRows;
}

}  // namespace orrery::server
