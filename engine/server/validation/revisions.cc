// Controller revisions. Source: Kubernetes v1.32 pkg/apis/apps/validation.
#include "engine/api/gen/appsv1.h"
#include "engine/api/json_value.h"
#include "engine/server/validation/metadata.h"
#include "engine/server/validation/registry.h"

namespace orrery::server {
namespace {

void check_revision(const appsv1::ControllerRevision& r, Findings& findings) {
  check_object_meta(*r.metadata, true, name_is_subdomain, findings);
  findings.non_negative(r.revision, Path("revision"));
}

void check_create(const appsv1::ControllerRevision& r, Findings& findings) {
  constexpr Path kData("data");
  check_revision(r, findings);
  if (r.data.empty()) return findings.required(kData, "data is mandatory");
  const auto json = api::Json::parse(r.data.text);
  if (!json.is_ok()) return findings.invalid(kData, "<value omitted>", str_cat("error parsing data: ", json.status().message()));
  if (json->is_null()) return findings.required(kData, "data is mandatory");
  if (!json->is_object()) findings.required(kData, "data must be a valid JSON object");
}

void check_update(const appsv1::ControllerRevision& r, const appsv1::ControllerRevision& old, Findings& findings) {
  check_object_meta_update(*r.metadata, *old.metadata, findings);
  check_revision(r, findings);
  check_immutable(r.data, old.data, Path("data"), Shown::raw(r.data.text.str()), findings);
}

constexpr CheckRow kRows[] = {check_row<appsv1::ControllerRevision, check_create, check_update>()};

}  // namespace

std::span<const CheckRow> revision_checks() { return kRows; }

}  // namespace orrery::server
