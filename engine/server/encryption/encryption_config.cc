#include "engine/server/encryption/encryption_config.h"

#include <algorithm>

#include "engine/api/base64.h"
#include "engine/api/fields.h"
#include "engine/api/names.h"
#include "engine/api/yaml.h"

namespace orrery::server {
namespace {

using api::Fields;
using api::Json;

struct Named {
  std::string_view field;
  ValueCipher::Algorithm algorithm;
};
constexpr Named kCiphers[] = {{"aesgcm", ValueCipher::Algorithm::kAesGcm},
                              {"aescbc", ValueCipher::Algorithm::kAesCbc},
                              {"secretbox", ValueCipher::Algorithm::kSecretbox}};

std::string sizes_of(ValueCipher::Algorithm algorithm) {
  return algorithm == ValueCipher::Algorithm::kSecretbox ? "[32]" : "[16 24 32]";
}

EncryptionKey read_key(const Json& json, const std::string& path, ValueCipher::Algorithm algorithm,
                       Fields& parent) {
  Fields f(json, path, parent.file());
  EncryptionKey key;
  key.name = f.text("name", "", "of the key; stands before every value that it has written");
  const std::string secret = f.text("secret", "", "16, 24 or 32 bytes in base64; 32 for secretbox");
  if (key.name.empty()) f.fail("name", "is a mandatory field for a key");
  if (key.name.find(':') != std::string::npos) f.fail("name", "must not contain ':'");
  if (secret.empty()) f.fail("secret", "is a mandatory field for a key");
  if (!api::base64_decode(secret, &key.secret)) f.fail("secret", "secrets must be base64 encoded");
  const size_t size = key.secret.size();
  const bool any_size = algorithm != ValueCipher::Algorithm::kSecretbox;
  if (size != 32 && !(any_size && (size == 16 || size == 24)))
    f.fail("secret", str_cat("secret is not of the expected length, got ", uint64_t{size},
                             ", expected one of ", sizes_of(algorithm)));
  parent.absorb(f.done());
  return key;
}

EncryptionProvider read_provider(const Json& json, const std::string& path, Fields& parent) {
  Fields f(json, path, parent.file());
  EncryptionProvider provider;
  int given = f.any("identity", "values as they are").is_null() ? 0 : 1;
  for (const Named& cipher : kCiphers) {
    const Json& member = f.any(cipher.field, "a cipher with its keys");
    if (member.is_null()) continue;
    ++given;
    provider.algorithm = cipher.algorithm;
    Fields c(member, f.path_of(cipher.field), f.file());
    c.each("keys", "the first one writes, all of them read",
           [&](const Json& item, const std::string& key_path) {
             provider.keys.push_back(read_key(item, key_path, cipher.algorithm, c));
           });
    if (provider.keys.empty()) c.fail("keys", "at least one key is required");
    f.absorb(c.done());
  }
  if (!f.any("kms", "not there").is_null()) {
    ++given;
    f.fail("kms", "orrery does not have this provider; available are identity, aesgcm, aescbc, secretbox");
  }
  if (given == 0)
    f.fail("", "provider does not contain any of the expected providers: identity, aesgcm, aescbc, secretbox");
  if (given > 1)
    f.fail("",
           "more than one provider specified in a single element, should split into different list "
           "elements");
  parent.absorb(f.done());
  return provider;
}

std::string group_of(const std::string& resource) {
  const size_t dot = resource.find('.');
  return dot == std::string::npos ? std::string() : resource.substr(dot + 1);
}

// What kube-apiserver refuses of one name in a list; "" for nothing.
std::string problem_of(const std::string& resource, const std::vector<std::string>& all) {
  if (resource == "*")
    return "use '*.' to encrypt all the resources from core API group or *.* to encrypt all "
           "resources";
  if (std::any_of(resource.begin(), resource.end(), [](char c) { return c >= 'A' && c <= 'Z'; }))
    return "resource name should not contain capital letters";
  const std::string group = group_of(resource);
  if (group == "extensions")
    return "'extensions' group has been removed and cannot be used for encryption";
  if (group == "events.k8s.io")
    return "'*.events.k8s.io' objects are stored using the 'events' API group in etcd. Use "
           "'events' "
           "instead in the config file";
  if (std::count(all.begin(), all.end(), resource) > 1)
    return "the same resource cannot be specified multiple times";
  const bool everything = std::count(all.begin(), all.end(), "*.*") > 0 && resource != "*.*";
  const bool group_too =
      !resource.starts_with("*.") && std::count(all.begin(), all.end(), "*." + group) > 0;
  if (everything || group_too)
    return "using overlapping resources such as 'secrets' and '*.' in the same resource list is "
           "not "
           "allowed as they will be masked";
  return "";
}

// An earlier rule for the whole group or for everything would always win.
std::string masked_by(const std::string& resource, const std::vector<EncryptionRule>& earlier) {
  const std::string group = "*." + group_of(resource);
  for (const EncryptionRule& rule : earlier)
    for (const std::string& other : rule.resources)
      if (other != resource && (other == "*.*" || other == group)) return other;
  return "";
}

EncryptionRule read_rule(const Json& json, const std::string& path, Fields& parent,
                         const std::vector<EncryptionRule>& earlier) {
  Fields f(json, path, parent.file());
  EncryptionRule rule;
  rule.resources = f.texts("resources", "resources or wildcards: secrets, *.apps, *.*");
  f.each("providers", "the first one writes, all of them read",
         [&](const Json& item, const std::string& item_path) {
           rule.providers.push_back(read_provider(item, item_path, f));
         });
  if (rule.resources.empty()) f.fail("resources", "at least one resource is required");
  if (rule.providers.empty()) f.fail("providers", "at least one provider is required");
  for (const std::string& resource : rule.resources) {
    if (const std::string why = problem_of(resource, rule.resources); !why.empty())
      f.fail("resources", str_cat("found ", api::quoted(resource), ": ", why));
    if (const std::string other = masked_by(resource, earlier); !other.empty())
      f.fail("resources", str_cat("resource ", api::quoted(resource), " is masked by earlier rule ",
                                  api::quoted(other)));
  }
  parent.absorb(f.done());
  return rule;
}

}  // namespace

Result<EncryptionConfig> parse_encryption_config(std::string_view text, const std::string& file) {
  ORRERY_ASSIGN(const Json json, api::parse_yaml_document(text, file));
  Fields root(json, "", file);
  EncryptionConfig config;
  if (root.text("apiVersion", "", "of this format", {"apiserver.config.k8s.io/v1"}).empty())
    root.fail("apiVersion", "is required: apiserver.config.k8s.io/v1");
  if (root.text("kind", "", "of this format", {"EncryptionConfiguration"}).empty())
    root.fail("kind", "is required: EncryptionConfiguration");
  root.each("resources", "what is written how", [&](const Json& item, const std::string& path) {
    config.rules.push_back(read_rule(item, path, root, config.rules));
  });
  if (config.rules.empty()) root.fail("resources", "at least one resource is required");
  ORRERY_TRY(root.done());
  return config;
}

}  // namespace orrery::server
