#include "engine/server/admission/pod_security_policy.h"

#include <algorithm>

#include "engine/api/names.h"
#include "engine/server/admission/pod_security_checks.h"

namespace orrery::server {
namespace {

constexpr std::string_view kLevels[] = {"privileged", "baseline", "restricted"};

bool read_level(std::string_view text, PodSecurityLevel* level) {
  const auto* found = std::find(std::begin(kLevels), std::end(kLevels), text);
  if (found == std::end(kLevels)) return false;
  *level = static_cast<PodSecurityLevel>(found - std::begin(kLevels));
  return true;
}

bool read_version(std::string_view text, int* minor) {
  if (text == "latest") {
    *minor = PodSecurityRule::kLatest;
    return true;
  }
  if (!text.starts_with("v1.")) return false;
  text.remove_prefix(3);
  constexpr size_t kDigitsMax = 6;
  if (text.empty() || text.size() > kDigitsMax || (text[0] == '0' && text.size() > 1)) return false;
  int number = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    number = number * 10 + (c - '0');
  }
  *minor = number;
  return true;
}

constexpr std::string_view kPrefix = "pod-security.kubernetes.io/";

PodSecurityRule read_rule(const Map<Str>& labels, std::string_view mode, PodSecurityRule rule, PodSecurityLevel unreadable,
                          FieldErrors& errors) {
  const std::string level_key = str_cat(kPrefix, mode), version_key = level_key + "-version";
  const auto field = [](std::string_view key) { return str_cat("metadata.labels[", key, "]"); };
  if (const Str* level = labels.find(level_key); level && !read_level(*level, &rule.level)) {
    rule.level = unreadable;
    errors.push_back(FieldError::invalid(field(level_key), api::quoted(*level), "must be one of privileged, baseline, restricted"));
  }
  if (const Str* version = labels.find(version_key); version && !read_version(*version, &rule.minor))
    errors.push_back(FieldError::invalid(field(version_key), api::quoted(*version), "must be \"latest\" or \"v1.x\""));
  return rule;
}

// Who only enforces warns of the same, unless the defaults warn of more.
void warn_of_what_is_enforced(const Map<Str>& labels, PodSecurityPolicy& policy) {
  const Str* enforced = labels.find(str_cat(kPrefix, "enforce"));
  PodSecurityLevel level = PodSecurityLevel::kPrivileged;
  if (!enforced || labels.contains(str_cat(kPrefix, "warn")) || !read_level(*enforced, &level) || level <= policy.warn.level) return;
  policy.warn.level = level;
  if (!labels.contains(str_cat(kPrefix, "warn-version"))) policy.warn.minor = policy.enforce.minor;
}

}  // namespace

std::string PodSecurityRule::to_string() const {
  const std::string_view name = kLevels[static_cast<size_t>(level)];
  return minor == kLatest ? str_cat(name, ":latest") : str_cat(name, ":v1.", minor);
}

PodSecurityPolicy pod_security_policy(const Map<Str>& labels, const PodSecurityPolicy& defaults) {
  PodSecurityPolicy policy;
  policy.enforce = read_rule(labels, "enforce", defaults.enforce, PodSecurityLevel::kRestricted, policy.errors);
  policy.audit = read_rule(labels, "audit", defaults.audit, PodSecurityLevel::kPrivileged, policy.errors);
  policy.warn = read_rule(labels, "warn", defaults.warn, PodSecurityLevel::kPrivileged, policy.errors);
  warn_of_what_is_enforced(labels, policy);
  return policy;
}

PodSecurityViolations pod_security_violations(const PodSecurityRule& rule, const metav1::ObjectMeta& meta,
                                              const corev1::PodSpec& spec) {
  PodSecurityViolations out;
  if (rule.level == PodSecurityLevel::kPrivileged) return out;
  const bool restricted = rule.level == PodSecurityLevel::kRestricted;
  check_baseline({meta, spec, rule.minor}, restricted, out);
  if (restricted) check_restricted({meta, spec, rule.minor}, out);
  return out;
}

std::string violation_details(const PodSecurityViolations& violations) {
  std::vector<std::string> texts;
  for (const auto& v : violations) texts.push_back(v.detail.empty() ? v.reason : str_cat(v.reason, " (", v.detail, ")"));
  return api::join(texts, ", ");
}

std::string violation_reasons(const PodSecurityViolations& violations) {
  std::vector<std::string> texts;
  for (const auto& v : violations) texts.push_back(v.reason);
  return api::join(texts, ", ");
}

}  // namespace orrery::server
