#include "engine/server/errors.h"

#include <utility>

#include <algorithm>

#include "engine/api/names.h"

namespace orrery::server {

std::string qualified_resource(const api::KindDesc& kind) {
  return kind.group.empty() ? std::string(kind.plural) : str_cat(kind.plural, ".", kind.group);
}

Status not_found_error(const api::KindDesc& kind, std::string_view name) {
  return not_found(str_cat(qualified_resource(kind), " \"", name, "\" not found"));
}

Status already_exists_error(const api::KindDesc& kind, std::string_view name) {
  return Status(Code::kAlreadyExists, str_cat(qualified_resource(kind), " \"", name, "\" already exists"));
}

Status conflict_error(const api::KindDesc& kind, std::string_view name, std::string_view why) {
  return Status(Code::kConflict,
                str_cat("Operation cannot be fulfilled on ", qualified_resource(kind), " \"", name, "\": ", why));
}

Status no_such_resource() { return orrery::not_found("the server could not find the requested resource"); }

Status method_not_allowed() {
  return Status(Code::kMethodNotAllowed, "the server does not allow this method on the requested resource");
}

ApiResponse with_empty_details(Status status) {
  ApiResponse response;
  response.status = std::move(status);
  response.details.mut();
  return response;
}

Status stale_error(const api::KindDesc& kind, std::string_view name) {
  return conflict_error(kind, name,
                        "the object has been modified; please apply your changes to the latest version and try again");
}

std::string unmet_precondition(const ApiDeleteOptions& options, const metav1::ObjectMeta& record) {
  if (options.uid && *options.uid != record.uid)
    return str_cat("the UID in the precondition (", *options.uid, ") does not match the UID in record (", record.uid,
                   "). The object might have been deleted and then recreated");
  if (options.resource_version && *options.resource_version != record.resource_version)
    return str_cat("the ResourceVersion in the precondition (", *options.resource_version,
                   ") does not match the ResourceVersion in record (", record.resource_version,
                   "). The object might have been modified");
  return {};
}

ApiResponse internal_response(std::string_view why) {
  ApiResponse response;
  response.status = internal_error(str_cat("Internal error occurred: ", why));
  response.causes.push_back({"", Str(why), ""});
  return response;
}

FieldError FieldError::required(std::string field, std::string_view detail) {
  return {std::move(field), "FieldValueRequired",
          detail.empty() ? "Required value" : str_cat("Required value: ", detail)};
}

FieldError FieldError::invalid(std::string field, std::string_view value, std::string_view detail) {
  return {std::move(field), "FieldValueInvalid", str_cat("Invalid value: ", value, ": ", detail)};
}

FieldError FieldError::forbidden(std::string field, std::string_view detail) {
  return {std::move(field), "FieldValueForbidden", str_cat("Forbidden: ", detail)};
}

FieldError FieldError::not_supported(std::string field, std::string_view value,
                                     const std::vector<std::string>& allowed) {
  std::vector<std::string> names;
  for (const std::string& a : allowed) names.push_back(api::quoted(a));
  std::sort(names.begin(), names.end());
  return {std::move(field), "FieldValueNotSupported",
          str_cat("Unsupported value: ", api::quoted(value), ": supported values: ", api::join(names, ", "))};
}

ApiResponse invalid_response(const api::KindDesc& kind, const api::Object& object, const FieldErrors& errors) {
  const Str& named = static_cast<const metav1::TypeMeta*>(object.data())->kind;
  api::KindDesc shown = kind;
  if (!named.empty()) shown.kind = named;
  return invalid_response(shown, object.meta().name, errors);
}

ApiResponse invalid_response(const api::KindDesc& kind, std::string_view name, const FieldErrors& errors) {
  ApiResponse response;
  if (errors.empty()) return response;
  std::vector<std::string> texts;
  for (const FieldError& error : errors) {
    texts.push_back(str_cat(error.field, ": ", error.detail));
    response.causes.push_back({error.reason, Str(error.detail), Str(error.field)});
  }
  // Both groups of events are the core kind.
  const Str group = kind.group == "events.k8s.io" ? Str() : Str(kind.group);
  const std::string qualified = group.empty() ? std::string(kind.kind) : str_cat(kind.kind, ".", group);
  response.status = invalid(str_cat(qualified, " \"", name, "\" is invalid: ", api::aggregate(texts)));
  auto& details = response.details.mut();
  details.name = Str(name);
  details.group = group;
  details.kind = Str(kind.kind);
  return response;
}

}  // namespace orrery::server
