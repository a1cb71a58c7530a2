#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/runtime/replayed_sync.h"

namespace orrery::control {

/// What is left of a namespace's content after an attempt to delete all of it.
struct NamespaceContent {
  int64_t wait_seconds = 0;             // how long what is left may need; 0: nothing is left
  std::map<std::string, int64_t> left;  // by "plural.group"
  std::map<std::string, int64_t> finalizers;  // how many objects wait for each of them
  std::vector<std::string> failures;
};

/// Deletes what namespace `ns` holds of `kinds` (namespaced ones; others are ignored) and looks at
/// what remains. `deleted` is since when the namespace is being deleted.
/// Kubernetes v1.32 pkg/controller/namespace/deletion, deleteAllContent.
NamespaceContent delete_content(const Str& ns, const std::vector<const api::KindDesc*>& kinds,
                                Time deleted, Time now, WriteLog& log);

}  // namespace orrery::control
