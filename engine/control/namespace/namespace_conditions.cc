#include "engine/control/namespace/namespace_conditions.h"

#include <algorithm>

namespace orrery::control {
namespace {

/// A condition as it is when nothing is wrong, and the reason for which it is true otherwise.
struct Row {
  std::string_view type, good_reason, good_message, bad_reason;
};
constexpr Row kDiscovery = {"NamespaceDeletionDiscoveryFailure", "ResourcesDiscovered",
                            "All resources successfully discovered", ""};
constexpr Row kParsing = {"NamespaceDeletionGroupVersionParsingFailure", "ParsedGroupVersions",
                          "All legacy kube types successfully parsed", ""};
constexpr Row kContent = {"NamespaceDeletionContentFailure", "ContentDeleted",
                          "All content successfully deleted, may be waiting on finalization",
                          "ContentDeletionFailed"};
constexpr Row kRemaining = {"NamespaceContentRemaining", "ContentRemoved",
                            "All content successfully removed", "SomeResourcesRemain"};
constexpr Row kFinalizers = {"NamespaceFinalizersRemaining", "ContentHasNoFinalizers",
                             "All content-preserving finalizers finished", "SomeFinalizersRemain"};

template <typename Range, typename Text>
std::string joined(const Range& range, Text text) {
  std::vector<std::string> parts;
  for (const auto& item : range) parts.push_back(text(item));
  std::sort(parts.begin(), parts.end());
  std::string out;
  for (const std::string& part : parts) out += str_cat(out.empty() ? "" : ", ", part);
  return out;
}

/// `bad`: what is wrong; "": nothing.
bool set_one(corev1::NamespaceStatus& status, const Row& row, const std::string& bad, Time now) {
  corev1::NamespaceCondition fresh;
  fresh.type = row.type;
  fresh.status = bad.empty() ? "False" : "True";
  fresh.reason = bad.empty() ? row.good_reason : row.bad_reason;
  fresh.message = bad.empty() ? row.good_message : std::string_view(bad);
  fresh.last_transition_time = api::Timestamp::whole_seconds(now);
  for (size_t i = 0; i < status.conditions.size(); ++i) {
    const auto& old = status.conditions[i];
    if (old.type != row.type) continue;
    if (old.status == fresh.status && old.reason == fresh.reason && old.message == fresh.message)
      return false;
    if (old.status == fresh.status) fresh.last_transition_time = old.last_transition_time;
    status.conditions.mut(i) = std::move(fresh);
    return true;
  }
  status.conditions.push_back(std::move(fresh));
  return true;
}

}  // namespace

bool set_conditions(corev1::NamespaceStatus& status, const NamespaceContent& content, Time now) {
  std::string failed, left, held;
  if (!content.failures.empty())
    failed = str_cat("Failed to delete all resource types, ", content.failures.size(),
                     " remaining: ", joined(content.failures, [](const auto& text) { return text; }));
  if (!content.left.empty())
    left = "Some resources are remaining: " + joined(content.left, [](const auto& one) {
      return str_cat(one.first, " has ", one.second, " resource instances");
    });
  if (!content.finalizers.empty())
    held = "Some content in the namespace has finalizers remaining: " +
           joined(content.finalizers, [](const auto& one) {
             return str_cat(one.first, " in ", one.second, " resource instances");
           });
  bool changed = set_one(status, kDiscovery, "", now);
  changed |= set_one(status, kParsing, "", now);
  changed |= set_one(status, kContent, failed, now);
  changed |= set_one(status, kRemaining, left, now);
  changed |= set_one(status, kFinalizers, held, now);
  return changed;
}

}  // namespace orrery::control
