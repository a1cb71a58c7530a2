#pragma once

#include <string>
#include <vector>

#include "engine/ports/api.h"

namespace orrery::server {

/// "deployments.apps", or "pods" for the core group: how messages name a resource.
std::string qualified_resource(const api::KindDesc& kind);

/// Failures with the texts that Kubernetes v1.32 gives them.
Status not_found_error(const api::KindDesc& kind, std::string_view name);
Status already_exists_error(const api::KindDesc& kind, std::string_view name);
Status conflict_error(const api::KindDesc& kind, std::string_view name, std::string_view why);
/// What is asked for is not served, or not with that method.
Status no_such_resource();
Status method_not_allowed();
/// A failure whose details name nothing.
ApiResponse with_empty_details(Status status);
/// Someone else has changed the object.
Status stale_error(const api::KindDesc& kind, std::string_view name);

/// Which precondition of a deletion does not hold for the object, "" if all do.
std::string unmet_precondition(const ApiDeleteOptions& options, const metav1::ObjectMeta& record);

/// One finding of validation. `detail` begins with its type: "Required value", "Invalid value: ...".
struct FieldError {
  std::string field;
  Str reason;  // FieldValueRequired, FieldValueInvalid, FieldValueForbidden, ...
  std::string detail;
  static FieldError required(std::string field, std::string_view detail = "");
  static FieldError invalid(std::string field, std::string_view value, std::string_view detail);
  static FieldError forbidden(std::string field, std::string_view detail);
  static FieldError not_supported(std::string field, std::string_view value, const std::vector<std::string>& allowed);
};
using FieldErrors = std::vector<FieldError>;

/// Invalid with one cause for each finding; no findings: OK.
ApiResponse invalid_response(const api::KindDesc& kind, std::string_view name, const FieldErrors& errors);
/// The same of an object, which may call itself another kind than that of the resource.
ApiResponse invalid_response(const api::KindDesc& kind, const api::Object& object, const FieldErrors& errors);

/// Internal error with its cause, as apimachinery's NewInternalError.
ApiResponse internal_response(std::string_view why);

}  // namespace orrery::server
