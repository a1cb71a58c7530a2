#include "engine/server/admission/resource_quota.h"

#include <charconv>

#include "engine/server/admission/quota_decision.h"
#include "engine/server/managed_fields/managed_fields.h"
#include "engine/server/server.h"

namespace orrery::server {
namespace {

int64_t revision_of(const api::Object& object) {
  const std::string_view text = object.meta().resource_version;
  int64_t revision = 0;
  std::from_chars(text.data(), text.data() + text.size(), revision);
  return revision;
}

// As a write of kube-apiserver to the quota's status.
api::Object charged(const api::Object& quota, const api::ResourceList& used, Time now) {
  api::Object fresh = quota;
  fresh.mut<corev1::ResourceQuota>().status.mut().used = used;
  managed::FieldWrite write;
  write.manager = "kube-apiserver";
  write.subresource = "status";
  write.now = now;
  write.convert = [](const api::Object& object, std::string_view version) -> Result<api::Object> {
    if (version == object.kind()->api_version) return object;
    return orrery::not_found("no such version");
  };
  managed::update_managed_fields(quota, fresh, write);
  fresh.mut_meta().resource_version = Str();
  return fresh;
}

class ResourceQuota final : public AdmissionPlugin {
 public:
  std::string_view name() const override { return "ResourceQuota"; }

  Refusal validate(const AdmissionRequest& request, AdmissionContext& context) const override {
    const bool new_namespace = request.object.is<corev1::Namespace>();
    if (context.charged || !request.subresource.empty() || request.ns.empty() || new_namespace || !request.object) return {};
    const api::KindDesc& kind = *corev1::ResourceQuota::descriptor().kind;
    const std::vector<api::Object> quotas = context.objects.list(kind, request.ns);
    const QuotaDecision decision = decide_quota(request, quotas, context.configured().limited_resources, context.now);
    if (!decision.refusal.is_ok()) return decision.refusal;
    for (const auto& [i, used] : decision.used) {
      StoreOp op;
      op.range.key = Server::store_key(kind, request.ns, quotas[i].meta().name);
      op.value.object = charged(quotas[i], used, context.now);
      context.compares.push_back(
          {op.range.key, StoreCompare::Target::kModRevision, StoreCompare::Op::kEqual, revision_of(quotas[i])});
      context.writes.push_back(std::move(op));
    }
    return {};
  }
};

}  // namespace

std::unique_ptr<AdmissionPlugin> resource_quota() { return std::make_unique<ResourceQuota>(); }

}  // namespace orrery::server
