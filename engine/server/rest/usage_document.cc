#include "engine/server/rest/usage_document.h"

#include <algorithm>

#include "engine/server/print/usage_table.h"

namespace orrery::server {
namespace {

using api::Json;

Json typed(std::string_view kind, std::string_view api_version) {
  Json out = Json::object();
  out.set("kind", kind);
  out.set("apiVersion", api_version);
  return out;
}

Json list_of(std::vector<Json> items, std::string_view kind, std::string_view api_version) {
  Json out = typed(kind, api_version);
  out.set("metadata", Json::object());
  Json& all = out.set("items", Json::array());
  for (Json& item : items) all.push_back(std::move(item));
  return out;
}

Json partial(const Json& metrics, std::string_view api_version) {
  Json out = typed("PartialObjectMetadata", api_version);
  out.set("metadata", metrics["metadata"]);
  return out;
}

// Why the answer cannot be shown in that form; "" if it can.
std::string unfit(const UsageAnswer& answer, Transform as) {
  if (as == Transform::kPartialMetadata && !answer.one)
    return str_cat("you requested PartialObjectMetadata, but the requested object is a list (*metrics.", answer.kind, "List)");
  if (as == Transform::kPartialMetadataList && answer.one)
    return str_cat("you requested PartialObjectMetadataList, but the requested object is not a list (*metrics.", answer.kind, ")");
  return {};
}

}  // namespace

Result<Representation> negotiate_usage(std::string_view accept) {
  std::string others;
  for (size_t at = 0; at < accept.size();) {
    const size_t end = std::min(accept.find(',', at), accept.size());
    const std::string_view clause = accept.substr(at, end - at);
    if (bare_media_type(clause) != "application/vnd.kubernetes.protobuf") others += (others.empty() ? "" : ",") + std::string(clause);
    at = end + 1;
  }
  auto form = negotiate(others, Transforms::kAll);
  if (form.is_ok() && (accept.empty() || !others.empty())) return form;
  return Status(Code::kNotAcceptable, "only the following media types are accepted: application/json, application/yaml");
}

Result<Json> usage_document(const UsageAnswer& answer, const Representation& as, TableOptions options) {
  if (std::string why = unfit(answer, as.transform); !why.empty()) return Status(Code::kNotAcceptable, std::move(why));
  const std::string version = str_cat("meta.k8s.io/", as.transform_version);
  options.api_version = version;
  switch (as.transform) {
    case Transform::kTable: return Json::parse(usage_table(answer.found, options));
    case Transform::kPartialMetadata: return partial(answer.found[0], version);
    case Transform::kPartialMetadataList: {
      std::vector<Json> items;
      for (const Json& one : answer.found) items.push_back(partial(one, version));
      return list_of(std::move(items), "PartialObjectMetadataList", version);
    }
    default: break;
  }
  return answer.one ? answer.found[0] : list_of(answer.found, str_cat(answer.kind, "List"), "metrics.k8s.io/v1beta1");
}

}  // namespace orrery::server
