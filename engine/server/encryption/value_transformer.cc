#include "engine/server/encryption/value_transformer.h"

#include <algorithm>

#include "engine/api/names.h"
#include "engine/api/schema.h"

namespace orrery::server {
namespace {

constexpr std::string_view kRegistry = "/registry/";

std::string prefix_of(ValueCipher::Algorithm algorithm) {
  switch (algorithm) {
    case ValueCipher::Algorithm::kAesGcm: return "k8s:enc:aesgcm:v1:";
    case ValueCipher::Algorithm::kAesCbc: return "k8s:enc:aescbc:v1:";
    case ValueCipher::Algorithm::kSecretbox: return "k8s:enc:secretbox:v1:";
  }
  CHECK(false) << "cipher " << static_cast<int>(algorithm);
  return {};
}

// Of what definitions have made: /registry/GROUP/PLURAL/...; "" if the key is not of that form.
std::string custom_resource(std::string_view key) {
  if (!key.starts_with(kRegistry)) return "";
  key.remove_prefix(kRegistry.size());
  const size_t group_end = key.find('/');
  if (group_end == key.npos || key.substr(0, group_end).find('.') == key.npos) return "";
  const size_t plural_end = key.find('/', group_end + 1);
  if (plural_end == key.npos) return "";
  return str_cat(key.substr(group_end + 1, plural_end - group_end - 1), ".",
                 key.substr(0, group_end));
}

// The first key of a provider whose name stands before the value and that opens it.
Result<std::string> open_with(const EncryptionProvider& provider, const ValueCipher& cipher,
                              std::string_view sealed, std::string_view key) {
  std::vector<std::string> problems;
  for (const EncryptionKey& one : provider.keys) {
    const std::string prefix = one.name + ":";
    if (!sealed.starts_with(prefix)) continue;
    auto text = cipher.open(provider.algorithm, one.secret, sealed.substr(prefix.size()), key);
    if (text.is_ok()) return text;
    problems.push_back(text.status().message());
  }
  if (problems.empty())
    return bad_request(str_cat("no matching key was found for the provided ",
                               provider.algorithm == ValueCipher::Algorithm::kSecretbox ? "Secretbox" : "AES", " transformer"));
  return bad_request(api::aggregate(problems));
}

}  // namespace

ValueTransformer::ValueTransformer(EncryptionConfig config, const ValueCipher* cipher)
    : cipher_(cipher) {
  for (EncryptionRule& rule : config.rules)
    for (const std::string& resource : rule.resources) {
      Providers& all = by_resource_[resource];
      all.insert(all.end(), rule.providers.begin(), rule.providers.end());
    }
  for (const api::KindDesc* kind : api::all_kinds()) {
    if (kind->storage_prefix.empty()) continue;
    std::string name(kind->plural);
    if (!kind->group.empty()) name += str_cat(".", kind->group);
    resources_.emplace_back(kind->storage_prefix, std::move(name));
  }
  std::sort(resources_.begin(), resources_.end());
}

const ValueTransformer::Providers* ValueTransformer::find(std::string_view key) const {
  if (by_resource_.empty()) return nullptr;
  // No storage prefix begins with another one, so the last that is not greater is the only
  // candidate.
  auto next =
      std::upper_bound(resources_.begin(), resources_.end(), key,
                       [](std::string_view k, const auto& entry) { return k < entry.first; });
  const bool known = next != resources_.begin() && key.starts_with(std::prev(next)->first);
  const std::string resource = known ? std::prev(next)->second : custom_resource(key);
  if (resource.empty()) return nullptr;
  const size_t dot = resource.find('.');
  const std::string group = dot == std::string::npos ? "" : resource.substr(dot + 1);
  for (const std::string& name : {resource, "*." + group, std::string("*.*")})
    if (const auto found = by_resource_.find(name); found != by_resource_.end())
      return &found->second;
  return nullptr;
}

std::string ValueTransformer::to_storage(std::string_view key, std::string_view value) const {
  const Providers* providers = find(key);
  if (!providers || providers->front().is_identity()) return std::string(value);
  const EncryptionProvider& writer = providers->front();
  return str_cat(prefix_of(writer.algorithm), writer.keys[0].name, ":",
                 cipher_->seal(writer.algorithm, writer.keys[0].secret, value, key));
}

Result<std::string> ValueTransformer::from_storage(std::string_view key,
                                                   std::string_view stored) const {
  const Providers* providers = find(key);
  if (!providers) {
    if (is_sealed(stored)) return bad_request("identity transformer tried to read encrypted data");
    return std::string(stored);
  }
  std::vector<std::string> problems;
  for (const EncryptionProvider& provider : *providers) {
    if (provider.is_identity()) {
      if (!is_sealed(stored)) return std::string(stored);
      continue;
    }
    const std::string prefix = prefix_of(provider.algorithm);
    if (!stored.starts_with(prefix)) continue;
    auto text = open_with(provider, *cipher_, stored.substr(prefix.size()), key);
    if (text.is_ok()) return text;
    problems.push_back(text.status().message());
  }
  if (problems.empty()) return bad_request("no matching prefix found");
  return bad_request(api::aggregate(problems));
}

}  // namespace orrery::server
