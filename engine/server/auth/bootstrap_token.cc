#include "engine/server/auth/bootstrap_token.h"

#include <algorithm>
#include <set>

#include "engine/api/gen/corev1.h"

namespace orrery::server {
namespace {

constexpr size_t kIdSize = 6;
constexpr size_t kSecretSize = 16;
constexpr std::string_view kGroup = "system:bootstrappers";

bool is_token_text(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); });
}

// system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]
bool is_extra_group(std::string_view group) {
  if (!group.starts_with(kGroup) || group.size() < kGroup.size() + 2 || group[kGroup.size()] != ':')
    return false;
  const std::string_view rest = group.substr(kGroup.size() + 1);
  return rest.size() <= 256 && is_token_text(rest.substr(rest.size() - 1)) &&
         std::all_of(rest.begin(), rest.end(), [](char c) {
           return c == ':' || c == '-' || is_token_text({&c, 1});
         });
}

// Takes the same time wherever the texts differ.
bool same_secret(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned char difference = 0;
  for (size_t i = 0; i < a.size(); ++i) difference |= static_cast<unsigned char>(a[i] ^ b[i]);
  return difference == 0;
}

std::string value_of(const corev1::Secret& secret, std::string_view key) {
  const api::Bytes* bytes = secret.data.find(key);
  return bytes ? bytes->str() : std::string();
}

bool expired(const corev1::Secret& secret, Time now) {
  const std::string text = value_of(secret, "expiration");
  if (text.empty()) return false;
  const auto at = api::parse_time(text);
  return !at.is_ok() || at->time() <= now;
}

// nullopt if one of the extra groups is invalid.
std::optional<List<Str>> groups_of(const corev1::Secret& secret) {
  std::set<std::string> groups{std::string(kGroup)};
  const std::string extra = value_of(secret, "auth-extra-groups");
  for (size_t start = 0; start < extra.size();) {
    const size_t end = std::min(extra.find(',', start), extra.size());
    const std::string group = extra.substr(start, end - start);
    if (!is_extra_group(group)) return std::nullopt;
    groups.insert(group);
    start = end + 1;
  }
  List<Str> out;
  for (const std::string& group : groups) out.push_back(group);
  return out;
}

}  // namespace

std::optional<ApiUser> bootstrap_token_user(std::string_view token, const ObjectReader& objects,
                                            Time now) {
  if (token.size() != kIdSize + 1 + kSecretSize || token[kIdSize] != '.') return std::nullopt;
  const std::string_view id = token.substr(0, kIdSize), secret_text = token.substr(kIdSize + 1);
  if (!is_token_text(id) || !is_token_text(secret_text)) return std::nullopt;
  const api::Object object = objects.find(*corev1::Secret::descriptor().kind, "kube-system",
                                          str_cat("bootstrap-token-", id));
  const auto* secret = object ? object.as<corev1::Secret>() : nullptr;
  if (secret == nullptr || secret->metadata->deletion_timestamp) return std::nullopt;
  if (secret->type != "bootstrap.kubernetes.io/token") return std::nullopt;
  if (!same_secret(value_of(*secret, "token-secret"), secret_text)) return std::nullopt;
  if (value_of(*secret, "token-id") != id || expired(*secret, now)) return std::nullopt;
  if (value_of(*secret, "usage-bootstrap-authentication") != "true") return std::nullopt;
  auto groups = groups_of(*secret);
  if (!groups) return std::nullopt;
  ApiUser user;
  user.name = str_cat("system:bootstrap:", id);
  user.groups = std::move(*groups);
  return user;
}

}  // namespace orrery::server
