#include "engine/control/namespace/namespace_content.h"

#include <algorithm>

#include "engine/api/gen/corev1.h"
#include "engine/api/pod_resources.h"
#include "engine/base/ascii.h"
#include "engine/runtime/api_requests.h"

namespace orrery::control {
namespace {

using Kinds = std::vector<const api::KindDesc*>;

constexpr int64_t kFinalizerSeconds = 15;

ApiRequest delete_collection_request(const api::KindDesc& kind, const Str& ns) {
  ApiRequest request = list_request(kind, ns);
  request.verb = ApiVerb::kDeleteCollection;
  request.delete_options.propagation_policy = "Background";
  return request;
}

/// The longest grace of the pods that run, until the namespace has waited that long.
int64_t grace_of_pods(const ApiResponse& pods, Duration waited) {
  int64_t grace = 0;
  for (const api::Object& object : pods.items) {
    const auto& pod = object.get<corev1::Pod>();
    if (!api::is_terminal(pod))
      grace = std::max(grace, pod.spec->termination_grace_period_seconds.value_or(0));
  }
  return waited >= Duration::seconds(grace) ? 0 : grace;
}

/// Objects of kinds without deletecollection, one by one.
Status delete_each(const std::vector<api::Object>& objects, const api::KindDesc& kind,
                   WriteLog& log) {
  Status failure;
  const auto answers = log.batch(objects.size(), [&](size_t i) {
    ApiDeleteOptions options;
    options.propagation_policy = "Background";
    const auto& meta = objects[i].meta();
    return delete_request(kind, meta.namespace_, meta.name, options);
  });
  for (const ApiResponse& answer : answers)
    if (!answer.status && answer.status.code() != Code::kNotFound) failure = answer.status;
  return failure;
}

/// What the deletion of each kind has failed with, by index.
std::vector<Status> delete_all(const Str& ns, const Kinds& kinds, WriteLog& log) {
  const auto answers = log.batch(kinds.size(), [&](size_t i) {
    const bool whole = contains_word(kinds[i]->verbs, "deletecollection");
    return whole ? delete_collection_request(*kinds[i], ns) : list_request(*kinds[i], ns);
  });
  std::vector<Status> failures(kinds.size());
  for (size_t i = 0; i < answers.size(); ++i) {
    failures[i] = answers[i].status;
    if (!failures[i] || contains_word(kinds[i]->verbs, "deletecollection")) continue;
    failures[i] = delete_each(answers[i].items, *kinds[i], log);
    if (log.pending()) break;
  }
  return failures;
}

void count(const ApiResponse& list, const api::KindDesc& kind, const Str& ns, int64_t grace,
           NamespaceContent& content) {
  content.left[str_cat(kind.plural, '.', kind.group)] = static_cast<int64_t>(list.items.size());
  bool held = false;
  for (const api::Object& object : list.items) {
    for (const Str& finalizer : object.meta().finalizers) {
      ++content.finalizers[finalizer.str()];
      held = true;
    }
  }
  if (grace > 0) {
    content.wait_seconds = std::max(content.wait_seconds, grace);
  } else if (held) {
    content.wait_seconds = std::max(content.wait_seconds, kFinalizerSeconds);
  } else {
    content.failures.push_back(str_cat("unexpected items still remain in namespace: ", ns,
                                       " for gvr: ", kind.group, '/', kind.version, ", Resource=",
                                       kind.plural));
  }
}

}  // namespace

NamespaceContent delete_content(const Str& ns, const Kinds& all, Time deleted, Time now,
                                WriteLog& log) {
  NamespaceContent content;
  Kinds kinds;
  std::copy_if(all.begin(), all.end(), std::back_inserter(kinds), [](const api::KindDesc* kind) {
    return kind->namespaced && contains_word(kind->verbs, "delete");
  });
  const api::KindDesc& pod = kind_of<corev1::Pod>();
  const ApiResponse& pods = log.call([&] { return list_request(pod, ns); });
  if (log.pending()) return content;
  const int64_t grace = grace_of_pods(pods, now - deleted);
  const std::vector<Status> failed = delete_all(ns, kinds, log);
  if (log.pending()) return content;
  const auto left = log.batch(kinds.size(), [&](size_t i) {
    return list_request(*kinds[i], ns);
  });
  for (size_t i = 0; i < left.size(); ++i) {
    const Status& status = failed[i] ? left[i].status : failed[i];
    if (!status) {
      content.failures.push_back(std::string(status.message()));
    } else if (!left[i].items.empty()) {
      count(left[i], *kinds[i], ns, kinds[i] == &pod ? grace : 0, content);
    }
  }
  return content;
}

}  // namespace orrery::control
