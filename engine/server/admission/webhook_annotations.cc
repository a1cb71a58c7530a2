#include "engine/server/admission/webhook_annotations.h"

#include <algorithm>

namespace orrery::server {
namespace {

constexpr std::string_view kMutation = "mutation.webhook.admission.k8s.io/";
constexpr std::string_view kValidating = "validating.webhook.admission.k8s.io/";

}  // namespace

WebhookAnnotator::WebhookAnnotator(AdmissionContext& context, const Hook& hook, int round, size_t index)
    : context_(context), hook_(hook), place_(str_cat("round_", round, "_index_", uint64_t{index})) {}

api::Json WebhookAnnotator::names() const {
  const std::string_view id = hook_.id;
  api::Json value = api::Json::object();
  value.set("configuration", id.substr(0, id.size() - hook_.name.size() - 1));
  value.set("webhook", hook_.name);
  return value;
}

void WebhookAnnotator::mutated(bool changed) {
  api::Json value = names();
  value.set("mutated", changed);
  context_.annotate(str_cat(kMutation, place_), value.dump());
}

// Upstream has the operations as maps, and what is in them as it came.
void WebhookAnnotator::patched(const api::Json& patch) {
  api::Json operations = patch;
  for (api::Json& operation : operations.items())
    std::sort(operation.members().begin(), operation.members().end(), [](const auto& a, const auto& b) { return a.key < b.key; });
  api::Json value = names();
  value.set("patch", std::move(operations));
  value.set("patchType", "JSONPatch");
  context_.annotate(str_cat(kPatchAnnotation, place_), value.dump());
}

void WebhookAnnotator::failed_open(bool mutating) {
  context_.annotate(str_cat("failed-open.", mutating ? kMutation : kValidating, place_), hook_.name);
}

}  // namespace orrery::server
