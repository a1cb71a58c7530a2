#include "engine/server/rest/list_options.h"

#include "engine/api/names.h"

namespace orrery::server {
namespace {

constexpr std::string_view kMatch = "resourceVersionMatch";

FieldError forbidden_field(std::string_view field, std::string_view why) {
  return FieldError::forbidden(std::string(field), why);
}

FieldError unsupported_match(std::string_view found, std::string_view allowed) {
  return {std::string(kMatch), "FieldValueNotSupported",
          str_cat("Unsupported value: ", api::quoted(found), ": supported values: ", allowed)};
}

FieldErrors check_watch(const Query& query) {
  FieldErrors errors;
  const std::string& match = query.get(kMatch);
  const std::string& version = query.get("resourceVersion");
  const bool initial = query.has("sendInitialEvents"), other = match != "NotOlderThan";
  // A watch from the start of time is one with initial events, in its own words or not.
  const bool from_start = !initial && match.empty() && (version.empty() || version == "0");
  if (initial && other)
    errors.push_back(forbidden_field(kMatch, "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"));
  if (match.empty() && !from_start) return errors;
  if (!initial && !from_start)
    errors.push_back(forbidden_field(kMatch, "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"));
  if (other && !from_start) errors.push_back(unsupported_match(match, "\"NotOlderThan\""));
  if (!query.get("continue").empty()) errors.push_back(forbidden_field(kMatch, "resourceVersionMatch is forbidden when continue is provided"));
  return errors;
}

}  // namespace

FieldErrors check_list_options(const Query& query, bool watch) {
  if (watch) return check_watch(query);
  FieldErrors errors;
  const std::string &match = query.get(kMatch), &version = query.get("resourceVersion");
  if (!match.empty()) {
    if (version.empty())
      errors.push_back(forbidden_field(kMatch, "resourceVersionMatch is forbidden unless resourceVersion is provided"));
    if (!query.get("continue").empty())
      errors.push_back(forbidden_field(kMatch, "resourceVersionMatch is forbidden when continue is provided"));
    if (match != "Exact" && match != "NotOlderThan")
      errors.push_back(unsupported_match(match, "\"Exact\", \"NotOlderThan\", \"\""));
    if (match == "Exact" && version == "0")
      errors.push_back(forbidden_field(kMatch, "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\""));
  }
  if (query.has("sendInitialEvents")) errors.push_back(forbidden_field("sendInitialEvents", "sendInitialEvents is forbidden for list"));
  return errors;
}

ApiResponse invalid_options(std::string_view type, const FieldErrors& errors) {
  ApiResponse response;
  if (errors.empty()) return response;
  std::vector<std::string> texts;
  auto& details = response.details.mut();
  details.group = "meta.k8s.io";
  details.kind = Str(type);
  for (const FieldError& error : errors) {
    texts.push_back(str_cat(error.field, ": ", error.detail));
    response.causes.push_back({error.reason, Str(error.detail), Str(error.field)});
  }
  response.status = invalid(str_cat(type, ".meta.k8s.io \"\" is invalid: ", api::aggregate(texts)));
  return response;
}

}  // namespace orrery::server
